"""Crossentropies and their kin as metrics: means of the losses' functions."""

from minikeras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from minikeras.losses.arguments import check_axis, check_smoothing
from minikeras.losses.base import align_weights, floating
from minikeras.losses.crossentropy import classes_last
from minikeras.metrics.accuracy import labels_of
from minikeras.metrics.base import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of yes/no outputs; see `losses.BinaryCrossentropy`.

    Args:
        name: string.
        dtype: see `Metric`.
        from_logits: whether predictions are logits or probabilities.
        label_smoothing: s in [0, 1): the targets become t (1 - s) + s / 2.
    """

    _direction = "down"

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(
            binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of one-hot targets; see `losses.CategoricalCrossentropy`.

    Args:
        name: string.
        dtype: see `Metric`.
        from_logits: whether predictions are logits or probabilities.
        label_smoothing: s in [0, 1): the targets become t (1 - s) + s / k.
        axis: the axis of the classes.
    """

    _direction = "down"

    def __init__(
        self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1
    ):
        super().__init__(
            categorical_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = check_axis(axis)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of integer labels; see `losses.SparseCategoricalCrossentropy`.

    Args:
        name: string.
        dtype: see `Metric`.
        from_logits: whether predictions are logits or probabilities.
        ignore_class: a label whose samples have the value 0. As in Keras they count in the mean, unless there are
            weights: then they have the weight 0.
        axis: the axis of the classes.
    """

    _direction = "down"

    def __init__(
        self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1
    ):
        super().__init__(
            sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = check_axis(axis)

    def update_state(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None and self.ignore_class is not None:
            counts = labels_of(*classes_last(y_true, floating(y_pred), self.axis)) != self.ignore_class
            sample_weight = counts * align_weights(sample_weight, counts.shape, self.dtype)
        super().update_state(y_true, y_pred, sample_weight)


class KLDivergence(MeanMetricWrapper):
    """Mean of sum_i t_i log(t_i / y_i), both clipped to [eps, 1]: how far y is from the distribution t.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of y - t log(y + eps): how unlikely the counts t are, if y are their means.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="poisson", dtype=None):
        super().__init__(poisson, name, dtype)
