"""Sequential: a stack of layers with its shapes, its weights and its summary. How it is trained: `training.py`."""

from minikeras import layers
from minikeras.kernels import threads
from minikeras.layers import images
from minikeras.layers.base import Layer
from minikeras.layers.contents import numbered
from minikeras.layers.core import InputLayer
from minikeras.registry import serialize
from minikeras.stack import Stack
from minikeras.training import Trainer


class Sequential(Trainer, Layer):
    """A stack of layers, each of which takes the outputs of the one before it.

    Args:
        layers: list of layers; more can be added with `add`.
        trainable: whether optimizers change the weights.
        name: of the model.

    A Sequential is a layer itself and can be part of another one.
    """

    keras_module = "keras"

    def __init__(self, layers=None, trainable=True, name=None):
        Layer.__init__(self, name=name, trainable=trainable)
        self._init_training()
        self._layers = []  # with the InputLayer, if there is one
        self.stack = None
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise TypeError(f"`layers` must be a list of layers. Received: {layers!r}")
        for layer in layers or ():
            self._append(layer)
        self._build_if_known()

    # The stack.

    @property
    def layers(self):
        """The layers that were added, without the `InputLayer`."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def add(self, layer, rebuild=True):
        """Put a layer on top of the stack; one that does not fit is not added."""
        before = list(self._layers)
        self._append(layer)
        if not rebuild:
            return
        try:
            self._build_if_known()
        except Exception:
            self._layers = before
            self._build_if_known()
            raise

    def pop(self, rebuild=True):
        """Take the last layer off the stack and return it."""
        if not self.layers:
            raise TypeError("There are no layers in the model to pop")
        layer = self._layers.pop()
        self._forget_stack()
        if rebuild:
            self._build_if_known()
        return layer

    def _append(self, layer):
        if not isinstance(layer, Layer):
            raise TypeError(
                f"A Sequential model is made of layers. Received: {layer!r} (of type {type(layer).__name__})"
                + (". Is it the class, and not an object of it?" if isinstance(layer, type) else "")
            )
        if any(known is layer for known in self._layers):
            raise ValueError(f"Layer {layer.name!r} is in the model already: a layer can be added once")
        if any(known.name == layer.name for known in self._layers):
            raise ValueError(
                f"Layer names must be unique in a model. Received a second layer named {layer.name!r}: give it another "
                "`name`"
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"An Input layer must come first. Received one after {len(self._layers)} layers")
        if not self._layers and layer._input_shape_argument is not None:
            self._layers.append(InputLayer(batch_shape=layer._input_shape_argument))
        self._layers.append(layer)
        self._forget_stack()

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
        """Build every layer for inputs of shape ``input_shape``, batch axis first: (None, 28, 28, 1).

        Raises:
            ValueError: a layer does not fit its input; the message holds the layer's name and the arithmetic.
        """
        given = self._layers[0].batch_shape if self._layers and isinstance(self._layers[0], InputLayer) else None
        shape = tuple(input_shape) if input_shape is not None else given
        if not self.layers:
            raise ValueError(f"Model {self.name!r} has no layers yet: add some with model.add(layer)")
        if shape is None:
            raise ValueError("`input_shape` is required, batch axis first: model.build((None, 28, 28, 1))")
        for known in (given, self._build_shape):
            if known is not None and not _compatible(known, shape):
                raise ValueError(
                    f"Model {self.name!r} has the input shape {tuple(known)} already. Received input_shape={shape}"
                )
        if self.built:
            return
        images.check_axis_order(self.layers[0], shape)
        before = [(layer, _state(layer)) for layer in self.all_layers() if not layer.built]
        try:
            self._build(given or shape)
        except Exception:  # as if nothing had been tried: the next shape may be the right one
            for layer, state in before:
                vars(layer).clear()
                vars(layer).update(state)
            raise

    def _build(self, shape):
        if not isinstance(self._layers[0], InputLayer):
            self._layers.insert(0, InputLayer(batch_shape=shape, dtype=self._layers[0].dtype))
        self._build_shape = shape
        for layer in self.layers:
            layer.build_once(shape)
            shape = tuple(layer.compute_output_shape(shape))
        self._output_shape = shape
        self.stack = Stack(list(self.leaves()))
        self.dtype = self.stack.layers[0].dtype
        self._check_shared()
        for layer in self.layers:
            _set_paths(layer, self.name)
        self._sublayers = self.find_sublayers()
        self.built = True

    def build_once(self, input_shape):
        self.build(input_shape)

    def _build_if_known(self):
        """Build the model if it begins with an `InputLayer`, or with a model that knows its inputs."""
        if len(self._layers) < 2:
            return
        first = self._layers[0]
        if isinstance(first, InputLayer):
            self.build()
        elif isinstance(first, Sequential) and first.built:
            self.build(first.input_shape)

    def _forget_stack(self):
        self.built = False
        self.stack = self._build_shape = None

    def leaves(self):
        """The layers that compute, those of nested models included."""
        for layer in self.layers:
            if isinstance(layer, Sequential) and type(layer).call is Sequential.call:
                yield from layer.leaves()
            else:
                yield layer

    def find_sublayers(self):
        return [(f"layers/{name}", layer) for name, layer in numbered(self.layers)]

    def _check_shared(self):
        leaves = self.stack.layers
        if len({id(layer) for layer in leaves}) < len(leaves):
            twice = next(layer for i, layer in enumerate(leaves) if any(layer is other for other in leaves[:i]))
            raise ValueError(f"Layer {twice.name!r} occurs twice in model {self.name!r}: layers cannot be shared")

    @property
    def input_shape(self):
        """Shape of the inputs with the batch axis, None for sizes that may vary."""
        self._check_shape_known()
        return self._build_shape

    @property
    def output_shape(self):
        self._check_shape_known()
        return (self._build_shape[0], *self._output_shape[1:])

    def _check_shape_known(self):
        if self._build_shape is None:
            raise AttributeError(f"Model {self.name!r} has no defined input shape yet: build it or fit it")

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = tuple(layer.compute_output_shape(shape))
        return shape

    # Running.

    def __call__(self, inputs, training=False, mask=None):
        """Return the outputs for an array (batch, ...), the caller's own; builds the model if need be."""
        from minikeras import checks, data

        inputs = data.standardize(inputs, argument="inputs")[0]
        with threads.single_threaded_blas():
            if not self.built:
                self.build((None, *inputs.shape[1:]))
            checks.check_input(self, inputs)
            return self._run(inputs, training, mask)

    def call(self, inputs, training=False, mask=None):
        return self.stack.forward(inputs, training, mask)

    def compute_mask(self, inputs, previous_mask):
        """The mask that the last call left."""
        return self.stack.mask

    def backward(self, doutputs):
        return self.stack.input_gradient(doutputs)

    # Weights.

    def count_params(self):
        """Return the number of scalars in the weights."""
        from minikeras import checks

        checks.check_built(self, "count_params")
        return sum(weight.size for weight in self.weights)

    def save_weights(self, filepath, overwrite=True):
        """Write the weights to a ``.weights.h5`` file, which Keras reads as well."""
        from minikeras.saving import weights

        weights.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath, skip_mismatch=False):
        """Read the weights from a ``.weights.h5`` file, of Keras' or ours; nothing is assigned unless all fits."""
        from minikeras.saving import weights

        weights.load_weights(self, filepath, skip_mismatch)

    def summary(
        self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
        layer_range=None,
    ):  # fmt: skip
        """Print a table of the layers, their output shapes and numbers of parameters. Arguments: `print_summary`."""
        from minikeras.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # Config.

    def get_config(self):
        stack = [serialize(layer) for layer in self._layers]
        config = {"name": self.name, "trainable": self.trainable, "layers": stack}
        if self._build_shape is not None:
            config["build_input_shape"] = self._build_shape
        return config

    @classmethod
    def from_config(cls, config):
        model = cls([layers.deserialize(layer) for layer in config["layers"]], name=config.get("name"))
        if config.get("build_input_shape") and not model.built:
            model.build(config["build_input_shape"])
        return model

    def __getstate__(self):
        state = Layer.__getstate__(self)
        return {**state, "stack": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self.built:
            self.stack = Stack(list(self.leaves()))


def _state(layer):
    """Return a layer's attributes, with copies of the lists, which `add_weight` would change."""
    return {name: list(value) if isinstance(value, list) else value for name, value in vars(layer).items()}


def _compatible(known, shape):
    return len(known) == len(shape) and all(a is None or b is None or a == b for a, b in zip(known, shape))


def _set_paths(layer, prefix):
    """Let the weights' paths start with the names of the models that they are in."""
    prefix = f"{prefix}/{layer.name}"
    for weight in layer._weights:
        weight.path = f"{prefix}/{weight.name}"
    for _, inner in layer.sublayers:
        _set_paths(inner, prefix)
