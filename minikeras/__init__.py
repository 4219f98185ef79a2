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
from minikeras.initializers import Initializer
from minikeras.layers import Input, Layer
from minikeras.layers.symbolic import KerasTensor
from minikeras.losses import Loss
from minikeras.metrics import Metric
from minikeras.models import Model, Sequential
from minikeras.optimizers import Optimizer
from minikeras.regularizers import Regularizer
from minikeras.variable import Variable
from minikeras.version import __version__, version

_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if not os.path.isdir(os.path.join(__path__[0], "applications")) and os.path.isfile(os.path.join(_root, "setup.cfg")):
    __path__.append(_root)  # a checkout: applications/ and trained_models/ lie beside this folder, not in it

_LAZY = ("applications", "backend", "datasets", "preprocessing", "random", "saving", "trained_models", "wrappers")

__all__ = [
    "Initializer", "Input", "KerasTensor", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer", "Sequential",
    "Variable", "__version__", "activations", "applications", "backend", "callbacks", "config", "constraints",
    "datasets", "initializers", "layers", "losses", "metrics", "models", "optimizers", "preprocessing", "random",
    "regularizers", "saving", "utils", "version",
]  # fmt: skip


def __getattr__(name):
    if name in _LAZY:  # imported when they are asked for
        return importlib.import_module(f"minikeras.{name}")
    raise AttributeError(f"module 'minikeras' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
