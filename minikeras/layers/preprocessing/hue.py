"""Random changes of hue and saturation, in a cone of colours: hue around it, saturation outwards, value upwards."""

import numpy as np

from minikeras import config
from minikeras.layers.preprocessing.augmentation import RandomImageLayer, check_value_range, standardize_bounds
from minikeras.layers.preprocessing.color import RandomBrightness, RandomContrast

PEAKS = np.array([3.0, 2.0, 4.0])  # in sixths of the circle: where there is no red, all green, all blue


def rgb_to_hsv(images):
    """Return (hue in [0, 1], saturation, value), each (batch, height, width), for red, green and blue."""
    red, green, blue = np.moveaxis(images, -1, 0)
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    norm = 1 / (6 * np.where(spread > 0, spread, 1))
    hue = np.where(value == green, norm * (blue - red) + 2 / 6, norm * (red - green) + 4 / 6)
    hue = np.where(value == red, norm * (green - blue), hue)
    hue += hue < 0
    return hue, np.where(value > 0, spread / np.where(value > 0, value, 1), 0), value


def rgb_to_hsv_gradient(images, dhue, dsaturation, dvalue):
    """Return dL/dimages, given the gradients of hue, saturation and value."""
    value, low = images.max(-1), images.min(-1)
    spread = value - low
    colored, lit = spread > 0, value > 0
    safe_spread, safe_value = np.where(colored, spread, 1), np.where(lit, value, 1)
    top = np.argmax(images == value[..., None], axis=-1)[..., None]
    after, before = (np.take_along_axis(images, (top + step) % 3, -1)[..., 0] for step in (1, 2))
    # hue = (after - before) / (6 spread) + a number; saturation = spread / value
    dpart = np.where(colored, dhue, 0) / (6 * safe_spread)
    dspread = np.where(lit, dsaturation / safe_value, 0) - dpart * (after - before) / safe_spread
    dvalue = dvalue + dspread - np.where(lit, dsaturation * spread / safe_value**2, 0)
    dimages = np.zeros_like(images)
    for place, gradient in (
        (top, dvalue), ((top + 1) % 3, dpart), ((top + 2) % 3, -dpart), (np.argmin(images, -1)[..., None], -dspread)
    ):  # fmt: skip
        current = np.take_along_axis(dimages, place, -1)
        np.put_along_axis(dimages, place, current + gradient[..., None], -1)
    return dimages


def hsv_to_rgb(hue, saturation, value):
    """Return red, green and blue along the last axis."""
    shares, _ = _shares(hue)
    return value[..., None] * (1 - saturation[..., None] * (1 - shares))


def hsv_to_rgb_gradient(drgb, hue, saturation, value):
    """Return the gradients of hue, saturation and value."""
    shares, slopes = _shares(hue)
    dvalue = (drgb * (1 - saturation[..., None] * (1 - shares))).sum(-1)
    return (drgb * slopes).sum(-1) * value * saturation, value * (drgb * (shares - 1)).sum(-1), dvalue


def _shares(hue):
    """Return how much red, green and blue a full colour of this hue has, each in [0, 1], and the derivatives."""
    sixths = (hue % 1 * 6)[..., None]
    peaks, signs = PEAKS.astype(hue.dtype), np.array([1, -1, -1], hue.dtype)
    distance = np.abs(sixths - peaks)
    shares = np.where(signs > 0, distance - 1, 2 - distance)
    slopes = 6 * signs * np.sign(sixths - peaks) * ((shares >= 0) & (shares <= 1))
    return np.clip(shares, 0, 1), slopes


