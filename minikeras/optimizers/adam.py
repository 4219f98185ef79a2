"""Adam and AdamW: running means of the gradient and of its square, corrected for their start at 0."""

import math

import numpy as np

from minikeras.optimizers.base import Optimizer, check_number


class Adam(Optimizer):
    """Adaptive moments; Kingma & Ba 2014, in the order of computation given just before section 2.1.

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g^2
        alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)     in step t = 1, 2, ...
        w -= alpha * m / (sqrt(v) + epsilon)

    Args:
        learning_rate: positive number.
        beta_1: how much of the mean remains at each step, in [0, 1).
        beta_2: how much of the mean square remains at each step, in [0, 1).
        epsilon: non-negative number: the paper's "epsilon hat" rather than the one of its Algorithm 1.
        amsgrad: whether to divide by the largest v so far; Reddi et al. 2018, algorithm 2.
        further arguments: see `Optimizer`.
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, *args, **kwargs
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = check_number(beta_1, "beta_1", "a number in [0, 1)", lambda v: 0 <= v < 1)
        self.beta_2 = check_number(beta_2, "beta_2", "a number in [0, 1)", lambda v: 0 <= v < 1)
        self.epsilon = check_number(epsilon, "epsilon", "a non-negative number, as 1e-7", lambda v: v >= 0)
        self.amsgrad = amsgrad

    def slots(self):
        return [("momentum", "velocity")] + ["velocity_hat"] * bool(self.amsgrad)

    def update(self, w, g, scratch, learning_rate, m, v, v_hat=None):
        t = self.iterations + 1
        alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)

        np.multiply(g, 1 - self.beta_1, out=scratch)
        m *= self.beta_1
        m += scratch

        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.beta_2
        v *= self.beta_2
        v += scratch
        if v_hat is not None:
            v = np.maximum(v_hat, v, out=v_hat)

        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(m, scratch, out=scratch)
        scratch *= alpha
        w -= scratch


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: w -= w * weight_decay * learning_rate, then as `Adam`.

    Loshchilov & Hutter 2017, algorithm 2. As in Keras, every optimizer's ``weight_decay`` is of this kind; AdamW has
    a default for it.

    Args:
        learning_rate: positive number.
        weight_decay: non-negative number.
        further arguments: see `Adam` and `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        *args,
        **kwargs,
    ):
        check_number(weight_decay, "weight_decay", "a non-negative number", lambda v: v >= 0)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *args, **kwargs)
