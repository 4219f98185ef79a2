"""Adagrad and Adadelta: gradients divided by the root of their squares, summed up or averaged."""

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.numbers import check_number, non_negative


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
        self.initial_accumulator_value = non_negative(initial_accumulator_value, "initial_accumulator_value")
        self.epsilon = non_negative(epsilon, "epsilon")

    def slots(self):
        return ["accumulator"]

    def slot_start(self, name, variable):
        return self.initial_accumulator_value

    def update(self, w, g, scratch, learning_rate, a):
        np.multiply(g, g, out=scratch)
        a += scratch
        np.add(a, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=scratch)
        scratch *= learning_rate
        w -= scratch


class Adadelta(Optimizer):
    """Steps as long as the ones before; Zeiler 2012, algorithm 1, where learning_rate is 1.

        a = rho * a + (1 - rho) * g^2
        delta = g * sqrt(d + epsilon) / sqrt(a + epsilon)
        d = rho * d + (1 - rho) * delta^2
        w -= learning_rate * delta

    Args:
        learning_rate: positive number.
        rho: how much of the averages remains at each step, in [0, 1].
        epsilon: non-negative number, inside of the roots.
        further arguments: see `Optimizer`.
    """

    scratches = 2

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = check_number(rho, "rho", "a number in [0, 1]", lambda v: 0 <= v <= 1)
        self.epsilon = non_negative(epsilon, "epsilon")

    def slots(self):
        return [("accumulated_grad", "accumulated_delta_var")]

    def update(self, w, g, scratch, learning_rate, a, d):
        delta, scratch = scratch
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.rho
        a *= self.rho
        a += scratch

        np.add(d, self.epsilon, out=delta)
        np.sqrt(delta, out=delta)
        delta *= g
        np.add(a, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        delta /= scratch

        np.multiply(delta, delta, out=scratch)
        scratch *= 1 - self.rho
        d *= self.rho
        d += scratch
        delta *= learning_rate
        w -= delta
