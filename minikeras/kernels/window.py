"""Where a sliding window goes: output size and padding along each spatial axis, for convolution and pooling alike."""

import numpy as np
from numpy.lib.stride_tricks import as_strided


class Window:
    """The geometry of a window that slides over images with any number of spatial axes.

    Args:
        input_size: sizes of the spatial axes, (height, width) for images.
        size: of the window.
        strides: steps between windows.
        padding: ``"valid"``: windows lie within the image; ``"same"``: ceil(input / stride) windows, with the padding
            split evenly and the odd one behind, as TensorFlow and Keras do.
        dilation: distance between neighbours within a window.

    Attributes:
        output_size: number of windows along each axis: floor((input + padding - extent) / stride) + 1 with
            extent = (size - 1) dilation + 1.
        before, after: padding along each axis.
    """

    def __init__(self, input_size, size, strides, padding="valid", dilation=None):
        self.input_size, self.size, self.strides = tuple(input_size), tuple(size), tuple(strides)
        self.dilation = tuple(dilation or (1,) * len(self.size))
        sizes = zip(self.input_size, self.size, self.strides, self.dilation)
        axes = [_axis(n, k, s, d, padding) for n, k, s, d in sizes]
        self.output_size, self.before, self.after = (tuple(column) for column in zip(*axes))

    @property
    def is_padded(self):
        return any(self.before) or any(self.after)

    def adjoint(self):
        """The window (of stride 1) that takes gradients of the outputs back to the inputs: y_o = sum_k x_(o+k) w_k
        has dx_i = sum_k dy_(i-k) w_k, a convolution with the flipped kernel."""
        other = object.__new__(Window)
        other.input_size, other.output_size = self.output_size, self.input_size
        other.size, other.strides, other.dilation = self.size, self.strides, self.dilation
        reach = [(k - 1) * d for k, d in zip(self.size, self.dilation)]
        other.before = tuple(r - p for r, p in zip(reach, self.before))
        other.after = tuple(r - p for r, p in zip(reach, self.after))
        return other

    def block(self, width):
        """The window that covers ``width`` neighbouring windows along the last axis at once."""
        other = object.__new__(Window)
        other.__dict__.update(self.__dict__)
        *strides, step = self.strides
        other.size = (*self.size[:-1], (width - 1) * step + self.size[-1])
        other.strides = (*strides, width * step)
        other.output_size = (*self.output_size[:-1], self.output_size[-1] // width)
        return other


def _axis(n, size, stride, dilation, padding):
    """Return (number of windows, padding before, padding after) along one axis of length ``n``."""
    extent = (size - 1) * dilation + 1
    if padding == "valid":
        return (n - extent) // stride + 1, 0, 0
    windows = -(-n // stride)
    total = max((windows - 1) * stride + extent - n, 0)
    return windows, total // 2, total - total // 2


def output_size(input_size, size, strides, padding="valid", dilation=None):
    """Return the number of windows along each axis, None where the input's size is not known."""
    dilation = dilation or (1,) * len(size)
    axes = zip(input_size, size, strides, dilation)
    return tuple(None if n is None else _axis(n, k, s, d, padding)[0] for n, k, s, d in axes)


def pad(x, window, out):
    """Write ``x`` (batch, \\*input_size, channels) with a border of zeros into ``out``."""
    axes = range(1, x.ndim - 1)
    inside = [slice(None)] * x.ndim
    for axis, n, before in zip(axes, window.input_size, window.before):
        border = list(inside)
        border[axis] = slice(0, before)
        out[tuple(border)] = 0
        border[axis] = slice(before + n, None)
        out[tuple(border)] = 0
        inside[axis] = slice(before, before + n)
    out[tuple(inside)] = x
    return out


def padded_size(window):
    """Sizes of the spatial axes with the padding."""
    return tuple(n + b + a for n, b, a in zip(window.input_size, window.before, window.after))


def view(padded, window):
    """Return all windows of a padded batch as a view (batch, \\*output_size, \\*size, channels) without copying."""
    batch, *spatial, channels = padded.strides
    return as_strided(
        padded,
        (padded.shape[0], *window.output_size, *window.size, padded.shape[-1]),
        (
            batch,
            *(s * step for s, step in zip(spatial, window.strides)),
            *(s * step for s, step in zip(spatial, window.dilation)),
            channels,
        ),
        writeable=False,
    )


def positions(window):
    """Yield, for each place within the window along all axes but the last, (the place, slices of those padded axes that
    meet it)."""
    for place in np.ndindex(*window.size[:-1]):
        yield place, tuple(
            slice(k * d, k * d + (o - 1) * s + 1, s)
            for k, d, o, s in zip(place, window.dilation, window.output_size, window.strides)
        )