class HSVLayer(RandomImageLayer):
    """Abstract: changes hue or saturation. Subclasses have `factor`, `value_range`, `change`, `change_gradient`, and
    `scaled`: whether they bring the values to [0, 1] first."""

    scaled = True

    def factors(self):
        return np.asarray(self.transformation["factor"], self.dtype).reshape(-1, 1, 1)

    def transform(self, images):
        if images.shape[-1] != 3:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes images of 3 channels, red, green and blue. "
                f"Received {images.shape[-1]} channels"
            )
        low, high = self.value_range
        colors = (images - low) / (high - low) if self.scaled else images
        self.colors = np.where(np.abs(colors) < np.finfo(colors.dtype).eps, 0, colors)
        self.hsv = self.change(*rgb_to_hsv(self.colors))
        outputs = hsv_to_rgb(*self.hsv)
        if not self.scaled:
            return outputs
        self.inside = (outputs >= 0) & (outputs <= 1)
        return np.clip(outputs, 0, 1) * (high - low) + low

    def gradient(self, doutputs, out):
        if self.scaled:
            doutputs = doutputs * self.inside
        gradients = hsv_to_rgb_gradient(doutputs, *self.hsv)
        np.copyto(out, rgb_to_hsv_gradient(self.colors, *self.change_gradient(*gradients)))


class RandomHue(HSVLayer):
    """In training, turns the hues of each image by the same angle.

    Args:
        factor: the angle as a part of half a turn, to either side: a number f in [0, 1] to draw from [0, f], or a pair
            of bounds.
        value_range: bounds of the images' values.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, 3).

    Raises:
        ValueError: a factor out of range, bounds that are none, other numbers of channels.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        sign = np.where(generator.random(len(images), self.dtype) > 0.5, -1, 1).astype(self.dtype)
        return {"factor": sign * self.uniform(generator, self.factor, (len(images),)) * 0.5}

    def change(self, hue, saturation, value):
        return hue + self.factors(), saturation, value

    def change_gradient(self, dhue, dsaturation, dvalue):
        return dhue, dsaturation, dvalue


class RandomSaturation(HSVLayer):
    """In training, multiplies the saturation of each image's colours by factor / (1 - factor).

    Args:
        factor: 0 for grey, 0.5 for no change, 1 for full colours, less than 0 for grey too: a number f in [-1, 1] to
            draw from [-f, f], or a pair of bounds.
        value_range: bounds of the saturation; those of the images as they are in Keras.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, 3).

    Raises:
        ValueError: a factor out of range, bounds that are none, other numbers of channels.
    """

    scaled = False

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor")
        self.value_range = check_value_range(value_range, ordered=False)

    def draw(self, generator, images):
        factor = self.uniform(generator, self.factor, (len(images),))
        return {"factor": factor / (1 - factor + config.epsilon())}

    def change(self, hue, saturation, value):
        saturation = saturation * self.factors()
        low, high = self.value_range
        self.kept = (saturation >= low) & (saturation <= high)
        return hue, np.clip(saturation, low, high), value

    def change_gradient(self, dhue, dsaturation, dvalue):
        return dhue, dsaturation * self.kept * self.factors(), dvalue


class RandomColorJitter(RandomImageLayer):
    """In training, changes brightness, contrast, saturation and hue, one after the other.

    Args:
        value_range: bounds of the images' values.
        brightness_factor, contrast_factor, saturation_factor, hue_factor: ``factor`` of `RandomBrightness`,
            `RandomContrast`, `RandomSaturation` and `RandomHue`; None to leave one out.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, 3).

    Raises:
        ValueError: what these layers raise.
    """

    def __init__(
        self, value_range=(0, 255), brightness_factor=None, contrast_factor=None, saturation_factor=None,
        hue_factor=None, seed=None, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = check_value_range(value_range)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        pairs = [
            (RandomBrightness, brightness_factor), (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor), (RandomHue, hue_factor),
        ]  # fmt: skip
        self._steps = [
            cls(factor, value_range, data_format="channels_last", dtype=self.dtype, name=f"{self.name}_{cls.__name__}")
            for cls, factor in pairs
            if factor is not None
        ]

    def build(self, input_shape):
        for step in self._steps:
            step.build_once(input_shape)

    def draw(self, generator, images):
        return [step.draw(generator, images) for step in self._steps]

    def transform(self, images):
        for step, drawn in zip(self._steps, self.transformation):
            step.active = True
            images = step._apply(images, drawn)
        return images

    def gradient(self, doutputs, out):
        for step in reversed(self._steps):
            doutputs = step.backward(doutputs)
        np.copyto(out, doutputs)
