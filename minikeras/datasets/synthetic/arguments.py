"""What the makers of data take: counts and numbers within bounds, and labels of which there are equally many."""

import numpy as np

LARGEST = 1e30  # of any argument: with normal noise on top, float32 still holds it


def check_count(name, value, least=1):
    """Return an integer of at least ``least``; anything else is a ValueError."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"`{name}` must be an integer of at least {least}. Received: {name}={value!r}")
    return int(value)


def check_samples(samples, classes, name="samples"):
    """Return a number of samples that leaves no class empty."""
    if check_count(name, samples) < classes:
        raise ValueError(
            f"`{name}` must be at least {classes}, one of each class. Received: {name}={samples!r}"
        )
    return int(samples)


def check_number(name, value, low=-LARGEST, high=LARGEST, open_interval=False):
    """Return a float from ``low`` to ``high``, without the ends if ``open_interval``; else a ValueError."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not (real and (low < value < high if open_interval else low <= value <= high)):
        ends = " (neither of them)" if open_interval else ""
        raise ValueError(f"`{name}` must be a number from {low:g} to {high:g}{ends}. Received: {name}={value!r}")
    return float(value)


def balanced_labels(generator, samples, classes):
    """Return the labels 0, 1, ..., classes - 1, 0, 1, ... in a random order, int64."""
    return generator.permutation(np.arange(samples, dtype=np.int64) % classes)
