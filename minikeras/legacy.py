"""Spellings of Keras 1 and 2 whose meaning is clear, each with one DeprecationWarning that says the present one."""


def old_method(model, name):
    """Return a method of a model that Keras had once."""
    raise AttributeError(f"{type(model).__name__!r} object has no attribute {name!r}")
