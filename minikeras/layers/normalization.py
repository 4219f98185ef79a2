"""Normalization of each row by itself: layer, RMS and unit normalization."""

import math

import numpy as np

from minikeras.layers.base import Layer
from minikeras.layers.moments import (
    add_gamma_and_beta,
    check_axes_fit,
    inverse_root,
    standardize_axes,
    standardize_epsilon,
    subtract_mean,
)

SHORTEST = 1e-12  # the smallest norm that UnitNormalization divides by


class RowNormalization(Layer):
    """Abstract: y = gamma xhat + beta with xhat = (x - mean) / sqrt(variance + epsilon) along some axes of each row.

    Attributes:
        subtracts_mean: if not, the variance is taken around 0.
        gain, shift: the weights gamma and beta, or None.
    """

    subtracts_mean = True
    gain = shift = None

    def call(self, inputs, training=False):
        axes = self.normalized_axes(inputs.shape)
        x = _to_rows(inputs, axes)
        normalized = self.buffer("normalized", x.shape)
        if self.subtracts_mean:
            variance = subtract_mean(x, normalized, lambda rows: rows.mean(axis=1, keepdims=True), _mean_product)
            inverse = inverse_root(variance, self.epsilon)
            normalized *= inverse
        else:
            inverse = inverse_root(_mean_product(x, x), self.epsilon)
            np.multiply(x, inverse, out=normalized)
        self.inverse, self.normalized = inverse, normalized
        self.scaled = self.scale_rows(x, inverse, normalized)
        if self.gain is None:
            y = self.scaled
        else:
            y = np.multiply(self.scaled, self.gain.value.ravel(), out=self.buffer("outputs", x.shape))
        if self.shift is not None:
            y = np.add(y, self.shift.value.ravel(), out=self.buffer("outputs", x.shape))
        return _from_rows(y, axes, inputs.shape)

    def scale_rows(self, x, inverse, normalized):
        """Return what gamma multiplies."""
        return normalized

    def backward(self, doutputs):
        """dgamma = sum dy xhat, dbeta = sum dy, and with g = dy gamma and means over a row:

        dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(variance + epsilon), without mean(g) if no mean was subtracted.
        """
        axes = self.normalized_axes(doutputs.shape)
        dy = _to_rows(doutputs, axes)
        if self.gain is not None:
            self.gain.grad = np.einsum("ri,ri->i", dy, self.scaled).reshape(self.gain.shape)
        if self.shift is not None:
            self.shift.grad = dy.sum(axis=0).reshape(self.shift.shape)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dinputs", dy.shape)
        if self.gain is None:
            np.copyto(dx, dy)
        else:
            np.multiply(dy, self.gain.value.ravel(), out=dx)
        inner = _mean_product(dx, self.scaled)
        if self.subtracts_mean and self.scaled is self.normalized:
            dx -= dx.mean(axis=1, keepdims=True)
        dx -= np.multiply(self.normalized, inner, out=self.buffer("share", dy.shape))
        dx *= self.inverse
        return _from_rows(dx, axes, doutputs.shape)

    def normalized_axes(self, shape):
        """Return the axes in increasing order, all from 0."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return tuple(sorted(axis % len(shape) for axis in axes))

    def weight_shape(self, input_shape):
        """Return the sizes of the axes, which Keras has sorted as they were given: negative ones come first."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return tuple(input_shape[axis] for axis in axes)

    def compute_output_shape(self, input_shape):
        check_axes_fit(self, self.axis, input_shape)
        if 0 in self.normalized_axes(input_shape):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) normalizes each row of a batch by itself: "
                f"axis={self.axis} must not hold the batch axis of inputs of shape {tuple(input_shape)}"
            )
        sizes = self.weight_shape(input_shape)
        if None in sizes:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know the sizes of axis={self.axis}. Received "
                f"inputs of shape {tuple(input_shape)}"
            )
        for weight in self._weights[:1]:
            if sizes != weight.shape:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) expects sizes {weight.shape} on axis={self.axis}. "
                    f"Received {sizes}: inputs of shape {tuple(input_shape)}"
                )
        return tuple(input_shape)


