"""Convolution. The arithmetic is in `kernels/convolution.py`; this is what a layer adds to it."""

import numpy as np

from minikeras import config
from minikeras.kernels import convolution
from minikeras.kernels.scratch import scratch
from minikeras.kernels.window import make_window
from minikeras.layers import images
from minikeras.layers.activated import ActivatedLayer
from minikeras.layers.base import integer_tuple, positive_integer

PADDINGS = ("valid", "same")


class BaseConv(ActivatedLayer):
    """Abstract: what all convolutions over ``rank`` spatial axes share: windows, channels, bias and activation, in both
    data formats. The five methods that follow `compute_output_shape` say what a family of them computes."""

    rank = None

    def keep_window(self, kernel_size, strides, padding, data_format, dilation_rate, paddings=PADDINGS):
        """Store the arguments that say where the windows lie."""
        self.kernel_size = integer_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = integer_tuple(strides, self.rank, "strides")
        self.padding = standardize_padding(padding, paddings)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = integer_tuple(dilation_rate, self.rank, "dilation_rate")
        self.channels = self.bias = None

    def refuse_strides_with_dilation(self):
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides` and `dilation_rate` cannot both be greater than 1. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        _, self.channels = images.split_shape(self, input_shape, self.rank)
        self.add_weights(self.channels)

    def call(self, inputs, training=False):
        x = images.to_channels_last(inputs, self.data_format)
        self.window, output_size = self.make_window(x.shape[1:-1])
        self.inputs = x if training else None
        y = self.buffer("outputs", (len(x), *output_size, self.output_channels(x.shape[-1])))
        outputs = images.from_channels_last(y, self.data_format)
        # Softmax and its like are no element-wise functions: as in Keras they run along the outputs' last axis, which
        # is no longer the channels' when those come first.
        fused = self.activation.elementwise or outputs is y
        self.keep(y if fused else outputs, training)
        bias = None if self.bias is None else _repeated(self.bias.value, y.shape[-2])

        def finish(rows, tile):
            if bias is not None:
                lines = tile.reshape(-1, bias.size)
                lines += bias
            if fused:
                self.activate(tile, training, rows)

        self.convolve(x, y, finish, training)
        if not fused:
            self.activate(outputs, training)
        return outputs

    def activation_gradient(self, doutputs):
        if not self.activation.elementwise:  # kept in the order of the outputs' axes
            return super().activation_gradient(doutputs)
        doutputs = images.to_channels_last(doutputs, self.data_format)
        return images.from_channels_last(super().activation_gradient(doutputs), self.data_format)

    def backward_logits(self, dlogits):
        x = self.inputs
        dy = np.ascontiguousarray(images.to_channels_last(dlogits, self.data_format))
        if self.trainable:
            self.kernel_gradients(x, dy)
            if self.bias is not None:
                _sum_to_channels(dy, self.bias.grad)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dinputs", x.shape)
        self.input_gradient(dy, dx)
        return images.from_channels_last(dx, self.data_format)

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        self.check_channels(channels, tuple(input_shape))
        output = self.output_size(input_shape, spatial)
        return images.join_shape(input_shape[0], output, self.output_channels(channels), self.data_format)

    def add_weights(self, channels):
        """Create the weights for inputs of so many channels."""
        self.add_kernel_and_bias((*self.kernel_size, channels, self.filters))

    def output_channels(self, channels):
        return self.filters

    def convolve(self, x, y, finish, training):
        """Write the convolution of ``x`` into ``y``, and call ``finish(rows, tile)`` with each tile of ``y``."""
        raise NotImplementedError

    def kernel_gradients(self, x, dy):
        raise NotImplementedError

    def input_gradient(self, dy, dx):
        """Write dL/dx into ``dx``."""
        raise NotImplementedError

    def make_window(self, spatial):
        """Return the `Window` for inputs of these sizes, and the outputs' sizes."""
        window = make_window(spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return window, window.output_size

    def output_size(self, input_shape, spatial):
        """Return the outputs' sizes, None where they are not known, or raise a ValueError if there would be none."""
        return images.window_output_size(
            self, input_shape, spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate
        )

    def check_channels(self, channels, input_shape):
        if channels is None:
            raise ValueError(f"Layer {self.name!r} needs to know the number of channels. Received shape {input_shape}")
        if channels != (self.channels or channels):
            swapped = self.data_format == "channels_last" and input_shape[1] == self.channels
            hint = f". {images.channels_first_hint(input_shape)}" if swapped else ""
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects {self.channels} channels. "
                f"Received {channels}: inputs of shape {input_shape}{hint}"
            )


class Conv(BaseConv):
    """Abstract convolution over ``rank`` spatial axes: see `Conv2D`."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_integer(filters, "filters")
        paddings = (*PADDINGS, "causal") if self.rank == 1 else PADDINGS
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate, paddings)
        self.refuse_strides_with_dilation()
        self.groups = positive_integer(groups, "groups")
        if self.filters % self.groups:
            raise ValueError(
                f"`filters` must be a multiple of `groups`. Received: filters={filters}, groups={groups}"
            )
        self.keep_arguments(
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.kernel = None

    def add_weights(self, channels):
        super().add_weights(channels // self.groups)

    def convolve(self, x, y, finish, training):
        kept_shape = convolution.kept_shape(x, self.filters, self.window, self.groups) if training else None
        self.columns = None if kept_shape is None else self.buffer("columns", kept_shape)
        convolution.forward(x, self.kernel.value, self.window, y, self.groups, finish, self.columns)

    def kernel_gradients(self, x, dy):
        convolution.kernel_gradient(x, dy, self.window, self.kernel.grad, self.groups, self.columns)

    def input_gradient(self, dy, dx):
        convolution.input_gradient(dy, self.kernel.value, self.window, dx, self.groups)

    def check_channels(self, channels, input_shape):
        super().check_channels(channels, input_shape)
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r}: the number of channels must be a multiple of groups={self.groups}. Received "
                f"{channels} channels: inputs of shape {input_shape}"
            )


class Conv1D(Conv):
    """y[b, i, f] = activation(bias[f] + sum over (k, c) of x[b, i s + k d, c] kernel[k, c, f])

    A window slides over the steps of a sequence; steps s, dilation d.

    Args:
        padding: ``"valid"`` or ``"same"`` as in `Conv2D`, or ``"causal"``: zeros are added in front only, so that
            y[:, i] depends on no step after i s (van den Oord et al. 2016, WaveNet, section 2.1).
        filters, kernel_size, strides, data_format, dilation_rate, groups, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint: as in `Conv2D`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) with channels first.
    Output shape: (batch, new_steps, filters), or (batch, filters, new_steps).
    Weights: kernel (kernel_size, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: bad arguments, inputs that are no sequences, or sequences that the window does not fit into.
    """

    takes_sequences = True
    rank = 1
    rows_independent = True


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
            activity_regularizer, kernel_constraint, bias_constraint: as in `Dense`.

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
        self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
        groups=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3D(Conv):
    """y[b, h, i, j, f] = activation(bias[f] + sum over (k, l, m, c) of x[b, h + k, i + l, j + m, c] w[k, l, m, c, f])

    That is with stride and dilation 1, w being the kernel. The window slides over volumes, or over the frames of films.

    Args: as in `Conv2D`, with one integer or three for ``kernel_size``, ``strides`` and ``dilation_rate``.

    Input shape: (batch, depth, height, width, channels), or (batch, channels, depth, height, width).
    Output shape: (batch, new_depth, new_height, new_width, filters), or with filters first.
    Weights: kernel (kernel_depth, kernel_height, kernel_width, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: bad arguments, inputs that are no volumes, or volumes that the window does not fit into.
    """

    rank = 3
    rows_independent = True

    def __init__(
        self, filters, kernel_size, strides=(1, 1, 1), padding="valid", data_format=None, dilation_rate=(1, 1, 1),
        groups=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
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
