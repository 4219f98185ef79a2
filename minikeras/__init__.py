"""minikeras: Keras' Sequential API in NumPy. ``import minikeras as keras``.

In reading order: `layers/base.py` (what a layer is), `layers/` (the mathematics), `kernels/` (the arithmetic),
`stack.py` (how layers run one after the other), `training.py` (the training step and its loops), `models/`.
"""

import functools
import importlib
import os
import sys

from minikeras import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    registry,
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

_LAZY = (
    "applications", "backend", "datasets", "legacy", "ops", "preprocessing", "random", "saving", "trained_models",
    "visualization", "wrappers",
)  # fmt: skip

__all__ = [
    "Initializer", "Input", "KerasTensor", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer", "Sequential",
    "Variable", "__version__", "activations", "applications", "backend", "callbacks", "config", "constraints",
    "datasets", "initializers", "layers", "losses", "metrics", "models", "ops", "optimizers", "preprocessing", "random",
    "regularizers", "saving", "utils", "version", "visualization", "wrappers",
]  # fmt: skip


def __getattr__(name):
    if name in _LAZY:  # imported when they are asked for
        return importlib.import_module(f"minikeras.{name}")
    return registry.old_name(__name__, name)


def __dir__():
    return sorted({*globals(), *__all__})


# Names and modules of Keras 1 and 2 are looked for when all else has failed. Our own core.py and its like have names of
# modules of Keras' that held more, and `optimizers.adam` was a class.
for _name in ("adagrad", "adam", "rmsprop", "sgd"):
    delattr(optimizers, _name)
for _module in (
    backend, constraints, initializers, layers, layers.core, layers.normalization, layers.pooling, layers.recurrent,
    losses, metrics, models, optimizers, regularizers, utils,
):  # fmt: skip
    _module.__getattr__ = functools.partial(registry.old_name, _module.__name__)
sys.meta_path.append(registry.OldModules)
