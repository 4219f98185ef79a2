"""Activations that are layers of their own because they have arguments."""

import numpy as np

from minikeras import activations
from minikeras.layers.activated import ActivatedLayer
from minikeras.layers.base import Layer
from minikeras.registry import serialize

MASKED = -1e9  # what masked logits are replaced by


class ActivationLayer(Layer):
    """Abstract: a layer that is `function`, an activation with its arguments."""

    supports_masking = True

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        self.inputs, self.outputs = (inputs, outputs) if training else (None, None)
        self.function.forward(inputs, outputs)
        return outputs

    def backward(self, doutputs):
        dx = self.buffer("dinputs", self.outputs.shape)
        self.function.gradient(doutputs, self.inputs, self.outputs, dx)
        return dx

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def as_activation(self):
        """Return the function for use as another layer's activation: ``Dense(3, activation=LeakyReLU())``."""
        return self.function.configured_as(serialize(self))


class ReLU(ActivationLayer):
    """f(x) = max_value where x >= max_value, x where threshold < x < max_value, else negative_slope (x - threshold)

    Args:
        max_value: upper bound, None for none.
        negative_slope: slope below the threshold.
        threshold: below it the function is (almost) flat.

    Input and output shape: any.

    Raises:
        ValueError: a negative argument.

    Nair and Hinton 2010; the arguments are Keras'.
    """

    rows_independent = True

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _non_negative(max_value, "max_value")
        self.negative_slope = _non_negative(negative_slope, "negative_slope")
        self.threshold = _non_negative(threshold, "threshold")
        self.function = activations.relu.bind(negative_slope, max_value, threshold)


class LeakyReLU(ActivationLayer):
    """f(x) = x where x > 0, else negative_slope x

    Args:
        negative_slope: at least 0. (Keras 2 called it ``alpha``.)

    Input and output shape: any.

    Raises:
        ValueError: a negative slope.

    Maas, Hannun and Ng 2013, section 2.
    """

    rows_independent = True

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = _non_negative(negative_slope, "negative_slope")
        self.function = activations.leaky_relu.bind(negative_slope)


class ELU(ActivationLayer):
    """f(x) = x where x > 0, else alpha (exp(x) - 1)

    Args:
        alpha: minus the limit at minus infinity.

    Input and output shape: any.

    Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289, section 3.
    """

    rows_independent = True

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        if not _is_number(alpha):
            raise ValueError(f"`alpha` must be a number, as 1.0. Received: alpha={alpha!r}")
        self.alpha = alpha
        self.function = activations.elu.bind(alpha)


class PReLU(Layer):
    """f(x) = x where x > 0, else alpha x, with alpha a weight.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the weight.
        shared_axes: axes along which one alpha is shared, as ``[1, 2]`` for one a channel of images; the batch axis is
            0, the first axis of a sample 1. By default each element of a sample has its own.

    Input and output shape: any. Weights: alpha, the shape of a sample, with 1 for each shared axis.

    Raises:
        ValueError: axes that the inputs do not have; a size that is not shared and unknown, or other than before.

    He et al. 2015, arXiv:1502.01852, section 2.1.
    """

    rows_independent = True
    supports_masking = True

    def __init__(
        self, alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.keep_arguments(
            alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer, alpha_constraint=alpha_constraint
        )  # fmt: skip
        if shared_axes is not None:
            shared_axes = list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]
            if not all(_is_integer(axis) and axis >= 1 for axis in shared_axes):
                raise ValueError(
                    "`shared_axes` must be integers from 1, the first axis of a sample. Received: "
                    f"shared_axes={shared_axes!r}"
                )
        self.shared_axes = shared_axes
        self.alpha = None

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        sizes = [1 if axis in (self.shared_axes or ()) else size for axis, size in enumerate(input_shape)]
        self.alpha = self.add_described_weight("alpha", sizes[1:])

    def call(self, inputs, training=False):
        self.inputs = inputs if training else None
        outputs = np.minimum(inputs, 0, out=self.buffer("outputs", inputs.shape))
        outputs *= self.alpha.value
        outputs += np.maximum(inputs, 0, out=self.buffer("positive", inputs.shape))
        return outputs

    def backward(self, doutputs):
        x, alpha = self.inputs, self.alpha.value
        shared = tuple(axis for axis in range(x.ndim) if axis == 0 or axis in (self.shared_axes or ()))
        dx = np.minimum(x, 0, out=self.buffer("dinputs", x.shape))
        dx *= doutputs
        self.alpha.grad = dx.sum(axis=shared).reshape(alpha.shape)
        if not self.needs_input_gradient:
            return None
        np.multiply(x < 0, alpha, out=dx)  # the slope: at 0 it is 0, as in Keras
        dx += x > 0
        dx *= doutputs
        return dx

    def compute_output_shape(self, input_shape):
        axes = self.shared_axes or ()
        if any(axis >= len(input_shape) for axis in axes):
            raise ValueError(
                f"Layer {self.name!r} (PReLU): shared_axes={self.shared_axes} are outside of inputs of shape "
                f"{tuple(input_shape)}"
            )
        sizes = [1 if axis in axes else size for axis, size in enumerate(input_shape)][1:]
        if None in sizes:
            raise ValueError(
                f"Layer {self.name!r} (PReLU) has a weight for each element of a sample: give the sizes, or share the "
                f"unknown axes, as shared_axes=[{sizes.index(None) + 1}]. Received inputs of shape {tuple(input_shape)}"
            )
        if self.alpha is not None and tuple(sizes) != self.alpha.shape:
            raise ValueError(
                f"Layer {self.name!r} (PReLU) has weights of shape {self.alpha.shape}, for samples of that shape (but "
                f"for axes that are shared). Received inputs of shape {tuple(input_shape)}"
            )
        return tuple(input_shape)

    def as_activation(self):
        raise ValueError("PReLU has weights: make it a layer of its own after the one whose activation it should be")


