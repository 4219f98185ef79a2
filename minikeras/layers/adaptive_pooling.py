"""Adaptive pooling: as many windows as asked for, whatever the size of the images."""

from minikeras import config
from minikeras.kernels import pooling
from minikeras.layers import images
from minikeras.layers.base import Layer, integer_tuple


class AdaptivePooling(Layer):
    """Abstract adaptive pooling over ``rank`` spatial axes: see `AdaptiveMaxPooling2D`."""

    rank = None

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.output_size = integer_tuple(output_size, self.rank, "output_size")
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)

    def call(self, inputs, training=False):
        x = images.to_channels_last(inputs, self.data_format)
        self.window, self.x_shape = pooling.make_adaptive_window(x.shape[1:-1], self.output_size), x.shape
        return images.from_channels_last(self.pool(x, training), self.data_format)

    def backward(self, doutputs):
        dx = self.pool_gradient(images.to_channels_last(doutputs, self.data_format))
        return images.from_channels_last(dx, self.data_format)

    def compute_output_shape(self, input_shape):
        _, channels = images.split_shape(self, input_shape, self.rank)
        return images.join_shape(input_shape[0], self.output_size, channels, self.data_format)


class AdaptiveMaxPooling(AdaptivePooling):
    """Abstract: the largest element of each window."""

    def pool(self, x, training):
        stages = pooling.max_pool(x, self.window, self.buffer)
        self.stages = stages if training else None
        return stages[-1]

    def pool_gradient(self, dy):
        return pooling.max_pool_gradient(dy, list(self.stages), self.window, self.buffer)


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """`AdaptiveMaxPooling2D` along the one axis of sequences.

    Input shape: (batch, length, channels). Output shape: (batch, output_size, channels).
    """

    rank = 1
    rows_independent = True


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest element of each of a given number of windows, which cover the image evenly.

    Along an axis of n pixels with o windows, window i holds the pixels from floor(i n / o) up to ceil((i + 1) n / o):
    neighbours may share one. Of equal elements the first, row by row, gets the gradient.

    Args:
        output_size: number of windows along height and width, one integer or two.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: (batch, *output_size, channels).
    With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, or inputs that are no images.
    """

    rank = 2
    rows_independent = True


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """`AdaptiveMaxPooling2D` along the three axes of volumes or films.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, *output_size, channels).
    """

    rank = 3
    rows_independent = True


class AdaptiveAveragePooling(AdaptivePooling):
    """Abstract: the mean of each window."""

    def pool(self, x, training):
        return pooling.average_pool(x, self.window, self.buffer)

    def pool_gradient(self, dy):
        return pooling.average_pool_gradient(dy, self.x_shape, self.window, self.buffer)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """`AdaptiveAveragePooling2D` along the one axis of sequences.

    Input shape: (batch, length, channels). Output shape: (batch, output_size, channels).
    """

    rank = 1
    rows_independent = True


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean of each of a given number of windows. Windows, arguments, shapes and errors as `AdaptiveMaxPooling2D`.

    With ``output_size=1`` it is `GlobalAveragePooling2D` with ``keepdims=True``.
    """

    rank = 2
    rows_independent = True


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """`AdaptiveAveragePooling2D` along the three axes of volumes or films.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, *output_size, channels).
    """

    rank = 3
    rows_independent = True
