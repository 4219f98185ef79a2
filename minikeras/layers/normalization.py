"""Batch normalization."""

import numpy as np

from minikeras import constraints, initializers, regularizers
from minikeras.kernels import threads
from minikeras.layers.base import Layer

PARALLEL = 1 << 18  # numbers from which the rows are shared between threads
BLOCK = 1024  # rows that are summed up at a time


class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel

    In training, mean and (population) variance are the batch's, and the moving ones follow them:
    moving = momentum moving + (1 - momentum) batch. In inference, and when the layer is not trainable, the moving ones
    are used. Ioffe and Szegedy 2015, arXiv:1502.03167.

    Args:
        axis: of the channels, -1 for the last, 1 with channels first.
        momentum: of the moving statistics.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer, beta_regularizer,
            gamma_regularizer, beta_constraint, gamma_constraint: of the weights.

    Input and output shape: any of rank 2 or more. Weights: gamma, beta, moving_mean, moving_variance, (channels,) each.

    Raises:
        ValueError: bad arguments, or inputs with another number of channels than before.
    """

    def __init__(
        self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, renorm=False,
        renorm_clipping=None, renorm_momentum=0.99, synchronized=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or axis == 0:
            raise ValueError(f"`axis` must be an integer other than 0, the batch axis. Received: axis={axis!r}")
        for name, value, top in (("momentum", momentum, 1), ("epsilon", epsilon, np.inf)):
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= top:
                raise ValueError(f"`{name}` must be a number of at least 0 and at most {top}. Received: {value!r}")
        if synchronized or renorm or renorm_clipping:
            raise ValueError("`synchronized` and `renorm` are not supported: leave them at False")
        self.axis = int(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.synchronized, self.renorm = synchronized, renorm
        self.renorm_clipping, self.renorm_momentum = renorm_clipping, renorm_momentum
        self.gamma = self.beta = None

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        shape = (input_shape[self.axis],)
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, None, True, self.gamma_regularizer, self.gamma_constraint, "gamma"
            )
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, None, True, self.beta_regularizer, self.beta_constraint, "beta"
            )
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, inputs, training=False):
        self.view_shape = np.moveaxis(inputs, self.axis, -1).shape
        x = self._rows(inputs)
        y = self.buffer("outputs", x.shape)
        if training and self.trainable:
            mean = (_sum_rows(lambda rows: x[rows].sum(axis=0), len(x), x.size) / len(x)).astype(self.dtype)

            def squares(rows):
                centered = np.subtract(x[rows], mean, out=y[rows])
                return np.einsum("rc,rc->c", centered, centered)

            variance = (_sum_rows(squares, len(x), x.size) / len(x)).astype(self.dtype)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        self.inverse = 1 / np.sqrt(variance + self.epsilon)
        factor = self.inverse if self.gamma is None else self.inverse * self.gamma.value
        shift = -mean * factor if self.beta is None else self.beta.value - mean * factor

        def normalize(share, start, stop):
            np.multiply(x[start:stop], factor, out=y[start:stop])
            y[start:stop] += shift

        threads.run_shares(normalize, _bounds(len(x), x.size))
        self.x, self.mean, self.batch_statistics = (x, mean, self.trainable) if training else (None, None, False)
        return self._unrows(y)

    def backward(self, doutputs):
        """With n rows and xhat = (x - mean) inverse:

        dgamma = sum dy xhat, dbeta = sum dy, and dx = gamma inverse (dy - dbeta / n - xhat dgamma / n); the last two
        terms are how mean and variance depend on x. (That of the variance on the mean is 0.)
        """
        x, dy = self.x, self._rows(doutputs)
        n = len(x)
        dbeta = _sum_rows(lambda rows: dy[rows].sum(axis=0), n, x.size).astype(self.dtype)
        dgamma = _sum_rows(lambda rows: np.einsum("rc,rc->c", dy[rows], x[rows] - self.mean), n, x.size)
        dgamma = (dgamma * self.inverse).astype(self.dtype)
        if self.gamma is not None:
            self.gamma.grad = dgamma
        if self.beta is not None:
            self.beta.grad = dbeta
        if not self.needs_input_gradient:
            return None
        factor = self.inverse if self.gamma is None else self.inverse * self.gamma.value
        dx = self.buffer("dinputs", x.shape)

        def pull_back(share, start, stop):
            part = dx[start:stop]
            if self.batch_statistics:
                np.subtract(x[start:stop], self.mean, out=part)
                part *= -self.inverse * dgamma / n
                part += dy[start:stop]
                part -= dbeta / n
                part *= factor
            else:
                np.multiply(dy[start:stop], factor, out=part)

        threads.run_shares(pull_back, _bounds(n, x.size))
        return self._unrows(dx)

    def compute_output_shape(self, input_shape):
        rank = len(input_shape)
        if not -rank < self.axis < rank:
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization): axis={self.axis} is outside of inputs of shape "
                f"{tuple(input_shape)}"
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"Layer {self.name!r} needs to know the size of axis {self.axis}. Received {input_shape}")
        if self.built and channels != self.moving_mean.shape[0]:
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization) expects {self.moving_mean.shape[0]} channels on axis "
                f"{self.axis}. Received {channels}: inputs of shape {tuple(input_shape)}"
            )
        return tuple(input_shape)

    def _rows(self, x):
        """(batch, ..., channels on some axis) -> (rows, channels)"""
        return np.moveaxis(x, self.axis, -1).reshape(-1, x.shape[self.axis])

    def _unrows(self, rows):
        return np.moveaxis(rows.reshape(self.view_shape), -1, self.axis)

    def _follow(self, moving, batch):
        moving.value *= self.momentum
        moving.value += (1 - self.momentum) * batch


def _bounds(rows, size):
    return threads.split(rows, threads.num_threads() if size >= PARALLEL else 1)


def _sum_rows(partial, rows, size):
    """Return the sum of ``partial(slice of rows)`` over all rows, in float64: a block of rows at a time, which stays in
    cache and keeps the rounding errors of long sums small."""
    bounds = _bounds(rows, size)
    parts = [0.0] * (len(bounds) - 1)

    def run(share, start, stop):
        for block in range(start, stop, BLOCK):
            parts[share] = parts[share] + partial(slice(block, min(block + BLOCK, stop))).astype("float64")

    threads.run_shares(run, bounds)
    return sum(parts[1:], parts[0])
