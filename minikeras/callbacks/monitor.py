"""What the callbacks that watch one value have in common: which value, and when it is better than before."""

import numpy as np

from minikeras.callbacks.base import Callback
from minikeras.messages import warn


class MonitorCallback(Callback):
    """Base class of callbacks that watch one entry of the logs.

    Args:
        monitor: its name, e.g. ``"val_loss"``.
        mode: ``"min"`` if lower is better, ``"max"`` if higher is; ``"auto"`` asks the model's metrics.
        baseline: the best value to begin with, or None.
        min_delta: by how much a value must be better to count.

    NaN is never better than anything.
    """

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta=0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(f"`mode` of {type(self).__name__} must be 'auto', 'min' or 'max'. Received: {mode!r}; 'auto' is taken")
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)

    def get_monitor_value(self, logs):
        """Return the value watched, or None in an epoch without the validation that others have.

        Raises:
            ValueError: nothing of that name is logged, or several numbers are, or nobody knows whether higher or lower
                is better.
        """
        logs = logs or {}
        if self.monitor in logs:
            self._higher_is_better()  # so that an unknown direction is reported now
            value = logs[self.monitor]
            if np.ndim(value):
                raise ValueError(
                    f"{type(self).__name__} has monitor={self.monitor!r}, which must be one number. Received an array "
                    f"of shape {np.shape(value)}: choose a metric that averages over the classes (average='macro'), "
                    "or watch another value"
                )
            return value
        if self.monitor.startswith("val_") and self.monitor in (self._known_names() or ()):
            return None  # as with validation_freq=2
        from difflib import get_close_matches

        from minikeras import legacy

        present = legacy.old_key([*logs, *(self._known_names() or ())], self.monitor)
        if present is not None:
            self.monitor = present
            return self.get_monitor_value(logs)
        close = get_close_matches(self.monitor, logs, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            hint = " For `val_` names give fit `validation_data` or `validation_split`."
        raise ValueError(
            f"{type(self).__name__} has monitor={self.monitor!r}, which is not logged. Available keys: "
            f"{', '.join(sorted(logs))}.{hint}"
        )

    def is_improvement(self, value, reference):
        """Whether ``value`` is better than ``reference``, of which None is the worst, by more than `min_delta`."""
        if value != value:
            return False
        if reference is None:
            return True
        if self._higher_is_better():
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def _known_names(self):
        return (self.params or {}).get("metrics")

    def _higher_is_better(self):
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return False
        directions = [
            metric._direction
            for metric in getattr(self.model, "metrics", ())
            if metric.name == name and getattr(metric, "_direction", None)
        ]
        if not directions:
            raise ValueError(
                f"{type(self).__name__} has monitor={self.monitor!r} and mode='auto', and no metric of the model tells "
                "whether higher or lower is better. Pass mode='max' or mode='min'"
            )
        return directions[-1] == "up"
