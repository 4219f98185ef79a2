"""RMSprop: gradients divided by the root of their mean square of late."""

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.numbers import check_number, non_negative


class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square; Tieleman & Hinton 2012, lecture 6.5 of "Neural Networks".

        v = rho * v + (1 - rho) * g^2
        a = rho * a + (1 - rho) * g                                     centered; else a = 0
        d = learning_rate * g / sqrt(v - a^2 + epsilon)
        m = momentum * m + d;  w -= m                                   without momentum: w -= d

    Args:
        learning_rate: positive number.
        rho: how much of the averages remains at each step, in [0, 1].
        momentum: non-negative number.
        epsilon: non-negative number, inside of the root.
        centered: whether to divide by the running standard deviation instead.
        further arguments: see `Optimizer`.
    """

    def __init__(
        self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, *args, **kwargs
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = check_number(rho, "rho", "a number in [0, 1]", lambda v: 0 <= v <= 1)
        self.momentum = non_negative(momentum, "momentum")
        self.epsilon = non_negative(epsilon, "epsilon")
        self.centered = centered

    def slots(self):
        return ["velocity"] + ["momentum"] * bool(self.momentum) + ["average_gradient"] * bool(self.centered)

    def update(self, w, g, scratch, learning_rate, v, *others):
        others = list(others)
        m = others.pop(0) if self.momentum else None
        a = others.pop(0) if self.centered else None

        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.rho
        v *= self.rho
        v += scratch
        if a is None:
            np.add(v, self.epsilon, out=scratch)
        else:
            np.multiply(g, 1 - self.rho, out=scratch)
            a *= self.rho
            a += scratch
            np.multiply(a, a, out=scratch)
            np.subtract(v, scratch, out=scratch)
            scratch += self.epsilon
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=scratch)
        scratch *= learning_rate
        if m is None:
            w -= scratch
        else:
            m *= self.momentum
            m += scratch
            w -= m
