"""What convolutions have learned: their kernels, and what layers make of an image."""

import numpy as np

from minikeras.layers.convolution import Conv2D
from minikeras.layers.depthwise_convolution import DepthwiseConv2D
from minikeras.layers.transposed_convolution import Conv2DTranspose
from minikeras.visualization.figures import best_columns, check_count, finish, grid_of_axes, new_figure
from minikeras.visualization.looking import CopiedModel, channels_last, find_layer, one_image

MOST_CHANNELS = 16  # of a kernel, side by side


def plot_filters(layer, max_filters=32, columns=None, path=None):
    """Draw the kernels of a two-dimensional convolution: red is positive, blue negative, white 0.

    Kernels of one channel, and of a depthwise convolution, fill a grid; those of three are drawn in colours, where 0 is
    the middle grey; of others each has a row, with its first 16 channels.

    Args:
        layer: Conv2D, Conv2DTranspose or DepthwiseConv2D, built.
        max_filters: how many to draw, from the first on.
        columns: kernels in a row of the grid.
        path: file to write to, or None.

    Raises:
        TypeError: no such layer. ValueError: it is not built.
    """
    max_filters = check_count(max_filters, "max_filters")
    if not isinstance(layer, (Conv2D, Conv2DTranspose, DepthwiseConv2D)):
        raise TypeError(f"`layer` must be a Conv2D, Conv2DTranspose or DepthwiseConv2D. Received: {layer!r:.200}")
    if not layer.built:
        raise ValueError(f"Layer {layer.name!r} is not built, so it has no kernels yet: build the model it is part of")
    kernel = layer.kernel.numpy()  # (height, width, channels, filters)
    if isinstance(layer, Conv2DTranspose):
        kernel = kernel.swapaxes(2, 3)
    if isinstance(layer, DepthwiseConv2D):
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    largest = np.abs(kernel).max() or 1
    filters = min(kernel.shape[3], max_filters)
    if kernel.shape[2] == 3:
        tiles = [0.5 + kernel[..., i] / (2 * largest) for i in range(filters)]
    else:
        channels = min(kernel.shape[2], MOST_CHANNELS)
        tiles = [kernel[..., c, i] for i in range(filters) for c in range(channels)]
        columns = channels if channels > 1 else columns
    titles = [f"{i}" for i in range(filters)] if kernel.shape[2] in (1, 3) else None
    columns = best_columns(len(tiles), columns)
    figure, axes = _grid(tiles, columns, titles)
    images = [
        each.imshow(tile, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
        for each, tile in zip(axes, tiles)
    ]
    if titles is None:
        for c in range(columns):
            axes[c].set_title(f"channel {c}" if c == 0 else f"{c}", fontsize=8)
        for i in range(filters):
            axes[i * columns].set_ylabel(f"filter {i}" if i == 0 else f"{i}", fontsize=8)
    if kernel.shape[2] != 3:
        figure.colorbar(images[0], ax=list(axes), shrink=0.9, aspect=5 * figure.get_figheight())
    return finish(figure, path)


def plot_feature_maps(model, image, layer=None, max_maps=32, columns=None, path=None):
    """Draw what a layer puts out for an image, channel by channel, all on one scale.

    Args:
        model: a built model.
        image: one image as the model takes it, with or without a batch axis of size 1.
        layer: a layer, its name or its index in ``model.layers``; by default the first two-dimensional convolution.
        max_maps: how many channels to draw, from the first on.
        columns: maps in a row.
        path: file to write to, or None.

    Raises:
        TypeError: no model. ValueError: the model is not built or has no such layer, the shape of the image.
    """
    max_maps = check_count(max_maps, "max_maps")
    image = one_image(model, image, "plot_feature_maps")
    place = find_layer(model, layer, first=True)
    maps = channels_last(model, place, CopiedModel(model, image, place).hidden[0])
    maps = np.moveaxis(maps, -1, 0)[:max_maps]
    figure, axes = _grid(maps, best_columns(len(maps), columns), [f"{i}" for i in range(len(maps))])
    low, high = maps.min(), maps.max()
    images = [each.imshow(one, vmin=low, vmax=high, interpolation="nearest") for each, one in zip(axes, maps)]
    figure.colorbar(images[0], ax=list(axes), shrink=0.9, aspect=5 * figure.get_figheight())
    figure.suptitle(model.stack.layers[place].name, fontsize=10, parse_math=False)
    return finish(figure, path)


def _grid(tiles, columns, titles):
    """Return a figure and the axes for tiles of equal size, with their titles."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    side = 0.75 if max(height, width) <= 11 else 1.1
    title = 0.2 if titles else 0.06
    figure = new_figure(max(side * columns, 2) + 0.9, max((side * height / width + title) * rows, 1.2) + 0.5)
    axes = grid_of_axes(figure, len(tiles), columns)
    for each, text in zip(axes, titles or ()):
        each.set_title(text, fontsize=8, pad=2)
    return figure, axes
