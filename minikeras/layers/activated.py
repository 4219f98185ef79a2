"""Layers that end in an activation."""

import numpy as np

from minikeras import activations
from minikeras.layers.base import Layer


class ActivatedLayer(Layer):
    """A layer whose outputs are y = f(z), z being its logits.

    `backward` takes gradients of the outputs and `backward_logits` gradients of the logits. The second is how softmax
    and cross-entropy, or sigmoid and binary cross-entropy, are differentiated together.

    Attributes:
        ends_in_activation: whether that can be done: nothing follows the activation.
    """

    ends_in_activation = False

    def __init_subclass__(cls, **kwargs):
        """Leave subclasses with a `call` or `backward` of their own out: their outputs may be something else."""
        super().__init_subclass__(**kwargs)
        owner = {
            name: next(c for c in cls.__mro__ if name in vars(c)) for name in ("call", "backward", "backward_logits")
        }
        same_call = owner["call"] is owner["backward_logits"]
        cls.ends_in_activation = same_call and owner["backward"] in (ActivatedLayer, owner["backward_logits"])

    def backward_logits(self, dlogits):
        """Given dL/dlogits, set each weight's ``.grad`` and return dL/dinputs. ``dlogits`` may be overwritten."""
        raise NotImplementedError

    def backward(self, doutputs):
        return self.backward_logits(self.activation_gradient(doutputs))

    def add_kernel_and_bias(self, kernel_shape):
        """Create `kernel` and, with ``use_bias``, `bias`, one number for each of the kernel's last axis."""
        self.kernel = self.add_described_weight("kernel", kernel_shape)
        if self.use_bias:
            self.bias = self.add_described_weight("bias", kernel_shape[-1:])

    def activate(self, z, training, rows=slice(None)):
        """Replace logits by outputs, in place. ``rows``: which rows of the batch ``z`` holds."""
        if self.activation.needs_input and training:
            np.copyto(self.logits[rows], z)
        self.activation.forward(z, z)

    def keep(self, outputs, training):
        """Remember what `activation_gradient` needs; to be called before `activate`."""
        self.outputs = outputs if training else None
        needs_logits = self.activation.needs_input and training
        self.logits = self.buffer("logits", outputs.shape) if needs_logits else None

    def activation_gradient(self, doutputs):
        """Return dL/dlogits for dL/doutputs."""
        if self.activation is activations.linear:
            return doutputs
        if self.activation.gradient is None:
            raise ValueError(
                f"Activation {self.activation.__name__!r} of layer {self.name!r} has no derivative, so the layer "
                "cannot be trained. Give minikeras.activations.ActivationFunction(forward, gradient)"
            )
        dlogits = self.buffer("dlogits", self.outputs.shape)
        self.activation.gradient(doutputs, self.logits, self.outputs, dlogits)
        return dlogits
