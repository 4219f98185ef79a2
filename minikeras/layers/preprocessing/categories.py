"""Categories: integers as rows of zeros and ones, and numbers put into bins."""

import numpy as np

from minikeras.layers.base import Layer, positive_integer
from minikeras.layers.preprocessing.adapting import batches_of
from minikeras.layers.preprocessing.augmentation import check_choice, is_number
from minikeras.layers.symbolic import is_symbolic

OUTPUT_MODES = ("one_hot", "multi_hot", "count")


def encode(indices, depth, output_mode, out, weights=None):
    """Fill ``out`` with the categories ``indices``, integers in [0, depth), encoded along its last axis.

    ``"one_hot"``: a one for each index. ``"multi_hot"``: a one where a category occurs along axis 1, ``"count"``: how
    often it does, or the sum of its ``weights``, an array like ``indices``.
    """
    out.fill(0)
    if output_mode == "one_hot":
        np.put_along_axis(out, indices.reshape(*out.shape[:-1], 1), 1, axis=-1)
        return out
    axis = min(1, indices.ndim - 1)
    rows = np.moveaxis(indices, axis, -1)
    flat, step = out.reshape(-1), np.arange(0, out.size, depth).reshape(*rows.shape[:-1], 1)
    if output_mode == "multi_hot":
        flat[rows + step] = 1
    else:
        weights = None if weights is None else np.moveaxis(weights, axis, -1).reshape(-1)
        flat += np.bincount((rows + step).reshape(-1), weights, minlength=out.size)
    return out


def encoded_shape(input_shape, depth, output_mode):
    """Return the shape of what `encode` fills, for indices of shape ``input_shape``."""
    input_shape = tuple(input_shape)
    if output_mode == "one_hot":
        single = len(input_shape) > 1 and input_shape[-1] == 1
        return (*(input_shape[:-1] if single else input_shape), depth)
    return (*input_shape[:1], *input_shape[2:], depth) if len(input_shape) > 1 else (depth,)


class CategoryEncoding(Layer):
    """Integers as rows of zeros and ones.

    Args:
        num_tokens: number of categories; inputs are in [0, num_tokens).
        output_mode: ``"multi_hot"``: for each sample, ones for the categories that occur in it. ``"one_hot"``: a row
            for each integer. ``"count"``: how often each category occurs in a sample.
        sparse: must be False: there are no sparse arrays here.

    Input shape: (batch, length), or (batch, 1). Output shape: (batch, num_tokens), with ``"one_hot"``
    (batch, length, num_tokens); the last axis of (batch, 1) is dropped first.

    Raises:
        ValueError: bad arguments; inputs that are no categories.
    """

    casts_inputs = False
    rows_independent = True

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        if num_tokens is None:
            raise ValueError("`num_tokens`, the number of categories, must be given. Received: num_tokens=None")
        self.num_tokens = positive_integer(num_tokens, "num_tokens")
        output_mode = "multi_hot" if output_mode == "binary" else output_mode  # its name in Keras 2
        self.output_mode = check_choice(output_mode, "output_mode", OUTPUT_MODES)
        _refuse_sparse(sparse)
        self.sparse = False

    def __call__(self, inputs, count_weights=None, training=False, mask=None):
        """Return the encoded ``inputs``; with ``count_weights``, an array of their shape, sums instead of counts."""
        if is_symbolic(inputs):
            return super().__call__(inputs, training, mask)
        inputs = np.asarray(inputs)
        if count_weights is not None:
            return self._weigh(np.atleast_1d(inputs), np.asarray(count_weights, self.dtype))
        if inputs.ndim > 1:
            return super().__call__(inputs, training, mask)
        self.built = True  # of a vector, or a number: without a batch axis unless it is to be one-hot
        inputs = inputs.reshape(-1)
        shape = (len(inputs), self.num_tokens) if self.output_mode == "one_hot" else (self.num_tokens,)
        outputs = encode(self._indices(inputs), self.num_tokens, self.output_mode, np.empty(shape, self.dtype))
        return outputs

    def call(self, inputs, training=False):
        self.sizes = inputs.shape
        outputs = self.buffer("outputs", encoded_shape(inputs.shape, self.num_tokens, self.output_mode))
        return encode(self._indices(inputs), self.num_tokens, self.output_mode, outputs)

    def _weigh(self, inputs, weights):
        if self.output_mode != "count":
            raise ValueError(
                f"`count_weights` is for output_mode='count' only. Received: output_mode={self.output_mode!r}. Leave "
                "the weights out, or count"
            )
        if weights.shape != inputs.shape:
            raise ValueError(
                f"`count_weights` must have the shape of the inputs, {inputs.shape}. Received: shape {weights.shape}"
            )
        self.built = True
        outputs = np.empty(encoded_shape(inputs.shape, self.num_tokens, "count"), self.dtype)
        return encode(self._indices(inputs), self.num_tokens, "count", outputs, weights)

    def _indices(self, inputs):
        valid = (inputs >= 0) & (inputs < self.num_tokens)
        if not valid.all():
            place = np.unravel_index(np.argmin(valid), inputs.shape)
            raise ValueError(
                f"Layer {self.name!r} (CategoryEncoding) takes integers in [0, {self.num_tokens}), num_tokens being "
                f"{self.num_tokens}. Received {inputs[place]} at {tuple(map(int, place))}: give a larger num_tokens, "
                "or number the categories from 0"
            )
        return inputs.astype(np.intp)

    def backward(self, doutputs):
        return np.zeros(self.sizes, self.dtype)

    def compute_output_shape(self, input_shape):
        return encoded_shape(input_shape, self.num_tokens, self.output_mode)

    def get_config(self):
        config = super().get_config()
        del config["sparse"]  # as Keras
        return config


