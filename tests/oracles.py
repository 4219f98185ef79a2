"""Slow and simple: convolution and pooling window by window, as their definitions say.

Arrays are (batch, *spatial, channels); any number of spatial axes.
"""

import itertools
import math

import numpy as np


def geometry(input_size, size, strides, padding, dilation):
    """Return ((number of windows, padding before), ...), an axis each, as TensorFlow documents it."""
    axes = []
    for n, k, s, d in zip(input_size, size, strides, dilation):
        extent = (k - 1) * d + 1
        if padding == "valid":
            axes.append((math.ceil((n - extent + 1) / s), 0))
        elif padding == "causal":
            axes.append((math.ceil(n / s), extent - 1))
        else:
            windows = math.ceil(n / s)
            axes.append((windows, max((windows - 1) * s + extent - n, 0) // 2))
    return axes


def windows(input_size, size, strides, padding="valid", dilation=None):
    """Yield (window, place within it, pixel) wherever a place of a window lies within the image, row by row."""
    dilation = dilation or (1,) * len(size)
    axes = geometry(input_size, size, strides, padding, dilation)
    for window in itertools.product(*(range(number) for number, _ in axes)):
        for place in itertools.product(*(range(k) for k in size)):
            pixel = [o * s + k * d - before for o, k, s, d, (_, before) in zip(window, place, strides, dilation, axes)]
            if all(0 <= p < n for p, n in zip(pixel, input_size)):
                yield window, place, tuple(pixel)


def output_size(input_size, size, strides, padding="valid", dilation=None):
    return tuple(number for number, _ in geometry(input_size, size, strides, padding, dilation or (1,) * len(size)))


def convolution(x, kernel, dy, strides, padding="valid", dilation=None, groups=1):
    """Return (y, dx, dkernel); ``dy`` is a function of y's shape."""
    *size, _, filters = kernel.shape
    input_size = x.shape[1:-1]
    y = np.zeros((len(x), *output_size(input_size, size, strides, padding, dilation), filters))
    dy = dy(y.shape)
    dx, dkernel = np.zeros(x.shape), np.zeros(kernel.shape)
    ins = np.split(np.arange(x.shape[-1]), groups)
    outs = np.split(np.arange(filters), groups)
    for window, place, pixel in windows(input_size, size, strides, padding, dilation):
        for i, o in zip(ins, outs):
            a, b = (slice(None), *pixel, i), (slice(None), *window, o)
            w = kernel[place][:, o]
            y[b] += x[a] @ w
            dx[a] += dy[b] @ w.T
            dkernel[place][:, o] += x[a].T @ dy[b]
    return y, dx, dkernel


def depthwise(x, kernel, dy, strides, padding="valid", dilation=None):
    """Return (y, dx, dkernel): a group of a convolution for each channel."""
    *size, channels, multiplier = kernel.shape
    grouped = kernel.reshape(*size, 1, channels * multiplier)
    y, dx, dkernel = convolution(x, grouped, dy, strides, padding, dilation, channels)
    return y, dx, dkernel.reshape(kernel.shape)


def transposed_convolution(x, kernel, dy, strides, padding="valid", dilation=None, output_padding=None):
    """Return (y, dx, dkernel): each pixel of ``x`` becomes a window, windows are added up, and the borders cut.

    As Keras does it with JAX: zeros between the pixels, strides - 1 of them, and at both ends as the padding says.
    """
    *size, filters, channels = kernel.shape
    dilation = dilation or (1,) * len(size)
    ends = []
    for k, s, d, extra in zip(size, strides, dilation, output_padding or (None,) * len(size)):
        extent = (k - 1) * d + 1
        if padding == "valid":
            ends.append((extent - 1, extent - 1 + (max(extent, s) - extent if extra is None else extra)))
        else:
            total = s + extent - 2 if extra is None else extent + extent % 2 - 2 + extra
            left = min(math.ceil(total / 2), extent - 1)
            ends.append((left, total - left))
    spread = [[left + i * s for i in range(n)] for (left, _), n, s in zip(ends, x.shape[1:-1], strides)]
    sizes = [(n - 1) * s + 1 + sum(end) for end, n, s in zip(ends, x.shape[1:-1], strides)]
    wide = np.zeros((len(x), *sizes, channels))
    where = np.ix_(range(len(x)), *spread, range(channels))
    wide[where] = x
    flipped = np.flip(kernel, axis=range(len(size))).swapaxes(-1, -2)
    y, dwide, dflipped = convolution(wide, flipped, dy, (1,) * len(size), "valid", dilation)
    return y, dwide[where], np.flip(dflipped.swapaxes(-1, -2), axis=range(len(size)))


def pooling(kind, x, dy, size, strides, padding="valid"):
    """Return (y, dx) of ``"max"`` (the first of equal ones gets the gradient) or ``"average"`` pooling."""
    members = {}
    for window, _, pixel in windows(x.shape[1:-1], size, strides, padding):
        members.setdefault(window, []).append(pixel)
    y = np.zeros((len(x), *output_size(x.shape[1:-1], size, strides, padding), x.shape[-1]))
    dy = dy(y.shape)
    dx = np.zeros(x.shape)
    for window, pixels in members.items():
        for row, channel in itertools.product(range(len(x)), range(x.shape[-1])):
            values = [x[(row, *pixel, channel)] for pixel in pixels]
            here = (row, *window, channel)
            if kind == "average":
                y[here] = sum(values) / len(values)
                for pixel in pixels:
                    dx[(row, *pixel, channel)] += dy[here] / len(values)
            else:
                first = values.index(max(values))
                y[here] = values[first]
                dx[(row, *pixels[first], channel)] += dy[here]
    return y, dx
