"""Losses of regression. Letters: y the predictions, t the targets, k outputs on the last axis."""

import math

import numpy as np

from minikeras import config
from minikeras.losses import targets
from minikeras.losses.arguments import check_number
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


@quiet()
def mean_absolute_percentage_error(y_true, y_pred):
    """loss = 100 mean_i |t_i - y_i| / max(|t_i|, eps)"""
    y_true, y_pred = paired(y_true, y_pred)
    return 100 * np.abs((y_true - y_pred) / _size(y_true)).mean(axis=-1)


class MeanAbsolutePercentageError(Loss):
    """Mean of differences in percent of the targets: loss = 100 mean_i |t_i - y_i| / max(|t_i|, eps).

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...). A target of 0 makes them huge.
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_absolute_percentage_error(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = 100 sign(y_i - t_i) / (max(|t_i|, eps) k), 0 where they are equal"""
        y_true, y_pred = paired(y_true, y_pred)
        return np.sign(y_pred - y_true) * (100 / y_pred.shape[-1]) / _size(y_true)

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)


def _size(y_true):
    """max(|t|, eps)"""
    return np.maximum(np.abs(y_true), config.epsilon())


@quiet()
def mean_squared_logarithmic_error(y_true, y_pred):
    """loss = mean_i (log(1 + max(t_i, eps)) - log(1 + max(y_i, eps)))^2"""
    y_true, y_pred = paired(y_true, y_pred)
    return np.square(_log_of_next(y_pred) - _log_of_next(y_true)).mean(axis=-1)


class MeanSquaredLogarithmicError(Loss):
    """Mean of squared differences of logarithms, for targets of many sizes.

    loss = mean_i (log(1 + max(t_i, eps)) - log(1 + max(y_i, eps)))^2

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions, not negative: shape (batch, ..., k); the losses: (batch, ...).
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_squared_logarithmic_error(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = 2 (log(1 + y_i) - log(1 + t_i)) / ((1 + y_i) k), 0 where y_i < eps"""
        y_true, y_pred = paired(y_true, y_pred)
        epsilon = config.epsilon()
        slope = (_log_of_next(y_pred) - _log_of_next(y_true)) * (2 / y_pred.shape[-1])
        return slope * np.heaviside(y_pred - epsilon, 0.5) / (np.maximum(y_pred, epsilon) + 1)

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)


def _log_of_next(y):
    """log(1 + max(y, eps)); log1p would be more precise below 1e-3, and so not what Keras computes"""
    return np.log(np.maximum(y, config.epsilon()) + 1)


@quiet()
def huber(y_true, y_pred, delta=1.0):
    """loss = mean_i of e_i^2 / 2 where |e_i| <= delta, else delta |e_i| - delta^2 / 2, with e = y - t"""
    y_true, y_pred = paired(y_true, y_pred)
    error = np.abs(y_pred - y_true)
    near = np.minimum(error, delta)  # near^2 / 2 + delta (error - near), which does not overflow
    return (near * near * 0.5 + delta * (error - near)).mean(axis=-1)


class Huber(Loss):
    """Squared differences where small, absolute ones where large, so that outliers pull less.

    loss = mean_i of e_i^2 / 2 where |e_i| <= delta, else delta |e_i| - delta^2 / 2, with e = y - t

    Args:
        delta: the difference from which on the loss grows linearly. As in Keras, the config does not hold it.
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...).

    Reference: Huber, Robust estimation of a location parameter, 1964.
    """

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype)
        self.delta = check_number(delta, "delta", positive=True)

    def get_config(self):
        settings = super().get_config()
        del settings["delta"]  # as Keras
        return settings

    def call(self, y_true, y_pred):
        return huber(y_true, y_pred, self.delta)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = e_i / k, within [-delta / k, delta / k]"""
        y_true, y_pred = paired(y_true, y_pred)
        return np.clip(y_pred - y_true, -self.delta, self.delta) * (1 / y_pred.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)


@quiet()
def log_cosh(y_true, y_pred):
    """loss = mean_i log cosh(y_i - t_i)"""
    y_true, y_pred = paired(y_true, y_pred)
    error = y_pred - y_true
    return (np.logaddexp(error, -error) - math.log(2)).mean(axis=-1)


class LogCosh(Loss):
    """Logarithm of the hyperbolic cosine: about e^2 / 2 for small differences e = y - t, |e| - log 2 for large ones.

    loss = mean_i log cosh(y_i - t_i)

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...).
    """

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return log_cosh(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = tanh(y_i - t_i) / k"""
        y_true, y_pred = paired(y_true, y_pred)
        return np.tanh(y_pred - y_true) * (1 / y_pred.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)
