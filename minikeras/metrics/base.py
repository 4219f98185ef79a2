"""What a metric is: a state that batches are added to; and sums and means of values and of functions."""

import math

import numpy as np

from minikeras import config
from minikeras.losses import Loss, is_loss_function, serialize_function
from minikeras.losses.base import align_weights, match_ranks, quiet
from minikeras.registry import Configurable, auto_name, serialize
from minikeras.variable import Variable, name_may_come_first

STATE = "float64"  # of our own sums: in single precision a count stops growing at 2**24 samples


class Metric(Configurable):
    """Base class of metrics. A custom one has two methods:

        class Positives(Metric):
            def __init__(self, name="positives", dtype=None):
                super().__init__(name=name, dtype=dtype)
                self.count = self.add_variable((), "zeros", name="count")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.count.assign_add(np.sum(y_pred > 0.5))

            def result(self):
                return float(self.count.value)

    Args:
        name: string, the key in logs and histories.
        dtype: ``"float32"`` or ``"float64"``; by default `config.floatx()`.
    """

    keras_module = "keras.metrics"
    _direction = None  # "up" if higher is better, "down" if lower is: what callbacks with mode="auto" go by
    takes_mask = False  # whether the mask of a model's outputs goes into the sample weights

    def __init__(self, dtype=None, name=None):
        self.name = name or auto_name(type(self).__name__)
        self.dtype = config.standardize_dtype(dtype)
        self._variables = []

    @property
    def variables(self):
        """The state: what `add_variable` made, and the variables and metrics that attributes hold."""
        self._check_init()
        found = list(self._variables)
        for value in vars(self).values():
            for item in _items(value):
                new = item.variables if isinstance(item, Metric) else [item] if isinstance(item, Variable) else []
                found += [variable for variable in new if not any(variable is known for known in found)]
        return found

    def update_state(self, *args, **kwargs):
        """Take in a batch, usually (y_true, y_pred, sample_weight=None)."""
        raise NotImplementedError(f"{type(self).__name__} has no `update_state(self, y_true, y_pred, sample_weight)`")

    def result(self):
        """Return the value over all that `update_state` took in since the last `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__} has no `result(self)`")

    def reset_state(self):
        """Forget all batches."""
        for variable in self.variables:
            variable.value[...] = 0

    def __call__(self, *args, **kwargs):
        """Update the state, and return the result over all batches so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None):
        """Return a new `Variable` that `reset_state` sets to zero. ``aggregation`` is of no use here."""
        from minikeras import initializers

        self._check_init()
        shape, dtype = tuple(shape), dtype or self.dtype
        if initializer in (None, "zeros"):
            value = np.zeros(shape, dtype)
        else:
            value = np.array(initializers.get(initializer)(shape, dtype=dtype), dtype)
        variable = Variable(value, name or "variable", trainable=False)
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    @name_may_come_first
    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """Keras 2's name of `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def get_config(self):
        """Return the constructor's arguments, those that are stored under their own names."""
        return {name: serialize(getattr(self, name)) for name in self.argument_names() if hasattr(self, name)}

    def _check_init(self):
        if "_variables" not in vars(self):
            raise RuntimeError(f"{type(self).__name__}.__init__ must call `super().__init__()` first")


def _items(value):
    """What an attribute holds: the items of a list or dict, or the value itself."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else (value,)


def as_result(value, dtype):
    """Return a number as a float, an array as one of the metric's dtype."""
    value = np.asarray(value)
    return value.astype(dtype) if value.ndim else float(value)


def ratio(part, whole):
    """part / whole, 0 where whole is 0"""
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.not_equal(whole, 0))


class Sum(Metric):
    """Weighted sum of values: result = sum(w * values).

    Args:
        name: string.
        dtype: see `Metric`.
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", STATE, name="total")

    @quiet()
    def update_state(self, values, sample_weight=None):
        values = np.asarray(values)
        if sample_weight is not None:
            values, sample_weight = match_ranks(values, np.asarray(sample_weight, self.dtype))
            values = values * align_weights(sample_weight, values.shape, self.dtype)
        self.total.value += values.sum()

    def result(self):
        return float(self.total.value)


class Mean(Metric):
    """Weighted mean of values over samples: result = sum(w * values) / sum(w).

    Values of shape (batch, ...) are averaged over the axes that the weights do not have.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", STATE, name="total")
        self.count = self.add_variable((), "zeros", STATE, name="count")

    @quiet()
    def update_state(self, values, sample_weight=None):
        values = np.asarray(values)
        if values.size == 0:
            return
        if sample_weight is not None:
            self._update_weighted(values, np.asarray(sample_weight, self.dtype))
        else:
            samples = len(values) if values.ndim else 1
            self.total.value += float(values.sum()) * (samples / values.size)
            self.count.value += samples

    def _update_weighted(self, values, weights):
        values, weights = match_ranks(values, weights)
        if values.ndim > weights.ndim:
            values = values.mean(axis=tuple(range(weights.ndim, values.ndim)))
        weights = np.broadcast_to(align_weights(weights, values.shape, self.dtype), values.shape)
        entries = math.prod(values.shape[1:])  # of one sample
        self.total.value += float((values * weights).sum()) / entries
        self.count.value += float(weights.sum()) / entries

    def result(self):
        count = float(self.count.value)
        return float(self.total.value) / count if count else 0.0


class MeanMetricWrapper(Mean):
    """Mean over the samples of a function of (y_true, y_pred).

    Args:
        fn: function ``fn(y_true, y_pred, **kwargs)`` that returns values of shape (batch, ...).
        name: string.
        dtype: see `Metric`.
        **kwargs: passed on to ``fn``.
    """

    takes_mask = True

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if is_loss_function(fn) or isinstance(fn, Loss):
            self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self):
        if type(self).__init__ is not MeanMetricWrapper.__init__:
            return super().get_config()
        fn = serialize(self._fn) if isinstance(self._fn, Loss) else serialize_function(self._fn)
        return {"name": self.name, "dtype": self.dtype, "fn": fn, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("fn"), dict):
            from minikeras import losses, metrics

            fn = config["fn"]
            config = {**config, "fn": metrics.deserialize(fn) if isinstance(fn["config"], str) else losses.get(fn)}
        return cls(**config)
