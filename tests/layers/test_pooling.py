"""Pooling layers. The arithmetic itself is tested in tests/kernels/test_pooling.py."""

import functools
import itertools
import math

import numpy as np
import oracles
import pytest
from checks import assert_equal, check_layer

from minikeras import layers
from minikeras.models import Sequential

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
SIZES_OF_OTHER_RANKS = {
    "sequences": ((7, 3), {"pool_size": 2}),
    "sequences, overlapping": ((8, 2), {"pool_size": 3, "strides": 1, "padding": "same"}),
    "sequences, gaps": ((8, 2), {"pool_size": (2,), "strides": (3,)}),
    "a sequence of one step": ((1, 2), {"pool_size": 3, "padding": "same"}),
    "volumes": ((4, 6, 2, 2), {"pool_size": 2}),
    "volumes, overlapping": ((3, 4, 5, 1), {"pool_size": (2, 3, 2), "strides": (1, 2, 1), "padding": "same"}),
    "one voxel": ((1, 1, 1, 2), {"pool_size": 1}),
}
KINDS = {"Max": "max", "Average": "average"}


def ranked(prefix, rank):
    return getattr(layers, f"{prefix}{rank}D")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "input_shape, arguments", (SIZES | SIZES_OF_OTHER_RANKS).values(), ids=SIZES | SIZES_OF_OTHER_RANKS
)
def test_pooling(kind, input_shape, arguments):
    cls = ranked(f"{kind}Pooling", len(input_shape) - 1)
    layer = check_layer(lambda: cls(**arguments), input_shape)
    check_layer(lambda: cls(**arguments, data_format="channels_first"), (input_shape[-1], *input_shape[:-1]))
    check_layer(lambda: cls(**arguments), input_shape, batch=1)
    x = np.random.default_rng(0).standard_normal((2, *input_shape))
    assert_equal(layer(x), oracles.pooling(KINDS[kind], x, np.zeros, layer.pool_size, layer.strides, layer.padding)[0])


@pytest.mark.parametrize("input_shape, arguments", SIZES.values(), ids=SIZES)
def test_min_pooling(input_shape, arguments):
    check_layer(lambda: layers.MinPooling2D(**arguments), input_shape)
    x = np.random.default_rng(0).integers(-3, 3, (2, *input_shape)).astype("float32")
    smallest, largest = layers.MinPooling2D(**arguments), layers.MaxPooling2D(**arguments)
    y = smallest(x, training=True)
    np.testing.assert_array_equal(y, -largest(-x, training=True))
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    np.testing.assert_array_equal(smallest.backward(dy.copy()), largest.backward(dy.copy()))


