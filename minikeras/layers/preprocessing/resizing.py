"""Images brought to another size: resized, or cut out of the middle or at random."""

import numpy as np

from minikeras.kernels import resize
from minikeras.layers.base import NOT_GIVEN, positive_integer
from minikeras.layers.preprocessing.augmentation import (
    ImageLayer,
    RandomImageLayer,
    check_choice,
    integer_type,
    is_number,
)

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


class Resizing(ImageLayer):
    """Resizes images.

    Args:
        height, width: of the outputs.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: cut the largest part of the outputs' proportions out of the middle first.
        pad_to_aspect_ratio: extend the image to the outputs' proportions first.
        fill_mode: how it is extended; only ``"constant"``.
        fill_value: by what.
        antialias: whether every pixel counts when an image shrinks, not just those next to the new ones' centres.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: the same with the new height and width. Called
    directly, images of integers stay integers.

    Raises:
        ValueError: bad sizes, unknown modes, both aspect ratio arguments.
    """

    rows_independent = True

    def __init__(
        self, height, width, interpolation="bilinear", crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
        fill_mode="constant", fill_value=0.0, antialias=False, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = positive_integer(height, "height"), positive_integer(width, "width")
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True")
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode = check_choice(fill_mode, "fill_mode", ("constant",))
        if not is_number(fill_value):
            raise ValueError(f"`fill_value` must be a number. Received: fill_value={fill_value!r}")
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def __call__(self, inputs, training=NOT_GIVEN, mask=None):
        outputs = super().__call__(inputs, training, mask)
        kind = integer_type(inputs)
        if kind is None:
            return outputs
        limits = np.iinfo(kind)
        return np.clip(np.rint(outputs), limits.min, limits.max).astype(kind)

    def transform(self, images):
        size = self.height, self.width
        if self.crop_to_aspect_ratio:
            top, left, height, width = largest_crop(images.shape[1:3], size)
            images = images[:, top : top + height, left : left + width]
        elif self.pad_to_aspect_ratio:
            top, left = self._margins(images.shape[1:3])
            n, height, width, channels = images.shape
            padded = np.full((n, height + 2 * top, width + 2 * left, channels), self.fill_value, images.dtype)
            padded[:, top : top + height, left : left + width] = images
            images = padded
        self.resized = images.shape[1:3]
        return resize.apply(images, size, self.interpolation, self.antialias)

    def gradient(self, doutputs, out):
        size = out.shape[1:3]
        dimages = resize.gradient(doutputs, self.resized, self.interpolation, self.antialias)
        if self.crop_to_aspect_ratio:
            top, left, height, width = largest_crop(size, (self.height, self.width))
            out.fill(0)
            out[:, top : top + height, left : left + width] = dimages
        elif self.pad_to_aspect_ratio:
            top, left = self._margins(size)
            np.copyto(out, dimages[:, top : top + size[0], left : left + size[1]])
        else:
            np.copyto(out, dimages)

    def _margins(self, size):
        """Return what to add at the top (and bottom) and left (and right)."""
        height, width = size
        tall = max(height, int(width * self.height / self.width))
        wide = max(width, int(height * self.width / self.height))
        return (tall - height) // 2, (wide - width) // 2

    def output_size(self, size):
        return self.height, self.width


def largest_crop(size, target):
    """Return (top, left, height, width) of the largest part in the middle that has the proportions of ``target``."""
    height, width = size
    crop_height = max(min(height, int(width * target[0] / target[1])), 1)
    crop_width = max(min(width, int(height * target[1] / target[0])), 1)
    return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width


class CropLayer(ImageLayer):
    """Abstract: a part of each image, resized if it is smaller than what is asked for. Subclasses have `window`.

    Args:
        height, width: of the outputs.
    """

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = positive_integer(height, "height"), positive_integer(width, "width")

    def window(self, size):
        """Return (top, left, height, width) of the part of images of ``size`` that is shown."""
        raise NotImplementedError

    def transform(self, images):
        top, left, height, width = self.part = self.window(images.shape[1:3])
        outputs = self.buffer("outputs", (len(images), self.height, self.width, images.shape[-1]))
        part = images[:, top : top + height, left : left + width]
        np.copyto(outputs, resize.apply(part, (self.height, self.width)))
        return outputs

    def gradient(self, doutputs, out):
        top, left, height, width = self.part
        out.fill(0)
        out[:, top : top + height, left : left + width] = resize.gradient(doutputs, (height, width))

    def output_size(self, size):
        return self.height, self.width


class CenterCrop(CropLayer):
    """The middle of each image; of a smaller image the largest part of the same proportions, resized.

    Args:
        height, width: of the outputs.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: the same with the new height and width.

    Raises:
        ValueError: bad sizes.
    """

    rows_independent = True

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(height, width, data_format=data_format, **kwargs)

    def window(self, size):
        height, width = size
        if height < self.height or width < self.width:
            return largest_crop(size, (self.height, self.width))
        return (height - self.height) // 2, (width - self.width) // 2, self.height, self.width


class RandomCrop(CropLayer, RandomImageLayer):
    """In training, a part of the images at a random place, the same one for the whole batch.

    Images that are no larger than what is asked for are cut in the middle, and resized if need be. In inference the
    outputs are the largest part of the middle that has the outputs' proportions, resized.

    Args:
        height, width: of the outputs.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: the same with the new height and width.

    Raises:
        ValueError: bad sizes.
    """

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        super().__init__(height, width, seed=seed, data_format=data_format, name=name, **kwargs)

    def call(self, inputs, training=True):
        self.active = True
        return self._apply(inputs, self.get_random_transformation(inputs, training))

    def draw(self, generator, images):
        rest = images.shape[1] - self.height, images.shape[2] - self.width
        if min(rest) > 0:
            return tuple(int(generator.integers(n + 1)) for n in rest)
        return largest_crop(images.shape[1:3], (self.height, self.width))[:2]

    def window(self, size):
        if self.transformation is None:
            return largest_crop(size, (self.height, self.width))
        top, left = (int(n) for n in self.transformation)
        return top, left, min(self.height, size[0] - top), min(self.width, size[1] - left)
