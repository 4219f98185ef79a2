"""What training uses, under its names in Keras 1 and 2: cross-entropies, activations, variables, random arrays."""

import numpy as np

from minikeras import activations, random
from minikeras.config import epsilon, floatx
from minikeras.variable import Variable

# Cross-entropies of each element or row, where those of `losses` are means over the last axis.


def binary_crossentropy(target, output, from_logits=False):
    """Return - t log(p) - (1 - t) log(1 - p) of each element; p = sigmoid(output) ``from_logits``."""
    target, output = np.asarray(target), np.asarray(output)
    if from_logits:
        return np.maximum(output, 0) - output * target + np.log1p(np.exp(-np.abs(output)))
    p = np.clip(output, epsilon(), 1 - epsilon())
    return -(target * np.log(p + epsilon()) + (1 - target) * np.log(1 - p + epsilon()))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """Return - sum t log(p) along an axis; p are the outputs divided by their sum, or their softmax."""
    return -np.sum(np.asarray(target) * _log_probabilities(np.asarray(output), from_logits, axis, True), axis=axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, ignore_class=None):
    """Return - log(p) of the class that is the target, for each row; 0 where that is ``ignore_class``."""
    target, output = np.asarray(target), np.moveaxis(np.asarray(output), axis, -1)
    if target.ndim == output.ndim:
        target = target[..., 0]
    target = target.astype(np.int64)
    ignored = np.zeros(target.shape, bool) if ignore_class is None else target == ignore_class
    classes = np.where(ignored, 0, target)[..., None]
    p = _log_probabilities(output, from_logits, -1, False)
    p = p - np.log(np.sum(np.exp(p), axis=-1, keepdims=True))  # as in Keras, clipped outputs are divided by their sum
    return np.where(ignored, 0, -np.take_along_axis(p, classes, axis=-1)[..., 0]).astype(output.dtype)


def _log_probabilities(output, from_logits, axis, divide):
    if from_logits:
        output = output - np.max(output, axis=axis, keepdims=True)
        return output - np.log(np.sum(np.exp(output), axis=axis, keepdims=True))
    if divide:
        output = output / np.sum(output, axis=axis, keepdims=True)
    return np.log(np.clip(output, epsilon(), 1 - epsilon()))


# Activations, with their gradient: a layer can have `lambda x: K.relu(x, max_value=6)`.


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """Return `activations.relu`, with the slope ``alpha`` below the threshold."""
    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def elu(x, alpha=1.0):
    """Return `activations.elu`."""
    return activations.elu(x, alpha=alpha)


def softmax(x, axis=-1):
    """Return `activations.softmax`."""
    return activations.softmax(x, axis=axis)


def softplus(x):
    """Return `activations.softplus`."""
    return activations.softplus(x)


def softsign(x):
    """Return `activations.softsign`."""
    return activations.softsign(x)


def sigmoid(x):
    """Return `activations.sigmoid`."""
    return activations.sigmoid(x)


def tanh(x):
    """Return `activations.tanh`."""
    return activations.tanh(x)


def hard_sigmoid(x):
    """Return 0.2 x + 0.5, kept in [0, 1]: that of Keras 2. (`activations.hard_sigmoid` is relu6(x + 3) / 6.)"""
    return np.clip(0.2 * np.asarray(x) + 0.5, 0, 1)


# Variables.


def variable(value, dtype=None, name=None, constraint=None):
    """Return a `Variable` with the value."""
    return Variable(np.asarray(value, dtype or floatx()), name=name)


def get_value(x):
    """Return an array's or a variable's value."""
    return x.numpy() if hasattr(x, "numpy") else x


eval = get_value


def set_value(x, value):
    """Give a variable another value."""
    x.assign(np.asarray(value))


def update(x, new_x):
    """Give a variable another value, and return it."""
    x.assign(np.asarray(new_x))
    return x


def update_add(x, increment):
    """Add to a variable, and return it."""
    return update(x, np.asarray(x) + increment)


def update_sub(x, decrement):
    """Subtract from a variable, and return it."""
    return update(x, np.asarray(x) - decrement)


def stop_gradient(variables):
    """Return the arrays as they are."""
    return variables


# Random arrays.


def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Return `random.normal`."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Return `random.uniform`."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Return `random.truncated_normal`."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """Return ones with the probability p, else zeros."""
    return (random.uniform(shape, seed=seed) < p).astype(dtype or floatx())
