"""Preprocessing inside the model: numbers scaled and put into bins, images resized, and changed at random in training.

Like every layer they can also be called on arrays, outside of a model.
"""

from minikeras.layers.preprocessing.categories import CategoryEncoding, Discretization
from minikeras.layers.preprocessing.color import RandomBrightness, RandomContrast, RandomErasing
from minikeras.layers.preprocessing.geometry import RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from minikeras.layers.preprocessing.resizing import CenterCrop, RandomCrop, Resizing
from minikeras.layers.preprocessing.scaling import Normalization, Rescaling

__all__ = [
    "CategoryEncoding", "CenterCrop", "Discretization", "Normalization", "RandomBrightness", "RandomContrast",
    "RandomCrop", "RandomErasing", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "Rescaling",
    "Resizing",
]  # fmt: skip
