"""Activation functions, each with its derivative beside it.

An activation is called as ``relu(x)`` and returns a new array. Layers use it in two steps, in place:
``activation.forward(x, out)`` writes ``y = f(x)`` and ``activation.gradient(dy, x, y, out)`` writes
``dL/dx = dL/dy * f'(x)``, both of which may be given one array for several arguments. Most derivatives need the
outputs ``y`` only; those that need ``x`` say so (``needs_input``), and the layer then keeps it.
"""

import numpy as np

from minikeras.activations.function import ActivationFunction, unwrap
from minikeras.activations.rectifiers import (
    celu,
    elu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    relu,
    relu6,
    selu,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    threshold,
)
from minikeras.activations.sigmoids import (
    exponential,
    gelu,
    log_sigmoid,
    mish,
    sigmoid,
    silu,
    softplus,
    softsign,
    squareplus,
    tanh,
    tanh_shrink,
)
from minikeras.activations.vectors import glu, log_softmax, softmax, sparsemax
from minikeras.registry import CustomObjectScope, resolve
from minikeras.registry import serialize as _serialize

_table = {
    function.keras_name: function
    for function in (
        celu, elu, exponential, gelu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
        log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
        sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink,
    )
}  # fmt: skip
_not_for_layers = {"glu": glu, "threshold": threshold}  # it halves an axis; it needs arguments
swish, hard_swish = silu, hard_silu
_aliases = {"swish": silu, "hard_swish": hard_silu}
_names = _table | _not_for_layers | _aliases

__all__ = [*_table, *_not_for_layers, *_aliases, "ActivationFunction", "deserialize", "get", "serialize"]


def get(identifier):
    """Return an `ActivationFunction` for a name, a config, a callable, an activation layer or None (linear).

    A callable that only calls an activation with other arguments, as ``lambda x: relu(x, max_value=6)``, gets its
    derivative from that; another one has none.

    Raises:
        ValueError: an unknown name.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        return _from_config(identifier)
    if hasattr(identifier, "as_activation"):
        return identifier.as_activation()
    found = resolve(identifier, _names, "activation", ActivationFunction)
    if isinstance(found, ActivationFunction):
        return found
    name = getattr(found, "__name__", "custom")
    return unwrap(found) or ActivationFunction(lambda x, out: np.copyto(out, found(x)), name=name, elementwise=False)


def _from_config(config):
    """A function by its name, a function with arguments, or an activation layer."""
    name, arguments = config.get("class_name"), config.get("config")
    if name in _names and isinstance(arguments, dict):
        return _names[name].bind(**arguments)
    if name == "function" and isinstance(arguments, str):
        return get(arguments)
    from minikeras import layers

    return get(layers.deserialize(config))


def serialize(activation):
    """Return the activation's name, or the config of one with arguments."""
    return _serialize(get(activation))


def deserialize(config, custom_objects=None):
    """Return the activation of a name or config; ``custom_objects`` is a dict of names to your own."""
    with CustomObjectScope(custom_objects):
        return get(config)
