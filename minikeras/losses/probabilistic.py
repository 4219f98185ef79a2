"""Losses of distributions: divergence, Poisson, and a crossentropy that bears wrong labels.

Letters: y the predictions, t the targets, k classes or outputs on the last axis.
"""

import numpy as np

from minikeras import config
from minikeras.losses import targets
from minikeras.losses.base import Loss, floating, paired, quiet
from minikeras.losses.crossentropy import classes_last, indices


@quiet()
def kl_divergence(y_true, y_pred):
    """loss = sum_i t_i log(t_i / y_i), both clipped to [eps, 1]"""
    y_true, y_pred = _clipped(*paired(y_true, y_pred))
    return (y_true * np.log(y_true / y_pred)).sum(axis=-1)


class KLDivergence(Loss):
    """Kullback-Leibler divergence of the targets' distribution from the predicted one.

    loss = sum_i t_i log(t_i / y_i), both clipped to [eps, 1]

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions, probabilities: shape (batch, ..., k); the losses: (batch, ...).
    """

    axis = -1

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return kl_divergence(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = -t_i / y_i, 0 where y_i is clipped"""
        y_true, y_pred = paired(y_true, y_pred)
        t, y = _clipped(y_true, y_pred)
        return (y == y_pred) * -t / y

    def check_targets(self, y, output_shape, layer):
        targets.check_probabilities(self, y, output_shape, layer)


def _clipped(*arrays):
    """Within [eps, 1]."""
    return (np.clip(array, config.epsilon(), 1) for array in arrays)


@quiet()
def poisson(y_true, y_pred):
    """loss = mean_i y_i - t_i log(y_i + eps)"""
    y_true, y_pred = paired(y_true, y_pred)
    return (y_pred - y_true * np.log(y_pred + config.epsilon())).mean(axis=-1)


class Poisson(Loss):
    """Negative log-likelihood of counts whose predicted mean is y, up to what only depends on the targets.

    loss = mean_i y_i - t_i log(y_i + eps)

    Args:
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets and predictions, not negative (as after activation="exponential" or "softplus"): shape (batch, ..., k); the
    losses: (batch, ...).
    """

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return poisson(y_true, y_pred)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = (1 - t_i / (y_i + eps)) / k"""
        y_true, y_pred = paired(y_true, y_pred)
        return (1 - y_true / (y_pred + config.epsilon())) * (1 / y_pred.shape[-1])

    def check_targets(self, y, output_shape, layer):
        targets.check_elementwise(y, output_shape, layer)


@quiet()
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """loss = (1 - y_t^q) / q"""
    y_true, y_pred = classes_last(y_true, floating(y_pred), -1)
    rows, labels, _ = indices(y_true, y_pred.shape, None)
    p = y_pred.reshape(-1, y_pred.shape[-1])[rows, labels]
    return ((1 - np.power(p, q)) / q).reshape(y_pred.shape[:-1])


class CategoricalGeneralizedCrossEntropy(Loss):
    """Between crossentropy (q to 0) and absolute error (q to 1): some wrong labels do less harm.

    loss = (1 - y_t^q) / q

    Args:
        q: number in (0, 1).
        reduction: see `Loss`.
        name: string.
        dtype: see `Loss`.

    Targets, integers 0..k-1: shape (batch, ...) or (batch, ..., 1); predictions, probabilities: (batch, ..., k); the
    losses: (batch, ...).

    Reference: Zhang & Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels, 2018
    (arXiv:1805.07836), section 3.2.
    """

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        if isinstance(q, bool) or not isinstance(q, (int, float, np.number)) or not 0 < q < 1:
            raise ValueError(f"`q` must be a number between 0 and 1, as 0.5. Received: q={q!r}")
        super().__init__(name, reduction, dtype)
        self.q = q

    def _prepare(self, y_true, y_pred):
        return np.asarray(y_true), np.asarray(y_pred, self.dtype)  # labels stay integers

    def call(self, y_true, y_pred):
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_j = -[j = t] y_t^(q - 1), at most eps^(q - 1): Keras' is infinite at 0"""
        rows, labels, _ = indices(y_true, y_pred.shape, None)
        gradient = np.zeros((len(rows), y_pred.shape[-1]), y_pred.dtype)
        p = y_pred.reshape(gradient.shape)[rows, labels]
        gradient[rows, labels] = -np.power(np.maximum(p, config.epsilon()), self.q - 1)
        return gradient.reshape(y_pred.shape)

    def check_targets(self, y, output_shape, layer):
        targets.check_sparse(y, output_shape, layer)
