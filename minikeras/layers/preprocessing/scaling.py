"""Numbers brought to another scale, given or found in data."""

import math

import numpy as np

from minikeras import config
from minikeras.layers.base import Layer
from minikeras.layers.preprocessing.adapting import batches_of, is_array
from minikeras.variable import Variable


class Rescaling(Layer):
    """outputs = inputs * scale + offset

    Args:
        scale: number or array that broadcasts to the inputs; ``1 / 255`` brings bytes to [0, 1]. When
            `config.image_data_format()` is ``"channels_first"``, an array is lined up with the first axes of a sample.
        offset: likewise.

    Input and output shape: any.

    Raises:
        ValueError: factors that are no finite numbers.
    """

    rows_independent = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = _standardize_factor(scale, "scale")
        self.offset = _standardize_factor(offset, "offset")

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        np.multiply(inputs, self._factor(self.scale, inputs.ndim), out=outputs)
        outputs += self._factor(self.offset, inputs.ndim)
        return outputs

    def backward(self, doutputs):
        doutputs *= self._factor(self.scale, doutputs.ndim)
        return doutputs

    def compute_output_shape(self, input_shape):
        sizes = [1 if size is None else size for size in input_shape]
        for argument in ("scale", "offset"):
            factor = self._factor(getattr(self, argument), len(sizes))
            try:
                both = np.broadcast_shapes(factor.shape, sizes)
                fits = len(both) == len(sizes) and both[1:] == tuple(sizes[1:])
            except ValueError:
                fits = False
            if not fits and None not in input_shape[1:]:
                raise ValueError(
                    f"Layer {self.name!r} (Rescaling): `{argument}` of shape {np.shape(getattr(self, argument))} does "
                    f"not broadcast to inputs of shape {tuple(input_shape)}: give a number, or one for each channel"
                )
        return tuple(input_shape)

    def _factor(self, value, rank):
        array = np.asarray(value, self.dtype)
        if array.ndim and config.image_data_format() == "channels_first":
            return array.reshape(array.shape + (1,) * (rank - 1 - array.ndim))
        return array


def _standardize_factor(value, argument):
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(f"`{argument}` must be a finite number or an array of them. Received: {value!r}")
    return value if array.ndim == 0 else array.tolist()


