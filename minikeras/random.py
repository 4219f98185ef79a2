"""Random arrays, each function with a seed of its own: an integer gives the same numbers at each call."""

import numpy as np

from minikeras import config
from minikeras.registry import auto_name

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip


class SeedGenerator:
    """A seed that is another one each time it is used, so that calls with it give new numbers, in the same sequence.

    Args:
        seed: integer of at least 0; by default it follows `utils.set_random_seed`.
        name: of the generator.

    Attributes:
        state: uint32 array (seed, number of draws).
    """

    def __init__(self, seed=None, name=None, **kwargs):
        kwargs.pop("backend", None)
        if kwargs:
            raise ValueError(f"SeedGenerator() got unexpected arguments: {', '.join(kwargs)}")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
            raise ValueError(f"`seed` must be an integer of at least 0 or None. Received: seed={seed!r}")
        self.name = name or auto_name(type(self).__name__)
        self._initial_seed = seed
        start = config.make_generator().integers(1, 10**9) if seed is None else seed
        self.state = np.array([int(start) % 2**32, 0], np.uint32)

    def next(self, ordered=True):
        """Return the state as an array of its own, and go on to the next."""
        state = self.state.copy()
        self.state[1] += 1
        return state

    def get_config(self):
        """Return the arguments as a dict."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config):
        """Return a new generator, at its beginning."""
        return cls(**config)


def _generator(seed):
    """A `numpy.random.Generator` for an integer, a SeedGenerator or None."""
    if isinstance(seed, SeedGenerator):
        return np.random.Generator(np.random.SFC64(seed.next()))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
        raise ValueError(f"`seed` must be an integer, a SeedGenerator or None. Received: seed={seed!r}")
    return config.make_generator(None if seed is None else int(seed) % 2**32)


def _float(dtype, function):
    dtype = np.dtype(dtype or config.floatx())
    if dtype.kind != "f":
        raise ValueError(f"`dtype` of random.{function} must be a float type. Received: {dtype}")
    return dtype


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Return numbers from a normal distribution.

    Args:
        shape: of the array.
        mean, stddev: of the distribution; numbers, or arrays that broadcast to ``shape``.
        dtype: float type, by default `config.floatx`.
        seed: integer, SeedGenerator, or None to follow `utils.set_random_seed`.
    """
    return (_generator(seed).standard_normal(shape) * stddev + mean).astype(_float(dtype, "normal"))


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Return numbers from [minval, maxval), all equally likely; the other arguments are those of `normal`."""
    dtype = _float(dtype, "uniform")
    values = (minval + (np.asarray(maxval) - minval) * _generator(seed).random(shape)).astype(dtype)
    below = np.nextafter(np.asarray(maxval, dtype), np.asarray(minval, dtype))
    return np.minimum(values, below)  # a shorter float may have been rounded up to maxval


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Return numbers from a normal distribution, drawn again where they are two ``stddev`` or more from ``mean``."""
    generator = _generator(seed)
    values = np.asarray(generator.standard_normal(shape))
    while (far := np.abs(values) >= 2).any():
        values[far] = generator.standard_normal(int(far.sum()))
    return (values * stddev + mean).astype(_float(dtype, "truncated_normal"))


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Return whole numbers from minval to maxval - 1, all equally likely; ``dtype`` is an integer type."""
    dtype = np.dtype(dtype or "int32")
    if dtype.kind not in "iu":
        raise ValueError(f"`dtype` of random.randint must be an integer type. Received: {dtype}")
    return _generator(seed).integers(minval, maxval, shape).astype(dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    """Return class numbers, class c of row i with the probability softmax(logits[i])[c].

    Args:
        logits: array of shape (batch, classes).
        num_samples: classes to draw for each row.

    Returns:
        array of shape (batch, num_samples).
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2:
        raise ValueError(f"`logits` must have the shape (batch, classes). Received shape: {logits.shape}")
    weights = np.exp(logits - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
    draws = _generator(seed).random((len(logits), num_samples)) * weights[:, -1:]
    return (draws[:, :, None] >= weights[:, None]).sum(axis=2).astype(dtype)


def dropout(inputs, rate, noise_shape=None, seed=None):
    """Return ``inputs / (1 - rate)``, but 0 with the probability ``rate``.

    Args:
        inputs: array of floats.
        rate: from 0 to 1.
        noise_shape: shape of the draws, which broadcasts to that of the inputs; None in it stands for the inputs' size.
    """
    if isinstance(rate, bool) or not 0 <= rate <= 1:
        raise ValueError(f"`rate` must be a number from 0 to 1. Received: rate={rate!r}")
    inputs = np.asarray(inputs)
    if rate == 0:
        return inputs.copy()
    shape = [n if m is None else m for n, m in zip(inputs.shape, noise_shape)] if noise_shape else inputs.shape
    keep = _generator(seed).random(shape) >= rate
    return np.where(keep, inputs / inputs.dtype.type(1 - rate) if rate < 1 else 0, 0).astype(inputs.dtype)


def shuffle(x, axis=0, seed=None):
    """Return a copy of ``x`` whose slices along an axis are in a new order."""
    return _generator(seed).permutation(np.asarray(x), axis=axis)


def gamma(shape, alpha, dtype=None, seed=None):
    """Return numbers from the gamma distribution with shape ``alpha`` and scale 1."""
    return np.asarray(_generator(seed).gamma(alpha, size=shape)).astype(_float(dtype, "gamma"))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """Return how many of ``counts`` trials succeed, each with one of the ``probabilities``."""
    drawn = _generator(seed).binomial(np.asarray(counts, np.int64), probabilities, size=shape)
    return np.asarray(drawn).astype(_float(dtype, "binomial"))


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Return numbers from the beta distribution with the two parameters."""
    return np.asarray(_generator(seed).beta(alpha, beta, size=shape)).astype(_float(dtype, "beta"))
