"""Depthwise kernels against the definition, computed window by window."""

import itertools

import numpy as np
import oracles
import pytest
from checks import assert_equal

from minikeras.kernels import depthwise
from minikeras.kernels.window import make_window


def check(input_size, size, strides, padding, dilation=None, multiplier=1, batch=2, channels=2, dtype="float64"):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *input_size, channels)).astype(dtype)
    kernel = rng.standard_normal((*size, channels, multiplier)).astype(dtype)
    dys = []

    def draw(shape):
        dys.append(rng.standard_normal(shape).astype(dtype))
        return dys[0]

    expected = oracles.depthwise(x, kernel, draw, strides, padding, dilation)
    window = make_window(input_size, size, strides, padding, dilation)
    results = [np.full(a.shape, np.nan, dtype) for a in expected]  # NaN shows what is not written
    seen = []
    depthwise.forward(x, kernel, window, results[0], lambda rows, tile: seen.append((rows, len(tile))))
    depthwise.input_gradient(dys[0], kernel, window, results[1])
    depthwise.kernel_gradient(x, dys[0], window, results[2])
    for name, result, right in zip(("y", "dx", "dkernel"), results, expected):
        assert_equal(result, right, 1e-12 if dtype == "float64" else 1e-5, name)
    rows = [i for rows, _ in seen for i in range(batch)[rows]]
    assert rows == list(range(batch)), "finish sees each row once"
    assert all(n == len(range(batch)[rows]) for rows, n in seen)


CASES = [
    (n, k, s, padding, d, multiplier)
    for n, k, s, padding, d, multiplier in itertools.product(
        (1, 5, 8), (1, 2, 3, 5), (1, 2, 3, 4), ("valid", "same", "causal"), (1, 2, 3), (1, 3)
    )
    if padding != "valid" or (k - 1) * d < n
]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_product_of_cases(rank):
    """Every combination; where the oracle is slow, every fifth, every fiftieth."""
    for n, k, s, padding, d, multiplier in CASES[:: (1, 5, 53)[rank - 1]]:
        last = n + 2 if n > 1 else n  # not square
        size = (min(k, 3),) * (rank - 1) + (k,)
        check((n,) * (rank - 1) + (last,), size, (s,) * rank, padding, (d,) * rank, multiplier)


@pytest.mark.parametrize("size, strides, dilation", [
    ((3, 2), (1, 2), (1, 1)), ((2, 5), (3, 1), (1, 1)), ((3, 3), (1, 1), (1, 2)), ((1, 4), (2, 3), (1, 2)),
    ((4, 1), (1, 4), (1, 3)), ((2, 3), (1, 6), (1, 4)), ((2, 3), (2, 4), (1, 2)), ((6, 9), (1, 1), (1, 1)),
])  # fmt: skip
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_unequal_axes(size, strides, dilation, padding, multiplier):
    check((6, 9), size, strides, padding, dilation, multiplier, channels=3)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_rows_longer_than_a_block(strides, multiplier, monkeypatch):
    """Rows are computed a block at a time, the last of which is shorter."""
    monkeypatch.setattr(depthwise, "ROW", 12)
    check((3, 23), (2, 3), (1, strides), "same", None, multiplier, channels=2)
    check((3, 5), (2, 3), (1, strides), "valid", None, multiplier, channels=13)  # less than one pixel fits


@pytest.mark.parametrize("strides", [1, 2])
def test_several_tiles(strides, monkeypatch):
    monkeypatch.setattr(depthwise, "TILE_BYTES", 2 * 8 * 9 * 2 * 8 + 1)
    check((6, 7), (3, 3), (strides, strides), "same", batch=7, multiplier=1)
    check((6, 7), (3, 3), (strides, strides), "same", batch=7, multiplier=2)
    check((6, 7), (3, 3), (strides, strides), "same", batch=3, channels=5)  # an image is larger than a tile


def test_float32():
    check((9, 10), (3, 3), (1, 1), "same", channels=3, dtype="float32")
    check((9, 10), (3, 3), (2, 2), "same", None, 2, channels=5, dtype="float32")


def test_strided_input():
    """A channels-first batch arrives as a transposed view."""
    rng = np.random.default_rng(0)
    for padding, multiplier in (("valid", 1), ("same", 1), ("valid", 2)):
        window = make_window((6, 7), (3, 2), (1, 1), padding)
        kernel = rng.standard_normal((3, 2, 2, multiplier))
        x = rng.standard_normal((4, 2, 6, 7)).transpose(0, 2, 3, 1)
        dy = rng.standard_normal((4, *window.output_size, 2 * multiplier))
        results = []
        for images in (x, np.ascontiguousarray(x)):
            y, dkernel = np.empty(dy.shape), np.empty(kernel.shape)
            depthwise.forward(images, kernel, window, y)
            depthwise.kernel_gradient(images, dy, window, dkernel)
            results.append((y, dkernel))
        for a, b in zip(*results):
            np.testing.assert_array_equal(a, b)


def test_inputs_are_not_changed():
    rng = np.random.default_rng(0)
    for strides in (1, 2):
        window = make_window((6,), (3,), (strides,), "valid")
        x, kernel = rng.standard_normal((2, 6, 2)), rng.standard_normal((3, 2, 1))
        y = np.empty((2, *window.output_size, 2))
        before = x.copy(), kernel.copy()
        depthwise.forward(x, kernel, window, y)
        dy = y.copy()
        depthwise.kernel_gradient(x, dy, window, np.empty_like(kernel))
        depthwise.input_gradient(dy, kernel, window, np.empty_like(x))
        for a, b in zip((x, kernel, dy), (*before, y)):
            np.testing.assert_array_equal(a, b)
