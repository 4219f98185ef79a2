"""Normalization of a layer's weights, not of what passes through it."""

import numpy as np

from minikeras import config, initializers
from minikeras.layers.base import positive_integer
from minikeras.layers.wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value sigma, which bounds how steep the layer is.

    Before each call in training, with the kernel as a matrix W of one column for each of its last axis:
    v = u W^T / |u W^T|, u = v W / |v W|, some times over, then sigma = v W u^T, kernel = kernel / sigma. The vector u
    is kept, so that an iteration a step is enough. As in Keras the kernel itself is replaced, and its gradient is the
    one at the new value: sigma is not differentiated.

    Args:
        layer: layer with a `kernel` or `embeddings`.
        power_iterations: how often u and v are refined at each call.

    Input and output shape: the layer's. Weights: those of the layer, and vector_u (1, size of the kernel's last axis).

    Raises:
        ValueError: a layer without a kernel, a number of iterations that is not positive.

    Miyato et al. 2018, arXiv:1802.05957, section 2.1 and algorithm 1.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_integer(power_iterations, "power_iterations")
        self.kernel = self.vector_u = None

    def build(self, input_shape):
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", None)
        self.kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if self.kernel is None:
            raise ValueError(
                "SpectralNormalization needs a layer with a `kernel` or `embeddings`, as Dense, Conv2D or Embedding. "
                f"Received: {type(self.layer).__name__}, which has neither"
            )
        start = initializers.TruncatedNormal(stddev=0.02)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), start, self.kernel.dtype, trainable=False, name="vector_u"
        )

    def call(self, inputs, training=False):
        if training:
            self.normalize_kernel()
        return self.layer.run(inputs, training)

    def normalize_kernel(self):
        """Divide the kernel by (an estimate of) its largest singular value, unless that is 0."""
        matrix = self.kernel.value.reshape(-1, self.kernel.shape[-1])
        u = self.vector_u.value
        for _ in range(self.power_iterations):
            v = _unit_vector(u @ matrix.T)
            u = _unit_vector(v @ matrix)
        sigma = (v @ matrix @ u.T).item()
        if sigma > 0:  # not of a kernel of zeros
            self.vector_u.assign(u)
            self.kernel.assign(self.kernel.value / matrix.dtype.type(sigma))

    @property
    def weights(self):
        """The kernel comes first: for Keras it is a weight of both layers."""
        inner = self.layer.weights
        return [*self.saved_weights(), *(w for w in inner if w is not self.kernel)]

    def saved_weights(self):
        return [weight for weight in (self.kernel, self.vector_u) if weight is not None]


def _unit_vector(x):
    return x / np.maximum(np.sqrt(np.sum(np.square(x))), x.dtype.type(config.epsilon()))
