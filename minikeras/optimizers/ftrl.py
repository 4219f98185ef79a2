"""FTRL: weights computed anew in each step from all gradients, with many exact zeros."""

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.numbers import check_number, non_negative


class Ftrl(Optimizer):
    """Follow the regularized leader; McMahan et al. 2013, algorithm 1, with Keras' further settings.

        p = -learning_rate_power
        n' = n + g^2
        z += g + 2 * l2_shrinkage * w - (n'^p - n^p) / learning_rate * w
        w = (clip(z, -l1, l1) - z) / (n'^p / learning_rate + 2 * (l2 + beta / (2 * learning_rate)))
        n = n'

    Args:
        learning_rate: positive number.
        learning_rate_power: number, at most 0: how fast steps become shorter; 0 for never.
        initial_accumulator_value: non-negative number, what n starts from.
        l1_regularization_strength: non-negative number: makes weights exactly 0.
        l2_regularization_strength: non-negative number: holds weights back.
        l2_shrinkage_regularization_strength: non-negative number: a penalty on the size of weights.
        beta: number, the paper's.
        further arguments: see `Optimizer`.
    """

    scratches = 2

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        *args,
        **kwargs,
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.learning_rate_power = check_number(
            learning_rate_power, "learning_rate_power", "a number of at most 0, as -0.5", lambda v: v <= 0
        )
        self.initial_accumulator_value = non_negative(initial_accumulator_value, "initial_accumulator_value")
        self.l1_regularization_strength = non_negative(l1_regularization_strength, "l1_regularization_strength")
        self.l2_regularization_strength = non_negative(l2_regularization_strength, "l2_regularization_strength")
        self.l2_shrinkage_regularization_strength = non_negative(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength"
        )
        self.beta = check_number(beta, "beta")

    def slots(self):
        return [("accumulator", "linear")]

    def slot_start(self, name, variable):
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def update(self, w, g, scratch, learning_rate, n, z):
        rate = w.dtype.type(learning_rate)  # 0 divides to infinity, as in Keras
        power = -self.learning_rate_power
        before, scratch = scratch
        _raise(n, power, before)
        np.multiply(g, g, out=scratch)
        n += scratch
        _raise(n, power, scratch)
        np.subtract(scratch, before, out=before)
        before /= rate
        before *= w
        z -= before
        z += g
        if self.l2_shrinkage_regularization_strength:
            np.multiply(w, 2 * self.l2_shrinkage_regularization_strength, out=before)
            z += before

        scratch /= rate
        scratch += 2 * (self.l2_regularization_strength + self.beta / (2 * rate))
        np.maximum(z, -self.l1_regularization_strength, out=w)
        np.minimum(w, self.l1_regularization_strength, out=w)
        w -= z
        w /= scratch


def _raise(x, power, out):
    """The root is more exact, and the difference of two such powers has few digits to lose."""
    if power == 0.5:
        np.sqrt(x, out=out)
    else:
        np.power(x, power, out=out)
