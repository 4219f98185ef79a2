"""What a metric is: a state that batches are added to; and sums and means of values and of functions."""

import math

import numpy as np

from minikeras import config
from minikeras.losses import is_loss_function, serialize_function
from minikeras.losses.base import align_weights, match_ranks
from minikeras.registry import Configurable, auto_name
from minikeras.variable import Variable


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

    def __init__(self, dtype=None, name=None):
        self.name = name or auto_name(type(self).__name__)
        self.dtype = config.standardize_dtype(dtype)
        self.variables = []

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

    def add_variable(self, shape=(), initializer="zeros", dtype=None, name=None):
        """Return a new `Variable` that `reset_state` sets to zero."""
        from minikeras import initializers

        dtype = dtype or self.dtype
        value = np.array(initializers.get(initializer or "zeros")(tuple(shape), dtype=dtype), dtype=dtype)
        variable = Variable(value, name or "variable", trainable=False)
        self.variables.append(variable)
        return variable

    add_weight = add_variable


class Sum(Metric):
    """Weighted sum of values: result = sum(w * values).

    Args:
        name: string.
        dtype: see `Metric`.
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values)
        if sample_weight is not None:
            values, sample_weight = match_ranks(values, np.asarray(sample_weight, self.dtype))
            values = values * align_weights(sample_weight, values.shape, self.dtype)
        self.total += float(values.sum())

    def result(self):
        return self.total

    def reset_state(self):
        self.total = 0.0
        super().reset_state()


class Mean(Metric):
    """Weighted mean of values over samples: result = sum(w * values) / sum(w).

    Values of shape (batch, ...) are averaged over the axes that the weights do not have.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = 0.0
        self.count = 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values)
        if values.size == 0:
            return
        if sample_weight is not None:
            self._update_weighted(values, np.asarray(sample_weight, self.dtype))
        else:
            samples = len(values) if values.ndim else 1
            self.total += float(values.sum()) * (samples / values.size)
            self.count += samples

    def _update_weighted(self, values, weights):
        values, weights = match_ranks(values, weights)
        if values.ndim > weights.ndim:
            values = values.mean(axis=tuple(range(weights.ndim, values.ndim)))
        weights = np.broadcast_to(align_weights(weights, values.shape, self.dtype), values.shape)
        entries = math.prod(values.shape[1:])  # of one sample
        self.total += float((values * weights).sum()) / entries
        self.count += float(weights.sum()) / entries

    def result(self):
        return self.total / self.count if self.count else 0.0

    def reset_state(self):
        self.total = self.count = 0.0
        super().reset_state()


class MeanMetricWrapper(Mean):
    """Mean over the samples of a function of (y_true, y_pred).

    Args:
        fn: function ``fn(y_true, y_pred, **kwargs)`` that returns values of shape (batch, ...).
        name: string.
        dtype: see `Metric`.
        **kwargs: passed on to ``fn``.
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if is_loss_function(fn):
            self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self):
        if type(self).__init__ is not MeanMetricWrapper.__init__:
            return super().get_config()
        return {"name": self.name, "dtype": self.dtype, "fn": serialize_function(self._fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("fn"), dict):
            from minikeras import metrics

            config = {**config, "fn": metrics.get_function(config["fn"]["config"])}
        return cls(**config)
