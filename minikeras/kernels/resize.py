"""Resizing: along each axis the new values are weighted sums of the old ones, so a resize is one matrix an axis, and
its gradient the transposed matrices.

Pixel i covers [i, i + 1): the centre of output pixel o lies at (o + 0.5) n_in / n_out in the inputs. Arrays are (batch,
\\*spatial, channels).
"""

import functools
import math

import numpy as np


def _triangle(x):
    return np.maximum(0, 1 - x)


def _cubic(x):
    """Keys 1981, with a = -1/2."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x, radius):
    return np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


KERNELS = {  # the weight of an input pixel at a distance x >= 0
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": functools.partial(_lanczos, radius=3),
    "lanczos5": functools.partial(_lanczos, radius=5),
}
INTERPOLATIONS = ("nearest", "area", *KERNELS)


@functools.lru_cache(maxsize=32)
def matrix(n_in, n_out, interpolation="bilinear", antialias=False):
    """Return the weights (n_out, n_in) of each input in each output, float64 and read-only. Rows sum to 1.

    Args:
        n_in, n_out: sizes of the axis.
        interpolation: one of `INTERPOLATIONS`. ``"area"`` is the mean over what an output pixel covers.
        antialias: widen the kernel when the axis shrinks, so that every input counts. Not for nearest and area.
    """
    if interpolation == "nearest":
        weights = np.zeros((n_out, n_in))
        weights[np.arange(n_out), nearest(n_in, n_out)] = 1
    elif interpolation == "area":
        weights = _area(n_in, n_out)
    else:
        width = max(n_in / n_out, 1) if antialias else 1
        centres = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
        weights = KERNELS[interpolation](np.abs(centres[:, None] - np.arange(n_in)) / width)
        weights /= weights.sum(axis=1, keepdims=True)  # at the edges some of the kernel's places are missing
    weights.flags.writeable = False
    return weights


def nearest(n_in, n_out):
    """Return the index of the input that each output shows."""
    return (2 * np.arange(n_out) + 1) * n_in // (2 * n_out)


def _area(n_in, n_out):
    return overlap(np.arange(n_out)[:, None] * n_in, np.arange(n_in) * n_out, n_in, n_out) / n_in


def overlap(starts, pixels, n_in, n_out):
    """How much of each output, [start, start + n_in), lies in each input, [pixel, pixel + n_out), in units of 1 / n_out
    of a pixel: whole numbers, so edges are exact."""
    return np.maximum(np.minimum(starts + n_in, pixels + n_out) - np.maximum(starts, pixels), 0)


def apply(x, size, interpolation="bilinear", antialias=False):
    """Return ``x`` with its spatial axes resized to ``size``: a new array, or ``x`` itself if it has that size."""
    for axis, n_out in enumerate(size, 1):
        n_in = x.shape[axis]
        if n_in == n_out:
            continue
        if interpolation == "nearest":
            x = x.take(nearest(n_in, n_out), axis=axis)
        else:
            x = _along(x, axis, (n_in, n_out, interpolation, antialias), transposed=False)
    return x


def gradient(dy, size, interpolation="bilinear", antialias=False):
    """Return dL/dx for dL/dy of `apply`; ``size`` is that of x."""
    for axis, n_in in enumerate(size, 1):
        n_out = dy.shape[axis]
        if n_in != n_out:
            dy = _along(dy, axis, (n_in, n_out, interpolation, antialias), transposed=True)
    return dy


def _along(x, axis, arguments, transposed):
    """Return matrix @ x along one axis."""
    weights = _weights(arguments, transposed, x.dtype)
    columns = x.reshape(math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :]))
    return np.matmul(weights, columns).reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])


@functools.lru_cache(maxsize=32)
def _weights(arguments, transposed, dtype):
    weights = matrix(*arguments)
    return np.ascontiguousarray(weights.T if transposed else weights, dtype)
