"""All callbacks of a run as one."""

from minikeras.callbacks.base import Callback
from minikeras.callbacks.loggers import History, ProgbarLogger
from minikeras.results import Logs

_BATCH_HOOKS = tuple(f"on_{run}_batch_{point}" for run in ("train", "test", "predict") for point in ("begin", "end"))


class CallbackList(Callback):
    """Passes each event on to a list of callbacks, in order.

    Args:
        callbacks: a callback, or a list of them, nested if you like.
        add_history: whether to add a `History` unless there is one. It becomes ``model.history``.
        add_progbar: whether to add a `ProgbarLogger` unless there is one.
        model: the model that is run.
        **params: what the callbacks find in `params`.

    Used as a context manager, it tells the callbacks when the run ends by an exception::

        with CallbackList(callbacks, model=model, epochs=2, steps=10, verbose=1) as callbacks:
            callbacks.on_train_begin()
            ...

    Hooks that nobody overrides are not called; a batch then costs two empty loops.
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        super().__init__()
        self.callbacks = [_check_callback(callback) for callback in _flatten(callbacks)]
        self._history = self._find_or_add(History, add_history)
        self._find_or_add(ProgbarLogger, add_progbar)
        self.set_model(model)
        self.set_params(params)
        self._find_batch_hooks()

    def append(self, callback):
        """Add a callback."""
        self.callbacks.append(_check_callback(callback))
        if self.model is not None:
            callback.set_model(self.model)
        if self.params:
            callback.set_params(self.params)
        self._find_batch_hooks()

    def set_model(self, model):
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params):
        if params and params.get("metrics") is not None:
            added = [name for callback in self.callbacks for name in getattr(callback, "adds_logs", ())]
            params = {**params, "metrics": list(dict.fromkeys([*params["metrics"], *added]))}
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            self.release()

    def release(self):
        for callback in self.callbacks:
            if hasattr(callback, "release"):  # one of Keras' own has none
                callback.release()

    def on_train_begin(self, logs=None):
        self._begin("on_train_begin", logs)

    def on_train_end(self, logs=None):
        self._call("on_train_end", _plain(logs))

    def on_epoch_begin(self, epoch, logs=None):
        self._call("on_epoch_begin", epoch, _plain(logs))

    def on_epoch_end(self, epoch, logs=None):
        self._call("on_epoch_end", epoch, _plain(logs))

    def on_train_batch_begin(self, batch, logs=None):
        self._call_batch_hooks("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self._call_batch_hooks("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs=None):
        self._begin("on_test_begin", logs)

    def on_test_end(self, logs=None):
        self._call("on_test_end", _plain(logs))

    def on_test_batch_begin(self, batch, logs=None):
        self._call_batch_hooks("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        self._call_batch_hooks("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs=None):
        self._begin("on_predict_begin", logs)

    def on_predict_end(self, logs=None):
        self._call("on_predict_end", _plain(logs))

    def on_predict_batch_begin(self, batch, logs=None):
        self._call_batch_hooks("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        self._call_batch_hooks("on_predict_batch_end", batch, logs)

    def on_batch_begin(self, batch, logs=None):
        logs = _plain(logs)
        for callback in self.callbacks:
            callback.on_batch_begin(batch, logs=logs)

    def on_batch_end(self, batch, logs=None):
        logs = _plain(logs)
        for callback in self.callbacks:
            callback.on_batch_end(batch, logs=logs)

    def _begin(self, hook, logs):
        self._find_batch_hooks()  # hooks may have been assigned since
        self._call(hook, _plain(logs))

    def _call(self, hook, *arguments):
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)

    def _call_batch_hooks(self, hook, batch, logs):
        functions = self._batch_hooks[hook]
        if functions:
            logs = _plain(logs)
        for function in functions:
            function(batch, logs=logs)

    def _find_batch_hooks(self):
        self._batch_hooks = {
            hook: [getattr(callback, hook) for callback in self.callbacks if _overrides(callback, hook)]
            for hook in _BATCH_HOOKS
        }

    def _find_or_add(self, cls, add):
        found = [callback for callback in self.callbacks if isinstance(callback, cls)]
        if not found and add:
            found = [cls()]
            self.callbacks.append(found[0])
        return found[-1] if found else None


def _overrides(callback, hook):
    """Whether ``callback`` does anything in ``hook`` or under its older name, `on_batch_begin` or `on_batch_end`."""
    method = getattr(callback, hook)
    if getattr(method, "__func__", method) is not getattr(Callback, hook):
        return True
    return hook.startswith("on_train") and _overrides(callback, hook.replace("train_batch", "batch"))


def _flatten(callbacks):
    if callbacks is None:
        return []
    if not isinstance(callbacks, (list, tuple)):
        return [callbacks]
    return [callback for item in callbacks for callback in _flatten(item)]


def _check_callback(callback):
    """Return ``callback`` if it has the hooks, be it of this class or not."""
    if isinstance(callback, type) or not hasattr(callback, "on_epoch_end"):
        hint = f". Did you mean {callback.__name__}()?" if isinstance(callback, type) else ""
        raise TypeError(f"`callbacks` must hold Callback objects. Received: {callback!r}{hint}")
    return callback


def _plain(logs):
    """Return a new dict with Python floats, sorted by name as Keras sorts it; dicts inside are dissolved."""
    plain = Logs()
    for name, value in sorted((logs or {}).items()):
        plain.update(_plain(value) if isinstance(value, dict) else {name: _plain_value(value)})
    return plain


def _plain_value(value):
    if getattr(value, "ndim", 0):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
