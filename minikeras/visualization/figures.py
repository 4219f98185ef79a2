"""What all pictures have in common: an empty figure, its file, grids of images, the forms in which images come."""

import math
import os

import numpy as np

from minikeras import config

DPI = 120
COLORS = {"training": "#1f77b4", "validation": "#d95f02", "wrong": "#c00000"}


def new_figure(width, height):
    """Return a figure of that size in inches, made without pyplot, which would look for a display and keep it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("minikeras.visualization needs matplotlib: pip install 'minikeras[plot]'") from error
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def finish(figure, path):
    """Write the figure to ``path`` (PNG, unless its ending says otherwise) if there is one, and return it."""
    from minikeras.saving.atomic import replacing

    if path is None:
        return figure
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"`path` must be the name of a file. Received: {path!r}")
    path = os.fspath(path)
    extension = os.path.splitext(path)[1][1:].lower() or "png"
    known = figure.canvas.get_supported_filetypes()
    if extension not in known:
        endings = ", ".join(f".{name}" for name in sorted(known))
        raise ValueError(f"`path` must end in one of {endings}. Received: {path!r}")
    with replacing(path) as temporary:
        figure.savefig(temporary, format=extension, dpi=DPI)
    return figure


def grid_of_axes(figure, count, columns):
    """Return ``count`` axes in rows of ``columns``, without ticks; what is left over in the last row stays empty."""
    rows = -(-count // columns)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for each in axes[:count]:
        each.set(xticks=[], yticks=[])
    for each in axes[count:]:
        each.set_axis_off()
    return axes[:count]


def best_columns(count, columns):
    """Return how many images go in a row: as given, else so that the grid is wider than high and has few gaps."""
    if columns is not None:
        return min(count, check_count(columns, "columns"))
    wanted = (count * 1.6) ** 0.5
    choices = range(max(1, math.ceil(count**0.5)), min(count, math.ceil(1.5 * wanted)) + 1)
    return min(choices, key=lambda n: (-count % n, abs(n - wanted)))


def show_image(axes, picture):
    """Draw what `to_pictures` returned: (height, width) in grey, (height, width, 3 or 4) in colour."""
    grey = {"cmap": "gray", "vmin": 0, "vmax": 1} if picture.ndim == 2 else {}
    axes.imshow(picture, interpolation="nearest", **grey)


def to_pictures(images, argument="images", data_format=None):
    """Return images as matplotlib draws them: (count, height, width[, 3 or 4]), in [0, 1], channels last.

    Bytes and floats of 0 to 255 are divided by 255; with negative numbers among them, as after standardizing, the
    smallest becomes black and the largest white.
    """
    images = to_numbers(images, argument)
    expected = "an array (images, height, width) or (images, height, width, channels) with 1, 3 or 4 channels"
    if images.ndim not in (3, 4) or not images.size:
        raise ValueError(f"`{argument}` must be {expected}, at least one. Received shape {images.shape}")
    if images.ndim == 4:
        first = config.standardize_data_format(data_format) == "channels_first"
        fits = {True: images.shape[1] in (1, 3, 4), False: images.shape[-1] in (1, 3, 4)}
        if data_format is None and fits[not first] and not fits[first]:
            first = not first
        images = np.moveaxis(images, 1, -1) if first else images
        if images.shape[-1] not in (1, 3, 4):
            raise ValueError(f"`{argument}` must be {expected}. Received {images.shape[-1]} channels")
        images = images[..., 0] if images.shape[-1] == 1 else images
    is_byte, images = images.dtype == np.uint8, images.astype("float64")
    low, high = images.min(), images.max()
    if is_byte or low >= 0 and 1 < high <= 255:
        return images / 255
    if low >= 0 and high <= 1:
        return images
    return (images - low) / (high - low) if high > low else np.full_like(images, 0.5)


def to_numbers(values, argument):
    """Return an array of finite numbers."""
    try:
        values = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"`{argument}` must be an array of equally long rows: {error}") from None
    if values.dtype.kind not in "biuf":
        raise TypeError(f"`{argument}` must hold real numbers. Received dtype {values.dtype}")
    if not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))
        raise ValueError(
            f"`{argument}` must hold finite numbers. Received {len(bad)} that are not, the first at {bad[0].tolist()}"
        )
    return values


def check_count(value, argument, most=None):
    """Return ``value`` as an int; ValueError unless it is a whole number from 1 to ``most``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"`{argument}` must be a positive integer, as 8. Received: {argument}={value!r}")
    if most is not None and value > most:
        raise ValueError(f"`{argument}` must be at most {most}. Received: {argument}={value!r}")
    return int(value)
