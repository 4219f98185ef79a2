"""The area under a curve of two rates over all thresholds. See `confusion` for the letters."""

import numpy as np

from minikeras import config
from minikeras.losses.base import quiet
from minikeras.metrics.base import ratio
from minikeras.metrics.confusion import OUTCOMES, ConfusionMetric, check_count, check_thresholds, evenly_spaced

_CURVES = {"roc": "ROC", "ROC": "ROC", "pr": "PR", "PR": "PR", "prgain": "PRGAIN", "PRGAIN": "PRGAIN"}
_METHODS = {name: name.lower() for word in ("interpolation", "minoring", "majoring") for name in (word, word.title())}


class AUC(ConfusionMetric):
    """Area under a curve of a yes/no classifier: 1 is perfect, and 0.5 (under the ROC curve) is guessing.

    The curve is drawn through the points of the thresholds. ROC: x = fp / (fp + tn), y = tp / (tp + fn). PR: x =
    recall, y = precision. PRGAIN: x = 1 - r fn / tp, y = 1 - r fp / tp, with r = positives / negatives.

    Args:
        num_thresholds: number of thresholds, evenly spaced from 0 to 1.
        curve: ``"ROC"``, ``"PR"`` or ``"PRGAIN"``.
        summation_method: ``"interpolation"`` (between two points y, or for PR the counts, change linearly),
            ``"minoring"`` (the lower of the two y) or ``"majoring"`` (the higher).
        name: string.
        dtype: see `Metric`.
        thresholds: list of the thresholds in [0, 1], in place of ``num_thresholds``; one below 0 and one above 1 are
            added.
        multi_label: whether to take the mean of the labels' areas, instead of one area of all predictions.
        num_labels: number of labels, with ``multi_label``; by default known from the first batch.
        label_weights: list of a weight for each label: of its area if ``multi_label``, else of its predictions.
        from_logits: whether predictions are logits or probabilities.

    Targets and predictions: any shape; (batch, labels) if ``multi_label``.

    Reference: the interpolation of PR is that of Davis and Goadrich, The Relationship Between Precision-Recall and ROC
    Curves, 2006, section 4; PRGAIN: Flach and Kull, Precision-Recall-Gain Curves, 2015.
    """

    _direction = "up"
    counted = {name: name for name in OUTCOMES}

    def __init__(
        self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None,
        thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False,
    ):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.curve = _choice("curve", curve, _CURVES)
        self.summation_method = _choice("summation_method", summation_method, _METHODS)
        self.init_thresholds = thresholds
        if thresholds is None:
            last = check_count("num_thresholds", num_thresholds, least=2) - 1
            inner = [i / last for i in range(1, last)]
            self._even = True
        else:
            inner = sorted(check_thresholds(thresholds))
            self.init_thresholds = inner
            self._even = evenly_spaced([0.0, *inner, 1.0])
        self.thresholds = [-config.epsilon(), *inner, 1 + config.epsilon()]  # so that 0 and 1 lie between two
        self.num_thresholds = len(self.thresholds)
        if num_labels and not multi_label:
            raise ValueError(f"`num_labels` is for `multi_label=True` only. Received: num_labels={num_labels!r}")
        self.multi_label = multi_label
        self.num_labels = check_count("num_labels", num_labels) if num_labels else num_labels
        self.label_weights = None if label_weights is None else _label_weights(label_weights, self.dtype)
        self.from_logits = from_logits
        self._built = False
        if not multi_label:
            self._build()
        elif num_labels:
            self._build(num_labels)

    def _build(self, *labels):
        self._add_counts(self.num_thresholds, *labels)
        self._built = True

    @quiet()
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = np.asarray(y_pred)
        if self.from_logits:
            y_pred = 0.5 * np.tanh(0.5 * y_pred.astype("float64")) + 0.5
        y_true, y_pred, weights = self._prepare(y_true, y_pred, sample_weight)
        if self.label_weights is not None and self.label_weights.shape != y_pred.shape[-1:]:
            raise ValueError(
                f"`label_weights` needs a weight for each of the labels, which are the last axis of the predictions of "
                f"shape {y_pred.shape}. Received: {len(self.label_weights)} weights"
            )
        if self.multi_label:
            self._prepare_labels(y_pred.shape)
        elif self.label_weights is not None:
            weights = self.label_weights * (np.ones_like(y_pred) if weights is None else weights)
        self._count(y_true, y_pred, weights, self.multi_label)

    def _prepare_labels(self, shape):
        if len(shape) != 2:
            raise ValueError(f"`multi_label=True` needs predictions of shape (batch, labels). Received: {shape}")
        if not self._built:
            self._build(shape[1])
        if self.true_positives.shape[1] != shape[1]:
            raise ValueError(
                f"The metric {self.name!r} has {self.true_positives.shape[1]} labels. Received: predictions of shape "
                f"{shape}"
            )

    @quiet()
    def result(self):
        if not self._built:  # not yet known how many labels
            return 0.0
        interpolated = self.summation_method == "interpolation"
        areas = self._pr_areas() if interpolated and self.curve == "PR" else self._areas()
        area = areas.sum(axis=0)
        if not self.multi_label:
            return float(area)
        if self.label_weights is None:
            return float(area.mean())
        return float(ratio((area * self.label_weights).sum(), self.label_weights.sum(dtype=area.dtype)))

    def _areas(self):
        """The areas between neighbouring thresholds."""
        if self.curve == "ROC":
            x, y = self._rate("false_positive_rate"), self._rate("recall")
        elif self.curve == "PR":
            x, y = self._rate("recall"), self._rate("precision")
        else:
            x, y = self._gains()
        if self.summation_method == "interpolation":
            height = (y[:-1] + y[1:]) / 2
        else:
            height = (np.minimum if self.summation_method == "minoring" else np.maximum)(y[:-1], y[1:])
        return (x[:-1] - x[1:]) * height

    def _gains(self):
        """Gain of recall and of precision; 0 and 1 without true positives, and no recall below 0."""
        tp, fp, tn, fn = (getattr(self, name).value for name in OUTCOMES)
        odds = ratio(tp + fn, tn + fp)
        recall = np.where(tp == 0, 0, np.maximum(1 - odds * ratio(fn, tp), 0))
        precision = np.where(tp == 0, 1, 1 - odds * ratio(fp, tp))
        return recall, precision

    def _pr_areas(self):
        """With tp and p = tp + fp linear between two thresholds A and B, and s = (tp_A - tp_B) / (p_A - p_B), the
        precision is s + c / p with c = tp_B - s p_B, and its integral over the recall

            s (tp_A - tp_B + c log(p_A / p_B)) / (tp + fn)

        Below the first positive prediction, p_B = 0, the precision is s.
        """
        tp, fp, _, fn = (getattr(self, name).value for name in OUTCOMES)
        p = tp + fp
        gained = tp[:-1] - tp[1:]
        slope = ratio(gained, np.maximum(p[:-1] - p[1:], 0))
        constant = tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        logs = np.log(np.where(both, ratio(p[:-1], p[1:]), 1))
        return ratio(slope * (gained + constant * logs), np.maximum(tp[1:] + fn[1:], 0))

    def get_config(self):
        arguments = super().get_config()
        if self.label_weights is not None:
            arguments["label_weights"] = self.label_weights.tolist()
        if self.init_thresholds is None:
            del arguments["thresholds"]  # as Keras
        return arguments


def _label_weights(label_weights, dtype):
    if isinstance(label_weights, dict):  # Keras writes a tensor as a config
        label_weights = label_weights["config"]["value"]
    weights = np.asarray(label_weights, dtype)
    if weights.ndim != 1 or not (weights >= 0).all():
        raise ValueError(f"`label_weights` must be a list of numbers >= 0. Received: label_weights={label_weights!r}")
    return weights


def _choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}. Received: {name}={value!r}")
    return choices[value]
