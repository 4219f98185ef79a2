"""Pooling kernels against the definition, computed window by window."""

import itertools

import numpy as np
import oracles
import pytest
from checks import assert_equal

from minikeras.kernels import pooling
from minikeras.kernels.window import make_window

SIZES = [
    ((6, 6), (2, 2), (2, 2)), ((7, 5), (2, 2), (2, 2)), ((7, 8), (3, 3), (2, 2)), ((6, 7), (3, 2), (1, 1)),
    ((5, 7), (2, 2), (3, 4)), ((5, 6), (5, 6), (1, 1)), ((5, 6), (1, 1), (1, 1)), ((5, 6), (1, 1), (2, 2)),
    ((9, 4), (4, 1), (3, 2)), ((1, 1), (1, 1), (1, 1)), ((7, 7), (5, 5), (5, 5)), ((7,), (3,), (2,)),
    ((6,), (2,), (2,)), ((4, 5, 6), (2, 2, 2), (2, 2, 2)), ((3, 5, 4), (2, 3, 2), (1, 2, 1)),
]  # fmt: skip


def buffer(name, shape):
    return np.full(shape, np.nan)


def pool(kind, x, dy, window):
    if kind == "average":
        y = pooling.average_pool(x, window, buffer)
        return y.copy(), pooling.average_pool_gradient(dy(y.shape).copy(), x.shape, window, buffer)
    stages = pooling.max_pool(x, window, buffer)
    y = stages[-1].copy()
    return y, pooling.max_pool_gradient(dy(y.shape).copy(), stages, window, buffer)


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("input_size, size, strides", SIZES)
def test_sizes(kind, input_size, size, strides):
    """With few different values, most windows of the second batch hold ties."""
    rng = np.random.default_rng(0)
    shape = (2, *input_size, 3)

    def dy(shape):
        return np.random.default_rng(1).standard_normal(shape)

    batches = rng.standard_normal(shape), rng.integers(-2, 1, shape).astype("float64")
    for padding, x in itertools.product(("valid", "same"), batches):
        y, dx = pool(kind, x, dy, make_window(input_size, size, strides, padding))
        expected_y, expected_dx = oracles.pooling(kind, x, dy, size, strides, padding)
        assert_equal(y, expected_y, what=f"y, {padding}")
        assert_equal(dx, expected_dx, what=f"dx, {padding}")


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_equal_everywhere(padding):
    x = np.zeros((1, 5, 5, 1))
    for size, strides in (((2, 2), (2, 2)), ((3, 3), (1, 1)), ((3, 2), (2, 3))):
        y, dx = pool("max", x, np.ones, make_window((5, 5), size, strides, padding))
        np.testing.assert_array_equal(dx, oracles.pooling("max", x, np.ones, size, strides, padding)[1])
        assert dx.sum() == y.size


def test_padding_is_never_the_largest():
    x = np.full((1, 3, 3, 2), -5.0)
    y, dx = pool("max", x, np.ones, make_window((3, 3), (2, 2), (2, 2), "same"))
    assert (y == -5).all()
    assert dx.sum() == y.size


def test_minus_infinity():
    """The value that stands for nothing may occur in the images as well."""
    x = np.full((1, 4, 4, 1), -np.inf)
    for padding in ("valid", "same"):
        y, dx = pool("max", x, np.ones, make_window((4, 4), (3, 3), (2, 2), padding))
        assert (y == -np.inf).all()
        assert dx.sum() == y.size
