"""Callbacks that change the learning rate between epochs, and log it as ``learning_rate``."""

import inspect

import numpy as np

from minikeras.callbacks.base import Callback
from minikeras.callbacks.monitor import MonitorCallback


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch.

    Args:
        schedule: function of (epoch, learning_rate), the number of the epoch from 0 and the present rate, that returns
            the new rate as a float. A function of (epoch) alone will do.
        verbose: 1 to print the rate.

    Raises:
        ValueError: ``schedule`` returned something else than a float.
    """

    adds_logs = ("learning_rate",)

    def __init__(self, schedule, verbose=0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"`schedule` must be a function of (epoch, learning_rate). Received: {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        arguments = (epoch, float(optimizer.learning_rate))
        learning_rate = self.schedule(*(arguments if _takes_two(self.schedule) else arguments[:1]))
        if not isinstance(learning_rate, (float, np.floating)):
            raise ValueError(
                f"`schedule` must return a float. Received: {learning_rate!r} for epoch {epoch} (of type "
                f"{type(learning_rate).__name__})"
            )
        optimizer.learning_rate = float(learning_rate)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {learning_rate}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


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

    Raises:
        ValueError: at the end of the first epoch, when ``monitor`` is not logged.
    """

    adds_logs = ("learning_rate",)

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
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"`factor` must lie between 0 and 1. Received: {factor!r}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self):
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
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
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        if np.float32(old) <= np.float32(self.min_lr):  # an optimizer may keep its rate in single precision
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")

    def in_cooldown(self):
        return self.cooldown_counter > 0
