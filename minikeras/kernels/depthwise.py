"""Depthwise convolution: each channel with kernels of its own, for any number of spatial axes, strides and dilations.

Arrays are (batch, *spatial, channels), kernels (*size, channels, multiplier), outputs (batch, *windows, channels *
multiplier). There is no matrix product in it: each place of the window multiplies a shifted image,

    y[b, i, c] = sum over places k of x[b, i s + k d, c] kernel[k, c]

The innermost loops run over whole rows, (width, channels) as one axis, against kernels repeated along the row: a few
channels at a time would be many times slower. A row holds the columns that one phase of the last axis' stride meets,
so that neighbours in a row are neighbours in the outputs. A multiplier repeats the channels of the images.
"""

import math

import numpy as np

from minikeras.kernels.scratch import bordered, scratch

TILE_BYTES = 1 << 20  # of padded images at a time
ROW = 2048  # numbers of a row that are computed at once; their sums stay in the innermost cache


def forward(x, kernel, window, out, finish=None):
    """Write the depthwise convolution of ``x`` with ``kernel`` into ``out``.

    Args:
        x: (batch, *window.input_size, channels).
        kernel: (*window.size, channels, multiplier).
        out: (batch, *window.output_size, channels * multiplier), C-contiguous.
        finish: called with each tile of ``out`` while it is in cache: bias and activation.
    """
    rows = _repeated(kernel, window)
    for tile in _tiles(x, window, kernel.shape[-1]):
        _correlate(_split(x[tile], window, kernel.shape[-1]), rows, window, out[tile])
        if finish is not None:
            finish(tile, out[tile])


def kernel_gradient(x, dy, window, out):
    """Write dL/dkernel into ``out``, given dL/dy, C-contiguous."""
    multiplier = out.shape[-1]
    channels = dy.shape[-1]
    width = _row_width(window, channels, 4 * ROW)  # one row at a time, not one for each place of the window
    total = scratch("depthwise dkernel", (*window.size, width * channels), out.dtype)
    total[...] = 0
    axes = list(range(len(window.size) + 1))  # images, windows along all axes but the last, rows
    for tile in _tiles(x, window, multiplier):
        lines = _rows(dy[tile])
        for places, windows in _windows(_split(x[tile], window, multiplier), window):
            for columns in _columns(lines, width * channels):
                dy_part, x_part = lines[..., columns], windows[..., columns]
                sums = scratch("depthwise row", dy_part.shape[-1:], out.dtype)
                for place in np.ndindex(*windows.shape[len(axes) - 1 : -1]):
                    x_place = x_part[(slice(None),) * (len(axes) - 1) + place]
                    np.einsum(x_place, axes, dy_part, axes, axes[-1:], out=sums)
                    where = total[places][place]
                    where[: len(sums)] += sums
    total = total.reshape(*window.size, width, channels)
    np.sum(total, axis=-2, out=out.reshape(*window.size, channels))


def input_gradient(dy, kernel, window, out):
    """Write dL/dx into ``out`` (batch, *window.input_size, channels), given dL/dy, C-contiguous."""
    multiplier = kernel.shape[-1]
    overlap = all(s == 1 for s in window.strides)
    if overlap:
        window = window.adjoint
        kernel = kernel[(slice(None, None, -1),) * len(window.size)]
    rows = _repeated(kernel.reshape(*window.size, -1, 1), window)
    for tile in _tiles(dy if overlap else out, window, 1 if overlap else multiplier):
        if not overlap:
            _scatter(dy[tile], rows, window, out[tile], multiplier)
        elif multiplier == 1:
            _correlate(_split(dy[tile], window), rows, window, out[tile])
        else:
            shape = (*out[tile].shape[:-1], dy.shape[-1])
            sums = scratch("depthwise sums", shape, out.dtype)
            _correlate(_split(dy[tile], window), rows, window, sums)
            _add_up(sums, multiplier, out[tile])


def _correlate(split, rows, window, out):
    """Write the sums over all places of the windows of one tile into ``out``."""
    lines = _rows(out)
    rank = len(window.size)
    images, places, row = list(range(rank)), list(range(rank, 2 * rank)), [2 * rank]
    for i, (part, windows) in enumerate(_windows(split, window)):
        for columns in _columns(lines, rows.shape[-1]):
            target = lines[..., columns]
            sums = scratch("depthwise part", target.shape, out.dtype) if i else target
            kernel = rows[part][..., : target.shape[-1]]
            np.einsum(windows[..., columns], images + places + row, kernel, places + row, images + row, out=sums)
            if i:
                target += sums


