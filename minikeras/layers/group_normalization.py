"""Normalization of groups of each row's channels."""

import math

import numpy as np

from minikeras.layers.base import Layer
from minikeras.layers.moments import (
    add_gamma_and_beta,
    check_axes_fit,
    inverse_root,
    standardize_epsilon,
    subtract_mean,
)


class GroupNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moments of each row's groups of channels

    Args:
        groups: number of groups; as many as channels, or -1, makes instance normalization, 1 nearly layer
            normalization.
        axis: of the channels.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            the weights.

    Input and output shape: any of rank 2 or more. Weights: gamma, beta, (channels,) each.

    Raises:
        ValueError: bad arguments; channels that cannot be grouped; another number of channels than before.

    Wu and He 2018, arXiv:1803.08494, section 3.
    """

    rows_independent = True
    supports_masking = True

    def __init__(
        self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
        gamma_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or (groups <= 0 and groups != -1):
            raise ValueError(
                f"`groups` must be a positive integer, or -1 for one group a channel. Received: groups={groups!r}"
            )
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or axis == 0:
            raise ValueError(f"`axis` must be an integer other than 0, the batch axis. Received: axis={axis!r}")
        self.groups = int(groups)
        self.axis = int(axis)
        self.epsilon = standardize_epsilon(epsilon)
        self.keep_arguments(
            center=center, scale=scale, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.gamma = self.beta = None
        self._channels = None

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self._channels = input_shape[self.axis]
        if self.groups == -1:
            self.groups = self._channels
        add_gamma_and_beta(self, (self._channels,), self.scale, self.center)

    def call(self, inputs, training=False):
        x = self._positions(inputs)
        centered = self.buffer("centered", x.shape)
        variance = subtract_mean(x, centered, lambda array: self._group_mean(array.mean(axis=1)), self._mean_product)
        self.centered, self.inverse = centered, inverse_root(variance, self.epsilon)
        factor = self.inverse if self.gamma is None else self.inverse * self.gamma.value
        y = np.multiply(centered, factor, out=self.buffer("outputs", x.shape))
        if self.beta is not None:
            y += self.beta.value
        return self._from_positions(y, inputs.shape)

    def backward(self, doutputs):
        """As in layer normalization, with means over a group: those of its channels' means."""
        dy = self._positions(doutputs)
        means = dy.mean(axis=1)
        products = _mean_positions(dy, self.centered)
        if self.gamma is not None:
            self.gamma.grad = (products * self.inverse[:, 0]).sum(axis=0) * dy.shape[1]
        if self.beta is not None:
            self.beta.grad = means.sum(axis=0) * dy.shape[1]
        if not self.needs_input_gradient:
            return None
        gain = self.gamma.value if self.gamma is not None else 1
        offset = self.inverse * self._group_mean(means * gain)
        slope = self.inverse * (self.inverse * (self.inverse * self._group_mean(products * gain)))
        dx = np.multiply(self.centered, slope, out=self.buffer("dinputs", dy.shape))
        dx += offset
        share = np.multiply(dy, self.inverse * gain, out=self.buffer("share", dy.shape))
        np.subtract(share, dx, out=dx)
        return self._from_positions(dx, doutputs.shape)

    def compute_output_shape(self, input_shape):
        check_axes_fit(self, self.axis, input_shape)
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"Layer {self.name!r} needs to know the size of axis {self.axis}. Received {input_shape}")
        if self._channels is not None and channels != self._channels:
            raise ValueError(
                f"Layer {self.name!r} (GroupNormalization) expects {self._channels} channels on axis {self.axis}. "
                f"Received {channels}: inputs of shape {tuple(input_shape)}"
            )
        if self.groups != -1 and channels % self.groups:
            divisors = [n for n in range(1, channels + 1) if channels % n == 0]
            raise ValueError(
                f"Layer {self.name!r} (GroupNormalization): groups={self.groups} must divide the number of channels. "
                f"Received {channels} channels, inputs of shape {tuple(input_shape)}: take one of {divisors[:10]}"
            )
        return tuple(input_shape)

    def _mean_product(self, a, b):
        return self._group_mean(_mean_positions(a, b))

    def _group_mean(self, channels):
        """(batch, channels) -> the mean of each one's group, (batch, 1, channels)"""
        batch, count = channels.shape
        means = channels.reshape(batch, self.groups, -1).mean(axis=2)
        return np.repeat(means, count // self.groups, axis=1)[:, None]

    def _positions(self, x):
        """(batch, ..., channels on some axis) -> (batch, positions, channels)"""
        channels = x.shape[self.axis]
        return np.moveaxis(x, self.axis, -1).reshape(len(x), math.prod(x.shape[1:]) // channels, channels)

    def _from_positions(self, y, shape):
        others = list(shape)
        channels = others.pop(self.axis)
        return np.moveaxis(y.reshape(*others, channels), -1, self.axis)


def _mean_positions(a, b):
    """The mean of a b over the positions, (batch, channels)"""
    return np.einsum("bpc,bpc->bc", a, b) / a.dtype.type(a.shape[1])
