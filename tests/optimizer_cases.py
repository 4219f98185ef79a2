"""What the tests of optimizers share: arguments of every optimizer, weights of several shapes, gradients."""

import numpy as np

from minikeras import optimizers
from minikeras.variable import Variable

SHAPES = {"kernel": (3, 2, 4), "bias": (4,), "scale": (), "big": (23, 7), "conv": (3, 3, 2, 4), "wide": (3, 5)}

# Every argument of every class with another value than its default, but for those that all optimizers share.
CASES = {
    "SGD": [{}, {"learning_rate": 0.1, "momentum": 0.9}, {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}],
    "RMSprop": [
        {},
        {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3},
        {"learning_rate": 0.01, "centered": True},
        {"momentum": 0.9, "centered": True},
    ],
    "Adagrad": [{}, {"learning_rate": 0.5, "initial_accumulator_value": 0.3, "epsilon": 1e-2}],
    "Adadelta": [{}, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}],
    "Adam": [
        {},
        {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2},
        {"learning_rate": 0.05, "beta_2": 0.5, "amsgrad": True},
    ],
    "AdamW": [
        {},
        {"learning_rate": 0.1, "weight_decay": 0.2, "amsgrad": True},
        {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-3},
    ],
    "Adamax": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}],
    "Nadam": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}],
    "Lamb": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}],
    "Lion": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9}],
    "Ftrl": [
        {},
        {"learning_rate": 0.1, "learning_rate_power": -0.7, "initial_accumulator_value": 0.3, "beta": 0.2},
        {"learning_rate": 0.5, "l1_regularization_strength": 0.4, "l2_regularization_strength": 0.3},
        {"learning_rate": 0.5, "l2_shrinkage_regularization_strength": 0.2, "learning_rate_power": 0.0},
    ],
    "Adafactor": [
        {},
        {"learning_rate": 0.5, "beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 0.9, "clip_threshold": 0.5},
        {"learning_rate": 0.1, "relative_step": False},
    ],
    "Muon": [
        {},
        {"learning_rate": 0.05, "nesterov": False, "momentum": 0.8, "ns_steps": 3, "rms_rate": None},
        {"learning_rate": 0.05, "muon_a": 3.0, "muon_b": -4.0, "muon_c": 1.5, "weight_decay": None, "rms_rate": 0.4},
        {"learning_rate": 0.05, "exclude_layers": ["bi.$"], "adam_lr_ratio": 0.3, "adam_weight_decay": None},
        {"adam_beta_1": 0.8, "adam_beta_2": 0.9, "epsilon": 1e-2, "exclude_embeddings": False},
        {"learning_rate": 0.05, "adam_weight_decay": 0.3},
    ],
    "ScheduleFreeAdamW": [
        {},
        {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2, "warmup_steps": 5},
    ],
}
CONFIGS = [(name, arguments) for name, rows in CASES.items() for arguments in rows]
ELEMENTWISE = [case for case in CONFIGS if case[0] not in ("Lamb", "Adafactor", "Muon")]
DEFAULTS = [(name, {}) for name in CASES]

CLIPS = [{}, {"clipnorm": 0.7}, {"clipvalue": 0.3}, {"global_clipnorm": 0.9}]
SHARED = [*CLIPS, {"weight_decay": 0.1}]
AVERAGED = [
    {"use_ema": True},
    {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
    {"use_ema": True, "gradient_accumulation_steps": 2, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 2, "clipnorm": 0.7, "weight_decay": 0.1},
    {"gradient_accumulation_steps": 2, "global_clipnorm": 0.9, "use_ema": True},
    {"gradient_accumulation_steps": 4, "clipvalue": 0.3},
]


def make(name, arguments, /, **shared):
    return getattr(optimizers, name)(**{**arguments, **shared})


def make_variables(dtype="float32", shapes=SHAPES):
    rng = np.random.default_rng(0)
    return [Variable(rng.normal(size=shape).astype(dtype), name) for name, shape in shapes.items()]


def gradients(step, variables):
    rng = np.random.default_rng(100 + step)
    return [rng.normal(size=v.shape).astype(v.dtype) * (0.01 + 3 * (step % 3)) for v in variables]


def train(optimizer, variables, steps=12, updated=None):
    """Take ``steps`` steps and return copies of the values and of the optimizer's state."""
    optimizer.build(variables)
    for step in range(steps):
        for variable, gradient in zip(variables, gradients(step, variables)):
            variable.grad = gradient
        optimizer.step(variables if updated is None else updated)
    return [v.numpy() for v in variables], [v.numpy() for v in optimizer.variables]
