"""Pooling along one axis after the other, for any number of spatial axes.

The largest of a window is the largest of its rows' largest, and its sum the sum of its rows' sums: so a window of
k x k costs 2k operations in place of k^2, and one-, two- and three-dimensional pooling are the same few lines. Padding
needs no border: each place in the window meets only those outputs for which it lies within the image.

Arrays are (batch, *spatial, channels).
"""

import functools
import math

import numpy as np

from minikeras.kernels.scratch import scratch


class AdaptiveWindow:
    """Windows that cut each axis of ``input_size`` into ``output_size`` parts, window o being the pixels from
    floor(o input / output) to ceil((o + 1) input / output): they differ in size, and neighbours may share a pixel."""

    is_padded = True  # in effect: not all of them hold equally many pixels

    def __init__(self, input_size, output_size):
        self.input_size, self.output_size = input_size, output_size


make_adaptive_window = functools.lru_cache(maxsize=1024)(AdaptiveWindow)


def max_pool(x, window, buffer, smallest=False):
    """Return the stages [x, ..., y], each pooled along one axis more; ``smallest``: of the smallest elements.

    Columns come before rows, so that `max_pool_gradient` finds the first largest element in row-major order.
    """
    operation, neutral = (np.minimum, np.inf) if smallest else (np.maximum, -np.inf)
    stages = [x]
    for axis in reversed(range(len(window.output_size))):
        stages.append(_along(window, axis).combine(operation, stages[-1], neutral, buffer))
    return stages


def max_pool_gradient(dy, stages, window, buffer):
    """Return dL/dx: each window's gradient goes to its first largest (smallest) element. ``dy`` is overwritten."""
    for axis in range(len(window.output_size)):
        y, x = stages.pop(), stages[-1]
        along = _along(window, axis)
        dx = along.start_gradient(x.shape, buffer)
        *places, (last_inputs, last_outputs) = along.places
        for inputs, outputs in places:
            part = dy[outputs]
            is_largest = np.equal(x[inputs], y[outputs], out=scratch("is largest", part.shape, bool))
            routed = np.multiply(part, is_largest, out=scratch("routed", part.shape, part.dtype))
            dy[outputs] -= routed  # what is left has found no place yet
            along.add(dx, inputs, routed)
        along.add(dx, last_inputs, dy[last_outputs])
        dy = dx
    return dy


def average_pool(x, window, buffer):
    """Return the mean of each window, over those of its places that lie within the image."""
    for axis in range(len(window.output_size)):
        x = _along(window, axis).combine(np.add, x, 0, buffer)
    x *= _one_over_counts(window, x.dtype)
    return x


def average_pool_gradient(dy, x_shape, window, buffer):
    """Return dL/dx: each element gets its share of every window it lies in. ``dy`` is overwritten."""
    dy *= _one_over_counts(window, dy.dtype)
    for axis in reversed(range(len(window.output_size))):
        along = _along(window, axis)
        dx = along.start_gradient((*dy.shape[: axis + 1], x_shape[axis + 1], *dy.shape[axis + 2 :]), buffer)
        for inputs, outputs in along.places:
            along.add(dx, inputs, dy[outputs])
        dy = dx
    return dy


class _Along:
    """How a window moves along one spatial axis.

    Attributes:
        places: for each place in the window, the slices of the inputs and of the outputs that meet there.
        is_full: whether every place of every window lies within the image.
        is_disjoint: whether every input belongs to exactly one window, so that gradients are written and not added up.
    """

    def __init__(self, window, axis):
        self.axis, self.windows = axis, window.output_size[axis]
        places = _adaptive_places if isinstance(window, AdaptiveWindow) else _places
        self.is_full, self.is_disjoint, pairs = places(window, axis)
        everything = (slice(None),) * (axis + 1)
        self.places = [((*everything, inputs), (*everything, outputs)) for inputs, outputs in pairs]

    def combine(self, operation, x, neutral, buffer):
        """Return operation(x at the first place, ..., x at the last place) of each window."""
        shape = (*x.shape[: self.axis + 1], self.windows, *x.shape[self.axis + 2 :])
        y = buffer(f"stage {self.axis}", shape)
        places = self.places
        if not self.is_full:
            y[...] = neutral
        elif len(places) == 1:
            np.copyto(y, x[places[0][0]])
            places = ()
        else:
            operation(x[places[0][0]], x[places[1][0]], out=y)
            places = places[2:]
        for inputs, outputs in places:
            operation(y[outputs], x[inputs], out=y[outputs])
        return y

    def start_gradient(self, shape, buffer):
        dx = buffer(f"dstage {self.axis}", shape)
        if not self.is_disjoint:
            dx[...] = 0
        return dx

    def add(self, dx, inputs, gradient):
        if self.is_disjoint:
            dx[inputs] = gradient
        else:
            dx[inputs] += gradient


def _places(window, axis):
    """Return (is_full, is_disjoint, pairs of slices) of windows that are all of one size, as `_Along` has them."""
    n, size, stride = window.input_size[axis], window.size[axis], window.strides[axis]
    windows = window.output_size[axis]
    pairs = []
    for place in range(size):
        shift = place - window.before[axis]  # window o meets input o * stride + shift
        start = max(0, -(shift // stride)) if shift < 0 else 0
        stop = max(start, min(windows, (n - 1 - shift) // stride + 1))
        reach = (stop - 1) * stride + shift + 1 if stop > start else 0
        inputs = slice(start * stride + shift, reach, stride) if stop > start else slice(0, 0)
        pairs.append((inputs, slice(start, stop)))
    is_full = not window.before[axis] and not window.after[axis]
    return is_full, stride == size and windows * stride == n, pairs


def _adaptive_places(window, axis):
    """As `_places`. Sizes repeat: every ``period`` windows the pattern starts again, ``stride`` inputs further."""
    n, windows = window.input_size[axis], window.output_size[axis]
    period, stride = windows // math.gcd(n, windows), n // math.gcd(n, windows)
    pairs = []
    for first in range(period):
        outputs = slice(first, windows, period)
        start, stop = first * n // windows, -(-(first + 1) * n // windows)
        pairs += [(slice(place, n, stride), outputs) for place in range(start, stop)]
    return period == 1, period == 1, pairs


_along = functools.lru_cache(maxsize=1024)(_Along)  # the same few windows come again in each step


@functools.lru_cache(maxsize=1024)
def _one_over_counts(window, dtype):
    """One over the number of places of each window that lie within the image: a number, or (\\*output_size, 1)."""
    if not window.is_padded:
        return 1 / math.prod(window.size)
    counts = np.ones((), dtype)
    for axis, windows in enumerate(window.output_size):
        inside = np.zeros(windows, dtype)
        for _, outputs in _along(window, axis).places:
            inside[outputs[-1]] += 1
        counts = counts[..., None] * inside
    return 1 / counts[..., None]