class Softmax(ActivatedLayer):
    """f(x)_i = exp(x_i) / sum_j exp(x_j) along one axis or several

    Args:
        axis: integer or several; -1 is the last.

    The mask, if there is one, is a bool array that can be broadcast to the inputs: where it is False, outputs are 0
    and do not count in the sum.

    Input and output shape: any.

    Raises:
        ValueError: an axis that the inputs do not have; a mask that does not fit.
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        axes = axis if isinstance(axis, (list, tuple)) and axis else [axis]
        if not all(map(_is_integer, axes)):
            raise ValueError(f"`axis` must be an integer or several, as -1. Received: axis={axis!r}")
        self.axis = axis
        self._axes = tuple(axes) if len(axes) > 1 else axes[0]

    @property
    def activation(self):
        """What the outputs' last axis has gone through: softmax if that is the axis, else nothing known."""
        is_last = self._axes == -1 or (self.built and self._axes == len(self.input_shape) - 1)
        return activations.softmax if is_last else None

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        axes = self._axes if isinstance(self._axes, tuple) else [self._axes]
        self.mixes_rows = not all(axis % len(input_shape) for axis in axes)
        self.rows_independent = not self.mixes_rows

    def call(self, inputs, training=False, mask=None):
        outputs = self.buffer("outputs", inputs.shape)
        self.outputs = outputs if training else None
        self.mask = mask = None if mask is None else self._fitting(np.asarray(mask), inputs.shape)
        if mask is not None:
            np.copyto(outputs, inputs)
            np.copyto(outputs, MASKED, where=~mask)
            inputs = outputs
        activations.softmax.forward(inputs, outputs, self._axes)
        if mask is not None:
            outputs *= mask  # where all is masked, softmax has made something of nothing
        return outputs

    def backward(self, doutputs):
        dx = self.buffer("dinputs", self.outputs.shape)
        activations.softmax.gradient(doutputs, None, self.outputs, dx, self._axes)
        return dx

    def backward_logits(self, dlogits):
        return dlogits if self.mask is None else dlogits * self.mask

    def compute_output_shape(self, input_shape):
        rank = len(input_shape)
        for axis in self._axes if isinstance(self._axes, tuple) else [self._axes]:
            if not -rank <= axis < rank:
                raise ValueError(
                    f"Layer {self.name!r} (Softmax): axis={axis} is outside of inputs of shape {tuple(input_shape)}"
                )
        return tuple(input_shape)

    def as_activation(self):
        return activations.softmax.bind(self._axes).configured_as(serialize(self))

    def _fitting(self, mask, shape):
        pairs = list(zip(mask.shape[::-1], shape[::-1]))
        if mask.ndim > len(shape) or any(size not in (1, whole) for size, whole in pairs):
            raise ValueError(
                f"Layer {self.name!r} (Softmax) needs a `mask` that can be broadcast to its inputs. Received a mask of "
                f"shape {mask.shape} for inputs of shape {tuple(shape)}. Give it the missing axes: mask[..., None]"
            )
        return mask if mask.dtype == bool else mask > 0.5


def _non_negative(value, argument):
    if not _is_number(value) or not value >= 0:
        raise ValueError(f"`{argument}` must be a number of at least 0. Received: {argument}={value!r}")
    return value


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _is_integer(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
