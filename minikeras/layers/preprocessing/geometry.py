"""Random changes of where an image's pixels are: flips, shifts, rotations, zooms."""

import math

import numpy as np

from minikeras.kernels.images import FILL_MODES, INTERPOLATIONS, Warp, affine_coordinates
from minikeras.layers.preprocessing.augmentation import RandomImageLayer, check_choice, is_number, standardize_bounds


class RandomFlip(RandomImageLayer):
    """In training, mirrors every other image, on average.

    Args:
        mode: ``"horizontal"`` (left and right change places), ``"vertical"``, or ``"horizontal_and_vertical"``: both
            together, a turn by 180 degrees.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: an unknown mode.
    """

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = check_choice(mode, "mode", ("horizontal", "vertical", "horizontal_and_vertical"))

    def draw(self, generator, images):
        return {"flips": generator.random((len(images), 1, 1, 1), self.dtype) <= 0.5, "input_shape": images.shape}

    def transform(self, images):
        return self._flip(images, self.buffer("outputs", images.shape))

    def gradient(self, doutputs, out):
        self._flip(doutputs, out)  # a mirror image's mirror image is the image

    def _flip(self, images, out):
        np.copyto(out, images)
        chosen = np.flatnonzero(self.transformation["flips"])
        down = slice(None, None, -1 if "vertical" in self.mode else None)
        across = slice(None, None, -1 if "horizontal" in self.mode else None)
        out[chosen] = images[chosen][:, down, across]
        return out


class RandomWarp(RandomImageLayer):
    """Abstract: looks each image's pixels up at places that are a linear function of their own. Subclasses have
    `matrices`: (batch, 8) of a0, a1, a2, b0, b1, b2, 0, 0, so that output (x, y) shows (a0 x + a1 y + a2,
    b0 x + b1 y + b2).

    Args:
        fill_mode: what lies outside of an image a b c d: ``"reflect"`` d c b a | a b c d | d c b a, ``"wrap"``
            a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"`` ``fill_value``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: a number.
        data_format: order of the axes, by default `config.image_data_format()`.
    """

    def __init__(self, fill_mode="reflect", interpolation="bilinear", fill_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.fill_mode = check_choice(fill_mode, "fill_mode", FILL_MODES)
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        if not is_number(fill_value):
            raise ValueError(f"`fill_value` must be a number. Received: fill_value={fill_value!r}")
        self.fill_value = fill_value

    def matrices(self, transformation, height, width):
        """Return the affine matrices of what `draw` has drawn."""
        raise NotImplementedError

    def transform(self, images):
        size = images.shape[1:3]
        matrices = np.asarray(self.matrices(self.transformation, *size), self.dtype)
        rows, columns = affine_coordinates(matrices, *size)
        self.warp = Warp(rows, columns, size, self.interpolation, self.fill_mode, self.fill_value)
        outputs = self.buffer("outputs", images.shape)
        self.warp.forward(images, outputs)
        return outputs

    def gradient(self, doutputs, out):
        self.warp.gradient(doutputs, out)

    def scales_and_shifts(self, a0, a2, b1, b2):
        """Matrices that look up x at a0 x + a2, and y at b1 y + b2."""
        zeros = np.zeros_like(a0)
        return np.stack([a0, zeros, a2, zeros, b1, b2, zeros, zeros], axis=1)


class RandomTranslation(RandomWarp):
    """In training, shifts each image.

    Args:
        height_factor: how far down (negative: up), as a part of the height: a number f in [-1, 1] to draw from
            [-f, f], or a pair of bounds.
        width_factor: how far to the right, as a part of the width.
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"``
            the fill value.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, unknown modes.
    """

    def __init__(
        self, height_factor, width_factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0,
        data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **kwargs,
        )  # fmt: skip
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height_bounds = standardize_bounds(height_factor, "height_factor", strict=True)
        self._width_bounds = standardize_bounds(width_factor, "width_factor", strict=True)

    def draw(self, generator, images):
        n, height, width = images.shape[:3]
        down = self.uniform(generator, self._height_bounds, (n, 1)) * height
        right = self.uniform(generator, self._width_bounds, (n, 1)) * width
        return {"translations": np.concatenate([right, down], axis=1), "input_shape": images.shape}

    def matrices(self, transformation, height, width):
        right, down = np.asarray(transformation["translations"], self.dtype).T
        ones = np.ones_like(right)
        return self.scales_and_shifts(ones, -right, ones, -down)


class RandomZoom(RandomWarp):
    """In training, enlarges or shrinks each image about its centre.

    Args:
        height_factor: by how much the image shrinks: 0.2 shows 20% more of the height, -0.2 20% less. A number f in
            (-1, 1] to draw from [-f, f], or a pair of bounds.
        width_factor: the same for the width; by default the same number as for the height.
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"``
            the fill value.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, unknown modes.
    """

    def __init__(
        self, height_factor, width_factor=None, fill_mode="reflect", interpolation="bilinear", seed=None,
        fill_value=0.0, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **kwargs,
        )  # fmt: skip
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height_bounds = _zoom_bounds(height_factor, "height_factor")
        self._width_bounds = None if width_factor is None else _zoom_bounds(width_factor, "width_factor")

    def draw(self, generator, images):
        shape = (len(images), 1)
        height = width = self.uniform(generator, self._height_bounds, shape)
        if self._width_bounds is not None:
            width = self.uniform(generator, self._width_bounds, shape)
        return {"height_zoom": height, "width_zoom": width, "input_shape": images.shape}

    def matrices(self, transformation, height, width):
        x, y = (np.asarray(transformation[key], self.dtype)[:, 0] for key in ("width_zoom", "height_zoom"))
        return self.scales_and_shifts(x, (width - 1) / 2 * (1 - x), y, (height - 1) / 2 * (1 - y))


def _zoom_bounds(value, argument):
    lower, upper = standardize_bounds(value, argument, open_below=True, strict=True)
    return 1 + lower, 1 + upper


class RandomRotation(RandomWarp):
    """In training, turns each image about its centre.

    Args:
        factor: the angle, as a part of a full turn, counter-clockwise: a number f in [-1, 1] to draw from [-f, f], or
            a pair of bounds.
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"``
            the fill value.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: a factor out of range, unknown modes.
    """

    def __init__(
        self, factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0, data_format=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **kwargs,
        )  # fmt: skip
        self.factor = standardize_bounds(factor or 0.0, "factor")

    def draw(self, generator, images):
        n, height, width = images.shape[:3]
        angle = self.uniform(generator, [360.0 * bound for bound in self.factor], (n,))
        return {
            "angle": angle, "rotation_matrix": affine_matrices(angle, height, width),
            "image_height": height, "image_width": width, "batch_size": n,
        }  # fmt: skip

    def matrices(self, transformation, height, width):
        return np.atleast_2d(transformation["rotation_matrix"])  # Keras draws a vector for a single image


def affine_matrices(angle, height, width):
    """Return (batch, 8) matrices of rotations by ``angle`` (degrees, one an image) about the centre."""
    angle = angle * angle.dtype.type(math.pi / 180)
    x, y = 0.5 * (width - 1), 0.5 * (height - 1)
    cos, sin, zeros = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    return np.stack([cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zeros, zeros], axis=1)
