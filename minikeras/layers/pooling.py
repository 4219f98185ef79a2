"""Pooling. The arithmetic is in `kernels/pooling.py`."""

import numpy as np

from minikeras import config
from minikeras.kernels import pooling
from minikeras.kernels.window import make_window
from minikeras.layers import images
from minikeras.layers.base import Layer, integer_tuple
from minikeras.layers.convolution import standardize_padding


class Pooling(Layer):
    """Abstract pooling over ``rank`` spatial axes: see `MaxPooling2D` and `AveragePooling2D`."""

    rank = None

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = integer_tuple(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else integer_tuple(strides, self.rank, "strides")
        self.padding = standardize_padding(padding)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)

    def call(self, inputs, training=False):
        x = images.to_channels_last(inputs, self.data_format)
        window = make_window(x.shape[1:-1], self.pool_size, self.strides, self.padding)
        return images.from_channels_last(self.pool(x, window, training), self.data_format)

    def backward(self, doutputs):
        dx = self.pool_gradient(images.to_channels_last(doutputs, self.data_format))
        return images.from_channels_last(dx, self.data_format)

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        output = images.window_output_size(self, input_shape, spatial, self.pool_size, self.strides, self.padding)
        return images.join_shape(input_shape[0], output, channels, self.data_format)


class MaxPooling2D(Pooling):
    """The largest element of each window. Of equal ones the first, row by row, gets the gradient.

    Args:
        pool_size: height and width of the window, one integer or two.
        strides: steps between windows, by default the pool size.
        padding: ``"valid"`` or ``"same"`` (the padding never is the largest).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: (batch, new_height, new_width, channels).
    With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, inputs that are no images, or images that the window does not fit into.
    """

    rank = 2
    rows_independent = True

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name=name, **kwargs)

    def pool(self, x, window, training):
        stages = pooling.max_pool(x, window, self.buffer)
        self.window, self.stages = window, stages if training else None
        return stages[-1]

    def pool_gradient(self, dy):
        return pooling.max_pool_gradient(dy, list(self.stages), self.window, self.buffer)


class AveragePooling2D(Pooling):
    """The mean of each window, over those of its elements that lie within the image.

    Arguments, shapes and errors as in `MaxPooling2D`. LeCun et al. 1998, section II.B, without its trainable factor.
    """

    rank = 2
    rows_independent = True

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name=name, **kwargs)

    def pool(self, x, window, training):
        self.window, self.x_shape = window, x.shape
        return pooling.average_pool(x, window, self.buffer)

    def pool_gradient(self, dy):
        return pooling.average_pool_gradient(dy, self.x_shape, self.window, self.buffer)


class GlobalPooling(Layer):
    """Abstract pooling over all of ``rank`` spatial axes: see `GlobalMaxPooling2D` and `GlobalAveragePooling2D`."""

    rank = None

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims

    @property
    def axes(self):
        first = 2 if self.data_format == "channels_first" else 1
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape):
        _, channels = images.split_shape(self, input_shape, self.rank)
        if self.keepdims:
            return images.join_shape(input_shape[0], (1,) * self.rank, channels, self.data_format)
        return (input_shape[0], channels)


class GlobalMaxPooling2D(GlobalPooling):
    """The largest element of each channel. Equal ones share the gradient evenly, as in Keras.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.
        keepdims: whether the spatial axes stay, with size 1.

    Input shape: (batch, height, width, channels). Output shape: (batch, channels), or (batch, 1, 1, channels).
    With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, or inputs that are no images.
    """

    rank = 2
    rows_independent = True

    def call(self, inputs, training=False):
        largest = inputs.max(axis=self.axes, keepdims=True)
        self.inputs, self.largest = (inputs, largest) if training else (None, None)
        return largest if self.keepdims else largest.reshape(len(inputs), -1)

    def backward(self, doutputs):
        is_largest = self.inputs == self.largest
        number = is_largest.sum(axis=self.axes, keepdims=True, dtype=self.dtype)
        return np.multiply(is_largest, doutputs.reshape(number.shape) / number, dtype=self.dtype)


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel.

    Arguments, shapes and errors as in `GlobalMaxPooling2D`. Lin, Chen and Yan 2013, arXiv:1312.4400, section 3.2.
    """

    rank = 2
    rows_independent = True

    def call(self, inputs, training=False):
        self.x_shape = inputs.shape
        return inputs.mean(axis=self.axes, keepdims=self.keepdims)

    def backward(self, doutputs):
        size = np.prod([self.x_shape[axis] for axis in self.axes])
        dinputs = self.buffer("dinputs", self.x_shape)
        shape = [1 if axis in self.axes else n for axis, n in enumerate(self.x_shape)]
        dinputs[...] = doutputs.reshape(shape) / size
        return dinputs
