"""CIFAR-10: 60,000 colour photographs of 32x32 pixels, of ten kinds of things (Krizhevsky)."""

from minikeras.datasets import cifar

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
BYTES = 170052171
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
TRAIN = {f"cifar-10-batches-bin/data_batch_{i}.bin": 10000 for i in range(1, 6)}
TEST = {"cifar-10-batches-bin/test_batch.bin": 10000}


def load_data():
    """Return CIFAR-10 as ``(x_train, y_train), (x_test, y_test)``, downloading it at the first use.

    Its files are in the folder ``cifar-10-batches-bin`` of the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`).
    Files that are there already are used, wherever they came from.

    Returns:
        x: uint8 arrays, 0 to 255, of shapes (50000, 32, 32, 3) and (10000, 32, 32, 3); with the channels first if
            `config.image_data_format` says so.
        y: uint8 arrays of shapes (50000, 1) and (10000, 1): 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog,
            6 frog, 7 horse, 8 ship, 9 truck.

    Raises:
        DownloadError: the archive is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: a file is damaged or holds something else.

    Reference: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    return cifar.load("cifar-10-binary.tar.gz", URL, BYTES, SHA256, (TRAIN, TEST), 1)
