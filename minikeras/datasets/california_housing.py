"""California housing: 20,640 districts of the census of 1990, 8 numbers of each, and the median value of a house."""

from minikeras.datasets import housing

SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
SMALL = 600


def load_data(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    """Return the data set as ``(x_train, y_train), (x_test, y_test)``, downloading it at the first use.

    Args:
        version: ``"large"``, or ``"small"`` for the first 600 rows.
        path: name of the file in the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`), or an absolute path.
        test_split: fraction of the rows to test on.
        seed: of the shuffle, the same as Keras'.

    Returns:
        x: float64 arrays of shape (samples, 8): longitude, latitude, age, rooms, bedrooms, population, households,
            income. y: float64 arrays of shape (samples,), in dollars.

    Raises:
        DownloadError: the file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: an unknown version, or the file is damaged or holds something else.

    Reference: R. K. Pace, R. Barry, Sparse spatial autoregressions, 1997.
    """
    if version not in ("small", "large"):
        raise ValueError(f"`version` must be 'small' or 'large'. Received: version={version!r}")
    rows = SMALL if version == "small" else None
    return housing.load("california_housing.npz", path, SHA256, 8, test_split, seed, rows)