def _refuse_sparse(sparse):
    if sparse:
        raise ValueError(f"`sparse` must be False: there are no sparse arrays here. Received: sparse={sparse!r}")


class Discretization(Layer):
    """The number of the bin that each input falls into.

    Args:
        bin_boundaries: increasing numbers b0, b1, ...: the bins are (-inf, b0), [b0, b1), ..., [last, inf).
        num_bins: how many bins `adapt` shall find that hold about as many numbers each.
        epsilon: the part of the data that one boundary may be off; a larger one remembers less of the data.
        output_mode: ``"int"``: the number of the bin. ``"one_hot"``, ``"multi_hot"``, ``"count"``: as of
            `CategoryEncoding`.
        sparse: must be False: there are no sparse arrays here.

    Input shape: (batch, ...). Output shape: the same, and (..., bins) unless the output mode is ``"int"``.

    Raises:
        ValueError: bad arguments; a call before the boundaries are known.
    """

    casts_inputs = False

    def __init__(
        self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, dtype=None, name=None
    ):
        super().__init__(name=name, dtype=dtype)
        _refuse_sparse(sparse)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                "Give either `bin_boundaries`, or `num_bins` and call adapt(data). Received: "
                f"bin_boundaries={bin_boundaries!r}, num_bins={num_bins!r}"
            )
        if not is_number(epsilon) or not 0 < epsilon < 1:
            raise ValueError(f"`epsilon` must be a number between 0 and 1. Received: epsilon={epsilon!r}")
        self.bin_boundaries = None if bin_boundaries is None else _standardize_boundaries(bin_boundaries)
        self.num_bins = None if num_bins is None else positive_integer(num_bins, "num_bins")
        self.epsilon = epsilon
        self.output_mode = check_choice(output_mode, "output_mode", ("int", *OUTPUT_MODES))
        self.sparse = False
        self.summary = np.empty((2, 0), "float32")

    def adapt(self, data, steps=None):
        """Set the boundaries to quantiles of ``data``.

        Args:
            data: an array, or batches of arrays: a list, a generator, a data set.
            steps: how many batches to look at, by default all.
        """
        if self.num_bins is None:
            raise ValueError(
                f"Layer {self.name!r} (Discretization) was given its `bin_boundaries`. To adapt, give `num_bins`"
            )
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self):
        """Forget the data seen so far."""
        self.summary = np.empty((2, 0), "float32")

    def update_state(self, data):
        """Take more data into account."""
        data = np.asarray(data, "float32")
        if not np.isfinite(data).all():
            raise ValueError(f"`data` for {self.name!r} (Discretization) has values that are NaN or infinite")
        merged = np.concatenate([_summarize(data, self.epsilon), self.summary], axis=1)
        self.summary = _compress(merged[:, np.argsort(merged[0])], self.epsilon)

    def finalize_state(self):
        """Set the boundaries from the data seen so far."""
        if self.num_bins is not None:
            self.bin_boundaries = _compress(self.summary, 1 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs, training=False):
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer {self.name!r} (Discretization) has no boundaries yet: adapt(data), or give `bin_boundaries`"
            )
        self.sizes = inputs.shape
        inputs = np.asarray(inputs, self.dtype if inputs.dtype.kind == "f" else None)
        indices = np.digitize(inputs, np.asarray(self.bin_boundaries, self.dtype))
        if self.output_mode == "int":
            return indices.astype("int32")
        depth = len(self.bin_boundaries) + 1
        outputs = self.buffer("outputs", encoded_shape(inputs.shape, depth, self.output_mode))
        return encode(indices, depth, self.output_mode, outputs)

    def backward(self, doutputs):
        return np.zeros(self.sizes, self.dtype)

    def compute_output_shape(self, input_shape):
        if self.output_mode == "int":
            return tuple(input_shape)
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, depth, self.output_mode)

    def get_config(self):
        return {**super().get_config(), "dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        """Return a new layer; one that was adapted has both `num_bins` and `bin_boundaries`."""
        config = dict(config)
        boundaries = config.pop("bin_boundaries", None) if config.get("num_bins") is not None else None
        layer = cls(**config)
        if boundaries is not None:
            layer.bin_boundaries = _standardize_boundaries(boundaries)
        return layer


def _standardize_boundaries(boundaries):
    array = np.asarray(boundaries)
    valid = array.ndim == 1 and (array.size == 0 or array.dtype.kind in "iuf")
    if not valid or not np.isfinite(array).all() or np.any(np.diff(array) < 0):
        raise ValueError(f"`bin_boundaries` must be increasing numbers. Received: bin_boundaries={boundaries!r:.200}")
    return array.tolist()


# What is remembered of the data: some of its values in increasing order, and how many values each stands for.


def _summarize(values, epsilon):
    """Return about 1 / epsilon of the values, evenly spaced among the sorted ones, and how many each stands for."""
    values = np.sort(values, axis=None)
    step = max(values.size * epsilon, 1)
    chosen = values[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _compress(summary, epsilon):
    """Return about 1 / epsilon values at which the cumulative counts are evenly spaced."""
    if summary.shape[1] * epsilon < 1:
        return summary
    parts = epsilon + np.arange(0, 1, epsilon)
    counts = summary[1].cumsum()
    cumulative = np.interp(parts, counts / counts[-1], counts)
    values = np.interp(parts, counts / counts[-1], summary[0])
    return np.stack([values, np.diff(cumulative, prepend=0)]).astype("float32")
