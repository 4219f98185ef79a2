"""Activations that are layers of their own because they have arguments."""

import numpy as np

from minikeras import activations
from minikeras.layers.activated import ActivatedLayer
from minikeras.layers.base import Layer


class ReLU(Layer):
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
        for name, value in (("negative_slope", negative_slope), ("threshold", threshold), ("max_value", max_value)):
            if (value is None and name != "max_value") or (value is not None and not value >= 0):
                raise ValueError(f"`{name}` must be a number of at least 0. Received: {name}={value!r}")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        self.inputs = inputs if training else None
        if self.threshold == 0:
            np.maximum(inputs, 0, out=outputs)
        else:
            np.multiply(inputs, inputs > self.threshold, out=outputs)
        if self.negative_slope:
            outputs += self.negative_slope * np.minimum(inputs - self.threshold, 0)
        if self.max_value is not None:
            np.minimum(outputs, self.max_value, out=outputs)
        return outputs

    def backward(self, doutputs):
        x = self.inputs
        slope = np.greater(x, self.threshold, out=self.buffer("dinputs", x.shape))
        if self.max_value is not None:
            slope *= x < self.max_value
        if self.negative_slope:
            slope += self.negative_slope * (x <= self.threshold)
        return np.multiply(slope, doutputs, out=slope)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class LeakyReLU(Layer):
    """f(x) = x where x > 0, else negative_slope x

    Args:
        negative_slope: at least 0.

    Input and output shape: any.

    Raises:
        ValueError: a negative slope.

    Maas, Hannun and Ng 2013, section 2.
    """

    rows_independent = True

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        if negative_slope is None or isinstance(negative_slope, bool) or not negative_slope >= 0:
            raise ValueError(f"`negative_slope` must be a number of at least 0. Received: {negative_slope!r}")
        self.negative_slope = negative_slope

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        self.inputs = inputs if training else None
        np.minimum(inputs, 0, out=outputs)
        outputs *= self.negative_slope
        outputs += np.maximum(inputs, 0)
        return outputs

    def backward(self, doutputs):
        slope = np.where(self.inputs > 0, 1, self.negative_slope).astype(self.dtype)
        return np.multiply(slope, doutputs, out=slope)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class Softmax(ActivatedLayer):
    """f(x)_i = exp(x_i) / sum_j exp(x_j) along one axis

    Args:
        axis: an axis of the inputs; -1 is the last.

    Input and output shape: any.

    Raises:
        ValueError: an axis that the inputs do not have.
    """

    rows_independent = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
            raise ValueError(f"`axis` must be an integer other than 0, the batch axis. Received: {axis!r}")
        self.axis = axis

    @property
    def activation(self):
        """What the outputs' last axis has gone through: softmax if that is the axis, else nothing known."""
        is_last = self.axis == -1 or (self.built and self.axis == len(self.input_shape) - 1)
        return activations.softmax if is_last else None

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        self.outputs = outputs if training else None
        activations.softmax.forward(np.moveaxis(inputs, self.axis, -1), np.moveaxis(outputs, self.axis, -1))
        return outputs

    def backward(self, doutputs):
        dx = self.buffer("dinputs", self.outputs.shape)
        move = [np.moveaxis(a, self.axis, -1) for a in (doutputs, self.outputs, dx)]
        activations.softmax.gradient(move[0], None, move[1], move[2])
        return dx

    def backward_logits(self, dlogits):
        return dlogits

    def compute_output_shape(self, input_shape):
        rank = len(input_shape)
        if not -rank < self.axis < rank:
            raise ValueError(
                f"Layer {self.name!r} (Softmax): axis={self.axis} is outside of inputs of shape {tuple(input_shape)}"
            )
        return tuple(input_shape)
