"""Schedule-free learning: the weights are a mean over all steps, so that the learning rate need not go down."""

import math

import numpy as np

from minikeras.optimizers.adam import Moments, approach
from minikeras.optimizers.numbers import non_negative


class ScheduleFreeAdamW(Moments):
    """AdamW on weights apart, ``m``, whose mean the model has; after Defazio et al. 2024, algorithm 1.

        v = beta_2 * v + (1 - beta_2) * g^2
        m -= learning_rate * min(1, t / warmup_steps) * g / (sqrt(v / (1 - beta_2^t)) + epsilon)   in step t = 1, 2, ...
        w = (1 - 1 / t) * w + m / t

    This is what Keras computes with PyTorch. In the paper gradients are taken between the mean and ``m``, a part
    1 - beta_1 of the way; Keras' formula for it uses the new ``m`` where it means the old one, so that beta_1 cancels.

    Args:
        learning_rate: positive number.
        beta_1: of Keras, without effect.
        beta_2: how much of the mean square remains at each step, in [0, 1).
        epsilon: non-negative number.
        warmup_steps: number of steps in which the learning rate grows from 0.
        further arguments: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0, *args, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, *args, **kwargs)
        self.warmup_steps = non_negative(warmup_steps, "warmup_steps")

    def slot_start(self, name, variable):
        return variable.value if name == "momentum" else 0.0

    def update(self, w, g, scratch, learning_rate, m, v):
        t = self.updates + 1
        beta_2 = float(w.dtype.type(self.beta_2))  # 1 - 0.999 has four digits in single precision: the same four
        if self.warmup_steps > 0:
            learning_rate *= min(t / self.warmup_steps, 1.0)
        approach(v, np.multiply(g, g, out=scratch), 1 - beta_2, scratch)
        np.sqrt(v, out=scratch)
        scratch /= math.sqrt(1 - beta_2**t)
        scratch += self.epsilon
        np.divide(g, scratch, out=scratch)
        scratch *= learning_rate
        m -= scratch
        np.subtract(m, w, out=scratch)
        scratch /= t
        w += scratch
