"""Zero padding and cropping: a border around images that is added or cut off. Each is the other's gradient."""

import numpy as np

from minikeras import config
from minikeras.layers import images
from minikeras.layers.base import Layer


class Border(Layer):
    """Abstract layer that changes the border of ``rank`` spatial axes.

    Attributes:
        border: ((before, after), ...), a pair an axis.
    """

    rank = None
    data_format = "channels_last"

    def add_border(self, x, name):
        """Return ``x`` with zeros around it, in the buffer ``name``."""
        x = images.to_channels_last(x, self.data_format)
        sizes = [a + n + b for n, (a, b) in zip(x.shape[1:-1], self.border)]
        padded = self.buffer(name, (len(x), *sizes, x.shape[-1]))
        padded[...] = 0
        padded[self.inside(sizes)] = x
        return images.from_channels_last(padded, self.data_format)

    def strip_border(self, x):
        x = images.to_channels_last(x, self.data_format)
        return images.from_channels_last(x[self.inside(x.shape[1:-1])], self.data_format)

    def inside(self, sizes):
        return (slice(None), *(slice(a, n - b) for n, (a, b) in zip(sizes, self.border)))


class ZeroPadding(Border):
    """Abstract zero padding over ``rank`` spatial axes: see `ZeroPadding2D`."""

    def __init__(self, padding, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)
        self.border = _standardize_border(padding, self.rank, "padding")
        self.padding = self.border[0] if self.rank == 1 else self.border

    def call(self, inputs, training=False):
        return self.add_border(inputs, "outputs")

    def backward(self, doutputs):
        return self.strip_border(doutputs)

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        sizes = tuple(None if n is None else a + n + b for n, (a, b) in zip(spatial, self.border))
        return images.join_shape(input_shape[0], sizes, channels, self.data_format)


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after sequences.

    Args:
        padding: one integer for both sides, or (before, after).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, length, channels). Output shape: (batch, before + length + after, channels). With channels
    first, the channels come second in both.

    Raises:
        ValueError: bad arguments, or inputs that are no sequences.
    """

    rank = 1
    rows_independent = True

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(ZeroPadding):
    """A border of zeros around images.

    Args:
        padding: one integer for all sides, two for (height, width), or ((top, bottom), (left, right)).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: (batch, top + height + bottom, left + width + right,
    channels). With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, or inputs that are no images.
    """

    rank = 2
    rows_independent = True

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(ZeroPadding):
    """`ZeroPadding2D` with three axes: one integer, three, or three pairs.

    Input shape: (batch, depth, height, width, channels). Output shape: the same with the borders added.
    """

    rank = 3
    rows_independent = True

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class Cropping(Border):
    """Abstract cropping over ``rank`` spatial axes: see `Cropping2D`."""

    def __init__(self, cropping, **kwargs):
        super().__init__(**kwargs)
        self.border = _standardize_border(cropping, self.rank, "cropping")
        self.cropping = self.border[0] if self.rank == 1 else self.border

    def call(self, inputs, training=False):
        return self.strip_border(inputs)

    def backward(self, doutputs):
        return self.add_border(doutputs, "dinputs")

    def compute_output_shape(self, input_shape):
        spatial, channels = images.split_shape(self, input_shape, self.rank)
        sizes = tuple(None if n is None else n - a - b for n, (a, b) in zip(spatial, self.border))
        if any(n is not None and n <= 0 for n in sizes):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) would have an empty output: input {tuple(spatial)} less "
                f"cropping {self.cropping} gives output size {sizes}. Use a smaller cropping, or a larger input"
            )
        return images.join_shape(input_shape[0], sizes, channels, self.data_format)


class Cropping1D(Cropping):
    """Cuts off the first and last steps of sequences.

    Args:
        cropping: one integer for both sides, or (before, after).

    Input shape: (batch, length, channels). Output shape: (batch, length - before - after, channels).

    Raises:
        ValueError: bad arguments, inputs that are no sequences, or too short for something to be left.
    """

    rank = 1
    rows_independent = True

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, **kwargs)


class Cropping2D(Cropping):
    """Cuts off the border of images.

    Args:
        cropping: one integer for all sides, two for (height, width), or ((top, bottom), (left, right)).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default `config.image_data_format()`.

    Input shape: (batch, height, width, channels). Output shape: (batch, height - top - bottom, width - left - right,
    channels). With channels first, the channels come second in both.

    Raises:
        ValueError: bad arguments, inputs that are no images, or too small for something to be left.
    """

    rank = 2
    rows_independent = True

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(cropping, **kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)


class Cropping3D(Cropping):
    """`Cropping2D` with three axes: one integer, three, or three pairs.

    Input shape: (batch, depth, height, width, channels). Output shape: the same without the borders.
    """

    rank = 3
    rows_independent = True

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(cropping, **kwargs)
        self.data_format_given = data_format
        self.data_format = config.standardize_data_format(data_format)


def _standardize_border(value, rank, argument):
    """Return ((before, after), ...), a pair an axis. Of one axis, two integers are its sides."""
    sides = value if isinstance(value, (tuple, list)) else [value] * rank
    if rank == 1:
        sides = [value]
    pairs = [side if isinstance(side, (tuple, list)) else (side, side) for side in sides]
    valid = len(pairs) == rank and all(len(pair) == 2 for pair in pairs)
    if not valid or any(
        isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0 for pair in pairs for n in pair
    ):
        forms = "an integer or a pair" if rank == 1 else f"an integer, {rank} integers or {rank} pairs"
        raise ValueError(f"`{argument}` must be {forms} of integers of at least 0. Received: {argument}={value!r}")
    return tuple((int(a), int(b)) for a, b in pairs)