class Normalization(Layer):
    """outputs = (inputs - mean) / sqrt(variance), with mean and variance given or found by `adapt`.

    Args:
        axis: the axis or axes along which each position has a mean and a variance of its own; None for one of all.
        mean, variance: numbers or arrays that broadcast to the sizes of these axes; both or none.
        invert: whether to compute inputs * sqrt(variance) + mean instead.

    Input and output shape: any.
    Weights: mean, variance (the sizes of the axes), count (): what `adapt` finds; none if they are given.

    Raises:
        ValueError: only one of mean and variance, or shapes that do not fit.
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        axes = () if axis is None else (axis,) if not isinstance(axis, (tuple, list)) else tuple(axis)
        if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
            raise ValueError(f"`axis` must be an integer, a tuple of integers, or None. Received: axis={axis!r}")
        self.axis = tuple(int(a) for a in axes)
        self.input_mean, self.input_variance = _standardize_moment(mean), _standardize_moment(variance)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Give both `mean` and `variance`, or none and call adapt(data). Received: mean={mean!r}, "
                f"variance={variance!r}"
            )
        if np.shape(mean) != np.shape(variance) or np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"`mean` and `variance` must have the same shape, with at most {len(self.axis)} axes, those of `axis`. "
                f"Received shapes {np.shape(mean)} and {np.shape(variance)} for axis={self.axis}"
            )
        if variance is not None and np.any(np.asarray(variance) < 0):
            raise ValueError(f"`variance` must not be negative. Received: variance={variance!r}")
        self.invert = invert
        self.adapt_mean = self.adapt_variance = None

    def build(self, input_shape):
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                f"Layer {self.name!r} (Normalization): axis={self.axis} does not fit inputs of rank {rank}, of shape "
                f"{tuple(input_shape)}"
            )
        kept = sorted({a % rank for a in self.axis})
        sizes = tuple(input_shape[a] for a in kept)
        if None in sizes:
            raise ValueError(
                f"Layer {self.name!r} (Normalization) needs to know the sizes of its axes {self.axis}. Received inputs "
                f"of shape {tuple(input_shape)}"
            )
        self._reduced = tuple(a for a in range(rank) if a not in kept)
        self._sizes = {a: input_shape[a] for a in kept}
        self._spread_shape = tuple(input_shape[a] if a in kept else 1 for a in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(sizes, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(sizes, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")  # as Keras has it
        else:
            self._given = [self._spread(m, sizes) for m in (self.input_mean, self.input_variance)]

    @property
    def mean(self):
        """What is subtracted, a variable that broadcasts to the inputs; None before the layer is built."""
        return self._moment(self.adapt_mean, 0)

    @property
    def variance(self):
        return self._moment(self.adapt_variance, 1)

    def _moment(self, weight, number):
        if weight is None and not self.built:
            return None
        array = self._given[number] if weight is None else weight.value
        return Variable(array.reshape(self._spread_shape), ("mean", "variance")[number], trainable=False)

    def _spread(self, moment, sizes):
        try:
            return np.array(np.broadcast_to(np.asarray(moment, self.dtype), sizes))
        except ValueError:
            raise ValueError(
                f"Layer {self.name!r} (Normalization): `mean` and `variance` of shape {np.shape(moment)} do not "
                f"broadcast to {sizes}, the sizes of the inputs' axes {self.axis}"
            ) from None

    def adapt(self, data):
        """Set mean and variance to those of ``data``.

        Args:
            data: an array, or batches of arrays: a list, a generator, a data set. Of batches (x, y) x counts.
        """
        if self.input_mean is not None:
            raise ValueError(f"{self.name!r} (Normalization) was given its `mean` and `variance`: do not adapt it")
        whole = is_array(data)
        count, mean, variance = 0, 0.0, 0.0
        for batch in batches_of(data):
            self._prepare(batch)
            parts = _rows(batch) if whole and 0 in self._reduced else [batch]
            for part in parts:
                number = max(1, math.prod(part.shape[a] for a in self._reduced))
                new_mean = part.mean(axis=self._reduced, dtype="float64")
                new_variance = part.var(axis=self._reduced, dtype="float64")
                count += number
                weight = number / count
                difference = new_mean - mean  # Chan, Golub, LeVeque 1979: moments of the union of two sets
                mean = mean + difference * weight
                variance = variance * (1 - weight) + new_variance * weight + difference**2 * weight * (1 - weight)
        self.adapt_mean.assign(np.asarray(mean, self.dtype))
        self.adapt_variance.assign(np.asarray(variance, self.dtype))

    def _prepare(self, batch):
        if not np.isfinite(batch).all():
            raise ValueError(f"`data` for {self.name!r} (Normalization) has values that are NaN or infinite")
        rank = len(batch.shape)
        first = batch.shape[0] if any(a % rank == 0 for a in self.axis if -rank <= a < rank) else None
        self.build_once((first, *batch.shape[1:]))
        if any(a >= rank or batch.shape[a] != size for a, size in self._sizes.items()):
            raise ValueError(
                f"Layer {self.name!r} (Normalization) was built for inputs of shape {self._build_shape}, but `data` "
                f"has shape {batch.shape}"
            )

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        mean, deviation = self.mean.value, self._deviation()
        if self.invert:
            np.multiply(inputs, deviation, out=outputs)
            outputs += mean
        else:
            np.subtract(inputs, mean, out=outputs)
            outputs /= deviation
        return outputs

    def backward(self, doutputs):
        if self.invert:
            doutputs *= self._deviation()
        else:
            doutputs /= self._deviation()
        return doutputs

    def _deviation(self):
        return np.maximum(np.sqrt(self.variance.value), config.epsilon())

    def compute_output_shape(self, input_shape):
        input_shape = tuple(input_shape)
        if self.built and any(
            a >= len(input_shape) or input_shape[a] not in (None, size) for a, size in self._sizes.items()
        ):
            raise ValueError(
                f"Layer {self.name!r} (Normalization) was built for inputs of shape {self._build_shape}. Received "
                f"inputs of shape {input_shape}"
            )
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mean": self.input_mean, "variance": self.input_variance}


def _rows(array):
    """Yield parts of some rows, which fit into cache as float64."""
    step = max(1, len(array) * (1 << 16) // max(array.size, 1))
    for start in range(0, len(array), step):
        yield array[start : start + step]


def _standardize_moment(value):
    return None if value is None else np.asarray(value).tolist()
