"""Arguments of losses: checks of numbers and axes, and what an axis means for a shape."""

import math

import numpy as np


def check_axis(axis, several=False):
    """Return ``axis``, or raise a ValueError unless it is an integer (with ``several``: or None, or some integers)."""
    if several and (axis is None or isinstance(axis, (list, tuple)) and all(is_integer(item) for item in axis)):
        return axis
    if not is_integer(axis):
        kind = "an integer, a tuple of integers or None" if several else "an integer"
        raise ValueError(f"`axis` must be {kind}, as -1 for the last axis. Received: axis={axis!r}")
    return axis


def is_integer(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_number(value, name, low=-math.inf, positive=False):
    """Return ``value``, or raise a ValueError unless it is a finite number, at least ``low``, or ``positive``."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < low or (positive and value <= 0):
        kind = "a positive number" if positive else "a finite number" + (f", at least {low}" if low > -math.inf else "")
        raise ValueError(f"`{name}` must be {kind}, as 1.0. Received: {name}={value!r}")
    return value


def axes_of(axis, ndim):
    """Return an axis, several or None (all) as a tuple of numbers from 0, in order."""
    if axis == -1:  # which nearly all losses have, at each step
        return (ndim - 1,)
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if is_integer(axis) else axis
    if not all(-ndim <= item < ndim for item in axes):
        raise ValueError(f"`axis` must be in {-ndim}..{ndim - 1} for predictions of rank {ndim}. Received: axis={axis}")
    return tuple(sorted({item % ndim for item in axes}))


def without(shape, axes):
    """Return ``shape`` without those axes."""
    if axes == (len(shape) - 1,):
        return shape[:-1]
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def count_along(shape, axis):
    """Return how many numbers a mean over ``axis`` takes together."""
    if axis == -1:
        return shape[-1]
    return math.prod(shape[i] for i in axes_of(axis, len(shape)))


def check_smoothing(label_smoothing):
    """Return ``label_smoothing``, or raise a ValueError unless it is a number in [0, 1)."""
    if (
        isinstance(label_smoothing, bool)
        or not isinstance(label_smoothing, (int, float, np.integer, np.floating))
        or not 0 <= label_smoothing < 1
    ):
        raise ValueError(
            f"`label_smoothing` must be a number in [0, 1), as 0.1. Received: label_smoothing={label_smoothing!r}"
        )
    return label_smoothing
