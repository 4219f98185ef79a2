"""Work space: one growing piece of memory a name and thread, shared by all layers, so that it stays in cache."""

import math
import threading

import numpy as np

LAYOUTS = 32  # of bordered arrays that are kept: more than a network has

_local = threading.local()


def scratch(name, shape, dtype):
    """Return an uninitialized array that the calling thread may use until it asks for the same name again."""
    kept = _local.__dict__
    size = math.prod(shape)
    flat = kept.get((name, dtype))
    if flat is None or flat.size < size:
        flat = kept[name, dtype] = np.empty(size, dtype)
    return flat[:size].reshape(shape)


def bordered(shape, border, dtype):
    """Return an array whose ``border`` (any key: it tells layouts apart) is zero, for the calling thread.

    It starts as zeros, and callers write inside of the border only, so that the border need not be cleared again.
    """
    kept = _local.__dict__.setdefault("bordered", {})
    key = (shape[1:], border, dtype)
    array = kept.get(key)
    if array is None or len(array) < shape[0]:
        if len(kept) >= LAYOUTS:  # images of ever new sizes
            kept.clear()
        array = kept[key] = np.zeros(shape, dtype)
    return array[: shape[0]]
