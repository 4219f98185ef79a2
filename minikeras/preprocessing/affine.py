"""Changes of single images, as arrays with 3 axes: rotation, shift, shear, zoom, brightness, channel shifts.

All the geometric ones are one affine map. Output pixel o shows the input at  A o + b,  interpolated.
"""

import math

import numpy as np

from minikeras import config

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def apply_affine_transform(
    x,
    theta=0,
    tx=0,
    ty=0,
    shear=0,
    zx=1,
    zy=1,
    row_axis=1,
    col_axis=2,
    channel_axis=0,
    fill_mode="nearest",
    cval=0.0,
    order=1,
):
    """Return an image rotated, shifted, sheared and zoomed about its centre.

    As in Keras, the centre is right for square images only: with ``col_axis > row_axis`` its coordinates are taken in
    the wrong order. Numbers are Keras' own; make images square before.

    Args:
        x: array with 3 axes.
        theta: angle in degrees.
        tx, ty: shift in pixels. With ``col_axis > row_axis``, as is usual, ``tx`` moves columns and ``ty`` rows.
        shear: angle in degrees.
        zx, zy: how much of the image is shown along the axes of ``tx`` and ``ty``: above 1 its content gets smaller.
        row_axis, col_axis, channel_axis: which axis is which; channels are the first or the last.
        fill_mode: what is shown outside of the image: ``"constant"`` (k k k | a b c d | k k k), ``"nearest"``
            (a a a | a b c d | d d d), ``"reflect"`` (c b a | a b c d | d c b) or ``"wrap"`` (b c | a b c d | b c: as
            in SciPy, the last pixel and the first are the same one).
        cval: the constant k.
        order: 1 for bilinear interpolation, 0 for the nearest pixel.

    Returns:
        array of the shape and type of ``x``.

    Raises:
        ValueError: axes that are not 0, 1 and 2, or an unknown ``fill_mode`` or ``order``.
    """
    if sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2] or channel_axis == 1 or np.ndim(x) != 3:
        raise ValueError(
            "`x` must have 3 axes: `row_axis`, `col_axis` and, first or last, `channel_axis`. Received: shape "
            f"{np.shape(x)}, row_axis={row_axis}, col_axis={col_axis}, channel_axis={channel_axis}"
        )
    check_interpolation(fill_mode, order)
    matrix = np.eye(3)
    if theta != 0:
        cos, sin = math.cos(math.radians(theta)), math.sin(math.radians(theta))
        matrix = matrix @ [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]
    if tx != 0 or ty != 0:
        matrix = matrix @ [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    if shear != 0:
        matrix = matrix @ [[1, -math.sin(math.radians(shear)), 0], [0, math.cos(math.radians(shear)), 0], [0, 0, 1]]
    if zx != 1 or zy != 1:
        matrix = matrix @ [[zx, 0, 0], [0, zy, 0], [0, 0, 1]]
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return x
    centre = np.array([x.shape[row_axis] / 2 - 0.5, x.shape[col_axis] / 2 - 0.5])
    linear = matrix[:2, :2]
    offset = matrix[:2, 2] + centre - linear @ centre
    if col_axis > row_axis:  # the first axis of the map is that of the columns
        linear, offset = linear[::-1, ::-1], offset[::-1]
    image = np.moveaxis(x, channel_axis, -1)
    return np.moveaxis(warp(image, linear, offset, fill_mode, cval, order), -1, channel_axis)


def check_interpolation(fill_mode, order):
    """Refuse unknown fill modes, and splines of a higher order than 1."""
    if fill_mode not in FILL_MODES:
        raise ValueError(f"`fill_mode` must be one of {FILL_MODES}. Received: fill_mode={fill_mode!r}")
    if order not in (0, 1):
        raise ValueError(
            f"The interpolation order must be 0 (nearest pixel) or 1 (bilinear). Received: {order!r}. Splines of a "
            "higher order are not built in"
        )


def warp(image, linear, offset, fill_mode="nearest", cval=0.0, order=1):
    """Return the image whose pixel o shows the input at ``linear @ o + offset``, as `scipy.ndimage.affine_transform`.

    Args:
        image: array of shape (height, width, channels).
        linear, offset: arrays of shape (2, 2) and (2,).
    """
    height, width, channels = image.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)
    outside = np.zeros((height, width), bool)
    low, weights = [], []
    for axis, size in enumerate((height, width)):
        place = offset[axis] + linear[axis, 0] * rows + linear[axis, 1] * columns
        if fill_mode == "constant":
            outside |= (place < 0) | (place > size - 1)
        place = _inside(place, size, fill_mode)
        below = np.floor(place if order == 1 else place + 0.5).astype(np.intp)
        low.append(below)
        weights.append(place - below)
    flat = image.reshape(height * width, channels)

    def pixels(row, column):
        # One beyond the image the weight is 0, or the pixel there is a copy of the edge's.
        index = np.clip(low[0] + row, 0, height - 1) * width + np.clip(low[1] + column, 0, width - 1)
        return flat[index.ravel()].reshape(height, width, channels)

    if order == 0:
        result = pixels(0, 0).astype(np.float64)
    else:
        down, right = weights[0][..., None], weights[1][..., None]
        top = pixels(0, 0) * (1 - right) + pixels(0, 1) * right
        bottom = pixels(1, 0) * (1 - right) + pixels(1, 1) * right
        result = top * (1 - down) + bottom * down
    result[outside] = cval
    if image.dtype.kind in "iub":
        result = np.trunc(result + np.copysign(0.5, result))
    return result.astype(image.dtype)


