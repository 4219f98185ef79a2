"""One seed for a whole program: minikeras' own randomness, Python's `random` and NumPy's global generator."""

import numpy as np

from minikeras import config


def set_random_seed(seed):
    """Seed everything, so that the program can be repeated.

    minikeras draws from generators of its own (`config.make_generator`); `random` and `numpy.random` are seeded for
    the user's code, as Keras does, and not used in the library.

    Args:
        seed: integer from 0 to 2**32 - 1, what `numpy.random.seed` takes.

    Raises:
        ValueError: anything else. Nothing is seeded then.
    """
    import random  # here, because importing it is slow and few need it

    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"`seed` must be an integer from 0 to 2**32 - 1. Received: {seed!r}")
    config.set_random_seed(seed)
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002
