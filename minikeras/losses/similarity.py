"""Losses of similarity: between targets and predictions as vectors, and between the vectors of a batch."""

import numpy as np

from minikeras import config
from minikeras.losses import targets
from minikeras.losses.arguments import axes_of, check_axis, check_number
from minikeras.losses.base import Loss, floating, paired, quiet, weights_of


@quiet()
def cosine_similarity(y_true, y_pred, axis=-1):
    """loss = -sum_i t_i y_i / (|t| |y|), each divided by its length, at least eps"""
    check_axis(axis, several=True)
    y_true, y_pred = paired(y_true, y_pred)
    axes = axes_of(axis, y_pred.ndim)
    return -(_unit(y_true, axes)[0] * _unit(y_pred, axes)[0]).sum(axis=axes)


class CosineSimilarity(Loss):
    """Negative cosine of the angle between targets and predictions: -1 for the same direction, 0 for a right angle.

    loss = -sum_i t_i y_i / (|t| |y|), with lengths of at least eps

    Args:
        axis: the axis of the vectors. As in Keras, the config does not hold it.
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions: shape (batch, ..., k); the losses: (batch, ...), without the axis.
    """

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = self._axis = check_axis(axis, several=True)

    def get_config(self):
        settings = super().get_config()
        del settings["axis"]  # as Keras
        return settings

    def call(self, y_true, y_pred):
        return cosine_similarity(y_true, y_pred, self.axis)

    def _derivative(self, y_true, y_pred):
        """d loss/d y = (u (u . v) - v) / |y|, with u = y / |y| and v = t / |t|; -v / eps where |y| < eps"""
        y_true, y_pred = paired(y_true, y_pred)
        axes = axes_of(self.axis, y_pred.ndim)
        (u, scale), (v, _) = _unit(y_pred, axes), _unit(y_true, axes)
        cosine = (u * v).sum(axis=axes, keepdims=True) * (scale < 1 / config.epsilon())
        return (u * cosine - v) * scale

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)


def _unit(y, axes):
    """y / |y|, and 1 / |y|, at most 1 / eps"""
    scale = np.minimum(1 / np.sqrt(np.square(y).sum(axis=axes, keepdims=True)), 1 / config.epsilon())
    return y * scale, scale


@quiet()
def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """loss_i = log(1 + sum_j exp(g (d_ij + m) (d_ij - m)) sum_l exp(g max(1 + m - d_il, 0) (1 - m - d_il)))

    See `Circle`. The vectors are compared with ``ref_embeddings``, whose labels are ``ref_labels``, or each other.
    """
    y_pred = floating(y_pred)
    labels = y_true if ref_labels is None else ref_labels
    embeddings = y_pred if ref_embeddings is None else np.asarray(ref_embeddings, y_pred.dtype)
    distances = np.maximum(1 - y_pred @ embeddings.T, 0)
    same, other = _pairs(y_true, labels, remove_diagonal)
    near, far = _logits(distances, gamma, margin)
    return np.logaddexp(0, _log_sum_exp(near, same)[0] + _log_sum_exp(far, other)[0])


class Circle(Loss):
    """Pulls vectors of one class together and those of different classes apart, the more the farther off a pair is.

    loss_i = log(1 + sum_j exp(g (d_ij + m) (d_ij - m)) sum_l exp(g max(1 + m - d_il, 0) (1 - m - d_il))), with the
    distances d_ij = max(1 - y_i . y_j, 0), j the others of i's class and l those of other classes

    Losses of 0, as those of a class that is alone in the batch, do not count in means.

    Args:
        gamma: g, the scale.
        margin: m.
        remove_diagonal: whether a vector is left out of its own class.
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets, integers: shape (batch,) or (batch, 1); predictions, vectors of length 1 (as after UnitNormalization):
    (batch, k); the losses: (batch,).

    Reference: Sun et al., Circle loss, 2020 (arXiv:2002.10857), section 3.
    """

    def __init__(
        self, gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None
    ):
        super().__init__(name, reduction, dtype)
        self.gamma = check_number(gamma, "gamma")
        self.margin = check_number(margin, "margin")
        self.remove_diagonal = remove_diagonal

    def _prepare(self, y_true, y_pred):
        return np.asarray(y_true), np.asarray(y_pred, self.dtype)  # labels stay integers

    def call(self, y_true, y_pred):
        return circle(y_true, y_pred, None, None, self.remove_diagonal, self.gamma, self.margin)

    def gradient(self, y_true, y_pred):
        return self.weighted_gradient(y_true, y_pred)

    @quiet()
    def weighted_gradient(self, y_true, y_pred, sample_weight=None):
        """Return the derivative of the reduced loss by y_pred; each loss depends on all vectors of the batch.

        With s_i the sigmoid of the sum of both logarithms, and a_ij and b_il the shares (softmax) of a pair in its sum:
        d loss_i/d d_ij = 2 g s_i a_ij d_ij, d loss_i/d d_il = -2 g s_i b_il (1 - d_il) where d_il < 1 + m, else 0
        """
        y_true, y = self._prepare(y_true, y_pred)
        weights = None if sample_weight is None else weights_of(sample_weight, y.shape[:1], y.dtype)
        scale = 1 / (self._divisor(y_true, y, y.shape[:1], weights) or np.inf)
        similarity = y @ y.T
        distances = np.maximum(1 - similarity, 0)
        near, far = _logits(distances, self.gamma, self.margin)
        same, other = _pairs(y_true, y_true, self.remove_diagonal)
        (near_sum, near_share), (far_sum, far_share) = _log_sum_exp(near, same), _log_sum_exp(far, other)
        scale = np.asarray(scale, y.dtype) * (0.5 * np.tanh(0.5 * (near_sum + far_sum)) + 0.5)
        if weights is not None:
            scale = scale * weights
        slope = near_share * distances * np.heaviside(distances + self.margin, 0.5)
        slope -= far_share * (1 - distances) * np.heaviside(1 + self.margin - distances, 0.5)
        slope *= -2 * self.gamma * np.heaviside(1 - similarity, 0.5) * scale[:, None]  # now by the similarities
        return slope @ y + slope.T @ y

    def _mask(self, y_true, y_pred):
        return self.call(y_true, y_pred) > 0

    def check_targets(self, y, output_shape, layer):
        targets.check_vectors_labels(y, output_shape, layer)


def _logits(distances, gamma, margin):
    """g (d + m) (d - m) for pairs of one class, g (1 + m - d) (1 - m - d) for others; the first factors at least 0."""
    near = gamma * np.maximum(distances + margin, 0) * (distances - margin)
    return near, gamma * np.maximum(1 + margin - distances, 0) * (1 - margin - distances)


def _pairs(labels, others, remove_diagonal):
    """Which pairs are of one class, and which are not."""
    first, second = (np.asarray(array).astype(np.int64).ravel() for array in (labels, others))
    same = first[:, None] == second
    positive = same & ~np.eye(*same.shape, dtype=bool) if remove_diagonal else same
    return positive, ~same


def _log_sum_exp(values, where):
    """log sum_j exp(v_j) over ``where`` in each row (-inf for an empty one), and each share of the sum."""
    values = np.where(where, values, -np.inf)
    top = values.max(axis=1, keepdims=True)
    top[np.isneginf(top)] = 0
    shares = np.exp(values - top)
    total = shares.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], shares / np.where(total == 0, 1, total)
