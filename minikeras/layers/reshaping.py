"""Layers that move numbers about without changing them: Flatten, Reshape, ZeroPadding2D."""

import math

import numpy as np

from minikeras import config
from minikeras.layers import images
from minikeras.layers.base import Layer, integer_tuple


class Flatten(Layer):
    """One row of numbers for each sample.

    Args:
        data_format: with ``"channels_first"`` the channels are put last before flattening, so that a model has the same
            weights in both formats; by default `config.image_data_format()`.

    Input shape: (batch, ...). Output shape: (batch, product of the other axes).
    """

    rows_independent = True

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)

    def call(self, inputs, training=False):
        self.x_shape = inputs.shape
        x = images.to_channels_last(inputs, self.data_format) if inputs.ndim > 2 else inputs
        self.last_shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, doutputs):
        dx = doutputs.reshape(self.last_shape)
        return images.from_channels_last(dx, self.data_format) if len(self.last_shape) > 2 else dx.reshape(self.x_shape)

    def compute_output_shape(self, input_shape):
        sizes = tuple(input_shape)[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))


class Reshape(Layer):
    """The same numbers in another shape.

    Args:
        target_shape: without the batch axis; one size may be -1, for what is left.

    Input shape: (batch, ...). Output shape: (batch, *target_shape).

    Raises:
        ValueError: bad arguments, or inputs of another number of elements.
    """

    rows_independent = True

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(target_shape, (tuple, list)) or any(
            isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n == 0 or n < -1 for n in target_shape
        ):
            raise ValueError(f"`target_shape` must be a tuple of positive integers and at most one -1. Received: "
                             f"{target_shape!r}")  # fmt: skip
        if tuple(target_shape).count(-1) > 1:
            raise ValueError(f"`target_shape` may have only one unknown size, -1. Received: {target_shape!r}")
        self.target_shape = tuple(int(n) for n in target_shape)

    def call(self, inputs, training=False):
        self.x_shape = inputs.shape
        return inputs.reshape(len(inputs), *self.target_shape)

    def backward(self, doutputs):
        return doutputs.reshape(self.x_shape)

    def compute_output_shape(self, input_shape):
        sizes = tuple(input_shape)[1:]
        if None in sizes:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        total, known = math.prod(sizes), math.prod(n for n in self.target_shape if n != -1)
        if total % known or (-1 not in self.target_shape and total != known):
            raise ValueError(
                f"Layer {self.name!r} (Reshape) cannot turn inputs of shape {tuple(input_shape)}, {total} numbers a "
                f"sample, into target_shape={self.target_shape}"
            )
        return (input_shape[0], *(total // known if n == -1 else n for n in self.target_shape))


class ZeroPadding2D(Layer):
    """A border of zeros around images.

    Args:
        padding: one integer for all sides, two for (height, width), or ((top, bottom), (left, right)).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: (batch, top + height + bottom, left + width + right,
    channels). With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, or inputs that are no images.
    """

    rank = 2
    rows_independent = True

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.padding = _standardize_border(padding, self.rank)

    def call(self, inputs, training=False):
        x = images.to_channels_last(inputs, self.data_format)
        padded = self.buffer("outputs", (len(x), *self._padded(x.shape[1:-1]), x.shape[-1]))
        padded[...] = 0
        self.inside = (slice(None), *(slice(a, a + n) for (a, _), n in zip(self.padding, x.shape[1:-1])))
        padded[self.inside] = x
        return images.from_channels_last(padded, self.data_format)

    def backward(self, doutputs):
        dx = images.to_channels_last(doutputs, self.data_format)[self.inside]
        return images.from_channels_last(dx, self.data_format)

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        return images.join_shape(input_shape[0], self._padded(spatial), channels, self.data_format)

    def _padded(self, spatial):
        return tuple(None if n is None else a + n + b for n, (a, b) in zip(spatial, self.padding))


def _standardize_border(padding, rank):
    """Return ((before, after), ...), a pair an axis."""
    if isinstance(padding, (tuple, list)) and any(isinstance(side, (tuple, list)) for side in padding):
        if len(padding) == rank:
            return tuple(integer_tuple(side, 2, "padding", minimum=0) for side in padding)
        raise ValueError(f"`padding` must be an integer, {rank} integers or {rank} pairs. Received: {padding!r}")
    return tuple((n, n) for n in integer_tuple(padding, rank, "padding", minimum=0))
