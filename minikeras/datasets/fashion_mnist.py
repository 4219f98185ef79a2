"""Fashion-MNIST: 70,000 pictures of clothes of 28x28 pixels, in place of MNIST's digits (Zalando; MIT licence)."""

import os

import numpy as np

from minikeras.datasets import cache

HOME = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FILES = {  # name: (bytes, SHA-256, shape)
    "train-images-idx3-ubyte.gz": (
        26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", (60000, 28, 28)
    ),
    "train-labels-idx1-ubyte.gz": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", (60000,)),
    "t10k-images-idx3-ubyte.gz": (
        4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", (10000, 28, 28)
    ),
    "t10k-labels-idx1-ubyte.gz": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", (10000,)),
}  # fmt: skip


def load_data():
    """Return Fashion-MNIST as ``(x_train, y_train), (x_test, y_test)``, downloading it at the first use.

    The four files are in the folder ``fashion-mnist`` of the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`).
    Files that are there already are used, wherever they came from.

    Returns:
        x: uint8 arrays, 0 to 255, of shapes (60000, 28, 28) and (10000, 28, 28).
        y: uint8 arrays of shapes (60000,) and (10000,): 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat,
            5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    Raises:
        DownloadError: a file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: a file is damaged or holds something else.

    Reference: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms, 2017.
    """
    arrays = []
    for name, (size, digest, shape) in FILES.items():
        path = cache.fetch(os.path.join("fashion-mnist", name), HOME + name, size, digest)
        arrays.append(read_idx(path, shape))
    x_train, y_train, x_test, y_test = arrays
    return (x_train, y_train), (x_test, y_test)


def read_idx(path, shape):
    """Return the bytes of a compressed IDX file as a uint8 array, after checking that it has the given shape.

    The file starts with 0, 0, 8 (for bytes), the number of axes, and each axis' size in four bytes, the highest first.
    """
    import gzip
    import zlib

    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    count = int(np.prod(shape))
    try:
        with gzip.open(path, "rb") as file:
            start, data = file.read(len(header)), file.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise cache.damaged(path, error) from error
    if start != header or len(data) != count:
        raise cache.damaged(path, f"it does not hold {count} bytes of shape {shape}")
    return np.frombuffer(data, np.uint8).reshape(shape).copy()
