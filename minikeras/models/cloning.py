"""Models from other models: of the same layers with new weights, or from JSON."""

from minikeras.layers.base import Layer
from minikeras.layers.core import InputLayer
from minikeras.layers.functions import Lambda
from minikeras.layers.symbolic import KerasTensor
from minikeras.models.functional import only
from minikeras.models.model import Functional, Model
from minikeras.models.sequential import Sequential


def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive=False, **kwargs):
    """Return a model of the same layers, with weights of their own, newly initialized; compiled if ``model`` is.

    Args:
        model: `Sequential` or `Functional`.
        input_tensors: what `Input` or a layer returns: the new model's inputs; by default like the old ones.
        clone_function: function of a layer that returns the one to take its place; by default a new one of the same
            config. Not called for the `InputLayer`.
        call_function: function of a layer and its input, for functional models, that returns the output: it may put
            other layers before or after.
        recursive: whether models in the model are cloned in the same way, not by one call of ``clone_function``.

    Raises:
        ValueError: ``call_function`` for a `Sequential`; arguments of the wrong kind.
    """
    if kwargs:
        raise ValueError(f"`clone_model` got unknown arguments: {', '.join(sorted(kwargs))}")
    if not isinstance(model, Model):
        raise ValueError(f"`model` must be a Sequential or a Model. Received: {model!r}")
    if call_function is not None and isinstance(model, Sequential):
        raise ValueError(
            "`call_function` is not for Sequential models, whose layers are listed and not called. Received: "
            f"call_function={call_function!r}"
        )
    for name, function in (("clone_function", clone_function), ("call_function", call_function)):
        if function is not None and not callable(function):
            raise ValueError(f"`{name}` must be a function. Received: {function!r}")
    clone_function = clone_function or _clone_layer

    def clone(layer):
        if recursive and isinstance(layer, Model):
            inner_call = None if isinstance(layer, Sequential) else call_function
            return clone_model(layer, clone_function=clone_function, call_function=inner_call, recursive=True)
        copy = clone_function(layer)
        if not isinstance(copy, Layer):
            raise ValueError(f"`clone_function` must return a layer. Received: {copy!r} for {layer!r}")
        return copy

    inputs = _clone_input(model, input_tensors)
    if isinstance(model, Sequential):
        stack = [clone(layer) for layer in model.layers]
        copy = Sequential([*inputs, *stack], name=model.name, trainable=model.trainable)
    else:
        (outputs,), call = inputs, call_function or (lambda layer, x: layer(x))
        for layer in model._working_layers():
            outputs = call(clone(layer), outputs)
        cls = type(model) if type(model).__init__ is Model.__init__ else Functional
        copy = cls(*(_listed(pair) for pair in zip((*inputs, outputs), model._in_lists)), name=model.name)
    if model.compiled:
        copy.compile_from_config(model.get_compile_config())
    return copy


def model_from_json(json_string, custom_objects=None):
    """Return the model that `to_json` described, of Keras' or ours, with new weights.

    Args:
        json_string: string.
        custom_objects: dict from names to classes and functions of one's own.

    Raises:
        ValueError: no JSON of a model; classes that are not known; code, which is never run.
    """
    import json

    from minikeras import layers

    try:
        config = json.loads(json_string)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`json_string` must be what to_json() returns. Received: {json_string!r:.99}") from error
    model = layers.deserialize(config, custom_objects) if isinstance(config, dict) else None
    if not isinstance(model, Model):
        raise ValueError(f"`json_string` describes no model. Received: {json_string!r:.99}")
    return model


def _clone_layer(layer):
    if isinstance(layer, Lambda):  # whose config holds no more than the function's name
        arguments = layer.function, layer._output_shape, layer.mask, layer.arguments, layer.gradient
        return type(layer)(*arguments, name=layer.name, trainable=layer.trainable, dtype=layer.dtype)
    return type(layer).from_config(layer.get_config())


def _listed(pair):
    tensor, in_list = pair
    return [tensor] if in_list else tensor


def _clone_input(model, tensors):
    """Return a list of the symbolic inputs of a clone, empty if the model does not know their shape."""
    first = model._layers[0] if model._layers and isinstance(model._layers[0], InputLayer) else None
    if tensors is None:
        return [] if first is None else [InputLayer.from_config(first.get_config()).output]
    tensor = only(tensors, "input_tensors")
    if not isinstance(tensor, KerasTensor):
        raise ValueError(f"`input_tensors` must be what keras.Input, or a layer, returns. Received: {tensors!r}")
    if isinstance(model, Sequential):
        return [InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=first and first.name).output]
    return [tensor]
