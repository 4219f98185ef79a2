"""Normalization by the moments of a batch."""

import numpy as np

from minikeras import config
from minikeras.kernels import threads
from minikeras.layers.base import Layer
from minikeras.layers.moments import FAR, add_gamma_and_beta, inverse_root

PARALLEL = 1 << 18  # numbers from which the rows are shared between threads
BLOCK = 1024  # rows that are summed up at a time


class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel

    In training, mean and (population) variance are the batch's, and the moving ones follow them:
    moving = momentum moving + (1 - momentum) batch. In inference, and when the layer is not trainable, the moving ones
    are used. Ioffe and Szegedy 2015, arXiv:1502.03167.

    With ``renorm``, training normalizes as inference would: to r xhat + d, where r = stddev / renorm_stddev and
    d = (mean - renorm_mean) / renorm_stddev are taken for constants. Ioffe 2017, arXiv:1702.03275, section 3.

    With a mask, a bool array of all axes but the last, the moments are those of the positions where it is True.

    Args:
        axis: of the channels, -1 for the last, 1 with channels first.
        momentum: of the moving statistics.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer, beta_regularizer,
            gamma_regularizer, beta_constraint, gamma_constraint: of the weights.
        renorm: whether to renormalize.
        renorm_clipping: dict of bounds ``"rmin"`` and ``"rmax"`` of r and ``"dmax"`` of the size of d, for renorm.
        renorm_momentum: of renorm_mean and renorm_stddev.
        synchronized: between processes; must be False.

    Input and output shape: any of rank 2 or more. Weights: gamma, beta, moving_mean, moving_variance, (channels,) each;
    with renorm also moving_stddev, renorm_mean and renorm_stddev.

    Raises:
        ValueError: bad arguments, inputs with another number of channels than before, a mask that does not fit.
    """

    mixes_rows = True
    supports_masking = True

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
        tops = {"momentum": 1, "epsilon": np.inf, "renorm_momentum": 1}
        for name, value in (("momentum", momentum), ("epsilon", epsilon), ("renorm_momentum", renorm_momentum)):
            is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not is_number or not 0 <= value <= tops[name]:
                raise ValueError(
                    f"`{name}` must be a number of at least 0 and at most {tops[name]}. Received: {value!r}"
                )
        if synchronized:
            raise ValueError("`synchronized` is for several processes, which there are not: leave it at False")
        self.axis = int(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.keep_arguments(
            center=center, scale=scale, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint, moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
        )  # fmt: skip
        self.gamma = self.beta = None
        self.synchronized, self.renorm = synchronized, renorm
        self.renorm_clipping = _standardize_clipping(renorm_clipping or {}) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        shape = (input_shape[self.axis],)
        add_gamma_and_beta(self, shape, self.scale, self.center)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        if self.renorm:

            def initial_stddev(shape, dtype):
                return np.sqrt(self.moving_variance_initializer(shape, dtype))

            self.moving_stddev = self.add_weight(shape, initial_stddev, trainable=False, name="moving_stddev")
            self.renorm_mean = self.add_weight(
                shape, self.moving_mean_initializer, trainable=False, name="renorm_mean"
            )
            self.renorm_stddev = self.add_weight(shape, initial_stddev, trainable=False, name="renorm_stddev")

    def call(self, inputs, training=False, mask=None):
        self.view_shape = np.moveaxis(inputs, self.axis, -1).shape
        x = self._rows(inputs)
        y = self.buffer("outputs", x.shape)
        gamma = 1 if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        self.batch_statistics = training and self.trainable
        if self.batch_statistics:
            self.counted = self._counted_rows(mask, inputs.shape)
            mean, variance = self._moments(x, y)  # y is x - mean then
            if self.renorm:
                gamma, beta = self._renormalize(mean, variance, gamma, beta)
            else:
                _follow(self.moving_mean, mean, self.momentum)
                _follow(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        self.inverse = inverse_root(variance, self.epsilon)
        factor = self.inverse * gamma
        is_centered = self.batch_statistics
        if not is_centered and np.any(np.abs(mean * factor) > FAR):
            np.subtract(x, mean, out=y)  # the sum of two large numbers below would lose digits
            is_centered = True
        if not is_centered:
            beta = -mean * factor if beta is None else beta - mean * factor

        def normalize(share, start, stop):
            np.multiply((y if is_centered else x)[start:stop], factor, out=y[start:stop])
            if beta is not None:
                y[start:stop] += beta

        threads.run_shares(normalize, _bounds(len(x), x.size))
        self.x, self.mean = (x, mean) if training else (None, None)
        self.effective_gamma = gamma
        return self._unrows(y)

    def backward(self, doutputs):
        """With n rows and xhat = (x - mean) inverse:

        dgamma = sum dy xhat, dbeta = sum dy, and dx = gamma inverse (dy - dbeta / n - xhat dgamma / n); the last two
        terms are how mean and variance depend on x, only of rows that the mask counts. (The derivative of the variance
        with respect to the mean is 0.)
        """
        x, dy = self.x, self._rows(doutputs)
        n = len(x)
        dbeta = _sum_rows(lambda rows: dy[rows].sum(axis=0), n, x.size).astype(self.dtype)
        dgamma = _sum_rows(lambda rows: np.einsum("rc,rc->c", dy[rows], x[rows] - self.mean), n, x.size)
        dgamma = (dgamma * self.inverse).astype(self.dtype)
        if self.gamma is not None:
            renormalized = self.batch_statistics and self.renorm
            self.gamma.grad = self.r * dgamma + self.d * dbeta if renormalized else dgamma
        if self.beta is not None:
            self.beta.grad = dbeta
        if not self.needs_input_gradient:
            return None
        factor = self.inverse * self.effective_gamma
        dx = self.buffer("dinputs", x.shape)
        counted = self.counted if self.batch_statistics else None
        count = n if counted is None else self.count

        def pull_back(share, start, stop):
            part = dx[start:stop]
            if self.batch_statistics:
                np.subtract(x[start:stop], self.mean, out=part)
                part *= -self.inverse * dgamma / count
                if counted is not None:
                    part -= dbeta / count
                    part *= counted[start:stop]
                    part += dy[start:stop]
                else:
                    part += dy[start:stop]
                    part -= dbeta / count
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

    def _counted_rows(self, mask, shape):
        """The mask for rows: (rows, 1) or (rows, channels)."""
        if mask is None:
            return None
        mask = np.asarray(mask)
        if mask.shape != tuple(shape[:-1]):
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization) needs a mask of all axes of its inputs but the last. "
                f"Received a mask of shape {mask.shape} for inputs of shape {tuple(shape)}"
            )
        mask = mask.astype(bool)[..., None]
        last = self.axis % len(shape) == len(shape) - 1
        return mask.reshape(-1, 1) if last else self._rows(np.broadcast_to(mask, shape))

    def _moments(self, x, centered):
        """Return mean and variance of the rows that count, and write x - mean into ``centered``."""
        counted, n = self.counted, len(x)
        self.count = n if counted is None else (counted.sum(axis=0) + config.epsilon()).astype(self.dtype)

        def values(rows):
            part = x[rows] if counted is None else np.where(counted[rows], x[rows], 0)
            return part.sum(axis=0)

        def squares(rows):
            part = np.subtract(x[rows], mean, out=centered[rows])
            return np.einsum("rc,rc->c", part, part if counted is None else np.where(counted[rows], part, 0))

        mean = (_sum_rows(values, n, x.size) / self.count).astype(self.dtype)
        return mean, (_sum_rows(squares, n, x.size) / self.count).astype(self.dtype)

    def _renormalize(self, mean, variance, gamma, beta):
        """Return gamma r and beta + gamma d, and let the moving statistics follow."""
        stddev = np.sqrt(variance + self.epsilon)
        known = np.maximum(self.renorm_stddev.value, np.sqrt(self.epsilon))
        bounds = self.renorm_clipping
        r, d = stddev / known, (mean - self.renorm_mean.value) / known
        if bounds.get("rmin") is not None:
            r = np.maximum(r, bounds["rmin"])
        if bounds.get("rmax") is not None:
            r = np.minimum(r, bounds["rmax"])
        if bounds.get("dmax") is not None:
            d = np.clip(d, -bounds["dmax"], bounds["dmax"])
        self.r, self.d = r.astype(self.dtype), d.astype(self.dtype)
        _follow(self.renorm_mean, mean, self.renorm_momentum)
        _follow(self.renorm_stddev, stddev, self.renorm_momentum)
        _follow(self.moving_mean, mean, self.momentum)
        _follow(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.value[...] = np.maximum(np.square(self.moving_stddev.value) - self.epsilon, 0)
        shift = gamma * self.d
        return gamma * self.r, shift if beta is None else beta + shift


def _standardize_clipping(clipping):
    """Return the bounds, or raise a ValueError."""
    rmin, rmax, dmax = (clipping.get(name) for name in ("rmin", "rmax", "dmax"))
    if set(clipping) - {"rmin", "rmax", "dmax"}:
        raise ValueError(f"`renorm_clipping` must have keys 'rmin', 'rmax', 'dmax' only. Received: {clipping!r}")
    if (rmin is not None and rmax is not None and rmax < rmin) or (dmax is not None and dmax < 0):
        raise ValueError(f"`renorm_clipping` needs rmin <= rmax and dmax >= 0. Received: {clipping!r}")
    return clipping


def _follow(moving, batch, momentum):
    moving.value *= momentum
    moving.value += (1 - momentum) * batch


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
