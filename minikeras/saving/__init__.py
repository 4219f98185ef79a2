"""Files of weights, Keras 3's ``.weights.h5``; and objects as configs, which `registry.py` and `utils` keep.

Files are written whole or not at all (`atomic.py`), and never trusted (`reader.py`).
"""

from minikeras.models import load_model, save_model
from minikeras.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minikeras.saving.reader import FileFormatError
from minikeras.saving.weights import load_weights, save_weights
from minikeras.utils.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope", "FileFormatError", "custom_object_scope", "deserialize_keras_object", "get_custom_objects",
    "get_registered_name", "get_registered_object", "load_model", "load_weights", "register_keras_serializable",
    "save_model", "save_weights", "serialize_keras_object",
]  # fmt: skip