ADAPTIVE = [
    ((6,), 3), ((7,), 3), ((3,), 5), ((12,), 8), ((1,), 1), ((1,), 4), ((5,), 5), ((6, 4), (3, 2)), ((7, 5), (4, 3)),
    ((5, 7), 1), ((4, 6), (6, 4)), ((3, 2, 5), (2, 2, 3)), ((4, 4, 6), 2),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size, output_size", ADAPTIVE)
def test_adaptive_pooling(kind, size, output_size):
    """Against its definition, window by window; with few different values as well, for ties."""
    cls = ranked(f"Adaptive{kind}Pooling", len(size))
    layer = check_layer(lambda: cls(output_size), (*size, 2))
    check_layer(lambda: cls(output_size, data_format="channels_first"), (2, *size))
    rng = np.random.default_rng(0)
    for x in (rng.standard_normal((2, *size, 3)), rng.integers(0, 2, (2, *size, 3)).astype("float64")):
        y = layer(x, training=True)
        dy = rng.standard_normal(y.shape)
        dx = np.zeros(x.shape)
        for place in np.ndindex(*layer.output_size):
            ends = [(i * n // o, -(-(i + 1) * n // o)) for i, n, o in zip(place, size, layer.output_size)]
            window = (slice(None), *(slice(*pair) for pair in ends))
            here = (slice(None), *place)
            flat = x[window].reshape(2, -1, 3)
            if kind == "Max":
                assert_equal(y[here], flat.max(axis=1))
                is_first = np.arange(flat.shape[1])[:, None] == flat.argmax(axis=1)[:, None]
                dx[window] += (is_first * dy[here][:, None]).reshape(x[window].shape)
            else:
                assert_equal(y[here], flat.mean(axis=1))
                dx[window] += np.reshape(dy[here], (2, *(1,) * len(size), 3)) / flat.shape[1]
        assert_equal(layer.backward(dy.copy()), dx)


def test_adaptive_pooling_takes_images_of_any_size():
    model = Sequential([layers.Input((None, None, 3)), layers.AdaptiveAveragePooling2D((2, 3)), layers.Flatten()])
    assert model.output_shape == (None, 18)
    for size in ((4, 6), (7, 5), (1, 1)):
        assert model.predict(np.ones((2, *size, 3), "float32"), verbose=0).shape == (2, 18)


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling(kind, data_format, keepdims):
    for shape in ((4, 5, 3), (1, 1, 2), (3, 3, 3), (6, 2), (1, 2), (2, 3, 4, 2)):
        rank = len(shape) - 1
        make = functools.partial(ranked(f"Global{kind}Pooling", rank), data_format, keepdims)
        layer = check_layer(make, shape)
        x = np.random.default_rng(0).standard_normal((2, *shape))
        axes = tuple(range(1, rank + 1)) if data_format == "channels_last" else tuple(range(2, rank + 2))
        expected = x.max(axis=axes) if kind == "Max" else x.mean(axis=axes)
        y = layer(x)
        assert y.ndim == (rank + 2 if keepdims else 2)
        assert_equal(y.reshape(expected.shape), expected)


def test_long_means_keep_their_digits():
    """A million float32 numbers that are added up one by one lose all but three digits."""
    x = 1000 + np.random.default_rng(0).random((1, 1000, 1000, 2), "float32")
    y = layers.GlobalAveragePooling2D()(x)
    np.testing.assert_allclose(y, x.mean(axis=(1, 2), dtype="float64"), rtol=1e-5)


MASK = np.array([[True, True, False, False], [False, True, False, True], [False] * 4, [True] * 4])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_mean(data_format, keepdims):
    """What is masked has no influence, be it infinite; the third sequence has no steps at all."""
    layer = layers.GlobalAveragePooling1D(data_format, keepdims)
    x = np.random.default_rng(0).standard_normal((4, 4, 3)).astype("float32")
    dy = np.random.default_rng(1).standard_normal((4, 3)).astype("float32")
    expected = np.array([x[i, MASK[i]].mean(axis=0) if MASK[i].any() else np.zeros(3) for i in range(4)])
    dx = MASK[..., None] * dy[:, None] / np.maximum(MASK.sum(axis=1), 1)[:, None, None]
    x[~MASK] = np.inf
    shape = (4, 3) if not keepdims else (4, 1, 3) if data_format == "channels_last" else (4, 3, 1)
    first = data_format == "channels_first"
    with np.errstate(all="raise"):
        y = layer(x.transpose(0, 2, 1) if first else x, training=True, mask=MASK)
        gradient = layer.backward(dy.reshape(shape))
    np.testing.assert_allclose(y, expected.reshape(shape), rtol=1e-6)
    np.testing.assert_allclose(gradient.transpose(0, 2, 1) if first else gradient, dx, rtol=1e-6)
    assert layer.compute_mask(x, MASK) is None
    with pytest.raises(ValueError, match=r"`mask`.*shape \(4, 4\).*\(4, 3\)"):
        layer(x.transpose(0, 2, 1) if first else x, mask=MASK[:, 1:])
    x[...] = 1
    np.testing.assert_allclose(layer(x.transpose(0, 2, 1) if first else x), 1)  # the mask is not kept


class NonZero(layers.Layer):
    """Masks steps of zeros."""

    def call(self, inputs, training=False):
        return inputs

    def compute_mask(self, inputs, previous_mask):
        return inputs.any(axis=-1)


def test_masked_mean_in_shares_of_the_batch():
    """Long sequences, so that threads take shares of the batch, each with its share of the mask."""
    x = np.random.default_rng(0).standard_normal((64, 300, 40)).astype("float32")
    lengths = np.random.default_rng(1).integers(0, 300, 64)
    for i, n in enumerate(lengths):
        x[i, n:] = 0
    model = Sequential([layers.Input((300, 40)), NonZero(), layers.GlobalAveragePooling1D()])
    y = model.predict(x, batch_size=64, verbose=0)
    np.testing.assert_allclose(y, x.sum(axis=1) / np.maximum(lengths, 1)[:, None], rtol=1e-4, atol=1e-5)


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


def test_one_number_that_is_lost():
    """Extreme values: nothing overflows, and every gradient finds its place."""
    big = float(np.finfo("float32").max)
    for value in (big, -big, 1e4, -1e4, 0.0):
        x = np.full((1, 3, 3, 1), value, "float32")
        for layer in (layers.MaxPooling2D(2, 1), layers.MinPooling2D(2, 1), layers.AdaptiveMaxPooling2D(2),
                      layers.GlobalMaxPooling2D()):  # fmt: skip
            with np.errstate(all="raise"):
                y = layer(x, training=True)
                dx = layer.backward(np.ones_like(y))
            assert (y == x.flat[0]).all()
            assert math.isclose(dx.sum(), y.size, rel_tol=1e-6)


@pytest.mark.parametrize("prefix, arguments", [
    ("MaxPooling", {}), ("AveragePooling", {"pool_size": 2}), ("GlobalMaxPooling", {}), ("GlobalAveragePooling", {}),
    ("AdaptiveMaxPooling", {"output_size": 2}), ("AdaptiveAveragePooling", {"output_size": 2}),
])  # fmt: skip
def test_wrong_ranks(prefix, arguments):
    for rank, other in itertools.product((1, 2, 3), (1, 2, 3)):
        shape = (None, *(8,) * other, 3)
        layer = ranked(prefix, rank)(**arguments, name="pool")
        if other == rank:
            layer.compute_output_shape(shape)
        else:
            with pytest.raises(ValueError, match=rf"'pool' \({prefix}{rank}D\) takes inputs of rank {rank + 2}"):
                layer.compute_output_shape(shape)


def test_bad_output_size():
    for value in (0, -1, 2.5, True, None, (2, 2, 2), "2"):
        with pytest.raises(ValueError, match="`output_size` must be"):
            layers.AdaptiveMaxPooling2D(value)


@pytest.mark.parametrize("cls", [layers.MaxPooling2D, layers.AveragePooling2D, layers.MinPooling2D])
def test_bad_arguments(cls):
    for name, value in (("pool_size", 0), ("pool_size", 1.5), ("pool_size", (2,)), ("strides", 0), ("padding", "full"),
                        ("data_format", "last")):  # fmt: skip
        with pytest.raises(ValueError, match=name):
            cls(**{"pool_size": 2, name: value})
    with pytest.raises(ValueError, match=r"empty output: input \(2, 3\), pool_size \(3, 3\)"):
        cls(3)(np.zeros((1, 2, 3, 1), "float32"))
    with pytest.raises(ValueError, match="rank 4"):
        cls(3)(np.zeros((1, 5, 5), "float32"))
