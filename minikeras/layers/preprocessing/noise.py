"""Random noise on images, of another strength on each."""

import numpy as np

from minikeras.layers.preprocessing.augmentation import check_value_range, standardize_bounds
from minikeras.layers.preprocessing.color import ClippedLayer


class RandomNoise(ClippedLayer):
    """In training, adds normally distributed noise: outputs = inputs + stddev * noise, clipped to ``value_range``.

    Args:
        factor: the standard deviation, as a part of the width of ``value_range``: a number f in [0, 1] to draw one for
            each image from [0, f], or a pair of bounds.
        value_range: bounds of the values, that the outputs are clipped to.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels).

    Raises:
        ValueError: a factor out of range, bounds that are none.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0, strict=True)
        self.value_range = check_value_range(value_range)

    def draw(self, generator, images):
        if self.factor[1] == 0:
            return {"noise": np.zeros((1, 1, 1, 1), self.dtype)}
        stddev = self.uniform(generator, self.factor, (len(images), 1, 1, 1))
        stddev *= self.value_range[1] - self.value_range[0]
        noise = generator.standard_normal(images.shape, self.dtype)
        noise *= stddev
        return {"noise": noise}

    def linear(self, images, out):
        np.add(images, np.asarray(self.transformation["noise"], self.dtype), out=out)

    def linear_gradient(self, dvalues, out):
        np.copyto(out, dvalues)
