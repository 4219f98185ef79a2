"""Upsampling: larger images, by repeating pixels or by interpolation, whose arithmetic is in `kernels/resize.py`."""

import functools

import numpy as np

from minikeras import config
from minikeras.kernels import resize
from minikeras.layers import images
from minikeras.layers.base import Layer, integer_tuple, positive_integer

INTERPOLATIONS = ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")


class UpSampling(Layer):
    """Abstract upsampling of ``rank`` spatial axes: see `UpSampling2D`.

    Attributes:
        factors: by how much each axis grows.
    """

    rank = None
    data_format = "channels_last"
    interpolation = "nearest"

    def call(self, inputs, training=False):
        x = images.to_channels_last(inputs, self.data_format)
        self.input_size = x.shape[1:-1]
        y = self.repeated(x) if self.interpolation == "nearest" else self.interpolated(x)
        return images.from_channels_last(y, self.data_format)

    def backward(self, doutputs):
        dy = images.to_channels_last(doutputs, self.data_format)
        dx = self.gathered(dy) if self.interpolation == "nearest" else self.interpolation_gradient(dy)
        return images.from_channels_last(dx, self.data_format)

    def repeated(self, x):
        y = self.buffer("outputs", (len(x), *self.output_size(self.input_size), x.shape[-1]))
        split = y.reshape(len(x), *(size for pair in zip(self.input_size, self.factors) for size in pair), x.shape[-1])
        split[...] = np.expand_dims(x, tuple(range(2, 2 * self.rank + 1, 2)))
        return y

    def gathered(self, dy):
        """Add up the gradients of each pixel's copies, one axis after the other."""
        for axis, factor in enumerate(self.factors, 1):
            parts = dy.reshape(*dy.shape[:axis], -1, factor, *dy.shape[axis + 1 :])
            everything = (slice(None),) * (axis + 1)
            dy = functools.reduce(np.add, [parts[(*everything, i)] for i in range(factor)])
        return dy

    def interpolated(self, x):
        return resize.apply(x, self.output_size(self.input_size), self.interpolation)

    def interpolation_gradient(self, dy):
        return resize.gradient(dy, self.input_size, self.interpolation)

    def output_size(self, spatial):
        return tuple(None if n is None else n * factor for n, factor in zip(spatial, self.factors))

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        return images.join_shape(input_shape[0], self.output_size(spatial), channels, self.data_format)


class UpSampling1D(UpSampling):
    """Each step of a sequence ``size`` times.

    Args:
        size: how many times.

    Input shape: (batch, length, channels). Output shape: (batch, length * size, channels).

    Raises:
        ValueError: bad arguments, or inputs that are no sequences.
    """

    rank = 1
    rows_independent = True

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = positive_integer(size, "size")
        self.factors = (self.size,)


class UpSampling2D(UpSampling):
    """Images made larger by whole factors.

    Args:
        size: factors of height and width, one integer or two.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.
        interpolation: ``"nearest"`` repeats each pixel; ``"bilinear"``, ``"bicubic"`` (with a = -1/2, as TensorFlow and
            JAX have it; PyTorch's has -3/4), ``"lanczos3"`` and ``"lanczos5"``.

    Input shape: (batch, height, width, channels). Output shape: (batch, height * size[0], width * size[1], channels).
    With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, or inputs that are no images.
    """

    rank = 2
    rows_independent = True

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(**kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.size = self.factors = integer_tuple(size, 2, "size")
        self.interpolation = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` must be one of {INTERPOLATIONS}. Received: interpolation={interpolation!r}"
            )


class UpSampling3D(UpSampling):
    """Each voxel of a volume ``size`` times along each axis, as `UpSampling2D` with ``"nearest"``.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, depth * size[0], height * size[1], width
    * size[2], channels).
    """

    rank = 3
    rows_independent = True

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.size = self.factors = integer_tuple(size, 3, "size")
