"""What convolutions have learned: their kernels, and what layers make of an image, a sequence or a volume."""

import math

import numpy as np

from minikeras.layers.convolution import BaseConv
from minikeras.layers.depthwise_convolution import DepthwiseConv
from minikeras.layers.transposed_convolution import ConvTranspose
from minikeras.visualization.figures import best_columns, check_count, finish, grid_of_axes, new_figure
from minikeras.visualization.looking import CopiedModel, channels_last, find_layer, one_sample

MOST_CHANNELS = 16  # of a kernel, side by side


def plot_filters(layer, max_filters=32, columns=None, path=None):
    """Draw the kernels of a convolution: red is positive, blue negative, white 0.

    Of two axes: kernels of one channel, and of a depthwise convolution, fill a grid; those of three are drawn in
    colours, where 0 is the middle grey; of others each has a row, with its first 16 channels. Of one axis: a grid of
    kernels, each with its steps from left to right and its first 16 channels from top to bottom; if there is one
    channel, a single picture with a row for each filter. Of three axes: each has a row, with its slices, channel by
    channel. A separable convolution is drawn as the depthwise one beside the matrix that mixes its outputs; a window of
    one place is such a matrix, too.

    Args:
        layer: a convolution of one to three axes, transposed, depthwise or separable ones included, built.
        max_filters: how many to draw, from the first on.
        columns: kernels in a row of the grid.
        path: file to write to, or None.

    Raises:
        TypeError: no such layer. ValueError: it is not built.
    """
    max_filters = check_count(max_filters, "max_filters")
    if not isinstance(layer, BaseConv):
        raise TypeError(
            "`layer` must be a convolution, as Conv1D, Conv2DTranspose or SeparableConv2D: others have no windows. "
            f"Received: {layer!r:.200}"
        )
    if not layer.built:
        raise ValueError(f"Layer {layer.name!r} is not built, so it has no kernels yet: build the model it is part of")
    pointwise = getattr(layer, "pointwise_kernel", None)
    weight = layer.kernel if pointwise is None else layer.depthwise_kernel
    kernel = weight.numpy()  # (window, channels, filters), the window of one to three axes
    if isinstance(layer, ConvTranspose):
        kernel = kernel.swapaxes(-2, -1)
    if pointwise is not None or isinstance(layer, DepthwiseConv):
        kernel = kernel.reshape(*kernel.shape[: layer.rank], 1, -1)
    drawn = min(kernel.shape[-1], max_filters)
    heading = f"{layer.name}: {weight.name} {weight.shape}"
    if drawn < kernel.shape[-1]:
        heading += f", the first {drawn}"
    sheet = _kernel_sheet(kernel[..., :drawn], columns, heading)
    if pointwise is None:
        return finish(_drawn(sheet), path)
    matrix = pointwise.numpy().reshape(-1, layer.filters)[:drawn, :max_filters]
    heading = f"{pointwise.name} {pointwise.shape}"
    return finish(_drawn(sheet, Matrix(matrix, "filter", "depthwise kernel", heading, **_signed(matrix))), path)


def plot_feature_maps(model, image, layer=None, max_maps=32, columns=None, path=None):
    """Draw what a layer puts out for an image, channel by channel, all on one scale.

    Of a sequence the channels are rows of a single picture; of a volume each channel has a row with its slices.

    Args:
        model: a built model.
        image: one image (or sequence, or volume) as the model takes it, with or without a batch axis of size 1.
        layer: a layer, its name or its index in ``model.layers``; by default the first convolution.
        max_maps: how many channels to draw, from the first on.
        columns: maps in a row.
        path: file to write to, or None.

    Raises:
        TypeError: no model. ValueError: the model is not built or has no such layer, the shape of the image, or a layer
            that puts out neither maps nor sequences.
    """
    max_maps = check_count(max_maps, "max_maps")
    image = one_sample(model, image, "plot_feature_maps")
    place = find_layer(model, layer, ranks=(1, 2, 3), first=True)
    maps = channels_last(model, place, CopiedModel(model, image, place).hidden[0])
    heading = f"{model.stack.layers[place].name}: output {maps.shape}"
    if max_maps < maps.shape[-1]:
        heading += f", the first {max_maps}"
    maps = np.moveaxis(maps, -1, 0)[:max_maps]
    scale = {"vmin": maps.min(), "vmax": maps.max()}
    if maps.ndim == 2:
        sheet = Matrix(maps, "step", "channel", heading, **scale)
    elif maps.ndim == 3:
        sheet = Tiles(maps, best_columns(len(maps), columns), _numbers(len(maps)), {}, heading, **scale)
    else:
        slices = min(maps.shape[1], MOST_CHANNELS)
        tiles = maps[:, :slices].reshape(-1, *maps.shape[2:])
        sheet = Tiles(tiles, slices, *_table(len(maps), slices, "channel", "slice"), heading, **scale)
    return finish(_drawn(sheet), path)


