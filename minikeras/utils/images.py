"""Between image files, Pillow's images and arrays. Pillow is an optional extra: ``pip install
'minikeras[image]'``."""

import os

import numpy as np

from minikeras import config
from minikeras.kernels import threads
from minikeras.messages import warn
from minikeras.registry import accepts_old_spellings

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_NAMED = 10  # files in one warning


def pillow(what):
    """Return the module `PIL.Image`, or raise an ImportError that says what needs it and how to get it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"{what} needs Pillow: pip install 'minikeras[image]'") from error
    return Image


@accepts_old_spellings
def array_to_img(x, data_format=None, scale=True, dtype=None):
    """Return an array as a Pillow image.

    Args:
        x: array of shape (height, width, channels) with 1, 3 or 4 channels: gray, RGB or RGBA.
        data_format: ``"channels_last"`` or ``"channels_first"``, (channels, height, width); by default
            `config.image_data_format`.
        scale: whether to stretch the values so that the smallest becomes 0 and the largest 255. Otherwise they are
            taken as they are, cut down to whole numbers.
        dtype: float type to compute in, by default `config.floatx`.

    Raises:
        ImportError: Pillow is not installed. ValueError: an array of another shape.
    """
    data_format = config.standardize_data_format(data_format)
    image = pillow("array_to_img")
    x = np.asarray(x, dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(
            f"`x` must be one image, an array with 3 axes. Received shape: {x.shape}. Of a batch take one: x[0]; gray "
            "images need a channel axis: x[..., None]"
        )
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(
            f"`x` must have 1, 3 or 4 channels. Received: {channels}, in shape {x.shape} (data_format={data_format!r})"
        )
    if scale:
        x = x - x.min()
        largest = x.max()
        x = x / largest * 255 if largest != 0 else x
    if channels == 1:
        x = x[:, :, 0]
    whole = np.int32 if channels == 1 and x.max() > 255 else np.uint8  # Pillow's modes "I" and "L"
    with np.errstate(invalid="ignore"):
        return image.fromarray(np.ascontiguousarray(x.astype(whole)))


@accepts_old_spellings
def img_to_array(img, data_format=None, dtype=None):
    """Return a Pillow image (or anything that NumPy can read as an array) as an array with a channel axis.

    Args:
        img: the image.
        data_format: order of the result's axes, by default `config.image_data_format`.
        dtype: type of the result, by default `config.floatx`.

    Returns:
        array of shape (height, width, channels), or (channels, height, width) for ``"channels_first"``.
    """
    data_format = config.standardize_data_format(data_format)
    x = np.array(img, dtype=dtype or config.floatx())  # a copy: an array that was given stays what it was
    if x.ndim == 2:
        x = x[..., None]
    elif x.ndim != 3:
        raise ValueError(f"`img` must be an image of 2 or 3 axes. Received shape: {x.shape}")
    elif data_format == "channels_first":
        return x.transpose(2, 0, 1)
    return x if data_format == "channels_last" else x.transpose(2, 0, 1)


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Write an array to an image file.

    Args:
        path: path of the file, or an open binary file.
        x, data_format, scale: as in `array_to_img`.
        file_format: such as ``"png"``; by default what the path's ending says. An open file needs it.
        **kwargs: for Pillow's `Image.save`, as ``quality=90``.
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = os.path.splitext(os.fspath(path))[1][1:]
    file_format = (file_format or "").lower() or None
    if file_format == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warn("JPEG files have no alpha channel: the RGBA image is saved as RGB. Save it as .png to keep the alpha")
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    """Read an image file and return it as a Pillow image.

    Args:
        path: path of the file, or an `io.BytesIO` with its content.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``: what the image is converted to. Gray images of 16 or 32
            bits stay what they are.
        target_size: (height, width) to scale the image to, or None for its own.
        interpolation: how to scale: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``, ``"box"`` or
            ``"lanczos"``.
        keep_aspect_ratio: whether to cut the longer side, evenly at both ends, before scaling, rather than to distort.

    Raises:
        ImportError: Pillow is not installed. ValueError, TypeError: a bad argument, before the file is read. OSError:
            no image, with the file's name.
    """
    from io import BytesIO

    image = pillow("load_img")
    if color_mode not in MODES:
        raise ValueError(f"`color_mode` must be 'grayscale', 'rgb' or 'rgba'. Received: color_mode={color_mode!r}")
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"`interpolation` must be one of {', '.join(_INTERPOLATIONS)}. Received: interpolation={interpolation!r}"
        )
    source = path
    if isinstance(path, (str, bytes, os.PathLike)):
        with open(path, "rb") as file:
            path = BytesIO(file.read())
    elif not isinstance(path, BytesIO):
        raise TypeError(f"`path` must be a path or an io.BytesIO. Received: {type(path).__name__}")
    try:
        img = image.open(path)
        img.load()  # what is cut off shows here
        gray = color_mode == "grayscale" and img.mode in ("I;16", "I")
        if img.mode != MODES[color_mode] and not gray:
            img = img.convert(MODES[color_mode])
    except MemoryError:
        raise
    except Exception as error:  # Pillow has many kinds for what is no image, and does not say which file it is
        kind = type(error) if isinstance(error, OSError) else OSError
        reason = "the file is empty" if not path.getbuffer().nbytes else str(error).split(" <_io.")[0]
        named = kind(
            f"`path` must be an image that Pillow reads. Received: path={source!r}: {reason}. Remove the file or mend "
            "it"
        )
        named.reason = reason
        raise named from error
    if target_size is None:
        return img
    height, width = target_size
    if img.size == (width, height):
        return img
    box = None
    if keep_aspect_ratio:
        cut_width = min(img.width, img.height * width // height)
        cut_height = min(img.height, img.width * height // width)
        left, top = (img.width - cut_width) // 2, (img.height - cut_height) // 2
        box = (left, top, left + cut_width, top + cut_height)
    return img.resize((width, height), getattr(image.Resampling, interpolation.upper()), box=box)


def readable(paths, on_error, color_mode):
    """Return the positions of those of the files that can be read as images.

    Args:
        paths: list of paths.
        on_error: ``"raise"`` for all positions: reading will tell. ``"skip"`` to read all files now, on several
            threads, and leave out what is none, with a warning that names the files.
        color_mode: as in `load_img`.

    Raises:
        ValueError: another ``on_error``.
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"`on_error` must be 'raise' or 'skip'. Received: on_error={on_error!r}")
    if on_error == "raise":
        return list(range(len(paths)))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads.num_threads()) as pool:
        errors = list(pool.map(lambda path: _error_of(path, color_mode), paths))
    bad = sorted(f"{path!r} ({error})" for path, error in zip(paths, errors) if error is not None)
    if bad:
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        warn(
            f"{len(bad)} of {len(paths)} files cannot be read as images, and are left out: "
            f"{', '.join(bad[:_NAMED])}{more}"
        )
    return [i for i, error in enumerate(errors) if error is None]


def _error_of(path, color_mode):
    """Return why a file cannot be read as an image, None if it can."""
    try:
        load_img(path, color_mode).close()
    except OSError as error:
        return getattr(error, "reason", error.strerror)
