"""Muon: matrices move in all directions alike, other weights as Adam has them."""

import math
import re

import numpy as np

from minikeras.optimizers.adam import adam_step, approach
from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.clipping import squared_norm
from minikeras.optimizers.numbers import check_number, fraction, non_negative, number_or_none


class Muon(Optimizer):
    """Momentum made orthogonal by Newton and Schulz' iteration; Jordan et al. 2024, with Liu et al. 2025, section 2.2.

        m = momentum * m + g
        x = g + momentum * m                                            with nesterov, else m
        x /= norm(x) + 1e-7, then ns_steps times:
        x = muon_a * x + (muon_b * x x^T + muon_c * (x x^T)^2) x
        w -= learning_rate * sqrt(max(rows, columns)) * rms_rate * x

    That is for matrices. Other weights, embeddings and what is excluded are updated as `AdamW` does, with
    learning_rate * adam_lr_ratio. The last Dense layer is better excluded too.

    Args:
        learning_rate: positive number.
        adam_beta_1: Adam's beta_1.
        adam_beta_2: Adam's beta_2.
        adam_weight_decay: non-negative number or None, for the weights that Adam updates.
        epsilon: Adam's.
        exclude_layers: list of patterns: weights in whose path one is found are left to Adam.
        exclude_embeddings: whether weights with "embedding" in their path are left to Adam.
        muon_a: number in the iteration.
        muon_b: number in the iteration.
        muon_c: number in the iteration.
        adam_lr_ratio: positive number.
        momentum: number.
        ns_steps: number of iterations.
        nesterov: whether to look ahead.
        rms_rate: number, or None for steps that do not depend on the matrix's size.
        further arguments: see `Optimizer`; ``weight_decay`` is that of matrices.
    """

    elementwise = False

    def __init__(
        self,
        learning_rate=0.001,
        adam_beta_1=0.9,
        adam_beta_2=0.999,
        adam_weight_decay=0.004,
        epsilon=1e-7,
        weight_decay=0.004,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        exclude_layers=None,
        exclude_embeddings=True,
        muon_a=3.4445,
        muon_b=-4.7750,
        muon_c=2.0315,
        adam_lr_ratio=1,
        momentum=0.95,
        ns_steps=5,
        nesterov=True,
        rms_rate=0.2,
        **kwargs,
    ):
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.adam_beta_1 = fraction(adam_beta_1, "adam_beta_1")
        self.adam_beta_2 = fraction(adam_beta_2, "adam_beta_2")
        self.adam_weight_decay = number_or_none(
            adam_weight_decay, "adam_weight_decay", "a non-negative", lambda v: v >= 0
        )
        self.epsilon = non_negative(epsilon, "epsilon")
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = check_number(muon_a, "muon_a")
        self.muon_b = check_number(muon_b, "muon_b")
        self.muon_c = check_number(muon_c, "muon_c")
        self.adam_lr_ratio = non_negative(adam_lr_ratio, "adam_lr_ratio")
        self.momentum = check_number(momentum, "momentum")
        self.ns_steps = check_number(
            ns_steps, "ns_steps", "a non-negative integer", lambda v: isinstance(v, int) and v >= 0
        )
        self.nesterov = nesterov
        self.rms_rate = number_or_none(rms_rate, "rms_rate", "a", math.isfinite)

    def _uses_adam(self, variable):
        return (
            variable.ndim != 2
            or (self.exclude_embeddings and "embedding" in variable.path.lower())
            or any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        )

    def slots(self):
        return [("momentum", "velocity")]

    def slot_start(self, name, variable):
        return 0.0 if name == "momentum" or self._uses_adam(variable) else None

    def decay_of(self, variable):
        return self.adam_weight_decay if self._uses_adam(variable) else self.weight_decay

    def update(self, w, g, scratch, learning_rate, m, v):
        if v is None:
            m *= self.momentum
            m += g
            x = self.orthogonal(g + self.momentum * m if self.nesterov else m)
            scale = 1.0 if self.rms_rate is None else math.sqrt(max(w.shape)) * self.rms_rate
            np.multiply(x, learning_rate * scale, out=scratch)
        else:
            approach(m, g, 1 - self.adam_beta_1, scratch)
            approach(v, np.multiply(g, g, out=scratch), 1 - self.adam_beta_2, scratch)
            rate, betas = learning_rate * self.adam_lr_ratio, (self.adam_beta_1, self.adam_beta_2)
            adam_step(scratch, rate, m, v, *betas, self.epsilon, self.updates + 1)
        w -= scratch

    def orthogonal(self, x):
        """Return a matrix whose singular values are all near 1, and whose singular vectors are those of ``x``."""
        if x.shape[0] > x.shape[1]:
            return self.orthogonal(x.T).T
        x = x / (math.sqrt(squared_norm(np.ascontiguousarray(x))) + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.T
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x
