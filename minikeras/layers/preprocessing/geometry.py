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
        self._height_bounds = zoom_bounds(height_factor, "height_factor")
        self._width_bounds = None if width_factor is None else zoom_bounds(width_factor, "width_factor")

    def draw(self, generator, images):
        shape = (len(images), 1)
        height = width = self.uniform(generator, self._height_bounds, shape)
        if self._width_bounds is not None:
            width = self.uniform(generator, self._width_bounds, shape)
        return {"height_zoom": height, "width_zoom": width, "input_shape": images.shape}

    def matrices(self, transformation, height, width):
        x, y = (np.asarray(transformation[key], self.dtype)[:, 0] for key in ("width_zoom", "height_zoom"))
        return self.scales_and_shifts(x, (width - 1) / 2 * (1 - x), y, (height - 1) / 2 * (1 - y))


def zoom_bounds(value, argument):
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


class RandomShear(RandomWarp):
    """In training, shifts each row, and each column, of an image by another amount.

    Args:
        x_factor: shift of a row, in pixels for each row below the top: a number f in [0, 1] to draw from [-f, f], or a
            pair of bounds, of whose number the negative is taken half of the time.
        y_factor: the same for the columns.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"``
            the fill value.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, unknown modes.
    """

    def __init__(
        self, x_factor=0.0, y_factor=0.0, interpolation="bilinear", fill_mode="reflect", fill_value=0.0,
        data_format=None, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **kwargs,
        )  # fmt: skip
        self.x_factor = standardize_bounds(x_factor, "x_factor", strict=True)
        self.y_factor = standardize_bounds(y_factor, "y_factor", strict=True)

    def draw(self, generator, images):
        shape = (len(images), 1)
        sign = np.where(generator.random(shape, self.dtype) > 0.5, -1, 1).astype(self.dtype)
        y, x = (self.uniform(generator, bounds, shape) for bounds in (self.y_factor, self.x_factor))
        return {"shear_factor": np.concatenate([x, y], axis=1) * sign, "input_shape": images.shape}

    def matrices(self, transformation, height, width):
        x, y = np.asarray(transformation["shear_factor"], self.dtype).T
        ones, zeros = np.ones_like(x), np.zeros_like(x)
        return np.stack([ones, x, zeros, y, ones, zeros, zeros, zeros], axis=1)


class RandomPerspective(RandomImageLayer):
    """In training, shows some of the images as if they were seen at an angle: their corners move.

    Args:
        factor: the probability that an image is changed: one number p in [0, 1] to draw it between 0 and p for each
            image, or a pair of bounds.
        scale: how far corners move at most, as a part of twice their distances from the top and from the left.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: what is outside of an image.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: factors out of range, an unknown interpolation.
    """

    def __init__(
        self, factor=1.0, scale=1.0, interpolation="bilinear", fill_value=0.0, seed=None, data_format=None, **kwargs
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0)
        if not is_number(scale) or not 0 <= scale <= 1:
            raise ValueError(f"`scale` must be a number in [0, 1]. Received: scale={scale!r}")
        self.scale = scale
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        if not is_number(fill_value):
            raise ValueError(f"`fill_value` must be a number. Received: fill_value={fill_value!r}")
        self.fill_value = fill_value

    def draw(self, generator, images):
        n, height, width = images.shape[:3]
        chosen = generator.random(n, self.dtype) < self.uniform(generator, self.factor, (n,))
        moves = self.uniform(generator, (-0.5 * self.scale, 0.5 * self.scale), (n, 4, 2))
        right, bottom = width - 1.0, height - 1.0
        corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], self.dtype)
        starts = np.repeat(corners[None], n, axis=0)
        return {
            "apply_perspective": chosen, "start_points": starts, "end_points": starts + starts * moves,
            "input_shape": images.shape,
        }  # fmt: skip

    def transform(self, images):
        drawn = {key: np.asarray(self.transformation[key]) for key in ("start_points", "end_points")}
        self.chosen = np.flatnonzero(self.transformation["apply_perspective"])
        if min(images.shape[1:3]) == 1:  # a line has no corners
            self.chosen = self.chosen[:0]
        outputs = self.buffer("outputs", images.shape)
        np.copyto(outputs, images)
        if len(self.chosen):
            starts, ends = (drawn[key][self.chosen].astype(self.dtype) for key in ("start_points", "end_points"))
            rows, columns = homography_coordinates(starts, ends, *images.shape[1:3])
            self.warp = Warp(rows, columns, images.shape[1:3], self.interpolation, "constant", self.fill_value)
            warped = np.empty_like(images[self.chosen])
            self.warp.forward(images[self.chosen], warped)
            outputs[self.chosen] = warped
        return outputs

    def gradient(self, doutputs, out):
        np.copyto(out, doutputs)
        if len(self.chosen):
            dimages = np.empty_like(out[self.chosen])
            self.warp.gradient(doutputs[self.chosen], dimages)
            out[self.chosen] = dimages


def homography_coordinates(starts, ends, height, width):
    """Return (rows, columns) to look up so that the points ``starts`` (batch, 4, 2) of the images, each x and y, are
    shown at ``ends``."""
    (start_x, start_y), (x, y) = starts.transpose(2, 0, 1), ends.transpose(2, 0, 1)
    ones, zeros = np.ones_like(x), np.zeros_like(x)
    equations = np.concatenate(
        [
            np.stack([x, y, ones, zeros, zeros, zeros, -start_x * x, -start_x * y], axis=-1),
            np.stack([zeros, zeros, zeros, x, y, ones, -start_y * x, -start_y * y], axis=-1),
        ],
        axis=1,
    )
    known = np.concatenate([start_x, start_y], axis=1)[..., None]
    a = [numbers[:, None, None] for numbers in np.linalg.solve(equations, known)[..., 0].T]
    y, x = np.arange(height, dtype=starts.dtype)[:, None], np.arange(width, dtype=starts.dtype)
    with np.errstate(all="ignore"):  # what is seen edge-on lies at infinity, out of the image
        denominator = a[6] * x + a[7] * y + 1
        rows, columns = (a[3] * x + a[4] * y + a[5]) / denominator, (a[0] * x + a[1] * y + a[2]) / denominator
    return tuple(np.nan_to_num(c, nan=-1e6, posinf=1e6, neginf=-1e6) for c in (rows, columns))
