"""Callbacks that end a training before its last epoch."""

import math

from minikeras.callbacks.base import Callback
from minikeras.callbacks.monitor import MonitorCallback
from minikeras.messages import inform


class EarlyStopping(MonitorCallback):
    """Stop when a value has not got better for ``patience`` epochs.

    Args:
        monitor: name of the value in the logs.
        min_delta: by how much it must get better to count.
        patience: number of epochs to wait.
        verbose: 1 to say so when it stops.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        baseline: a value that must be beaten, too, for the waiting to start anew.
        restore_best_weights: whether the model gets back the weights of its best epoch when the training ends,
            stopped early or not.
        start_from_epoch: number of epochs at the beginning that are not looked at.

    Raises:
        ValueError: at the end of the first epoch, when ``monitor`` is not logged.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)  # of the first epoch looked at, even if its value is NaN
        self.wait += 1
        if self.is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self.is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            inform(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                inform(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _keep_weights(self, epoch):
        self.best_epoch = epoch
        self.best_weights = self.model.get_weights()


class TerminateOnNaN(Callback):
    """Stop when the loss becomes NaN or infinite.

    Args:
        raise_error: whether to raise a RuntimeError instead of ending `fit` in good order.
    """

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"The loss became {loss} at batch {batch}. Lower the learning rate, or clip the gradients (`clipnorm`)"
            )
        inform(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
