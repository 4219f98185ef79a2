"""Errors of regression as metrics. Letters: t the targets, y the predictions."""

import math

import numpy as np

from minikeras.losses import mean_absolute_error, mean_squared_error
from minikeras.losses.base import paired, quiet
from minikeras.metrics.base import Mean, MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """Mean of (t - y)^2.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of |t - y|.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, name, dtype)


class RootMeanSquaredError(Mean):
    """Square root of the mean of (t - y)^2.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    @quiet()
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = paired(y_true, y_pred)
        super().update_state(np.square(y_pred - y_true), sample_weight)

    def result(self):
        return math.sqrt(super().result())
