"""Initializers that draw random values.

A weight's start should keep the variance of what flows through the layer about constant, forward and backward. How
many numbers flow into and out of one unit (the fans) then decides the spread.
"""

import math

import numpy as np

from minikeras import config
from minikeras.initializers.base import Initializer

# The standard deviation of a standard normal distribution cut off at -2 and 2.
TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """Base class of random initializers: keeps the seed.

    Args:
        seed: a non-negative integer, for the same values at each call; by default each call draws new values, from a
            generator that `set_random_seed` determines.
    """

    def __init__(self, seed=None):
        if seed is not None:
            config.make_generator(seed)  # refuses a bad seed here, where the user wrote it
        self.seed = seed

    def uniform(self, shape, minval, maxval, dtype):
        """Return values from [minval, maxval), all equally likely."""
        values = config.make_generator(self.seed).random(shape, dtype or config.floatx())
        values *= maxval - minval
        values += minval
        return values

    def normal(self, shape, mean, stddev, dtype, truncated=False):
        """Return normally distributed values; ``truncated``: those beyond two ``stddev`` are drawn again."""
        generator = config.make_generator(self.seed)
        values = generator.standard_normal(shape, dtype or config.floatx())
        if truncated:
            flat = values.reshape(-1)
            outside = np.flatnonzero(np.abs(flat) > 2)
            while len(outside):
                flat[outside] = generator.standard_normal(len(outside), values.dtype)
                outside = outside[np.abs(flat[outside]) > 2]
        values *= stddev
        values += mean
        return values


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: its mean.
        stddev: its standard deviation.
        seed: see `RandomInitializer`.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape, dtype=None):
        return self.normal(shape, self.mean, self.stddev, dtype)


class TruncatedNormal(RandomInitializer):
    """Normal distribution whose values beyond two standard deviations from the mean are drawn again.

    Args:
        mean: its mean.
        stddev: its standard deviation before the cut; 0.88 of it remains.
        seed: see `RandomInitializer`.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape, dtype=None):
        return self.normal(shape, self.mean, self.stddev, dtype, truncated=True)


class RandomUniform(RandomInitializer):
    """Uniform distribution.

    Args:
        minval: lower bound, included.
        maxval: upper bound, excluded.
        seed: see `RandomInitializer`.
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape, dtype=None):
        return self.uniform(shape, self.minval, self.maxval, dtype)


class VarianceScaling(RandomInitializer):
    """Values around 0 with variance ``scale / n``, where n is a fan of the weight.

    Args:
        scale: positive float.
        mode: n: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``, the mean of both; see `compute_fans`.
        distribution: ``"truncated_normal"`` (also ``"normal"``), ``"untruncated_normal"`` or ``"uniform"``, which is
            in [-limit, limit] with limit = sqrt(3 scale / n). Each has the variance above, after truncation too.
        seed: see `RandomInitializer`.
        input_axes: axes of the weight whose sizes make up fan_in, instead of the usual ones...
        output_axes: ... and fan_out. Both are given, or none.

    Raises:
        ValueError: a scale that is not positive, an unknown mode or distribution.
    """

    def __init__(
        self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, input_axes=None, output_axes=None
    ):
        if isinstance(scale, bool) or not isinstance(scale, (int, float, np.number)) or not scale > 0:
            raise ValueError(f"`scale` must be a positive number, as 2.0. Received: scale={scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"`mode` must be one of 'fan_in', 'fan_out', 'fan_avg'. Received: mode={mode!r}")
        known = {"normal": "truncated_normal"} | {
            name: name for name in ("truncated_normal", "untruncated_normal", "uniform")
        }
        if str(distribution).lower() not in known:
            raise ValueError(
                f"`distribution` must be one of {', '.join(map(repr, known))}. Received: distribution={distribution!r}"
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = known[str(distribution).lower()]
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return self.uniform(shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return self.normal(shape, 0.0, math.sqrt(variance), dtype)
        return self.normal(shape, 0.0, math.sqrt(variance) / TRUNCATED_STDDEV, dtype, truncated=True)


class GlorotUniform(VarianceScaling):
    """Uniform in [-limit, limit], limit = sqrt(6 / (fan_in + fan_out)); Glorot & Bengio 2010, equation 16."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out); Glorot & Bengio 2010, equation 12."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """Uniform in [-limit, limit], limit = sqrt(6 / fan_in), for ReLU; He et al. 2015, section 2.2."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal with variance 2 / fan_in, for ReLU; He et al. 2015, section 2.2, equation 10."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """Uniform in [-limit, limit], limit = sqrt(3 / fan_in); LeCun et al. 1998, Efficient BackProp, section 4.6."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """Truncated normal with variance 1 / fan_in; LeCun et al. 1998, Efficient BackProp, section 4.6."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class Orthogonal(RandomInitializer):
    """A random orthogonal matrix, all of them equally likely, times a gain; Saxe et al. 2014, arXiv:1312.6120.

    With more rows than columns its columns are orthonormal, otherwise its rows. A weight of more than two axes is taken
    as the matrix (all but the last axis, last axis).

    Args:
        gain: factor of the matrix.
        seed: see `RandomInitializer`.

    Raises:
        ValueError: a weight with less than two axes.
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal initializes weights with two axes or more. Received: shape={tuple(shape)}. For a vector "
                "use 'random_normal'"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.normal((max(rows, columns), min(rows, columns)), 0.0, 1.0, dtype))
        q *= np.where(np.diag(r) < 0, -1, 1).astype(q.dtype)  # else q would depend on how LAPACK chooses signs
        q *= self.gain
        return np.ascontiguousarray(q if rows >= columns else q.T).reshape(shape)


def compute_fans(shape, input_axes=None, output_axes=None):
    """Return (fan_in, fan_out): how many numbers enter a unit, and how many units a number enters.

    For a Dense kernel (inputs, units) these are its sizes; for a convolution kernel (height, width, inputs, filters)
    the last two times the kernel's area; for a vector its size, twice.
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    area = math.prod(shape[:-2])
    return area * shape[-2], area * shape[-1]
