"""The best that one rate can be while another is at least a given value. See `confusion` for the letters."""

import numpy as np

from minikeras.metrics.confusion import OUTCOMES, ConfusionMetric, check_count, check_share


class BestRate(ConfusionMetric):
    """Base class: the largest rate `best` at the thresholds where the rate `given` is at least `value`, or 0."""

    _direction = "up"
    counted = {name: name for name in OUTCOMES}
    best = given = None

    def __init__(self, value, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.value = check_share(self.given, value)
        self.num_thresholds = check_count("num_thresholds", num_thresholds)
        self.class_id = None if class_id is None else check_count("class_id", class_id, least=0)
        last = num_thresholds - 1
        self.thresholds = [i / last for i in range(num_thresholds)] if last else [0.5]
        self._even = last > 0
        self._add_counts(num_thresholds)

    def result(self):
        # in the metric's precision: 4 / 5 is at least 0.8, however the weights' sums were rounded
        feasible = self._rate(self.given).astype(self.dtype) >= np.asarray(self.value, self.dtype)
        return float(self._rate(self.best).max(where=feasible, initial=0))


class SensitivityAtSpecificity(BestRate):
    """The best sensitivity, tp / (tp + fn), where the specificity, tn / (tn + fp), is at least a given one.

    Args:
        specificity: number in [0, 1].
        num_thresholds: number of thresholds to try, 0 to 1.
        class_id: the only class to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    best, given = "sensitivity", "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(BestRate):
    """The best specificity, tn / (tn + fp), where the sensitivity, tp / (tp + fn), is at least a given one.

    Args:
        sensitivity: number in [0, 1].
        num_thresholds: number of thresholds to try, 0 to 1.
        class_id: the only class to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    best, given = "specificity", "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(BestRate):
    """The best precision, tp / (tp + fp), where the recall, tp / (tp + fn), is at least a given one.

    Args:
        recall: number in [0, 1].
        num_thresholds: number of thresholds to try, 0 to 1.
        class_id: the only class to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    best, given = "precision", "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(BestRate):
    """The best recall, tp / (tp + fn), where the precision, tp / (tp + fp), is at least a given one.

    Args:
        precision: number in [0, 1].
        num_thresholds: number of thresholds to try, 0 to 1.
        class_id: the only class to look at.
        name: string.
        dtype: see `Metric`.

    Targets and predictions: any shape.
    """

    best, given = "recall", "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision
