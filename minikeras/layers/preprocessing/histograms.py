"""Histograms evened out, so that all values occur about as often: in the whole batch, or tile by tile."""

import math

import numpy as np

from minikeras.layers.base import NOT_GIVEN, integer_tuple, positive_integer
from minikeras.layers.preprocessing.augmentation import ImageLayer, check_value_range, integer_type, is_number
from minikeras.layers.preprocessing.tones import from_bytes, to_bytes

TABLES = 1 << 10  # of 256 numbers, at a time


class Equalization(ImageLayer):
    """In training, changes each channel's values so that all of them occur about as often, in the batch as a whole.

    Args:
        value_range: bounds of the images' values.
        bins: number of values that are told apart.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels). The gradient is 0, as of every step.

    Raises:
        ValueError: bounds that are none, a bad number of bins.
    """

    mixes_rows = True

    def __init__(self, value_range=(0, 255), bins=256, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = check_value_range(value_range, ordered=False)
        self.bins = positive_integer(bins, "bins")

    def call(self, inputs, training=True):
        if training:
            return super().call(inputs)
        self.active = False
        return inputs

    def transform(self, images):
        outputs = self.buffer("outputs", images.shape)
        low, high = self.value_range
        scale, last = 255 / (high - low), self.bins - 1
        values = images * scale - low * scale
        # Rounded as in Keras, where a value is not always looked up in the place where it was counted.
        counted = np.clip(values * last / 255, 0, last).astype(np.intp)
        places = np.clip(values / 255 * last, 0, last).astype(np.intp)
        self.flat = np.zeros(images.shape[-1], bool)
        for channel in range(images.shape[-1]):
            counts = np.bincount(counted[..., channel].ravel(), minlength=self.bins)
            self.flat[channel] = np.count_nonzero(counts) <= 1
            counts = counts.cumsum()
            first = counts[counts > 0][0]
            table = (np.maximum(counts - first, 0) * 255).astype("float32") / np.float32(max(counts[-1] - first, 1))
            table = np.clip(np.round(table), 0, 255).astype(self.dtype)
            outputs[..., channel] = (table * ((high - low) / 255) + low)[places[..., channel]]
        np.copyto(outputs, images, where=self.flat)
        return outputs

    def gradient(self, doutputs, out):
        np.multiply(doutputs, self.flat, out=out)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Evens out each channel's histogram tile by tile, but for peaks of it, which would make noise visible (CLAHE).

    In each tile, with counts[v] of the bytes v and a limit of ``clip_limit * pixels / 256``::

        counts[v] = min(counts[v], limit) + (what was cut off) / 256
        table[v] = 255 * (cumulated[v] - cumulated[0]) / (pixels - cumulated[0])

    An output is looked up in the tables of the four tiles around it, and mixed by its distances from their centres.

    Args:
        value_range: bounds of the images' values.
        clip_limit: how many times as often as on average a value may count; 0 for no limit.
        tile_grid_size: number of tiles (down, across). Images that cannot be divided are mirrored at their end.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels). The gradient is 0, as of every step. Called directly,
    images of integers stay integers.

    Raises:
        ValueError: bounds that are none, a bad limit or grid.

    Reference: K. Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV, 1994, VIII.5.
    """

    rows_independent = True

    def __init__(self, value_range=(0, 255), clip_limit=4.0, tile_grid_size=(8, 8), data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = check_value_range(value_range)
        if not is_number(clip_limit):
            raise ValueError(f"`clip_limit` must be a number. Received: clip_limit={clip_limit!r}")
        self.clip_limit = clip_limit
        self.tile_grid_size, self._grid = tile_grid_size, integer_tuple(tile_grid_size, 2, "tile_grid_size")

    def __call__(self, inputs, training=NOT_GIVEN, mask=None):
        outputs = super().__call__(inputs, training, mask)
        kind = integer_type(inputs)
        return outputs if kind is None else outputs.astype(kind)

    def transform(self, images):
        """A few images at a time, whose tables stay in cache."""
        outputs = self.buffer("outputs", images.shape)
        step = max(1, TABLES // (self._grid[0] * self._grid[1] * images.shape[-1]))
        for start in range(0, len(images), step):
            outputs[start : start + step] = self._equalize(images[start : start + step])
        return outputs

    def _equalize(self, images):
        n, height, width, channels = images.shape
        grid, tile = self._grid, [-(-size // k) for size, k in zip((height, width), self._grid)]
        rest = [(0, k * t - size) for k, t, size in zip(grid, tile, (height, width))]
        values = np.clip(to_bytes(images, self.value_range), 0, 255).astype(np.intp)
        planes = np.moveaxis(values, -1, 1)
        padded = np.pad(planes, [(0, 0), (0, 0), *rest], mode="symmetric")
        tables = self._tables(padded.reshape(n * channels, grid[0], tile[0], grid[1], tile[1])).ravel()
        (up, down, below), (left, right, beside) = (_neighbours(*sizes) for sizes in zip((height, width), tile, grid))
        first = 256 * math.prod(grid) * np.arange(n * channels)[:, None, None]  # of each plane's tables
        places = planes.reshape(n * channels, height, width) + first
        corners = [[tables.take(places + 256 * (i[:, None] * grid[1] + j)) for j in (left, right)] for i in (up, down)]
        beside, below = beside.astype(self.dtype), below.astype(self.dtype)[:, None]
        upper, lower = (a + (b - a) * beside for a, b in corners)
        outputs = (upper + (lower - upper) * below).reshape(n, channels, height, width)
        return from_bytes(np.moveaxis(outputs, 1, -1), self.value_range)

    def _tables(self, tiles):
        """Return (planes * rows of tiles * columns of tiles, 256), given the tiles' bytes."""
        planes, down, height, across, width = tiles.shape
        pixels, number = height * width, planes * down * across
        bytes_ = tiles.transpose(0, 1, 3, 2, 4).reshape(number, pixels)
        counts = np.bincount((bytes_ + 256 * np.arange(number)[:, None]).ravel(), minlength=256 * number)
        counts = counts.reshape(number, 256).astype(self.dtype)
        if self.clip_limit > 0:
            clipped = np.minimum(counts, self.clip_limit * pixels / 256)
            counts = clipped + (counts - clipped).sum(axis=1, keepdims=True) / 256
        tables = counts.cumsum(axis=1)
        rest = pixels - tables[:, :1]
        tables -= tables[:, :1].copy()
        tables *= 255
        tables /= np.where(rest == 0, 1, rest)
        return np.clip(tables, 0, 255, out=tables)

    def gradient(self, doutputs, out):
        out.fill(0)


def _neighbours(size, tile, number):
    """Return, for each pixel of an axis, the tiles before and after it and what part the second one has."""
    place = (np.arange(size) - tile / 2) / tile  # in tiles, from the first one's centre
    before = np.floor(place).astype(np.intp)
    return np.clip(before, 0, number - 1), np.clip(before + 1, 0, number - 1), place - before
