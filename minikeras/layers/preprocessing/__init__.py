"""Preprocessing inside the model: numbers scaled and put into bins, images resized, and changed at random in training.

Like every layer they can also be called on arrays, outside of a model.
"""

from minikeras.layers.preprocessing.affine import RandomAffine
from minikeras.layers.preprocessing.categories import CategoryEncoding, Discretization
from minikeras.layers.preprocessing.color import RandomBrightness, RandomContrast, RandomErasing
from minikeras.layers.preprocessing.distortion import RandomElasticTransform
from minikeras.layers.preprocessing.filters import RandomGaussianBlur, RandomSharpness
from minikeras.layers.preprocessing.geometry import (
    RandomFlip,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from minikeras.layers.preprocessing.histograms import ContrastLimitedAdaptiveHistogramEqualization, Equalization
from minikeras.layers.preprocessing.hue import RandomColorJitter, RandomHue, RandomSaturation
from minikeras.layers.preprocessing.mixing import CutMix, MixUp
from minikeras.layers.preprocessing.noise import RandomNoise
from minikeras.layers.preprocessing.pipeline import Pipeline
from minikeras.layers.preprocessing.policies import AugMix, RandAugment
from minikeras.layers.preprocessing.resizing import CenterCrop, RandomCrop, Resizing
from minikeras.layers.preprocessing.scaling import Normalization, Rescaling
from minikeras.layers.preprocessing.tones import (
    AutoContrast,
    RandomColorDegeneration,
    RandomGrayscale,
    RandomInvert,
    RandomPosterization,
    Solarization,
)

__all__ = [
    "AugMix", "AutoContrast", "CategoryEncoding", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix", "Discretization", "Equalization", "MixUp", "Normalization", "Pipeline", "RandAugment",
    "RandomAffine", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomCrop",
    "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue",
    "RandomInvert", "RandomNoise", "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation",
    "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom", "Rescaling", "Resizing", "Solarization",
]  # fmt: skip
