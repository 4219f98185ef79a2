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
or a shape, is an error in the first step.

A layer may keep other layers in its attributes. It runs them by calling them, each once, since a layer remembers its
last call, and takes gradients back with their `run_backward`; their weights are its own then: trained, saved, counted.
"""

import contextvars
import functools

import numpy as np

from minikeras import config, regularizers
from minikeras.layers.arguments import integer_tuple, pop_input_shape, positive_integer, standardize_shape
from minikeras.layers.contents import Contents
from minikeras.layers.symbolic import call_symbolically, is_symbolic
from minikeras.messages import warn
from minikeras.registry import auto_name, serialize, unknown_arguments

# What the custom layer that runs was told of training, and how often it has called each layer in it (by id).
_outer = contextvars.ContextVar("outer", default=(None, None))
NOT_GIVEN = type("NotGiven", (), {"__repr__": lambda self: "not given"})()  # `training`, which may be given as None

__all__ = ["Layer", "integer_tuple", "positive_integer", "standardize_shape"]


def _through_build_once(build):
    """Let ``layer.build(shape)`` be `build_once`, as in Keras: else the first call would make all weights once more."""

    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        return (build if self._is_building else type(self).build_once)(self, *args, **kwargs)

    return wrapper


class Layer(Contents):
    """Base class of layers.

    Args:
        name: string; unique in a model. By default the class's name in snake case, with a number.
        trainable: whether optimizers change this layer's weights.
        dtype: ``"float32"`` or ``"float64"``; by default `config.floatx()`.
        input_shape: for the first layer of a model: the shape of one sample, without the batch axis.
        batch_input_shape: the same with the batch axis; or ``batch_size`` beside ``input_shape``, as in Keras 2.
        activity_regularizer: its penalty of the outputs, divided by the size of the batch, is added to the loss.

    Attributes:
        rows_independent: True when each row of a batch is computed by itself and `call` remembers nothing but what
            it sets on ``self``: the stack then runs shares of a batch side by side, each on a `twin`. It holds for the
            very class that declares it, never for a subclass, so that a custom layer need not know of it.
        casts_inputs: whether inputs are made floats of the layer's dtype; False for layers that take integers.
        mixes_rows: whether a row of the outputs depends on other rows, as in batch normalization.
        supports_masking: whether the mask of the inputs is the outputs' mask too.
        needs_input_gradient: False when nobody will use what `backward` returns; it may then return None. Always True
            for a custom layer in a model.
    """

    keras_module = "keras.layers"
    rows_independent = False
    casts_inputs = True
    supports_masking = False
    mixes_rows = False
    makes_mask = False
    takes_sequences = False  # for ``input_dim``, which is then the size of a step
    is_built_in = True
    _call_takes = ("training",)  # arguments beside the inputs
    _default_training = False  # what `call` takes, unless it is told
    _calls = 1  # in this step of the layer that holds this one

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.rows_independent = vars(cls).get("rows_independent", False)
        cls.is_built_in = cls.__module__.split(".")[0] == "minikeras"
        code = getattr(cls.call, "__code__", None)
        arguments = ("training",) if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        cls.mixes_rows = vars(cls).get("mixes_rows", not cls.is_built_in)  # a custom layer might
        cls.makes_mask = cls.compute_mask is not Layer.compute_mask
        cls._call_takes = tuple(name for name in ("training", "mask") if name in arguments)
        cls._default_training = default_of(cls.call, "training")
        if "build" in vars(cls) and cls.build_once is Layer.build_once:
            cls.build = _through_build_once(cls.build)

    def __init__(self, name=None, trainable=True, dtype=None, **kwargs):
        self._input_shape_argument = pop_input_shape(kwargs, self.takes_sequences)
        self.activity_regularizer = regularizers.get(kwargs.pop("activity_regularizer", None))
        kwargs.pop("autocast", None)  # Keras': there is one dtype here
        if kwargs:
            raise TypeError(unknown_arguments(type(self), kwargs))
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be a string. Received: {name!r}")
        if name is not None and "/" in name:
            raise ValueError(f"`name` must not contain '/', which separates names in a path. Received: {name!r}")
        self.name = name or auto_name(type(self).__name__)
        self._trainable = bool(trainable)
        self.dtype = config.standardize_dtype(dtype)
        self.built = self._is_building = False
        self.needs_input_gradient = True
        self._build_shape = None
        self._sublayers = None  # once built; custom layers set `built` themselves, before the end of `build`
        self._weights = []
        self._losses = []  # of `add_loss`, since the last call
        self._activity = None  # the outputs, for `activity_regularizer`
        self._warned_of_mask = False
        self._buffers = {}
        self._tensor = None  # the symbolic outputs
        self._traced = {}  # input sizes -> output sizes, of a layer without `compute_output_shape`

    # The four methods that make a layer.

    @_through_build_once
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

    def compute_mask(self, inputs, previous_mask):
        """Return the mask of the outputs, a bool array (batch, ...) or None, given that of the inputs."""
        return previous_mask if self.supports_masking else None

    # Running and building.

    def __call__(self, inputs, training=NOT_GIVEN, mask=None):
        """Return the outputs for an array, building the layer if need be. The result is the caller's own.

        With ``training=True``, `backward` can be called afterwards. By default it is what the custom layer that makes
        this call was told, or the default of `call`; None is False then, as in Keras. ``mask``, a bool array, says
        which steps of the inputs count, to layers that ask for it. For a `KerasTensor` the result is symbolic too.
        """
        if is_symbolic(inputs):
            return call_symbolically(self, inputs, None if training is NOT_GIVEN else training, mask)
        inputs = np.asarray(inputs)
        if inputs.dtype != self.dtype and self.casts_inputs:
            inputs = inputs.astype(self.dtype)
        shape = (inputs.shape[0] if getattr(self, "stateful", False) else None, *inputs.shape[1:])
        self.build_once(shape)
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            self.compute_output_shape(shape)  # says what does not fit
        self.needs_input_gradient = True  # training may have found that nobody used it
        calls = _outer.get()[1]
        self._calls = 1 if calls is None else calls.get(id(self), 0) + 1
        if calls is not None:
            calls[id(self)] = self._calls
        return np.array(self.run(inputs, resolve_training(training), mask))

    def run(self, inputs, training=False, mask=None):
        """`call` without conversions and copies: what it returns may be overwritten by the next call."""
        if self._losses:
            self._losses = []
        if training is None:
            training = self._default_training
        if self.is_built_in and self._call_takes == ("training",):
            outputs = self.call(inputs, training=training)
        else:
            given = {"training": training, "mask": mask}
            token = _outer.set((training, {}))
            try:
                outputs = self.call(inputs, **{name: given[name] for name in self._call_takes})
            finally:
                _outer.reset(token)
        if self.activity_regularizer is not None:
            self._activity = outputs
        return outputs

    def run_backward(self, doutputs):
        """`backward`, with the gradient of the activity regularizer added: what those call who hold the layer."""
        if self._calls > 1:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) was called {self._calls} times in one step of the layer "
                "that holds it, and remembers the last call alone: make a layer for each call"
            )
        if self.activity_regularizer is not None:
            doutputs = doutputs + self.activity_regularizer.gradient(self._activity) / max(len(self._activity), 1)
        return self.backward(doutputs)

    def run_mask(self, inputs, mask):
        """`compute_mask`, with a warning if a mask is lost."""
        if mask is not None and not self.supports_masking and type(self).compute_mask is Layer.compute_mask:
            if not self._warned_of_mask:
                self._warned_of_mask = True
                warn(
                    f"Layer {self.name!r} ({type(self).__name__}) was passed a mask, does not support masking and "
                    "destroys it: the layers after it do not see which steps are padding"
                )
            return None
        return self.compute_mask(inputs, mask)

    def build_once(self, input_shape):
        """Build the layer unless it is built already."""
        if not self.built:
            self.adopt_variables()
            known = self.weights  # of layers that were built before they came here
            self._is_building = True
            try:
                self.build(input_shape)
            finally:
                self._is_building = False
            if any(not inner.built for _, inner in self.sublayers):
                self._build_by_running(input_shape)
            self.adopt_variables()
            self._build_shape = tuple(input_shape)
            self._sublayers = self.find_sublayers()
            if "initial_weights" in self.__dict__:  # as Keras 1 and 2 had them, see `legacy`
                self.set_weights(self.__dict__.pop("initial_weights"))
            self.built = True
            self.prefix_paths([*known, *self._weights])

    def _build_by_running(self, input_shape):
        """Build inner layers that `build` left alone, as Keras does: by a call, here on one row of zeros."""
        sizes = tuple(input_shape[1:])
        if None not in sizes:
            self.run(np.zeros((1, *sizes), self.dtype))
        for place, inner in self.sublayers:
            if not inner.built:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) keeps the layer {inner.name!r} in `{place}` but does "
                    f"not build it: call `self.{place}.build_once(shape)` in `build`"
                )

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
        return {**self.__dict__, "_buffers": {}, "_activity": None, "_tensor": None}

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
            config["dtype"] = dtype_policy(self.dtype)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        return {name: config.pop(name) for name in ("name", "trainable", "dtype") if name in config} | config

    @classmethod
    def from_config(cls, config):
        """Return a new layer from what `get_config` returned, of Keras' or ours."""
        known = cls.argument_names()  # what only Keras has, as `quantization_config`, says nothing when it is None
        return super().from_config({key: value for key, value in config.items() if value is not None or key in known})

    def get_build_config(self):
        """Return what `build_from_config` needs to create the weights, None if there is nothing to build."""
        has_build = self.built and type(self).build is not Layer.build
        return {"input_shape": self._build_shape} if has_build else None

    def build_from_config(self, config):
        """Build the layer as another one was built, given what its `get_build_config` returned."""
        if config.get("input_shape") is not None:
            self.build_once(tuple(config["input_shape"]))

    def count_params(self):
        """Return the number of scalars in the weights."""
        if not self.built and type(self).build is not Layer.build:
            raise ValueError(
                f"Layer {self.name!r} is not built, so it has no weights to count. Call it on data, or give the model "
                "its input shape: `model.build((None, 28, 28, 1))`"
            )
        return sum(w.size for w in self.weights)

    @property
    def output(self):
        """The symbolic outputs, once the layer is part of a model that is built: see `keras.Model`."""
        if self._tensor is None:
            raise AttributeError(f"Layer {self.name!r} has no outputs yet: it has never been called in a model")
        return self._tensor

    @property
    def input(self):
        return self.output.source

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


def resolve_training(training):
    """Return what `run` takes for the ``training`` of a call: True, False, or None for the default of `call`."""
    if training is None or training is NOT_GIVEN:
        told = _outer.get()[0]
        return (False if training is None else None) if told is None else told
    return bool(training)


def default_of(function, argument):
    """Return the default of a function's argument; None if it has no such argument, or no default."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    defaults = function.__defaults__ or ()
    positional = dict(zip(code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults))
    return {**positional, **(function.__kwdefaults__ or {})}.get(argument)


def dtype_policy(dtype):
    """Return a type's config as Keras writes it."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}
