"""Input, Dense and Activation."""

import numpy as np

from minikeras import activations, constraints, initializers, regularizers
from minikeras.kernels.products import matmul
from minikeras.layers.activated import ActivatedLayer
from minikeras.layers.base import Layer, positive_integer, standardize_shape
from minikeras.layers.symbolic import KerasTensor

WIDE = 1 << 17  # weights from which a product is cut across the weights, not across the batch


INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")


class InputLayer(Layer):
    """Says what shape and type the inputs of a model have.

    Args:
        shape: of one sample, without the batch axis; None for sizes that may vary.
        batch_size: size of the batch axis, by default any.
        dtype: of the inputs, by default `config.floatx()`; an integer type says what the first layer is for, as in
            Embedding, and converts nothing.
        sparse, ragged, optional: of Keras; must be False.
        batch_shape: ``(batch_size, *shape)`` in one.
        input_tensor: of Keras' functional models; must be None.

    Raises:
        ValueError: no shape, or two; a type of strings; arguments that have no meaning here.
    """

    rows_independent = True
    supports_masking = True

    def __init__(
        self, shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, input_tensor=None,
        optional=False, name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(name=name, dtype=None if dtype in INTEGERS else dtype)
        if dtype in INTEGERS:
            self.dtype = dtype
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if kwargs:
            raise TypeError(f"InputLayer got unknown arguments: {', '.join(sorted(kwargs))}")
        if sparse or ragged or optional or input_tensor is not None:
            raise ValueError(
                "InputLayer takes dense arrays: `sparse`, `ragged` and `optional` must be False, and there are no "
                "symbolic tensors for `input_tensor`"
            )
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                f"Give either `shape` or `batch_shape`. Received: shape={shape}, batch_shape={batch_shape}"
            )
        if batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape, "shape"))
        elif batch_size is not None:
            raise ValueError(
                f"Give either `batch_size` or `batch_shape`. Received: batch_size={batch_size}, "
                f"batch_shape={batch_shape}"
            )
        self.batch_shape = (batch_shape[0], *standardize_shape(tuple(batch_shape)[1:], "batch_shape"))
        self.build_once(self.batch_shape)
        self._tensor = KerasTensor(self.batch_shape, self.dtype, self, name=name)

    def call(self, inputs):
        return inputs

    def backward(self, doutputs):
        return doutputs

    def compute_output_shape(self, input_shape):
        return self.batch_shape

    def get_config(self):
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._tensor = KerasTensor(self.batch_shape, self.dtype, self, name=self.name)


def Input(
    shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, name=None, tensor=None,
    optional=False,
):  # fmt: skip
    """Return the symbolic inputs of a model, to be the first of a Sequential or what layers are called on.

    Arguments: as of `InputLayer`.
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).output


class Dense(ActivatedLayer):
    """outputs = activation(inputs @ kernel + bias)

    Args:
        units: size of the outputs' last axis.
        activation: name or function; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            of the weights, by name or as objects.

    Input shape: (batch, ..., channels). Output shape: (batch, ..., units).
    Weights: kernel (channels, units), bias (units,).

    Raises:
        ValueError: bad arguments; inputs without a channel axis, or with another number of channels than before.
    """

    supports_masking = True

    def __init__(
        self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel = self.bias = None

    @property
    def rows_independent(self):
        return self.kernel is not None and self.kernel.size < WIDE

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.add_kernel_and_bias((input_shape[-1], self.units))

    def call(self, inputs, training=False):
        self.inputs = inputs if training else None
        outputs = self.buffer("outputs", (*inputs.shape[:-1], self.units))
        self.keep(outputs, training)
        rows = outputs.reshape(-1, self.units)
        matmul(inputs.reshape(-1, inputs.shape[-1]), self.kernel.value, out=rows)
        if self.bias is not None:
            rows += self.bias.value
        self.activate(outputs, training)
        return outputs

    def backward_logits(self, dlogits):
        inputs = self.inputs.reshape(-1, self.inputs.shape[-1])
        dlogits = dlogits.reshape(-1, self.units)
        if self.trainable:
            matmul(inputs.T, dlogits, out=self.kernel.grad)
            if self.bias is not None:
                dlogits.sum(axis=0, out=self.bias.grad)
        if not self.needs_input_gradient:
            return None
        dinputs = self.buffer("dinputs", self.inputs.shape)
        matmul(dlogits, self.kernel.value.T, out=dinputs.reshape(inputs.shape))
        return dinputs

    def compute_output_shape(self, input_shape):
        input_shape = tuple(input_shape)
        if len(input_shape) < 2:
            raise ValueError(
                f"Layer {self.name!r} (Dense) takes inputs of rank 2 or more, (batch, ..., channels). Received inputs "
                f"of shape {input_shape}. If the channel axis is missing, add one: x[..., None]"
            )
        expected = self.kernel.shape[0] if self.kernel is not None else input_shape[-1]
        if input_shape[-1] is None:
            raise ValueError(
                f"Layer {self.name!r} (Dense) needs to know the last axis of its inputs. Received shape {input_shape}"
            )
        if input_shape[-1] != expected:
            raise ValueError(
                f"Layer {self.name!r} (Dense) expects inputs whose last axis has size {expected}. Received size "
                f"{input_shape[-1]}: inputs of shape {input_shape}"
            )
        return (*input_shape[:-1], self.units)


class Activation(ActivatedLayer):
    """outputs = activation(inputs), element by element (softmax: along the last axis).

    Args:
        activation: name or function.

    Input and output shape: any.

    Raises:
        ValueError: an unknown name.
    """

    rows_independent = True
    supports_masking = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        self.keep(outputs, training)
        if self.logits is not None:
            np.copyto(self.logits, inputs)
        self.activation.forward(inputs, outputs)
        return outputs

    def backward_logits(self, dlogits):
        return dlogits

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
