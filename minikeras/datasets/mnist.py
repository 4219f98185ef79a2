"""MNIST: 70,000 handwritten digits of 28x28 pixels (LeCun, Cortes, Burges; CC BY-SA 3.0)."""

from minikeras.datasets import cache

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
BYTES = 11490434
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
ARRAYS = {  # what the file holds: name -> shape, all uint8
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}


def load_data(path="mnist.npz"):
    """Return MNIST as ``(x_train, y_train), (x_test, y_test)``, downloading it at the first use.

    Args:
        path: name of the file in the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`), or an absolute path. A file
            that is there already is used, wherever it came from, if it holds the arrays below.

    Returns:
        x: uint8 arrays, 0 (paper) to 255 (ink), of shapes (60000, 28, 28) and (10000, 28, 28). For a convolutional
            network add the channel axis and scale them: ``x[..., None] / 255``.
        y: uint8 arrays of digits 0 to 9, of shapes (60000,) and (10000,).

    Raises:
        DownloadError: the file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: the file is damaged or holds something else.

    Reference: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE, 1998.
    """
    file = cache.fetch(path, URL, BYTES, SHA256)
    arrays = cache.read_npz(file, ARRAYS)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
