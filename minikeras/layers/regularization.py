"""Layers against overfitting: noise that acts in training only, and a penalty of the outputs."""

import math

import numpy as np

from minikeras import config, regularizers
from minikeras.layers import images
from minikeras.layers.base import Layer

SELU_LIMIT = -1.0507009873554805 * 1.6732632423543772  # of selu(x) for x to minus infinity


class Noise(Layer):
    """Abstract layer with random numbers, which acts in training, unless its ``strength`` is 0.

    The whole batch draws from one generator, so that results do not depend on the number of threads.
    """

    supports_masking = True

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = None

    def call(self, inputs, training=False):
        self.active = training and self.strength > 0
        if not self.active:
            return inputs
        if self.generator is None:
            self.generator = config.make_generator(self.seed)
        return self.disturb(inputs)

    def backward(self, doutputs):
        return self.gradient(doutputs) if self.active else doutputs

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def normal(self, shape):
        draws = self.buffer("draws", shape)
        self.generator.standard_normal(out=draws, dtype=draws.dtype)
        return draws

    def kept(self, shape, scale):
        """Return an array of ``scale`` with probability 1 - rate, else 0."""
        size = math.prod(shape)
        bits = self.generator.integers(0, 1 << 64, (size + 1) // 2, np.uint64).view(np.uint32)  # quicker than floats
        is_kept = bits[:size].reshape(shape) >= np.uint32(self.rate * (1 << 32))
        return np.multiply(is_kept, scale, out=self.buffer("draws", shape), dtype=self.dtype)


class Factors(Noise):
    """Abstract: inputs times random factors of mean 1."""

    def __init__(self, rate, seed=None, **kwargs):
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)) or not 0 <= rate < 1:
            raise ValueError(f"`rate` must be a number in [0, 1), the share of inputs to drop. Received: rate={rate!r}")
        super().__init__(seed, **kwargs)
        self.rate = float(rate)

    @property
    def strength(self):
        return self.rate

    def disturb(self, inputs):
        self.factors = self.draw(inputs.shape)
        return np.multiply(inputs, self.factors, out=self.buffer("outputs", inputs.shape))

    def gradient(self, doutputs):
        return np.multiply(doutputs, self.factors, out=self.buffer("dinputs", doutputs.shape))


class Dropout(Factors):
    """In training, sets each input to 0 with probability ``rate`` and divides the others by 1 - rate.

    Srivastava et al. 2014, in the inverted form: in inference nothing is done.

    Args:
        rate: in [0, 1).
        noise_shape: shape of the mask, with 1 (or None for the input's size) where one decision serves a whole axis.
        seed: integer; by default drawn from the global seed.

    Input and output shape: any.

    Raises:
        ValueError: a rate outside of [0, 1), or a noise shape that does not fit the inputs.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _standardize_noise_shape(noise_shape)

    def draw(self, x_shape):
        return self.kept(_concrete_shape(self, self.noise_shape, x_shape), 1 / (1 - self.rate))

    def compute_output_shape(self, input_shape):
        _concrete_shape(self, self.noise_shape, input_shape)
        return tuple(input_shape)


class AlphaDropout(Factors):
    """Dropout for self-normalizing networks: inputs are set to the limit of selu, and mean and variance stay.

        outputs = a (inputs kept + limit (1 - kept)) + b

    with a = ((1 - rate) (1 + rate limit^2))^(-1/2) and b = -a limit rate. Klambauer et al. 2017, arXiv:1706.02515,
    section 2. Arguments, shapes and errors as in `Dropout`.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _standardize_noise_shape(noise_shape)

    def draw(self, x_shape):
        self.a = ((1 - self.rate) * (1 + self.rate * SELU_LIMIT**2)) ** -0.5
        return self.kept(_concrete_shape(self, self.noise_shape, x_shape), self.a)

    def disturb(self, inputs):
        outputs = super().disturb(inputs)
        outputs += self.a * SELU_LIMIT * (1 - self.rate) - SELU_LIMIT * self.factors
        return outputs

    def compute_output_shape(self, input_shape):
        _concrete_shape(self, self.noise_shape, input_shape)
        return tuple(input_shape)


