"""Gradient descent, with momentum."""

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.numbers import check_number


class SGD(Optimizer):
    """Stochastic gradient descent.

        w -= learning_rate * g                                          without momentum
        m = momentum * m - learning_rate * g;  w += m                   with momentum
        m = momentum * m - learning_rate * g;  w += momentum * m - learning_rate * g      with nesterov

    Args:
        learning_rate: positive number.
        momentum: number in [0, 1].
        nesterov: whether to look ahead; Sutskever et al. 2013, section 2.
        further arguments: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.momentum = check_number(momentum, "momentum", "a number in [0, 1]", lambda v: 0 <= v <= 1)
        self.nesterov = nesterov

    def slots(self):
        return ["momentum"] if self.momentum else []

    def update(self, w, g, scratch, learning_rate, m=None):
        np.multiply(g, learning_rate, out=scratch)
        if m is None:
            w -= scratch
            return
        m *= self.momentum
        m -= scratch
        if self.nesterov:
            w -= scratch
            np.multiply(m, self.momentum, out=scratch)
            w += scratch
        else:
            w += m
