"""Constraints: projections of a weight onto what is allowed, applied after each update.

The norms are Euclidean and taken along ``axis``: 0 for a Dense kernel (inputs, units), so that each unit's incoming
weights are constrained, and (0, 1, 2) for a convolution kernel (height, width, inputs, filters).
"""

import numpy as np

from minikeras import config
from minikeras.registry import Configurable, CustomObjectScope, resolve, to_snake_case
from minikeras.registry import serialize as _serialize


class Constraint(Configurable):
    """Base class of constraints: a subclass has ``__call__(self, w)``, which returns the projected array.

    This one returns it as it is.
    """

    keras_module = "keras.constraints"

    def __call__(self, w):
        return w


class MaxNorm(Constraint):
    """Norms of at most ``max_value``: w * min(norm, max_value) / (norm + epsilon).

    Args:
        max_value: the largest norm allowed.
        axis: integer or several, along which the norms are taken.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w):
        norm = _norm(w, self.axis)
        return w * (np.clip(norm, 0, self.max_value) / (norm + config.epsilon()))


class MinMaxNorm(Constraint):
    """Norms between ``min_value`` and ``max_value``, or on the way there.

    A norm becomes rate * clip(norm, min_value, max_value) + (1 - rate) * norm.

    Args:
        min_value: the smallest norm allowed.
        max_value: the largest norm allowed.
        rate: 1 enforces the bounds at each update; less moves towards them.
        axis: integer or several, along which the norms are taken.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w):
        norm = _norm(w, self.axis)
        desired = self.rate * np.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (desired / (norm + config.epsilon()))


class NonNeg(Constraint):
    """No negative weights: max(w, 0)."""

    def __call__(self, w):
        return np.maximum(w, 0)


class UnitNorm(Constraint):
    """Norms of 1: w / (norm + epsilon).

    Args:
        axis: integer or several, along which the norms are taken.
    """

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        return w / (_norm(w, self.axis) + config.epsilon())


def _norm(w, axis):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.sqrt(np.sum(np.square(w), axis=axis, keepdims=True))


_classes = (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
_table = {cls.__name__: cls for cls in _classes} | {to_snake_case(cls.__name__): cls for cls in _classes}

# The names by which Keras exports the classes as well.
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm


def get(identifier):
    """Return a constraint for a name, a config, a class, or a callable of the weight.

    Raises:
        ValueError: an unknown name.
    """
    return resolve(identifier, _table, "constraint", Constraint)


def serialize(constraint):
    """Return the constraint's config."""
    return _serialize(constraint)


def deserialize(config, custom_objects=None):
    """Return the constraint of a config of `serialize`; ``custom_objects`` is a dict of names to your own."""
    with CustomObjectScope(custom_objects):
        return get(config)
