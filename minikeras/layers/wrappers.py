"""Layers that hold a layer: for each step of a sequence, or in both directions along it."""

import numpy as np

from minikeras.layers.base import Layer
from minikeras.layers.contents import copy_sharing_weights
from minikeras.messages import warn


class Wrapper(Layer):
    """Abstract layer that changes how another one is applied; without changes of its own it applies it.

    Args:
        layer: the layer inside, kept in the attribute `layer`.

    Input shape, output shape and weights: those of the layer inside.

    Raises:
        ValueError: it is no layer.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = standardize_layer(layer, type(self).__name__)

    @property
    def casts_inputs(self):
        return self.layer.casts_inputs

    def build(self, input_shape=None):
        self.layer.build_once(input_shape)

    def call(self, inputs, training=False, mask=None):
        return self.layer.run(inputs, training, mask)

    def backward(self, doutputs):
        self.layer.needs_input_gradient = self.needs_input_gradient
        return self.layer.run_backward(doutputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


class TimeDistributed(Wrapper):
    """Applies a layer to each step by itself.

    Args:
        layer: for inputs of shape (batch, ...).

    Input shape: (batch, steps, ...). Output shape: (batch, steps, ...) with the layer's output in place of its input.

    Steps are computed together, as further rows of the batch. A layer that looks across rows, as batch normalization
    does, is applied to one step after the other.
    """

    supports_masking = True

    def build(self, input_shape):
        super().build(self._step_shape(input_shape))
        self._one_by_one = any(layer.mixes_rows for layer in self.layer.all_layers())
        if self.layer.activity_regularizer is not None:
            warn(
                f"Layer {self.name!r} (TimeDistributed): the `activity_regularizer` of the layer inside has no effect, "
                "as in Keras 3.15. Give TimeDistributed one"
            )

    def call(self, inputs, training=False, mask=None):
        self.x_shape = inputs.shape
        if mask is not None and np.shape(mask)[:2] != inputs.shape[:2]:
            raise ValueError(
                f"Layer {self.name!r} (TimeDistributed): `mask` must begin with the inputs' batch and steps, "
                f"{inputs.shape[:2]}. Received a mask of shape {np.shape(mask)} and inputs of shape {inputs.shape}"
            )
        if self._one_by_one:
            return self._call_one_by_one(inputs, training, None if mask is None else np.asarray(mask))
        masks = None if mask is None or np.ndim(mask) < 3 else np.asarray(mask)  # of one step: (batch, ...)
        x = inputs.reshape(-1, *inputs.shape[2:])
        y = self._run_layer(self.layer, x, training, None if masks is None else masks.reshape(-1, *masks.shape[2:]))
        return y.reshape(*inputs.shape[:2], *y.shape[1:])

    @staticmethod
    def _run_layer(layer, x, training, mask):
        """As in Keras the inner layer's activity regularizer is left out."""
        regularizer, layer.activity_regularizer = layer.activity_regularizer, None
        try:
            return layer.run(x, training, mask)
        finally:
            layer.activity_regularizer = regularizer

    def backward(self, doutputs):
        if self._one_by_one:
            return self._backward_one_by_one(doutputs)
        self.layer.needs_input_gradient = self.needs_input_gradient
        dx = self.layer.backward(doutputs.reshape(-1, *doutputs.shape[2:]))
        return None if dx is None else dx.reshape(self.x_shape)

    def _call_one_by_one(self, inputs, training, masks):
        self.twins = [copy_sharing_weights(self.layer) for _ in range(inputs.shape[1])]  # each remembers its own step
        outputs = [
            np.array(self._run_layer(twin, inputs[:, t], training, None if masks is None else masks[:, t]))
            for t, twin in enumerate(self.twins)
        ]
        return np.stack(outputs, axis=1)

    def _backward_one_by_one(self, doutputs):
        weights = self.layer.trainable_weights
        totals = [0.0] * len(weights)
        dx = np.empty(self.x_shape, doutputs.dtype)
        for t, twin in enumerate(self.twins):
            twin.needs_input_gradient = True
            dx[:, t] = twin.backward(np.array(doutputs[:, t]))
            totals = [total + weight.grad for total, weight in zip(totals, weights)]
        for weight, total in zip(weights, totals):
            weight.grad = total
        return dx

    def compute_output_shape(self, input_shape):
        output = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (output[0], input_shape[1], *output[1:])

    def _step_shape(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                f"Layer {self.name!r} (TimeDistributed) takes inputs of rank 3 or more, (batch, steps, ...). Received "
                f"inputs of shape {tuple(input_shape)}"
            )
        return (input_shape[0], *input_shape[2:])


MERGE_MODES = ("sum", "mul", "ave", "concat")


