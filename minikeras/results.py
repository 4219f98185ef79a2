"""The running loss and metrics of a compiled model: what the logs, `evaluate` and `train_on_batch` say."""

import numpy as np

from minikeras import metrics as metrics_module
from minikeras.losses.base import apply_mask, quiet


class Logs(dict):
    """A dict of names and numbers. ``logs["acc"]`` of Keras 1 and 2 is found as ``"accuracy"``, with a warning."""

    def __missing__(self, key):
        from minikeras import legacy

        present = legacy.old_key(self, key)
        if present is None:
            raise KeyError(key)
        return self[present]

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


class Results:
    """The mean loss and the metrics over the batches since `reset`.

    Args:
        metrics, weighted_metrics: what `compile` was given; the second take sample weights into account.
    """

    def __init__(self, metrics, weighted_metrics):
        self.loss = metrics_module.Mean(name="loss")
        self.keys = ["loss"]  # in the logs
        self._arguments = (metrics, weighted_metrics)
        self._metrics = None  # [(metric, whether it takes sample weights)]

    @property
    def metrics(self):
        """The loss's mean and the metrics."""
        return [self.loss, *(metric for metric, _ in self._metrics or ())]

    def build(self, y, output_shape):
        """Make the metrics, once the targets are there: ``"accuracy"`` depends on their shape.

        Raises:
            ValueError: a metric that cannot be computed from these targets and outputs.
        """
        if self._metrics is not None:
            return
        pairs, names = _make_metrics(*self._arguments, (None, *np.shape(y)[1:]), output_shape)
        if None not in output_shape[1:]:
            for metric, _ in pairs:
                _try(metric, y[:1], np.zeros((1, *output_shape[1:])))
        self._metrics, self.keys = pairs, ["loss", *names]

    def update(self, loss, y, outputs, sample_weight, mask=None):
        """Take a batch in; ``mask`` says which outputs count, to the metrics that are means."""
        self.loss.update_state(loss, sample_weight=len(outputs))
        for metric, is_weighted in self._metrics:
            weights = sample_weight if is_weighted else None
            if mask is not None and metric.takes_mask:
                weights = apply_mask(weights, mask, "sum", metric.dtype)
            metric.update_state(y, outputs, weights)

    def reset(self):
        for metric in self.metrics:
            metric.reset_state()

    def logs(self):
        """Return {name: value}, in alphabetical order as Keras' logs are."""
        return Logs(sorted(self._values()))

    def returned(self, return_dict):
        """Return what `evaluate` returns: the loss, or [loss, *metrics], or a dict of them."""
        if return_dict:
            return dict(self.logs())
        values = [value for _, value in self._values()]
        return values if len(values) > 1 else values[0]

    def _values(self):
        """Pairs (name, number or array). A metric whose result is a dict has several, under their own names."""
        values = []
        for key, metric in zip(self.keys, self.metrics):
            result = metric.result()
            values += result.items() if isinstance(result, dict) else [(key, result)]
        return [(key, float(value) if np.ndim(value) == 0 else value) for key, value in values]


@quiet()
def _try(metric, y, outputs):
    try:
        metric.update_state(y, outputs)
    except Exception as error:
        raise ValueError(
            f"The metric {metric.name!r} cannot be computed from targets of shape {(None, *y.shape[1:])} and outputs "
            f"of shape {(None, *outputs.shape[1:])}: {error}"
        ) from error
    metric.reset_state()


def _make_metrics(metrics, weighted_metrics, y_shape, output_shape):
    """Return a list of (metric, whether it takes sample weights), and their names in the logs.

    Of equal names all but the first get a number (weighted ones ``weighted_`` first), as in Keras.
    """
    pairs, names, counts = [], [], {}
    for argument, is_weighted in ((metrics, False), (weighted_metrics, True)):
        for identifier in argument if isinstance(argument, (list, tuple)) else [argument]:
            if identifier is None:  # instead of a list
                continue
            metric = metrics_module.get_for_model(identifier, y_shape, output_shape)
            name = f"weighted_{metric.name}" if is_weighted and metric.name in counts else metric.name
            count = counts.get(name, 0)
            counts[name] = count + 1
            pairs.append((metric, is_weighted))
            names.append(f"{name}_{count}" if count else name)
    return pairs, names
