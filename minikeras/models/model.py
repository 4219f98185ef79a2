"""What all models are: a chain of layers with its shapes, its weights and its summary. Training: `training.py`."""

from minikeras import layers
from minikeras.kernels import threads
from minikeras.layers.base import NOT_GIVEN, Layer, resolve_training
from minikeras.layers.contents import numbered
from minikeras.layers.core import InputLayer
from minikeras.layers.symbolic import call_symbolically
from minikeras.models import functional
from minikeras.registry import accepts_old_spellings
from minikeras.stack import Stack
from minikeras.training import Trainer

UNUSED = (
    "call", "compute_loss", "compute_metrics", "predict_step", "make_train_function", "make_test_function",
    "make_predict_function",
)  # fmt: skip  # methods of Keras' models


class Model(Trainer, Layer):
    """A chain of layers, each of which takes the outputs of the one before it. Base class of `Sequential`.

        inputs = keras.Input((784,))
        x = layers.Dense(64, activation="relu")(inputs)
        model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))

    Args:
        inputs: what `Input` returns, or what a layer has returned for such a tensor.
        outputs: what the last layer has returned.
        name: of the model.
        trainable: whether optimizers change the weights.

    Layers that are in another model too have the same weights in both.

    Raises:
        ValueError: the outputs are not made from the inputs.
        NotImplementedError: what is no chain: several inputs or outputs, or a layer that occurs twice; a subclass with
            a `call` of its own in place of inputs and outputs.
    """

    keras_module = "keras"

    def __new__(cls, *args, **kwargs):
        return super().__new__(Functional if cls is Model else cls)

    def __init__(self, inputs=None, outputs=None, name=None, trainable=True):
        if inputs is None or outputs is None:
            raise NotImplementedError(
                f"{type(self).__name__} was made without `inputs` and `outputs`. Models with a `call` of their own are "
                "not supported, because minikeras derives nothing automatically: use Sequential or Model(inputs, "
                "outputs), with a Layer of your own that has a `backward` where one is needed"
            )
        tensors = functional.find_chain(inputs, outputs)
        self._init_model(name, trainable)
        self._in_lists = isinstance(inputs, (list, tuple)), isinstance(outputs, (list, tuple))
        self._layers = [tensor.layer for tensor in tensors]
        self._build(tensors[0].shape, tensors)

    def _init_model(self, name, trainable):
        _check_overridden(type(self))
        Layer.__init__(self, name=name, trainable=trainable)
        self._init_training()
        self._layers = []  # with the InputLayer, if there is one
        self._tensors = None  # symbolic, of the inputs and after each layer
        self.stack = None

    # Layers.

    @property
    def layers(self):
        """All layers, the `InputLayer` first."""
        return list(self._layers)

    def _working_layers(self):
        """The layers without the `InputLayer`."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def leaves(self):
        """The layers that compute, those of nested models included."""
        for layer in self._working_layers():
            if isinstance(layer, Model):
                yield from layer.leaves()
            else:
                yield layer

    def find_sublayers(self):
        return [(f"layers/{name}", layer) for name, layer in numbered(self.layers)]

    def get_layer(self, name=None, index=None):
        """Return the layer of that name, or at that index."""
        if (name is None) == (index is None):
            raise ValueError(f"Give either `name` or `index`. Received: name={name!r}, index={index!r}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"`index` must be less than the number of layers, {len(self.layers)}. Received: {index}"
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name!r}. Existing layers: {', '.join(layer.name for layer in self.layers)}")

    # Shapes.

    def build(self, input_shape=None):
        """Nothing is left to build; a shape that is not the model's is an error."""
        if input_shape is not None:
            self._check_shape(self._build_shape, tuple(input_shape))

    def build_once(self, input_shape):
        self.build(input_shape)

    def _check_shape(self, known, shape):
        if len(known) != len(shape) or any(a is not None and b is not None and a != b for a, b in zip(known, shape)):
            raise ValueError(
                f"Model {self.name!r} has the input shape {tuple(known)} already. Received input_shape={shape}"
            )

    def _build(self, shape, tensors=None):
        """Build every layer, in order, and put them into a `Stack`."""
        self._build_shape = tuple(shape)
        self._tensors = tensors or self._connect()
        self.stack = Stack(list(self.leaves()))
        self.dtype = self.stack.layers[0].dtype
        self._check_shared()
        self._sublayers = self.find_sublayers()
        self.built = True

    def _connect(self):
        """Call the layers one after the other on symbolic inputs; return the inputs and what each layer returned."""
        tensors = [self._layers[0].output]
        for layer in self._layers[1:]:
            tensors.append(call_symbolically(layer, tensors[-1]))
        return tensors

    def _check_shared(self):
        leaves = self.stack.layers
        if len({id(layer) for layer in leaves}) < len(leaves):
            twice = next(layer for i, layer in enumerate(leaves) if any(layer is other for other in leaves[:i]))
            raise ValueError(f"Layer {twice.name!r} occurs twice in model {self.name!r}: layers cannot be shared")

    @property
    def input_shape(self):
        """Shape of the inputs with the batch axis, None for sizes that may vary."""
        return self._connected()[0].shape

    @property
    def output_shape(self):
        return self._connected()[-1].shape

    @property
    def inputs(self):
        """A list of the inputs' symbolic tensor, for ``keras.Model(model.inputs, model.layers[2].output)``."""
        return self._connected()[:1]

    @property
    def outputs(self):
        return self._connected()[-1:]

    @property
    def input(self):
        """The inputs' symbolic tensor; in a list, if it was given in one."""
        return self.inputs if self._in_lists[0] else self.inputs[0]

    @property
    def output(self):
        return self.outputs if self._in_lists[1] else self.outputs[0]

    def _connected(self):
        if self._tensors is None:
            raise AttributeError(f"Model {self.name!r} has no defined input shape yet: build it or fit it")
        return self._tensors

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        for layer in self._working_layers():
            shape = tuple(layer.compute_output_shape(shape))
        return shape

    # Running.

    def __call__(self, inputs, training=None, mask=None):
        """Return the outputs for an array (batch, ...), the caller's own; builds the model if need be."""
        from minikeras import checks, data
        from minikeras.layers.symbolic import is_symbolic

        if is_symbolic(inputs):
            return Layer.__call__(self, inputs, training, mask)
        inputs = data.standardize(inputs, argument="inputs")[0]
        with threads.single_threaded_blas():
            if not self.built:
                self.build((None, *inputs.shape[1:]))
            checks.check_input(self, inputs)
            return self._run(inputs, resolve_training(NOT_GIVEN if training is None else training), mask)

    def call(self, inputs, training=None, mask=None):
        return self.stack.forward(inputs, training, mask)

    def compute_mask(self, inputs, previous_mask):
        """The mask that the last call left."""
        return self.stack.mask

    def backward(self, doutputs):
        return self.stack.input_gradient(doutputs)

    def inspect(self, x, y=None, training=False, sample_weight=None):
        """Return every layer's output for a batch, and with targets every gradient of the loss, by the layers' names.

            seen = model.inspect(x, y)
            print(seen)                               # a table: shape, minimum, maximum, mean, share of zeros
            seen["dense"].output, seen["dense"].output_gradient, seen["dense"].gradients["kernel"], seen.loss

        The model is not changed: copies of its layers compute, and random ones draw what the next step will draw.

        Args:
            x: array (batch, ...), all of which is computed at once.
            y: targets, for the gradients; the model must be compiled.
            training: whether layers do what they do in training, as dropout and batch normalization; then the gradients
                are those of a training step.
            sample_weight: array (batch,) or of the loss's shape.

        Returns:
            an `Inspection`: a mapping from names to entries with ``output``, ``output_gradient``, ``weights`` and
            ``gradients``.

        Raises:
            ValueError: the model is not built, or the data do not fit it. RuntimeError: ``y`` without `compile`.
        """
        from minikeras.inspection import inspect

        return inspect(self, x, y, training, sample_weight)

    # Weights.

    def count_params(self):
        """Return the number of scalars in the weights."""
        from minikeras import checks

        checks.check_built(self, "count_params")
        return sum(weight.size for weight in self.weights)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """Write the weights to one ``.weights.h5`` file, which Keras reads as well."""
        from minikeras.saving import weights

        if max_shard_size is not None:
            raise NotImplementedError(
                f"Weights are written to one file: `max_shard_size` must be None. Received: {max_shard_size!r}"
            )

        weights.save_weights(self, filepath, overwrite)

    @accepts_old_spellings
    def load_weights(self, filepath, skip_mismatch=False):
        """Read the weights from a ``.weights.h5`` file, of Keras' or ours; nothing is assigned unless all fits."""
        from minikeras.saving import weights

        weights.load_weights(self, filepath, skip_mismatch)

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Refused: files of whole models are not written yet."""
        from minikeras import models

        models.save_model(self, filepath, overwrite, zipped=zipped, **kwargs)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs):
        """Refused: there is no other format to export to."""
        raise NotImplementedError(
            f"`export` to other frameworks' formats is not part of minikeras. Received: filepath={str(filepath)!r}. "
            "model.save_weights('model.weights.h5') writes what Keras reads, and model.to_json() the architecture"
        )

    def summary(
        self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
        layer_range=None,
    ):  # fmt: skip
        """Print a table of the layers, their output shapes and numbers of parameters. Arguments: `print_summary`."""
        from minikeras.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # Config.

    def get_config(self):
        """Return the layers in order, each with the name of the layer that it is called on, as Keras does."""
        return functional.chain_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return a new model from what `get_config` returned, of Keras' or ours.

        Args:
            config: dict.
            custom_objects: dict from names to classes and functions of one's own.

        Raises:
            NotImplementedError: the model in the config is no chain of layers.
        """
        return functional.chain_from_config(cls, config, custom_objects)

    def get_build_config(self):
        return {"input_shape": None}

    def build_from_config(self, config):
        """There is nothing left to build."""

    def to_json(self, **kwargs):
        """Return the architecture and what `compile` was given as JSON, which Keras reads as well.

        Args:
            kwargs: for `json.dumps`, as ``indent=2``.

        Raises:
            TypeError: a layer, loss or metric made of a function that has no name to be found by.
        """
        import json

        return json.dumps(layers.serialize(self), **kwargs)

    def __getstate__(self):
        return {**Layer.__getstate__(self), "stack": None, "_tensors": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self.built:
            self._tensors = self._connect()
            self.stack = Stack(list(self.leaves()))

    def __getattr__(self, name):
        """Methods of Keras 1 and 2; reached only for what is not there."""
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property's own error
        from minikeras import legacy

        return legacy.old_method(self, name)


class Functional(Model):
    """What ``keras.Model(inputs, outputs)`` returns. Its layers begin with the `InputLayer`."""

    keras_module = "keras.src.models.functional"
    keras_registered_name = "Functional"  # Keras keeps this class to itself


def _check_overridden(cls):
    """Refuse a subclass that overrides what Keras calls and nothing here does."""
    for owner in cls.__mro__[: cls.__mro__.index(Model)]:
        for name in UNUSED:
            if name in vars(owner):
                raise NotImplementedError(
                    f"{owner.__name__} overrides `{name}`, which minikeras does not call: it derives nothing "
                    "automatically. Write a layer, loss, metric or callback of your own instead"
                )
        for name in ("train_step", "test_step"):
            code = getattr(vars(owner).get(name), "__code__", None)
            if code is not None and code.co_argcount == 2:
                raise NotImplementedError(
                    f"{owner.__name__} overrides `{name}(self, data)`, whose gradients a GradientTape would compute: "
                    f"minikeras has none. Here it is `{name}(self, x, y, sample_weight=None)`"
                )
