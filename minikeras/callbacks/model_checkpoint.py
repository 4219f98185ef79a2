"""Saving a model while it is trained."""

import os

import numpy as np

from minikeras.callbacks.monitor import MonitorCallback
from minikeras.messages import inform, warn
from minikeras.registry import accepts_old_spellings
from minikeras.results import Logs


class ModelCheckpoint(MonitorCallback):
    """Save the model, or its weights, after each epoch or every so many batches.

    Args:
        filepath: path of the file, which may hold ``{epoch}`` (from 1), ``{batch}`` (from 1, if ``save_freq`` is a
            number) and the names of the logs, with formats: ``"{epoch:02d}-{val_loss:.2f}.weights.h5"``. It ends in
            ``.weights.h5`` for weights, in ``.keras`` or ``.h5`` for whole models. Missing folders are made.
        monitor: name of the value that tells which model is best.
        verbose: 1 to say when it saves.
        save_best_only: whether to save only when the value watched is better than ever before.
        save_weights_only: whether to save the weights, not the whole model.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        save_freq: ``"epoch"`` or a number of batches.
        initial_value_threshold: the best value to begin with.

    A file is written beside its place and renamed into it (`Model.save_weights`), so the last one survives whatever
    happens while the next is written.

    Raises:
        ValueError: at the beginning of a training, for a placeholder that no log will have; at the end of the first
            epoch, for a ``monitor`` that is not logged (if ``save_best_only``).
    """

    @accepts_old_spellings
    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._batches_since_saving = 0
        self._last_batch = None
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"`save_freq` must be 'epoch' or a positive number of batches. Received: {save_freq!r}")
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"`filepath` must end in {' or '.join(endings)} with save_weights_only={save_weights_only}. "
                f"Received: filepath={self.filepath!r}"
            )

    def on_train_begin(self, logs=None):
        if not self.save_weights_only and not hasattr(self.model, "save"):
            raise ValueError(
                f"ModelCheckpoint cannot save the whole model: {type(self.model).__name__} has no `save`. Pass "
                "save_weights_only=True and a `filepath` that ends in .weights.h5"
            )
        names = self._known_names()
        if names is None:
            return
        if self.save_freq != "epoch":
            names = ["batch", *(name for name in names if not name.startswith("val_"))]
        self._format({"epoch": 1, **{name: 1 if name == "batch" else 1.0 for name in names}})

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        new_epoch = self._last_batch is None or batch <= self._last_batch
        self._batches_since_saving += batch + 1 if new_epoch else batch - self._last_batch
        self._last_batch = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save_if_wanted(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save_if_wanted(epoch, logs or {})

    def _save_if_wanted(self, epoch, logs):
        improved, current = "", None
        best_only = self.save_best_only and self._can_tell_the_best(logs)
        if best_only:
            current = self.get_monitor_value(logs)
            if current is None:
                return
            best = "None" if self.best is None else f"{self.best:.5f}"
            if not self.is_improvement(current, self.best):
                self._say(epoch, f"{self.monitor} did not improve from {best}")
                return
            improved = f"{self.monitor} improved from {best} to {current:.5f}, "
        path = self._format({"epoch": epoch + 1, **logs})
        self._say(epoch, f"{improved}saving model to {path}")
        self._save(path)
        self._say(epoch, f"finished saving model to {path}")
        if best_only:
            self.best = current

    def _can_tell_the_best(self, logs):
        if np.ndim(logs.get(self.monitor)):
            reason = f"is an array of shape {np.shape(logs[self.monitor])}, not a single number"
        elif self.save_freq != "epoch" and self.monitor.startswith("val_") and self.monitor not in logs:
            reason = f"is known after an epoch, not after {self.save_freq} batches"
        else:
            return True
        warn(
            f"ModelCheckpoint cannot tell which model is best: monitor={self.monitor!r} {reason}, so it saves each "
            "time, as with save_best_only=False"
        )
        return False

    def _save(self, path):
        if os.path.isdir(path):
            raise IsADirectoryError(f"`filepath` of ModelCheckpoint must not be a folder. Received: {path!r}")
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)

    def _format(self, values):
        """Fill in the placeholders of `filepath`."""
        try:
            return self.filepath.format_map(Logs(values))
        except KeyError as error:
            name = error.args[0]
        except (ValueError, IndexError, AttributeError, TypeError) as error:
            raise ValueError(f"`filepath` of ModelCheckpoint cannot be formatted: {self.filepath!r}: {error}") from None
        raise ValueError(
            f"`filepath` of ModelCheckpoint has the unknown placeholder {{{name}}}: {self.filepath!r}. Available keys: "
            f"{', '.join(values)}. A callback that logs a value of its own names it in its `adds_logs`"
        )

    def _say(self, epoch, text):
        if self.verbose > 0:
            inform(f"\nEpoch {epoch + 1}: {text}")
