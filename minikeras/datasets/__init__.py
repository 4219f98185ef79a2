"""Data sets in Keras' form: ``(x_train, y_train), (x_test, y_test) = datasets.digits.load_data()``."""

from minikeras.datasets import digits, mnist

__all__ = ["digits", "mnist"]
