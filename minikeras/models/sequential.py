"""Sequential: a model made of a list of layers, to which more can be added."""

from minikeras import layers
from minikeras.layers import images
from minikeras.layers.base import Layer, dtype_policy
from minikeras.layers.core import InputLayer
from minikeras.layers.symbolic import KerasTensor, all_or_nothing
from minikeras.models.model import Model
from minikeras.registry import CustomObjectScope, serialize


class Sequential(Model):
    """A stack of layers, each of which takes the outputs of the one before it.

    Args:
        layers: list of layers; more can be added with `add`.
        trainable: whether optimizers change the weights.
        name: of the model.

    A Sequential is a layer itself and can be part of another one.
    """

    def __init__(self, layers=None, trainable=True, name=None):
        self._init_model(name, trainable)
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise TypeError(f"`layers` must be a list of layers. Received: {layers!r}")
        for layer in layers or ():
            self._append(layer)
        self._build_if_known()

    # The stack.

    @property
    def layers(self):
        """The layers that were added, without the `InputLayer`."""
        return self._working_layers()

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
        if isinstance(layer, KerasTensor) and layer.source is None:  # what `Input` returns
            layer = layer.layer
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
            if known is not None:
                self._check_shape(known, shape)
        if self.built:
            return
        images.check_axis_order(self.layers[0], shape)
        known = self.weights
        with all_or_nothing(self):
            if given is None:
                self._layers.insert(0, InputLayer(batch_shape=shape, dtype=self._layers[0].dtype))
            self._build(given or shape)
        self.prefix_paths(known)

    @property
    def input(self):
        """The symbolic tensor that the model was called on as a part of another one; else its own inputs."""
        return self.inputs[0] if self._tensor is None else self._tensor.source

    @property
    def output(self):
        return self.outputs[0] if self._tensor is None else self._tensor

    def _build_if_known(self):
        """Build the model if it begins with an `InputLayer`, or with a model that knows its inputs."""
        if len(self._layers) < 2:
            return
        first = self._layers[0]
        if isinstance(first, InputLayer):
            self.build()
        elif isinstance(first, Model) and first.built:
            self.build(first.input_shape)

    def _forget_stack(self):
        self.built = False
        self.stack = self._build_shape = self._tensors = None

    # Config.

    get_build_config, build_from_config = Layer.get_build_config, Layer.build_from_config

    def get_config(self):
        stack = [serialize(layer) for layer in self._layers]
        config = {"name": self.name, "trainable": self.trainable, "dtype": dtype_policy(self.dtype), "layers": stack}
        if self._build_shape is not None:
            config["build_input_shape"] = self._build_shape
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return a new model from what `get_config` returned, of Keras' or ours.

        Args:
            config: dict with the keys ``"name"`` and ``"layers"``.
            custom_objects: dict from names to classes and functions of one's own.
        """
        if not isinstance(config, dict) or "layers" not in config:
            raise ValueError(f"The config of a Sequential is a dict with the key 'layers'. Received: {config!r:.200}")
        with CustomObjectScope(custom_objects):
            stack = [layers.deserialize(layer) for layer in config["layers"]]
        model = cls(stack, name=config.get("name"))
        if config.get("build_input_shape") and not model.built:
            model.build(config["build_input_shape"])
        return model
