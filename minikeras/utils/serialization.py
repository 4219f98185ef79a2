"""What Keras' configs hold beside the objects of the library, of which `registry` knows: arrays, functions, slices, ...

Configs come from files: no code is loaded.
"""

import importlib

import numpy as np

from minikeras import registry

# The modules whose classes a config may name.
MODULES = (
    "keras", "keras.activations", "keras.constraints", "keras.initializers", "keras.layers", "keras.losses",
    "keras.metrics", "keras.models", "keras.optimizers", "keras.optimizers.schedules", "keras.random",
    "keras.regularizers",
)  # fmt: skip


def serialize_keras_object(obj):
    """Return an object as JSON types.

    Layers, losses, ... and arrays become ``{"module", "class_name", "config", "registered_name"}``, functions their
    name, lists and dicts are gone through.

    Raises:
        TypeError: an object without `get_config`, or a lambda, which has no name to find it by.
    """
    return registry.serialize(obj, _serialize_other)


def _serialize_other(obj):
    if obj is None or isinstance(obj, (str, int, float)):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {name: serialize_keras_object(getattr(obj, name)) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if obj is ...:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        cls = type(obj)
        name = registry.get_registered_name(cls)
        config = serialize_keras_object(obj.get_config())
        return {"module": cls.__module__, "class_name": cls.__name__, "config": config, "registered_name": name}
    name = getattr(obj, "__name__", None)
    if name is None or name == "<lambda>":
        raise TypeError(
            f"`obj` must have a method get_config(), or be a function with a name. Received: {obj!r:.80}. Define a "
            "class with get_config, or the function with `def`"
        )
    name = registry.get_registered_name(obj)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs):
    """Return the object for what `serialize_keras_object` returned.

    Args:
        config: JSON types.
        custom_objects: dict from names to classes and functions of one's own, as in `custom_object_scope`.
        safe_mode: there is no other mode: a config with code in it (a lambda) is refused.

    Raises:
        ValueError: an unknown class or function. TypeError: a config with code.
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object() got unexpected arguments: {', '.join(kwargs)}")
    with registry.CustomObjectScope({**(module_objects or {}), **(custom_objects or {})}):
        return _deserialize(config)


def _deserialize(config):
    if isinstance(config, str):
        found = registry.get_registered_object(config)
        return config if found is None else found
    if isinstance(config, (list, tuple)):
        return type(config)(map(_deserialize, config))
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if name == "__lambda__":
        raise TypeError("`config` holds the code of a lambda, which is never run. Write it as a named function")
    if name in _PLAIN:
        return _PLAIN[name](inner)
    if name == "function":
        return _function(inner, config.get("module"))
    module = config.get("module")
    cls = registry.find_class(config, lambda name: _public(module, name))
    if not isinstance(cls, type) or not hasattr(cls, "from_config"):
        raise ValueError(f"Unknown class: {name!r} of module {module!r}. {registry.if_your_own(name)}")
    return registry.construct(cls, config)


_PLAIN = {
    "__bytes__": lambda config: config["value"].encode("utf-8"),
    "__slice__": lambda config: slice(*(_deserialize(config[name]) for name in ("start", "stop", "step"))),
    "__ellipsis__": lambda config: ...,
    "__numpy__": lambda config: np.array(config["value"], config["dtype"]),
    "__tensor__": lambda config: np.array(config["value"], config["dtype"]),
}


def _public(module, name):
    """A class or function of the library by the name of Keras' module, or None."""
    if module not in MODULES or name.startswith("_"):
        return None
    return getattr(importlib.import_module(module.replace("keras", "minikeras", 1)), name, None)


def _function(name, module):
    found = registry.get_registered_object(name) or _public(module, name)
    if found is None:
        raise ValueError(
            f"Unknown function: {name!r}. If it is your own: with keras.utils.custom_object_scope({{{name!r}: ...}})"
        )
    return found
