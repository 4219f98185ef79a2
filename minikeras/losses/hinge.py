"""Hinge losses: 0 once an answer is right by a margin of 1. Letters: y the predictions, t the targets, k outputs.

Half of the derivative is taken exactly at the margin, as Keras' is on PyTorch and JAX.
"""

import numpy as np

from minikeras.losses import targets
from minikeras.losses.base import Loss, paired, quiet


@quiet()
def hinge(y_true, y_pred):
    """loss = mean_i max(1 - t_i y_i, 0), t of -1 and 1, or 0 and 1"""
    return np.maximum(_margins(y_true, y_pred)[1], 0).mean(axis=-1)


class Hinge(Loss):
    """Distance from a margin of 1 on the right side of 0: loss = mean_i max(1 - t_i y_i, 0).

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets, -1 or 1, and predictions: shape (batch, ..., k); the losses: (batch, ...). Targets that are all 0 or 1 in
    a batch are converted, 0 to -1.
    """

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return hinge(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = -t_i / k where t_i y_i < 1, else 0"""
        y_true, margins = _margins(y_true, y_pred)
        return np.heaviside(margins, 0.5) * y_true * (-1 / margins.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)
        targets.check_signs(y)


@quiet()
def squared_hinge(y_true, y_pred):
    """loss = mean_i max(1 - t_i y_i, 0)^2, t of -1 and 1, or 0 and 1"""
    return np.square(np.maximum(_margins(y_true, y_pred)[1], 0)).mean(axis=-1)


class SquaredHinge(Loss):
    """Squared distance from a margin of 1 on the right side of 0: loss = mean_i max(1 - t_i y_i, 0)^2.

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: see `Hinge`.
    """

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return squared_hinge(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = -2 t_i max(1 - t_i y_i, 0) / k"""
        y_true, margins = _margins(y_true, y_pred)
        return np.maximum(margins, 0) * y_true * (-2 / margins.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)
        targets.check_signs(y)


def _margins(y_true, y_pred):
    """Targets of -1 and 1, and 1 - t y."""
    y_true, y_pred = paired(y_true, y_pred)
    if ((y_true == 0) | (y_true == 1)).all():
        y_true = 2 * y_true - 1
    return y_true, 1 - y_true * y_pred


@quiet()
def categorical_hinge(y_true, y_pred):
    """loss = max(1 + max_i (1 - t_i) y_i - sum_i t_i y_i, 0)"""
    y_true, y_pred = paired(y_true, y_pred)
    return np.maximum(_lead(y_true, y_pred)[0], 0)


class CategoricalHinge(Loss):
    """How much the best wrong class lacks to lie 1 below the right one.

    loss = max(1 + max_i (1 - t_i) y_i - sum_i t_i y_i, 0)

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets, one-hot, and predictions: shape (batch, ..., k); the losses: (batch, ...).
    """

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return categorical_hinge(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = (1 - t_i) [i is the best wrong class] - t_i where the loss is not 0; equals share the first"""
        y_true, y_pred = paired(y_true, y_pred)
        lead, best = _lead(y_true, y_pred)
        best = best / best.sum(axis=-1, keepdims=True, dtype=y_pred.dtype)
        return ((1 - y_true) * best - y_true) * np.heaviside(lead, 0.5)[..., None]

    def check_targets(self, y, output_shape, layer):
        targets.check_categorical(y, output_shape, layer)


def _lead(y_true, y_pred):
    """1 + max_i (1 - t_i) y_i - sum_i t_i y_i, and which i reach the maximum"""
    wrong = (1 - y_true) * y_pred
    highest = wrong.max(axis=-1, keepdims=True)
    return highest[..., 0] - (y_true * y_pred).sum(axis=-1) + 1, wrong == highest
