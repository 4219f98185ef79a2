"""Activations, cross-entropies, one-hot rows."""

import numpy as np

from minikeras import activations, backend
from minikeras.config import epsilon as smallest
from minikeras.ops.arrays import convert_to_tensor, float_pair, floats, named


def _activation(name):
    compute = getattr(activations, name)

    def function(x):
        return compute(floats(x))[()]

    return named(function, name, f"Return `activations.{name}`.")


hard_sigmoid = _activation("hard_sigmoid")
hard_silu = _activation("hard_silu")
hard_swish = _activation("hard_swish")
log_sigmoid = _activation("log_sigmoid")
selu = _activation("selu")
sigmoid = _activation("sigmoid")
silu = _activation("silu")
softplus = _activation("softplus")
softsign = _activation("softsign")
swish = _activation("swish")
tanh = _activation("tanh")


def relu(x):
    """Return `activations.relu`; of integers it is integers."""
    x = convert_to_tensor(x)
    return activations.relu(x)[()] if x.dtype.kind == "f" else np.maximum(x, 0)


def relu6(x):
    """Return `activations.relu6`; of integers it is integers."""
    x = convert_to_tensor(x)
    return activations.relu6(x)[()] if x.dtype.kind == "f" else np.clip(x, 0, 6)


def elu(x, alpha=1.0):
    """Return `activations.elu`."""
    return activations.elu(floats(x), alpha=alpha)


def gelu(x, approximate=True):
    """Return `activations.gelu`."""
    return activations.gelu(floats(x), approximate=approximate)


def leaky_relu(x, negative_slope=0.2):
    """Return `activations.leaky_relu`."""
    return activations.leaky_relu(floats(x), negative_slope=negative_slope)


def log_softmax(x, axis=-1):
    """Return `activations.log_softmax`."""
    return activations.log_softmax(floats(x), axis=axis)


def softmax(x, axis=-1):
    """Return `activations.softmax`."""
    return activations.softmax(floats(x), axis=axis)


def binary_crossentropy(target, output, from_logits=False):
    """Return the cross-entropy of each element."""
    target, output = float_pair(target, output)
    if from_logits:
        return backend.binary_crossentropy(target, output, True)
    p = np.clip(output, smallest(), 1 - smallest())
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """Return the cross-entropy along an axis."""
    return backend.categorical_crossentropy(*float_pair(target, output), from_logits, axis)


def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Return a row of zeros with a 1 at the index, for each; without a 1 if there is no such column."""
    if sparse:
        raise NotImplementedError(f"Arrays are dense: `sparse` must be False. Received: sparse={sparse!r}")
    rows = convert_to_tensor(x)[..., None] == np.arange(num_classes)
    return np.moveaxis(rows.astype(backend.standardize_dtype(dtype)), -1, axis)


def in_top_k(targets, predictions, k):
    """Whether less than ``k`` predictions of a row are larger than that at its target."""
    return backend.in_top_k(convert_to_tensor(predictions), convert_to_tensor(targets), k)


def normalize(x, axis=-1, order=2, epsilon=None):
    """Return x divided by its norm along an axis, which counts as at least ``epsilon``."""
    x = floats(x)
    lowest = smallest() if epsilon is None else epsilon
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.maximum(norm, lowest).astype(x.dtype)
