"""The callback contract: methods that a run calls at its beginning and end, and at those of epochs and batches.

class Announce(Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch}: {logs['loss']:.3f}")
        if logs["loss"] < 0.1:
            self.model.stop_training = True
"""


class Callback:
    """Base class of callbacks. Override the hooks you need; the others cost nothing.

    Attributes:
        model: the model that is trained. ``self.model.stop_training = True`` ends the training after this batch.
        params: dict with ``"verbose"``, ``"epochs"``, ``"steps"`` (batches in an epoch, None if unknown) and, when
            known at the start, ``"metrics"``: the names that the logs will have.
        adds_logs: names that this callback itself adds to an epoch's logs, so that they are known at the start.

    ``logs`` is a dict of names to floats, averages over the epoch so far; an epoch's has ``val_`` entries, too. It is
    empty where nothing is known yet. A metric with several results, as ``F1Score(average=None)``, has an array there.
    """

    params = None
    _model = None
    adds_logs = ()

    def __init__(self):
        self.params = None
        self._model = None

    @property
    def model(self):
        return self._model

    def set_model(self, model):
        """Called with the model before anything else."""
        self._model = model

    def set_params(self, params):
        """Called with `params` before anything else."""
        self.params = params

    def on_train_begin(self, logs=None):
        """Called when `fit` begins."""

    def on_train_end(self, logs=None):
        """Called when `fit` ends, with the last epoch's logs."""

    def on_epoch_begin(self, epoch, logs=None):
        """Called when an epoch of training begins; the first is number 0."""

    def on_epoch_end(self, epoch, logs=None):
        """Called when an epoch of training, with its validation, ends."""

    def on_train_batch_begin(self, batch, logs=None):
        """Called before each training batch; the first of an epoch is number 0."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """Called after each training batch."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch, logs=None):
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """The older name of `on_train_batch_end`."""

    def on_test_begin(self, logs=None):
        """Called when `evaluate` or a validation begins."""

    def on_test_end(self, logs=None):
        """Called when `evaluate` or a validation ends, with its results."""

    def on_test_batch_begin(self, batch, logs=None):
        """Called before each batch of `evaluate` or a validation."""

    def on_test_batch_end(self, batch, logs=None):
        """Called after each batch of `evaluate` or a validation."""

    def on_predict_begin(self, logs=None):
        """Called when `predict` begins."""

    def on_predict_end(self, logs=None):
        """Called when `predict` ends."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Called before each batch of `predict`."""

    def on_predict_batch_end(self, batch, logs=None):
        """Called after each batch of `predict`; ``logs["outputs"]`` is what it predicted."""

    def release(self):
        """Called when a run ends by an exception, a keyboard interrupt for one: close files, end lines."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: function of (epoch, logs).
        on_epoch_end: function of (epoch, logs).
        on_train_begin: function of (logs).
        on_train_end: function of (logs).
        on_train_batch_begin: function of (batch, logs), with ``logs`` passed by name.
        on_train_batch_end: function of (batch, logs), with ``logs`` passed by name.
        **kwargs: functions for the other hooks, under their names.
    """

    def __init__(
        self,
        on_epoch_begin=None,
        on_epoch_end=None,
        on_train_begin=None,
        on_train_end=None,
        on_train_batch_begin=None,
        on_train_batch_end=None,
        **kwargs,
    ):
        super().__init__()
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in functions.items():
            if name not in HOOKS:
                raise TypeError(f"LambdaCallback knows no hook {name!r}. Known: {', '.join(HOOKS)}")
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"`{name}` must be a function. Received: {function!r}")
            setattr(self, name, function)
