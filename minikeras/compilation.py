"""`compile`: the optimizer, the loss and the metrics of a model, brought to the form that its one output needs."""

from minikeras import checks, losses, metrics, optimizers
from minikeras.layers.base import standardize_shape
from minikeras.losses.base import serialize_function
from minikeras.registry import Configurable, accepts_old_spellings, get_registered_object, serialize
from minikeras.results import Results


class Compiled:
    """The part of a model that `compile` makes."""

    def _init_compiled(self):
        self.compiled = False
        self._compiled_trainable = []  # the layers that were trainable then
        self.optimizer = None
        self.loss = None
        self.run_eagerly, self.jit_compile, self.steps_per_execution = False, False, 1
        self._warned_of_loss = False

    @accepts_old_spellings
    def compile(
        self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None, run_eagerly=False,
        steps_per_execution=1, jit_compile="auto", auto_scale_loss=True, input_shape=None, learning_rate=None,
    ):  # fmt: skip
        """Choose optimizer, loss and metrics, build the model if its input shape is given, and return the model.

        Args:
            optimizer: name or `Optimizer`.
            loss: name, `Loss` or function; ``"cce"``, ``"scce"``, ``"bce"``, ``"mse"`` are short names.
            loss_weights: a number that scales the loss; the model has one, which may also be the only item of a list,
                or of a dict from the last layer's name to it.
            metrics: list of names, `Metric` objects or functions.
            weighted_metrics: the same; these take sample weights into account.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: accepted for Keras' sake, without effect.
            input_shape: shape of one sample, without the batch axis: every layer is built now, and what does not fit is
                reported.
            learning_rate: sets the optimizer's.

        Raises:
            ValueError: an unknown name, or a layer that does not fit its input.
        """
        new_optimizer = optimizers.get(optimizer)
        if learning_rate is not None:
            new_optimizer.learning_rate = optimizers.check_learning_rate(learning_rate)
        new_loss = only_loss(loss, self)
        new_loss = new_loss if losses.depends_on_shape(new_loss) else losses.get(new_loss)
        checks.check_reduction(new_loss)
        pair = [flat_metrics(m, n) for m, n in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics"))]
        weight = only_weight(loss_weights, self)
        if input_shape is not None:
            self.build((None, *standardize_shape(input_shape)))
        self.optimizer, self.loss, self._loss_weight, self._results = new_optimizer, new_loss, weight, Results(*pair)
        self._compile_arguments = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile is True,
        }  # fmt: skip
        self.run_eagerly, self.jit_compile = run_eagerly, jit_compile is True
        self.steps_per_execution = steps_per_execution
        self.compiled = self._is_newly_compiled = True
        self._compiled_trainable = [layer for layer in self.all_layers() if layer._trainable]
        self._warned_of_loss = False
        if self.built and not losses.depends_on_shape(new_loss):
            checks.warn_of_last_layer(self, new_loss)
        return self

    def _frozen_since(self):
        """Return the layers to train nevertheless, if the whole model was frozen after `compile`, with a warning."""
        frozen = [layer for layer in self._compiled_trainable if not layer._trainable]
        if not any(layer is self for layer in frozen):
            return []
        from minikeras.legacy.warning import deprecate

        deprecate(
            f"Model {self.name!r} was frozen after it was compiled, and `train_on_batch` trains it as it was compiled, "
            "as in Keras 1 and 2. Keras 3 would not train it: set `trainable = True` before, and False after it"
        )
        return frozen

    def get_compile_config(self):
        """Return what `compile` was given, in JSON types, as Keras writes it; {} before `compile`."""
        if not self.compiled:
            return {}
        arguments = {name: _describe(value, name) for name, value in self._compile_arguments.items()}
        return {"optimizer": serialize(self.optimizer), **arguments}

    def compile_from_config(self, config):
        """Compile the model with what `get_compile_config` returned."""
        if config:
            found = {name: _revive(config.get(name)) for name in ("metrics", "weighted_metrics")}
            self.compile(**{**config, **found})

    def reset_metrics(self):
        """Set the running loss and metrics back to their start."""
        self._results.reset()

    def get_metrics_result(self):
        """Return a dict of the loss's mean and the metrics' values; {} before `compile`."""
        return self._results.logs() if self.compiled else {}

    @property
    def metrics(self):
        """The loss's mean and the metrics."""
        return self._results.metrics if self.compiled else []

    @property
    def metrics_names(self):
        return [metric.name for metric in self.metrics]

    @property
    def metrics_variables(self):
        """What the loss's mean and the metrics have counted."""
        return [variable for metric in self.metrics for variable in metric.variables]


def only_loss(loss, model):
    """Return the loss of ``"mse"``, ``["mse"]`` or ``{"name of the last layer": "mse"}``."""
    if isinstance(loss, dict) and "class_name" not in loss:
        _check_names(loss, "loss", model)
    return _only(loss, "loss", "as loss='mse'")


def only_weight(loss_weights, model):
    """Return the factor of the loss, a number or None."""
    if loss_weights is None:
        return None
    if isinstance(loss_weights, dict):
        _check_names(loss_weights, "loss_weights", model)
    return checks.single_number(_only(loss_weights, "loss_weights", "as loss_weights=[0.5]"), "loss_weights")


def flat_metrics(metrics, argument):
    """Return the metrics as one list: Keras takes them in lists and dicts of outputs too, whose names play no role."""
    flat = _flatten(metrics)
    checks.check_metrics(flat, argument)
    return flat


def _check_names(values, argument, model):
    name = model.layers[-1].name if model.layers else None
    if len(values) != 1 or name not in (None, *values):
        raise ValueError(
            f"`{argument}` must have one entry, for the model's one output, {name!r}. Received the keys: {list(values)}"
        )


def _only(value, argument, example):
    while isinstance(value, (list, tuple)) or isinstance(value, dict) and "class_name" not in value:
        if len(value) != 1:
            raise ValueError(
                f"`{argument}` must be one, {example}: a model here has one output. Received {len(value)}: {value!r}"
            )
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value


def _flatten(metrics):
    if metrics is None:
        return []
    if isinstance(metrics, dict) and "class_name" not in metrics:
        metrics = list(metrics.values())
        return [metric for item in metrics for metric in _flatten(item)]
    if isinstance(metrics, (list, tuple)):
        return [m for item in metrics for m in (_flatten(item) if isinstance(item, (list, tuple, dict)) else [item])]
    return [metrics]


def _revive(value):
    """Return metrics with objects in place of configs: now, while what a `CustomObjectScope` holds is known."""
    if isinstance(value, dict):
        if "class_name" not in value:
            return {key: _revive(item) for key, item in value.items()}
        is_function = value["class_name"] == "function"  # not an object with a name of its own
        return (get_registered_object(value["config"]) or value) if is_function else metrics.get(value)
    return [_revive(item) for item in value] if isinstance(value, (list, tuple)) else value


def _describe(value, argument):
    if isinstance(value, dict):
        return {key: _describe(item, argument) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_describe(item, argument) for item in value]
    if isinstance(value, Configurable) or not callable(value):
        return serialize(value)
    if losses.is_loss_function(value):
        return losses.serialize(value)
    if getattr(value, "__name__", "<lambda>") == "<lambda>":
        raise TypeError(f"`{argument}` holds a function without a name, which no config can refer to: {value!r}")
    return {**serialize_function(value), "registered_name": value.__name__}
