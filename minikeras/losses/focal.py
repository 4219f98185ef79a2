"""Focal losses: crossentropies in which samples that are already right weigh little.

Letters: y the predictions, p the probabilities made of them, t the targets, k classes or outputs on the axis, a and g
for alpha and gamma. Reference: Lin et al., Focal loss for dense object detection, 2017 (arXiv:1708.02002), section 3.
"""

import numpy as np

from minikeras.losses import targets
from minikeras.losses.arguments import axes_of, check_axis, check_number, check_smoothing, count_along
from minikeras.losses.base import Loss, paired, quiet
from minikeras.losses.crossentropy import clip, log_softmax, normalized, smooth


@quiet()
def binary_focal_crossentropy(
    y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """loss = mean_i -w_i (1 - q_i)^g (t_i log p_i + (1 - t_i) log(1 - p_i)), q_i = t_i y_i + (1 - t_i) (1 - y_i)"""
    check_axis(axis, several=True)
    y_true, y_pred = paired(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    y_pred = _sigmoid(y_pred) if from_logits else y_pred
    losses = np.power(_rest(y_true, y_pred), gamma) * _binary_crossentropy(y_true, clip(y_pred))
    if apply_class_balancing:
        losses *= _balance(y_true, alpha)
    return losses.mean(axis=axes_of(axis, losses.ndim))


class BinaryFocalCrossentropy(Loss):
    """Crossentropy of independent yes/no outputs, where what is far from right counts more.

    loss = mean_i -w_i (1 - q_i)^g (t_i log p_i + (1 - t_i) log(1 - p_i)), with y the probabilities (sigmoid(y) from
    logits), p = y clipped to [eps, 1 - eps], and q_i = t_i y_i + (1 - t_i) (1 - y_i), that of the right answer

    Args:
        apply_class_balancing: whether w_i = t_i a + (1 - t_i) (1 - a) rather than 1.
        alpha: a, the weight of the class 1; 1 - a is that of 0.
        gamma: g, at least 0: how little easy samples count.
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
        self, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
        reduction="sum_over_batch_size", name="binary_focal_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = check_number(alpha, "alpha")
        self.gamma = check_number(gamma, "gamma", low=0)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = self._axis = check_axis(axis, several=True)

    def call(self, y_true, y_pred):
        return binary_focal_crossentropy(
            y_true, y_pred, self.apply_class_balancing, self.alpha, self.gamma, self.from_logits, self.label_smoothing,
            self.axis,
        )  # fmt: skip

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = w_i ((1 - q_i)^g d c_i/d y_i - g (1 - q_i)^(g - 1) (2 t_i - 1) c_i) / k

        Here c is the crossentropy, whose derivative (p_i - t_i) / (p_i (1 - p_i)) is 0 where clipped; by logits the
        whole times y_i (1 - y_i).
        """
        y_true, y_pred = paired(y_true, y_pred)
        y_true = smooth(y_true, self.label_smoothing, 2)
        y = _sigmoid(y_pred) if self.from_logits else y_pred
        p, rest = clip(y), _rest(y_true, y)
        # where the answer is right and certain, (1 - q)^(g - 1) may be infinite, but the product tends to 0
        falling = np.power(rest, self.gamma - 1, out=np.zeros_like(rest), where=rest != 0)
        slope = np.power(rest, self.gamma) * (p - y_true) / (p * (1 - p)) * (p == y)
        slope -= self.gamma * falling * (2 * y_true - 1) * _binary_crossentropy(y_true, p)
        if self.apply_class_balancing:
            slope *= _balance(y_true, self.alpha)
        if self.from_logits:
            slope *= y * (1 - y)
        return slope * (1 / count_along(y.shape, self.axis))

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)
        targets.check_binary_range(y)


@quiet()
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """loss = sum_i -a (1 - p_i)^g t_i log p_i, p = y / sum_j y_j or softmax(y), clipped to [eps, 1 - eps]"""
    check_axis(axis)
    y_true, y_pred = paired(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, y_pred.shape[-1])
    p = clip(_probabilities(y_pred, from_logits, axis)[0])
    weights = np.asarray(alpha, y_pred.dtype) * np.power(1 - p, gamma)
    return -(weights * y_true * np.log(p)).sum(axis=axis)


class CategoricalFocalCrossentropy(Loss):
    """Crossentropy of classes that exclude each other, with one-hot (or soft) targets, where what is far from right
    counts more.

    loss = sum_i -a (1 - p_i)^g t_i log p_i, with p = y / sum_j y_j, or p = softmax(y), clipped to [eps, 1 - eps]

    Args:
        alpha: a, a number, or one for each class.
        gamma: g, at least 0: how little easy samples count.
        from_logits: whether predictions are logits (any real number) or probabilities.
        label_smoothing: s in [0, 1): the targets become t (1 - s) + s / k.
        axis: the axis of the classes.
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...), without the axis of the classes.
    """

    def __init__(
        self, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
        reduction="sum_over_batch_size", name="categorical_focal_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        for number in alpha if isinstance(alpha, (list, tuple, np.ndarray)) else [alpha]:
            check_number(number, "alpha")
        self.alpha = alpha.tolist() if isinstance(alpha, np.ndarray) else alpha
        self.gamma = check_number(gamma, "gamma", low=0)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = self._axis = check_axis(axis)

    def call(self, y_true, y_pred):
        return categorical_focal_crossentropy(
            y_true, y_pred, self.alpha, self.gamma, self.from_logits, self.label_smoothing, self.axis
        )

    def _derivative(self, y_true, y_pred):
        """d loss/d y_j = (s_j - sum_i s_i p_i) / sum y, or by logits p_j (s_j - sum_i s_i p_i), with
        s_i = d loss/d p_i = a t_i (g (1 - p_i)^(g - 1) log p_i - (1 - p_i)^g / p_i), 0 where clipped"""
        y_true, y_pred = paired(y_true, y_pred)
        p, total = _probabilities(y_pred, self.from_logits, self.axis)
        clipped = clip(p)
        rest = 1 - clipped
        slope = self.gamma * np.power(rest, self.gamma - 1) * np.log(clipped) - np.power(rest, self.gamma) / clipped
        slope *= smooth(y_true, self.label_smoothing, y_pred.shape[-1]) * np.asarray(self.alpha, p.dtype)
        slope *= clipped == p
        slope -= (slope * p).sum(axis=self.axis, keepdims=True)
        return slope * p if self.from_logits else slope / total

    def check_targets(self, y, output_shape, layer):
        targets.check_probabilities(self, y, output_shape, layer)


def _sigmoid(y):
    return 1 / (1 + np.exp(-y))  # exact near 0; what overflows is 0


def _rest(y_true, y):
    """1 - q, with q the probability of the right answer"""
    return 1 - (y_true * y + (1 - y_true) * (1 - y))


def _balance(y_true, alpha):
    return y_true * alpha + (1 - y_true) * (1 - alpha)


def _binary_crossentropy(y_true, p):
    return (y_true - 1) * np.log1p(-p) - y_true * np.log(p)


def _probabilities(y_pred, from_logits, axis):
    """The probabilities, not clipped, and what they were divided by."""
    return normalized(np.exp(log_softmax(y_pred, axis)) if from_logits else y_pred, axis)
