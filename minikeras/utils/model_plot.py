"""A model as a picture: its layers as boxes, one after the other. Drawn by matplotlib: ``pip install
'minikeras[plot]'``.

Lengths are in points (1/72 inch), y goes down. Each `Box`, and each `Chain` of them, knows its size, is moved to its
place, and then drawn.
"""

import os

from minikeras.messages import warn

BODY, HEAD = 14, 16  # sizes of the letters
PADDING = 10  # around a cell's text
GAP = 36  # between two boxes: an arrow's length
MARGIN = 8  # around the picture and inside a group's frame
LARGEST = 65000  # pixels in a row; matplotlib draws no more
DIRECTIONS = ("TB", "BT", "LR", "RL")


def plot_model(
    model, to_file="model.png", show_shapes=False, show_dtype=False, show_layer_names=False, rankdir="TB",
    expand_nested=False, dpi=200, show_layer_activations=False, show_trainable=False, splines="ortho", **kwargs,
):  # fmt: skip
    """Draw a model's layers as boxes joined by arrows, and save the picture.

    Args:
        model: a built model.
        to_file: path. Its ending says the format: .png, .svg, .pdf, .jpg and what else matplotlib writes; PNG without.
        show_shapes: whether to write the shapes of each layer's inputs and outputs.
        show_dtype: whether to write the type of the outputs.
        show_layer_names: whether to write the layers' names.
        rankdir: where the layers go: ``"TB"`` from top to bottom, ``"LR"`` from left to right, ``"BT"`` or ``"RL"``.
        expand_nested: whether to draw the layers of models in the model, in a frame.
        dpi: pixels an inch. A text is about a fifth of an inch high.
        show_layer_activations: whether to write the activation of the layers that have one.
        show_trainable: whether to say which layers with weights are trained.
        splines: how arrows bend: accepted for Keras' sake, they are straight.

    Returns:
        an `IPython.display.Image` (of .svg files `SVG`, of .pdf none) where IPython is installed; otherwise the
        matplotlib figure.

    Raises:
        ValueError: the model is not built; an unknown format or direction. ImportError: matplotlib is not installed.
    """
    from minikeras import checks
    from minikeras.models import Model
    from minikeras.saving.atomic import replacing

    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("`layer_range` is no longer supported, as in Keras: plot a model of those layers")
    if kwargs:
        raise ValueError(f"`plot_model` got unknown arguments: {', '.join(sorted(kwargs))}")
    if not isinstance(model, Model):
        raise ValueError(f"`model` must be a model, as keras.Sequential makes one. Received: {model!r}")
    checks.check_built(model, "plot_model")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"`rankdir` must be one of {DIRECTIONS}. Received: {rankdir!r}")
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not 0 < dpi < LARGEST:
        raise ValueError(f"`dpi` must be a positive number, as 200. Received: {dpi!r}")
    draw = Drawing()
    to_file = os.fspath(to_file)
    extension = os.path.splitext(to_file)[1][1:].lower() or "png"
    if extension not in draw.formats:
        raise ValueError(
            f"`to_file` must end in one of {', '.join(f'.{name}' for name in sorted(draw.formats))}. "
            f"Received: {to_file!r}"
        )
    options = {
        "show_shapes": show_shapes, "show_dtype": show_dtype, "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations, "show_trainable": show_trainable,
    }  # fmt: skip
    chain = Chain(draw, model, rankdir, expand_nested, options)
    chain.move(MARGIN, MARGIN)
    chain.draw()
    figure = draw.finish(chain.width + 2 * MARGIN, chain.height + 2 * MARGIN, dpi)
    with replacing(to_file) as temporary:
        draw.save(temporary, extension)
    return _image(to_file, extension, figure)


def _image(path, extension, figure):
    try:
        from IPython import display
    except ImportError:
        return figure
    if extension == "pdf":
        return None
    return display.SVG(filename=path) if extension == "svg" else display.Image(filename=path)


