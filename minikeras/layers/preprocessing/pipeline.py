"""Preprocessing layers one after the other, as one layer."""

from minikeras.layers.base import Layer


class Pipeline(Layer):
    """Layers one after the other, as in a `Sequential`; called directly it takes itself to be in training.

    Args:
        layers: list of layers.

    Input shape: that of the first layer. Output shape: that of the last.

    Raises:
        ValueError: things that are no layers.
    """

    def __init__(self, layers, name=None):
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(layer, Layer) for layer in layers):
            raise ValueError(f"`layers` must be a list of layers. Received: layers={layers!r}")
        self.layers = list(layers)

    def build(self, input_shape):
        for layer in self.layers:
            layer.build_once(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs, training=True, mask=None):
        for layer in self.layers:
            outputs = layer.run(inputs, training, mask)
            mask, inputs = layer.run_mask(inputs, mask), outputs
        self.mask = mask
        return inputs

    def compute_mask(self, inputs, previous_mask):
        """The mask that the last call left."""
        return self.mask

    def backward(self, doutputs):
        for i, layer in reversed(list(enumerate(self.layers))):
            layer.needs_input_gradient = i > 0 or self.needs_input_gradient
            doutputs = layer.run_backward(doutputs)
        return doutputs

    def compute_output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        return {"layers": config["layers"], "name": config["name"]}

    def get_build_config(self):
        """Return None: Keras' class builds its layers when it is called."""

    @classmethod
    def from_config(cls, config):
        """Return a new pipeline from what `get_config` returned."""
        from minikeras.layers import deserialize

        return cls(**{**config, "layers": [deserialize(layer) for layer in config["layers"]]})
