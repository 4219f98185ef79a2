"""Convolution kernels against the definition, computed window by window."""

import itertools

import numpy as np
import oracles
import pytest
from checks import assert_equal

from minikeras.kernels import convolution
from minikeras.kernels.window import make_transposed_window, make_window, output_size, transposed_output_size


def check(input_size, size, strides, padding, dilation=None, groups=1, batch=2, channels=2, filters=4, dtype="float64"):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *input_size, channels)).astype(dtype)
    kernel = rng.standard_normal((*size, channels // groups, filters)).astype(dtype)
    dys = []

    def draw(shape):
        dys.append(rng.standard_normal(shape).astype(dtype))
        return dys[0]

    y, dx, dkernel = oracles.convolution(x, kernel, draw, strides, padding, dilation, groups)
    window = make_window(input_size, size, strides, padding, dilation)
    assert window.output_size == y.shape[1:-1] == output_size(input_size, size, strides, padding, dilation)
    results = [np.full(a.shape, np.nan, dtype) for a in (y, dx, dkernel)]  # NaN shows what is not written
    seen = []
    convolution.forward(x, kernel, window, results[0], groups, lambda rows, tile: seen.append((rows, len(tile))))
    convolution.input_gradient(dys[0], kernel, window, results[1], groups)
    convolution.kernel_gradient(x, dys[0], window, results[2], groups)
    for name, result, expected in zip(("y", "dx", "dkernel"), results, (y, dx, dkernel)):
        assert_equal(result, expected, 1e-12 if dtype == "float64" else 1e-5, name)
    shape = convolution.kept_shape(x, filters, window, groups)
    if shape is not None:  # once more with the columns kept from the forward to the backward pass
        kept = np.full(shape, np.nan, dtype)
        y, dkernel = (np.full(a.shape, np.nan, dtype) for a in (y, dkernel))
        convolution.forward(x, kernel, window, y, groups, None, kept)
        convolution.kernel_gradient(np.full_like(x, np.nan), dys[0], window, dkernel, groups, kept)
        np.testing.assert_array_equal(y, results[0])
        np.testing.assert_array_equal(dkernel, results[2])
    rows = [i for rows, _ in seen for i in range(batch)[rows]]
    assert rows == list(range(batch)), "finish sees each row once"
    assert all(n == len(range(batch)[rows]) for rows, n in seen)


def fits(input_size, size, dilation, padding):
    return padding == "same" or all((k - 1) * d < n for n, k, d in zip(input_size, size, dilation))


CASES = [
    (n, k, s, padding, d, groups)
    for n, k, s, padding, d, groups in itertools.product(
        (1, 5, 8), (1, 2, 3, 5), (1, 2, 3), ("valid", "same"), (1, 2), (1, 2)
    )
    if (s == 1 or d == 1) and fits((n,), (k,), (d,), padding)
]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_product_of_cases(rank):
    """Every combination; in three dimensions, where the oracle is slow, every ninth."""
    for n, k, s, padding, d, groups in CASES[:: (1, 2, 9)[rank - 1]]:
        last = n + 2 if n > 1 else n  # not square
        size = (min(k, 3),) * (rank - 1) + (k,)
        check((n,) * (rank - 1) + (last,), size, (s,) * rank, padding, (d,) * rank, groups)


@pytest.mark.parametrize("channels, filters", [(1, 1), (1, 3), (3, 1), (1, 6), (6, 6), (2, 30)])
@pytest.mark.parametrize("width, k, s, padding", [
    (12, 3, 1, "same"), (12, 5, 1, "valid"), (9, 2, 2, "same"), (13, 3, 2, "valid"), (7, 7, 1, "same"),
    (11, 5, 3, "same"), (16, 4, 4, "valid"), (14, 2, 5, "valid"), (7, 7, 1, "valid"),
])  # fmt: skip
def test_few_filters(width, k, s, padding, channels, filters):
    """Neighbouring windows are computed as one block, with kernels shifted against each other."""
    check((4, width), (3, k), (1, s), padding, channels=channels, filters=filters)


def test_blocks_are_in_use():
    cases = itertools.product((9, 12, 14), (2, 3, 5, 7), (1, 2), ("same", "valid"), (1, 4, 6))
    widths = {
        convolution._block_width(make_window((4, n), (3, k), (1, s), padding), filters, 1)
        for n, k, s, padding, filters in cases
    }
    assert len(widths) > 3


@pytest.mark.parametrize("size, strides, dilation", [
    ((3, 2), (1, 2), (1, 1)), ((2, 5), (3, 1), (1, 1)), ((3, 3), (1, 1), (1, 3)), ((1, 4), (2, 3), (1, 1)),
    ((4, 1), (1, 1), (2, 1)), ((6, 7), (1, 1), (1, 1)), ((1, 1), (1, 1), (1, 1)), ((1, 1), (2, 2), (1, 1)),
    ((1, 1), (9, 9), (1, 1)),
])  # fmt: skip
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("groups", [1, 4])
def test_unequal_axes(size, strides, dilation, padding, groups):
    if fits((6, 7), size, dilation, padding):
        check((6, 7), size, strides, padding, dilation, groups, channels=4, filters=8)


@pytest.mark.parametrize("channels, filters, groups, strides", [
    (1, 6, 1, 1), (16, 4, 1, 1), (16, 8, 4, 1), (16, 8, 2, 2),
])  # fmt: skip
def test_several_tiles(channels, filters, groups, strides):
    """Batches whose columns do not fit into one tile, with an odd number of images in the last one."""
    batch = 1 + 2 * convolution.TILE_BYTES // (28 * 14 * 25 * 8 * max(channels // strides, 1))
    check((28, 14), (5, 5), (strides, strides), "same", None, groups, batch, channels, filters)


def test_one_image_larger_than_a_tile():
    check((40, 50), (5, 5), (1, 1), "valid", channels=8, filters=3, batch=2)


def test_float32():
    check((9, 10), (3, 3), (1, 1), "same", channels=3, filters=5, dtype="float32")
    check((9, 10), (3, 3), (2, 2), "same", channels=3, filters=5, dtype="float32")


def check_transposed(input_size, size, strides, padding, dilation=None, output_padding=None, batch=2, **sizes):
    """The transpose: its forward pass is an input gradient, its input gradient a forward pass."""
    channels, filters = sizes.get("channels", 2), sizes.get("filters", 3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *input_size, channels))
    kernel = rng.standard_normal((*size, filters, channels))
    dys = []

    def draw(shape):
        dys.append(rng.standard_normal(shape))
        return dys[0]

    y, dx, dkernel = oracles.transposed_convolution(x, kernel, draw, strides, padding, dilation, output_padding)
    window = make_transposed_window(input_size, size, strides, padding, dilation, output_padding)
    assert window.input_size == y.shape[1:-1]
    assert window.output_size == input_size
    arguments = size, strides, padding, dilation, output_padding
    assert transposed_output_size(input_size, *arguments) == y.shape[1:-1]
    assert transposed_output_size((None, *input_size[1:]), *arguments) == (None, *y.shape[2:-1])
    results = [np.full(a.shape, np.nan) for a in (y, dx, dkernel)]
    seen = []

    def finish(rows, tile):
        seen.extend(range(batch)[rows])
        tile += 1

    convolution.input_gradient(x, kernel, window, results[0], finish=finish)
    convolution.forward(dys[0], kernel, window, results[1])
    convolution.kernel_gradient(dys[0], x, window, results[2])
    assert_equal(results[0], y + 1, what="y")
    assert_equal(results[1], dx, what="dx")
    assert_equal(results[2], dkernel, what="dkernel")
    assert seen == list(range(batch)), "finish sees each row once"


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposed_product_of_cases(rank):
    cases = [
        (n, k, s, padding, d, extra)
        for n, k, s, padding, d in itertools.product((1, 4), (1, 2, 3, 4), (1, 2, 3, 5), ("valid", "same"), (1, 2))
        if s == 1 or d == 1
        for extra in (None, *range(s))
    ]
    for n, k, s, padding, d, extra in cases[:: (1, 2, 11)[rank - 1]]:
        size, strides = (min(k, 2),) * (rank - 1) + (k,), (min(s, 2),) * (rank - 1) + (s,)
        extras = None if extra is None else (min(extra, 1) if s > 1 else 0,) * (rank - 1) + (extra,)
        if 0 not in transposed_output_size((n,) * rank, size, strides, padding, (d,) * rank, extras):
            check_transposed((n,) * rank, size, strides, padding, (d,) * rank, extras)


def test_transposed_window_larger_than_its_stride_by_dilation():
    assert transposed_output_size((4,), (3,), (4,), "valid", (2,)) == (17,)
    check_transposed((4,), (3,), (4,), "valid", (2,))


def test_transposed_several_tiles():
    check_transposed((14, 12), (5, 5), (2, 2), "same", batch=1 + 2 * convolution.TILE_BYTES // (28 * 24 * 25 * 8 * 4))
    check_transposed((28, 28), (5, 5), (1, 1), "same", batch=30, filters=8, channels=1)


def test_causal_padding():
    """No output sees a later input."""
    for n, k, s, d in itertools.product((1, 5, 8), (1, 2, 4), (1, 2, 3), (1, 2)):
        if s == 1 or d == 1:
            check((n,), (k,), (s,), "causal", (d,))
    x = np.zeros((1, 8, 1))
    x[0, 5] = 1
    window = make_window((8,), (3,), (1,), "causal", (2,))
    y = np.empty((1, 8, 1))
    convolution.forward(x, np.ones((3, 1, 1)), window, y)
    np.testing.assert_array_equal(y.ravel(), [0, 0, 0, 0, 0, 1, 0, 1])


def test_strided_input():
    """A channels-first batch arrives as a transposed view."""
    rng = np.random.default_rng(0)
    for size in ((3, 3), (1, 1)):
        window = make_window((6, 7), size, (1, 1), "valid")
        kernel = rng.standard_normal((*size, 2, 3))
        x = rng.standard_normal((4, 2, 6, 7)).transpose(0, 2, 3, 1)
        dy = rng.standard_normal((4, *window.output_size, 3))
        results = []
        for images in (x, np.ascontiguousarray(x)):
            y, dkernel = np.empty(dy.shape), np.empty(kernel.shape)
            convolution.forward(images, kernel, window, y)
            convolution.kernel_gradient(images, dy, window, dkernel)
            results.append((y, dkernel))
        for a, b in zip(*results):
            assert_equal(a, b)
