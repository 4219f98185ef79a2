"""Turning, shifting, zooming, shearing, bending at once: images are looked up once, so they stay sharper."""

import math

import numpy as np

from minikeras.layers.preprocessing.augmentation import is_number, standardize_bounds
from minikeras.layers.preprocessing.geometry import RandomWarp, zoom_bounds

BUMPS = 8  # along each axis, from edge to edge


class RandomAffine(RandomWarp):
    """In training, turns, shifts, zooms and shears each image, in one step and about its centre.

    Output (x, y) shows the input at (u, v), both measured in pixels from the centre, x and u to the right, y and v
    down::

        [u]   [zoom_x    0  ] [1  shear] [cos -sin] [x - right]
        [v] = [  0    zoom_y] [0    1  ] [sin  cos] [y - down ]

    Any affine map that mirrors nothing is of this form. With ``bend`` the places (u, v) are moved once more, smoothly,
    as if the image were drawn on rubber: by sums of Gaussian bumps of random heights, 1/7 of the side wide (deviation)
    and as far from each other, in each place normally distributed with the same deviation.

    Args:
        rotation: the angle, as a part of a full turn, counter-clockwise: a number f in [-1, 1] to draw from [-f, f], or
            a pair of bounds.
        translation: how far down, and how far to the right, as a part of the height and of the width, each drawn by
            itself: a number f in [-1, 1] to draw from [-f, f], or a pair of bounds.
        zoom: by how much the image shrinks, height and width each by itself: 0.2 shows 20% more, -0.2 20% less. A
            number f in (-1, 1] to draw from [-f, f], or a pair of bounds.
        shear: shift of a row, in pixels for each row below the centre: a number f in [-1, 1] to draw from [-f, f], or a
            pair of bounds.
        bend: how far, as a part of the height and of the width: the standard deviation, a number in [0, 1].
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"``
            the fill value.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: numbers out of range, unknown modes.

    Reference: P. Simard, D. Steinkraus, J. Platt, Best practices for convolutional neural networks applied to visual
    document analysis, 2003, section 2.
    """

    def __init__(
        self, rotation=0.0, translation=0.0, zoom=0.0, shear=0.0, bend=0.0, fill_mode="reflect",
        interpolation="bilinear", seed=None, fill_value=0.0, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **kwargs,
        )  # fmt: skip
        self.rotation, self.translation, self.zoom, self.shear = rotation, translation, zoom, shear
        self._turns = standardize_bounds(rotation, "rotation", strict=True)
        self._shifts = standardize_bounds(translation, "translation", strict=True)
        self._zooms = zoom_bounds(zoom, "zoom")
        self._shears = standardize_bounds(shear, "shear", strict=True)
        if not is_number(bend) or not 0 <= bend <= 1:
            raise ValueError(f"`bend` must be a number from 0 to 1. Received: bend={bend!r}")
        self.bend = bend

    def draw(self, generator, images):
        n, height, width = images.shape[:3]
        drawn = {
            "angle": self.uniform(generator, self._turns, (n,)) * (2 * math.pi),
            "translation": self.uniform(generator, self._shifts, (n, 2)) * np.array([width, height], self.dtype),
            "zoom": self.uniform(generator, self._zooms, (n, 2)),
            "shear": self.uniform(generator, self._shears, (n,)),
        }
        if self.bend:
            drawn["bumps"] = generator.standard_normal((2, n, BUMPS, BUMPS), self.dtype)
        return drawn

    def places(self, transformation, height, width):
        rows, columns = super().places(transformation, height, width)
        if not self.bend:
            return rows, columns
        bumps = np.asarray(transformation["bumps"], self.dtype)
        moves = _bumps(height, self.dtype).T @ bumps @ _bumps(width, self.dtype)
        return rows + moves[0] * (self.bend * height), columns + moves[1] * (self.bend * width)

    def matrices(self, transformation, height, width):
        drawn = {key: np.asarray(value, self.dtype) for key, value in transformation.items() if key != "bumps"}
        cos, sin, shear = np.cos(drawn["angle"]), np.sin(drawn["angle"]), drawn["shear"]
        (right, down), (zoom_x, zoom_y) = drawn["translation"].T, drawn["zoom"].T
        a0, a1 = zoom_x * (cos + shear * sin), zoom_x * (shear * cos - sin)
        b0, b1 = zoom_y * sin, zoom_y * cos
        x, y = (width - 1) / 2, (height - 1) / 2
        a2, b2 = (centre - a * (x + right) - b * (y + down) for centre, a, b in ((x, a0, a1), (y, b0, b1)))
        zeros = np.zeros_like(a0)
        return np.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1)


def _bumps(size, dtype):
    """Return (bumps, size) Gaussians along an axis, scaled so that their squares add up to 1 in each pixel."""
    distances = np.linspace(0, BUMPS - 1, size) - np.arange(BUMPS)[:, None]
    values = np.exp(-0.5 * distances**2)
    return (values / np.sqrt((values**2).sum(axis=0))).astype(dtype)
