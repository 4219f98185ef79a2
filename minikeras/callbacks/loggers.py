"""Callbacks that record a run: in memory, on the screen, in a CSV file."""

import os

from minikeras.callbacks.base import Callback
from minikeras.utils.progbar import Progbar


class History(Callback):
    """Keeps each epoch's logs. `fit` adds one by itself and returns it.

    Attributes:
        history: dict of names to lists with one value an epoch, e.g. ``history["val_loss"][-1]``.
        epoch: list of the epochs' numbers.
    """

    def __init__(self):
        super().__init__()
        self.history = {}
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


class ProgbarLogger(Callback):
    """Shows the progress on the screen. `fit`, `evaluate` and `predict` add one unless ``verbose=0``.

    Within `fit` validation is silent: its results stand at the end of the epoch's line.
    """

    def __init__(self):
        super().__init__()
        self.seen = 0
        self.progbar = None
        self.target = None
        self.verbose = 1
        self.epochs = 1
        self._in_fit = False

    def set_params(self, params):
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else verbose
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs=None):
        self._in_fit = True

    def on_train_end(self, logs=None):
        self._in_fit = False

    def on_epoch_begin(self, epoch, logs=None):
        if self.verbose and self.epochs > 1:
            print(f"Epoch {epoch + 1}/{self.epochs}", flush=True)
        self._open()

    def on_train_batch_end(self, batch, logs=None):
        self._update(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._finish(logs)

    def on_test_begin(self, logs=None):
        if not self._in_fit:
            self._open()

    def on_test_batch_end(self, batch, logs=None):
        if not self._in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs=None):
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs=None):
        self._open()

    def on_predict_batch_end(self, batch, logs=None):
        self._update(batch, None)

    def on_predict_end(self, logs=None):
        self._finish(logs)

    def release(self):
        self._in_fit = False
        if self.progbar is not None:
            self.progbar.close()

    def _open(self):
        self.seen = 0
        # the logs are averages already, so no name is averaged again
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _update(self, batch, logs):
        self.seen = batch + 1
        if self.verbose == 1:
            self.progbar.update(self.seen, sorted(logs.items()) if logs else None, finalize=False)

    def _finish(self, logs):
        if self.target is None:  # now it is known, for this line and for the next epochs
            self.target = self.progbar.target = self.seen
        self.progbar.update(self.target, logs.items() if logs else None, finalize=True)


class CSVLogger(Callback):
    """Writes each epoch's logs as a row of a CSV file, with Keras' columns: epoch, then the names in order.

    Args:
        filename: path of the file. Missing folders are made.
        separator: between the columns.
        append: whether to go on with an existing file; otherwise it is overwritten.

    The columns are those of the first epoch, and for each name without validation results an empty ``val_`` one
    (``NA``), so that a file without validation has the columns of one with it.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys = None
        self.csv_file = None

    def on_train_begin(self, logs=None):
        self.release()
        os.makedirs(os.path.dirname(os.path.abspath(self.filename)), exist_ok=True)
        has_rows = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.append_header = not has_rows
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")
        self.keys = None

    def on_epoch_end(self, epoch, logs=None):
        import csv

        logs = logs or {}
        writer = csv.writer(self.csv_file, delimiter=self.sep)
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(name.startswith("val_") for name in self.keys):
                self.keys += [f"val_{name}" for name in self.keys]
            if self.append_header:
                writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self.keys)])
        self.csv_file.flush()

    def on_train_end(self, logs=None):
        self.release()

    def release(self):
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None


def _cell(value):
    if isinstance(value, str) or not hasattr(value, "__iter__") or getattr(value, "ndim", 1) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
