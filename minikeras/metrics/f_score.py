"""F-scores: precision and recall in one number."""

import numpy as np

from minikeras import config
from minikeras.losses.base import align_weights, paired, quiet
from minikeras.metrics.base import STATE, Metric, as_result

_AVERAGES = (None, "micro", "macro", "weighted")
_STATE = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """Harmonic mean of precision and recall, in which recall counts beta times as much.

    F = (1 + b^2) precision recall / (b^2 precision + recall), with b = beta

    Args:
        average: None, for a score of each class; ``"macro"``, their mean; ``"weighted"``, their mean weighted by the
            number of positive targets; ``"micro"``, the score of the counts over all classes.
        beta: number > 0.
        threshold: number in (0, 1] above which a prediction is positive; None: the largest of each row is.
        name: string.
        dtype: see `Metric`.

    Targets (of zeros and ones) and predictions: shape (batch, classes).
    """

    _direction = "up"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if average not in _AVERAGES:
            raise ValueError(f"`average` must be one of {_AVERAGES}. Received: average={average!r}")
        if not _is_number(beta) or not 0 < beta < np.inf:
            raise ValueError(f"`beta` must be a number > 0, as 1.0. Received: beta={beta!r}")
        if threshold is not None and (not _is_number(threshold) or not 0 < threshold <= 1):
            raise ValueError(f"`threshold` must be a number in (0, 1] or None. Received: threshold={threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    @quiet()
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = paired(y_true, np.asarray(y_pred, self.dtype))
        if y_pred.ndim != 2:
            raise ValueError(
                f"The metric {self.name!r} needs targets and predictions of shape (batch, classes). Received: shape "
                f"{y_pred.shape}"
            )
        if self._built and y_pred.shape[1:] != self.true_positives.shape and self.average != "micro":
            raise ValueError(
                f"The metric {self.name!r} has counted {self.true_positives.size} classes so far. Received: shape "
                f"{y_pred.shape}. Make a metric of its own for them"
            )
        if not self._built:
            self._build(() if self.average == "micro" else y_pred.shape[1:])
        if self.threshold is None:  # a row of zeros has no largest prediction
            positive = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        weights = 1 if sample_weight is None else align_weights(sample_weight, y_pred.shape, self.dtype)
        counted = positive * y_true, positive * (1 - y_true), ~positive * y_true, y_true
        for name, values in zip(_STATE, counted):
            total = (values * weights).sum(axis=0, dtype=STATE)
            getattr(self, name).value += total.sum() if self.average == "micro" else total

    def _build(self, shape):
        for name in _STATE:
            setattr(self, name, self.add_variable(shape, "zeros", STATE, name=name))
        self._built = True

    @quiet()
    def result(self):
        if not self._built:  # not yet known how many classes
            return 0.0
        tp, fp, fn, positives = (getattr(self, name).value for name in _STATE)
        epsilon = config.epsilon()
        precision, recall = tp / (tp + fp + epsilon), tp / (tp + fn + epsilon)
        square = self.beta**2
        score = (1 + square) * precision * recall / (square * precision + recall + epsilon)
        if self.average == "weighted":
            score = (score * positives / (positives.sum() + epsilon)).sum()
        elif self.average is not None:
            score = score.mean()
        return as_result(score, self.dtype)


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall: F = 2 precision recall / (precision + recall).

    Args:
        average: None, for a score of each class; ``"macro"``, their mean; ``"weighted"``, their mean weighted by the
            number of positive targets; ``"micro"``, the score of the counts over all classes.
        threshold: number in (0, 1] above which a prediction is positive; None: the largest of each row is.
        name: string.
        dtype: see `Metric`.

    Targets (of zeros and ones) and predictions: shape (batch, classes).
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
