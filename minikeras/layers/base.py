"""The layer contract: build, call, backward, compute_output_shape.

    class Scale(Layer):                                    # a whole custom layer
        def build(self, input_shape):
            self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

        def call(self, inputs, training=False):
            self.inputs = inputs                           # what backward needs
            return inputs * self.scale

        def backward(self, doutputs):                      # dL/doutputs -> dL/dinputs, and dL/dscale on the way
            self.scale.grad = (doutputs * self.inputs).reshape(-1, len(self.scale)).sum(0)
            return doutputs * self.scale

        def compute_output_shape(self, input_shape):
            return input_shape

Shapes start with the batch axis, whose size is None while shapes are inferred. What a custom layer forgets, a gradient
or a shape, is an error in the first step. A layer does not contain other layers; a `Sequential` does.
"""

import numpy as np

from minikeras import config, constraints, initializers, regularizers
from minikeras.registry import Configurable, auto_name, serialize
from minikeras.variable import Variable


class Layer(Configurable):
    """Base class of layers.

    Args:
        name: string; unique in a model. By default the class's name in snake case, with a number.
        trainable: whether optimizers change this layer's weights.
        dtype: ``"float32"`` or ``"float64"``; by default `config.floatx()`.
        input_shape: for the first layer of a model: the shape of one sample, without the batch axis.
        batch_input_shape: the same with the batch axis.

    Attributes:
        rows_independent: True when each row of a batch is computed by itself and `call` remembers nothing but what
            it sets on ``self``: the stack then runs shares of a batch side by side, each on a `twin`. It holds for the
            very class that declares it, never for a subclass, so that a custom layer need not know of it.
        needs_input_gradient: False when nobody will use what `backward` returns; it may then return None.
    """

    keras_module = "keras.layers"
    rows_independent = False
    _call_takes_training = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.rows_independent = vars(cls).get("rows_independent", False)
        cls.is_built_in = cls.__module__.split(".")[0] == "minikeras"
        code = getattr(cls.call, "__code__", None)
        arguments = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        cls._call_takes_training = code is None or "training" in arguments

    def __init__(self, name=None, trainable=True, dtype=None, **kwargs):
        self._input_shape_argument = _pop_input_shape(kwargs)
        if kwargs.pop("activity_regularizer", None) is not None:
            raise ValueError("`activity_regularizer` is not supported yet: use kernel_regularizer or bias_regularizer")
        self.activity_regularizer = None
        if kwargs:
            raise TypeError(
                f"{type(self).__name__} got unknown arguments: {', '.join(sorted(kwargs))}. "
                f"Known: {', '.join(type(self).argument_names())}"
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be a string. Received: {name!r}")
        if name is not None and "/" in name:
            raise ValueError(f"`name` must not contain '/', which separates names in a path. Received: {name!r}")
        self.name = name or auto_name(type(self).__name__)
        self._trainable = bool(trainable)
        self.dtype = config.standardize_dtype(dtype)
        self.built = False
        self.needs_input_gradient = True
        self._build_shape = None
        self._weights = []
        self._buffers = {}
        self._traced = {}  # input sizes -> output sizes, of a layer without `compute_output_shape`

    # The four methods that make a layer.

    def build(self, input_shape):
        """Create the weights for inputs of shape ``input_shape`` (batch axis first)."""

    def call(self, inputs, training=False):
        """Return the outputs for ``inputs``, which are not changed; remember what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} has no `call(self, inputs, training=False)`")

    def backward(self, doutputs):
        """Given dL/doutputs of the last `call`, set each weight's ``.grad`` and return dL/dinputs.

        ``doutputs`` may be overwritten.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `backward(self, doutputs)`: write one that sets `.grad` of each weight and "
            "returns the gradient of the inputs"
        )

    def compute_output_shape(self, input_shape):
        """Return the outputs' shape for inputs of shape ``input_shape``; raise ValueError when it does not fit.

        Built-in layers compute it; for a custom layer that does not, one row of zeros is run through `call`.
        """
        if any(size is None for size in input_shape[1:]):
            raise NotImplementedError(
                f"{type(self).__name__} needs a `compute_output_shape(self, input_shape)` for the partly unknown "
                f"input shape {tuple(input_shape)}"
            )
        self.build_once(input_shape)
        sizes = tuple(input_shape[1:])
        if sizes not in self._traced:
            self._traced[sizes] = np.shape(self.run(np.zeros((1, *sizes), self.dtype)))[1:]
        return (input_shape[0], *self._traced[sizes])

    # Running and building.

    def __call__(self, inputs, training=False):
        """Return the outputs for an array, building the layer if need be. The result is the caller's own.

        With ``training=True``, `backward` can be called afterwards.
        """
        inputs = np.asarray(inputs)
        if inputs.dtype != self.dtype:
            inputs = inputs.astype(self.dtype)
        shape = (None, *inputs.shape[1:])
        self.build_once(shape)
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            self.compute_output_shape(shape)  # says what does not fit
        self.needs_input_gradient = True  # training may have found that nobody used it
        return np.array(self.run(inputs, training))

    def run(self, inputs, training=False):
        """`call` without conversions and copies: what it returns may be overwritten by the next call."""
        if self._call_takes_training:
            return self.call(inputs, training=training)
        return self.call(inputs)

    def build_once(self, input_shape):
        """Build the layer unless it is built already."""
        if not self.built:
            self.build(input_shape)
            self._check_inner_layers()
            self._build_shape = tuple(input_shape)
            self.built = True

    def _check_inner_layers(self):
        """A layer kept in an attribute would be neither trained nor saved: better to say so."""
        for name, value in vars(self).items():
            for item in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(item, Layer):
                    raise ValueError(
                        f"Layer {self.name!r} ({type(self).__name__}) keeps the layer {item.name!r} in its attribute "
                        f"`{name}`. Layers inside of layers are not supported: put them into a Sequential, or write "
                        "the layer with `add_weight` and its own `backward`"
                    )

    def add_weight(
        self, shape=(), initializer=None, dtype=None, trainable=True, regularizer=None, constraint=None, name=None
    ):
        """Create a weight of this layer, to be called from `build`.

        Args:
            shape: tuple of integers.
            initializer: name, `Initializer` or callable of (shape, dtype); by default Glorot's uniform one.
            trainable: whether an optimizer changes it.
            regularizer: its penalty is added to the loss, and its gradient to the weight's.
            constraint: projects the weight after each update.
            name: of the weight, as ``"kernel"``.

        Returns:
            the `Variable`.
        """
        dtype = dtype or self.dtype
        initializer = initializers.get(initializer or "glorot_uniform")
        value = np.array(initializer(tuple(shape), dtype=dtype), dtype, order="C")  # our own: it is written in place
        name = name or f"variable{len(self._weights) or ''}"
        weight = Variable(value, name, trainable, regularizers.get(regularizer), constraints.get(constraint))
        weight.path = f"{self.name}/{name}"
        self._weights.append(weight)
        return weight

    def buffer(self, name, shape, dtype=None):
        """Return an uninitialized array of ``shape`` that is reused from step to step.

        It is kept under ``name`` at the largest batch seen and sliced for a smaller one.
        """
        kept = self._buffers.get(name)
        if kept is None or kept.shape[1:] != shape[1:] or kept.shape[0] < shape[0]:
            kept = self._buffers[name] = np.empty(shape, dtype or self.dtype)
        return kept[: shape[0]]

    def twin(self):
        """Return a layer that shares all but the buffers: it computes another share of the same batch."""
        other = object.__new__(type(self))
        other._buffers = {}
        self.refresh_twin(other)
        return other

    def refresh_twin(self, other):
        """Let ``other``, made by `twin`, follow what has changed in this layer since."""
        buffers = other._buffers
        other.__dict__.update(self.__dict__)
        other._buffers = buffers

    def __getstate__(self):
        return {**self.__dict__, "_buffers": {}}

    # Config.

    def get_config(self):
        """Return the constructor's arguments as Keras writes them: name, trainable and dtype first.

        A layer that does not store an argument under its own name adds it:
        ``return {**super().get_config(), "size": self._size}``.
        """
        names = self.argument_names()
        missing = [name for name in names if not hasattr(self, name)]
        if missing and type(self).get_config is Layer.get_config:
            raise NotImplementedError(
                f"{type(self).__name__} does not store its arguments {missing} under their own names. Set "
                f"`self.{missing[0]} = {missing[0]}` in __init__, or extend get_config"
            )
        config = {name: serialize(getattr(self, name)) for name in names if name not in missing}
        if "dtype" in config:
            config["dtype"] = {
                "module": "keras", "class_name": "DTypePolicy", "config": {"name": self.dtype}, "registered_name": None
            }  # fmt: skip
        return {name: config.pop(name) for name in ("name", "trainable", "dtype") if name in config} | config

    @classmethod
    def from_config(cls, config):
        """Return a new layer from what `get_config` returned, of Keras' or ours."""
        known = cls.argument_names()  # what only Keras has, as `quantization_config`, says nothing when it is None
        return super().from_config({key: value for key, value in config.items() if value is not None or key in known})

    # Weights.

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)

    @property
    def weights(self):
        """Trainable weights first, then the others, each in the order of creation."""
        return [w for w in self._weights if w.trainable] + [w for w in self._weights if not w.trainable]

    @property
    def variables(self):
        return self.weights

    @property
    def trainable_weights(self):
        return [w for w in self._weights if w.trainable] if self.trainable else []

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self):
        return [w for w in self._weights if not w.trainable] if self.trainable else self.weights

    non_trainable_variables = non_trainable_weights

    def get_weights(self):
        """Return copies of the weights' values, in the order of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights):
        """Set the weights from a list of arrays as `get_weights` returns it. All shapes are checked first."""
        own = self.weights
        if len(weights) != len(own):
            raise ValueError(
                f"`weights` for {self.name!r} must hold {len(own)} arrays ({', '.join(w.path for w in own)}). "
                f"Received: {len(weights)} arrays"
            )
        for variable, value in zip(own, weights):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"Weight {variable.path!r} has shape {variable.shape}. Received an array of shape {np.shape(value)}"
                )
        for variable, value in zip(own, weights):
            variable.assign(value)

    def count_params(self):
        """Return the number of scalars in the weights."""
        if not self.built and type(self).build is not Layer.build:
            raise ValueError(
                f"Layer {self.name!r} is not built, so it has no weights to count. Call it on data, or give the model "
                "its input shape: `model.build((None, 28, 28, 1))`"
            )
        return sum(w.size for w in self.weights)

    @property
    def losses(self):
        """Penalties of the regularized weights, a list of floats."""
        return [float(w.regularizer(w.value)) for w in self.trainable_weights if w.regularizer is not None]

    @property
    def input_shape(self):
        return self._built_shapes()[0]

    @property
    def output_shape(self):
        return self._built_shapes()[1]

    def _built_shapes(self):
        if self._build_shape is None:
            raise AttributeError(f"Layer {self.name!r} has no defined shapes yet: build it or call it on data")
        return self._build_shape, tuple(self.compute_output_shape(self._build_shape))

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def positive_integer(value, argument):
    """Return ``value`` as int, or raise a ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"`{argument}` must be a positive integer. Received: {argument}={value!r}")
    return int(value)


