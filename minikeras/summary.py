"""The table that `Sequential.summary` prints, character for character Keras' own, without its colours."""

import re
import shutil
import sys
import unicodedata

from minikeras import checks

# Left edge, line, divider and right edge of the table's parts; the header is framed in bold.
TOP, HEAD, BELOW_HEAD = "┏━┳┓", "┃ ┃┃", "┡━╇┩"
ROW, BETWEEN, BOTTOM = "│ ││", "├─┼┤", "└─┴┘"
PLAIN = str.maketrans("┏━┳┓┃┡╇┩│├─┼┤└┴┘…", "+-++|+++||-+|+++.")  # for streams that cannot write these


def print_summary(
    model, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False, layer_range=None
):
    """Print a table of a model's layers with their output shapes and numbers of parameters.

    Args:
        model: a built `Sequential`.
        line_length: width of the table, by default 88 (100 with ``show_trainable``) or what the terminal has.
        positions: where the columns end, as shares of the width; [0.45, 0.8, 1.0] by default. More are left unused.
        print_fn: called once with the whole text; by default it is printed.
        expand_nested: whether the layers of models in the model get rows of their own.
        show_trainable: whether there is a column that tells trainable layers (Y) from frozen ones (N).
        layer_range: [first, last]: names of layers, or regular expressions that they match; only these are shown.

    Raises:
        ValueError: the model is not built, or the table is too narrow for its columns.
    """
    checks.check_built(model, "summary")
    columns = shutil.get_terminal_size().columns
    header, alignment = ["Layer (type)", "Output Shape", "Param #"], ["left", "left", "right"]
    positions = list(positions or (0.45, 0.8, 1.0))
    default_length = 88
    if show_trainable:
        header, alignment = [*header, "Trainable"], [*alignment, "center"]
        positions = [0.9 * position for position in positions] + [1.0]
        default_length += 12
    if len(positions) < len(header):
        raise ValueError(f"`positions` must hold {len(header) - show_trainable} numbers. Received: {positions}")
    positions = positions[: len(header)]
    widths = _column_widths(line_length or min(default_length, columns - 4), positions)
    start, stop = _find_range(model.layers, layer_range)
    rows = [row for layer in model.layers[start:stop] for row in _layer_rows(layer, expand_nested, show_trainable)]
    lines = _wrap(f'Model: "{model.name}"', columns, fold=True)
    lines += [_cut(line, columns) for line in _table(header, rows, widths, alignment)]
    for line in _totals(model):
        lines += _wrap(line, columns, fold=True)
    text = "".join(f"{line}\n" for line in lines)
    if print_fn is not None:
        print_fn(text)
    else:
        print(_writable(text), end="")


def _layer_rows(layer, expand_nested, show_trainable, level=0):
    shape = f"({', '.join(map(str, layer.output_shape))})"
    prefix = "   " * level + "└ " if level else ""
    row = [f"{prefix}{layer.name} ({type(layer).__name__})", shape, f"{layer.count_params():,}"]
    if show_trainable:
        row.append("-" if not layer.weights else "Y" if layer.trainable else "N")
    rows = [row]
    if expand_nested:
        for inner in getattr(layer, "layers", ()):
            rows += _layer_rows(inner, expand_nested, show_trainable, level + 1)
    return rows


def _totals(model):
    kinds = {"Trainable params": model.trainable_weights, "Non-trainable params": model.non_trainable_weights}
    if model.optimizer is not None and model.optimizer.built:
        kinds["Optimizer params"] = model.optimizer.variables
    kinds = {"Total params": sum(kinds.values(), []), **kinds}
    for kind, variables in kinds.items():
        count, size = sum(v.size for v in variables), sum(v.value.nbytes for v in variables)
        yield f" {kind}: {count:,} ({_readable(size)})"


