"""A layer beside Keras' layer of the same name: signature, config, weights, outputs, and the gradients that PyTorch's
autograd finds. The rows of configurations are in tests/parity/test_layers_*.py, one file a family."""

import importlib.util
import inspect
import pathlib

import numpy as np
from checks import relative_error
from compatibility import DIFFERS
from compatibility_page import quoted

from minikeras import layers

TOLERANCE = 1e-5  # float32


def load_tables():
    """Gather what the files of rows define, each by the name of a layer's class.

    CASES: lists of (shape of a sample, arguments). INPUTS: functions of (rng, shape) for other inputs than normally
    distributed ones; what they return is not differentiated unless it is of floats. RANDOM: names of layers compared in
    inference only, because they draw other random numbers. TOLERANCES: of layers that compute otherwise than Keras.
    ELSEWHERE: names of layers that have tests of their own. What else differs from Keras: `compatibility.py`.
    """
    names = ("CASES", "INPUTS", "RANDOM", "TOLERANCES", "ELSEWHERE")
    tables = {name: {} for name in names}
    for path in sorted((pathlib.Path(__file__).parent / "parity").glob("test_layers_*.py")):
        spec = importlib.util.spec_from_file_location(f"rows_of_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, table in tables.items():
            rows = getattr(module, name, {})
            table.update(dict.fromkeys(rows, True) if isinstance(rows, (set, list, tuple)) else rows)
    return tables


def make_layer(name, arguments):
    return getattr(layers, name)(**own_arguments(arguments, layers), name="twin")


def make_both(keras, name, arguments):
    ours = make_layer(name, arguments)
    theirs = getattr(keras.layers, name)(**own_arguments(arguments, keras.layers), name="twin")
    return ours, theirs


def own_arguments(arguments, module):
    """Arguments that are layers are given as functions of the module that makes them: `lambda layers: ...`."""
    return {key: value(module) if inspect.isfunction(value) else value for key, value in arguments.items()}


def check_parity(keras, name, shape, arguments, batch=4, training=True, x=None, tolerance=TOLERANCE, mask=None):
    """Compare shapes, weights, outputs and all gradients for one batch of inputs of ``shape``."""
    import torch

    rng = np.random.default_rng(0)
    ours, theirs = make_both(keras, name, arguments)
    x = rng.standard_normal((batch, *shape)).astype("float32") if x is None else x
    assert tuple(ours.compute_output_shape((None, *shape))) == tuple(theirs.compute_output_shape((None, *shape)))
    ours.build((None, *shape))
    theirs.build((None, *shape))
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    assert [w.name for w in ours.trainable_weights] == [w.name for w in theirs.trainable_weights]
    assert [w.name for w in ours.non_trainable_weights] == [w.name for w in theirs.non_trainable_weights]
    theirs.set_weights([_random_weight(rng, w) for w in ours.weights])
    ours.set_weights(theirs.get_weights())

    options = {"training": training} | ({} if mask is None else {"mask": mask})
    their_options = {"training": training} | ({} if mask is None else {"mask": torch.tensor(mask)})
    differentiable = x.dtype.kind == "f"
    tensor = torch.tensor(x, requires_grad=differentiable)
    y = theirs(tensor, **their_options)
    assert relative_error(ours(x, **options), y.detach().numpy()) <= tolerance
    variables = [w.value for w in theirs.trainable_weights]
    if y.requires_grad:
        dy = rng.standard_normal(y.shape).astype("float32")
        inputs = [tensor] if differentiable else []
        gradients = torch.autograd.grad(y, [*inputs, *variables], torch.tensor(dy), allow_unused=True)
        gradients = [np.zeros(v.shape) if g is None else g.numpy() for v, g in zip([*inputs, *variables], gradients)]
        dx = ours.backward(dy.copy())
        if differentiable:
            assert relative_error(dx, gradients.pop(0)) <= tolerance
        for w, dw in zip(ours.trainable_weights, gradients):
            assert relative_error(w.grad, dw, floor=0.1) <= tolerance, w.name  # some are 0 but for rounding
    for a, b in zip(ours.get_weights(), theirs.get_weights()):  # moving statistics
        assert relative_error(a, b) <= tolerance
    theirs.set_weights(ours.get_weights())
    assert relative_error(ours(x, training=False), theirs(x, training=False).detach().numpy()) <= tolerance


def _random_weight(rng, weight):
    value = rng.uniform(0.5, 1.5, weight.shape)
    if any(part in weight.name for part in ("kernel", "bias", "embeddings", "alpha")):
        value *= rng.choice([-1, 1], weight.shape)
    return value.astype(weight.dtype)


def check_config(keras, name, arguments):
    """Compare configs, and read each one's with the other."""
    ours, theirs = make_both(keras, name, arguments)
    assert _cleaned(layers.serialize(ours)) == _cleaned(keras.layers.serialize(theirs))
    ours_again = layers.deserialize(keras.layers.serialize(theirs))
    theirs_again = keras.layers.deserialize(layers.serialize(ours))
    assert layers.serialize(ours_again) == layers.serialize(ours)
    assert _cleaned(theirs_again.get_config()) == _cleaned(theirs.get_config())


def _cleaned(value, other=()):
    """Without the build_config, which says what a layer was built with, and without keys of None that only one of the
    two has, as the reason in `compatibility.py` says."""
    if isinstance(value, dict):
        other = quoted(DIFFERS["layers"].get(value.get("class_name"))) or other
        return {
            key: _cleaned(entry, other if key == "config" else ())
            for key, entry in value.items()
            if key != "build_config" and not (entry is None and key in other)
        }
    return [_cleaned(item) for item in value] if isinstance(value, list) else value
