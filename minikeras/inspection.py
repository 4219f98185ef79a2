"""Looking inside a model: what each layer makes of a batch, and every gradient of the loss, by the layers' names.

All is computed by copies of the layers, one after the other: the model, its random numbers and its moving averages stay
as they are.
"""

from collections.abc import Mapping

import numpy as np

from minikeras import checks, config, data
from minikeras.kernels import threads
from minikeras.losses.base import quiet
from minikeras.stack import run_backward, run_forward
from minikeras.still import copies, still_copies


class LayerRecord:
    """What one layer did. All arrays are copies.

    Attributes:
        layer: name of its class.
        output: array (batch, ...).
        output_gradient: dL/doutput, of the output's shape; None without targets, or where no gradient arrives (before
            a layer that takes integers).
        weights: dict from names, such as ``"kernel"``, to arrays.
        gradients: dict from the names of the trainable weights to dL/dweight, the penalties of regularizers included;
            empty without targets.
    """

    def __init__(self, layer, output, weights):
        self.layer, self.output, self.weights = layer, output, weights
        self.output_gradient, self.gradients = None, {}

    def arrays(self):
        """Yield (name, array) of all there is, as ``"kernel/gradient"``."""
        yield "output", self.output
        if self.output_gradient is not None:
            yield "output_gradient", self.output_gradient
        for name, weight in self.weights.items():
            yield name, weight
            if name in self.gradients:
                yield f"{name}/gradient", self.gradients[name]

    def __repr__(self):
        return "\n".join(table_lines(self.arrays()))


class Inspection(Mapping):
    """What `model.inspect` returns: an ordered mapping from each layer's name to its `LayerRecord`.

    A layer of a model inside of the model is called ``"inner/dense"``. ``repr`` is a table.

    Attributes:
        inputs: array (batch, ...), as the first layer takes it.
        input_gradient: dL/dinputs; None without targets and for integers.
        loss: the total loss, a float, penalties included; None without targets.
    """

    def __init__(self, inputs):
        self._records = {}
        self.inputs, self.input_gradient, self.loss = inputs, None, None

    def __getitem__(self, name):
        if name not in self._records:
            raise KeyError(f"No such layer: {name!r}. Existing layers: {', '.join(self._records)}")
        return self._records[name]

    def __iter__(self):
        return iter(self._records)

    def __len__(self):
        return len(self._records)

    def __repr__(self):
        arrays = [("inputs", self.inputs)]
        if self.input_gradient is not None:
            arrays.append(("input_gradient", self.input_gradient))
        for name, record in self.items():
            arrays += [(f"{name}/{what}", array) for what, array in record.arrays()]
        last = [] if self.loss is None else [f"loss: {self.loss:.6g}"]
        return "\n".join([*table_lines(arrays), *last])


def inspect(model, x, y=None, training=False, sample_weight=None):
    """`Model.inspect`."""
    checks.check_built(model, "inspect")
    if y is None:
        if sample_weight is not None:
            raise ValueError("`sample_weight` weighs the loss, which needs targets: give `y`, too")
        x = data.standardize(x)[0]
        checks.check_input(model, x)
    else:
        checks.check_compiled(model, "inspect")
        x, y, sample_weight = data.standardize(x, y, sample_weight)
        model._prepare(x, y, sample_weight, training=False)
        checks.check_trainable(model)
    with threads.single_threaded_blas():
        return look(model, x, y, sample_weight, training)


