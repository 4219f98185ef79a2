"""Layers that move numbers about without changing them."""

import math

import numpy as np

from minikeras import config
from minikeras.layers import images
from minikeras.layers.base import Layer, positive_integer


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


class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: the inputs' axes, counted from 1 (0 is the batch), in the order that the outputs have them.

    Input shape: (batch, ...). Output shape: (batch, sizes of the axes ``dims``).

    Raises:
        ValueError: ``dims`` that name no axis or one twice, or inputs with another number of axes.
    """

    rows_independent = True

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(dims, (tuple, list)) or sorted(map(repr, dims)) != sorted(map(repr, range(1, len(dims) + 1))):
            raise ValueError(
                f"`dims` must hold each of 1, 2, ... once, in any order, as (2, 1). Received: dims={dims!r}"
            )
        self.dims = tuple(dims)

    def call(self, inputs, training=False):
        return inputs.transpose(0, *self.dims)

    def backward(self, doutputs):
        return doutputs.transpose(0, *np.argsort(self.dims) + 1)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(
                f"Layer {self.name!r} (Permute) with dims={self.dims} takes inputs of rank {len(self.dims) + 1}, batch "
                f"axis included. Received inputs of shape {tuple(input_shape)}"
            )
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class RepeatVector(Layer):
    """Each sample ``n`` times, as the steps of a sequence.

    Args:
        n: how many times.

    Input shape: (batch, features). Output shape: (batch, n, features).

    Raises:
        ValueError: an ``n`` that is no positive integer, or inputs that are no vectors.
    """

    rows_independent = True

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = positive_integer(n, "n")

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", (len(inputs), self.n, inputs.shape[1]))
        outputs[...] = inputs[:, None]
        return outputs

    def backward(self, doutputs):
        return doutputs.sum(axis=1)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                f"Layer {self.name!r} (RepeatVector) takes inputs of rank 2, (batch, features). Received inputs of "
                f"shape {tuple(input_shape)}. Flatten them first"
            )
        return (input_shape[0], self.n, input_shape[1])


class Identity(Layer):
    """Outputs are the inputs: a placeholder.

    Input and output shape: any.
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, inputs, training=False):
        return inputs

    def backward(self, doutputs):
        return doutputs

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
