"""Changes of an image's tones: inverted, grey, fewer steps, stretched."""

import numpy as np

from minikeras.layers.preprocessing.augmentation import (
    ImageLayer,
    RandomImageLayer,
    check_value_range,
    is_number,
    standardize_bounds,
)
from minikeras.layers.preprocessing.color import ClippedLayer

GREY = (0.2989, 0.587, 0.114)  # how bright red, green and blue look


def to_grey(layer, images):
    """Return (batch, height, width, 1)."""
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) takes images of 3 channels (or 1). Received {channels}"
        )
    return images if channels == 1 else np.matmul(images, np.asarray(GREY, images.dtype)[:, None])


def from_grey(dgrey, channels):
    """Return the gradient of `to_grey`'s inputs."""
    return dgrey if channels == 1 else dgrey * np.asarray(GREY, dgrey.dtype)


def to_bytes(values, value_range):
    """Return values of ``value_range`` as values from 0 to 255."""
    low, high = value_range
    return values if (low, high) == (0, 255) else (values - low) / (high - low) * 255


def from_bytes(values, value_range):
    low, high = value_range
    return values if (low, high) == (0, 255) else values / 255 * (high - low) + low


class RandomInvert(RandomImageLayer):
    """In training, outputs = high - inputs for some of the images.

    Args:
        factor: the probability that an image is inverted: one number p in [0, 1] to draw it between 0 and p for each
            image, or a pair of bounds.
        value_range: (low, high), the bounds of the images' values.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: a factor out of range, bounds that are none.
    """

    def __init__(self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        probability = self.uniform(generator, self.factor, (len(images),))
        return {"apply_inversion": generator.random(len(images), self.dtype) < probability}

    def _chosen(self):
        return np.asarray(self.transformation["apply_inversion"]).reshape(-1, 1, 1, 1)

    def transform(self, images):
        outputs = self.buffer("outputs", images.shape)
        np.copyto(outputs, images)
        return np.subtract(self.value_range[1], images, out=outputs, where=self._chosen())

    def gradient(self, doutputs, out):
        np.multiply(doutputs, np.where(self._chosen(), -1, 1).astype(out.dtype), out=out)


class RandomGrayscale(RandomImageLayer):
    """In training, makes some of the images grey.

    Args:
        factor: the probability that an image is made grey, in [0, 1].
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels) with 3 channels (or 1).

    Raises:
        ValueError: a factor out of range, other numbers of channels.
    """

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not is_number(factor) or not 0 <= factor <= 1:
            raise ValueError(f"`factor` must be a probability, in [0, 1]. Received: factor={factor!r}")
        self.factor = factor

    def draw(self, generator, images):
        return generator.random((len(images), 1, 1, 1), self.dtype) < self.factor

    def transform(self, images):
        outputs = self.buffer("outputs", images.shape)
        np.copyto(outputs, images)
        np.copyto(outputs, to_grey(self, images), where=np.asarray(self.transformation))
        return outputs

    def gradient(self, doutputs, out):
        np.copyto(out, doutputs)
        dgrey = from_grey(doutputs.sum(-1, keepdims=True), out.shape[-1])
        np.copyto(out, dgrey, where=np.asarray(self.transformation))

    def get_config(self):
        config = super().get_config()
        del config["seed"]  # as Keras
        return config


class RandomColorDegeneration(ClippedLayer):
    """In training, outputs = inputs + factor * (grey - inputs).

    Args:
        factor: how much colour is taken away: f in [-1, 1] to draw from [-f, f], or a pair of bounds.
        value_range: bounds that the outputs are clipped to.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, 3).

    Raises:
        ValueError: a factor out of range, bounds that are none, other numbers of channels.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor")
        self.value_range = check_value_range(value_range, ordered=False)

    def draw(self, generator, images):
        return {"factor": self.uniform(generator, self.factor, (len(images), 1, 1, 1))}

    def linear(self, images, out):
        factor = np.asarray(self.transformation["factor"], self.dtype)
        np.subtract(to_grey(self, images), images, out=out)
        out *= factor
        out += images

    def linear_gradient(self, dvalues, out):
        factor = np.asarray(self.transformation["factor"], self.dtype)
        np.multiply(dvalues, 1 - factor, out=out)
        out += from_grey(factor * dvalues.sum(-1, keepdims=True), out.shape[-1])


class RandomPosterization(RandomImageLayer):
    """In training, keeps only the first bits of the images' bytes.

    Args:
        factor: how many bits are left: one number in [1, 8] to draw from 1 up to the one below it, or a pair of bounds,
            the upper of which is never drawn unless the two are equal.
        value_range: bounds of the images' values.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels). The gradient is 0, as of every step.

    Raises:
        ValueError: a factor out of range, bounds that are none.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=1, high=8)
        self.value_range = check_value_range(value_range, ordered=False)

    def draw(self, generator, images):
        low, high = (int(bound) for bound in self.factor)
        bits = generator.integers(low, max(high, low + 1), len(images))
        return {"shift_factor": (8 - bits).astype("uint8")}

    def transform(self, images):
        shift = np.asarray(self.transformation["shift_factor"], "uint8").reshape(-1, 1, 1, 1)
        values = np.clip(to_bytes(images, self.value_range), 0, 255).astype("uint8")
        return from_bytes((values >> shift << shift).astype(self.dtype), self.value_range)

    def gradient(self, doutputs, out):
        out.fill(0)


