"""Warps beside a slow lookup, pixel by pixel."""

import itertools
import math

import numpy as np
import pytest

from minikeras.kernels import images, threads
from minikeras.kernels.images import Warp, affine_coordinates, source_index


def look_up(line, index, fill_mode, fill_value):
    """The pixel of an image's row or column that is shown at any integer index, by walking along it."""
    n = len(line)
    if 0 <= index < n:
        return line[index]
    if fill_mode == "constant":
        return np.full_like(line[0], fill_value)
    if fill_mode == "nearest":
        return line[0 if index < 0 else n - 1]
    while not 0 <= index < n:
        if fill_mode == "wrap":
            index += n if index < 0 else -n
        else:
            index = -1 - index if index < 0 else 2 * n - 1 - index
    return line[index]


def slow_warp(image, row, column, interpolation, fill_mode, fill_value):
    """One output pixel."""
    if interpolation == "nearest":
        corners = [(round(float(row)), round(float(column)), 1.0)]
    else:
        y, x = math.floor(row), math.floor(column)
        corners = [
            (y + i, x + j, (row - y if i else 1 - row + y) * (column - x if j else 1 - column + x))
            for i, j in itertools.product((0, 1), (0, 1))
        ]
    total = 0
    for y, x, weight in corners:
        outside = not (0 <= y < image.shape[0] and 0 <= x < image.shape[1])
        if fill_mode == "constant" and outside:
            pixel = np.full(image.shape[-1], fill_value)
        else:
            line = [look_up(list(line), x, fill_mode, fill_value) for line in image]
            pixel = look_up(line, y, fill_mode, fill_value)
        total = total + weight * pixel
    return total


CASES = list(itertools.product(images.FILL_MODES, images.INTERPOLATIONS, [1, 2, 100]))


@pytest.mark.parametrize("fill_mode, interpolation, reach", CASES)
@pytest.mark.parametrize("separable", [False, True])
def test_slow_warp(fill_mode, interpolation, reach, separable):
    rng = np.random.default_rng(0)
    n, h, w, c = 2, 4, 5, 3
    x = rng.standard_normal((n, h, w, c))
    rows = rng.uniform(-reach * h, (reach + 1) * h, (n, 3, 1 if separable else 6))
    columns = rng.uniform(-reach * w, (reach + 1) * w, (n, 1 if separable else 3, 6))
    rows[0, 0, 0], columns[0, 0, 0] = 2, 3  # whole numbers too
    warp = Warp(rows, columns, (h, w), interpolation, fill_mode, 7.0)
    y = np.full((n, 3, 6, c), np.nan)
    warp.forward(x, y)
    rows, columns = np.broadcast_arrays(rows, columns)
    for at in np.ndindex(n, 3, 6):
        expected = slow_warp(x[at[0]], rows[at], columns[at], interpolation, fill_mode, 7.0)
        np.testing.assert_allclose(y[at], expected, atol=1e-11)
    dy, dx = rng.standard_normal(y.shape), np.full(x.shape, np.nan)
    warp.gradient(dy, dx)
    other, moved = rng.standard_normal(x.shape), np.empty_like(y)
    warp.forward(x + other, moved)
    assert np.sum(dx * other) == pytest.approx(np.sum(dy * (moved - y)), rel=1e-11)  # the transpose of a linear map


@pytest.mark.parametrize("fill_mode", images.FILL_MODES)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_source_index(fill_mode, size):
    index = np.arange(-3 * size, 4 * size)
    expected = [look_up(list(range(size)), i, fill_mode, -1) for i in index]
    border = int(fill_mode == "constant")
    source = source_index(index, size, fill_mode) - border
    if border:
        source[source == size] = -1
    np.testing.assert_array_equal(source, expected)


def test_affine_coordinates():
    rng = np.random.default_rng(0)
    matrices = rng.standard_normal((3, 8))
    matrices[1, [1, 3]] = 0
    rows, columns = affine_coordinates(matrices, 4, 5)
    for n, y, x in np.ndindex(3, 4, 5):
        a0, a1, a2, b0, b1, b2 = matrices[n, :6]
        assert columns[n, y, x] == pytest.approx(a0 * x + a1 * y + a2)
        assert rows[n, y, x] == pytest.approx(b0 * x + b1 * y + b2)
    separate = affine_coordinates(matrices[1:2], 4, 5)
    assert [a.shape for a in separate] == [(1, 4, 1), (1, 1, 5)]
    np.testing.assert_allclose(np.broadcast_to(separate[0], (1, 4, 5)), rows[1:2], atol=1e-12)
    np.testing.assert_allclose(np.broadcast_to(separate[1], (1, 4, 5)), columns[1:2], atol=1e-12)


def test_threads_and_small_batches_after_large_ones(monkeypatch):
    monkeypatch.setattr(images, "SHARE", 1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7, 6, 5, 2)).astype("float32")
    rows, columns = (rng.uniform(-3, 9, (7, 6, 5)).astype("float32") for _ in range(2))
    dy = rng.standard_normal(x.shape).astype("float32")
    before, results = threads.num_threads(), []
    try:
        for number, n in ((1, 7), (3, 7), (2, 3), (1, 1)):
            threads.set_num_threads(number)
            for fill_mode in ("constant", "reflect"):
                warp = Warp(rows[:n], columns[:n], (6, 5), "bilinear", fill_mode, 2.0)
                y, dx = np.full_like(x[:n], np.nan), np.full_like(x[:n], np.nan)
                warp.forward(x[:n], y)
                warp.gradient(dy[:n], dx)
                results.append((y, dx))
    finally:
        threads.set_num_threads(before)
    for i, (y, dx) in enumerate(results):
        np.testing.assert_array_equal(y, results[i % 2][0][: len(y)])
        np.testing.assert_array_equal(dx, results[i % 2][1][: len(y)])


@pytest.mark.parametrize("fill_mode", images.FILL_MODES)
def test_coordinates_far_away(fill_mode):
    """They need no large tables."""
    x = np.random.default_rng(0).standard_normal((1, 4, 4, 1))
    far = np.full((1, 4, 1), 8e12)
    far[0, :2, 0] = -8e12
    warp = Warp(far, np.arange(4.0)[None, None], (4, 4), "bilinear", fill_mode, 7.0)
    y = np.empty_like(x)
    warp.forward(x, y)
    expected = {"constant": np.full_like(x, 7.0), "nearest": x[:, [0, 0, 3, 3]]}.get(fill_mode, x[:, [0, 0, 0, 0]])
    np.testing.assert_array_equal(y, expected)
