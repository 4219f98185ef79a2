"""Data sets in Keras' form: ``(x_train, y_train), (x_test, y_test) = datasets.digits.load_data()``.

`digits` is embedded, `synthetic` made, `digits_csv` your own. All others are downloaded at the first use to the folder
in `$MINIKERAS_HOME`, or ``~/.minikeras``, with a progress bar, and checked by their SHA-256 (the word indices: MD5).
Without a network place the files there by hand, from the address that the error names or from anywhere else:

    mnist.npz                   mnist
    fashion-mnist/              fashion_mnist: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,
                                t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz
    cifar-10-binary.tar.gz      cifar10; or unpacked, cifar-10-batches-bin/data_batch_1.bin to 5, test_batch.bin
    cifar-100-binary.tar.gz     cifar100; or unpacked, cifar-100-binary/train.bin, test.bin
    boston_housing.npz, california_housing.npz, imdb.npz, imdb_word_index.json, reuters.npz, reuters_word_index.json

What is there is held to its content (names, shapes, types), not to the hash. A download that fails is a
`DownloadError`, which says all this with whole paths; no other data ever take the place of those asked for.
"""

from minikeras.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    digits_csv,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
    synthetic,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "digits_csv",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
    "synthetic",
]
