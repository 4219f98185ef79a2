"""Transposed convolution: the derivative of a convolution as a layer of its own, which makes images larger.

A convolution with stride s takes many pixels to few; its transpose takes each pixel to a whole window and adds up where
windows, s pixels apart, overlap. So the forward pass is a convolution's input gradient, the input gradient is a
convolution, and the kernel gradient that of the convolution with its inputs and outputs exchanged.
"""

from minikeras.kernels import convolution
from minikeras.kernels.window import make_transposed_window, transposed_output_size
from minikeras.layers.base import integer_tuple, positive_integer
from minikeras.layers.convolution import BaseConv


class ConvTranspose(BaseConv):
    """Abstract transposed convolution over ``rank`` spatial axes: see `Conv2DTranspose`."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_integer(filters, "filters")
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.refuse_strides_with_dilation()
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = integer_tuple(output_padding, self.rank, "output_padding", minimum=0)
            if any(extra >= s for extra, s in zip(self.output_padding, self.strides)):
                raise ValueError(
                    "`output_padding` must be less than `strides` along each axis. Received: output_padding="
                    f"{output_padding}, strides={strides}"
                )
        self.keep_arguments(
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.kernel = None

    def add_weights(self, channels):
        self.kernel = self.add_described_weight("kernel", (*self.kernel_size, self.filters, channels))
        if self.use_bias:
            self.bias = self.add_described_weight("bias", (self.filters,))

    def convolve(self, x, y, finish, training):
        convolution.input_gradient(x, self.kernel.value, self.window, y, finish=finish)

    def kernel_gradients(self, x, dy):
        convolution.kernel_gradient(dy, x, self.window, self.kernel.grad)

    def input_gradient(self, dy, dx):
        convolution.forward(dy, self.kernel.value, self.window, dx)

    def make_window(self, spatial):
        window = make_transposed_window(
            spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate, self.output_padding
        )
        return window, window.input_size

    def output_size(self, input_shape, spatial):
        output = transposed_output_size(
            spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate, self.output_padding
        )
        if any(n is not None and n <= 0 for n in output):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) would have an empty output: input {tuple(spatial)}, "
                f"kernel_size {self.kernel_size}, strides {self.strides}, padding {self.padding!r}, output_padding "
                f"{self.output_padding} give output size {output}. Use output_padding=None, padding='valid', or a "
                "larger input."
            )
        return output


class Conv1DTranspose(ConvTranspose):
    """y[b, i s + k, f] = activation(bias[f] + sum over (k, c) of x[b, i, c] kernel[k, f, c])

    Each step becomes a whole window of steps, s steps from the next one; windows add up where they overlap.

    Args: as in `Conv2DTranspose`, with one integer for ``kernel_size``, ``strides`` and the like.

    Input shape: (batch, steps, channels), or (batch, channels, steps) with channels first.
    Output shape: (batch, new_steps, filters), or (batch, filters, new_steps).
    Weights: kernel (kernel_size, filters, channels), bias (filters,).

    Raises:
        ValueError: bad arguments, or inputs that are no sequences.
    """

    rank = 1
    rows_independent = True


class Conv2DTranspose(ConvTranspose):
    """y[b, i s + k, j s + l, f] = activation(bias[f] + sum over (k, l, c) of x[b, i, j, c] kernel[k, l, f, c])

    Each pixel becomes a whole window of pixels, s pixels from the next one; windows add up where they overlap. Decoders
    and generators enlarge images with it.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, one integer or two.
        strides: distance s between windows.
        padding: ``"valid"``: the outputs have (input - 1) strides + kernel_size rows and columns, or input * strides if
            that is more; ``"same"``: they are cut to input * strides.
        output_padding: how many rows and columns the outputs have beyond (input - 1) strides + kernel_size
            (``"valid"``) or (input - 1) strides + kernel_size % 2 (``"same"``), less than ``strides``. A convolution
            takes inputs of several sizes to one: this says which of them is meant.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.
        dilation_rate: distance between neighbours in a window, which makes the window as large as (kernel_size - 1)
            dilation_rate + 1. Strides and dilation cannot both exceed 1.
        activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint: as in `Dense`.

    Input shape: (batch, height, width, channels), or (batch, channels, height, width) with channels first.
    Output shape: (batch, new_height, new_width, filters), or (batch, filters, new_height, new_width).
    Weights: kernel (kernel_height, kernel_width, filters, channels), bias (filters,).

    Raises:
        ValueError: bad arguments, or inputs that are no images.

    Dumoulin and Visin 2016, chapter 4.
    """

    rank = 2
    rows_independent = True

    def __init__(
        self, filters, kernel_size, strides=(1, 1), padding="valid", output_padding=None, data_format=None,
        dilation_rate=(1, 1), activation=None, use_bias=True, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3DTranspose(ConvTranspose):
    """y[b, h s + k, i s + l, j s + m, f] = activation(bias[f] + sum over c, and where windows overlap, of
    x[b, h, i, j, c] kernel[k, l, m, f, c])

    Args: as in `Conv2DTranspose`, with one integer or three for ``kernel_size``, ``strides`` and the like. As in Keras
        ``data_format`` comes before ``output_padding`` here.

    Input shape: (batch, depth, height, width, channels), or (batch, channels, depth, height, width).
    Output shape: (batch, new_depth, new_height, new_width, filters), or with filters first.
    Weights: kernel (kernel_depth, kernel_height, kernel_width, filters, channels), bias (filters,).

    Raises:
        ValueError: bad arguments, or inputs that are no volumes.
    """

    rank = 3
    rows_independent = True

    def __init__(
        self, filters, kernel_size, strides=(1, 1, 1), padding="valid", data_format=None, output_padding=None,
        dilation_rate=(1, 1, 1), activation=None, use_bias=True, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
