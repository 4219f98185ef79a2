"""Layers, one family a file. `base.py` explains what a layer is."""

from minikeras import registry
from minikeras.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from minikeras.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from minikeras.layers.base import Layer
from minikeras.layers.batch_normalization import BatchNormalization
from minikeras.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from minikeras.layers.convolution import Conv1D, Conv2D, Conv3D
from minikeras.layers.core import Activation, Dense, Input, InputLayer
from minikeras.layers.depthwise_convolution import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from minikeras.layers.embedding import Embedding, Masking, ReversibleEmbedding
from minikeras.layers.functions import EinsumDense, Lambda
from minikeras.layers.gated import GRU, LSTM, GRUCell, LSTMCell
from minikeras.layers.group_normalization import GroupNormalization
from minikeras.layers.normalization import LayerNormalization, RMSNormalization, UnitNormalization
from minikeras.layers.padding import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from minikeras.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    MinPooling2D,
)
from minikeras.layers.preprocessing import (
    AugMix,
    AutoContrast,
    CategoryEncoding,
    CenterCrop,
    ContrastLimitedAdaptiveHistogramEqualization,
    CutMix,
    Discretization,
    Equalization,
    MixUp,
    Normalization,
    Pipeline,
    RandAugment,
    RandomAffine,
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomCrop,
    RandomElasticTransform,
    RandomErasing,
    RandomFlip,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomNoise,
    RandomPerspective,
    RandomPosterization,
    RandomRotation,
    RandomSaturation,
    RandomSharpness,
    RandomShear,
    RandomTranslation,
    RandomZoom,
    Rescaling,
    Resizing,
    Solarization,
)  # fmt: skip
from minikeras.layers.recurrent import RNN, SimpleRNN, SimpleRNNCell, StackedRNNCells
from minikeras.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from minikeras.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from minikeras.layers.spectral_normalization import SpectralNormalization
from minikeras.layers.transposed_convolution import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from minikeras.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from minikeras.layers.wrappers import Bidirectional, TimeDistributed, Wrapper

# Keras' other names for the same layers. Those of convolutions, from Keras 1, are in `legacy`: there they took other
# arguments.
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

__all__ = [
    "Activation", "ActivityRegularization", "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AlphaDropout",
    "AugMix", "AutoContrast", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization",
    "Bidirectional", "CategoryEncoding", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "Conv1D",
    "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D",
    "ConvLSTM3D", "Cropping1D", "Cropping2D", "Cropping3D", "CutMix", "Dense", "DepthwiseConv1D", "DepthwiseConv2D",
    "Discretization", "Dropout", "ELU", "EinsumDense", "Embedding", "Equalization", "Flatten", "GRU", "GRUCell",
    "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "Identity", "Input",
    "InputLayer", "LSTM", "LSTMCell", "Lambda", "Layer", "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D",
    "MaxPooling2D", "MaxPooling3D", "MinPooling2D", "MixUp", "Normalization", "PReLU", "Permute", "Pipeline",
    "RMSNormalization", "RNN", "RandAugment", "RandomAffine", "RandomBrightness", "RandomColorDegeneration",
    "RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomNoise", "RandomPerspective",
    "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomZoom", "ReLU", "RepeatVector", "Rescaling", "Reshape", "Resizing", "ReversibleEmbedding", "SeparableConv1D",
    "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "Solarization",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "SpectralNormalization",
    "StackedRNNCells", "TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "Wrapper", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "deserialize", "serialize",
]  # fmt: skip

_table = {name: entry for name in __all__ if isinstance(entry := globals().get(name), type)}


def serialize(layer):
    """Return a layer's config with its class, and what it was built and, if it is a model, compiled with."""
    return registry.serialize(layer)


def deserialize(config, custom_objects=None):
    """Return a new layer, or model, from what `serialize` returned; it is built if the one serialized was.

    Args:
        config: dict.
        custom_objects: dict from names to classes and functions of one's own.

    Raises:
        ValueError: an unknown class, or one of another package than Keras that is not among the custom ones.
    """
    table = _table
    if isinstance(config, dict) and config.get("class_name") in ("Sequential", "Functional", "Model"):
        from minikeras import models

        table = {"Sequential": models.Sequential, "Functional": models.Functional, "Model": models.Functional}
    with registry.CustomObjectScope(custom_objects):
        return registry.resolve(config, table, "layer", Layer)
