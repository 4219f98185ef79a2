"""Lion: every weight moves by the learning rate, only the direction is learned."""

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.numbers import check_number, fraction


class Lion(Optimizer):
    """The sign of a mean of gradients; Chen et al. 2023, algorithm 2.

        w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)
        m = beta_2 * m + (1 - beta_2) * g

    Args:
        learning_rate: positive number, about a tenth of Adam's.
        beta_1: the mean's part in the step, in (0, 1].
        beta_2: how much of the mean remains at each step, in [0, 1).
        further arguments: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = check_number(beta_1, "beta_1", "a number in (0, 1]", lambda v: 0 < v <= 1)
        self.beta_2 = fraction(beta_2, "beta_2")

    def slots(self):
        return ["momentum"]

    scratches = 2

    def update(self, w, g, scratch, learning_rate, m):
        step, scratch = scratch
        np.multiply(m, self.beta_1, out=step)
        np.multiply(g, 1 - self.beta_1, out=scratch)
        step += scratch
        np.sign(step, out=step)
        step *= learning_rate
        w -= step
        np.multiply(g, 1 - self.beta_2, out=scratch)
        m *= self.beta_2
        m += scratch
