"""Initializers: the values that weights start from, as ``HeNormal()(shape)``."""

import numpy as np

from minikeras import config
from minikeras.initializers.base import Initializer
from minikeras.initializers.constants import STFT, Constant, Identity, Ones, Zeros
from minikeras.initializers.distributions import (
    TRUNCATED_STDDEV,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    compute_fans,
)
from minikeras.registry import CustomObjectScope, resolve, to_snake_case
from minikeras.registry import serialize as _serialize

_classes = (
    Zeros, Ones, Constant, Identity, STFT, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, GlorotUniform,
    GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal,
)  # fmt: skip
_table = {cls.__name__: cls for cls in _classes} | {to_snake_case(cls.__name__): cls for cls in _classes}

# The names by which Keras exports the classes as well.
zeros, ones, constant, identity, stft = Zeros, Ones, Constant, Identity, STFT
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, glorot_uniform, glorot_normal = VarianceScaling, GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal
orthogonal = Orthogonal
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT

_aliases = {
    "zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform, "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal, "STFTInitializer": STFT,
}  # fmt: skip

__all__ = [
    *_table, "Initializer", "IdentityInitializer", "OrthogonalInitializer", "RandomInitializer", "STFTInitializer",
    "TRUNCATED_STDDEV", "compute_fans", "deserialize", "get", "serialize",
]  # fmt: skip


def get(identifier):
    """Return an initializer for a name, a config, a class, an array, or a callable of (shape, dtype).

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, (np.ndarray, np.generic)) and not isinstance(identifier, str):
        return _from_array(identifier)
    return resolve(identifier, _table | _aliases, "initializer", Initializer)


def _from_array(array):
    """Return an initializer that gives the array's values to a weight of the same shape."""

    def initializer(shape, dtype=None):
        if tuple(shape) != array.shape:
            raise ValueError(f"The array given as initializer has shape {array.shape}, the weight {tuple(shape)}")
        return array.astype(dtype or config.floatx())

    return initializer


def serialize(initializer):
    """Return the initializer's config."""
    return _serialize(initializer)


def deserialize(config, custom_objects=None):
    """Return the initializer of a config of `serialize`; ``custom_objects`` is a dict of names to your own."""
    with CustomObjectScope(custom_objects):
        return get(config)
