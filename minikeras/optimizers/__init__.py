"""Optimizers: how weights are changed by their gradients.

`base` has what they share, one file a family the formulas; `packing` lays weights side by side in memory.
"""

from minikeras.optimizers.adagrad import Adagrad
from minikeras.optimizers.adam import Adam, AdamW
from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.rmsprop import RMSprop
from minikeras.optimizers.sgd import SGD
from minikeras.registry import resolve
from minikeras.registry import serialize as _serialize

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]

_classes = (SGD, RMSprop, Adagrad, Adam, AdamW)
_table = {cls.__name__: cls for cls in _classes} | {cls.__name__.lower(): cls for cls in _classes}


def get(identifier):
    """Return an `Optimizer` for a name, a config, a class or an instance.

    Raises:
        ValueError: an unknown name, or something else.
    """
    found = resolve(identifier, _table, "optimizer", Optimizer)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"`optimizer` must be a name, as 'adam', or an `Optimizer`. Received: {identifier!r}")
    return found


def serialize(optimizer):
    """Return the optimizer's config."""
    return _serialize(optimizer)


def deserialize(config):
    """Return the optimizer of a config that `serialize` returned."""
    return get(config)
