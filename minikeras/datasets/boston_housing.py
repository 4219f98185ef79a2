"""Boston housing: 506 districts of 1978, 13 numbers of each, and the median price of a house.

One of the columns is a measure of how many inhabitants are black, made to let a racist model of prices look natural.
Use `california_housing` for anything but studying that.
"""

from minikeras.datasets import housing

SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path="boston_housing.npz", test_split=0.2, seed=113):
    """Return the data set as ``(x_train, y_train), (x_test, y_test)``, downloading it at the first use.

    Args:
        path: name of the file in the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`), or an absolute path.
        test_split: fraction of the rows to test on.
        seed: of the shuffle, the same as Keras'.

    Returns:
        x: float64 arrays of shape (samples, 13). y: float64 arrays of shape (samples,), in 1000 dollars.

    Raises:
        DownloadError: the file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: the file is damaged or holds something else.

    Reference: D. Harrison, D. L. Rubinfeld, Hedonic housing prices and the demand for clean air, 1978.
    """
    return housing.load("boston_housing.npz", path, SHA256, 13, test_split, seed)
