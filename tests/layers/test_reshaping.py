"""Layers that move numbers: reshaping, padding, cropping, upsampling; and Rescaling."""

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
    "reshape to nothing": (layers.Reshape, (1,), {"target_shape": ()}),
    "permute": (layers.Permute, (3, 4), {"dims": (2, 1)}),
    "permute in a circle": (layers.Permute, (2, 3, 4), {"dims": (2, 3, 1)}),
    "permute list": (layers.Permute, (2, 3, 4, 2), {"dims": [4, 1, 3, 2]}),
    "permute nothing": (layers.Permute, (3,), {"dims": (1,)}),
    "repeat": (layers.RepeatVector, (3,), {"n": 4}),
    "repeat once": (layers.RepeatVector, (1,), {"n": 1}),
    "identity": (layers.Identity, (3, 2), {}),
    "padding 1-D": (layers.ZeroPadding1D, (3, 2), {}),
    "padding 1-D, two sides": (layers.ZeroPadding1D, (1, 2), {"padding": (2, 1)}),
    "padding 1-D, channels first": (layers.ZeroPadding1D, (2, 3), {"padding": (0, 2), "data_format": "channels_first"}),
    "padding 3-D": (layers.ZeroPadding3D, (2, 1, 3, 2), {}),
    "padding 3-D, six sides": (layers.ZeroPadding3D, (2, 1, 3, 2), {"padding": ((1, 0), (0, 2), (2, 3))}),
    "padding mixed": (layers.ZeroPadding2D, (2, 3, 1), {"padding": (1, (0, 2))}),
    "cropping 1-D": (layers.Cropping1D, (4, 2), {}),
    "cropping 1-D, one side": (layers.Cropping1D, (4, 2), {"cropping": (3, 0)}),
    "cropping nothing": (layers.Cropping2D, (3, 4, 2), {}),
    "cropping": (layers.Cropping2D, (5, 6, 2), {"cropping": 2}),
    "cropping (1, 2)": (layers.Cropping2D, (5, 6, 2), {"cropping": (1, 2)}),
    "cropping, four sides": (layers.Cropping2D, (5, 6, 2), {"cropping": ((1, 0), (2, 3))}),
    "cropping channels first": (layers.Cropping2D, (2, 5, 6), {"cropping": (1, 2), "data_format": "channels_first"}),
    "cropping 3-D": (layers.Cropping3D, (3, 4, 5, 2), {}),
    "cropping 3-D, six sides": (layers.Cropping3D, (3, 4, 5, 2), {"cropping": ((1, 0), (0, 3), (2, 1))}),
    "upsampling 1-D": (layers.UpSampling1D, (3, 2), {}),
    "upsampling 1-D by 3": (layers.UpSampling1D, (1, 2), {"size": 3}),
    "upsampling": (layers.UpSampling2D, (3, 4, 2), {}),
    "upsampling (1, 3)": (layers.UpSampling2D, (3, 4, 2), {"size": (1, 3)}),
    "upsampling by 1": (layers.UpSampling2D, (3, 4, 2), {"size": 1}),
    "upsampling channels first": (layers.UpSampling2D, (2, 3, 4), {"size": (3, 2), "data_format": "channels_first"}),
    "upsampling 3-D": (layers.UpSampling3D, (2, 1, 3, 2), {}),
    "upsampling 3-D (1, 2, 3)": (layers.UpSampling3D, (2, 1, 3, 2), {"size": (1, 2, 3)}),
    **{
        f"upsampling {name}": (layers.UpSampling2D, (3, 4, 2), {"size": (2, 3), "interpolation": name})
        for name in ("bilinear", "bicubic", "lanczos3", "lanczos5")
    },
    "upsampling bilinear, channels first": (
        layers.UpSampling2D, (2, 3, 4), {"interpolation": "bilinear", "data_format": "channels_first"}
    ),
    "upsampling bilinear, one pixel": (layers.UpSampling2D, (1, 1, 2), {"size": 3, "interpolation": "bilinear"}),
    "upsampling bilinear by 1": (layers.UpSampling2D, (2, 2, 2), {"size": 1, "interpolation": "bilinear"}),
    "rescaling": (layers.Rescaling, (3, 4), {"scale": 0.5}),
    "rescaling offset": (layers.Rescaling, (3, 4), {"scale": 2, "offset": -1}),
    "rescaling arrays": (layers.Rescaling, (3, 4, 2), {"scale": [0.5, 2], "offset": np.array([1.0, -1])}),
    "rescaling matrix": (layers.Rescaling, (2, 3), {"scale": np.arange(6.0).reshape(2, 3), "offset": [1, 2, 3]}),
}  # fmt: skip


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