def _inside(place, size, fill_mode):
    """Coordinates of the extended image, mapped to the image's own; half a pixel beyond it for ``"reflect"``."""
    if fill_mode in ("nearest", "constant") or size == 1:
        return np.clip(place, 0, size - 1)
    if fill_mode == "wrap":
        period = size - 1
        return np.where(place < 0, period - -place % period, np.where(place > period, place % period, place))
    place = (place + 0.5) % (2 * size)  # the image and its mirror image, over and over
    return np.minimum(place, 2 * size - place) - 0.5


def apply_channel_shift(x, intensity, channel_axis=0):
    """Return ``x + intensity``, kept between the smallest and the largest value of ``x``."""
    return np.clip(x + np.asarray(intensity, np.result_type(x.dtype, np.float32)), x.min(), x.max())


def apply_brightness_shift(x, brightness, scale=True):
    """Return an image times ``brightness``, rounded down to whole numbers from 0 to 255; an alpha channel stays.

    Args:
        x: image in the order of axes of `config.image_data_format`.
        brightness: 1 changes nothing, 0 is black.
        scale: whether to stretch the values to 0 to 255 before. If not, an image with values outside of that range is
            stretched, and shrunk again after.
    """
    return brighten(x, brightness, scale, -1 if config.image_data_format() == "channels_last" else 0)


def brighten(x, brightness, scale, channel_axis):
    """`apply_brightness_shift` with the channels on a given axis."""
    x = np.asarray(x, config.floatx())
    low, high = x.min(), x.max()
    stretched = low < 0 or high > 255
    levels = x
    if scale or stretched:
        levels = levels - low
        levels = levels / levels.max() * 255 if levels.max() != 0 else levels
    levels = np.trunc(levels).astype(np.float32)
    bright = np.clip(np.trunc(levels * np.float32(brightness)), 0, 255)
    if x.shape[channel_axis] == 4:
        np.moveaxis(bright, channel_axis, -1)[..., 3] = np.moveaxis(levels, channel_axis, -1)[..., 3]
    bright = bright.astype(x.dtype)
    return bright / 255 * (high - low) + low if stretched and not scale else bright


def flip_axis(x, axis):
    """Return ``x`` with an axis reversed."""
    return np.flip(x, axis)


def random_rotation(
    x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Return an image rotated by an angle drawn from [-rg, rg) degrees."""
    theta = config.make_generator().uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Return an image shifted by fractions of its size drawn from [-hrg, hrg) and [-wrg, wrg)."""
    generator = config.make_generator()
    tx = generator.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = generator.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Return an image sheared by an angle drawn from [-intensity, intensity) degrees."""
    shear = config.make_generator().uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Return an image zoomed by two factors drawn from ``zoom_range``, (low, high)."""
    _check_range("zoom_range", zoom_range)
    zx, zy = config.make_generator().uniform(*zoom_range, 2) if tuple(zoom_range) != (1, 1) else (1, 1)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def random_channel_shift(x, intensity_range, channel_axis=0):
    """`apply_channel_shift` by a number drawn from [-intensity_range, intensity_range)."""
    return apply_channel_shift(x, config.make_generator().uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x, brightness_range, scale=True):
    """`apply_brightness_shift` by a factor drawn from ``brightness_range``, (low, high)."""
    _check_range("brightness_range", brightness_range)
    return apply_brightness_shift(x, config.make_generator().uniform(*brightness_range), scale)


def _check_range(name, value):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"`{name}` must be two numbers, (low, high). Received: {name}={value!r}")
