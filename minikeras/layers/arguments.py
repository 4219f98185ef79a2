"""Arguments that many layers share: integers, tuples of integers, shapes."""

import numpy as np


def positive_integer(value, argument):
    """Return ``value`` as int, or raise a ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"`{argument}` must be a positive integer. Received: {argument}={value!r}")
    return int(value)


def integer_tuple(value, length, argument, minimum=1):
    """Return an integer or a sequence of ``length`` integers as a tuple, or raise a ValueError."""
    items = (value,) * length if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value
    valid = isinstance(items, (tuple, list)) and len(items) == length
    if not valid or any(
        isinstance(i, bool) or not isinstance(i, (int, np.integer)) or i < minimum for i in items
    ):
        kind = "positive integer" if minimum == 1 else f"integer of at least {minimum}"
        raise ValueError(
            f"`{argument}` must be a {kind} or {length} of them. Received: {argument}={value!r}"
        )
    return tuple(int(i) for i in items)


def pop_input_shape(kwargs, takes_sequences=False):
    """Take the input shape out of a first layer's arguments; return it with the batch axis, or None.

    The ``input_dim`` of a layer that takes sequences stays: it was something else in Keras 1, and is nothing today.
    """
    batch = kwargs.pop("batch_input_shape", None)
    size = kwargs.pop("batch_size", None) if {"input_shape", "input_dim"} & kwargs.keys() else None  # of Keras 2
    shape = kwargs.pop("input_shape", None)
    dim = None if takes_sequences else kwargs.pop("input_dim", None)
    if size is not None:
        size = positive_integer(size, "batch_size")
    if batch is not None:
        return tuple(batch)
    if shape is not None:
        return (size, *standardize_shape(shape))
    return (size, positive_integer(dim, "input_dim")) if dim is not None else None


def standardize_shape(shape, argument="input_shape"):
    """Return ``shape`` (without the batch axis) as a tuple of positive integers or Nones."""
    if isinstance(shape, (int, np.integer)) and not isinstance(shape, bool):
        raise ValueError(f"`{argument}` must be a tuple or list, as ({shape},). Received: {shape!r}")
    if not isinstance(shape, (tuple, list)):
        raise ValueError(f"`{argument}` must be a tuple or list of integers. Received: {shape!r}")
    for size in shape:
        if size is not None and (isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size <= 0):
            raise ValueError(
                f"`{argument}` must hold positive integers or None, without the batch axis. Received: {tuple(shape)}"
            )
    return tuple(None if size is None else int(size) for size in shape)
