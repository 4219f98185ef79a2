"""Where a sliding window goes: output size and padding along each spatial axis, for convolution and pooling alike."""

import functools

import numpy as np


class Window:
    """The geometry of a window that slides over images with any number of spatial axes.

    Args:
        input_size: sizes of the spatial axes, (height, width) for images.
        size: of the window.
        strides: steps between windows.
        output_size: number of windows along each axis.
        before, after: padding along each axis.
        dilation: distance between neighbours within a window.
    """

    def __init__(self, input_size, size, strides, output_size, before, after, dilation):
        self.input_size, self.size, self.strides, self.dilation = input_size, size, strides, dilation
        self.output_size, self.before, self.after = output_size, before, after
        self.padded_size = tuple(n + b + a for n, b, a in zip(input_size, before, after))

    @property
    def is_padded(self):
        return any(self.before) or any(self.after)

    @functools.cached_property
    def adjoint(self):
        """The window (of stride 1) that takes gradients of the outputs back to the inputs: y_o = sum_k x_(o+k) w_k
        has dx_i = sum_k dy_(i-k) w_k, a convolution with the flipped kernel."""
        reach = [(k - 1) * d for k, d in zip(self.size, self.dilation)]
        before = tuple(r - p for r, p in zip(reach, self.before))
        after = tuple(r - p for r, p in zip(reach, self.after))
        return Window(self.output_size, self.size, self.strides, self.input_size, before, after, self.dilation)

    @functools.lru_cache(maxsize=1024)  # noqa: B019 - windows are few and live in a cache themselves
    def block(self, width):
        """The window that covers ``width`` neighbouring windows along the last axis at once."""
        *strides, step = self.strides
        size = (*self.size[:-1], (width - 1) * step + self.size[-1])
        output_size = (*self.output_size[:-1], self.output_size[-1] // width)
        strides = (*strides, width * step)
        return Window(self.input_size, size, strides, output_size, self.before, self.after, self.dilation)


@functools.lru_cache(maxsize=1024)
def make_window(input_size, size, strides, padding="valid", dilation=None):
    """Return the `Window` for a padding by name.

    ``"valid"``: windows lie within the image. ``"same"``: ceil(input / stride) windows, with the padding split evenly
    and the odd one behind, as TensorFlow and Keras do. ``"causal"``: the same number of windows with all padding in
    front, so that each ends at its own pixel. There are floor((input + padding - extent) / stride) + 1 windows, with
    extent = (size - 1) dilation + 1.
    """
    dilation = dilation or (1,) * len(size)
    axes = [_axis(n, k, s, d, padding) for n, k, s, d in zip(input_size, size, strides, dilation)]
    output, before, after = (tuple(column) for column in zip(*axes))
    return Window(input_size, size, strides, output, before, after, dilation)


def _axis(n, size, stride, dilation, padding):
    """Return (number of windows, padding before, padding after) along one axis of length ``n``."""
    extent = (size - 1) * dilation + 1
    if padding == "valid":
        return (n - extent) // stride + 1, 0, 0
    windows = -(-n // stride)
    if padding == "causal":
        return windows, extent - 1, 0
    total = max((windows - 1) * stride + extent - n, 0)
    return windows, total // 2, total - total // 2


@functools.lru_cache(maxsize=1024)
def make_transposed_window(input_size, size, strides, padding="valid", dilation=None, output_padding=None):
    """Return the `Window` of the convolution that a transposed convolution of ``input_size`` is the transpose of: its
    inputs are the other's outputs, so ``window.output_size`` is ``input_size``.

    Windows at a distance of ``strides`` cover (input - 1) stride + extent pixels. ``"valid"`` keeps them all,
    ``"same"`` cuts both sides to input * stride pixels, the odd one at the end. ``output_padding`` says how many pixels
    there are beyond (input - 1) stride + extent (``"valid"``) or (input - 1) stride + extent % 2 (``"same"``).
    """
    axes = _transposed_axes(input_size, size, strides, padding, dilation, output_padding)
    output, before, after = (tuple(column) for column in zip(*axes))
    return Window(output, size, strides, input_size, before, after, dilation or (1,) * len(size))


def transposed_output_size(input_size, size, strides, padding="valid", dilation=None, output_padding=None):
    """Return the size of a transposed convolution's outputs, None where the input's size is not known."""
    axes = _transposed_axes([n or 1 for n in input_size], size, strides, padding, dilation, output_padding)
    return tuple(None if n is None else axis[0] for n, axis in zip(input_size, axes))


def _transposed_axes(input_size, size, strides, padding, dilation, output_padding):
    dilation = dilation or (1,) * len(size)
    extras = output_padding or (None,) * len(size)
    axes = zip(input_size, size, strides, dilation, extras)
    return [_transposed_axis(n, k, s, d, padding, extra) for n, k, s, d, extra in axes]


def _transposed_axis(n, size, stride, dilation, padding, extra):
    """Return (pixels, how many more the windows cover before them, and after them) along one axis of ``n`` windows."""
    extent = (size - 1) * dilation + 1
    covered = (n - 1) * stride + extent
    if padding == "valid":
        return covered + (max(stride - extent, 0) if extra is None else extra), 0, 0
    pixels = n * stride if extra is None else (n - 1) * stride + extent % 2 + extra
    before = max((covered - pixels) // 2, 0)
    return pixels, before, max(covered - pixels - before, 0)


def output_size(input_size, size, strides, padding="valid", dilation=None):
    """Return the number of windows along each axis, None where the input's size is not known."""
    dilation = dilation or (1,) * len(size)
    axes = zip(input_size, size, strides, dilation)
    return tuple(None if n is None else _axis(n, k, s, d, padding)[0] for n, k, s, d in axes)


def pad(x, window, out):
    """Write ``x`` (batch, *input_size, channels) into ``out``, whose border is zero already."""
    inside = tuple(slice(b, b + n) for b, n in zip(window.before, window.input_size))
    out[(slice(None), *inside)] = x
    return out


def view(padded, window):
    """Return all windows of a padded batch, C-contiguous, as a view (batch, *output_size, *size, channels)."""
    batch, *spatial, channels = padded.strides
    shape = (padded.shape[0], *window.output_size, *window.size, padded.shape[-1])
    steps = [s * step for s, step in zip(spatial, window.strides)]
    places = [s * step for s, step in zip(spatial, window.dilation)]
    return np.ndarray(shape, padded.dtype, padded, 0, (batch, *steps, *places, channels))


def positions(window):
    """Yield, for each place within the window along all axes but the last, (the place, slices of those padded axes that
    meet it)."""
    for place in np.ndindex(*window.size[:-1]):
        yield place, tuple(
            slice(k * d, k * d + (o - 1) * s + 1, s)
            for k, d, o, s in zip(place, window.dilation, window.output_size, window.strides)
        )