def test_permute():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")
    layer = layers.Permute((3, 1, 2))
    y = layer(x)
    assert y.shape == (2, 5, 3, 4)
    np.testing.assert_array_equal(y, np.transpose(x, (0, 3, 1, 2)))
    np.testing.assert_array_equal(layer.backward(y), x)


def test_repeated_vector():
    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(layers.RepeatVector(4)(x), np.stack([x] * 4, axis=1))


def test_cropping_undoes_padding():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")
    border = ((1, 0), (2, 3))
    np.testing.assert_array_equal(layers.Cropping2D(border)(layers.ZeroPadding2D(border)(x)), x)
    np.testing.assert_array_equal(layers.Cropping1D((1, 2))(x[:, 0])[:, 0], x[:, 0, 1])
    np.testing.assert_array_equal(layers.Cropping2D(((1, 0), (2, 1)))(x), x[:, 1:, 2:3])


def test_upsampling():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")
    np.testing.assert_array_equal(layers.UpSampling2D((2, 3))(x), x.repeat(2, axis=1).repeat(3, axis=2))
    np.testing.assert_array_equal(layers.UpSampling1D(3)(x[0]), x[0].repeat(3, axis=1))
    volumes = x[..., None]
    expected = volumes.repeat(3, axis=1).repeat(1, axis=2).repeat(2, axis=3)
    np.testing.assert_array_equal(layers.UpSampling3D((3, 1, 2))(volumes), expected)
    np.testing.assert_array_equal(layers.UpSampling2D(2, interpolation="Bilinear")(np.ones((1, 2, 2, 1))), 1)


def test_what_may_be_large():
    """Extreme numbers go through without a floating-point error."""
    x = np.full((1, 2, 2, 1), 1e30, "float32")
    with np.errstate(all="raise"):
        for name in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
            layer = layers.UpSampling2D(2, interpolation=name)
            np.testing.assert_allclose(layer(x, training=True), 1e30, rtol=1e-5)
            layer.backward(np.full((1, 4, 4, 1), 1e30, "float32"))


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
    (lambda: layers.ZeroPadding1D().compute_output_shape((None, 2)), r"rank 3, \(batch, length, channels\)"),
    (lambda: layers.ZeroPadding1D((1, 2, 3)), "`padding` must be an integer or a pair"),
    (lambda: layers.ZeroPadding1D(((1, 2),)), "`padding`"), (lambda: layers.ZeroPadding3D((1, 2)), "or 3 pairs"),
    (lambda: layers.ZeroPadding2D(True), "`padding`"), (lambda: layers.ZeroPadding2D(1.5), "`padding`"),
    (lambda: layers.Cropping1D(-1), "`cropping`"), (lambda: layers.Cropping2D(((1, 2), (3, -1))), "`cropping`"),
    (lambda: layers.Cropping2D(2, name="c").compute_output_shape((None, 9, 4, 1)),
     r"'c' \(Cropping2D\) would have an empty output: input \(9, 4\).*output size \(5, 0\)"),
    (lambda: layers.Cropping1D((2, 3)).compute_output_shape((None, 4, 1)), r"output size \(-1,\)"),
    (lambda: layers.Cropping3D().compute_output_shape((None, 4, 4, 1)), "rank 5"),
    (lambda: layers.Permute((1, 1)), "`dims`"), (lambda: layers.Permute((0, 1)), "`dims`"),
    (lambda: layers.Permute(2), "`dims`"), (lambda: layers.Permute((1.0, 2)), "`dims`"),
    (lambda: layers.Permute((True, 2)), "`dims`"),
    (lambda: layers.Permute((2, 1), name="p").compute_output_shape((None, 2)), r"'p' \(Permute\).*rank 3"),
    (lambda: layers.RepeatVector(0), "`n`"), (lambda: layers.RepeatVector(2.0), "`n`"),
    (lambda: layers.RepeatVector(2, name="r").compute_output_shape((None, 2, 3)), r"'r' \(RepeatVector\).*rank 2"),
    (lambda: layers.UpSampling1D(0), "`size`"), (lambda: layers.UpSampling2D((1, 2, 3)), "`size`"),
    (lambda: layers.UpSampling3D(1.5), "`size`"),
    (lambda: layers.UpSampling2D(interpolation="area"), "`interpolation`"),
    (lambda: layers.UpSampling2D(interpolation=None), "`interpolation`"),
    (lambda: layers.UpSampling2D().compute_output_shape((None, 2, 3)), "rank 4"),
    (lambda: layers.UpSampling1D().compute_output_shape((None, 2)), "rank 3"),
])  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
