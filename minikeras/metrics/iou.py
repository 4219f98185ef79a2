"""Intersection over union, the measure of segmentation, from the matrix of confusions.

The matrix holds in row t and column p how many samples (pixels) of class t were predicted as class p. Of a class,
IoU = tp / (tp + fp + fn) = diagonal / (sum of its row + sum of its column - diagonal).
"""

import numpy as np

from minikeras import config
from minikeras.losses.base import align_weights, quiet
from minikeras.messages import warn
from minikeras.metrics.base import Metric
from minikeras.metrics.confusion import check_count


class IoU(Metric):
    """Mean intersection over union of some classes; classes that neither targets nor predictions have do not count.

    Args:
        num_classes: number of classes.
        target_class_ids: list of the classes whose mean is the result.
        name: string.
        dtype: type of the matrix: by default integers, to which weights are rounded down; ``"float32"`` for others.
        ignore_class: a label, as -1 or 255, whose samples do not count.
        sparse_y_true: whether targets are labels; else they have an axis of classes.
        sparse_y_pred: whether predictions are labels; else they have an axis of scores.
        axis: the axis of classes.

    Attributes:
        total_cm: the matrix, a `Variable` of shape (num_classes, num_classes).

    Targets and predictions: any shape; labels outside 0..num_classes - 1 do not count.
    """

    _direction = "up"
    _warned = False

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
        sparse_y_pred=True, axis=-1,
    ):  # fmt: skip
        whole = dtype in (None, "int", "int32", "int64")
        super().__init__(name=name, dtype=None if whole else dtype)
        if whole:
            self.dtype = "int64" if dtype == "int64" else "int32"
        self.num_classes = check_count("num_classes", num_classes)
        self.target_class_ids = [int(c) for c in target_class_ids]
        if not self.target_class_ids or not all(0 <= c < num_classes for c in self.target_class_ids):
            raise ValueError(
                f"`target_class_ids` must be a list of classes in 0..{num_classes - 1}. Received: "
                f"target_class_ids={target_class_ids!r}"
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self._whole = whole
        shape, state = (num_classes, num_classes), "int64" if whole else "float64"  # pixels soon fill 32 bits
        self.total_cm = self.add_variable(shape, "zeros", state, name="total_confusion_matrix")

    @quiet()
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if not self.sparse_y_true:
            y_true = y_true.argmax(axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = y_pred.argmax(axis=self.axis)
        if y_true.size != y_pred.size:
            raise ValueError(
                f"`y_true` and `y_pred` must hold as many labels. Received: {y_true.shape} and {y_pred.shape}, without "
                f"axes of classes; sparse_y_true={self.sparse_y_true}, sparse_y_pred={self.sparse_y_pred}"
            )
        weights = None if sample_weight is None else self._weights(sample_weight, y_true.shape)
        y_true, y_pred = self._labels(y_true), self._labels(y_pred)
        counts = (y_true >= 0) & (y_true < self.num_classes) & (y_pred >= 0) & (y_pred < self.num_classes)
        if self.ignore_class is not None:
            counts &= y_true != self.ignore_class
        cells = y_true[counts].astype(np.intp) * self.num_classes + y_pred[counts].astype(np.intp)
        matrix = np.bincount(cells, None if weights is None else weights[counts], self.num_classes**2)
        self.total_cm.value += matrix.reshape(self.total_cm.shape).astype(self.total_cm.dtype, copy=False)

    def _labels(self, labels):
        labels = labels.ravel()
        return np.trunc(labels) if self._whole and labels.dtype.kind == "f" else labels

    def _weights(self, sample_weight, shape):
        """Return a weight for each of the labels of ``shape``."""
        weights = np.asarray(sample_weight, "float64")
        if weights.size != np.prod(shape):
            weights = np.broadcast_to(align_weights(weights, shape, "float64"), shape)
        weights = weights.ravel()
        if self._whole and (weights != np.trunc(weights)).any():
            if not self._warned:
                self._warned = True
                warn(
                    f"The metric {self.name!r} counts in integers, so sample weights are rounded down (0.7 to 0). Give "
                    "it dtype='float32' to use them as they are"
                )
            weights = np.trunc(weights)
        return weights

    @quiet()
    def result(self):
        matrix = self.total_cm.value
        hits = matrix.diagonal()
        union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
        hits, union = hits[self.target_class_ids], union[self.target_class_ids]
        there = union > 1e-9
        shares = np.where(there, hits / (union + config.epsilon()), 0)
        return float(shares.sum() / (np.count_nonzero(there) + config.epsilon()))


class BinaryIoU(IoU):
    """Mean intersection over union of the classes 0 and 1, of yes/no predictions.

    Args:
        target_class_ids: which of the classes 0 and 1 the result is the mean of.
        threshold: number from which on a prediction counts as class 1.
        name: string.
        dtype: see `IoU`.

    Targets and predictions: any shape.
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, np.asarray(y_pred, "float32") >= self.threshold, sample_weight)


class MeanIoU(IoU):
    """Mean intersection over union of all classes that targets or predictions have.

    Args:
        num_classes: number of classes.
        name: string.
        dtype: see `IoU`.
        ignore_class: a label, as -1 or 255, whose samples do not count.
        sparse_y_true: whether targets are labels; else they have an axis of classes.
        sparse_y_pred: whether predictions are labels; else they have an axis of scores.
        axis: the axis of classes.

    Targets and predictions: any shape.
    """

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        classes = range(check_count("num_classes", num_classes))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """Mean intersection over union of some classes, with one-hot targets.

    Args:
        num_classes: number of classes.
        target_class_ids: list of the classes whose mean is the result.
        name: string.
        dtype: see `IoU`.
        ignore_class: a class whose samples do not count.
        sparse_y_pred: whether predictions are labels; else they have an axis of scores.
        axis: the axis of classes.

    Targets, and predictions if not ``sparse_y_pred``: shape (batch, ..., num_classes).
    """

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """Mean intersection over union of all classes that targets or predictions have, with one-hot targets.

    Args:
        num_classes: number of classes.
        name: string.
        dtype: see `IoU`.
        ignore_class: a class whose samples do not count.
        sparse_y_pred: whether predictions are labels; else they have an axis of scores.
        axis: the axis of classes.

    Targets, and predictions if not ``sparse_y_pred``: shape (batch, ..., num_classes).
    """

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
