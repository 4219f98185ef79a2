"""Functional: a model made of symbolic tensors, as far as they form a chain."""

from minikeras import layers
from minikeras.layers.core import InputLayer
from minikeras.layers.symbolic import KerasTensor, call_symbolically
from minikeras.models.model import Model
from minikeras.registry import CustomObjectScope, serialize


class Functional(Model):
    """What ``keras.Model(inputs, outputs)`` returns. Its layers begin with the `InputLayer`."""

    keras_module = "keras.src.models.functional"
    keras_registered_name = "Functional"  # Keras keeps this class to itself

    def get_config(self):
        """Return the layers in order, each with the name of the layer that it is called on, as Keras does."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [_layer_config(*pair) for pair in zip(self._layers, [None, *self._tensors])],
            "input_layers": [self._layers[0].name, 0, 0],
            "output_layers": [self._layers[-1].name, 0, 0],
        }

    def get_build_config(self):
        return {"input_shape": None}

    def build_from_config(self, config):
        """There is nothing left to build."""

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return a new model from what `get_config` returned, of Keras' or ours.

        Raises:
            NotImplementedError: the model in the config is no chain of layers.
        """
        with CustomObjectScope(custom_objects):
            tensors = {}
            for entry in config["layers"]:
                source = _find_source(entry, tensors)
                layer = layers.deserialize(entry)
                tensors[layer.name] = layer.output if source is None else call_symbolically(layer, source)
        inputs, outputs = (tensors[_only(config[key], key)] for key in ("input_layers", "output_layers"))
        return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))


def find_chain(inputs, outputs):
    """Return the tensors from ``inputs`` to ``outputs``, the first of which an `InputLayer` has made."""
    inputs, outputs = _only(inputs, "inputs"), _only(outputs, "outputs")
    for argument, tensor in (("inputs", inputs), ("outputs", outputs)):
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                f"`{argument}` must be what keras.Input, or a layer called on it, returns. Received: {tensor!r}"
            )
    chain = outputs.chain()
    if not any(tensor is inputs for tensor in chain):
        raise ValueError(f"`outputs` {outputs!r} are not made from `inputs` {inputs!r}: no chain of layers joins them")
    tensors = chain[next(i for i, tensor in enumerate(chain) if tensor is inputs) :]
    if tensors[0].source is not None:  # the model begins in the middle of another
        tensors[0] = InputLayer(batch_shape=inputs.shape, dtype=inputs.dtype).output
    if len(tensors) < 2:
        raise ValueError("`outputs` are the `inputs` themselves: there is no layer in the model")
    names = [tensor.layer.name for tensor in tensors]
    for tensor, name in zip(tensors, names):
        if sum(other.layer is tensor.layer for other in tensors) > 1:
            raise NotImplementedError(f"Layer {name!r} occurs twice in the model: layers cannot be shared in minikeras")
        if names.count(name) > 1:
            raise ValueError(f"Layer names must be unique in a model. Received two layers named {name!r}")
    return tensors


def _only(tensors, argument):
    """Return the one tensor (of a list or dict of one), or the one layer's name of ``["name", 0, 0]``."""
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    if isinstance(tensors, (list, tuple)):
        if len(tensors) == 3 and isinstance(tensors[0], str):
            return tensors[0]
        if len(tensors) != 1:
            raise NotImplementedError(
                f"`{argument}` must be one: minikeras' models are chains of layers without branches. Received "
                f"{len(tensors)} of them"
            )
        return _only(tensors[0], argument)
    return tensors


def _layer_config(layer, source):
    nodes = []
    if source is not None:
        history = {"shape": source.shape, "dtype": source.dtype, "keras_history": [source.layer.name, 0, 0]}
        nodes = [{"args": [{"class_name": "__keras_tensor__", "config": history}], "kwargs": {}}]
    return {**serialize(layer), "name": layer.name, "inbound_nodes": nodes}


def _find_source(entry, tensors):
    """Return the tensor that a layer of a config is called on; None for an `InputLayer`."""
    nodes, name = entry.get("inbound_nodes", []), entry.get("name")
    if not nodes:
        return None
    arguments = nodes[0].get("args", []) if isinstance(nodes[0], dict) else []
    extra = [key for key, value in nodes[0].get("kwargs", {}).items() if value is not None] if arguments else []
    is_one = len(arguments) == 1 and isinstance(arguments[0], dict) and arguments[0].get("class_name")
    if len(nodes) > 1 or is_one != "__keras_tensor__" or extra:
        raise NotImplementedError(
            f"Layer {name!r} of the config is called several times, on several tensors, or with arguments of its own: "
            "minikeras' models are chains of layers without branches"
        )
    source, *place = arguments[0]["config"]["keras_history"]
    if source not in tensors or place != [0, 0]:
        raise NotImplementedError(f"Layer {name!r} of the config is called on {source!r}, which is none before it")
    return tensors[source]
