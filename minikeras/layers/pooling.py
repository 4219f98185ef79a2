"""Pooling: one number for each window, or for the whole image. The arithmetic is in `kernels/pooling.py`."""

import math

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

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
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


class MaxPooling(Pooling):
    """Abstract: the largest element of each window."""

    smallest = False

    def pool(self, x, window, training):
        stages = pooling.max_pool(x, window, self.buffer, self.smallest)
        self.window, self.stages = window, stages if training else None
        return stages[-1]

    def pool_gradient(self, dy):
        return pooling.max_pool_gradient(dy, list(self.stages), self.window, self.buffer)


class MaxPooling1D(MaxPooling):
    """`MaxPooling2D` along the one axis of sequences.

    Input shape: (batch, length, channels). Output shape: (batch, new_length, channels).
    """

    rank = 1
    rows_independent = True

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(MaxPooling):
    """The largest element of each window. Of equal ones the first, row by row, gets the gradient.

    Args:
        pool_size: height and width of the window, one integer or two.
        strides: steps between windows, by default the pool size.
        padding: ``"valid"`` or ``"same"`` (the padding never is the largest).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: (batch, new_height, new_width, channels).
    With channels first, the channels come second in both. new = floor((old - pool) / stride) + 1 (``"valid"``) or
    ceil(old / stride) (``"same"``).

    Raises:
        ValueError: bad arguments, inputs that are no images, or images that the window does not fit into.
    """

    rank = 2
    rows_independent = True

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling3D(MaxPooling):
    """`MaxPooling2D` along the three axes of volumes or films.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, new_depth, new_height, new_width,
    channels).
    """

    rank = 3
    rows_independent = True

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MinPooling2D(MaxPooling):
    """The smallest element of each window, -max(-x). Of equal ones the first, row by row, gets the gradient.

    Not in Keras, which cannot read models with it. Arguments, shapes and errors as in `MaxPooling2D`.
    """

    rank = 2
    rows_independent = True
    smallest = True

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling(Pooling):
    """Abstract: the mean of each window."""

    def pool(self, x, window, training):
        self.window, self.x_shape = window, x.shape
        return pooling.average_pool(x, window, self.buffer)

    def pool_gradient(self, dy):
        return pooling.average_pool_gradient(dy, self.x_shape, self.window, self.buffer)


class AveragePooling1D(AveragePooling):
    """`AveragePooling2D` along the one axis of sequences.

    Input shape: (batch, length, channels). Output shape: (batch, new_length, channels).
    """

    rank = 1
    rows_independent = True


class AveragePooling2D(AveragePooling):
    """The mean of each window, over those of its elements that lie within the image.

    Arguments, shapes and errors as in `MaxPooling2D`. LeCun et al. 1998, section II.B, without its trainable factor.
    """

    rank = 2
    rows_independent = True


class AveragePooling3D(AveragePooling):
    """`AveragePooling2D` along the three axes of volumes or films.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, new_depth, new_height, new_width,
    channels).
    """

    rank = 3
    rows_independent = True


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

    def reduced(self, y):
        """Return ``y``, whose spatial axes have size 1, as the outputs."""
        return y if self.keepdims else y.reshape(len(y), -1)

    def compute_output_shape(self, input_shape):
        _, channels = images.split_shape(self, input_shape, self.rank)
        if self.keepdims:
            return images.join_shape(input_shape[0], (1,) * self.rank, channels, self.data_format)
        return (input_shape[0], channels)


class GlobalMaxPooling(GlobalPooling):
    """Abstract: the largest element of each channel."""

    def call(self, inputs, training=False):
        largest = inputs.max(axis=self.axes, keepdims=True)
        self.inputs, self.largest = (inputs, largest) if training else (None, None)
        return self.reduced(largest)

    def backward(self, doutputs):
        is_largest = self.inputs == self.largest
        number = is_largest.sum(axis=self.axes, keepdims=True, dtype=self.dtype)
        return np.multiply(is_largest, doutputs.reshape(number.shape) / number, dtype=self.dtype)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest element of each channel of a sequence, as `GlobalMaxPooling2D`.

    Input shape: (batch, length, channels). Output shape: (batch, channels), or (batch, 1, channels).
    """

    rank = 1
    rows_independent = True


class GlobalMaxPooling2D(GlobalMaxPooling):
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


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest element of each channel of a volume, as `GlobalMaxPooling2D`.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, channels), or (batch, 1, 1, 1,
    channels).
    """

    rank = 3
    rows_independent = True


class GlobalAveragePooling(GlobalPooling):
    """Abstract: the mean of each channel, over the places where ``mask`` (True for everywhere) is True."""

    def average(self, x, mask=True):
        self.x_shape, self.mask = x.shape, mask
        if mask is True:
            self.count = math.prod(x.shape[axis] for axis in self.axes)
        else:
            self.count = np.maximum(self.sum(mask.astype(x.dtype)), 1)
            x = np.where(mask, x, 0)  # not x * mask: what is masked may be infinite
        return self.reduced(self.sum(x) / self.count)

    def sum(self, x):
        for axis in self.axes:  # one after the other: a single long sum of float32 loses digits
            x = x.sum(axis=axis, keepdims=True)
        return x

    def call(self, inputs, training=False):
        return self.average(inputs)

    def backward(self, doutputs):
        dinputs = self.buffer("dinputs", self.x_shape)
        shape = [1 if axis in self.axes else n for axis, n in enumerate(self.x_shape)]
        np.multiply(doutputs.reshape(shape) / self.count, self.mask, out=dinputs)
        return dinputs


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel of a sequence, over the steps that its mask lets pass.

    Arguments and errors as in `GlobalMaxPooling2D`. The mask, if there is one, ends here. A sequence that is masked
    from end to end has the mean 0 (in Keras NaN, which a single such row spreads over the whole model).

    Input shape: (batch, length, channels). Output shape: (batch, channels), or (batch, 1, channels).
    """

    rank = 1
    rows_independent = True
    supports_masking = True

    def call(self, inputs, training=False, mask=None):
        if mask is None:
            return self.average(inputs)
        (steps,), channels = self.axes, 1 if self.data_format == "channels_first" else 2
        if np.shape(mask) != (len(inputs), inputs.shape[steps]):
            raise ValueError(
                f"Layer {self.name!r} (GlobalAveragePooling1D): `mask` must have one truth value for each step, shape "
                f"{(len(inputs), inputs.shape[steps])}. Received shape {np.shape(mask)}"
            )
        return self.average(inputs, np.expand_dims(np.asarray(mask, bool), channels))

    def compute_mask(self, inputs, previous_mask):
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel.

    Arguments, shapes and errors as in `GlobalMaxPooling2D`. Lin, Chen and Yan 2013, arXiv:1312.4400, section 3.2.
    """

    rank = 2
    rows_independent = True


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of a volume, as `GlobalAveragePooling2D`.

    Input shape: (batch, depth, height, width, channels). Output shape: (batch, channels), or (batch, 1, 1, 1,
    channels).
    """

    rank = 3
    rows_independent = True