def _scatter(dy, rows, window, out, multiplier):
    """The windows read backwards: each one's gradient is added where the window was taken from."""
    lines = _rows(dy)
    rank = len(window.size)
    split = scratch("depthwise scatter", _split_shape(out, window, multiplier), out.dtype)
    split[...] = 0
    for part, windows in _windows(split, window):
        for columns in _columns(lines, rows.shape[-1]):
            dy_part, targets = lines[..., columns], windows[..., columns]
            product = scratch("depthwise part", dy_part.shape, out.dtype)
            for place in np.ndindex(*windows.shape[rank:-1]):
                np.multiply(dy_part, rows[part][place][: dy_part.shape[-1]], out=product)
                target = targets[(slice(None),) * rank + place]
                target += product
    for inside, pixels in _phases(window):
        _add_up(split[inside], multiplier, out[pixels])


def _split(x, window, multiplier=1):
    """Return the padded images with the last axis cut into the phases of its stride, and channels repeated:
    (images, *padded_size but the last, phases, columns, channels * multiplier)."""
    shape = _split_shape(x, window, multiplier)
    if window.strides[-1] == multiplier == 1 and not window.is_padded and x.flags.c_contiguous:
        return x.reshape(shape)
    split = bordered(shape, (window.before, window.input_size), x.dtype)
    repeated = split.reshape(*shape[:-1], -1, multiplier)
    for inside, pixels in _phases(window):
        repeated[inside] = x[pixels][..., None]
    return split


def _split_shape(x, window, multiplier):
    *lead, last = window.padded_size
    step = window.strides[-1]
    return (len(x), *lead, step, -(-last // step), x.shape[-1] * multiplier)


def _phases(window):
    """Yield (where in the split images, which pixels of the images) for each phase that has pixels."""
    lead = tuple(slice(b, b + n) for b, n in zip(window.before[:-1], window.input_size[:-1]))
    before, last, step = window.before[-1], window.input_size[-1], window.strides[-1]
    for phase in range(step):
        start = (phase - before) % step
        if start < last:
            first = (start + before) // step
            columns = slice(first, first + len(range(start, last, step)))
            yield (slice(None), *lead, phase, columns), (..., slice(start, None, step), slice(None))


def _windows(split, window):
    """Yield (places, the windows' pixels there), as views (images, *windows but of the last axis, *places, row).

    Places along the last axis that meet the same phase of the stride come together, every so many of them.
    """
    step, dilation, size = window.strides[-1], window.dilation[-1], window.size[-1]
    images, *lead, phase, column, number = split.strides
    steps = [s * stride for s, stride in zip(window.strides, lead)]
    places = [d * stride for d, stride in zip(window.dilation, lead)]
    period = step // math.gcd(step, dilation)
    for first in range(min(period, size)):
        part = (..., slice(first, None, period), slice(None))
        shape = (len(split), *window.output_size[:-1], *window.size[:-1], len(range(first, size, period)))
        row = window.output_size[-1] * split.shape[-1]
        offset = first * dilation % step * phase + first * dilation // step * column
        strides = (images, *steps, *places, period * dilation // step * column, number)
        yield part, np.ndarray((*shape, row), split.dtype, split, offset, strides)


def _tiles(x, window, multiplier):
    """Cut the batch into slices of a few images."""
    row = math.prod(window.padded_size) * x.shape[-1] * multiplier * x.itemsize
    images = max(1, TILE_BYTES // max(row, 1))
    return [slice(i, min(i + images, len(x))) for i in range(0, len(x), images)]


def _repeated(kernel, window):
    """(*size, channels, multiplier) -> (*size, row): the kernel once for each column of a row."""
    *size, channels, multiplier = kernel.shape
    channels *= multiplier
    width = _row_width(window, channels)
    rows = scratch("depthwise kernel", (*size, width, channels), kernel.dtype)
    rows[...] = kernel.reshape(*size, 1, channels)
    return rows.reshape(*size, width * channels)


def _row_width(window, channels, row=ROW):
    return min(window.output_size[-1], max(1, row // channels))


def _rows(y):
    """(images, *windows, channels) -> (images, *windows but of the last axis, row)"""
    return y.reshape(*y.shape[:-2], -1)


def _columns(lines, row):
    return [slice(i, min(i + row, lines.shape[-1])) for i in range(0, lines.shape[-1], row)]


def _add_up(sums, multiplier, out):
    """Write the sums over the copies of each channel into ``out``."""
    copies = sums.reshape(*sums.shape[:-1], -1, multiplier)
    np.copyto(out, copies[..., 0])
    for i in range(1, multiplier):
        out += copies[..., i]
