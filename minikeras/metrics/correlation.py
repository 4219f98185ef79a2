"""Correlations of targets and predictions within each sample. Letters: t the targets, y the predictions."""

import numpy as np

from minikeras import config
from minikeras.losses.base import paired, quiet
from minikeras.metrics.base import MeanMetricWrapper, ratio


def _moments(y_true, y_pred, axis):
    """Means of t and y, their variances, and their covariance."""
    y_true, y_pred = (x.astype("float64") for x in paired(y_true, y_pred))
    t_mean, y_mean = (x.mean(axis=axis, keepdims=True) for x in (y_true, y_pred))
    t, y = y_true - t_mean, y_pred - y_mean
    rounding = np.finfo(config.floatx()).eps ** 2
    t_var, y_var = (
        np.where(var <= rounding * np.square(mean).mean(axis=axis), 0, var)
        for var, mean in ((np.square(t).mean(axis=axis), t_mean), (np.square(y).mean(axis=axis), y_mean))
    )
    return t_mean.mean(axis=axis), y_mean.mean(axis=axis), t_var, y_var, (t * y).mean(axis=axis)


@quiet()
def pearson_correlation(y_true, y_pred, axis=-1):
    """cov(t, y) / sqrt(var t var y) over ``axis``; 0 where t or y does not vary"""
    _, _, t_var, y_var, covariance = _moments(y_true, y_pred, axis)
    return ratio(covariance, np.sqrt(t_var) * np.sqrt(y_var)).astype(config.floatx())


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of the linear correlation within each sample, cov(t, y) / sqrt(var t var y), from -1 to 1.

    A sample whose targets or predictions are all equal has the correlation 0.

    Args:
        name: string.
        dtype: see `Metric`.
        axis: integer or tuple: the axes to correlate over.

    Targets and predictions: shape (batch, ..., k).
    """

    _direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


@quiet()
def concordance_correlation(y_true, y_pred, axis=-1):
    """2 cov(t, y) / (var t + var y + (mean t - mean y)^2 + eps) over ``axis``"""
    t_mean, y_mean, t_var, y_var, covariance = _moments(y_true, y_pred, axis)
    norm = t_var + y_var + np.square(t_mean - y_mean) + config.epsilon()
    return (2 * covariance / norm).astype(config.floatx())


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of the concordance within each sample: 1 if predictions equal the targets, less for a shift or a scale.

    2 cov(t, y) / (var t + var y + (mean t - mean y)^2)

    Args:
        name: string.
        dtype: see `Metric`.
        axis: integer or tuple: the axes to correlate over.

    Targets and predictions: shape (batch, ..., k).

    Reference: Lin, A Concordance Correlation Coefficient to Evaluate Reproducibility, 1989.
    """

    _direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
