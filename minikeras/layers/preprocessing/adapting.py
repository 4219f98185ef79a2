"""Data that layers adapt to: one array, or batches of them."""

import numpy as np


def is_array(data):
    return hasattr(data, "__array__")


def batches_of(data, steps=None):
    """Yield ``data`` as arrays: itself, or x of each of its batches, up to ``steps`` of them."""
    if is_array(data):
        yield _to_array(data)
        return
    if isinstance(data, (str, dict)) or not (hasattr(data, "__iter__") or hasattr(data, "__getitem__")):
        raise TypeError(
            f"`data` must be an array, or a list, a generator or a data set of batches. Received: {type(data).__name__}"
        )
    found = False
    for step, batch in enumerate(data):
        if step == steps:
            break
        found = True
        yield _to_array(batch[0] if isinstance(batch, tuple) else batch)
    if not found:
        raise ValueError("`data` has no batches: give at least one array. A generator can be used up only once")


def _to_array(batch):
    array = np.asarray(batch)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"`data` must hold numbers. Received dtype {array.dtype}")
    if array.size == 0:
        raise ValueError(f"`data` is empty: it has shape {array.shape}")
    return array
