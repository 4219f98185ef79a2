"""Progress on the screen: a tqdm bar where a line can be rewritten (terminal, notebook), finished lines elsewhere."""

import os
import sys
import time

import numpy as np

_BAR = "{{n_fmt}}/{{total_fmt}} |{{bar{width}}}| {{elapsed}}<{{remaining}}{{postfix}}"
_BAR_WITHOUT_TARGET = "{n_fmt}/Unknown {elapsed}{postfix}"


class Progbar:
    """Shows how far a loop has come, and its running values.

    In a terminal one line is rewritten at most every ``interval`` seconds; a notebook gets a widget when ipywidgets
    is there. When the output goes to a file or a pipe, nothing is printed but the finished line.

    Args:
        target: number of steps, or None if unknown.
        width: of the bar, in characters.
        verbose: 0 for silence, 1 for the bar, 2 for the finished line only.
        interval: seconds between two updates of the screen.
        stateful_metrics: names of values that are shown as they are; the others are averaged over the steps.
        stateless_metrics: names of values that are averaged, if the others are to be shown as they are. Only one of
            the two may be given.
        unit_name: what a step is called.
    """

    def __init__(
        self,
        target,
        width=20,
        verbose=1,
        interval=0.05,
        stateful_metrics=None,
        stateless_metrics=None,
        unit_name="step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` can be given. Received: "
                f"stateful_metrics={stateful_metrics}, stateless_metrics={stateless_metrics}"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._rewrites = verbose == 1 and _can_rewrite(sys.stdout)
        self._bar = None
        self._seen_so_far = 0
        self._values = {}  # name -> (sum, number of steps in it)
        self._start = self._last_update = time.time()

    def update(self, current, values=None, finalize=None):
        """Go to step ``current``.

        Args:
            current: number of steps done.
            values: list of (name, value of the last step).
            finalize: whether this is the last update; by default whether the target is reached. Values are then
                shown as they are.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            if finalize or self._is_stateful(name):
                self._values[name] = (value, 1)
            else:
                steps = max(current - self._seen_so_far, 1)
                total, count = self._values.get(name, (0.0, 0))
                self._values[name] = (total + value * steps, count + steps)
        self._seen_so_far = current
        if self._rewrites:
            now = time.time()
            if finalize or now - self._last_update >= self.interval:
                self._draw(current, now, finalize)
        elif finalize and self.verbose in (1, 2):
            self._print_line(current, time.time())

    def add(self, n, values=None):
        """Go ``n`` steps further."""
        self.update(self._seen_so_far + n, values)

    def close(self):
        """Leave the bar as it is and end its line, so that what is printed next starts a new one."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _is_stateful(self, name):
        if self.stateless_metrics is not None:
            return name not in self.stateless_metrics
        return name in self.stateful_metrics

    def _draw(self, current, now, finalize):
        if self._bar is None:
            self._bar = self._open_bar(current)
        bar = self._bar
        bar.n = current
        bar.total = self.target or None  # an unknown target may have become known
        bar.bar_format = self._bar_format()
        bar.postfix = self._time_per_step(current, now) + self._values_text()
        if finalize:
            bar.dynamic_ncols = bar.ncols = None  # the last line may wrap; while it is rewritten it must not
            self.close()
        else:
            bar.refresh()
        self._last_update = now

    def _open_bar(self, current):
        bar = _tqdm_class()(
            total=self.target or None,
            initial=current,
            file=sys.stdout,
            dynamic_ncols=True,
            leave=True,
            bar_format=self._bar_format(),
        )
        bar.initial = 0
        bar.start_t = self._start
        return bar

    def _bar_format(self):
        if not self.target:
            return _BAR_WITHOUT_TARGET
        return _BAR.format(width="" if _is_notebook(sys.stdout) else f":{self.width}")  # a widget has its own width

    def _print_line(self, current, now):
        count = f"{current:{len(str(self.target))}d}/{self.target}" if self.target else f"{current}/Unknown"
        elapsed = f"{now - self._start:.0f}s"
        print(f"{count} - {elapsed} - {self._time_per_step(current, now)}{self._values_text()}", flush=True)

    def _time_per_step(self, current, now):
        seconds = (now - self._start) / current if current else 0
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit_name}"
        return f"{seconds * 1e6:.0f}us/{self.unit_name}"

    def _values_text(self):
        """Return `` - name: value`` for each value, in Keras' number format."""
        text = ""
        for name, (total, count) in self._values.items():
            value = float(np.mean(total)) / max(1, count)
            text += f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}"
        return text


def _can_rewrite(stream):
    """Whether a line printed to ``stream`` can be overwritten: in notebooks and in terminals that have a size."""
    if _is_notebook(stream):
        return True
    isatty = getattr(stream, "isatty", None)
    if isatty is None or not isatty():
        return False
    try:
        return min(os.get_terminal_size(stream.fileno())) > 0
    except (OSError, ValueError):  # it says that it is a terminal, and has no file descriptor
        return True


def _is_notebook(stream):
    return type(stream).__module__.startswith("ipykernel")


def _tqdm_class():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm warns of missing ipywidgets; its text bar will do
        from tqdm.autonotebook import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread that watches the bar: `Progbar` decides when it is drawn

    return Bar
