"""Pooling along one axis after the other, for any number of spatial axes.

The largest of a window is the largest of its rows' largest, and its sum the sum of its rows' sums: so a window of
k x k costs 2k operations in place of k^2, and one-, two- and three-dimensional pooling are the same few lines. Padding
needs no border: each place in the window meets only those outputs for which it lies within the image.

Arrays are (batch, *spatial, channels).
"""

import numpy as np


def max_pool(x, window, buffer):
    """Return the stages [x, ..., y], each pooled along one axis more.

    Columns come before rows, so that `max_pool_gradient` finds the first largest element in row-major order.
    """
    stages = [x]
    for axis in reversed(range(len(window.size))):
        y = buffer(f"stage {axis}", _pooled_shape(stages[-1], window, axis))
        _combine(np.maximum, stages[-1], window, axis, y, -np.inf)
        stages.append(y)
    return stages


def max_pool_gradient(dy, stages, window, buffer):
    """Return dL/dx: each window's gradient goes to its first largest element."""
    for axis in range(len(window.size)):
        y, x = stages.pop(), stages[-1]
        dx = buffer(f"dstage {axis}", x.shape)
        if not _is_disjoint(window, axis):
            dx[...] = 0
        rest = dy  # what has found no place yet; may be overwritten
        *places, last = _places(x.shape, window, axis)
        for inputs, outputs in places:
            routed = rest[outputs] * (x[inputs] == y[outputs])
            rest[outputs] -= routed
            _put(dx, inputs, routed, window, axis)
        _put(dx, last[0], rest[last[1]], window, axis)
        dy = dx
    return dy


def average_pool(x, window, buffer):
    """Return the mean of each window, over those of its places that lie within the image."""
    for axis in range(len(window.size)):
        y = buffer(f"stage {axis}", _pooled_shape(x, window, axis))
        _combine(np.add, x, window, axis, y, 0)
        x = y
    return _divide_by_counts(x, window)


def average_pool_gradient(dy, x_shape, window, buffer):
    """Return dL/dx: each element gets its share of every window it lies in. ``dy`` is overwritten."""
    dy = _divide_by_counts(dy, window)
    for axis in reversed(range(len(window.size))):
        shape = list(dy.shape)
        shape[axis + 1] = x_shape[axis + 1]
        dx = buffer(f"dstage {axis}", tuple(shape))
        if not _is_disjoint(window, axis):
            dx[...] = 0
        for inputs, outputs in _places(dx.shape, window, axis):
            _put(dx, inputs, dy[outputs], window, axis)
        dy = dx
    return dy


def _pooled_shape(x, window, axis):
    shape = list(x.shape)
    shape[axis + 1] = window.output_size[axis]
    return tuple(shape)


def _combine(operation, x, window, axis, out, neutral):
    """Write operation(x at the first place, ..., x at the last place) of each window into ``out``."""
    first, *places = _places(x.shape, window, axis)
    if window.before[axis] or window.after[axis]:
        out[...] = neutral
        places.insert(0, first)
    elif not places:
        np.copyto(out, x[first[0]])
    else:
        operation(x[first[0]], x[places.pop(0)[0]], out=out)
    for inputs, outputs in places:
        operation(out[outputs], x[inputs], out=out[outputs])


def _places(x_shape, window, axis):
    """For each place in the window: the slices of the inputs and of the outputs that meet there."""
    n, size, stride = x_shape[axis + 1], window.size[axis], window.strides[axis]
    before, windows = window.before[axis], window.output_size[axis]
    pairs = []
    for place in range(size):
        shift = place - before  # window o meets input o * stride + shift
        start = max(0, -(shift // stride)) if shift < 0 else 0
        stop = min(windows, (n - 1 - shift) // stride + 1)
        inputs = slice(start * stride + shift, (stop - 1) * stride + shift + 1, stride) if stop > start else slice(0, 0)
        outputs = slice(start, max(start, stop))
        everything = (slice(None),) * (axis + 1)
        pairs.append(((*everything, inputs), (*everything, outputs)))
    return pairs


def _is_disjoint(window, axis):
    """Whether every input belongs to exactly one window, so that gradients are written and not added up."""
    covers = window.output_size[axis] * window.strides[axis] == window.input_size[axis]
    return covers and window.strides[axis] == window.size[axis]


def _put(dx, inputs, gradient, window, axis):
    if _is_disjoint(window, axis):
        dx[inputs] = gradient
    else:
        dx[inputs] += gradient


def _divide_by_counts(y, window):
    """Divide, in place, by the number of places of each window that lie within the image."""
    if not window.is_padded:
        y *= 1 / np.prod(window.size)
        return y
    for axis, (n, windows) in enumerate(zip(window.input_size, window.output_size)):
        counts = np.zeros(windows, y.dtype)
        for _, outputs in _places((1,) * (axis + 1) + (n,), window, axis):
            counts[outputs[-1]] += 1
        y /= counts.reshape((-1,) + (1,) * (y.ndim - axis - 2))
    return y
