"""Layers, one family a file. `base.py` explains what a layer is."""

from minikeras.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from minikeras.layers.base import Layer
from minikeras.layers.convolution import Conv2D
from minikeras.layers.core import Activation, Dense, Input, InputLayer
from minikeras.layers.normalization import BatchNormalization
from minikeras.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from minikeras.layers.preprocessing import Rescaling
from minikeras.layers.regularization import Dropout
from minikeras.layers.reshaping import Flatten, Reshape, ZeroPadding2D
from minikeras.registry import resolve

# Keras' other names for the same layers.
Convolution2D = Conv2D
MaxPool2D, AvgPool2D = MaxPooling2D, AveragePooling2D
GlobalMaxPool2D, GlobalAvgPool2D = GlobalMaxPooling2D, GlobalAveragePooling2D

__all__ = [
    "Activation", "AveragePooling2D", "BatchNormalization", "Conv2D", "Dense", "Dropout", "ELU", "Flatten",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Input", "InputLayer", "Layer", "LeakyReLU", "MaxPooling2D",
    "PReLU", "ReLU", "Rescaling", "Reshape", "Softmax", "ZeroPadding2D", "deserialize", "serialize",
]  # fmt: skip

_table = {name: entry for name in __all__ if isinstance(entry := globals().get(name), type)}


def serialize(layer):
    """Return a layer's config with its class: ``{"module", "class_name", "config", "registered_name"}``."""
    from minikeras import registry

    return registry.serialize(layer)


def deserialize(config):
    """Return a new layer from what `serialize` returned."""
    return resolve(config, _table, "layer", Layer)
