"""Adafactor: a matrix of mean squares kept as its rows' means and its columns' means."""

import math

import numpy as np

from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.clipping import squared_norm
from minikeras.optimizers.numbers import check_number, non_negative, positive


class Adafactor(Optimizer):
    """Steps relative to the size of the weight; Shazeer & Stern 2018, algorithms 4 and 5.

        rho = min(learning_rate, 1 / sqrt(t));  beta = 1 - t^beta_2_decay          in step t = 1, 2, ...
        r = beta * r + (1 - beta) * mean(g^2 + epsilon_1, over the last axis)
        c = beta * c + (1 - beta) * mean(g^2 + epsilon_1, over the last axis but one)
        v = r * c / mean(r)                                                        for vectors as in `Adam`
        u = g / sqrt(v);  u /= max(1, rms(u) / clip_threshold)
        w -= max(epsilon_2, rms(w)) * rho * u

    As in Keras, v is kept although r and c say it all, so that no memory is saved.

    Args:
        learning_rate: positive number.
        beta_2_decay: negative number: how the averages' memory grows.
        epsilon_1: non-negative number, added to squares.
        epsilon_2: non-negative number: smallest size of a weight that steps are relative to.
        clip_threshold: positive number: largest root mean square of u.
        relative_step: of Keras; the formula takes the minimum with 1 / sqrt(t) in any case.
        further arguments: see `Optimizer`.
    """

    elementwise = False

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        *args,
        **kwargs,
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_2_decay = check_number(beta_2_decay, "beta_2_decay")
        self.epsilon_1 = non_negative(epsilon_1, "epsilon_1")
        self.epsilon_2 = non_negative(epsilon_2, "epsilon_2")
        self.clip_threshold = positive(clip_threshold, "clip_threshold")
        self.relative_step = relative_step

    def slots(self):
        return [("rows", "columns", "velocity")]

    def slot_start(self, name, variable):
        if name == "velocity":
            return 0.0
        if variable.ndim < 2:
            return np.zeros((), "int32")  # Keras' placeholder
        shape = variable.shape
        return np.zeros(shape[:-1] if name == "rows" else shape[:-2] + shape[-1:], variable.dtype)

    def slot_name(self, name, variable):
        return variable.name if name in ("rows", "columns") else super().slot_name(name, variable)

    def update(self, w, g, scratch, learning_rate, r, c, v):
        t = self.updates + 1
        beta = 1 - t**self.beta_2_decay
        np.multiply(g, g, out=scratch)
        scratch += self.epsilon_1
        if w.ndim < 2:
            v *= beta
            scratch *= 1 - beta
            v += scratch
        else:
            for means, axis in ((r, -1), (c, -2)):
                means *= beta
                means += (1 - beta) * scratch.mean(axis=axis)
            np.multiply((r / r.mean(axis=-1, keepdims=True))[..., None], c[..., None, :], out=v)

        rms = math.sqrt(squared_norm(w) / w.size)
        length = max(rms, self.epsilon_2) * min(learning_rate, 1 / math.sqrt(t))
        np.sqrt(v, out=scratch)
        np.divide(g, scratch, out=scratch)
        rms = math.sqrt(squared_norm(scratch) / w.size)
        scratch *= length / max(rms / self.clip_threshold, 1.0)  # NaN, as the first argument, is the maximum
        w -= scratch
