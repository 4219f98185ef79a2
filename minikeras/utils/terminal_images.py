"""Images as text: a ramp of characters for files and plain terminals, coloured half blocks where there are colours.

A character is about twice as high as it is wide, so a row of text stands for two rows of square pixels.
"""

import os
import sys

import numpy as np

from minikeras import config
from minikeras.kernels import resize

RAMP = " .:-=+*#%@"  # from dark to bright, as on a dark background
MODES = ("auto", "ascii", "256", "truecolor")
_GRAY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_LEVELS = np.array([0, 95, 135, 175, 215, 255])  # of the cube of 6 x 6 x 6 among a terminal's 256 colours


def image_to_ascii(image, width=None, data_format=None, ramp=RAMP, invert=False):
    """Return an image as lines of characters, brighter pixels as denser ones.

    Args:
        image: array (height, width), or with 1, 3 or 4 channels last or first: gray, RGB or RGBA, whose transparency
            is shown as black. Whole numbers count from 0 to 255, floats from 0 to 1, and bools are 0 or 1.
        width: number of characters in a line, by default that of the terminal.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default the axis that has 1, 3 or 4 entries holds
            the channels, the last one if both do.
        ramp: string of two or more characters, from dark to bright.
        invert: whether to turn the ramp round, for dark letters on a bright background.

    Returns:
        string; as many lines as keep the image's proportions.

    Raises:
        ValueError: an array that is no image (a batch, for one), values outside of the range, NaN.
    """
    pixels = _standardize_image(image, data_format)
    if not isinstance(ramp, str) or len(ramp) < 2:
        raise ValueError(f"`ramp` must be a string of two or more characters, dark ones first. Received: {ramp!r}")
    height, width = _text_size(pixels, width, rows_in_a_line=2)
    shades = _resized(pixels @ _GRAY, (max(1, round(height / 2)), width)).round(9)  # a half, not a little less
    indices = np.minimum((shades * len(ramp)).astype(int), len(ramp) - 1)
    letters = np.array(list(ramp[::-1] if invert else ramp))
    return "\n".join("".join(line) for line in letters[indices])


def show_image_terminal(
    image, label=None, prediction=None, width=None, mode="auto", class_names=None, data_format=None, file=None
):
    """Print an image, and its label and prediction below: in colour where the terminal has colours.

    Args:
        image, width, data_format: as in `image_to_ascii`.
        label: name, or number, of the true class.
        prediction: name or number of the predicted class; a pair of it and its probability; or an array of the
            probabilities of all classes, a row of what `predict` returns; one alone is that of the second of two.
        mode: ``"truecolor"`` for half blocks in 24-bit colours, ``"256"`` in a terminal's 256 colours, ``"ascii"``.
            By default what the terminal has: colours unless the output goes to a file, the variable NO_COLOR is set,
            TERM is ``dumb``, or the encoding has no half block; all of them if COLORTERM says so.
        class_names: list of the names of classes, for numbers.
        file: where to print, by default `sys.stdout`.

    Raises:
        ValueError: as in `image_to_ascii`, or an argument that cannot be used; nothing is printed then.
    """
    file = sys.stdout if file is None else file
    if mode not in MODES:
        raise ValueError(f"`mode` must be one of {', '.join(map(repr, MODES))}. Received: mode={mode!r}")
    caption = _caption(label, prediction, class_names)
    mode = _mode_of(file) if mode == "auto" else mode
    if mode == "ascii":
        text = image_to_ascii(image, width, data_format)
    else:
        text = _half_blocks(_standardize_image(image, data_format), width, mode)
    print(f"{text}\n{caption}" if caption else text, file=file)


def _standardize_image(image, data_format):
    """Return an image as RGB, floats (height, width, 3) in [0, 1]."""
    x = np.asarray(image)
    if data_format is not None:
        data_format = config.standardize_data_format(data_format)
    if x.dtype.kind not in "buif":
        raise TypeError(f"`image` must be an array of numbers. Received dtype: {x.dtype}")
    if x.ndim == 2:
        x = x[..., None]
    elif x.ndim == 3:
        first = data_format is None and x.shape[2] not in (1, 3, 4) and x.shape[0] in (1, 3, 4)
        x = np.moveaxis(x, 0, -1) if first or data_format == "channels_first" else x
    if x.ndim != 3 or x.shape[2] not in (1, 3, 4) or 0 in x.shape:
        raise ValueError(
            "`image` must be one image, (height, width) or with 1, 3 or 4 channels last or first. Received shape: "
            f"{np.shape(image)}. Of a batch take one: x[0]"
        )
    top = 1 if x.dtype.kind in "fb" else 255
    x = x.astype("float64")
    if not np.isfinite(x).all():
        raise ValueError(f"`image` must be finite. Received {np.count_nonzero(~np.isfinite(x))} values that are not")
    if x.min() < 0 or x.max() > top:
        hint = "divide by 255" if top == 1 and x.min() >= 0 else "scale it: (x - x.min()) / (x.max() - x.min())"
        raise ValueError(
            f"`image` must have values from 0 to {top} for dtype {np.asarray(image).dtype}. Received values from "
            f"{x.min():g} to {x.max():g}: {hint}"
        )
    x /= top
    if x.shape[2] == 4:
        x = x[..., :3] * x[..., 3:]
    return np.broadcast_to(x, (*x.shape[:2], 3))


