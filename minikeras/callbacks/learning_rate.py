"""Callbacks that change the learning rate between epochs, and log it as ``learning_rate``.

A `MultiOptimizer` has several: all are changed, and logged as ``learning_rate_adam`` and so on.
"""

import inspect

import numpy as np

from minikeras.callbacks.base import Callback
from minikeras.callbacks.monitor import MonitorCallback
from minikeras.messages import inform, warn


def learning_rates(optimizer):
    """Return {name in the logs: learning rate} of an optimizer."""
    return {name: float(one.learning_rate) for name, one in _by_name(optimizer).items()}


def _by_name(optimizer):
    """Return {name of the learning rate in the logs: optimizer that has it}."""
    if not hasattr(optimizer, "optimizers"):
        return {"learning_rate": optimizer}
    return {f"learning_rate_{one.name}": one for one in optimizer.optimizers}


def _and_whose(optimizer, model):
    """Return `` adam`` for an optimizer that is one of several, to be named in a line."""
    return "" if optimizer is model.optimizer else f" {optimizer.name}"


def _settable_rate(optimizer):
    return float(getattr(optimizer, "settable_rate", optimizer.learning_rate))


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch.

    Args:
        schedule: function of (epoch, learning_rate), the number of the epoch from 0 and the present rate, that returns
            the new rate as a float. A function of (epoch) alone will do.
        verbose: 1 to print the rate.

    Raises:
        ValueError: ``schedule`` returned something else than a float, or a rate that is negative or not finite.
        TypeError: the optimizer's rate is a `LearningRateSchedule` already.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"`schedule` must be a function of (epoch, learning_rate). Received: {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    @property
    def adds_logs(self):
        return tuple(_by_name(self.model.optimizer))

    def on_epoch_begin(self, epoch, logs=None):
        for optimizer in _by_name(self.model.optimizer).values():
            arguments = (epoch, _settable_rate(optimizer))
            learning_rate = self.schedule(*(arguments if _takes_two(self.schedule) else arguments[:1]))
            if not isinstance(learning_rate, (float, np.floating)):
                raise ValueError(
                    f"`schedule` must return a float. Received: {learning_rate!r} for epoch {epoch} (of type "
                    f"{type(learning_rate).__name__})"
                )
            optimizer.learning_rate = float(learning_rate)
            if self.verbose > 0:
                inform(
                    f"\nEpoch {epoch + 1}: LearningRateScheduler setting{_and_whose(optimizer, self.model)} learning "
                    f"rate to {learning_rate}."
                )

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(learning_rates(self.model.optimizer))


def _takes_two(function):
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # some functions written in C do not tell
        return True
    return True


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by ``factor`` when a value has not got better for ``patience`` epochs.

    Args:
        monitor: name of the value in the logs.
        factor: below 1.
        patience: number of epochs to wait.
        verbose: 1 to print the new rate.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        min_delta: by how much the value must get better to count.
        cooldown: number of epochs after a reduction in which nothing is counted.
        min_lr: the rate does not go below it.
        **kwargs: ``epsilon``, which is what Keras 1 calls ``min_delta``.

    Raises:
        ValueError: at the end of the first epoch, when ``monitor`` is not logged.
        TypeError: when the rate is to be reduced, and is computed by a `LearningRateSchedule`.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
        **kwargs,
    ):
        if "epsilon" in kwargs:
            warn("`epsilon` of ReduceLROnPlateau is called `min_delta` now", DeprecationWarning)
            min_delta = kwargs.pop("epsilon")
        if kwargs:
            raise TypeError(
                f"ReduceLROnPlateau got unknown arguments: {', '.join(sorted(kwargs))}. Known: monitor, factor, "
                "patience, verbose, mode, min_delta, cooldown, min_lr"
            )
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"`factor` must lie between 0 and 1. Received: {factor!r}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    @property
    def adds_logs(self):
        return tuple(_by_name(self.model.optimizer))

    def _reset(self):
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs.update(learning_rates(self.model.optimizer))
        current = self.get_monitor_value(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch):
        for optimizer in _by_name(self.model.optimizer).values():
            old = _settable_rate(optimizer)
            if np.float32(old) <= np.float32(self.min_lr):  # an optimizer may keep its rate in single precision
                continue
            new = max(old * self.factor, self.min_lr)
            optimizer.learning_rate = new
            self.cooldown_counter = self.cooldown
            self.wait = 0
            if self.verbose > 0:
                inform(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{_and_whose(optimizer, self.model)} learning "
                    f"rate to {new}."
                )

    def in_cooldown(self):
        return self.cooldown_counter > 0
