"""Hits and misses of yes/no predictions at thresholds, counted, and the rates made of the counts.

A prediction y is positive at the threshold h if y > h. Letters: tp, fp, tn, fn the counts (the sums of the weights) of
true and false positives and negatives.
"""

import numpy as np

from minikeras import config
from minikeras.losses.base import align_weights, match_ranks, quiet
from minikeras.metrics.base import STATE, Metric, as_result, ratio

OUTCOMES = ("true_positives", "false_positives", "true_negatives", "false_negatives")
_NOTHING = -1e10  # less than any prediction


def count_outcomes(y_true, y_pred, thresholds, even, weights=None, by_label=False):
    """Return a dict of the four counts, arrays of shape (thresholds,), or (thresholds, labels) if ``by_label``.

    Args:
        y_true: bool array of y_pred's shape.
        y_pred: array of floats.
        thresholds: array of floats.
        even: whether the thresholds are evenly spaced, from 0 to 1.
        weights: array of y_pred's shape or None.
        by_label: whether to count each label (the last axis of y_pred) by itself.

    Each prediction is put into the bin of the thresholds that it exceeds, so the cost does not grow with their number.
    """
    labels, bins = y_pred.shape[-1] if by_label else 1, len(thresholds) + 1
    order = np.argsort(thresholds, kind="stable")
    index = _exceeded(y_pred, thresholds[order], even)
    if by_label:
        index = index + np.arange(labels) * bins
    index = index * 2 + y_true
    weights = None if weights is None else weights.ravel()
    table = np.bincount(index.ravel(), weights, labels * bins * 2).reshape(labels, bins, 2)
    negative = table.cumsum(axis=1)[:, :-1]  # bin i holds the predictions that exceed i thresholds
    positive = table[:, ::-1].cumsum(axis=1)[:, -2::-1]
    counts = positive[..., 1], positive[..., 0], negative[..., 0], negative[..., 1]
    return {name: _placed(count, order, by_label) for name, count in zip(OUTCOMES, counts)}


def _exceeded(y_pred, thresholds, even):
    """Return how many of the thresholds, in ascending order, each prediction is larger than; NaN is larger than none.

    Evenly spaced thresholds are found by the multiplication with which Keras finds them: with h = i / n, y = h and
    rounding, ``y > h`` would at times say otherwise.
    """
    y_pred = np.where(np.isnan(y_pred), -np.inf, y_pred)
    if not even:
        return np.searchsorted(thresholds, y_pred)
    last = np.asarray(len(thresholds) - 1, y_pred.dtype)
    exceeded = np.ceil(np.clip(y_pred, 0, 1) * last).astype(np.intp)
    return np.maximum(exceeded, 1) if thresholds[0] < 0 else exceeded


def _placed(count, order, by_label):
    """Put the counts of sorted thresholds into the thresholds' own order, and their axis first."""
    placed = np.empty_like(count)
    placed[:, order] = count
    return placed.T if by_label else placed[0]


def evenly_spaced(thresholds):
    """Return whether they are 0, 1 / n, 2 / n, ..., 1, but for rounding, and at least three."""
    even = np.linspace(0, 1, len(thresholds))
    return len(thresholds) > 2 and bool(np.all(np.abs(thresholds - even) <= config.epsilon() + 1e-5 * even))


def check_thresholds(thresholds):
    """Return a list of floats in [0, 1] for a number or several, or raise a ValueError."""
    several = isinstance(thresholds, (list, tuple, np.ndarray))
    found = thresholds if several else [thresholds]
    found = [float(t) if isinstance(t, (int, float, np.number)) else None for t in found]
    if not found or not all(t is not None and 0 <= t <= 1 for t in found):
        raise ValueError(
            f"`thresholds` must be a number in [0, 1] or a list of them, as 0.5. Received: thresholds={thresholds!r}"
        )
    return found


def check_share(name, value):
    """Return ``value``, or raise a ValueError unless it is a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number in [0, 1], as 0.9. Received: {name}={value!r}")
    return value


def check_count(name, value, least=1):
    """Return ``value``, or raise a ValueError unless it is an integer >= ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={value!r}")
    return value