class Drawing:
    """What is drawn on: measures texts, and collects rectangles, texts and arrows."""

    def __init__(self):
        try:
            from matplotlib.figure import Figure
            from matplotlib.font_manager import FontProperties
            from matplotlib.textpath import TextToPath
        except ImportError as error:
            raise ImportError("plot_model needs matplotlib: pip install 'minikeras[plot]'") from error
        self.figure = Figure()
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.formats = set(self.figure.canvas.get_supported_filetypes())
        self._fonts = {
            (size, bold): FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
            for size in (BODY, HEAD)
            for bold in (False, True)
        }
        self._measure = TextToPath().get_text_width_height_descent

    def width(self, text, size, bold):
        """Return the width of a text, spaces at its ends included."""
        return self._measure(text, self._fonts[size, bold], ismath=False)[0]

    def rectangle(self, x, y, width, height, **style):
        from matplotlib.patches import Rectangle

        self.axes.add_patch(Rectangle((x, y), width, height, **style))

    def text(self, x, y, text, size, bold, color):
        """Write a text that begins at x; y is its middle."""
        self.axes.text(
            x, y, text, fontproperties=self._fonts[size, bold], color=color, va="center_baseline", parse_math=False
        )

    def arrow(self, start, end):
        from matplotlib.patches import FancyArrowPatch

        self.axes.add_patch(
            FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=16, lw=2, color="black", shrinkA=0, shrinkB=0)
        )

    def finish(self, width, height, dpi):
        """Return the figure, of the given size."""
        longest = max(width, height) / 72
        if longest * dpi > LARGEST:
            smaller = int(LARGEST / longest)
            warn(f"`dpi`={dpi} would make a picture of more than {LARGEST} pixels a side: {smaller} is used")
            dpi = smaller
        self.figure.set_size_inches(width / 72, height / 72)
        self.figure.set_dpi(dpi)
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(height, 0)
        return self.figure


    def save(self, path, extension):
        """Write the picture. Letters are not fitted to pixels, which would make texts wider than they were measured."""
        import matplotlib

        with matplotlib.rc_context({"text.hinting": "none"}):
            self.figure.savefig(path, format=extension, dpi=self.figure.dpi)


class Box:
    """A layer: rows of cells; a cell is a text of parts (text, bold) and its colours.

    Attributes:
        width, height: of the whole.
        axis: (x, y) of the point, seen from the left upper corner, that is on the line that joins the boxes.
    """

    def __init__(self, draw, layer, show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable):
        kind = type(layer).__name__
        title = [(layer.name, True), (f" ({kind})", False)] if show_layer_names else [(kind, True)]
        self.canvas, self.rows = draw, [(HEAD, [(title, "black", "white")])]
        activation = getattr(layer, "activation", None)
        if show_layer_activations and activation is not None:
            self._add_row([("Activation: ", _name(activation))])
        cells = []
        if show_shapes:
            if kind != "InputLayer":
                cells.append(("Input shape: ", _shape(layer, "input_shape")))
            cells.append(("Output shape: ", _shape(layer, "output_shape")))
        if show_dtype:
            cells.append(("Output dtype: ", layer.dtype))
        trains = show_trainable and bool(layer.weights)
        if cells or trains:
            self._add_row(cells)
        if trains:
            text, color = ("Trainable", "forestgreen") if layer.trainable else ("Non-trainable", "firebrick")
            self.rows[-1][1].append(([(text, True)], color, "white"))
        self.widths = [[self._cell_width(parts, size) for parts, *_ in cells] for size, cells in self.rows]
        self.heights = [size * 1.2 + 2 * PADDING for size, _ in self.rows]
        self.width, self.height = max(map(sum, self.widths)), sum(self.heights)
        self.axis = self.width / 2, self.height / 2
        self.first = self.last = self

    def _add_row(self, pairs):
        self.rows.append((BODY, [([(label, False), (value, True)], "white", "black") for label, value in pairs]))

    def _cell_width(self, parts, size):
        return sum(self.canvas.width(text, size, bold) for text, bold in parts) + 2 * PADDING

    def move(self, x, y):
        """Let the left upper corner be there."""
        self.x, self.y = x, y

    def draw(self):
        y = self.y
        for (size, cells), widths, height in zip(self.rows, self.widths, self.heights):
            spare = (self.width - sum(widths)) / len(cells)
            x = self.x
            for (parts, background, color), width in zip(cells, widths):
                self.canvas.rectangle(x, y, width + spare, height, facecolor=background, edgecolor="black", linewidth=1)
                start = x + spare / 2 + PADDING
                for text, bold in parts:
                    self.canvas.text(start, y + height / 2, text, size, bold, color)
                    start += self.canvas.width(text, size, bold)
                x += width + spare
            y += height