def _text_size(pixels, width, rows_in_a_line):
    """Return height and width in characters' widths, which fit the terminal if ``width`` is None."""
    if width is not None and (isinstance(width, bool) or not isinstance(width, (int, np.integer)) or width < 1):
        raise ValueError(f"`width` must be a positive number of characters, or None. Received: width={width!r}")
    height, given = pixels.shape[:2]
    if width is None:
        import shutil

        size = shutil.get_terminal_size()
        width = size.columns - 1  # a full line makes some terminals begin another one
        width = max(1, min(width, int((size.lines - 2) * rows_in_a_line * given / height)))
    return max(1, round(width * height / given)), int(width)


def _resized(x, size):
    """Means over what a pixel of the result covers where the image shrinks; where it grows, its own pixels."""
    for axis, n_out in enumerate(size):
        interpolation = "area" if n_out < x.shape[axis] else "nearest"
        sizes = [n_out if i == axis else n for i, n in enumerate(x.shape[:2])]
        x = resize.apply(x.reshape(1, *x.shape[:2], -1), sizes, interpolation).reshape(*sizes, *x.shape[2:])
    return np.clip(x, 0, 1)


def _half_blocks(pixels, width, mode):
    """Two rows of pixels a line: the upper one in the colour of the letter, the lower one in that behind it."""
    height, width = _text_size(pixels, width, rows_in_a_line=2)
    height += height % 2
    colors = np.rint(_resized(pixels, (height, width)) * 255).astype(int)
    codes = _codes_256(colors) if mode == "256" else [[f"2;{r};{g};{b}" for r, g, b in row] for row in colors]
    lines = []
    for upper, lower in zip(codes[::2], codes[1::2]):
        line, before = [], None
        for pair in zip(upper, lower):
            line.append("▀" if pair == before else f"\x1b[38;{pair[0]};48;{pair[1]}m▀")
            before = pair
        lines.append("".join(line) + "\x1b[0m")
    return "\n".join(lines)


def _codes_256(colors):
    """The nearest of the cube's colours and of the 24 grays."""
    steps = np.abs(colors[..., None] - _LEVELS).argmin(axis=-1)
    gray = np.clip(np.rint((colors.mean(axis=-1) - 8) / 10), 0, 23).astype(int)
    cube_error = np.square(colors - _LEVELS[steps]).sum(axis=-1)
    gray_error = np.square(colors - (8 + 10 * gray)[..., None]).sum(axis=-1)
    numbers = np.where(gray_error < cube_error, 232 + gray, 16 + steps @ [36, 6, 1])
    return [[f"5;{number}" for number in row] for row in numbers]


def _mode_of(file):
    """What the place that is printed to can show: no-color.org, and COLORTERM as most terminals set it."""
    isatty = getattr(file, "isatty", None)
    term = os.environ.get("TERM", "")
    if os.environ.get("NO_COLOR") or isatty is None or not isatty() or term == "dumb":
        return "ascii"
    try:
        "▀".encode(getattr(file, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "ascii"
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return "truecolor"
    return "256" if "256color" in term else "ascii"


def _caption(label, prediction, class_names):
    parts = [] if label is None else [f"label: {_name(label, class_names, 'label')}"]
    if prediction is not None:
        probability = None
        if isinstance(prediction, (tuple, list)) and len(prediction) == 2 and _is_class(prediction[0]):
            prediction, probability = prediction
        elif np.ndim(prediction):
            prediction, probability = _most_probable(np.asarray(prediction))
        text = f"prediction: {_name(prediction, class_names, 'prediction')}"
        parts.append(text if probability is None else f"{text} ({_percentage(probability)})")
    return "   ".join(parts)


def _most_probable(row):
    """Return the class and its probability; a single one is that of the second of two classes."""
    if row.ndim != 1 or row.dtype.kind != "f" or not row.size:
        raise ValueError(
            "`prediction` must be a class, a pair (class, probability), or the probabilities of one image, "
            f"a row of what predict() returns. Received shape: {row.shape}, dtype: {row.dtype}"
        )
    if row.size == 1:
        row = np.array([1 - row[0], row[0]])
    return int(row.argmax()), row.max()


def _percentage(probability):
    if not 0 <= probability <= 1.0001:
        raise ValueError(
            f"`prediction` must have probabilities in [0, 1]. Received {probability:.4g}: of logits take "
            "keras.activations.softmax(logits)"
        )
    return f"{float(probability):.1%}"


def _is_class(value):
    return isinstance(value, (str, int, np.integer))


def _name(value, class_names, argument):
    if isinstance(value, str):
        return value
    number = np.asarray(value)
    if number.size != 1 or number.dtype.kind not in "biu":
        raise ValueError(
            f"`{argument}` must be the name or the number of a class. Received shape: {number.shape}, dtype: "
            f"{number.dtype}. Of a one-hot row take its argmax()"
        )
    number = int(number.item())  # also of the shape (1,), as CIFAR's labels have it
    if class_names is None:
        return str(number)
    if not 0 <= number < len(class_names):
        raise ValueError(
            f"`class_names` must have a name for each class. Received {len(class_names)} names, and the class {number}"
        )
    return str(class_names[number])
