"""Losses of regression. Letters: y the predictions, t the targets, k outputs on the last axis."""

import numpy as np

from minikeras.losses import targets
from minikeras.losses.base import Loss, paired, quiet


@quiet()
def mean_squared_error(y_true, y_pred):
    """loss = mean_i (t_i - y_i)^2"""
    y_true, y_pred = paired(y_true, y_pred)
    return np.square(y_true - y_pred).mean(axis=-1)


class MeanSquaredError(Loss):
    """Mean of squared differences: loss = mean_i (t_i - y_i)^2.

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...).
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_squared_error(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = 2 (y_i - t_i) / k"""
        y_true, y_pred = paired(y_true, y_pred)
        return (y_pred - y_true) * (2 / y_pred.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)


@quiet()
def mean_absolute_error(y_true, y_pred):
    """loss = mean_i |t_i - y_i|"""
    y_true, y_pred = paired(y_true, y_pred)
    return np.abs(y_true - y_pred).mean(axis=-1)


class MeanAbsoluteError(Loss):
    """Mean of absolute differences: loss = mean_i |t_i - y_i|.

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...).
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_absolute_error(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = sign(y_i - t_i) / k, 0 where they are equal"""
        y_true, y_pred = paired(y_true, y_pred)
        return np.sign(y_pred - y_true) * (1 / y_pred.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)
