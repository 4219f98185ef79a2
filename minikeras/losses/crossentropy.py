"""Crossentropies: the negative log-likelihood of the targets.

Letters: y the predictions, p the probabilities made of them, t the targets, k classes or outputs on the axis, which is
the last one unless `axis` says otherwise.
"""

import math

import numpy as np

from minikeras import config
from minikeras.losses import targets
from minikeras.losses.arguments import axes_of, check_axis, check_smoothing, count_along, without
from minikeras.losses.base import Loss, floating, paired, quiet


@quiet()
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """loss = mean_i -(t_i log p_i + (1 - t_i) log(1 - p_i)), p = y clipped to [eps, 1 - eps] or sigmoid(y)"""
    check_axis(axis, several=True)
    y_true, y_pred = paired(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    if from_logits:  # log(1 + exp(y)) - t y, without overflow
        losses = np.maximum(y_pred, 0) - y_true * y_pred + np.log1p(np.exp(-np.abs(y_pred)))
    else:
        p = clip(y_pred)
        losses = (y_true - 1) * np.log1p(-p) - y_true * np.log(p)
    return losses.mean(axis=axes_of(axis, losses.ndim))


class BinaryCrossentropy(Loss):
    """Crossentropy of independent yes/no outputs.

    loss = mean_i -(t_i log p_i + (1 - t_i) log(1 - p_i)), with p = y clipped to [eps, 1 - eps], or p = sigmoid(y)

    Args:
        from_logits: whether predictions are logits (any real number) or probabilities.
        label_smoothing: s in [0, 1): the targets become t (1 - s) + s / 2.
        axis: the axis of the mean, several, or None for all.
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets, in [0, 1], and predictions: shape (batch, ..., k); the losses: (batch, ...), the predictions' without the
    axis.
    """

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="binary_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = self._axis = check_axis(axis, several=True)
        self.fuses_with = None if from_logits else "sigmoid"

    def call(self, y_true, y_pred):
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = (p_i - t_i) / (p_i (1 - p_i)) / k, 0 where clipped; by logits (p_i - t_i) / k"""
        if self.from_logits:
            return self._logits_derivative(y_true, 0.5 * np.tanh(0.5 * y_pred) + 0.5)
        y_true, y_pred = paired(y_true, y_pred)
        p = clip(y_pred)
        slope = (p - smooth(y_true, self.label_smoothing, 2)) / (p * (1 - p) * count_along(p.shape, self.axis))
        slope *= p == y_pred
        return slope

    def _logits_derivative(self, y_true, y_pred):
        """d loss/d logit_i = (p_i - t_i) / k"""
        y_true, y_pred = paired(y_true, y_pred)
        return (y_pred - smooth(y_true, self.label_smoothing, 2)) * (1 / count_along(y_pred.shape, self.axis))

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)
        targets.check_binary_range(y)


@quiet()
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """loss = -sum_i t_i log p_i, p = y / sum_j y_j clipped to [eps, 1 - eps] or softmax(y)"""
    check_axis(axis)
    y_true, y_pred = paired(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, y_pred.shape[-1])
    log_p = log_softmax(y_pred, axis) if from_logits else np.log(clip(normalized(y_pred, axis)[0]))
    return -(y_true * log_p).sum(axis=axis)


class CategoricalCrossentropy(Loss):
    """Crossentropy of classes that exclude each other, with one-hot (or soft) targets.

    loss = -sum_i t_i log p_i, with p = y / sum_j y_j clipped to [eps, 1 - eps], or p = softmax(y)

    Args:
        from_logits: whether predictions are logits (any real number) or probabilities.
        label_smoothing: s in [0, 1): the targets become t (1 - s) + s / k.
        axis: the axis of the classes.
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...), without the axis of the classes.
    """

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = self._axis = check_axis(axis)
        self.fuses_with = None if from_logits or axis != -1 else "softmax"  # which works along the last axis

    def call(self, y_true, y_pred):
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_j = (sum_i c_i - c_j / p_j) / sum y, with c = t where p is not clipped, else 0"""
        if self.from_logits:
            return self._logits_derivative(y_true, np.exp(log_softmax(y_pred, self.axis)))
        y_true, y_pred = paired(y_true, y_pred)
        p, total = normalized(y_pred, self.axis)
        clipped = clip(p)
        c = smooth(y_true, self.label_smoothing, y_pred.shape[-1]) * (clipped == p)
        return (c.sum(axis=self.axis, keepdims=True) - c / clipped) / total

    def _logits_derivative(self, y_true, y_pred):
        """d loss/d logit_j = p_j sum_i t_i - t_j"""
        y_true, y_pred = paired(y_true, y_pred)
        y_true = smooth(y_true, self.label_smoothing, y_pred.shape[-1])
        return y_pred * y_true.sum(axis=self.axis, keepdims=True) - y_true

    def check_targets(self, y, output_shape, layer):
        targets.check_probabilities(self, y, output_shape, layer)


@quiet()
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """loss = -log p_t, p = y / sum_j y_j clipped to [eps, 1 - eps] or softmax(y); 0 where t is ``ignore_class``"""
    y_true, y_pred = classes_last(y_true, floating(y_pred), axis)
    rows, labels, mask = indices(y_true, y_pred.shape, ignore_class)
    if from_logits:
        losses = -log_softmax(y_pred).reshape(-1, y_pred.shape[-1])[rows, labels]
    else:
        p = y_pred.reshape(-1, y_pred.shape[-1])[rows, labels] / y_pred.sum(axis=-1).ravel()
        losses = -np.log(clip(p))
    if mask is not None:
        losses[~mask] = 0
    return losses.reshape(y_pred.shape[:-1])


