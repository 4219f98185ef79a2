"""Callbacks that record a run: in memory, on the screen, in a CSV file, on a server."""

import os

from minikeras.callbacks.base import Callback
from minikeras.messages import inform, warn
from minikeras.results import Logs
from minikeras.utils.progbar import Progbar


class History(Callback):
    """Keeps each epoch's logs. `fit` adds one by itself and returns it.

    Attributes:
        history: dict of names to lists with one value an epoch, e.g. ``history["val_loss"][-1]``.
        epoch: list of the epochs' numbers.
    """

    def __init__(self):
        super().__init__()
        self.history = Logs()
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
            inform(f"Epoch {epoch + 1}/{self.epochs}")
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


class RemoteMonitor(Callback):
    """Sends each epoch's logs to a server, as an HTTP POST of JSON.

    Args:
        root: address of the server, ``http://`` or ``https://``.
        path: what follows it.
        field: name of the form's field that holds the JSON.
        headers: dict of more HTTP headers.
        send_as_json: whether the JSON is sent by itself instead of in a form.

    What is sent is ``{"epoch": 0, "loss": 0.5, ...}``. A server that cannot be reached, or answers with an error, is
    warned of, and training goes on.
    """

    timeout = 10  # seconds: training waits for no server longer than that

    def __init__(
        self,
        root="http://localhost:9000",
        path="/publish/epoch/end/",
        field="data",
        headers=None,
        send_as_json=False,
    ):
        super().__init__()
        if not isinstance(root, str) or not root.lower().startswith(("http://", "https://")):
            raise ValueError(f"`root` must be an address, as 'http://localhost:9000'. Received: root={root!r}")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
        import json
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.parse import urlencode
        from urllib.request import Request, urlopen

        sent = {"epoch": epoch, **{name: _as_json(value) for name, value in (logs or {}).items()}}
        try:
            text, kind = json.dumps(sent, allow_nan=not self.send_as_json), "application/json"
        except ValueError:  # forms may hold what JSON proper has no word for
            warn(f"RemoteMonitor cannot send NaN or infinity as JSON: the logs of epoch {epoch + 1} are not sent")
            return
        if not self.send_as_json:
            text, kind = urlencode({self.field: text}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        try:
            with urlopen(Request(self.root + self.path, text.encode(), headers), timeout=self.timeout) as answer:
                answer.read()
        except HTTPError as error:
            warn(f"The server of RemoteMonitor, {self.root}, refuses the logs: {error}. Is `path` {self.path!r} right?")
            error.close()
        except (OSError, HTTPException) as error:
            warn(f"Could not reach RemoteMonitor root server at {self.root}: {error}")


def _as_json(value):
    return value.tolist() if hasattr(value, "tolist") else value
