"""CIFAR-100: 60,000 colour photographs of 32x32 pixels, of 100 kinds of things in 20 groups (Krizhevsky)."""

import numpy as np

from minikeras.datasets import cifar

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"
BYTES = 168513733
SHA256 = "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
TRAIN = {"cifar-100-binary/train.bin": 50000}
TEST = {"cifar-100-binary/test.bin": 10000}


def load_data(label_mode="fine"):
    """Return CIFAR-100 as ``(x_train, y_train), (x_test, y_test)``, downloading it at the first use.

    Its files are in the folder ``cifar-100-binary`` of the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`).
    Files that are there already are used, wherever they came from.

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for the 20 groups.

    Returns:
        x: uint8 arrays, 0 to 255, of shapes (50000, 32, 32, 3) and (10000, 32, 32, 3); with the channels first if
            `config.image_data_format` says so.
        y: int64 arrays of shapes (50000, 1) and (10000, 1).

    Raises:
        DownloadError: the archive is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: an unknown ``label_mode``, or a file is damaged or holds something else.

    Reference: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` must be 'fine' or 'coarse'. Received: label_mode={label_mode!r}")
    column = ["coarse", "fine"].index(label_mode)
    sets = cifar.load("cifar-100-binary.tar.gz", URL, BYTES, SHA256, (TRAIN, TEST), 2)
    return tuple((images, labels[:, column : column + 1].astype(np.int64)) for images, labels in sets)
