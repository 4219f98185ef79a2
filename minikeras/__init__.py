"""minikeras: Keras' Sequential API in NumPy. ``import minikeras as keras``.

In reading order: `layers/base.py` (what a layer is), `layers/` (the mathematics), `kernels/` (the arithmetic),
`stack.py` (how layers run one after the other), `training.py` (the training step and its loops), `models/`.
"""

import importlib
import os

from minikeras import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from minikeras.layers import Input, Layer
from minikeras.losses import Loss
from minikeras.metrics import Metric
from minikeras.models import Sequential
from minikeras.optimizers import Optimizer
from minikeras.variable import Variable
from minikeras.version import __version__

_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if not os.path.isdir(os.path.join(__path__[0], "applications")) and os.path.isfile(os.path.join(_root, "setup.cfg")):
    __path__.append(_root)  # a checkout: applications/ and trained_models/ lie beside this folder, not in it

__all__ = [
    "Input", "Layer", "Loss", "Metric", "Optimizer", "Sequential", "Variable", "__version__", "activations",
    "applications", "callbacks", "config", "constraints", "datasets", "initializers", "layers", "losses", "metrics",
    "models", "optimizers", "regularizers", "utils",
]  # fmt: skip


def __getattr__(name):
    if name in ("applications", "datasets", "trained_models"):  # imported when they are asked for
        return importlib.import_module(f"minikeras.{name}")
    raise AttributeError(f"module 'minikeras' has no attribute {name!r}")