class SpatialDropout(Factors):
    """Abstract: drops whole channels of ``rank`` spatial axes."""

    rank = None
    data_format = "channels_last"

    def draw(self, x_shape):
        channels = x_shape[1] if self.data_format == "channels_first" else x_shape[-1]
        shape = images.join_shape(x_shape[0], (1,) * self.rank, channels, self.data_format)
        return self.kept(shape, 1 / (1 - self.rate))

    def compute_output_shape(self, input_shape):
        images.split_shape(self, input_shape, self.rank)
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "dtype": self.dtype}  # as Keras writes it for these


class SpatialDropout1D(SpatialDropout):
    """`SpatialDropout2D` for sequences.

    Input and output shape: (batch, length, channels).
    """

    rank = 1

    def __init__(self, rate, seed=None, name=None, dtype=None):
        super().__init__(rate, seed, name=name, dtype=dtype)


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels: neighbouring pixels are so much alike that dropping single ones does little.

    Tompson et al. 2014, arXiv:1411.4280, section 3.2.

    Args:
        rate: in [0, 1).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels). With channels first, the channels come second.

    Raises:
        ValueError: a rate outside of [0, 1), or inputs that are no images.
    """

    rank = 2

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed, name=name, dtype=dtype)
        self.data_format = config.standardize_data_format(data_format)


class SpatialDropout3D(SpatialDropout):
    """`SpatialDropout2D` for volumes and films.

    Input and output shape: (batch, depth, height, width, channels).
    """

    rank = 3

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed, name=name, dtype=dtype)
        self.data_format = config.standardize_data_format(data_format)


class GaussianDropout(Factors):
    """In training, multiplies by normally distributed numbers of mean 1 and variance rate / (1 - rate).

    Srivastava et al. 2014, section 10.

    Args:
        rate: in [0, 1).
        seed: integer; by default drawn from the global seed.

    Input and output shape: any.

    Raises:
        ValueError: a rate outside of [0, 1).
    """

    def draw(self, x_shape):
        factors = self.normal(x_shape)
        factors *= math.sqrt(self.rate / (1 - self.rate))
        factors += 1
        return factors


class GaussianNoise(Noise):
    """In training, adds normally distributed numbers of mean 0.

    Args:
        stddev: their standard deviation, in [0, 1].
        seed: integer; by default drawn from the global seed.

    Input and output shape: any.

    Raises:
        ValueError: a standard deviation outside of [0, 1].
    """

    def __init__(self, stddev, seed=None, **kwargs):
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float, np.number)) or not 0 <= stddev <= 1:
            raise ValueError(f"`stddev` must be a number in [0, 1]. Received: stddev={stddev!r}")
        super().__init__(seed, **kwargs)
        self.stddev = float(stddev)

    @property
    def strength(self):
        return self.stddev

    def disturb(self, inputs):
        outputs = self.normal(inputs.shape)
        outputs *= self.stddev
        outputs += inputs
        return outputs

    def gradient(self, doutputs):
        return doutputs


class ActivityRegularization(Layer):
    """Outputs are the inputs; the loss grows by the batch's mean of l1 sum |outputs| + l2 sum outputs^2.

    Args:
        l1, l2: factors of the two penalties.

    Input and output shape: any.

    Raises:
        ValueError: negative factors.
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs, training=False):
        return inputs

    def backward(self, doutputs):
        return doutputs

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.pop("activity_regularizer", None)  # it is what l1 and l2 say
        return config


def _standardize_noise_shape(noise_shape):
    if noise_shape is None:
        return None
    if not isinstance(noise_shape, (tuple, list)) or any(
        n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n <= 0) for n in noise_shape
    ):
        raise ValueError(
            "`noise_shape` must be None or a tuple of positive integers and None, as (None, 1, 10). Received: "
            f"noise_shape={noise_shape!r}"
        )
    return tuple(noise_shape)


def _concrete_shape(layer, noise_shape, x_shape):
    """Return ``noise_shape`` with the inputs' sizes in place of None, or raise a ValueError if it does not fit them."""
    if noise_shape is None:
        return tuple(x_shape)
    fits = len(noise_shape) == len(x_shape) and all(
        m in (None, 1) or n in (None, m) for m, n in zip(noise_shape, x_shape)
    )
    if not fits:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): noise_shape={noise_shape} must have 1, None or the axis' "
            f"own size for each axis of the inputs of shape {tuple(x_shape)}, batch first"
        )
    return tuple(n if m is None else m for m, n in zip(noise_shape, x_shape))
