"""Copies of layers that compute as in inference and yet remember what `backward` needs.

Layers remember that in training only, in which some of them (dropout, batch normalization, augmentation) act
differently. So copies are run as in training, and those of them are told that it is not. What was copied stays as it
is, down to its random numbers and the gradients of its last step.
"""

import copy
from types import MethodType

import numpy as np

from minikeras import config
from minikeras.layers import BatchNormalization, Lambda, SpectralNormalization
from minikeras.layers.preprocessing.augmentation import RandomImageLayer
from minikeras.layers.recurrent_cell import RecurrentCell
from minikeras.layers.regularization import Noise


def copies(layers):
    """Return copies of layers, which share what the layers share."""
    memo, result = {}, []
    for layer in layers:
        try:
            result.append(copy.deepcopy(layer, memo))
        except TypeError as error:
            raise TypeError(
                f"Layer {layer.name!r} ({type(layer).__name__}) cannot be copied, and only a copy can be looked into "
                f"without changing the model: {error}. Give the layer a `__deepcopy__`"
            ) from error
    return result


def still_copies(layers):
    """Return copies of layers that give what inference gives, and can go back from there, when run as in training."""
    result = copies(layers)
    for layer in (inner for outer in result for inner in outer.all_layers()):
        if isinstance(layer, RecurrentCell):
            layer.dropout = layer.recurrent_dropout = 0.0
        elif isinstance(layer, SpectralNormalization):
            layer.normalize_kernel = _do_nothing
        elif "training" not in layer._call_takes:
            pass  # it does not ask
        elif isinstance(layer, (Noise, RandomImageLayer)):
            layer.call = MethodType(_call_in_inference, layer)
        elif isinstance(layer, BatchNormalization):
            layer.call = MethodType(_call_frozen, layer)
        elif layer.is_built_in and not isinstance(layer, Lambda):
            layer.call = MethodType(_call_in_training, layer)
        else:  # a cell is not run, but called by the recurrent layer: as in training
            layer.run = MethodType(_run_in_both, layer)
    return result


def _call_in_inference(layer, inputs, training=True, **others):
    return type(layer).call(layer, inputs, training=False, **others)


def _call_in_training(layer, inputs, training=False, **others):
    """Also where a custom layer that holds this one is told that it is inference."""
    return type(layer).call(layer, inputs, training=True, **others)


def _call_frozen(layer, inputs, training=False, **others):
    trainable, layer._trainable = layer._trainable, False
    try:
        return _call_in_training(layer, inputs, **others)
    finally:
        layer._trainable = trainable


def _run_in_both(layer, inputs, training=False, mask=None):
    """Run a layer of which nobody knows what it remembers, and when.

    One that puts out the same in training is run so last: it may remember in training only. One that does not is left
    with what it remembers of the inference, since what it remembers of the training is of something else.
    """
    run, values = type(layer).run, [weight.numpy() for weight in layer.weights]
    with config.restored_seeds():
        expected = np.array(run(layer, inputs, False, mask))
        outputs = run(layer, inputs, True, mask)
    tolerance = 1e-4 * np.nanmax(np.abs(expected), initial=0)
    is_same = np.allclose(outputs, expected, rtol=1e-4, atol=tolerance, equal_nan=True)
    for weight, value in zip(layer.weights, values):  # it may keep moving averages
        weight.assign(value)
    return outputs if is_same else run(layer, inputs, False, mask)


def _do_nothing():
    """In place of what changes weights."""