class Bidirectional(Layer):
    """Two recurrent layers, one from the start of the sequence and one from its end, and what they put out together.

    Args:
        layer: recurrent layer; both directions are made anew from its config.
        merge_mode: ``"concat"`` along the last axis, ``"sum"``, ``"mul"`` or ``"ave"``.
        weights: list of arrays to start from, the forward layer's first.
        backward_layer: another layer for the way back, with ``go_backwards=True``.

    Input shape: (batch, steps, features). Output shape: (batch, units) or (batch, steps, units), 2 units for concat.
    Outputs of both directions are in the order of the sequence; where the mask is False they are 0.

    Raises:
        ValueError: bad arguments, or two layers that do not belong together.

    Schuster and Paliwal 1997.
    """

    supports_masking = True

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        super().__init__(**kwargs)
        layer = standardize_layer(layer, "Bidirectional")
        if merge_mode not in MERGE_MODES:
            raise ValueError(
                f"`merge_mode` must be one of {MERGE_MODES} (None would make two outputs, and layers here pass one "
                f"array on). Received: {merge_mode!r}"
            )
        if not hasattr(layer, "go_backwards"):
            raise ValueError(f"`layer` must be a recurrent layer, as LSTM(8). Received: {layer!r}")
        self.merge_mode = merge_mode
        self.forward_layer = _renamed(layer, "forward_")
        if backward_layer is None:
            self.backward_layer = _renamed(layer, "backward_", go_backwards=True)
        else:
            self.backward_layer = standardize_layer(backward_layer, "Bidirectional")
        if hasattr(layer, "use_cudnn"):  # configs leave it out
            self.forward_layer.use_cudnn = self.backward_layer.use_cudnn = layer.use_cudnn
        self._check_pair()
        self._initial_weights = weights
        for inner in self._both:
            inner.zero_output_for_mask = inner.return_sequences

    @property
    def _both(self):
        return self.forward_layer, self.backward_layer

    @property
    def stateful(self):
        return self.forward_layer.stateful

    @property
    def return_sequences(self):
        return self.forward_layer.return_sequences

    @property
    def return_state(self):
        return self.forward_layer.return_state

    @property
    def states(self):
        """The states of both layers, if they are stateful and have run."""
        forward, backward = (inner.states for inner in self._both)
        return forward + backward if forward and backward else None

    def _check_pair(self):
        forward, backward = self._both
        if not hasattr(backward, "go_backwards"):
            raise ValueError(f"`backward_layer` must be a recurrent layer. Received: {backward!r}")
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"`layer` and `backward_layer` must go in different directions. Received: go_backwards="
                f"{forward.go_backwards} for both"
            )
        for name in ("stateful", "return_sequences"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"`layer` and `backward_layer` must have the same `{name}`. Received: {getattr(forward, name)} and "
                    f"{getattr(backward, name)}"
                )

    def build(self, input_shape):
        shapes = [inner.compute_output_shape(input_shape) for inner in self._both]
        if self.merge_mode != "concat" and shapes[0] != shapes[1]:
            raise ValueError(
                f"Layer {self.name!r} (Bidirectional): merge_mode={self.merge_mode!r} needs outputs of one shape. The "
                f"layers put out {shapes[0]} and {shapes[1]}: give them the same number of units"
            )
        for inner in self._both:
            inner.build_once(input_shape)
        if self._initial_weights:
            half = len(self._initial_weights) // 2
            self.forward_layer.set_weights(self._initial_weights[:half])
            self.backward_layer.set_weights(self._initial_weights[half:])

    def call(self, inputs, training=False, mask=None):
        a, b = (inner.run(inputs, training, mask) for inner in self._both)
        self.forward_size = a.shape[-1]
        if self.return_sequences:
            b = b[:, ::-1]
        self.factors = (a, b) if self.merge_mode == "mul" and training else None
        if self.merge_mode == "concat":
            return np.concatenate([a, b], axis=-1)
        if self.merge_mode == "mul":
            return a * b
        return a + b if self.merge_mode == "sum" else (a + b) / 2

    def backward(self, doutputs):
        if self.merge_mode == "concat":
            da, db = np.split(doutputs, [self.forward_size], axis=-1)
        elif self.merge_mode == "mul":
            da, db = doutputs * self.factors[1], doutputs * self.factors[0]
        else:
            da = db = doutputs if self.merge_mode == "sum" else doutputs / 2
        if self.return_sequences:
            db = db[:, ::-1]
        dx = []
        for inner, dy in zip(self._both, (da, db)):
            inner.needs_input_gradient = self.needs_input_gradient
            dx.append(inner.run_backward(np.array(dy)))
        return dx[0] + dx[1] if self.needs_input_gradient else None

    def reset_state(self):
        """Let both layers, if they are stateful, start from zeros again."""
        for inner in self._both:
            inner.reset_state()

    reset_states = reset_state

    def compute_mask(self, inputs, previous_mask):
        return previous_mask if self.return_sequences else None

    def compute_output_shape(self, input_shape):
        shape = self.forward_layer.compute_output_shape(input_shape)
        if self.merge_mode != "concat":
            return shape
        return (*shape[:-1], shape[-1] + self.backward_layer.compute_output_shape(input_shape)[-1])

    @classmethod
    def argument_names(cls):
        return [name for name in super().argument_names() if name != "weights"]  # they are in files, not in configs

    @property
    def layer(self):
        return self.forward_layer


def standardize_layer(layer, wrapper):
    """Return a layer, given it or its config; anything else is a ValueError."""
    if isinstance(layer, dict):
        from minikeras import layers

        return layers.deserialize(layer)
    if not isinstance(layer, Layer):
        raise ValueError(f"{wrapper} wraps a layer, as {wrapper}(Dense(8)). Received: {layer!r}")
    return layer


def _renamed(layer, prefix, **changes):
    """Return a new layer of the same config, with another name."""
    config = layer.get_config()
    config["name"] = prefix + config["name"].removeprefix(prefix)
    return type(layer).from_config({**config, **changes})
