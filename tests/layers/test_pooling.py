"""Pooling layers. The arithmetic itself is tested in tests/kernels/test_pooling.py."""

import numpy as np
import oracles
import pytest
from checks import assert_equal, check_layer

from minikeras import layers

SIZES = {
    "2x2": ((4, 6, 3), {"pool_size": 2}),
    "2x2 odd": ((5, 7, 3), {"pool_size": 2}),
    "2x2 odd same": ((5, 7, 3), {"pool_size": 2, "padding": "same"}),
    "3x3 overlapping": ((7, 8, 2), {"pool_size": 3, "strides": 2}),
    "3x3 overlapping same": ((7, 8, 2), {"pool_size": 3, "strides": 2, "padding": "same"}),
    "3x2 stride 1": ((5, 6, 2), {"pool_size": (3, 2), "strides": 1}),
    "3x3 stride 1 same": ((4, 5, 1), {"pool_size": 3, "strides": 1, "padding": "same"}),
    "stride larger than the pool": ((7, 8, 2), {"pool_size": 2, "strides": 3}),
    "stride larger, same": ((7, 8, 2), {"pool_size": 2, "strides": (3, 4), "padding": "same"}),
    "as large as the image": ((4, 5, 2), {"pool_size": (4, 5)}),
    "larger than the image, same": ((2, 3, 2), {"pool_size": 4, "padding": "same"}),
    "1x1": ((3, 4, 2), {"pool_size": 1}),
    "1x1 stride 2": ((3, 4, 2), {"pool_size": 1, "strides": 2}),
    "one axis only": ((3, 6, 2), {"pool_size": (1, 2)}),
}


@pytest.mark.parametrize("cls", [layers.MaxPooling2D, layers.AveragePooling2D])
@pytest.mark.parametrize("input_shape, arguments", SIZES.values(), ids=SIZES)
def test_pooling(cls, input_shape, arguments):
    layer = check_layer(lambda: cls(**arguments), input_shape)
    check_layer(lambda: cls(**arguments, data_format="channels_first"), (input_shape[-1], *input_shape[:-1]))
    check_layer(lambda: cls(**arguments), input_shape, batch=1)
    x = np.random.default_rng(0).standard_normal((2, *input_shape))
    kind = "max" if cls is layers.MaxPooling2D else "average"
    assert_equal(layer(x), oracles.pooling(kind, x, np.zeros, layer.pool_size, layer.strides, layer.padding)[0])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("input_shape, arguments", SIZES.values(), ids=SIZES)
def test_of_equal_elements_the_first_gets_the_gradient(input_shape, arguments, data_format):
    layer = layers.MaxPooling2D(**arguments, data_format=data_format)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (3, *input_shape)).astype("float32")
    y, dx = oracles.pooling("max", x, lambda shape: np.arange(np.prod(shape)).reshape(shape), layer.pool_size,
                            layer.strides, layer.padding)  # fmt: skip
    dy = np.arange(y.size, dtype="float32").reshape(y.shape)
    if data_format == "channels_first":
        x, y, dx, dy = (a.transpose(0, 3, 1, 2) for a in (x, y, dx, dy))
    np.testing.assert_array_equal(layer(x, training=True), y)
    np.testing.assert_array_equal(layer.backward(dy), dx)


@pytest.mark.parametrize("cls", [layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling(cls, data_format, keepdims):
    for shape in ((4, 5, 3), (1, 1, 2), (3, 3, 3)):
        layer = check_layer(lambda: cls(data_format=data_format, keepdims=keepdims), shape)
        x = np.random.default_rng(0).standard_normal((2, *shape))
        axes = (1, 2) if data_format == "channels_last" else (2, 3)
        expected = x.max(axis=axes) if cls is layers.GlobalMaxPooling2D else x.mean(axis=axes)
        y = layer(x)
        assert y.ndim == (4 if keepdims else 2)
        assert_equal(y.reshape(expected.shape), expected)


def test_global_max_pooling_shares_the_gradient_of_equal_elements():
    x = np.zeros((1, 2, 3, 1), "float32")
    x[0, 0, 1] = x[0, 1, 2] = 5
    layer = layers.GlobalMaxPooling2D()
    layer(x, training=True)
    dx = layer.backward(np.full((1, 1), 3, "float32"))
    np.testing.assert_array_equal(dx[0, ..., 0], [[0, 1.5, 0], [0, 0, 1.5]])


def test_strides_are_the_pool_size_by_default():
    assert layers.MaxPooling2D((2, 3)).strides == (2, 3)
    assert layers.AveragePooling2D(2).strides == (2, 2)


def test_unknown_image_size():
    layer = layers.MaxPooling2D(2)
    assert layer.compute_output_shape((None, None, 7, 3)) == (None, None, 3, 3)
    for size in (6, 8, 4):
        assert layer(np.ones((2, size, size, 3), "float32")).shape == (2, size // 2, size // 2, 3)


@pytest.mark.parametrize("cls", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_bad_arguments(cls):
    for name, value in (("pool_size", 0), ("pool_size", 1.5), ("pool_size", (2,)), ("strides", 0), ("padding", "full"),
                        ("data_format", "last")):  # fmt: skip
        with pytest.raises(ValueError, match=name):
            cls(**{"pool_size": 2, name: value})
    with pytest.raises(ValueError, match=r"empty output: input \(2, 3\), pool_size \(3, 3\)"):
        cls(3)(np.zeros((1, 2, 3, 1), "float32"))
    with pytest.raises(ValueError, match="rank 4"):
        cls(3)(np.zeros((1, 5, 5), "float32"))
