"""Images of any size to one size: stretched, cut or padded. Axes are (..., height, width, channels)."""

import numpy as np

from minikeras import config
from minikeras.kernels import resize


def _gaussian(x):
    return np.where(x < 1.5, np.exp(-2 * x * x), 0)  # sigma = 1/2


def _mitchell(x):
    """Mitchell and Netravali 1988, with B = C = 1/3."""
    near = (7 * x - 12) * x * x / 6 + 16 / 18
    far = ((-7 * x / 18 + 2) * x - 10 / 3) * x + 16 / 9
    return np.where(x < 1, near, np.where(x < 2, far, 0))


_KERNELS = {**resize.KERNELS, "gaussian": _gaussian, "mitchellcubic": _mitchell}  # two more than the layers have
_RADII = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5, "gaussian": 2, "mitchellcubic": 2}
INTERPOLATIONS = ("nearest", "area", *_KERNELS)


def smart_resize(x, size, interpolation="bilinear", data_format="channels_last", **kwargs):
    """Scale images without distortion: the longer side is cut, evenly at both ends, before.

    Args:
        x: array of shape (height, width, channels) or (batch, height, width, channels).
        size: (height, width) of the result.
        interpolation: one of `INTERPOLATIONS`, without antialiasing.
        data_format: order of the axes of ``x`` and of the result.

    Returns:
        array of the type of ``x``; whole numbers are rounded.
    """
    kwargs.pop("backend_module", None)
    if kwargs:
        raise TypeError(f"smart_resize() got unexpected keyword arguments: {', '.join(kwargs)}")
    if len(size) != 2:
        raise ValueError(f"`size` must be (height, width). Received: {size!r}")
    x = np.asarray(x)
    if x.ndim not in (3, 4):
        raise ValueError(
            "`x` must be an image (height, width, channels) or a batch of them. Received an array of shape "
            f"{x.shape}" + (": add a channel axis, x[..., None]" if x.ndim == 2 else "")
        )
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"`interpolation` must be one of {INTERPOLATIONS}. Received: {interpolation!r}")
    first = config.standardize_data_format(data_format) == "channels_first"
    images = np.moveaxis(x, -3, -1) if first else x
    whole = x.dtype.kind in "iub"
    images = resized(crop(images, size).astype(np.float32 if whole else x.dtype), size, interpolation)
    if whole:
        limits = np.iinfo(np.uint8 if x.dtype == bool else x.dtype)
        images = np.clip(np.rint(images), limits.min, limits.max).astype(x.dtype)
    return np.moveaxis(images, -1, -3) if first else images


def crop(images, size):
    """Return the largest part from the middle with the proportions of ``size``."""
    (height, width), (new_height, new_width) = images.shape[-3:-1], size
    rows = max(min(height, width * new_height // new_width), 1)
    columns = max(min(width, height * new_width // new_height), 1)
    top, left = (height - rows) // 2, (width - columns) // 2
    return images[..., top : top + rows, left : left + columns, :]


def pad(image, size):
    """Return an image with bars of zeros at both ends of what is too short for the proportions of ``size``."""
    (height, width), (new_height, new_width) = image.shape[:2], size
    top = (max(height, width * new_height // new_width) - height) // 2
    left = (max(width, height * new_width // new_height) - width) // 2
    return np.pad(image, ((top, top), (left, left), (0, 0)))


def resized(images, size, interpolation):
    """Return images of floats stretched to ``size``."""
    *batch, height, width, channels = images.shape
    images = _along(images.reshape(*batch, height, width * channels), -2, size[0], 1, interpolation)
    images = _along(images, -1, size[1], channels, interpolation)
    return np.ascontiguousarray(images).reshape(*batch, *size, channels)


def _along(x, axis, new, channels, interpolation):
    """Return ``x`` with one axis, of pixels and then their channels, stretched to ``new`` pixels."""
    old = x.shape[axis] // channels
    if old == new:
        return x
    places, weights = _taps(old, new, interpolation)
    places = (places[..., None] * channels + np.arange(channels)).reshape(len(places), -1)
    if weights is None:
        return x.take(places[0], axis)
    weights = weights.repeat(channels, axis=1).astype(x.dtype)
    result = 0
    for place, weight in zip(places, weights):
        part = x.take(place, axis)
        part *= weight[:, None] if axis == -2 else weight
        result = np.add(result, part, out=part)
    return result


def _taps(old, new, interpolation):
    """Return the positions of the old pixels that make each new one, and their weights, both (taps, new).

    The few that count in place of `resize.matrix`, whose products with single images of many sizes take far longer.
    """
    outputs = np.arange(new)
    if interpolation == "nearest":
        return resize.nearest(old, new)[None], None
    if interpolation == "area":
        places = outputs * old // new + np.arange(-(-old // new) + 1)[:, None]
        weights = resize.overlap(outputs * old, places * new, old, new)
    else:
        radius, centres = _RADII[interpolation], (outputs + 0.5) * (old / new) - 0.5
        places = np.floor(centres).astype(np.intp) + np.arange(1 - radius, radius + 1)[:, None]
        weights = _KERNELS[interpolation](np.abs(centres - places))
    weights = np.where((places >= 0) & (places < old), weights, 0)
    used = weights.any(axis=1)
    places, weights = places[used].clip(0, old - 1), weights[used]
    return places, weights / weights.sum(axis=0)
