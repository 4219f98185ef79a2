"""Resizing against the kernels of Keras' NumPy backend, written down pixel by pixel."""

import math

import numpy as np
import pytest
from checks import assert_equal

from minikeras.kernels import resize

SIZES = [(5, 10), (10, 5), (7, 3), (3, 7), (1, 4), (4, 1), (6, 6), (8, 12), (2, 9), (24, 5)]


def weight(interpolation, x):
    x = abs(x)
    if interpolation == "bilinear":
        return max(0.0, 1 - x)
    if interpolation == "bicubic":
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0
    radius = int(interpolation[-1])
    if x == 0 or x > radius:
        return float(x == 0)
    return radius * math.sin(math.pi * x) * math.sin(math.pi * x / radius) / (math.pi * x) ** 2


def slow_matrix(n_in, n_out, interpolation, antialias):
    """Each output by itself, as the definition says."""
    result = np.zeros((n_out, n_in))
    scale = n_in / n_out
    width = max(scale, 1) if antialias else 1
    for o in range(n_out):
        if interpolation == "nearest":
            result[o, math.floor((o + 0.5) * scale)] = 1
        elif interpolation == "area":
            for i in range(n_in):
                result[o, i] = max(0, min((o + 1) * scale, i + 1) - max(o * scale, i)) / scale
        else:
            centre = (o + 0.5) * scale - 0.5
            row = [weight(interpolation, (centre - i) / width) for i in range(n_in)]
            result[o] = [w / sum(row) for w in row]
    return result


@pytest.mark.parametrize("interpolation", resize.INTERPOLATIONS)
@pytest.mark.parametrize("n_in, n_out", SIZES)
def test_matrix(interpolation, n_in, n_out):
    for antialias in (False, True):
        weights = resize.matrix(n_in, n_out, interpolation, antialias)
        np.testing.assert_allclose(weights, slow_matrix(n_in, n_out, interpolation, antialias), atol=1e-12)
        np.testing.assert_allclose(weights.sum(axis=1), 1)


@pytest.mark.parametrize("interpolation", resize.INTERPOLATIONS)
@pytest.mark.parametrize("channels", [1, 3, 17])
def test_apply_and_gradient(interpolation, channels):
    """One matrix after the other; the gradient is the transposed map, so <y, dy> = <x, dx>."""
    rng = np.random.default_rng(0)
    for size, new_size in (((5, 7), (8, 3)), ((4, 6), (4, 9)), ((3,), (7,)), ((2, 3, 4), (4, 2, 5)), ((1, 1), (3, 2))):
        x = rng.standard_normal((2, *size, channels))
        expected = x
        for axis, (n_in, n_out) in enumerate(zip(size, new_size), 1):
            weights = slow_matrix(n_in, n_out, interpolation, False)
            expected = np.moveaxis(np.tensordot(weights, expected, axes=(1, axis)), 0, axis)
        y = resize.apply(x, new_size, interpolation)
        assert_equal(y, expected)
        dy = rng.standard_normal(y.shape)
        dx = resize.gradient(dy, size, interpolation)
        assert dx.shape == x.shape
        np.testing.assert_allclose(np.sum(y * dy), np.sum(x * dx))


def test_the_same_size_and_strided_inputs():
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).astype("float32")
    for interpolation in resize.INTERPOLATIONS:
        assert resize.apply(x, (4, 5), interpolation) is x
        assert_equal(resize.apply(np.asfortranarray(x), (7, 3), interpolation), resize.apply(x, (7, 3), interpolation))
        assert resize.apply(x, (8, 2), interpolation, True).dtype == "float32"
