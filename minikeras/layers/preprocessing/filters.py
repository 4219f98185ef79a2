"""Random filters: sharper or softer images."""

import numpy as np

from minikeras.layers.base import integer_tuple
from minikeras.layers.preprocessing.augmentation import check_value_range, standardize_bounds
from minikeras.layers.preprocessing.color import ClippedLayer


def smooth(images):
    """Return 5/13 of each pixel plus 1/13 of each of the eight around it, 0 outside of the image."""
    rows = images.copy()
    rows[:, 1:] += images[:, :-1]
    rows[:, :-1] += images[:, 1:]
    total = rows.copy()
    total[:, :, 1:] += rows[:, :, :-1]
    total[:, :, :-1] += rows[:, :, 1:]
    total += 4 * images
    total /= 13
    return total


class RandomSharpness(ClippedLayer):
    """In training, outputs = inputs + (1 - 2 factor) * (smoothed inputs - inputs).

    Args:
        factor: 0 for smoothed images, 0.5 for the images themselves, 1 for sharper ones: a number f in [0, 1] to draw
            from [0, f], or a pair of bounds.
        value_range: bounds that the outputs are clipped to.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: a factor out of range, bounds that are none.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.value_range = check_value_range(value_range, ordered=False)

    def draw(self, generator, images):
        return {"factor": self.uniform(generator, self.factor, (len(images),))}

    def linear(self, images, out):
        factor = 2 * np.asarray(self.transformation["factor"], self.dtype).reshape(-1, 1, 1, 1)
        np.subtract(smooth(images), images, out=out)
        out *= 1 - factor
        out += images

    def linear_gradient(self, dvalues, out):
        self.linear(dvalues, out)  # a symmetric filter is its own transpose


class RandomGaussianBlur(ClippedLayer):
    """In training, blurs some of the images, with weights that fall off as exp(-(distance / sigma)^2 / 2).

    Args:
        factor: the probability that an image is blurred: one number p in [0, 1] to draw it between 0 and p for each
            image, or a pair of bounds.
        kernel_size: number of pixels that are mixed across and down, odd: one number or two.
        sigma: how far, in pixels, across and down, drawn once for the batch: a number s in [0, 1] to draw from [0, s],
            or a pair of bounds.
        value_range: bounds that the outputs are clipped to.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, even kernel sizes, bounds that are none.
    """

    def __init__(
        self, factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.kernel_size = integer_tuple(kernel_size, 2, "kernel_size")
        if any(size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"`kernel_size` must be odd. Received: kernel_size={kernel_size!r}")
        self.sigma = standardize_bounds(sigma, "sigma", low=0)
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        probability = self.uniform(generator, self.factor, (len(images),))
        chosen = generator.random(len(images), self.dtype) < probability
        return {"should_apply_blur": chosen, "blur_factor": self.uniform(generator, self.sigma, (2,)) + 1e-6}

    def linear(self, images, out):
        np.copyto(out, images)
        chosen = np.flatnonzero(self.transformation["should_apply_blur"])
        blurred = images[chosen]
        for axis, size, sigma in zip((2, 1), self.kernel_size, np.asarray(self.transformation["blur_factor"])):
            blurred = mix_along(blurred, gaussian_weights(size, sigma, self.dtype), axis)
        out[chosen] = blurred

    def linear_gradient(self, dvalues, out):
        self.linear(dvalues, out)  # a symmetric filter is its own transpose


def gaussian_weights(size, sigma, dtype):
    """Return ``size`` weights, an odd number, that fall off from the middle and sum to 1."""
    exponents = -0.5 * ((np.arange(size) - size // 2) / np.float64(sigma)) ** 2
    weights = np.where(exponents > -40, np.exp(np.maximum(exponents, -40)), 0)  # the others underflow
    return (weights / weights.sum()).astype(dtype)


def mix_along(images, weights, axis):
    """Return weighted sums of neighbours along an axis, 0 outside of the image."""
    images = np.moveaxis(images, axis, 0)
    middle = len(weights) // 2
    total = images * weights[middle]
    for distance in range(1, middle + 1):
        total[distance:] += weights[middle - distance] * images[:-distance]
        total[:-distance] += weights[middle + distance] * images[distance:]
    return np.moveaxis(total, 0, axis)