class ConfusionMetric(Metric):
    """Base class of metrics that are made of the counts at thresholds.

    Subclasses say in `counted` which counts they keep: {name of the variable: name of the count}.
    """

    counted = {}
    top_k = class_id = None

    def _add_counts(self, *shape):
        for variable in self.counted:
            setattr(self, variable, self.add_variable(shape, "zeros", STATE, name=variable))

    def _set_thresholds(self, thresholds, default=0.5):
        self.init_thresholds = thresholds.tolist() if isinstance(thresholds, np.ndarray) else thresholds
        self.thresholds = [default] if thresholds is None else check_thresholds(thresholds)
        self._even = evenly_spaced(self.thresholds)
        self._add_counts(len(self.thresholds))

    @quiet()
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weights = self._prepare(y_true, y_pred, sample_weight)
        self._count(y_true, y_pred, weights)

    def _count(self, y_true, y_pred, weights, by_label=False):
        thresholds = np.asarray(self.thresholds, y_pred.dtype)
        counts = count_outcomes(y_true, y_pred, thresholds, self._even, weights, by_label)
        for variable, count in self.counted.items():
            getattr(self, variable).value += counts[count]

    def _prepare(self, y_true, y_pred, sample_weight):
        """Return targets as bools, predictions, and weights (or None), all of one shape."""
        y_pred, y_true = match_ranks(np.asarray(y_pred, self.dtype), np.asarray(y_true, self.dtype))
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"`y_true` and `y_pred` must have the same shape. Received: {y_true.shape} and {y_pred.shape}. For "
                "several classes use one-hot targets, as `utils.to_categorical` makes them"
            )
        weights = sample_weight
        if weights is not None:
            weights = np.broadcast_to(align_weights(weights, y_pred.shape, self.dtype), y_pred.shape)
        if self.top_k is not None:
            y_pred = _only_top(y_pred, self.top_k)
        if self.class_id is not None:
            if y_pred.ndim < 2 or self.class_id >= y_pred.shape[-1]:
                raise ValueError(
                    f"`class_id` is {self.class_id}, but `y_pred` of shape {y_pred.shape} has no such class on its "
                    "last axis"
                )
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weights = None if weights is None else weights[..., self.class_id]
        return y_true != 0, y_pred, weights

    def _result(self, value):
        return as_result(value[0] if len(self.thresholds) == 1 else value, self.dtype)

    def _rate(self, name):
        """One of the rates that the counts give, an array; 0 where there is nothing to count."""
        hits, misses = {
            "precision": ("true_positives", "false_positives"),
            "recall": ("true_positives", "false_negatives"),
            "sensitivity": ("true_positives", "false_negatives"),
            "specificity": ("true_negatives", "false_positives"),
            "false_positive_rate": ("false_positives", "true_negatives"),
        }[name]
        hits, misses = getattr(self, hits).value, getattr(self, misses).value
        return ratio(hits, hits + misses)

    def get_config(self):
        arguments = super().get_config()
        if "thresholds" in arguments:
            arguments["thresholds"] = self.init_thresholds
        return arguments


def _only_top(y_pred, k):
    """Return the predictions with all but the k largest of each row at -1e10; of equal ones the first count."""
    if k > y_pred.shape[-1]:
        raise ValueError(f"`top_k` is {k}, but `y_pred` of shape {y_pred.shape} has only {y_pred.shape[-1]} classes")
    kept = np.full_like(y_pred, _NOTHING)
    top = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    np.put_along_axis(kept, top, np.take_along_axis(y_pred, top, axis=-1), axis=-1)
    return kept


class OutcomeCount(ConfusionMetric):
    """Base class: one of the counts itself."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self._set_thresholds(thresholds)

    def result(self):
        return self._result(self.accumulator.value)


class TruePositives(OutcomeCount):
    """Number of positive targets predicted as such: tp = sum of w [t = 1 and y > h].

    Args:
        thresholds: number h in [0, 1], by default 0.5, or a list of them, for a result each; 0 for logits.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    counted = {"accumulator": "true_positives"}


class TrueNegatives(OutcomeCount):
    """Number of negative targets predicted as such: tn = sum of w [t = 0 and y <= h].

    Args:
        thresholds: number h in [0, 1], by default 0.5, or a list of them, for a result each; 0 for logits.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    counted = {"accumulator": "true_negatives"}


class FalsePositives(OutcomeCount):
    """Number of negative targets predicted as positive: fp = sum of w [t = 0 and y > h].

    Args:
        thresholds: number h in [0, 1], by default 0.5, or a list of them, for a result each; 0 for logits.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    counted = {"accumulator": "false_positives"}


class FalseNegatives(OutcomeCount):
    """Number of positive targets predicted as negative: fn = sum of w [t = 1 and y <= h].

    Args:
        thresholds: number h in [0, 1], by default 0.5, or a list of them, for a result each; 0 for logits.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    counted = {"accumulator": "false_negatives"}


class Rate(ConfusionMetric):
    """Base class: one of the rates."""

    _direction = "up"
    rate = None

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.top_k = None if top_k is None else check_count("top_k", top_k)
        self.class_id = None if class_id is None else check_count("class_id", class_id, least=0)
        self._set_thresholds(thresholds, 0.5 if top_k is None else _NOTHING)

    def result(self):
        return self._result(self._rate(self.rate))


class Precision(Rate):
    """Share of the positive predictions that are right: tp / (tp + fp), 0 without positive predictions.

    Args:
        thresholds: number in [0, 1], by default 0.5, or a list of them, for a result each; 0 for logits.
        top_k: only the k largest predictions of a row are positive, if they are above the thresholds that are given.
        class_id: the only class to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: shape (batch, ..., classes), or (batch,).
    """

    rate = "precision"
    counted = {name: name for name in ("true_positives", "false_positives")}


class Recall(Rate):
    """Share of the positive targets that are found: tp / (tp + fn), 0 without positive targets.

    Args:
        thresholds: number in [0, 1], by default 0.5, or a list of them, for a result each; 0 for logits.
        top_k: only the k largest predictions of a row are positive, if they are above the thresholds that are given.
        class_id: the only class to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: shape (batch, ..., classes), or (batch,).
    """

    rate = "recall"
    counted = {name: name for name in ("true_positives", "false_negatives")}
