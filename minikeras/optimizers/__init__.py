"""Optimizers: how weights are changed by their gradients.

`base` has what they share, one file a family the formulas; `state` is what they keep, `packing` how it lies in memory;
`schedules` are learning rates that change by themselves.
"""

from minikeras.optimizers import schedules
from minikeras.optimizers.adafactor import Adafactor
from minikeras.optimizers.adagrad import Adadelta, Adagrad
from minikeras.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.ftrl import Ftrl
from minikeras.optimizers.lion import Lion
from minikeras.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from minikeras.optimizers.muon import Muon
from minikeras.optimizers.numbers import check_learning_rate
from minikeras.optimizers.rmsprop import RMSprop
from minikeras.optimizers.schedule_free import ScheduleFreeAdamW
from minikeras.optimizers.sgd import SGD
from minikeras.registry import resolve
from minikeras.registry import serialize as _serialize

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "MultiOptimizer",
    "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW", "check_learning_rate", "deserialize",
    "get", "schedules", "serialize",
]  # fmt: skip

_classes = (
    SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam, Lamb, Lion, Ftrl, Adafactor, Muon, ScheduleFreeAdamW,
    MultiOptimizer,
)  # fmt: skip
_table = {cls.__name__: cls for cls in _classes} | {cls.__name__.lower(): cls for cls in _classes}


def get(identifier):
    """Return an `Optimizer` for a name, a config, a class or an instance.

    Raises:
        ValueError: an unknown name, or something else.
    """
    return deserialize(identifier)


def serialize(optimizer):
    """Return the optimizer's config."""
    return _serialize(optimizer)


def deserialize(config, custom_objects=None):
    """Return the optimizer of a config that `serialize` returned.

    Args:
        config: dict.
        custom_objects: dict of names to classes of one's own.
    """
    found = resolve(config, {**_table, **(custom_objects or {})}, "optimizer", Optimizer)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"`optimizer` must be a name, as 'adam', or an `Optimizer`. Received: {config!r}")
    return found