def _readable(size):
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def _find_range(layers, layer_range):
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"`layer_range` must hold two names of layers, first and last. Received: {layer_range!r}")
    first, last = ([i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range)
    if not first or not last:
        raise ValueError(
            f"`layer_range` matches no layer. Received: {layer_range!r}. Layers: "
            f"{', '.join(layer.name for layer in layers)}"
        )
    if min(first) > max(last):
        first, last = last, first
    return min(first), max(last) + 1


# The table, laid out as `rich` (which Keras uses) does it.


def _column_widths(line_length, positions):
    """Return the widths of the columns, with a space on either side; frame and columns fill ``line_length``."""
    widths, used = [], 0
    for position in positions:
        width = int(position * line_length) - used
        if width < 4:
            raise ValueError(
                "`line_length` is too small, or `positions` are too close: each column must be 4 characters wide or "
                f"more, one is {width}. Received: line_length={line_length}, positions={positions}"
            )
        widths.append(width + 2)
        used += width
    missing = line_length - (len(widths) + 1) - sum(widths)
    if missing > 0:  # in proportion
        ratios, left = list(widths), sum(widths)
        for i, ratio in enumerate(ratios):
            share = -(-ratio * missing // left)
            widths[i] += share
            missing, left = missing - share, left - ratio
    elif missing < 0:  # evenly
        for i, left in zip(range(len(widths)), range(len(widths), 0, -1)):
            share = min(widths[i], round(-missing / left))
            widths[i] -= share
            missing += share
    return widths


def _table(header, rows, widths, alignment):
    yield _rule(TOP, widths)
    yield from _row(HEAD, header, widths, alignment, bottom=True)
    yield _rule(BELOW_HEAD, widths)
    for i, row in enumerate(rows):
        if i:
            yield _rule(BETWEEN, widths)
        yield from _row(ROW, row, widths, alignment)
    yield _rule(BOTTOM, widths)


def _rule(box, widths):
    left, line, divider, right = box
    return left + divider.join(line * width for width in widths) + right


def _row(box, cells, widths, alignment, bottom=False):
    """Yield the lines of a row, as many as its highest cell has."""
    left, _, divider, right = box
    columns = [
        [f" {_align(line, width - 2, side)} " for line in _wrap(cell, width - 2)]
        for cell, width, side in zip(cells, widths, alignment)
    ]
    height = max(map(len, columns))
    for lines, width in zip(columns, widths):
        blank = [" " * width] * (height - len(lines))
        lines[:] = blank + lines if bottom else lines + blank
    for line in zip(*columns):
        yield left + divider.join(line) + right


def _align(text, width, side):
    if side != "left":
        text = text.rstrip()
    if _cells(text) > width:
        text = _cut(text, width - 1)
        text += " " * (width - 1 - _cells(text)) + "…"  # half of a wide character is a space
    missing = width - _cells(text)
    before = {"left": 0, "center": missing // 2, "right": missing}[side]
    return " " * before + text + " " * (missing - before)


def _wrap(text, width, fold=False):
    """Return the lines of a text that is broken between words; words that are too long are cut if ``fold``."""
    lines, line = [], ""
    for word in re.findall(r"\s*\S+\s*", text):
        length = _cells(word.rstrip())
        if line and _cells(line) + length > width:
            lines.append(line)
            line = ""
        while fold and length > width:
            lines.append(_cut(word, width))
            word = word[len(lines[-1]) :]
            length = _cells(word.rstrip())
        line += word
    return [_strip_end(line, width) for line in [*lines, line]]


def _strip_end(line, width):
    """Take off the spaces at the end that do not fit."""
    excess = max(0, len(line) - width)
    spaces = len(line) - len(line.rstrip())
    return line[: len(line) - min(excess, spaces)]


def _cells(text):
    """Return how many columns of a terminal the text takes."""
    return len(text) if text.isascii() else sum(_cell(character) for character in text)


def _cell(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text, width):
    """Return the beginning of the text that takes at most ``width`` columns."""
    while text and _cells(text) > width:
        text = text[:-1]
    return text


def _writable(text):
    """Return the text with the frame in ASCII if the standard output cannot write it."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    return text
