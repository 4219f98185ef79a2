"""Arrays before training: class numbers to one-hot rows, rows to unit length."""

import numpy as np

from minikeras.registry import accepts_old_spellings


@accepts_old_spellings
def to_categorical(x, num_classes=None):
    """Return class numbers as one-hot rows, for the categorical cross-entropy.

    Args:
        x: array-like of whole numbers from 0 to ``num_classes - 1``, of any shape. A last axis of size 1 is dropped.
        num_classes: number of classes; by default the largest number in ``x``, plus 1.

    Returns:
        float64 array of shape (``*x.shape``, num_classes).

    Raises:
        ValueError: a number that is negative, not whole or not below ``num_classes``.
        TypeError: ``x`` holds no numbers.
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "iufb":
        raise TypeError(f"`x` must hold class numbers, e.g. [0, 2, 1]. Received: an array of dtype {labels.dtype}")
    if num_classes is not None and (
        isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)) or num_classes < 1
    ):
        raise ValueError(f"`num_classes` must be a positive integer or None. Received: {num_classes!r}")
    if labels.size == 0 and num_classes is None:
        raise ValueError("`x` is empty, so the number of classes cannot be derived from it. Pass `num_classes`")
    _check_labels(labels, num_classes)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    labels = labels.astype(np.int64)
    num_classes = int(labels.max()) + 1 if num_classes is None else int(num_classes)
    one_hot = np.zeros((labels.size, num_classes))
    one_hot[np.arange(labels.size), labels.ravel()] = 1
    return one_hot.reshape(*labels.shape, num_classes)


def _check_labels(labels, num_classes):
    if labels.dtype.kind == "f":
        # NaN is not equal to its floor either; inf is caught as out of range
        _refuse_labels(labels, labels != np.floor(labels), num_classes, "Class numbers must be whole")
        _refuse_labels(labels, np.isinf(labels), num_classes, "Class numbers must be finite")
    _refuse_labels(labels, labels < 0, num_classes, "Class numbers must not be negative")
    if num_classes is not None:
        hint = "If the labels start at 1, subtract 1; else raise `num_classes`"
        _refuse_labels(labels, labels >= num_classes, num_classes, hint)


def _refuse_labels(labels, wrong, num_classes, hint):
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        allowed = "whole numbers from 0" + (f" to num_classes - 1 = {num_classes - 1}" if num_classes else "")
        raise ValueError(
            f"`x` must hold {allowed}. Received: {labels[index].item()} at index {index}, with "
            f"num_classes={num_classes}. {hint}"
        )


def normalize(x, axis=-1, order=2):
    """Return ``x / ||x||`` with the norm taken along ``axis``; vectors of norm 0 stay 0.

    Args:
        x: array-like. A single vector comes back as a matrix of one row, as in Keras.
        axis: the axis along which the vectors lie.
        order: order of the norm as in `numpy.linalg.norm`, 2 for the Euclidean one.

    Unlike Keras 3.15, which takes ``axis=0`` for the last axis when it divides, ``axis=0`` normalizes columns.
    """
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, -1 if axis is None else axis)
