"""Recurrent layers whose products are convolutions, for series of images: the states are images as well."""

import numpy as np

from minikeras import config
from minikeras.kernels import convolution, threads
from minikeras.kernels.window import make_window
from minikeras.layers import images
from minikeras.layers.base import integer_tuple, positive_integer
from minikeras.layers.convolution import standardize_padding
from minikeras.layers.gated import BaseLSTMCell
from minikeras.layers.recurrent import CellLayer


class ConvLSTMCell(BaseLSTMCell):
    """What a `ConvLSTM2D`, or one of its kin, does at one step; inside, everything is channels last.

    Args:
        rank: number of spatial axes.
        others: as in `ConvLSTM2D`.

    Input shape: (batch, *spatial, channels). Output shape: (batch, *new_spatial, filters). States: [h, c].
    """

    def __init__(
        self, rank, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1,
        activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True,
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.rank = rank
        self.filters = positive_integer(filters, "filters")
        self.kernel_size = integer_tuple(kernel_size, rank, "kernel_size")
        self.strides = integer_tuple(strides, rank, "strides")
        self.padding = standardize_padding(padding)
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = integer_tuple(dilation_rate, rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides` and `dilation_rate` cannot both be greater than 1. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )
        self.keep_cell_arguments(
            filters, dropout, recurrent_dropout, seed, 1, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip
        for function in (self.activation, self.recurrent_activation):
            if self.data_format == "channels_first" and not function.elementwise:
                raise ValueError(
                    f"Activation {function.__name__!r} goes along an axis, which needs data_format='channels_last' "
                    "here. Received: data_format='channels_first'"
                )

    def build(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        self.window = make_window(spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        self.state_window = make_window(self.window.output_size, self.kernel_size, (1,) * self.rank, "same")
        self.add_weights((*self.kernel_size, channels), (*self.kernel_size, self.filters))

    @property
    def state_shape(self):
        return (*self.window.output_size, self.filters)

    def call(self, inputs, states, training=False):
        """As that of other cells, in the order of axes that ``data_format`` says."""
        arrays = [images.to_channels_last(np.asarray(a, self.dtype), self.data_format) for a in (inputs, *states)]
        self.begin(np.ascontiguousarray(arrays[0])[None], training)
        new = [np.array(images.from_channels_last(a, self.data_format)) for a in self.step(0, arrays[1:])]
        return new[0], new

    def compute_output_shape(self, input_shape):
        spatial, _ = images.split_shape(self, input_shape, self.rank)
        output = images.window_output_size(
            self, input_shape, spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        return images.join_shape(input_shape[0], output, self.filters, self.data_format)

    def multiply(self, columns):
        """The inputs of all steps are one batch of images for the convolution."""
        x, groups = _masked(self.x, self.input_masks)
        x = x.reshape(-1, *x.shape[2:])
        y = columns.reshape(len(x), *self.window.output_size, -1)
        _in_shares(len(x), lambda i, j: convolution.forward(x[i:j], self.kernel.value, self.window, y[i:j], groups))

    def recur(self, t, h):
        self.h_before[t] = h
        h, groups = _masked(self.h_before[t], self.recurrent_masks)
        product = self.buffer("product", (*h.shape[:-1], self.gates * self.units))
        convolution.forward(h, self.recurrent_kernel.value, self.state_window, product, groups)
        return product.reshape(*h.shape[:-1], self.gates, self.units)

    def recur_back(self, dproduct):
        groups = 1 if self.recurrent_masks is None else self.gates
        dh = self.buffer("dh", (*dproduct.shape[:-2], groups * self.units))
        dproduct = dproduct.reshape(*dproduct.shape[:-2], -1)
        convolution.input_gradient(dproduct, self.recurrent_kernel.value, self.state_window, dh, groups)
        return _unmasked(dh, self.recurrent_masks)

    def end(self, needs_input_gradient):
        x, groups = _masked(self.x, self.input_masks)
        x, dz = x.reshape(-1, *x.shape[2:]), self.dz.reshape(-1, *self.window.output_size, self.gates * self.units)
        if self.trainable:
            convolution.kernel_gradient(x, dz, self.window, self.kernel.grad, groups)
            h, recurrent_groups = _masked(self.h_before, self.recurrent_masks)
            h = h.reshape(-1, *h.shape[2:])
            convolution.kernel_gradient(h, dz, self.state_window, self.recurrent_kernel.grad, recurrent_groups)
            if self.bias is not None:
                dz.reshape(-1, dz.shape[-1]).sum(axis=0, out=self.bias.grad)
        if not needs_input_gradient:
            return None
        dx = self.buffer("dx", (*self.x.shape[:-1], x.shape[-1]))
        flat = dx.reshape(x.shape)
        _in_shares(
            len(x),
            lambda i, j: convolution.input_gradient(dz[i:j], self.kernel.value, self.window, flat[i:j], groups),
        )
        return _unmasked(dx, self.input_masks)


def _masked(x, masks):
    """Return (x with a copy of its channels for each mask, number of copies): the groups of a convolution."""
    if masks is None:
        return x, 1
    copies = x[..., None, :] * np.moveaxis(masks, 0, -2)
    return copies.reshape(*x.shape[:-1], -1), len(masks)


def _unmasked(dx, masks):
    """Undo `_masked` for a gradient."""
    if masks is None:
        return dx
    return (dx.reshape(*dx.shape[:-1], len(masks), -1) * np.moveaxis(masks, 0, -2)).sum(axis=-2)


def _in_shares(n, run):
    threads.run_shares(lambda share, i, j: run(i, j), threads.split(n, min(n, threads.num_threads())))


class ConvLSTM(CellLayer):
    """Abstract layer over ``rank`` spatial axes: see `ConvLSTM2D`."""

    rank = None
    cell_class = ConvLSTMCell

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
        recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None,
        return_sequences=False, return_state=False, go_backwards=False, stateful=False, **kwargs,
    ):  # fmt: skip
        cell = self.make_cell(
            kwargs,
            rank=self.rank, filters=filters, kernel_size=kernel_size, strides=strides, padding=padding,
            data_format=data_format, dilation_rate=dilation_rate, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, unit_forget_bias=unit_forget_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed,
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip

    def call(self, inputs, training=False, mask=None):
        if self.data_format == "channels_last":
            return super().call(inputs, training, mask)
        return self._channels(super().call(np.moveaxis(inputs, 2, -1), training, mask), first=True)

    def backward(self, doutputs):
        if self.data_format == "channels_last":
            return super().backward(doutputs)
        dinputs = super().backward(self._channels(doutputs, first=False))
        return None if dinputs is None else np.moveaxis(dinputs, -1, 2)

    def _channels(self, outputs, first):
        """Move the channels of outputs, of all steps or of the last alone."""
        axis = 2 if self.return_sequences else 1
        return np.moveaxis(outputs, -1, axis) if first else np.moveaxis(outputs, axis, -1)

    def build(self, input_shape):
        self._check_shape(input_shape)
        if None in input_shape[2:]:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know the sizes of all axes but batch and steps. "
                f"Received inputs of shape {tuple(input_shape)}: begin the model with Input(shape=...)"
            )
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self._sizes = tuple(input_shape[2:])

    def compute_output_shape(self, input_shape):
        self._check_shape(input_shape)
        spatial, _ = images.split_shape(self.cell, (input_shape[0], *input_shape[2:]), self.rank)
        images.window_output_size(
            self, input_shape, spatial, self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        return super().compute_output_shape(input_shape)

    def _output_sizes(self, sizes):
        return self.cell.compute_output_shape((None, *sizes))[1:]

    def _check_shape(self, input_shape):
        input_shape = tuple(input_shape)
        axes = f"{images.AXES[self.rank]}, channels"
        if self.data_format == "channels_first":
            axes = f"channels, {images.AXES[self.rank]}"
        where = f"Layer {self.name!r} ({type(self).__name__})"
        if len(input_shape) != self.rank + 3:
            raise ValueError(
                f"{where} takes inputs of rank {self.rank + 3}, (batch, steps, {axes}). Received inputs of shape "
                f"{input_shape}. If the channel axis is missing, add a channel axis: x[..., None]; for one series, a "
                "batch axis: x[None]"
            )
        if self.built and input_shape[2:] != self._sizes:
            raise ValueError(
                f"{where} was built for steps of shape {self._sizes}, ({axes}). Received {input_shape[2:]}: inputs of "
                f"shape {input_shape}"
            )


class ConvLSTM1D(ConvLSTM):
    """Convolutional LSTM along series of sequences, as the readings along a line: `ConvLSTM2D` on one axis.

    Args: as in `ConvLSTM2D`, with one integer for ``kernel_size``, ``strides`` and ``dilation_rate``.

    Input shape: (batch, steps, length, channels), or (batch, steps, channels, length) with channels first.
    Output shape: (batch, new_length, filters), with steps after the batch if ``return_sequences``.
    Weights: kernel (size, channels, 4 filters), recurrent_kernel (size, filters, 4 filters), bias (4 filters,).

    Raises:
        ValueError: as `ConvLSTM2D`.
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """Convolutional LSTM along films: an `LSTM` whose states are images, and whose products are convolutions

    i, f, o = sigmoid(x * kernel + h * recurrent_kernel + bias), g = tanh(the same), filters in the order i, f, g, o;
    c_t = f c_(t-1) + i g, h_t = o tanh(c_t).

    Args:
        filters: number of channels of the outputs and the states.
        kernel_size: height and width of both windows, one integer or two.
        strides, padding, data_format, dilation_rate: of the convolution of the inputs, as in `Conv2D`. That of the
            states has stride 1, padding "same" and no dilation.
        activation to seed: as in `LSTMCell`; with dropout each gate has masks of its own, over all pixels and channels.
        return_sequences, return_state, go_backwards, stateful: as in `RNN`, which has more of them for ``**kwargs``.
        activity_regularizer: of the outputs.

    Input shape: (batch, steps, height, width, channels), or (batch, steps, channels, height, width).
    Output shape: (batch, new_height, new_width, filters), or (batch, filters, new_height, new_width); with steps after
    the batch if ``return_sequences``.
    Weights: kernel (height, width, channels, 4 filters), recurrent_kernel (height, width, filters, 4 filters) and
    bias (4 filters,).

    Raises:
        ValueError: bad arguments, inputs of another rank or other sizes than it was built for, or sizes that are not
            known, since the states' sizes follow from them.

    Shi et al. 2015, arXiv:1506.04214, section 3.1, without the products of c and the gates.
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """Convolutional LSTM along series of volumes: `ConvLSTM2D` on three axes.

    Args: as in `ConvLSTM2D`, with one integer or three for ``kernel_size``, ``strides`` and ``dilation_rate``.

    Input shape: (batch, steps, depth, height, width, channels), or (batch, steps, channels, depth, height, width).
    Output shape: (batch, new_depth, new_height, new_width, filters), or with filters first; with steps after the batch
    if ``return_sequences``.
    Weights: kernel (*sizes, channels, 4 filters), recurrent_kernel (*sizes, filters, 4 filters), bias (4 filters,).

    Raises:
        ValueError: as `ConvLSTM2D`.
    """

    rank = 3
