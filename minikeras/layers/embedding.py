"""Words and other numbered things as vectors; which steps of a sequence count."""

import numpy as np

from minikeras import config
from minikeras.layers.base import Layer, positive_integer


class Embedding(Layer):
    """outputs = embeddings[inputs]: a vector of its own for each of ``input_dim`` numbers

    Args:
        input_dim: number of vectors; inputs are integers in 0..input_dim - 1.
        output_dim: size of a vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the vectors.
        mask_zero: whether 0 stands for padding, which is masked for the layers that follow.
        weights: array (input_dim, output_dim) to start from, or a list of it.

    Input shape: (batch, ...), of integers. Output shape: (batch, ..., output_dim).
    Weights: embeddings (input_dim, output_dim).

    Raises:
        ValueError: bad arguments. IndexError: an input outside of 0..input_dim - 1.
    """

    casts_inputs = False
    rows_independent = True

    def __init__(
        self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, weights=None, **kwargs,
    ):  # fmt: skip
        length = kwargs.pop("input_length", None)  # of Keras 2: says nothing but the input's shape
        if length is not None and not {"input_shape", "batch_input_shape"} & kwargs.keys():
            kwargs["input_shape"] = tuple(length) if isinstance(length, (tuple, list)) else (length,)
        super().__init__(**kwargs)
        self.input_dim = positive_integer(input_dim, "input_dim")
        self.output_dim = positive_integer(output_dim, "output_dim")
        self.keep_arguments(
            embeddings_initializer=embeddings_initializer, embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint, mask_zero=mask_zero,
        )  # fmt: skip
        self.supports_masking = bool(mask_zero)
        self.embeddings = None
        if weights is not None:
            self.build_once((None,))
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape):
        if self.embeddings is None:
            self.embeddings = self.add_described_weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs, training=False):
        indices = inputs.astype(np.intp)
        wrong = (indices < 0) | (indices >= self.input_dim)
        if wrong.any() or (inputs.dtype.kind == "f" and (indices != inputs).any()):
            self._refuse(inputs, wrong | (indices != inputs))
        self.indices = indices if training else None
        outputs = self.buffer("outputs", (*indices.shape, self.output_dim))
        return np.take(self.embeddings.value, indices, axis=0, out=outputs, mode="clip")

    def _refuse(self, inputs, wrong):
        place = tuple(int(i) for i in np.unravel_index(np.argmax(wrong), wrong.shape))
        raise IndexError(
            f"Layer {self.name!r} (Embedding) takes whole numbers in 0..{self.input_dim - 1}, for "
            f"input_dim={self.input_dim}. Received {inputs[place]} at position {place}: recode the inputs, or give the "
            "layer a larger input_dim"
        )

    def backward(self, doutputs):
        """The gradient of a vector is the sum of those of all its uses."""
        if self.trainable:
            indices = self.indices.reshape(-1)
            rows = doutputs.reshape(-1, self.output_dim)
            order = np.argsort(indices, kind="stable")
            used, starts = np.unique(indices[order], return_index=True)
            gradient = self.embeddings.grad
            gradient[...] = 0
            if used.size:
                gradient[used] = np.add.reduceat(rows[order], starts, axis=0)
        return None  # there is no derivative by an integer

    def compute_mask(self, inputs, previous_mask):
        return np.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    @classmethod
    def argument_names(cls):
        return [name for name in super().argument_names() if name != "weights"]  # they are in files, not in configs


