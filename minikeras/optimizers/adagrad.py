"""Adagrad: gradients divided by the root of the sum of all their squares."""

import numpy as np

from minikeras.optimizers.base import Optimizer, check_number


class Adagrad(Optimizer):
    """Large steps for what changes rarely; Duchi et al. 2011, section 1.1, with the diagonal of the matrix.

        a += g^2
        w -= learning_rate * g / sqrt(a + epsilon)

    Args:
        learning_rate: positive number.
        initial_accumulator_value: non-negative number, what ``a`` starts from.
        epsilon: non-negative number, inside of the root.
        further arguments: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.initial_accumulator_value = check_number(
            initial_accumulator_value, "initial_accumulator_value", "a non-negative number", lambda v: v >= 0
        )
        self.epsilon = check_number(epsilon, "epsilon", "a non-negative number, as 1e-7", lambda v: v >= 0)

    @property
    def slot_value(self):
        return self.initial_accumulator_value

    def slots(self):
        return ["accumulator"]

    def update(self, w, g, scratch, learning_rate, a):
        np.multiply(g, g, out=scratch)
        a += scratch
        np.add(a, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=scratch)
        scratch *= learning_rate
        w -= scratch
