"""Errors of regression as metrics. Letters: t the targets, y the predictions."""

import math

import numpy as np

from minikeras import losses
from minikeras.losses import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minikeras.losses.base import align_weights, paired, quiet
from minikeras.messages import warn
from minikeras.metrics.base import STATE, Mean, MeanMetricWrapper, Metric, as_result, ratio
from minikeras.metrics.confusion import check_count


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


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of 100 |t - y| / max(|t|, eps).

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of (log(1 + t) - log(1 + y))^2, numbers below eps taken as eps.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of log cosh(y - t): half the square of a small error, the absolute value of a large one.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(log_cosh, name, dtype)


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


def cosine_similarity(y_true, y_pred, axis=-1):
    """sum(t y) / (|t| |y|) over ``axis``, the negative of the loss of this name"""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """Mean of the cosine of the angle between targets and predictions, sum(t y) / (|t| |y|).

    Args:
        name: string.
        dtype: see `Metric`.
        axis: the axis that the vectors lie along.
    """

    _direction = "up"

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)
        self.axis = axis

    def get_config(self):
        arguments = super().get_config()
        if self.axis == -1:
            del arguments["axis"]  # as Keras, which forgets other axes
        return arguments


class R2Score(Metric):
    """Share of the targets' variance that the predictions explain: R2 = 1 - sum (t - y)^2 / sum (t - mean t)^2.

    1 is perfect, 0 as good as the targets' mean. An output whose targets do not vary has the score 0.

    Args:
        class_aggregation: ``"uniform_average"``, the mean over the outputs; ``"variance_weighted_average"``, weighted
            by the targets' variance; None, for a score of each output.
        num_regressors: number p of inputs of the model, for the adjusted score 1 - (1 - R2) (n - 1) / (n - p - 1).
        name: string.
        dtype: see `Metric`.

    Targets and predictions: shape (batch, outputs). As in Keras n is the number of targets, batch times outputs.
    """

    _direction = "up"
    _warned = False

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "`class_aggregation` must be None, 'uniform_average' or 'variance_weighted_average'. Received: "
                f"class_aggregation={class_aggregation!r}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = check_count("num_regressors", num_regressors, least=0)
        self.num_samples = self.add_variable((), "zeros", STATE, name="num_samples")
        self._built = False

    @quiet()
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = paired(y_true, np.asarray(y_pred, self.dtype))
        if y_pred.ndim != 2:
            raise ValueError(
                f"The metric {self.name!r} needs targets and predictions of shape (batch, outputs). Received: "
                f"{y_pred.shape}"
            )
        if not self._built:
            self._build(y_pred.shape[1:])
        if y_pred.shape[1:] != self.sum.shape:
            raise ValueError(
                f"The metric {self.name!r} has seen {self.sum.size} outputs so far. Received: shape {y_pred.shape}. "
                "Make a metric of its own for them"
            )
        weights = np.asarray(1.0 if sample_weight is None else align_weights(sample_weight, y_pred.shape, STATE))
        weights = np.broadcast_to(weights, y_pred.shape)
        y_true, y_pred = y_true.astype(STATE), y_pred.astype(STATE)
        self.squared_sum.value += (weights * y_true * y_true).sum(axis=0)
        self.sum.value += (weights * y_true).sum(axis=0)
        self.total_mse.value += (weights * np.square(y_true - y_pred)).sum(axis=0)
        self.count.value += weights.sum(axis=0)
        self.num_samples.value += y_true.size

    def _build(self, shape):
        self.squared_sum = self.add_variable(shape, "zeros", STATE, name="squared_sum")
        self.sum = self.add_variable(shape, "zeros", STATE, name="sum")
        self.total_mse = self.add_variable(shape, "zeros", STATE, name="residual")
        self.count = self.add_variable(shape, "zeros", STATE, name="count")
        self._built = True

    @quiet()
    def result(self):
        if not self._built:  # not yet known how many outputs
            return 0.0
        squares = self.squared_sum.value
        total = squares - self.sum.value * ratio(self.sum.value, self.count.value)
        total = np.where(total > 1e-13 * squares, total, 0)  # else it is rounding
        scores = np.where(total > 0, 1 - ratio(self.total_mse.value, total), 0)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = ratio((total * scores).sum(), total.sum())
        return as_result(self._adjusted(scores), self.dtype)

    def _adjusted(self, score):
        n = int(self.num_samples)
        if not self.num_regressors or not n:
            return score
        if self.num_regressors >= n - 1:
            if not self._warned:
                self._warned = True
                warn(
                    f"The adjusted R2 score needs more samples than regressors, but there are {n} samples and "
                    f"num_regressors={self.num_regressors}: this is the R2 score itself"
                )
            return score
        return 1 - (1 - score) * (n - 1) / (n - self.num_regressors - 1)