class Solarization(RandomImageLayer):
    """In training, outputs = values where they are below a threshold, 255 - values elsewhere.

    values = inputs + addition, clipped; all of it on the scale from 0 to 255.

    Args:
        addition_factor: one number a in [0, 1] to draw the addition from [0, 255 a], or a pair (a, b) for [a, 255 b].
        threshold_factor: the same for the threshold.
        value_range: bounds of the images' values.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, bounds that are none.
    """

    def __init__(self, addition_factor=0.0, threshold_factor=0.0, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = standardize_bounds(addition_factor, "addition_factor", low=0, strict=True)
        self.threshold_factor = standardize_bounds(threshold_factor, "threshold_factor", low=0, strict=True)
        self.value_range = check_value_range(value_range, ordered=False)

    def draw(self, generator, images):
        shape = (len(images), 1, 1, 1)
        bounds = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {key: self.uniform(generator, (low, 255 * high), shape) for key, (low, high) in bounds.items()}

    def _values(self):
        drawn = (np.asarray(self.transformation[key], self.dtype) for key in ("additions", "thresholds"))
        additions, thresholds = drawn
        values = to_bytes(self.images, self.value_range) + additions
        return values, np.clip(values, 0, 255) < thresholds

    def transform(self, images):
        values, below = self._values()
        values = np.clip(values, 0, 255)
        return from_bytes(np.where(below, values, 255 - values), self.value_range)

    def gradient(self, doutputs, out):
        values, below = self._values()
        np.multiply(doutputs, (values >= 0) & (values <= 255), out=out)
        np.negative(out, out=out, where=~below)


class AutoContrast(ImageLayer):
    """Stretches each channel of each image to the whole range of values; a channel of one value stays as it is.

    Of channels-first images, too; Keras 3.15 takes their channels and rows for rows and columns there.

    Args:
        value_range: bounds of the images' values.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: bounds that are none.
    """

    rows_independent = True

    def __init__(self, value_range=(0, 255), **kwargs):
        super().__init__(**kwargs)
        self.value_range = check_value_range(value_range, ordered=False)

    def transform(self, images):
        """On planes of one channel of one image: NumPy is slow to go through short last axes."""
        n, height, width, channels = images.shape
        bottom, top = self.value_range
        planes = np.array(np.moveaxis(images, -1, 0), order="C").reshape(channels, n, height * width)
        low, high = planes.min(axis=-1, keepdims=True), planes.max(axis=-1, keepdims=True)
        flat, spread = high == low, np.where(high == low, 1, high - low)
        planes -= low
        planes /= spread
        self.part, self.flat, self.scale = (
            np.moveaxis(array.reshape(channels, n, *size), 0, -1)
            for array, size in (
                (planes, (height, width)), (flat, (1, 1)), ((top - bottom) / spread, (1, 1)),
            )
        )  # fmt: skip
        outputs = self.buffer("outputs", images.shape)
        outputs[...] = np.moveaxis((planes * (top - bottom) + bottom).reshape(channels, n, height, width), 0, -1)
        np.copyto(outputs, images, where=self.flat)
        return outputs

    def gradient(self, doutputs, out):
        dhigh = -(doutputs * self.scale * self.part).sum((1, 2), keepdims=True)
        dlow = (doutputs * self.scale * (self.part - 1)).sum((1, 2), keepdims=True)
        np.multiply(doutputs, self.scale, out=out)
        for extreme, dextreme in ((self.part == 0, dlow), (self.part == 1, dhigh)):
            out += extreme * (dextreme / np.maximum(extreme.sum((1, 2), keepdims=True), 1))
        np.copyto(out, doutputs, where=self.flat)
