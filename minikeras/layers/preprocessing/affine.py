"""Turning, shifting, zooming and shearing at once: images are looked up once, so they stay sharper than after each."""

import math

import numpy as np

from minikeras.layers.preprocessing.augmentation import standardize_bounds
from minikeras.layers.preprocessing.geometry import RandomWarp, zoom_bounds


class RandomAffine(RandomWarp):
    """In training, turns, shifts, zooms and shears each image, in one step and about its centre.

    Output (x, y) shows the input at (u, v), both measured in pixels from the centre, x and u to the right, y and v
    down::

        [u]   [zoom_x    0  ] [1  shear] [cos -sin] [x - right]
        [v] = [  0    zoom_y] [0    1  ] [sin  cos] [y - down ]

    Any affine map that mirrors nothing is of this form.

    Args:
        rotation: the angle, as a part of a full turn, counter-clockwise: a number f in [-1, 1] to draw from [-f, f], or
            a pair of bounds.
        translation: how far down, and how far to the right, as a part of the height and of the width, each drawn by
            itself: a number f in [-1, 1] to draw from [-f, f], or a pair of bounds.
        zoom: by how much the image shrinks, height and width each by itself: 0.2 shows 20% more, -0.2 20% less. A
            number f in (-1, 1] to draw from [-f, f], or a pair of bounds.
        shear: shift of a row, in pixels for each row below the centre: a number f in [-1, 1] to draw from [-f, f], or a
            pair of bounds.
        fill_mode, fill_value: what comes in from outside of an image a b c d: ``"reflect"`` d c b a | a b c d |
            d c b a, ``"wrap"`` a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"``
            the fill value.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: numbers out of range, unknown modes.
    """

    def __init__(
        self, rotation=0.0, translation=0.0, zoom=0.0, shear=0.0, fill_mode="reflect", interpolation="bilinear",
        seed=None, fill_value=0.0, data_format=None, **kwargs,
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

    def draw(self, generator, images):
        n, height, width = images.shape[:3]
        return {
            "angle": self.uniform(generator, self._turns, (n,)) * (2 * math.pi),
            "translation": self.uniform(generator, self._shifts, (n, 2)) * np.array([width, height], self.dtype),
            "zoom": self.uniform(generator, self._zooms, (n, 2)),
            "shear": self.uniform(generator, self._shears, (n,)),
        }

    def matrices(self, transformation, height, width):
        drawn = {key: np.asarray(value, self.dtype) for key, value in transformation.items()}
        cos, sin, shear = np.cos(drawn["angle"]), np.sin(drawn["angle"]), drawn["shear"]
        (right, down), (zoom_x, zoom_y) = drawn["translation"].T, drawn["zoom"].T
        a0, a1 = zoom_x * (cos + shear * sin), zoom_x * (shear * cos - sin)
        b0, b1 = zoom_y * sin, zoom_y * cos
        x, y = (width - 1) / 2, (height - 1) / 2
        a2, b2 = (centre - a * (x + right) - b * (y + down) for centre, a, b in ((x, a0, a1), (y, b0, b1)))
        zeros = np.zeros_like(a0)
        return np.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1)
