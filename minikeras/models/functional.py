"""Models made of symbolic tensors, as far as they form a chain: finding it, and its config."""

from minikeras import layers
from minikeras.layers.core import InputLayer
from minikeras.layers.symbolic import KerasTensor, call_symbolically
from minikeras.registry import CustomObjectScope, serialize


def find_chain(inputs, outputs):
    """Return the tensors from ``inputs`` to ``outputs``, the first of which an `InputLayer` has made."""
    inputs, outputs = only(inputs, "inputs"), only(outputs, "outputs")
    for argument, tensor in (("inputs", inputs), ("outputs", outputs)):
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                f"`{argument}` must be what keras.Input, or a layer called on it, returns. Received: {tensor!r}"
            )
    chain = outputs.chain()
    start = next((i for i, tensor in enumerate(chain) if tensor is inputs), None)
    if start is None:
        raise ValueError(f"`outputs` {outputs!r} are not made from `inputs` {inputs!r}: no chain of layers joins them")
    tensors = chain[start:]
    if tensors[0].source is not None:  # the model begins in the middle of another
        tensors[0] = InputLayer(batch_shape=inputs.shape, dtype=inputs.dtype, name=f"{inputs.name}CLONE").output
    if len(tensors) < 2:
        raise ValueError("`outputs` are the `inputs` themselves: there is no layer in the model")
    found = [tensor.layer for tensor in tensors]
    names = [layer.name for layer in found]
    for i, layer in enumerate(found):
        if any(layer is other for other in found[:i]):
            raise NotImplementedError(
                f"Layer {layer.name!r} occurs twice in the model: layers cannot be shared in minikeras"
            )
        if layer.name in names[:i]:
            raise ValueError(f"Layer names must be unique in a model. Received two layers named {layer.name!r}")
    return tensors


def only(tensors, argument):
    """Return the tensor, or the one in a list."""
    if not isinstance(tensors, (list, tuple, dict)):
        return tensors
    if isinstance(tensors, dict) or len(tensors) != 1:
        names = f", by the names {list(tensors)}" if isinstance(tensors, dict) else ""
        raise NotImplementedError(
            f"`{argument}` must be one tensor: minikeras' models are chains of layers without branches. Received "
            f"{len(tensors)} of them{names}"
        )
    return tensors[0]


def chain_config(model):
    """Return a model's layers in order, each with the name of the layer that it is called on, as Keras does."""
    found = model._layers
    ends = [[layer.name, 0, 0] for layer in (found[0], found[-1])]
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [_layer_config(*pair) for pair in zip(found, [None, *model._tensors])],
        "input_layers": [ends[0]] if model._in_lists[0] else ends[0],
        "output_layers": [ends[1]] if model._in_lists[1] else ends[1],
    }


def chain_from_config(cls, config, custom_objects=None):
    """Return a model of class ``cls`` from what `chain_config` returned, of Keras' or ours."""
    for key in ("layers", "input_layers", "output_layers"):
        if not isinstance(config, dict) or key not in config:
            raise ValueError(f"The config of a model has the key {key!r}. Received: {config!r:.200}")
    with CustomObjectScope(custom_objects):
        tensors = {}
        for entry in config["layers"]:
            source, training = _find_source(entry, tensors)
            layer = layers.deserialize(entry)
            tensors[layer.name] = layer.output if source is None else call_symbolically(layer, source, training)
    ends = []
    for key in ("input_layers", "output_layers"):
        is_listed = isinstance(config[key], dict) or not isinstance(config[key][0], str)
        name = (only(config[key], key) if is_listed else config[key])[0]
        ends.append([tensors[name]] if is_listed else tensors[name])
    return cls(*ends, name=config.get("name"), trainable=config.get("trainable", True))


def _layer_config(layer, source):
    nodes = []
    if source is not None:
        history = {"shape": source.shape, "dtype": source.dtype, "keras_history": [source.layer.name, 0, 0]}
        nodes = [{"args": [{"class_name": "__keras_tensor__", "config": history}], "kwargs": {}}]
    return {**serialize(layer), "name": layer.name, "inbound_nodes": nodes}


def _find_source(entry, tensors):
    """Return the tensor that a layer of a config is called on, None for an `InputLayer`, and ``training`` if given."""
    nodes, name = entry.get("inbound_nodes", []), entry.get("name")
    if not nodes:
        return None, None
    node = nodes[0] if isinstance(nodes[0], dict) else {}
    arguments = node.get("args", [])
    is_one = len(arguments) == 1 and isinstance(arguments[0], dict)
    options = node.get("kwargs", {})
    extra = [key for key, value in options.items() if value is not None and key != "training"]
    if len(nodes) > 1 or not is_one or arguments[0].get("class_name") != "__keras_tensor__" or extra:
        raise NotImplementedError(
            f"Layer {name!r} of the config is called several times, on several tensors, or with arguments of its own: "
            "minikeras' models are chains of layers without branches"
        )
    source, *place = arguments[0]["config"]["keras_history"]
    if source not in tensors or place != [0, 0]:
        raise NotImplementedError(f"Layer {name!r} of the config is called on {source!r}, which is none before it")
    return tensors[source], options.get("training")