class LayerNormalization(RowNormalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with each row's own mean and (population) variance

    Args:
        axis: integer or several: the axes that are normalized together, and that gamma and beta have.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            the weights.
        rms_scaling: (deprecated in Keras) y = gamma x / sqrt(variance + epsilon) instead.

    Input and output shape: any of rank 2 or more. Weights: gamma, beta, with the sizes of the axes.

    Raises:
        ValueError: bad arguments; inputs without these axes, or with other sizes than before.

    Ba, Kiros and Hinton 2016, arXiv:1607.06450, section 3.
    """

    rows_independent = True
    supports_masking = True

    def __init__(
        self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs,
    ):  # fmt: skip
        self.rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        self.axis = standardize_axes(axis)
        self.epsilon = standardize_epsilon(epsilon)
        self.keep_arguments(
            center=center, scale=scale, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.gamma = self.beta = None

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        scale, center = self.scale or self.rms_scaling, self.center and not self.rms_scaling
        add_gamma_and_beta(self, self.weight_shape(input_shape), scale, center)
        self.gain, self.shift = self.gamma, self.beta

    def scale_rows(self, x, inverse, normalized):
        if not self.rms_scaling:
            return normalized
        return np.multiply(x, inverse, out=self.buffer("scaled", x.shape))

    def get_config(self):
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


class RMSNormalization(RowNormalization):
    """y = scale x / sqrt(mean of x^2 + epsilon), with the mean over each row

    Args:
        axis: integer or several: the axes that are normalized together, and that scale has.
        epsilon: added to the mean of squares.

    Input and output shape: any of rank 2 or more. Weights: scale, with the sizes of the axes.

    Raises:
        ValueError: bad arguments; inputs without these axes, or with other sizes than before.

    Zhang and Sennrich 2019, arXiv:1910.07467, section 4.
    """

    rows_independent = True
    subtracts_mean = False

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = standardize_axes(axis)
        self.epsilon = standardize_epsilon(epsilon)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        self.scale = self.gain = self.add_weight(self.weight_shape(input_shape), "ones", name="scale")


class UnitNormalization(Layer):
    """y = x / norm of x, the Euclidean norm along some axes

    Vectors shorter than 1e-12 are divided by that. Where the norm is 0, the gradient is taken to be 0.

    Args:
        axis: integer or several, along which the norm is taken.

    Input and output shape: any.

    Raises:
        ValueError: inputs without these axes.
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = standardize_axes(axis)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.mixes_rows = 0 in [axis % len(input_shape) for axis in np.atleast_1d(self.axis)]
        self.rows_independent = not self.mixes_rows

    def call(self, inputs, training=False):
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        y = np.square(inputs, out=self.buffer("outputs", inputs.shape))
        self.norm = np.sqrt(y.sum(axis=axes, keepdims=True))
        self.inverse = 1 / np.maximum(self.norm, self.norm.dtype.type(SHORTEST))
        self.outputs = np.multiply(inputs, self.inverse, out=y)
        return y

    def backward(self, doutputs):
        """dx = (dy - y sum dy y) / norm, or dy / 1e-12 where that is what x was divided by."""
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        dx = np.multiply(doutputs, self.outputs, out=self.buffer("dinputs", doutputs.shape))
        inner = dx.sum(axis=axes, keepdims=True) * (self.norm > SHORTEST)
        np.multiply(self.outputs, inner, out=dx)
        np.subtract(doutputs, dx, out=dx)
        dx *= self.inverse * (self.norm > 0)
        return dx

    def compute_output_shape(self, input_shape):
        check_axes_fit(self, self.axis, input_shape)
        return tuple(input_shape)


def _to_rows(x, axes):
    """(..., with the numbers of a row along ``axes``) -> (rows, numbers)"""
    last = range(x.ndim - len(axes), x.ndim)
    return np.moveaxis(x, axes, last).reshape(-1, math.prod(x.shape[axis] for axis in axes))


def _from_rows(rows, axes, shape):
    last = range(len(shape) - len(axes), len(shape))
    others = [size for axis, size in enumerate(shape) if axis not in axes]
    return np.moveaxis(rows.reshape(*others, *(shape[axis] for axis in axes)), last, axes)


def _mean_product(a, b):
    """The mean of a b over each row, (rows, 1)"""
    return np.einsum("ri,ri->r", a, b)[:, None] / a.dtype.type(a.shape[1])
