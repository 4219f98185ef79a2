"""Accuracies: how often predictions are right. Letters: t the targets, y the predictions."""

import numpy as np

from minikeras import config
from minikeras.losses.base import paired
from minikeras.metrics.base import MeanMetricWrapper


def accuracy(y_true, y_pred):
    """1 where t = y, else 0"""
    y_true, y_pred = paired(y_true, y_pred)
    return _as_float(y_true == y_pred)


class Accuracy(MeanMetricWrapper):
    """How often predictions equal the targets: mean of [t = y].

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where t = [y > threshold], else 0"""
    y_true, y_pred = paired(y_true, y_pred)
    return _as_float(y_true == (y_pred > threshold))


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions on one side of a threshold equal 0/1 targets: mean of [t = [y > threshold]].

    Args:
        name: string.
        dtype: see `Metric`.
        threshold: number above which a prediction counts as 1.

    Targets and predictions: shape (batch, ..., k).
    """

    _direction = "up"

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


def categorical_accuracy(y_true, y_pred):
    """1 where argmax t = argmax y, else 0"""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    return _as_float(_classes(y_true, y_pred) == y_pred.argmax(axis=-1))


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the one-hot target: mean of [argmax t = argmax y].

    Args:
        name: string.
        dtype: see `Metric`.

    Targets and predictions: shape (batch, ..., k).
    """

    _direction = "up"

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where t = argmax y, else 0"""
    y_pred = np.asarray(y_pred)
    return _as_float(labels_of(y_true, y_pred) == y_pred.argmax(axis=-1))


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the integer label: mean of [t = argmax y].

    Args:
        name: string.
        dtype: see `Metric`.

    Targets: shape (batch, ...) or (batch, ..., 1); predictions: (batch, ..., k).
    """

    _direction = "up"

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the class argmax t is among the k largest predictions, else 0; ties with the k-th count"""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    return _in_top_k(_classes(y_true, y_pred), y_pred, k)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot target is among the k largest predictions; ties with the k-th count.

    Args:
        k: number of predictions to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: shape (batch, ..., classes).
    """

    _direction = "up"

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the class t is among the k largest predictions, else 0; ties with the k-th count"""
    y_pred = np.asarray(y_pred)
    labels = labels_of(y_true, y_pred)
    if from_sorted_ids:
        return _as_float((labels[..., None] == y_pred[..., :k]).any(axis=-1))
    return _in_top_k(labels.astype(np.intp, copy=False), y_pred, k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the integer label is among the k largest predictions; ties with the k-th count.

    Args:
        k: number of predictions to look at.
        name: string.
        dtype: see `Metric`.
        from_sorted_ids: whether predictions are class numbers, the likeliest first, instead of scores.

    Targets: shape (batch, ...) or (batch, ..., 1); predictions: (batch, ..., classes).
    """

    _direction = "up"

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    def get_config(self):
        config = super().get_config()
        if not self.from_sorted_ids:
            del config["from_sorted_ids"]  # as Keras
        return config


def labels_of(y_true, y_pred):
    """Return one label for each row of predictions, without a last axis of 1."""
    y_true = np.asarray(y_true)
    labels = y_true[..., 0] if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1 else y_true
    if labels.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"A sparse metric expects one label for each row of predictions. Received: y_true of shape {y_true.shape}, "
            f"y_pred of shape {y_pred.shape}. For one-hot targets use the categorical metric"
        )
    return labels


def _classes(y_true, y_pred):
    """Return the class of each one-hot target."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"A categorical metric expects one-hot targets of the predictions' shape. Received: y_true of shape "
            f"{y_true.shape}, y_pred of shape {y_pred.shape}. For integer labels use the sparse metric"
        )
    return y_true.argmax(axis=-1)


def _in_top_k(labels, y_pred, k):
    """1 where fewer than k predictions are larger than the label's; NaN counts as larger than anything."""
    chosen = np.take_along_axis(y_pred, labels[..., None], axis=-1)
    return _as_float(np.count_nonzero(y_pred <= chosen, axis=-1) > y_pred.shape[-1] - k)


def _as_float(matches):
    return matches.astype(config.floatx())