class Chain:
    """The layers of a model in a row, joined by arrows; of a model in another, with a frame and its name.

    Attributes: as of `Box`; first, last: the boxes at the ends.
    """

    def __init__(self, draw, model, rankdir, expand_nested, options, framed=False):
        from minikeras.models import Model

        self.canvas, self.rankdir, self.label = draw, rankdir, model.name if framed else None
        self.items = [
            Chain(draw, layer, rankdir, True, options, framed=True)
            if expand_nested and isinstance(layer, Model)
            else Box(draw, layer, **options)
            for layer in model.layers
        ]
        self.first, self.last = self.items[0].first, self.items[-1].last
        name_width = 2 * MARGIN + draw.width(model.name, BODY, False) if framed else 0
        sides, top = (2 * MARGIN, BODY * 1.2 + 3 * MARGIN) if framed else (0, 0)
        vertical = self._is_vertical()
        sizes = [(item.width, item.height) for item in self.items]
        length = sum(size[vertical] for size in sizes) + GAP * (len(sizes) - 1)
        before = max(item.axis[not vertical] for item in self.items)
        after = max(size[not vertical] - item.axis[not vertical] for size, item in zip(sizes, self.items))
        if vertical:
            left = max(before + sides, name_width)  # the arrow runs beside the name, not through it
            self.width, self.height = left + after + sides, top + length + sides
            self.axis, self._start = (left, self.height / 2), top
        else:
            self.width = max(length + 2 * sides, name_width)
            self.height = top + before + after + sides
            self.axis, self._start = (self.width / 2, top + before), (self.width - length) / 2

    def _is_vertical(self):
        return self.rankdir in ("TB", "BT")

    def move(self, x, y):
        """Put the items on the axis, and the left upper corner of it all at (x, y)."""
        self.x, self.y = x, y
        position = self._start
        for item in self.items if self.rankdir in ("TB", "LR") else self.items[::-1]:
            if self._is_vertical():
                item.move(x + self.axis[0] - item.axis[0], y + position)
                position += item.height + GAP
            else:
                item.move(x + position, y + self.axis[1] - item.axis[1])
                position += item.width + GAP

    def draw(self):
        if self.label is not None:
            self.canvas.rectangle(self.x, self.y, self.width, self.height, fill=False, linestyle="--", linewidth=1)
            middle = self.y + MARGIN + BODY * 0.6
            self.canvas.text(self.x + MARGIN, middle, self.label, BODY, False, "black")
        for item in self.items:
            item.draw()
        for one, next_one in zip(self.items, self.items[1:]):
            self.canvas.arrow(self._end(one.last, "leaves"), self._end(next_one.first, "enters"))

    def _end(self, box, way):
        """The point where arrows leave or enter a box."""
        forward = self.rankdir in ("TB", "LR")
        far = forward == (way == "leaves")
        if self._is_vertical():
            return box.x + box.width / 2, box.y + (box.height if far else 0)
        return box.x + (box.width if far else 0), box.y + box.height / 2


def _shape(layer, which):
    try:
        return str(tuple(getattr(layer, which)))
    except AttributeError:
        return "?"


def _name(activation):
    for attribute in ("name", "__name__"):
        if isinstance(getattr(activation, attribute, None), str):
            return getattr(activation, attribute)
    return str(activation)
