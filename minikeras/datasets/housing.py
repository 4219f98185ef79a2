"""What the two housing data sets share: reading, shuffling, splitting."""

import numpy as np

from minikeras.datasets import cache

HOME = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def load(name, path, digest, features, test_split, seed, rows=None):
    """Return ``(x_train, y_train), (x_test, y_test)``, shuffled as Keras shuffles them.

    Args:
        name: of the file at its home. path: of the file in the cache.
        features: columns of x. rows: how many rows to use, all for None.
    """
    if isinstance(test_split, bool) or not isinstance(test_split, (int, float)) or not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be a number from 0 to below 1. Received: test_split={test_split!r}")
    file = cache.fetch(path, HOME + name, digest=digest)
    arrays = cache.read_npz(file, {"x": (None, features), "y": (None,)}, np.float64)
    x, y = (arrays[key][:rows] for key in ("x", "y"))
    if len(x) != len(y):
        raise cache.damaged(file, f"{len(x)} rows of x and {len(y)} of y")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    cut = int(len(x) * (1 - test_split))
    return (x[order[:cut]], y[order[:cut]]), (x[order[cut:]], y[order[cut:]])
