"""Random distortions: every pixel is moved a little, and its neighbours with it."""

import numpy as np

from minikeras.kernels.images import FILL_MODES, INTERPOLATIONS, Warp
from minikeras.layers.preprocessing.augmentation import check_choice, check_value_range, is_number, standardize_bounds
from minikeras.layers.preprocessing.color import ClippedLayer
from minikeras.layers.preprocessing.filters import gaussian_weights, mix_along


class RandomElasticTransform(ClippedLayer):
    """In training, bends some of the images, as if they were drawn on rubber.

    Output (x, y) shows input (x + alpha * dx, y + alpha * dy), where dx and dy are normally distributed with deviation
    sigma, then blurred with that sigma; alpha = 0.1 * distortion * max(height, width) and
    sigma = 0.05 * distortion * min(height, width).

    Args:
        factor: the probability that an image is changed: one number p in [0, 1] to draw it between 0 and p for each
            image, or a pair of bounds.
        scale: the distortion, drawn once for the batch: a number s in [0, 1] to draw from [0, s], or a pair of bounds.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"mirror"`` d c b | a b c d | c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"``
            a a a a | a b c d | d d d d, ``"constant"`` the fill value.
        value_range: bounds that the outputs are clipped to.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, unknown modes, bounds that are none.

    Reference: P. Simard, D. Steinkraus, J. Platt, Best practices for convolutional neural networks applied to visual
    document analysis, 2003, section 2.
    """

    def __init__(
        self, factor=1.0, scale=1.0, interpolation="bilinear", fill_mode="reflect", fill_value=0.0,
        value_range=(0, 255), seed=None, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.scale = standardize_bounds(scale, "scale", low=0, strict=True)
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        self.fill_mode = check_choice(fill_mode, "fill_mode", (*FILL_MODES, "mirror"))
        if not is_number(fill_value):
            raise ValueError(f"`fill_value` must be a number. Received: fill_value={fill_value!r}")
        self.fill_value = fill_value
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        """Keras keeps its seed in the place of the noise (2, batch, height, width), and draws that later."""
        if self.factor[1] == 0 or self.scale[1] == 0:
            return None
        n = len(images)
        chosen = generator.random(n, self.dtype) < self.uniform(generator, self.factor, (n,))
        distortion = self.uniform(generator, self.scale, (1,))[0]
        noise = generator.standard_normal((2, *images.shape[:3]), self.dtype)
        return {"apply_transform": chosen, "distortion_factor": distortion, "noise": noise}

    def transform(self, images):
        if self.transformation is None:
            return images
        height, width = images.shape[1:3]
        self.chosen = np.flatnonzero(self.transformation["apply_transform"])
        distortion = np.asarray(self.transformation["distortion_factor"], self.dtype)
        alpha, sigma = max(height, width) * (0.1 * distortion), min(height, width) * (0.05 * distortion)
        moves = np.asarray(self.transformation["noise"], self.dtype)[:, self.chosen] * sigma
        weights = gaussian_weights(int(6 * sigma) | 1, max(sigma, 1e-6), self.dtype)
        across, down = alpha * mix_along(mix_along(moves, weights, 2), weights, 3)
        if len(self.chosen):
            down += np.arange(height, dtype=self.dtype)[:, None]
            across += np.arange(width, dtype=self.dtype)
            self.warp = Warp(down, across, (height, width), self.interpolation, self.fill_mode, self.fill_value)
        return super().transform(images)

    def gradient(self, doutputs, out):
        if self.transformation is None:
            np.copyto(out, doutputs)
        else:
            super().gradient(doutputs, out)

    def linear(self, images, out):
        self._warp_chosen(images, out, "forward")

    def linear_gradient(self, dvalues, out):
        self._warp_chosen(dvalues, out, "gradient")

    def _warp_chosen(self, arrays, out, direction):
        np.copyto(out, arrays)
        if len(self.chosen):
            chosen = arrays[self.chosen]
            warped = np.empty_like(chosen)
            getattr(self.warp, direction)(chosen, warped)
            out[self.chosen] = warped