class ReversibleEmbedding(Embedding):
    """An `Embedding` that can be called the other way: ``layer(x, reverse=True)`` is logits = x @ embeddings^T

    Args:
        input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero: as in
            `Embedding`.
        tie_weights: whether both ways use the same vectors; else the way back has weights of its own.
        reverse_dtype: ``"float32"`` or ``"float64"``: in which to compute the way back, by default the layer's.
        logit_soft_cap: number c, for logits c tanh(logits / c).

    Input shape: (batch, ...), of integers; reversed (batch, ..., output_dim).
    Output shape: (batch, ..., output_dim); reversed (batch, ..., input_dim).
    Weights: embeddings (input_dim, output_dim); reverse_embeddings (output_dim, input_dim) if they are not tied.

    Raises:
        ValueError: bad arguments. IndexError: as `Embedding`.

    A model calls its layers forwards only; the way back, and its `backward`, are for layers that hold this one.
    """

    rows_independent = True

    def __init__(
        self, input_dim, output_dim, tie_weights=True, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, reverse_dtype=None, logit_soft_cap=None, **kwargs,
    ):  # fmt: skip
        if logit_soft_cap is not None and not logit_soft_cap > 0:
            raise ValueError(f"`logit_soft_cap` must be a number above 0 or None. Received: {logit_soft_cap!r}")
        self.tie_weights = tie_weights
        self.reverse_dtype = None if reverse_dtype is None else config.standardize_dtype(reverse_dtype)
        self.logit_soft_cap = logit_soft_cap
        self.reverse_embeddings = None
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero,
            **kwargs,
        )  # fmt: skip

    def build(self, input_shape):
        if self.embeddings is None and not self.tie_weights:
            super().build(input_shape)
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer, name="reverse_embeddings"
            )
        super().build(input_shape)

    def __call__(self, inputs, training=None, mask=None, reverse=False):
        if not reverse:
            return super().__call__(inputs, training, mask)
        inputs = np.asarray(inputs, self.dtype)
        self.build_once((None,))
        if inputs.ndim < 2 or inputs.shape[-1] != self.output_dim:
            raise ValueError(
                f"Layer {self.name!r} (ReversibleEmbedding) takes vectors of output_dim={self.output_dim} numbers when "
                f"it is reversed, (batch, ..., {self.output_dim}). Received inputs of shape {inputs.shape}"
            )
        return np.array(self.call(inputs, bool(training), reverse=True))

    def call(self, inputs, training=False, reverse=False):
        self.reversed = reverse
        if not reverse:
            return super().call(inputs, training)
        dtype = self.reverse_dtype or self.dtype
        self.vectors = inputs.astype(dtype, copy=False)
        logits = self.vectors @ self._reverse_kernel().astype(dtype, copy=False)
        if self.logit_soft_cap is not None:
            logits = self.logit_soft_cap * np.tanh(logits / self.logit_soft_cap)
        self.logits = logits
        return logits.astype(self.dtype, copy=False)

    def _reverse_kernel(self):
        return self.embeddings.value.T if self.tie_weights else self.reverse_embeddings.value

    def backward(self, doutputs):
        if not self.reversed:
            if self.reverse_embeddings is not None:
                self.reverse_embeddings.grad[...] = 0
            return super().backward(doutputs)
        if self.logit_soft_cap is not None:
            doutputs = doutputs * (1 - (self.logits / self.logit_soft_cap) ** 2)
        if self.trainable:
            gradient = self.vectors.reshape(-1, self.output_dim).T @ doutputs.reshape(-1, self.input_dim)
            if self.tie_weights:
                self.embeddings.grad[...] = gradient.T
            else:
                self.embeddings.grad[...] = 0
                self.reverse_embeddings.grad[...] = gradient
        return (doutputs @ self._reverse_kernel().T).astype(self.dtype, copy=False)


class Masking(Layer):
    """Masks the steps whose features all equal ``mask_value``, and sets them to 0.

    Args:
        mask_value: number.

    Input and output shape: (batch, steps, features).
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs, training=False):
        self.counts = np.any(inputs != self.mask_value, axis=-1, keepdims=True)
        return np.where(self.counts, inputs, np.zeros((), inputs.dtype))

    def backward(self, doutputs):
        return np.multiply(doutputs, self.counts, out=self.buffer("dinputs", doutputs.shape))

    def compute_mask(self, inputs, previous_mask):
        return np.any(inputs != self.mask_value, axis=-1)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