def _kernel_sheet(kernel, columns, heading):
    """Return how to draw a kernel (window, channels, filters)."""
    *window, channels, filters = kernel.shape
    scale = _signed(kernel)
    if math.prod(window) == 1:
        return Matrix(kernel.reshape(channels, filters), "filter", "channel", heading, **scale)
    if len(window) == 1 and channels == 1:
        return Matrix(kernel[:, 0].T, "step", "filter", heading, **scale)
    if len(window) == 2 and channels == 3:
        tiles = [0.5 + kernel[..., i] / (2 * scale["vmax"]) for i in range(filters)]
    elif len(window) == 1:
        tiles = [kernel[:, :MOST_CHANNELS, i].T for i in range(filters)]
    elif len(window) == 2 and channels == 1:
        tiles = [kernel[:, :, 0, i] for i in range(filters)]
    else:
        slices = kernel.reshape(-1, *window[-2:], channels, filters)
        across = [(c, z) for c in range(channels) for z in range(len(slices))][:MOST_CHANNELS]
        tiles = [slices[z, :, :, c, i] for i in range(filters) for c, z in across]
        titles, labels = _table(filters, len(across), "filter", "channel")
        if len(window) == 3:
            titles = {place: f"{c}/{z}" for place, (c, z) in enumerate(across)}
            heading += "\nchannel/slice"
        return Tiles(tiles, len(across), titles, labels, heading, **scale)
    return Tiles(tiles, best_columns(filters, columns), _numbers(filters), {}, heading, **scale)


def _signed(values):
    """A scale of colours on which 0 is white."""
    largest = np.abs(values).max() or 1
    return {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}


def _numbers(count):
    return {i: f"{i}" for i in range(count)}


def _table(rows, columns, row, column):
    """Return titles above and labels beside the tiles of a table, by the tiles' numbers."""
    titles = {i: f"{column} {i}" if i == 0 else f"{i}" for i in range(columns)}
    return titles, {i * columns: f"{row} {i}" if i == 0 else f"{i}" for i in range(rows)}


class Tiles:
    """Small pictures of one size and one scale, in rows of ``columns``; some have titles, some labels at their left."""

    def __init__(self, tiles, columns, titles, labels, heading, **scale):
        self.tiles, self.columns, self.titles, self.labels = tiles, columns, titles, labels
        self.heading, self.scale = heading, scale
        height, width = np.shape(tiles[0])[:2]
        side = 0.7 if max(height, width) <= 11 else 1.1
        pixel = max(side / max(height, width), 0.3 / width, 0.1 / height)
        rows = -(-len(tiles) // columns)
        between = 0.2 if len(titles) > columns else 0.06
        self.size = (pixel * width + 0.06) * columns + 1.0, (pixel * height + between) * rows + 0.6

    def draw(self, figure):
        axes = grid_of_axes(figure, len(self.tiles), self.columns)
        for each, tile in zip(axes, self.tiles):
            image = each.imshow(tile, interpolation="nearest", **self.scale)
        for place, text in self.titles.items():
            axes[place].set_title(text, fontsize=8, pad=2)
        for place, text in self.labels.items():
            axes[place].set_ylabel(text, fontsize=8)
        if np.ndim(tile) == 2:  # not of colours
            figure.colorbar(image, ax=list(axes), shrink=0.9, aspect=max(8, 5 * self.size[1]))


class Matrix:
    """One picture whose rows and columns are numbered."""

    def __init__(self, values, across, down, heading, **scale):
        self.values, self.across, self.down, self.heading, self.scale = values, across, down, heading, scale
        rows, columns = values.shape
        self.size = min(max(0.12 * columns + 1.8, 3.6), 9), min(max(0.12 * rows + 1.2, 2), 7)

    def draw(self, figure):
        axes = figure.subplots()
        image = axes.imshow(self.values, interpolation="nearest", aspect="auto", **self.scale)
        axes.set(xlabel=self.across, ylabel=self.down)
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)
        figure.colorbar(image, ax=axes)


def _drawn(*sheets):
    """Return a figure of sheets side by side."""
    # The heading is as wide as its letters, which may be more than the sheet.
    widths = [max(sheet.size[0], 0.075 * max(map(len, sheet.heading.split("\n"))) + 0.2) for sheet in sheets]
    figure = new_figure(sum(widths), max(sheet.size[1] for sheet in sheets))
    parts = [figure] if len(sheets) == 1 else figure.subfigures(1, len(sheets), width_ratios=widths)
    for part, sheet in zip(parts, sheets):
        sheet.draw(part)
        part.suptitle(sheet.heading, fontsize=9, parse_math=False)
    return figure
