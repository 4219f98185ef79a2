"""Convolution. The arithmetic is in `kernels/convolution.py`; this is what a layer adds to it."""

import numpy as np

from minikeras import activations, config, constraints, initializers, regularizers
from minikeras.kernels import convolution
from minikeras.kernels.scratch import scratch
from minikeras.kernels.window import make_window
from minikeras.layers import images
from minikeras.layers.activated import ActivatedLayer
from minikeras.layers.base import integer_tuple, positive_integer

PADDINGS = ("valid", "same")


class Conv(ActivatedLayer):
    """Abstract convolution over ``rank`` spatial axes: see `Conv2D`."""

    rank = None

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_integer(filters, "filters")
        self.kernel_size = integer_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = integer_tuple(strides, self.rank, "strides")
        self.padding = standardize_padding(padding)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = integer_tuple(dilation_rate, self.rank, "dilation_rate")
        self.groups = positive_integer(groups, "groups")
        if self.filters % self.groups:
            raise ValueError(
                f"`filters` must be a multiple of `groups`. Received: filters={filters}, groups={groups}"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides` and `dilation_rate` cannot both be greater than 1. Received: strides={strides}, "
                f"dilation_rate={dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel = self.bias = None

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        _, channels = images.split_shape(self, input_shape, self.rank)
        self.add_kernel_and_bias((*self.kernel_size, channels // self.groups, self.filters))

    def call(self, inputs, training=False):
        x = images.to_channels_last(inputs, self.data_format)
        self.window = make_window(x.shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate)
        self.inputs = x if training else None
        y = self.buffer("outputs", (len(x), *self.window.output_size, self.filters))
        outputs = images.from_channels_last(y, self.data_format)
        # Softmax is no element-wise function: as in Keras it runs along the outputs' last axis, which is no longer
        # the channels' when those come first.
        fused = self.activation is not activations.softmax or outputs is y
        self.keep(y if fused else outputs, training)
        kept_shape = convolution.kept_shape(x, self.filters, self.window, self.groups) if training else None
        self.columns = None if kept_shape is None else self.buffer("columns", kept_shape)
        bias = None if self.bias is None else _repeated(self.bias.value, self.window.output_size[-1])

        def finish(rows, tile):
            if bias is not None:
                lines = tile.reshape(-1, bias.size)
                lines += bias
            if fused:
                self.activate(tile, training, rows)

        convolution.forward(x, self.kernel.value, self.window, y, self.groups, finish, self.columns)
        if not fused:
            self.activate(outputs, training)
        return outputs

    def activation_gradient(self, doutputs):
        if self.activation is activations.softmax:  # kept in the order of the outputs' axes
            return super().activation_gradient(doutputs)
        doutputs = images.to_channels_last(doutputs, self.data_format)
        return images.from_channels_last(super().activation_gradient(doutputs), self.data_format)

    def backward_logits(self, dlogits):
        x = self.inputs
        dy = np.ascontiguousarray(images.to_channels_last(dlogits, self.data_format))
        if self.trainable:
            convolution.kernel_gradient(x, dy, self.window, self.kernel.grad, self.groups, self.columns)
            if self.bias is not None:
                _sum_to_channels(dy, self.bias.grad)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dinputs", x.shape)
        convolution.input_gradient(dy, self.kernel.value, self.window, dx, self.groups)
        return images.from_channels_last(dx, self.data_format)

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        if channels is None:
            raise ValueError(f"Layer {self.name!r} needs to know the number of channels. Received shape {input_shape}")
        if self.kernel is not None and channels != self.kernel.shape[-2] * self.groups:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects {self.kernel.shape[-2] * self.groups} channels. "
                f"Received {channels}: inputs of shape {tuple(input_shape)}"
            )
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r}: the number of channels must be a multiple of groups={self.groups}. Received "
                f"{channels} channels: inputs of shape {tuple(input_shape)}"
            )
        output = images.window_output_size(
            self, input_shape, spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        return images.join_shape(input_shape[0], output, self.filters, self.data_format)


class Conv2D(Conv):
    """y[b, i, j, f] = activation(bias[f] + sum over (k, l, c) of x[b, i s + k d, j s + l d, c] kernel[k, l, c, f])

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, one integer or two.
        strides: steps s between windows.
        padding: ``"valid"``: windows lie within the image; ``"same"``: zeros are added so that the output has
            ceil(input / stride) rows and columns.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.
        dilation_rate: distance d between neighbours in a window. Strides and dilation cannot both exceed 1.
        groups: the channels are cut into so many groups, each convolved with its own filters.
        activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint, bias_constraint: as in `Dense`.

    Input shape: (batch, height, width, channels), or (batch, channels, height, width) with channels first.
    Output shape: (batch, new_height, new_width, filters), or (batch, filters, new_height, new_width).
    Weights: kernel (kernel_height, kernel_width, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: bad arguments, inputs that are no images, or images that the window does not fit into.

    LeCun et al. 1998, section II.A; as in all libraries the kernel is not flipped, which makes it a cross-correlation.
    """

    rank = 2
    rows_independent = True

    def __init__(
        self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1), groups=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


def standardize_padding(padding, allowed=PADDINGS):
    """Return ``padding`` in lower case, or raise a ValueError."""
    if not isinstance(padding, str) or padding.lower() not in allowed:
        raise ValueError(f"`padding` must be one of {allowed}. Received: {padding!r}")
    return padding.lower()


def _repeated(vector, times):
    """A vector for each pixel of a row: adding long rows is many times faster than adding a few numbers at a time."""
    rows = scratch("repeated", (times, len(vector)), vector.dtype)
    rows[...] = vector
    return rows.reshape(-1)


def _sum_to_channels(dy, out):
    """Write the sum of ``dy`` over all axes but the last into ``out``, a whole row of pixels at a time."""
    row = dy.shape[-2] * dy.shape[-1]
    dy.reshape(-1, row).sum(axis=0).reshape(dy.shape[-2], -1).sum(axis=0, out=out)
