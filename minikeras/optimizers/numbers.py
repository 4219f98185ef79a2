"""Numbers: how arguments are checked, and numbers of an optimizer's state that are read as Keras' are.

    float(optimizer.learning_rate), optimizer.learning_rate.numpy(), optimizer.learning_rate * 0.5, f"{...:.4f}"
"""

import math

import numpy as np

from minikeras import config
from minikeras.variable import Variable


class Scalar(Variable):
    """A variable of one number, which can be used as that number."""

    # `optimizer.learning_rate *= 0.5` computes a number, which the optimizer then assigns.
    __iadd__, __isub__, __imul__ = Variable.__add__, Variable.__sub__, Variable.__mul__
    __itruediv__, __ipow__ = Variable.__truediv__, Variable.__pow__

    def item(self):
        return self.value.item()

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __index__(self):
        return self.value.__index__()

    def __bool__(self):
        return bool(self.value)

    def __round__(self, digits=None):
        return round(self.item(), digits)

    def __format__(self, specification):
        return format(self.item(), specification)

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.item()}>"


class Number(float):
    """A learning rate that was computed, so that there is nothing to assign to: a float with Keras' ``numpy()``."""

    def numpy(self):
        return np.dtype(config.floatx()).type(self)


def check_number(value, argument, expected="a finite number", valid=math.isfinite):
    """Return ``value`` as a Python number, or raise a ValueError that names the argument unless ``valid(value)``."""
    if isinstance(value, (np.ndarray, np.generic, Scalar)) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not valid(value):
        raise ValueError(f"`{argument}` must be {expected}. Received: {argument}={value!r}")
    return value


def number_or_none(value, argument, kind, valid):
    return None if value is None else check_number(value, argument, f"{kind} number or None", valid)


def check_learning_rate(value):
    """Return ``value`` as a Python number if it can be the learning rate that training starts from."""
    return check_number(value, "learning_rate", "a positive finite number, as 0.001", lambda v: 0 < v < math.inf)


def non_negative(value, argument):
    return check_number(value, argument, "a non-negative number", lambda v: 0 <= v < math.inf)


def positive(value, argument):
    return check_number(value, argument, "a positive number", lambda v: 0 < v < math.inf)


def fraction(value, argument):
    """Check how much of a running mean remains at each step."""
    return check_number(value, argument, "a number in [0, 1)", lambda v: 0 <= v < 1)
