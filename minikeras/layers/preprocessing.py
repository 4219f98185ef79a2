"""Preprocessing inside the model."""

import numpy as np

from minikeras import config
from minikeras.layers.base import Layer


class Rescaling(Layer):
    """outputs = inputs * scale + offset

    Args:
        scale: number or array that broadcasts to the inputs; ``1 / 255`` brings bytes to [0, 1]. When
            `config.image_data_format()` is ``"channels_first"``, an array is lined up with the first axes of a sample.
        offset: likewise.

    Input and output shape: any.

    Raises:
        ValueError: factors that are no finite numbers.
    """

    rows_independent = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = _standardize_factor(scale, "scale")
        self.offset = _standardize_factor(offset, "offset")

    def call(self, inputs, training=False):
        outputs = self.buffer("outputs", inputs.shape)
        np.multiply(inputs, self._factor(self.scale, inputs.ndim), out=outputs)
        outputs += self._factor(self.offset, inputs.ndim)
        return outputs

    def backward(self, doutputs):
        doutputs *= self._factor(self.scale, doutputs.ndim)
        return doutputs

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def _factor(self, value, rank):
        array = np.asarray(value, self.dtype)
        if array.ndim and config.image_data_format() == "channels_first":
            return array.reshape(array.shape + (1,) * (rank - 1 - array.ndim))
        return array


def _standardize_factor(value, argument):
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(f"`{argument}` must be a finite number or an array of them. Received: {value!r}")
    return value if array.ndim == 0 else array.tolist()
