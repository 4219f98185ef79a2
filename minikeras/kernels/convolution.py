"""Convolution as matrix products (im2col), for any number of spatial axes, strides, dilations and groups.

Arrays are (batch, *spatial, channels). Each window of the padded images is copied into a row, so that

    y = columns @ kernel        columns (batch * windows, places * channels), kernel (places * channels, filters)

and its two derivatives are matrix products as well:

    dkernel = columns^T @ dy
    dx      = windows of dy @ flipped kernel                   (stride 1: once more a convolution)
            = dy @ kernel^T, added up where windows overlap    (any stride; fewer products if windows are few)

(Chellapilla, Puri and Simard 2006.) The batch is cut into tiles of a few images whose columns fit in cache. Unless they
are small they are gathered again in the backward pass, which is cheaper than keeping them.
"""

import math

import numpy as np

from minikeras.kernels.scratch import bordered, scratch
from minikeras.kernels.window import pad, positions, view

TILE_BYTES = 1 << 21  # of columns at a time: larger tiles leave the cache, smaller ones make thin products


def kept_shape(x, filters, window, groups=1):
    """Return the shape of the columns if they are hardly larger than the outputs, so that they should be kept from the
    forward to the backward pass; else None."""
    width = _block_width(window, filters, groups)
    wide = window.block(width)
    if groups > 1 or math.prod(wide.size) * x.shape[-1] > 2 * width * filters:
        return None
    return (len(x), *wide.output_size, *wide.size, x.shape[-1])


def forward(x, kernel, window, out, groups=1, finish=None, kept=None):
    """Write the convolution of ``x`` with ``kernel`` into ``out``.

    Args:
        x: (batch, *window.input_size, channels).
        kernel: (*window.size, channels / groups, filters).
        out: (batch, *window.output_size, filters), C-contiguous.
        finish: called with each tile of ``out`` while it is in cache: bias and activation.
        kept: where the columns are left for `kernel_gradient`, an array of `kept_shape`.
    """
    width = _block_width(window, kernel.shape[-1], groups)
    wide = window.block(width)
    matrices = _matrices(_widen(kernel, window, width), groups)
    for tile in _tiles(x, wide):
        y = out[tile]
        _multiply(_columns(x[tile], wide, groups, None if kept is None else kept[tile]), matrices, y)
        if finish is not None:
            finish(tile, y)


def kernel_gradient(x, dy, window, out, groups=1, kept=None):
    """Write dL/dkernel into ``out``, given dL/dy, and the columns if `forward` has ``kept`` them."""
    width = _block_width(window, out.shape[-1], groups)
    wide = window.block(width)
    filters = width * out.shape[-1] // groups
    shape = (groups, math.prod(wide.size) * out.shape[-2], filters)
    total = scratch("dkernel", shape, out.dtype)
    part = scratch("dkernel part", shape, out.dtype)
    for i, tile in enumerate(_tiles(x, wide)):
        if kept is None:
            columns = _columns(x[tile], wide, groups)
        else:
            columns = kept[tile].reshape(1, -1, shape[1])
        np.matmul(columns.transpose(0, 2, 1), _by_group(dy[tile], groups, filters), out=part if i else total)
        if i:
            total += part
    if width > 1:
        _narrow(total, window, out)
    else:
        np.copyto(out.reshape(-1, groups, filters), total.transpose(1, 0, 2))


def input_gradient(dy, kernel, window, out, groups=1, finish=None):
    """Write dL/dx into ``out`` (batch, *window.input_size, channels), given dL/dy.

    This is what a transposed convolution computes, whose ``finish`` is that of `forward`.
    """
    outputs, inputs = math.prod(window.output_size), math.prod(window.input_size)
    if all(s == 1 for s in window.strides) and outputs > 0.6 * inputs:
        forward(dy, _flipped(kernel, groups), window.adjoint, out, groups, finish)
    else:
        _scatter(dy, kernel, window, out, groups, finish)


