"""Chains of layers written as calls, ``x = layers.Dense(3)(keras.Input((4,)))``: what is passed on is no array, but
remembers its shape and the layers before it, for `keras.Model(inputs, outputs)` to make a model of."""

import contextlib

from minikeras.registry import auto_name


class KerasTensor:
    """What a layer will put out: a shape, a type, and how it comes about.

    Args:
        shape: with the batch axis, None for sizes that may vary.
        dtype: of the numbers.
        layer: that it is the output of.
        source: the `KerasTensor` that the layer was called on; None for a model's inputs.
        name: of the tensor.

    It can be given to a layer or to `keras.Model`. Nothing can be computed with it: models here are chains of layers,
    and a result of arithmetic would have to be taken back through derivatives that no layer has written.
    """

    def __init__(self, shape, dtype, layer=None, source=None, name=None):
        self.shape, self.dtype = tuple(shape), dtype
        self.layer, self.source = layer, source
        self.name = name or auto_name("keras_tensor")

    @property
    def ndim(self):
        return len(self.shape)

    def chain(self):
        """Return the tensors from the model's inputs to this one."""
        tensors = [self]
        while tensors[-1].source is not None:
            tensors.append(tensors[-1].source)
        return tensors[::-1]

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __array__(self, *args, **kwargs):
        raise ValueError(f"{self!r} is symbolic: it has no values. A model's outputs for data are model.predict(data)")

    __float__ = __int__ = __array__

    def __bool__(self):
        raise TypeError(f"{self!r} is symbolic and is neither true nor false")

    def __iter__(self):
        raise NotImplementedError(f"{self!r} is symbolic and cannot be iterated over")


def _refused(operation):
    def method(self, *_):
        raise NotImplementedError(
            f"{operation} on the symbolic {self!r} is not supported: minikeras' models are chains of layers. Write it "
            "as a layer, as Rescaling, Reshape, or Lambda with a `gradient`"
        )

    return method


for _names, _operation in (
    ("__add__ __radd__", "Addition (+)"),
    ("__sub__ __rsub__ __neg__", "Subtraction (-)"),
    ("__mul__ __rmul__", "Multiplication (*)"),
    ("__truediv__ __rtruediv__ __floordiv__ __rfloordiv__ __mod__ __rmod__", "Division (/)"),
    ("__pow__ __rpow__", "Exponentiation (**)"),
    ("__matmul__ __rmatmul__", "The matrix product (@)"),
    ("__lt__ __le__ __gt__ __ge__", "Comparison"),
    ("__getitem__", "Indexing ([...])"),
    ("__abs__", "The absolute value"),
    ("__and__ __rand__ __or__ __ror__ __xor__ __rxor__ __invert__", "Logic"),
):
    for _name in _names.split():
        setattr(KerasTensor, _name, _refused(_operation))


def is_symbolic(inputs):
    """Return whether a layer was called on a `KerasTensor`, or on several of them."""
    if isinstance(inputs, (list, tuple)):
        return any(map(is_symbolic, inputs))
    return isinstance(inputs, dict) and any(map(is_symbolic, inputs.values())) or isinstance(inputs, KerasTensor)


def call_symbolically(layer, inputs, training=None, mask=None):
    """Build the layer for ``inputs`` and return what it makes of them.

    ``training`` may only be what the layer takes by default. `fit`, `evaluate` and `predict` go over it, in Keras too.

    Raises:
        NotImplementedError: several inputs, or a way of calling that only this one layer of the model would have.
        ValueError: the layer does not fit its input.
    """
    if isinstance(inputs, (list, tuple)) and len(inputs) == 1:
        inputs = inputs[0]
    if not isinstance(inputs, KerasTensor):
        raise NotImplementedError(
            f"Layer {layer.name!r} ({type(layer).__name__}) was called on {len(inputs)} tensors: minikeras' models are "
            "chains of layers with one input each, without branches"
        )
    if training is not None and any(inner._default_training not in (None, training) for inner in layer.all_layers()):
        raise NotImplementedError(
            f"Layer {layer.name!r} ({type(layer).__name__}) was called with training={training!r} on a symbolic "
            f"tensor: in minikeras it is the whole model's: model(x, training={training!r}). A frozen layer, "
            "`layer.trainable = False`, keeps its statistics"
        )
    if mask is not None:
        raise NotImplementedError(
            f"Layer {layer.name!r} ({type(layer).__name__}) was called with a mask on a symbolic tensor: use a Masking "
            "layer, or model(x, mask=mask)"
        )
    with all_or_nothing(layer):
        layer.build_once(inputs.shape)
        outputs = KerasTensor(layer.compute_output_shape(inputs.shape), layer.dtype, layer, inputs)
    if layer._tensor is None:
        layer._tensor = outputs
    return outputs


@contextlib.contextmanager
def all_or_nothing(layer):
    """Leave a layer, and those inside of it, as they were if there is an error: the next try has a fresh start."""
    before = [(inner, _state(inner)) for inner in layer.all_layers()]
    try:
        yield
    except BaseException:
        for inner, state in before:
            vars(inner).clear()
            vars(inner).update(state)
        raise


def _state(layer):
    """Return a layer's attributes, with copies of the lists, which `add_weight` would change."""
    return {name: list(value) if isinstance(value, list) else value for name, value in vars(layer).items()}
