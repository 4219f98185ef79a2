"""Adam and its relatives: running means of the gradient and of its size, corrected for their start at 0."""

import math

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.clipping import squared_norm
from minikeras.optimizers.numbers import fraction, non_negative


def follow(g, scratch, m, v, beta_1, beta_2):
    """Let the means of gradients and of their squares follow."""
    np.multiply(g, 1 - beta_1, out=scratch)
    m *= beta_1
    m += scratch

    np.multiply(g, g, out=scratch)
    scratch *= 1 - beta_2
    v *= beta_2
    v += scratch


def approach(mean, value, part, scratch):
    """mean += (value - mean) * part; ``value`` may be ``scratch``. As `follow`, but what is infinite becomes NaN."""
    np.subtract(value, mean, out=scratch)
    scratch *= part
    mean += scratch


def adam_step(scratch, learning_rate, m, v, beta_1, beta_2, epsilon, t):
    """Write step ``t`` of Adam, which is to be subtracted from the weights, to ``scratch``."""
    np.sqrt(v, out=scratch)
    scratch += epsilon
    np.divide(m, scratch, out=scratch)
    scratch *= learning_rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)


class Moments(Optimizer):
    """Base class of those with a mean of gradients, ``m``, and a mean of their size, ``v``.

    Args:
        learning_rate: positive number.
        beta_1: how much of the mean remains at each step, in [0, 1).
        beta_2: how much of the mean size remains at each step, in [0, 1).
        epsilon: non-negative number that keeps a denominator away from 0.
        further arguments: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = fraction(beta_1, "beta_1")
        self.beta_2 = fraction(beta_2, "beta_2")
        self.epsilon = non_negative(epsilon, "epsilon")

    def slots(self):
        return [("momentum", "velocity")]


class Adam(Moments):
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
        super().__init__(learning_rate, beta_1, beta_2, epsilon, *args, **kwargs)
        self.amsgrad = amsgrad

    def slots(self):
        return [("momentum", "velocity")] + ["velocity_hat"] * bool(self.amsgrad)

    def update(self, w, g, scratch, learning_rate, m, v, v_hat=None):
        follow(g, scratch, m, v, self.beta_1, self.beta_2)
        if v_hat is not None:
            v = np.maximum(v_hat, v, out=v_hat)
        adam_step(scratch, learning_rate, m, v, self.beta_1, self.beta_2, self.epsilon, self.updates + 1)
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
        non_negative(weight_decay, "weight_decay")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *args, **kwargs)


class Adamax(Moments):
    """Adam with the largest gradient of late in place of the mean square; Kingma & Ba 2014, algorithm 2.

        m = beta_1 * m + (1 - beta_1) * g
        u = max(beta_2 * u, |g|)
        w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)         in step t = 1, 2, ...

    Args:
        learning_rate: positive number.
        beta_1: how much of the mean remains at each step, in [0, 1).
        beta_2: how much of the largest gradient remains at each step, in [0, 1).
        epsilon: non-negative number.
        further arguments: see `Optimizer`.
    """

    def slots(self):
        return [("momentum", "norm")]

    def update(self, w, g, scratch, learning_rate, m, u):
        np.multiply(g, 1 - self.beta_1, out=scratch)
        m *= self.beta_1
        m += scratch
        np.abs(g, out=scratch)
        u *= self.beta_2
        np.maximum(u, scratch, out=u)
        np.add(u, self.epsilon, out=scratch)
        np.divide(m, scratch, out=scratch)
        scratch *= learning_rate / (1 - self.beta_1 ** (self.updates + 1))
        w -= scratch


class Nadam(Moments):
    """Adam that looks ahead; Dozat 2015, algorithm 2 with the schedule of its section 3.

        u[t] = beta_1 * (1 - 0.96^t / 2);  p[t] = u[1] * ... * u[t]     in step t = 1, 2, ...
        m, v as in `Adam`
        m_hat = u[t+1] * m / (1 - p[t+1]) + (1 - u[t]) * g / (1 - p[t])
        w -= learning_rate * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:
        learning_rate: positive number.
        beta_1: how much of the mean remains at each step, in [0, 1).
        beta_2: how much of the mean square remains at each step, in [0, 1).
        epsilon: non-negative number.
        further arguments: see `Optimizer`.
    """

    scratches = 2

    def scalars(self):
        return {"u_product": 1.0}

    def prepare(self):
        self.scalar["u_product"].value *= self._u(self.updates + 1)

    def _u(self, t):
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def update(self, w, g, scratch, learning_rate, m, v):
        t = self.updates + 1
        product = float(self.scalar["u_product"])
        step, scratch = scratch
        follow(g, scratch, m, v, self.beta_1, self.beta_2)
        np.multiply(m, self._u(t + 1) / (1 - product * self._u(t + 1)), out=step)
        np.multiply(g, (1 - self._u(t)) / (1 - product), out=scratch)
        step += scratch
        np.divide(v, 1 - self.beta_2**t, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        step /= scratch
        step *= learning_rate
        w -= step


class Lamb(Moments):
    """Adam whose step is as long as learning_rate times the weight; You et al. 2019, algorithm 2.

        m, v as in `Adam`
        step = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)      in step t = 1, 2, ...
        w -= learning_rate * norm(w) / norm(step) * step                      without the ratio if a norm is 0

    The norms are those of each weight of a layer by itself.

    Args:
        learning_rate: positive number.
        beta_1: how much of the mean remains at each step, in [0, 1).
        beta_2: how much of the mean square remains at each step, in [0, 1).
        epsilon: non-negative number.
        further arguments: see `Optimizer`.
    """

    elementwise = False

    def update(self, w, g, scratch, learning_rate, m, v):
        t = self.updates + 1
        approach(m, g, 1 - self.beta_1, scratch)
        approach(v, np.multiply(g, g, out=scratch), 1 - self.beta_2, scratch)
        np.divide(v, 1 - self.beta_2**t, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        np.divide(m, scratch, out=scratch)
        scratch /= 1 - self.beta_1**t
        lengths = math.sqrt(squared_norm(w)), math.sqrt(squared_norm(scratch))
        scratch *= learning_rate * (lengths[0] / lengths[1] if lengths[0] > 0 and lengths[1] > 0 else 1.0)
        w -= scratch
