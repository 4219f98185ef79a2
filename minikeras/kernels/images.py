"""Warps: each pixel of the output is looked up at another place of its image, between four pixels as a rule.

All images of a batch are looked up at once, each at places of its own, channel by channel: numbers of one channel lie
side by side, so that a lookup is a `take` and an interpolation a sum of whole arrays. Places outside of the image are
sent back into it by tables, one entry a row or column. Arrays are (batch, height, width, channels).
"""

import numpy as np

from minikeras.kernels import threads
from minikeras.kernels.scratch import scratch

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")
FAR = 8  # image sizes beyond the edge from where coordinates are folded back first, so that tables stay small
SHARE = 1 << 15  # pixels from which a second thread pays


def affine_coordinates(matrices, height, width):
    """Return (rows, columns) of the source at which the outputs are looked up, which broadcast to (batch, h, w).

    Args:
        matrices: (batch, 6 or more): a0, a1, a2, b0, b1, b2. Output (x, y) shows (a0 x + a1 y + a2, b0 x + b1 y + b2).
        height, width: of the outputs.
    """
    a0, a1, a2, b0, b1, b2 = (matrices[:, i, None, None] for i in range(6))
    y, x = np.arange(height, dtype=matrices.dtype)[:, None], np.arange(width, dtype=matrices.dtype)
    if not a1.any() and not b0.any():  # shifts and zooms look up the same columns in each row
        return y * b1 + b2, x * a0 + a2
    rows, columns = y * b1 + x * b0, y * a1 + x * a0
    rows += b2
    columns += a2
    return rows, columns


class Warp:
    """A lookup of ``outputs[n, y, x] = images[n, rows[n, y, x], columns[n, y, x]]``, and its gradient.

    Args:
        rows, columns: float arrays that broadcast to (batch, height, width) of the outputs.
        size: (height, width) of the images.
        interpolation: ``"nearest"``, or ``"bilinear"``, between the four pixels around.
        fill_mode: what lies outside of an image a b c d: ``"reflect"`` d c b a | a b c d | d c b a, ``"wrap"``
            a b c d | a b c d | a b c d, ``"nearest"`` a a a a | a b c d | d d d d, ``"constant"`` ``fill_value``; here
            also ``"mirror"`` d c b | a b c d | c b a.
        fill_value: a number.
    """

    def __init__(self, rows, columns, size, interpolation="bilinear", fill_mode="reflect", fill_value=0.0):
        self.size, self.fill_value = size, fill_value
        self.border = int(fill_mode == "constant")  # a frame of `fill_value` around the source, one pixel wide
        self.rows = _Axis(rows, size[0], interpolation, fill_mode)
        self.columns = _Axis(columns, size[1], interpolation, fill_mode)
        self.shape = np.broadcast_shapes(rows.shape, columns.shape)

    def forward(self, images, out):
        """Fill ``out`` (batch, height, width, channels)."""
        self._run_shares(lambda start, stop: self._forward(images, out, start, stop))

    def gradient(self, doutputs, out):
        """Fill ``out``, dL/dimages, given dL/doutputs."""
        self._run_shares(lambda start, stop: self._gradient(doutputs, out, start, stop))

    def _run_shares(self, run):
        pixels = self.shape[0] * self.shape[1] * self.shape[2]
        shares = max(1, min(threads.num_threads(), pixels // SHARE, self.shape[0]))
        threads.run_shares(lambda _, start, stop: run(start, stop), threads.split(self.shape[0], shares))

    def _indices(self, start, stop):
        """Return the indices of each corner in a plane of the source, (row, column) by (row, column)."""
        height, width = (n + 2 * self.border for n in self.size)
        first = (np.arange(stop - start) * (height * width))[:, None, None]
        corners = []
        for row in self.rows.indices:
            row = row[start:stop] * width + first
            for column in self.columns.indices:
                index = scratch(("warp index", len(corners)), (stop - start, *self.shape[1:]), np.intp)
                corners.append(np.add(row, column[start:stop], out=index))
        return corners

    def _forward(self, images, out, start, stop):
        n, channels, border = stop - start, images.shape[-1], self.border
        height, width = (size + 2 * border for size in self.size)
        source = scratch("warp source", (channels, n, height, width), images.dtype)
        if border:
            source[...] = self.fill_value
        inside = source[:, :, border : height - border, border : width - border]
        np.copyto(inside, np.moveaxis(images[start:stop], -1, 0))
        source = source.reshape(channels, -1)
        indices = self._indices(start, stop)
        values = [scratch(("warp value", i), indices[0].shape, images.dtype) for i in range(len(indices))]
        for channel in range(channels):
            for index, value in zip(indices, values):
                source[channel].take(index, out=value, mode="clip")  # the mode that writes into `out` directly
            if len(values) == 4:
                right, down = self.columns.fraction[start:stop], self.rows.fraction[start:stop]
                _mix(values[0], values[1], right)
                _mix(values[2], values[3], right)
                _mix(values[0], values[2], down)
            out[start:stop, ..., channel] = values[0]

    def _gradient(self, doutputs, out, start, stop):
        n, border = stop - start, self.border
        height, width = (size + 2 * border for size in self.size)
        indices = self._indices(start, stop)
        for channel in range(doutputs.shape[-1]):
            dvalues = [doutputs[start:stop, ..., channel]]
            if len(indices) == 4:
                right, down = self.columns.fraction[start:stop], self.rows.fraction[start:stop]
                dvalues = [dvalues[0] * a * b for a in (1 - down, down) for b in (1 - right, right)]
            total = 0
            for index, dvalue in zip(indices, dvalues):
                total = total + np.bincount(index.ravel(), dvalue.ravel(), n * height * width)
            total = total.reshape(n, height, width)
            out[start:stop, ..., channel] = total[:, border : height - border, border : width - border]


class _Axis:
    """Where along one axis pixels are looked up: indices of one or two of them, and what part the second one has."""

    def __init__(self, coordinates, size, interpolation, fill_mode):
        if max(-coordinates.min(), coordinates.max()) > FAR * size:
            coordinates = _fold(coordinates, size, fill_mode)
        whole = np.rint(coordinates) if interpolation == "nearest" else np.floor(coordinates)
        low, high = int(whole.min()), int(whole.max())
        table = source_index(np.arange(low, high + 2), size, fill_mode)
        whole -= low
        at = whole.astype(np.intp)
        self.indices = [table.take(at)]
        self.fraction = None
        if interpolation == "bilinear":
            self.indices.append(table[1:].take(at))
            whole += low
            self.fraction = np.subtract(coordinates, whole, out=whole)


def source_index(index, size, fill_mode):
    """Return what is shown at each (integer) index of an axis; with ``"constant"`` 0 and size + 1 are the frame."""
    if fill_mode == "constant":
        return np.clip(index, -1, size) + 1
    if fill_mode == "nearest":
        return np.clip(index, 0, size - 1)
    if fill_mode == "wrap":
        return index % size
    if fill_mode == "mirror":
        last = size - 1
        return np.abs((index + last) % max(2 * last, 1) - last)
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _fold(coordinates, size, fill_mode):
    """Return coordinates near the image that show the same as ones far away."""
    if fill_mode in ("constant", "nearest"):
        return np.clip(coordinates, -1, size)
    period = {"wrap": size, "mirror": max(2 * size - 2, 1)}.get(fill_mode, 2 * size)
    return np.mod(coordinates, period)


def _mix(a, b, fraction):
    """a += (b - a) * fraction; ``b`` is overwritten."""
    b -= a
    b *= fraction
    a += b
