"""Data sets in Keras' form: ``(x_train, y_train), (x_test, y_test) = datasets.digits.load_data()``."""

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
