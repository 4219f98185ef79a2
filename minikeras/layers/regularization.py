"""Dropout."""

import numpy as np

from minikeras import config
from minikeras.layers.base import Layer


class Dropout(Layer):
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

    # The whole batch draws from one generator, so that results do not depend on the number of threads.

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)) or not 0 <= rate < 1:
            raise ValueError(f"`rate` must be a number in [0, 1), the share of inputs to drop. Received: rate={rate!r}")
        if noise_shape is not None and not isinstance(noise_shape, (tuple, list)):
            raise ValueError(f"`noise_shape` must be a tuple or None. Received: {noise_shape!r}")
        self.rate = float(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.generator = None

    def call(self, inputs, training=False):
        self.active = training and self.rate > 0
        if not self.active:
            return inputs
        if self.generator is None:
            self.generator = config.make_generator(self.seed)
        mask_shape = inputs.shape
        if self.noise_shape is not None:
            mask_shape = tuple(n if m is None else m for m, n in zip(self.noise_shape, inputs.shape))
        draws = self.buffer("draws", mask_shape)
        self.generator.random(out=draws, dtype=draws.dtype)
        self.mask = np.greater_equal(draws, self.rate, out=self.buffer("mask", mask_shape, bool))
        outputs = self.buffer("outputs", inputs.shape)
        np.multiply(inputs, self.mask, out=outputs)
        outputs *= 1 / (1 - self.rate)
        return outputs

    def backward(self, doutputs):
        if not self.active:
            return doutputs
        dinputs = self.buffer("dinputs", doutputs.shape)
        np.multiply(doutputs, self.mask, out=dinputs)
        dinputs *= 1 / (1 - self.rate)
        return dinputs

    def compute_output_shape(self, input_shape):
        if self.noise_shape is not None and len(self.noise_shape) != len(input_shape):
            raise ValueError(
                f"Layer {self.name!r} (Dropout): noise_shape={self.noise_shape} must have as many axes as the inputs "
                f"of shape {tuple(input_shape)}"
            )
        return tuple(input_shape)
