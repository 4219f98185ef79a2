"""Random changes of an image's values: contrast, brightness, erased patches."""

import numpy as np

from minikeras.layers.images import to_channels_last
from minikeras.layers.preprocessing.augmentation import (
    RandomImageLayer,
    check_value_range,
    is_number,
    standardize_bounds,
)


class ClippedLayer(RandomImageLayer):
    """Abstract: a linear function of the values of each image, clipped to ``value_range``. Subclasses have `linear` and
    `linear_gradient`."""

    def linear(self, images, out):
        """Fill ``out`` with the values before they are clipped."""
        raise NotImplementedError

    def linear_gradient(self, dvalues, out):
        """Fill ``out``, dL/dimages, given dL/dvalues."""
        raise NotImplementedError

    def transform(self, images):
        outputs = self.buffer("outputs", images.shape)
        self.linear(images, outputs)
        return np.clip(outputs, *self.value_range, out=outputs)

    def gradient(self, doutputs, out):
        values = self.buffer("values", out.shape)
        self.linear(self.images, values)
        low, high = self.value_range
        self.linear_gradient(doutputs * ((values >= low) & (values <= high)), out)


class RandomContrast(ClippedLayer):
    """In training, outputs = (inputs - mean) * factor + mean, with a mean for each image and channel.

    Args:
        factor: (lower, upper) to draw the factor between 1 - lower and 1 + upper, each in [0, 1]; one number u for
            (0, u).
        value_range: bounds that the outputs are clipped to.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: a factor out of range, bounds that are none.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        bounds = 1 - self.factor[0], 1 + self.factor[1]
        return {"contrast_factor": self.uniform(generator, bounds, (len(images), 1, 1, 1))}

    def linear(self, images, out):
        factor = np.asarray(self.transformation["contrast_factor"], self.dtype)
        _add_to_channels(np.multiply(images, factor, out=out), _channel_means(images) * (1 - factor))

    def linear_gradient(self, dvalues, out):
        factor = np.asarray(self.transformation["contrast_factor"], self.dtype)
        _add_to_channels(np.multiply(dvalues, factor, out=out), _channel_means(dvalues) * (1 - factor))


def _channel_means(images):
    """Return (batch, 1, 1, channels). A product: NumPy is slow to add up along other axes than the last."""
    n, height, width, channels = images.shape
    weights = np.full((1, height * width), 1 / (height * width), images.dtype)
    return np.matmul(weights, images.reshape(n, height * width, channels))[:, None]


def _add_to_channels(images, values):
    """Add (batch, 1, 1, channels), in long rows: NumPy takes a step for each."""
    n, height, width, channels = images.shape
    images.reshape(n, height, width * channels)[...] += np.tile(values[:, 0], (1, 1, width))


class RandomBrightness(ClippedLayer):
    """In training, adds a number to each image.

    Args:
        factor: the number, as a part of the width of ``value_range``: f in [-1, 1] to draw from [-f, f], or a pair of
            bounds.
        value_range: bounds of the values, that the outputs are clipped to.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: a factor out of range, bounds that are none.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.factor = standardize_bounds(factor or 0.0, "factor")
        self.value_range = check_value_range(value_range, ordered=False)

    def draw(self, generator, images):
        delta = self.uniform(generator, self.factor, (len(images), 1, 1, 1))
        return {"rgb_delta": delta * (self.value_range[1] - self.value_range[0])}

    def linear(self, images, out):
        np.add(images, np.asarray(self.transformation["rgb_delta"], self.dtype), out=out)

    def linear_gradient(self, dvalues, out):
        np.copyto(out, dvalues)


class RandomErasing(RandomImageLayer):
    """In training, replaces a rectangle of an image by a constant or by noise (Zhong et al. 2017, arXiv:1708.04896).

    Args:
        factor: the probability that an image is changed: one number p in [0, 1] to draw it between 0 and p for each
            image, or a pair of bounds.
        scale: bounds in [0, 1] of the squares of the rectangle's sides, each as a part of the image's side.
        fill_value: a number, or three, one a channel; None for noise: normally distributed numbers times the upper end
            of ``value_range``. All are clipped to ``value_range``.
        value_range: bounds of the images' values.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, a fill value that is none.
    """

    def __init__(
        self, factor=1.0, scale=(0.02, 0.33), fill_value=None, value_range=(0, 255), seed=None, data_format=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.scale = standardize_bounds(scale, "scale", low=0, strict=True)
        numbers = fill_value if isinstance(fill_value, (tuple, list)) else [fill_value] * 3
        if fill_value is not None and not (len(numbers) == 3 and all(map(is_number, numbers))):
            raise ValueError(f"`fill_value` must be a number, three, or None. Received: fill_value={fill_value!r}")
        self.fill_value = fill_value
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        n, height, width, channels = images.shape
        sides = np.sqrt(self.uniform(generator, self.scale, (n, 2)))
        columns = self._span(generator, width, sides[:, 0])
        rows = self._span(generator, height, sides[:, 1])
        probability = self.uniform(generator, self.factor, (n,))
        apply = generator.random(n, self.dtype) < probability
        masks = (rows[:, :, None] & columns[:, None, :])[..., None]
        low, high = self.value_range
        fill = np.asarray(0 if self.fill_value is None else self.fill_value, self.dtype)
        if self.fill_value is None:  # noise only where it will be seen: drawing is what takes the time
            fill = np.zeros(images.shape, self.dtype)
            seen = (masks & apply[:, None, None, None])[..., 0]
            noise = generator.standard_normal((np.count_nonzero(seen), channels), self.dtype)
            noise *= high
            fill[seen] = np.clip(noise, low, high, out=noise)
        fill = np.clip(fill, low, high) if self.fill_value is not None else fill
        return {"apply_erasing": apply, "batch_masks": self._as_data(masks), "fill_value": self._as_data(fill)}

    def _span(self, generator, size, side):
        """Return which rows or columns are within a span of length ``side * size``, placed at random."""
        length = side * size
        start = generator.random(len(side), self.dtype) * (size - length)
        grid = np.arange(size)
        return (grid >= start[:, None]) & (grid < (start + length)[:, None])

    def _as_data(self, array):
        return np.moveaxis(array, -1, 1) if array.ndim == 4 and self.data_format == "channels_first" else array

    def _parts(self):
        """Return what is erased, and by what, channels last."""
        masks, fill = (np.asarray(self.transformation[key]) for key in ("batch_masks", "fill_value"))
        masks = to_channels_last(masks, self.data_format)
        fill = to_channels_last(fill, self.data_format) if fill.ndim == 4 else fill
        return masks & np.asarray(self.transformation["apply_erasing"])[:, None, None, None], fill

    def transform(self, images):
        outputs = self.buffer("outputs", images.shape)
        np.copyto(outputs, images)
        masks, fill = self._parts()
        np.copyto(outputs, fill, where=masks)
        return outputs

    def gradient(self, doutputs, out):
        np.multiply(doutputs, ~self._parts()[0], out=out)