def integer_tuple(value, length, argument, minimum=1):
    """Return an integer or a sequence of ``length`` integers as a tuple, or raise a ValueError."""
    items = (value,) * length if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value
    valid = isinstance(items, (tuple, list)) and len(items) == length
    if not valid or any(
        isinstance(i, bool) or not isinstance(i, (int, np.integer)) or i < minimum for i in items
    ):
        kind = "positive integer" if minimum == 1 else f"integer of at least {minimum}"
        raise ValueError(
            f"`{argument}` must be a {kind} or {length} of them. Received: {argument}={value!r}"
        )
    return tuple(int(i) for i in items)


def _pop_input_shape(kwargs):
    """Take the input shape out of a first layer's arguments; return it with the batch axis, or None."""
    batch = kwargs.pop("batch_input_shape", None)
    shape = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    if batch is not None:
        return tuple(batch)
    if shape is not None:
        return (None, *standardize_shape(shape))
    return (None, positive_integer(dim, "input_dim")) if dim is not None else None


def standardize_shape(shape, argument="input_shape"):
    """Return ``shape`` (without the batch axis) as a tuple of positive integers or Nones."""
    if isinstance(shape, (int, np.integer)) and not isinstance(shape, bool):
        raise ValueError(f"`{argument}` must be a tuple or list, as ({shape},). Received: {shape!r}")
    if not isinstance(shape, (tuple, list)):
        raise ValueError(f"`{argument}` must be a tuple or list of integers. Received: {shape!r}")
    for size in shape:
        if size is not None and (isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size <= 0):
            raise ValueError(
                f"`{argument}` must hold positive integers or None, without the batch axis. Received: {tuple(shape)}"
            )
    return tuple(None if size is None else int(size) for size in shape)
