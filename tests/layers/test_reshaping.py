"""Flatten, Reshape, ZeroPadding2D, and Rescaling."""

import numpy as np
import pytest
from checks import check_layer, settings

from minikeras import layers

CONFIGURATIONS = {
    "flatten": (layers.Flatten, (3, 4, 2), {}),
    "flatten rank 1": (layers.Flatten, (), {}),
    "flatten rank 2": (layers.Flatten, (5,), {}),
    "flatten channels first": (layers.Flatten, (3, 4, 2), {"data_format": "channels_first"}),
    "flatten channels first, rank 3": (layers.Flatten, (3, 4), {"data_format": "channels_first"}),
    "flatten channels first, rank 2": (layers.Flatten, (3,), {"data_format": "channels_first"}),
    "reshape": (layers.Reshape, (3, 4), {"target_shape": (2, 6)}),
    "reshape -1": (layers.Reshape, (3, 4, 2), {"target_shape": (4, -1, 2)}),
    "reshape to a vector": (layers.Reshape, (3, 4), {"target_shape": (-1,)}),
    "reshape list": (layers.Reshape, (4,), {"target_shape": [2, 2, 1]}),
    "padding": (layers.ZeroPadding2D, (3, 4, 2), {}),
    "padding 2": (layers.ZeroPadding2D, (3, 4, 2), {"padding": 2}),
    "padding (1, 2)": (layers.ZeroPadding2D, (3, 4, 2), {"padding": (1, 2)}),
    "padding, four sides": (layers.ZeroPadding2D, (3, 4, 2), {"padding": ((1, 0), (2, 3))}),
    "padding 0": (layers.ZeroPadding2D, (3, 4, 2), {"padding": 0}),
    "padding channels first": (layers.ZeroPadding2D, (2, 3, 4), {"padding": (1, 2), "data_format": "channels_first"}),
    "rescaling": (layers.Rescaling, (3, 4), {"scale": 0.5}),
    "rescaling offset": (layers.Rescaling, (3, 4), {"scale": 2, "offset": -1}),
    "rescaling arrays": (layers.Rescaling, (3, 4, 2), {"scale": [0.5, 2], "offset": np.array([1.0, -1])}),
    "rescaling matrix": (layers.Rescaling, (2, 3), {"scale": np.arange(6.0).reshape(2, 3), "offset": [1, 2, 3]}),
}


@pytest.mark.parametrize("cls, input_shape, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_layer(cls, input_shape, arguments):
    check_layer(lambda: cls(**arguments), input_shape)
    check_layer(lambda: cls(**arguments), input_shape, batch=1)


def test_flatten_gives_the_same_rows_in_both_formats():
    x = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype("float32")
    last = layers.Flatten(data_format="channels_last")(x)
    np.testing.assert_array_equal(last, x.reshape(2, -1))
    np.testing.assert_array_equal(layers.Flatten(data_format="channels_first")(x.transpose(0, 3, 1, 2)), last)
    with settings("float32", "channels_first"):
        np.testing.assert_array_equal(layers.Flatten()(x.transpose(0, 3, 1, 2)), last)


def test_flatten_unknown_sizes():
    assert layers.Flatten().compute_output_shape((None, None, 3)) == (None, None)
    assert layers.Reshape((-1, 3)).compute_output_shape((None, None, 3)) == (None, None, 3)


def test_reshape_keeps_the_order():
    x = np.arange(24).reshape(2, 12).astype("float32")
    np.testing.assert_array_equal(layers.Reshape((3, -1))(x), x.reshape(2, 3, 4))


def test_zero_padding_sides():
    x = np.ones((1, 2, 3, 1), "float32")
    y = layers.ZeroPadding2D(((1, 0), (2, 3)))(x)
    assert y.shape == (1, 3, 8, 1)
    np.testing.assert_array_equal(y[0, 1:, 2:5], x[0])
    assert y.sum() == x.sum()


def test_rescaling_bytes():
    y = layers.Rescaling(1 / 255)(np.array([[0, 51, 255]], "uint8"))
    np.testing.assert_allclose(y, [[0, 0.2, 1]], rtol=1e-6)
    assert y.dtype == "float32"


def test_rescaling_by_channel_with_channels_first():
    x = np.ones((2, 3, 4, 5), "float32")
    with settings("float32", "channels_first"):
        y = layers.Rescaling([1, 2, 3], offset=0.5)(x)
    np.testing.assert_array_equal(y, x * np.array([1, 2, 3])[:, None, None] + 0.5)


@pytest.mark.parametrize("make, message", [
    (lambda: layers.Reshape(3), "target_shape"), (lambda: layers.Reshape((-1, -1)), "target_shape"),
    (lambda: layers.Reshape((0, 2)), "target_shape"), (lambda: layers.Reshape((2.0,)), "target_shape"),
    (lambda: layers.ZeroPadding2D(-1), "padding"), (lambda: layers.ZeroPadding2D((1, 2, 3)), "padding"),
    (lambda: layers.ZeroPadding2D(((1, 2), (3,))), "padding"), (lambda: layers.Flatten("last"), "data_format"),
    (lambda: layers.Rescaling("half"), "scale"), (lambda: layers.Rescaling(1, offset=np.inf), "offset"),
    (lambda: layers.Reshape((5,)).compute_output_shape((None, 2, 3)), "6 numbers a sample"),
    (lambda: layers.Reshape((-1, 4)).compute_output_shape((None, 2, 3)), "6 numbers a sample"),
    (lambda: layers.ZeroPadding2D().compute_output_shape((None, 2, 3)), "rank 4"),
])  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
