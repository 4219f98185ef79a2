"""Sums, means, largest elements, order: functions along axes."""

import numpy as np

from minikeras.ops.arrays import convert_to_tensor, countable, floats, given, named, truth


def _reduction(name, prepare=convert_to_tensor, dtype=None, source=None):
    compute = getattr(np, source or name)

    def function(x, axis=None, keepdims=False):
        axis = axes_of(axis)
        with np.errstate(all="ignore"):
            result = compute(prepare(x), axis=axis, keepdims=keepdims)
        return result if dtype is None else np.asarray(result).astype(dtype)[()]

    return named(function, name, f"Return `numpy.{source or name}` along an axis, several axes, or all (None).")


def axes_of(axis):
    return tuple(axis) if isinstance(axis, list) else axis


all = _reduction("all", truth)
amax = _reduction("amax")
amin = _reduction("amin")
any = _reduction("any", truth)
argmax = _reduction("argmax", dtype="int32")
argmin = _reduction("argmin", dtype="int32")
mean = _reduction("mean", floats)
median = _reduction("median", floats)
std = _reduction("std", floats)
var = _reduction("var", floats)


def sum(x, axis=None, keepdims=False):
    """Return the sum along an axis, several axes, or all (None)."""
    x = countable(x)
    return np.sum(x, axis=axes_of(axis), keepdims=keepdims, dtype=x.dtype)


def prod(x, axis=None, keepdims=False, dtype=None):
    """Return the product along an axis, several axes, or all (None)."""
    x = countable(x)
    return np.prod(x, axis=axes_of(axis), keepdims=keepdims, dtype=dtype or x.dtype)


def max(x, axis=None, keepdims=False, initial=None):
    """Return the largest value along an axis, several axes, or all (None); at least ``initial``."""
    return np.max(convert_to_tensor(x), axis=axes_of(axis), keepdims=keepdims, **given(initial=initial))


def min(x, axis=None, keepdims=False, initial=None):
    """Return the smallest value along an axis, several axes, or all (None); at most ``initial``."""
    return np.min(convert_to_tensor(x), axis=axes_of(axis), keepdims=keepdims, **given(initial=initial))


def count_nonzero(x, axis=None):
    """Return how many elements are not 0."""
    return np.asarray(np.count_nonzero(convert_to_tensor(x), axis=axes_of(axis))).astype("int32")[()]


def cumsum(x, axis=None, dtype=None):
    """Return the sums up to each element."""
    x = countable(x)
    return np.cumsum(x, axis, dtype or x.dtype)


def cumprod(x, axis=None, dtype=None):
    """Return the products up to each element."""
    x = countable(x)
    return np.cumprod(x, axis, dtype or x.dtype)


def logsumexp(x, axis=None, keepdims=False):
    """Return log(sum(exp(x)))."""
    x, axis = floats(x), axes_of(axis)
    highest = np.max(x, axis=axis, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):
        result = np.log(np.sum(np.exp(x - highest), axis=axis, keepdims=True)) + highest
    return (result if keepdims else np.squeeze(result, axis))[()]


def sort(x, axis=-1):
    """Return x sorted along an axis."""
    return np.sort(convert_to_tensor(x), axis)


def argsort(x, axis=-1):
    """Return the positions that sort x along an axis; equal elements keep their order."""
    return np.argsort(convert_to_tensor(x), axis, kind="stable").astype("int32")


def top_k(x, k, sorted=True):
    """Return the ``k`` largest elements of the last axis, the largest first, and their positions."""
    x = convert_to_tensor(x)
    places = np.argsort(-x if x.dtype.kind == "f" else ~x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, places, -1), places.astype("int32")