def _block_width(window, filters, groups, columns=24):
    """How many neighbouring windows along the last axis are computed as one.

    A matrix product with few ``columns`` is slow. ``width`` neighbours share one longer window, and the kernel
    becomes a banded matrix with a shifted copy for each of them. Where plain im2col copies ``size`` numbers a window,
    this copies (width + size - 1) / width, and the product has ``width * filters`` columns; for that the arithmetic
    grows by (width + size - 1) / size, the band's zeros.
    """
    size, n = window.size[-1], window.output_size[-1]
    if groups > 1 or window.dilation[-1] > 1 or size == 1:
        return 1
    width = 1
    for candidate in range(2, min(n, 3 * size // 2 + 1) + 1):
        if width * filters >= columns:
            break
        if n % candidate == 0:
            width = candidate
    return width


def _widen(kernel, window, width):
    """(*size, channels, filters) -> (*block size, channels, width * filters): kernel shifted for each neighbour."""
    if width == 1:
        return kernel
    *size, k, channels, filters = kernel.shape
    step = window.strides[-1]
    wide = np.zeros((*size, (width - 1) * step + k, channels, width, filters), kernel.dtype)
    for i in range(width):
        wide[..., i * step : i * step + k, :, i, :] = kernel
    return wide.reshape(*wide.shape[:-2], width * filters)


def _narrow(dwide, window, out):
    """The transpose of `_widen`: add the gradients of the shifted copies up."""
    *size, k, channels, filters = out.shape
    step = window.strides[-1]
    width = dwide.shape[-1] // filters
    dwide = dwide.reshape(*size, -1, channels, width, filters)
    np.copyto(out, dwide[..., :k, :, 0, :])
    for i in range(1, width):
        out += dwide[..., i * step : i * step + k, :, i, :]


def _scatter(dy, kernel, window, out, groups, finish):
    """y = columns @ kernel read backwards: each window's gradient is added where the window was taken from."""
    width = _block_width(window, kernel.shape[-1], groups, columns=48)
    wide = window.block(width)
    matrices = _matrices(_widen(kernel, window, width), groups).transpose(0, 2, 1)
    channels, filters = kernel.shape[-2], width * kernel.shape[-1] // groups
    reach = (wide.size[-1] - 1) * wide.dilation[-1] + 1
    inside = tuple(slice(b, b + n) for b, n in zip(window.before, window.input_size))
    lead = len(wide.size) - 1  # spatial axes but the last
    for tile in _tiles(out, wide):
        images = len(dy[tile])
        columns = scratch("columns", (groups, images, *wide.output_size, *wide.size, channels), dy.dtype)
        product = columns.reshape(groups, -1, math.prod(wide.size) * channels)
        np.matmul(_by_group(dy[tile], groups, filters), matrices, out=product)
        # (\*places, windows of the last axis, images, \*other windows, reach, groups, channels)
        axes = (*range(lead + 3, 2 * lead + 3), lead + 2, *range(1, lead + 2), 2 * lead + 3, 0, 2 * lead + 4)
        columns = columns.transpose(axes)
        padded = scratch("sums", (images, *window.padded_size, groups, channels), dy.dtype)
        padded[...] = 0
        for place, where in positions(wide):
            for block, part in enumerate(columns[place]):
                start = block * wide.strides[-1]
                target = padded[(slice(None), *where, slice(start, start + reach, wide.dilation[-1]))]
                target += part
        np.copyto(out[tile], padded[(slice(None), *inside)].reshape(out[tile].shape))
        if finish is not None:
            finish(tile, out[tile])


def _tiles(x, window):
    """Cut the batch into slices of a few images."""
    row = math.prod(window.output_size) * math.prod(window.size) * x.shape[-1] * x.itemsize
    images = max(1, TILE_BYTES // max(row, 1))
    return [slice(i, min(i + images, len(x))) for i in range(0, len(x), images)]


def _columns(x, window, groups, out=None):
    """Copy each window into a row: (groups, images * windows, places * channels)."""
    if window.is_padded:
        shape = (len(x), *window.padded_size, x.shape[-1])
        x = pad(x, window, bordered(shape, (window.before, window.input_size), x.dtype))
    elif not x.flags.c_contiguous:
        x = np.ascontiguousarray(x)
    windows = view(x, window)
    rows = len(x) * math.prod(window.output_size)
    if groups == 1 and out is None and windows.flags.c_contiguous:  # one place, stride 1: each pixel is its own window
        return windows.reshape(1, rows, -1)
    *shape, channels = windows.shape
    if groups == 1:
        columns = scratch("columns", windows.shape, x.dtype) if out is None else out
        np.copyto(columns, windows)
    else:
        columns = scratch("columns", (groups, *shape, channels // groups), x.dtype)
        for group, part in enumerate(columns):
            np.copyto(part, windows[..., group * channels // groups : (group + 1) * channels // groups])
    return columns.reshape(groups, rows, -1)


def _multiply(columns, matrices, out):
    """Write columns @ matrices, group by group, into ``out`` (images, *windows, filters)."""
    groups, _, filters = matrices.shape
    if groups == 1:
        np.matmul(columns[0], matrices[0], out=out.reshape(-1, filters))
    else:
        product = scratch("product", (groups, columns.shape[1], filters), out.dtype)
        np.matmul(columns, matrices, out=product)
        np.copyto(out.reshape(-1, groups, filters), product.transpose(1, 0, 2))


def _matrices(kernel, groups):
    """(*size, channels / groups, filters) -> (groups, places * channels / groups, filters / groups)."""
    return kernel.reshape(-1, groups, kernel.shape[-1] // groups).transpose(1, 0, 2)


def _by_group(y, groups, filters):
    """(images, *windows, filters) -> (groups, images * windows, filters)."""
    return y.reshape(-1, groups, filters).transpose(1, 0, 2)


def _flipped(kernel, groups):
    """(*size, channels / groups, filters) -> (*size, filters / groups, channels), each spatial axis reversed."""
    *size, channels, filters = kernel.shape
    flipped = kernel[(slice(None, None, -1),) * len(size)].reshape(*size, channels, groups, filters // groups)
    axes = tuple(range(len(size)))
    n = len(size)
    return np.ascontiguousarray(flipped.transpose(*axes, n + 2, n + 1, n)).reshape(*size, filters // groups, -1)