class SparseCategoricalCrossentropy(Loss):
    """Crossentropy of classes that exclude each other, with integer labels.

    loss = -log p_t, with p = y / sum_j y_j clipped to [eps, 1 - eps], or p = softmax(y)

    Args:
        from_logits: whether predictions are logits (any real number) or probabilities.
        ignore_class: a label, as -1 or 255, whose samples have loss 0 and do not count in means; None for none.
        reduction: see `Loss`.
        axis: the axis of the classes. As in Keras, the config does not hold it.
        name: string.
        dtype: see `Loss`.

    Targets, integers 0..k-1: shape (batch, ...) or (batch, ..., 1); predictions: (batch, ..., k); the losses:
    (batch, ...). With another axis it is that one which the losses, and the targets, do not have.
    """

    def __init__(
        self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
        name="sparse_categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = self._axis = check_axis(axis)
        self.fuses_with = None if from_logits or axis != -1 else "softmax"

    def get_config(self):
        settings = super().get_config()
        del settings["axis"]  # as Keras
        return settings

    def _prepare(self, y_true, y_pred):
        return np.asarray(y_true), np.asarray(y_pred, self.dtype)  # labels stay integers

    def call(self, y_true, y_pred):
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, self.ignore_class, self.axis)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_j = (1 - [j = t] / p_t) / sum y, 0 where p_t is clipped"""
        y_true, y_pred = classes_last(y_true, y_pred, self.axis)
        if self.from_logits:
            return np.moveaxis(self._logits_derivative(y_true, np.exp(log_softmax(y_pred))), -1, self.axis)
        rows, labels, mask = indices(y_true, y_pred.shape, self.ignore_class)
        y = y_pred.reshape(-1, y_pred.shape[-1])
        total = y.sum(axis=-1)
        p = y[rows, labels] / total
        clipped = clip(p)
        counts = clipped == p
        gradient = np.zeros_like(y)
        gradient += (counts / total)[:, None]
        gradient[rows, labels] -= counts / (clipped * total)
        if mask is not None:
            gradient[~mask] = 0  # also where 0 times what is not finite is not
        return np.moveaxis(gradient.reshape(y_pred.shape), -1, self.axis)

    def _logits_derivative(self, y_true, y_pred):
        """d loss/d logit_j = p_j - [j = t]"""
        rows, labels, mask = indices(y_true, y_pred.shape, self.ignore_class)
        gradient = y_pred.reshape(-1, y_pred.shape[-1]).copy()
        gradient[rows, labels] -= 1
        if mask is not None:
            gradient[~mask] = 0
        return gradient.reshape(y_pred.shape)

    def _mask(self, y_true, y_pred):
        if self.ignore_class is None:
            return None
        return np.not_equal(y_true, self.ignore_class).reshape(without(y_pred.shape, axes_of(self.axis, y_pred.ndim)))

    def check_targets(self, y, output_shape, layer):
        y, output_shape = targets.classes_last(y, output_shape, self.axis)
        targets.check_sparse(y, output_shape, layer, self.ignore_class)


def smooth(y_true, label_smoothing, k):
    """t (1 - s) + s / k; categorical losses take the last axis' k even if their classes lie on another, as in Keras"""
    return y_true * (1 - label_smoothing) + label_smoothing / k if label_smoothing else y_true


def clip(p):
    """p within [eps, 1 - eps], where log p and log(1 - p) are finite"""
    epsilon = config.epsilon()
    return np.minimum(np.maximum(p, epsilon), 1 - epsilon)


def normalized(y_pred, axis):
    """y / sum_j y_j, and the sum"""
    total = y_pred.sum(axis=axis, keepdims=True)
    return y_pred / total, total


def log_softmax(y_pred, axis=-1):
    """y - max y - log sum_j exp(y_j - max y)"""
    shifted = y_pred - y_pred.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def classes_last(y_true, y_pred, axis):
    """Return labels without an axis of 1, and predictions with their classes on the last axis."""
    y_true = np.asarray(y_true)
    if check_axis(axis) == -1:
        return y_true, y_pred
    (axis,) = axes_of(axis, y_pred.ndim)
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = y_true.squeeze(axis)
    return y_true, np.moveaxis(y_pred, axis, -1)


def indices(y_true, shape, ignore_class):
    """Row numbers and labels that pick each sample's class from predictions of ``shape``, and which samples count."""
    y_true = np.asarray(y_true)
    if y_true.shape not in (shape[:-1], (*shape[:-1], 1)):
        raise ValueError(
            f"`y_true` must hold one label for each row of `y_pred`, shape {shape[:-1]}. Received: y_true of shape "
            f"{y_true.shape}, y_pred of shape {shape}"
        )
    labels, mask = y_true.reshape(-1), None
    if ignore_class is not None:
        mask = labels != ignore_class
        labels = np.where(mask, labels, 0)
    labels = labels.astype(np.intp, copy=False)
    if labels.size and labels.view(np.uintp).max() >= shape[-1]:  # negative ones are huge when read as unsigned
        wrong = labels[labels.view(np.uintp) >= shape[-1]]
        raise ValueError(f"`y_true` holds the label {wrong[0]}, but labels must be in 0..{shape[-1] - 1}")
    return np.arange(math.prod(shape[:-1])), labels, mask