@threads.one_at_a_time
@quiet()
def look(model, x, y=None, sample_weight=None, training=False):
    """Return the `Inspection` of a batch that was checked."""
    x = model._cast(x)
    is_still = y is not None and not training
    layers = (still_copies if is_still else copies)(model.stack.layers)
    inspection = Inspection(np.array(x))
    is_fused = y is not None and model._fused_activation()
    mask, outputs = None, x
    with config.restored_seeds():
        for layer, name in zip(layers, layer_names(model)):
            weights = {key: weight.numpy() for key, weight in named_weights(layer).items()}  # some change in training
            outputs, mask = run_forward([layer], outputs, training or is_still, mask)
            inspection._records[name] = LayerRecord(type(layer).__name__, np.array(outputs), weights)
    if y is None:
        return inspection
    weight = 1 if model._loss_weight is None else model._loss_weight
    loss_weight = model.loss.apply_mask(y, outputs, sample_weight, mask)
    penalties = sum(penalty for layer in layers for penalty in layer.losses)
    inspection.loss = float(model.loss(y, outputs, loss_weight) * weight + penalties)
    gradient = model.loss.weighted_gradient(y, outputs, loss_weight) * weight
    logits = model.loss.logits_gradient(y, outputs, loss_weight) * weight if is_fused else None
    _look_back(layers, inspection, gradient, logits)
    return inspection


def _look_back(layers, inspection, gradient, logits):
    """Fill in the gradients, from that by the outputs; ``logits``, if not None, is that by the last one's logits."""
    records = list(inspection.values())
    for i, layer in reversed(list(enumerate(layers))):
        record = records[i]
        record.output_gradient = np.array(gradient)
        if layer.activity_regularizer is not None:
            penalty = layer.activity_regularizer.gradient(layer._activity)
            record.output_gradient += penalty / max(len(layer._activity), 1)
        layer.needs_input_gradient = i > 0 or layer.casts_inputs
        gradient = run_backward([layer], gradient if logits is None else logits, logits is not None)
        logits = None
        trainable = {id(weight) for weight in layer.trainable_weights}
        for name, weight in named_weights(layer).items():
            if id(weight) in trainable:
                record.gradients[name] = weight.grad.copy()
                if weight.regularizer is not None:
                    record.gradients[name] += weight.regularizer.gradient(weight.value)
        if gradient is None:
            return
    inspection.input_gradient = np.array(gradient) if layers[0].casts_inputs else None


# Names.


def layer_names(model):
    """Return the name of each layer of ``model.stack``, with the names of the models that it is in before its own."""
    names = []
    for layer in model._working_layers():
        inside = layer_names(layer) if hasattr(layer, "leaves") else None
        names += [layer.name] if inside is None else [f"{layer.name}/{name}" for name in inside]
    return names


def named_weights(layer):
    """Return a dict from names to the weights of a layer: what their paths have behind the layer's name."""
    weights = layer.weights
    names = [_behind(layer.name, weight.path) for weight in weights]
    if len(set(names)) < len(names):
        names = [weight.path for weight in weights]
    if len(set(names)) < len(names):
        names = [f"{name}_{i}" for i, name in enumerate(names)]
    return dict(zip(names, weights))


def _behind(name, path):
    parts = path.split("/")
    return "/".join(parts[parts.index(name) + 1 :]) if name in parts[:-1] else path


# Numbers.


def statistics(array):
    """Return (minimum, maximum, mean, standard deviation, share of zeros, number of NaN and infinities).

    The first four are of the finite numbers, NaN if there are none; computed in float64.
    """
    array = np.asarray(array)
    if not array.size:
        return np.nan, np.nan, np.nan, np.nan, np.nan, 0
    zeros = 1 - np.count_nonzero(array) / array.size
    finite = np.isfinite(array)
    missing = array.size - np.count_nonzero(finite)
    if missing == array.size:
        return np.nan, np.nan, np.nan, np.nan, zeros, missing
    x = array[finite] if missing else array
    spread = np.std(x, dtype=np.float64)
    return float(x.min()), float(x.max()), float(np.mean(x, dtype=np.float64)), float(spread), zeros, missing


def table_lines(arrays):
    """Return the lines of a table of (name, array)."""
    rows = [("", "shape", "minimum", "maximum", "mean", "zeros", "")]
    for name, array in arrays:
        minimum, maximum, mean, _, zeros, missing = statistics(array)
        shape = "x".join(map(str, np.shape(array))) or "()"
        numbers = [f"{number:.4g}" for number in (minimum, maximum, mean)]
        rows.append((name, shape, *numbers, f"{zeros:.1%}", f"{missing} not finite" if missing else ""))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(row[1:], widths[1:]))]).rstrip()
        for row in rows
    ]
