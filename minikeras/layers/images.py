"""What layers on images share: the order of axes, and the errors for shapes that do not fit.

Everything is computed channels last. A channels-first array is looked at through a transposed view, and what a layer
returns is such a view as well, so that a stack of channels-first layers moves no data at all.
"""

import numpy as np

from minikeras.kernels import window

AXES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def to_channels_last(x, data_format):
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def from_channels_last(x, data_format):
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def split_shape(layer, input_shape, rank):
    """Return (spatial sizes, channels) of an input shape, or raise a ValueError that says how it does not fit."""
    input_shape = tuple(input_shape)
    if len(input_shape) != rank + 2:
        axes = f"batch, {AXES[rank]}, channels"
        if layer.data_format == "channels_first":
            axes = f"batch, channels, {AXES[rank]}"
        hint = ""
        if len(input_shape) == rank + 1:
            index = "x[:, None]" if layer.data_format == "channels_first" else "x[..., None]"
            hint = f". If the channel axis is missing, add a channel axis: {index}"
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) takes inputs of rank {rank + 2}, ({axes}). "
            f"Received inputs of shape {input_shape}{hint}"
        )
    if layer.data_format == "channels_first":
        return input_shape[2:], input_shape[1]
    return input_shape[1:-1], input_shape[-1]


def join_shape(batch, spatial, channels, data_format):
    """Put a shape together in the order that ``data_format`` asks for."""
    if data_format == "channels_first":
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def window_output_size(layer, input_shape, spatial, size, strides, padding, dilation=None):
    """Return the number of windows along each axis, or raise a ValueError if there would be none."""
    output = window.output_size(spatial, size, strides, padding, dilation)
    if any(n is not None and n <= 0 for n in output):
        hint = ""
        is_window_over_all = len(input_shape) == len(spatial) + 2  # else there are steps as well
        if is_window_over_all and layer.data_format == "channels_last" and spatial[0] in (1, 3):
            hint = f" {channels_first_hint(input_shape)}"
        dilated = f", dilation_rate {tuple(dilation)}" if dilation and any(d > 1 for d in dilation) else ""
        name = "kernel_size" if dilation else "pool_size"
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) would have an empty output: input {tuple(spatial)}, {name} "
            f"{tuple(size)}, strides {tuple(strides)}{dilated}, padding {padding!r} give output size {output}. Use a "
            f"smaller {name}, padding='same', or a larger input.{hint}"
        )
    return output


def channels_first_hint(shape):
    rank = len(shape) - 2
    order = (0, *range(2, rank + 2), 1)
    return (
        f"The shape {tuple(shape)} looks like channels_first, (batch, channels, {AXES[rank]}): transpose the "
        f"{'images' if rank == 2 else 'inputs'} with x.transpose{order}, or set data_format='channels_first' on the "
        "layers, or call keras.config.set_image_data_format('channels_first') before making them."
    )


def check_axis_order(layer, input_shape):
    """Refuse channels-first images and volumes for a first layer that takes channels last by default.

    One or three "rows" of square images, or layers of cubes, are taken for channels. A layer that was given its
    data_format is believed. Nothing is said of sequences: three steps are as likely as three channels.
    """
    rank = getattr(layer, "rank", None)
    if rank not in (2, 3) or len(input_shape) != rank + 2:
        return
    if getattr(layer, "data_format_given", True) or layer.data_format != "channels_last":
        return
    _, first, *others = input_shape
    if first in (1, 3) and others[0] is not None and len(set(others)) == 1 and others[0] > 4:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) takes {'images' if rank == 2 else 'inputs'} as "
            f"(batch, {AXES[rank]}, channels). {channels_first_hint(input_shape)}"
        )
