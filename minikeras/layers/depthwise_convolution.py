"""Depthwise convolution, which keeps channels apart, and separable convolution, which mixes them afterwards.

A full convolution looks at places and channels at once, which takes places * channels * filters multiplications a
pixel. One that looks at places first and then at channels takes places * channels + channels * filters.
"""

import numpy as np

from minikeras.kernels import depthwise
from minikeras.kernels.products import matmul
from minikeras.layers.base import positive_integer
from minikeras.layers.convolution import PADDINGS, BaseConv


class BaseDepthwiseConv(BaseConv):
    """Abstract: what depthwise and separable convolutions share."""

    def keep_depthwise_window(self, kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate):
        paddings = (*PADDINGS, "causal") if self.rank == 1 else PADDINGS
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate, paddings)
        self.depth_multiplier = positive_integer(depth_multiplier, "depth_multiplier")


class DepthwiseConv(BaseDepthwiseConv):
    """Abstract depthwise convolution over ``rank`` spatial axes: see `DepthwiseConv2D`."""

    def __init__(
        self, kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1,
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
        depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.keep_depthwise_window(kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate)
        self.keep_arguments(
            activation=activation, use_bias=use_bias, depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer, depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer, depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip
        self.kernel = None

    def add_weights(self, channels):
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self.add_described_weight("kernel", shape, "depthwise")
        if self.use_bias:
            self.bias = self.add_described_weight("bias", (self.output_channels(channels),))

    def output_channels(self, channels):
        return channels * self.depth_multiplier

    def convolve(self, x, y, finish, training):
        depthwise.forward(x, self.kernel.value, self.window, y, finish)

    def kernel_gradients(self, x, dy):
        depthwise.kernel_gradient(x, dy, self.window, self.kernel.grad)

    def input_gradient(self, dy, dx):
        depthwise.input_gradient(dy, self.kernel.value, self.window, dx)


class DepthwiseConv1D(DepthwiseConv):
    """y[b, i, c m + n] = activation(bias[c m + n] + sum over k of x[b, i s + k d, c] kernel[k, c, n]), m multiplier

    Args: as in `DepthwiseConv2D`, with one integer for ``kernel_size`` and the like; ``padding`` may be ``"causal"`` as
        in `Conv1D`, which Keras 3 has in `Conv1D` only.

    Input shape: (batch, steps, channels), or (batch, channels, steps) with channels first.
    Output shape: (batch, new_steps, channels * depth_multiplier), or with channels first.
    Weights: kernel (kernel_size, channels, depth_multiplier), bias (channels * depth_multiplier,).

    Raises:
        ValueError: bad arguments, inputs that are no sequences, or sequences that the window does not fit into.
    """

    rank = 1
    rows_independent = True


class DepthwiseConv2D(DepthwiseConv):
    """y[b, i, j, c m + n] = activation(bias[c m + n] + sum over (k, l) of x[b, i s + k d, j s + l d, c] w[k, l, c, n])

    Each channel is convolved with m filters of its own, m being the multiplier and w the kernel; no output sees more
    than one channel.

    Args:
        kernel_size: height and width of the window, one integer or two.
        strides, padding, data_format, dilation_rate: as in `Conv2D`, but strides and dilation may both exceed 1.
        depth_multiplier: number m of filters for each channel.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel, by name or as objects.
        activation, use_bias, bias_initializer, bias_regularizer, activity_regularizer, bias_constraint: as in `Dense`.

    Input shape: (batch, height, width, channels), or (batch, channels, height, width) with channels first.
    Output shape: (batch, new_height, new_width, channels * depth_multiplier), or with channels first.
    Weights: kernel (kernel_height, kernel_width, channels, depth_multiplier), bias (channels * depth_multiplier,).

    Raises:
        ValueError: bad arguments, inputs that are no images, or images that the window does not fit into.
    """

    rank = 2
    rows_independent = True

    def __init__(
        self, kernel_size, strides=(1, 1), padding="valid", depth_multiplier=1, data_format=None, dilation_rate=(1, 1),
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
        depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias,
            depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer, activity_regularizer,
            depthwise_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class SeparableConv(BaseDepthwiseConv):
    """Abstract separable convolution over ``rank`` spatial axes: see `SeparableConv2D`."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, depth_multiplier=1,
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", pointwise_initializer="glorot_uniform",
        bias_initializer="zeros", depthwise_regularizer=None, pointwise_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_integer(filters, "filters")
        self.keep_depthwise_window(kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate)
        self.keep_arguments(
            activation=activation, use_bias=use_bias, depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer, bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer, pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer, depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.depthwise_kernel = self.pointwise_kernel = None

    def add_weights(self, channels):
        between = channels * self.depth_multiplier
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self.add_described_weight("depthwise_kernel", shape, "depthwise")
        shape = (*(1,) * self.rank, between, self.filters)
        self.pointwise_kernel = self.add_described_weight("pointwise_kernel", shape, "pointwise")
        if self.use_bias:
            self.bias = self.add_described_weight("bias", (self.filters,))

    def convolve(self, x, y, finish, training):
        matrix = self.pointwise_kernel.value.reshape(-1, self.filters)
        self.between = self.buffer("between", (*y.shape[:-1], len(matrix)))

        def mix(rows, tile):
            np.matmul(tile.reshape(-1, len(matrix)), matrix, out=y[rows].reshape(-1, self.filters))
            finish(rows, y[rows])

        depthwise.forward(x, self.depthwise_kernel.value, self.window, self.between, mix)

    def kernel_gradients(self, x, dy):
        between = self.between.reshape(-1, self.between.shape[-1])
        grad = self.pointwise_kernel.grad.reshape(-1, self.filters)
        matmul(between.T, dy.reshape(-1, self.filters), out=grad)
        depthwise.kernel_gradient(x, self._between_gradient(dy), self.window, self.depthwise_kernel.grad)

    def input_gradient(self, dy, dx):
        dbetween = self.dbetween if self.trainable else self._between_gradient(dy)
        depthwise.input_gradient(dbetween, self.depthwise_kernel.value, self.window, dx)

    def _between_gradient(self, dy):
        """Return the gradient of what is between the two convolutions."""
        matrix = self.pointwise_kernel.value.reshape(-1, self.filters)
        self.dbetween = self.buffer("dbetween", self.between.shape)
        matmul(dy.reshape(-1, self.filters), matrix.T, out=self.dbetween.reshape(-1, len(matrix)))
        return self.dbetween


class SeparableConv1D(SeparableConv):
    """A depthwise convolution over the steps of a sequence, then a matrix product over the channels.

    Args: as in `SeparableConv2D`, with one integer for ``kernel_size`` and the like; ``padding`` may be ``"causal"`` as
        in `Conv1D`, which Keras 2 has here as well and Keras 3 has in `Conv1D` only.

    Input shape: (batch, steps, channels), or (batch, channels, steps) with channels first.
    Output shape: (batch, new_steps, filters), or (batch, filters, new_steps).
    Weights: depthwise_kernel (kernel_size, channels, depth_multiplier), pointwise_kernel (1, channels *
        depth_multiplier, filters), bias (filters,).

    Raises:
        ValueError: bad arguments, inputs that are no sequences, or sequences that the window does not fit into.
    """

    takes_sequences = True
    rank = 1
    rows_independent = True


class SeparableConv2D(SeparableConv):
    """y = activation(bias + z @ pointwise_kernel), where z is a depthwise convolution of x with depthwise_kernel

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, one integer or two.
        strides, padding, data_format, dilation_rate: as in `Conv2D`, but strides and dilation may both exceed 1.
        depth_multiplier: number of channels of z for each channel of the inputs.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint, pointwise_initializer,
            pointwise_regularizer, pointwise_constraint: of the kernels, by name or as objects.
        activation, use_bias, bias_initializer, bias_regularizer, activity_regularizer, bias_constraint: as in `Dense`.

    Input shape: (batch, height, width, channels), or (batch, channels, height, width) with channels first.
    Output shape: (batch, new_height, new_width, filters), or (batch, filters, new_height, new_width).
    Weights: depthwise_kernel (kernel_height, kernel_width, channels, depth_multiplier), pointwise_kernel (1, 1,
        channels * depth_multiplier, filters), bias (filters,).

    Raises:
        ValueError: bad arguments, inputs that are no images, or images that the window does not fit into.

    Chollet 2017 (Xception), section 2.
    """

    rank = 2
    rows_independent = True

    def __init__(
        self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
        depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
        pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
        pointwise_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias,
            depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer,
            pointwise_regularizer, bias_regularizer, activity_regularizer, depthwise_constraint, pointwise_constraint,
            bias_constraint, **kwargs,
        )  # fmt: skip
