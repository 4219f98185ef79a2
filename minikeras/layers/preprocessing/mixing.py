"""Images mixed with other images of the same batch, and their labels likewise.

    outputs = layers.MixUp()({"images": images, "labels": one_hot_labels})

In a model, which passes images only, the labels stay as they are.
"""

import numpy as np

from minikeras.layers.images import to_channels_last
from minikeras.layers.preprocessing.augmentation import RandomImageLayer, is_number, standardize_bounds


class MixingLayer(RandomImageLayer):
    """Abstract: each image with a partner, which is another image of the batch as a rule.

    A transformation has the partners' numbers in ``permutation_order`` and the image's own weight in ``mix_weight``.
    """

    def partners(self, arrays):
        return arrays[np.asarray(self.transformation["permutation_order"])]

    def give_to_partners(self, gradients, out):
        """Add to ``out`` what `partners` passed on."""
        out[np.asarray(self.transformation["permutation_order"])] += gradients  # each number occurs once

    def transform_labels(self, labels, transformation, training=True):
        """Return weights * labels + (1 - weights) * partners' labels: (batch, classes), or (classes,) of one image."""
        if not training or transformation is None:
            return labels
        labels = np.asarray(labels, self.dtype)
        weights = np.asarray(transformation["mix_weight"], self.dtype).reshape(-1, 1)
        if labels.ndim == 1 and len(weights) > 1:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes labels of shape (batch, classes), as from "
                f"`utils.to_categorical(labels)`. Received labels of shape {labels.shape}"
            )
        rows = labels if labels.ndim > 1 else labels[None]
        mixed = weights * rows + (1 - weights) * rows[np.asarray(transformation["permutation_order"])]
        return mixed if labels.ndim > 1 else mixed[0]


class MixUp(MixingLayer):
    """In training, outputs = weight * image + (1 - weight) * another image of the batch.

    Args:
        alpha: the weights have the distribution Beta(alpha, alpha): near 0 or 1 when it is small.
        data_format: order of the axes, by default `config.image_data_format()`.
        seed: integer; by default drawn from the global seed.

    Input and output shape: (batch, height, width, channels); called directly also a dict of ``"images"`` and
    ``"labels"`` (batch, classes).

    Raises:
        ValueError: an alpha that is not positive.

    Reference: H. Zhang et al., mixup: Beyond empirical risk minimization, 2017, section 2.
    """

    mixes_rows = True

    def __init__(self, alpha=0.2, data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not is_number(alpha) or alpha <= 0:
            raise ValueError(f"`alpha` must be a positive number. Received: alpha={alpha!r}")
        self.alpha = alpha

    def draw(self, generator, images):
        order = generator.permutation(len(images))
        return {"mix_weight": generator.beta(self.alpha, self.alpha, len(images)), "permutation_order": order}

    def _shares(self):
        return np.asarray(self.transformation["mix_weight"], self.dtype).reshape(-1, 1, 1, 1)

    def transform(self, images):
        outputs = self.buffer("outputs", images.shape)
        np.multiply(images, self._shares(), out=outputs)
        outputs += self.partners(images) * (1 - self._shares())
        return outputs

    def gradient(self, doutputs, out):
        np.multiply(doutputs, self._shares(), out=out)
        self.give_to_partners(doutputs * (1 - self._shares()), out)


class CutMix(MixingLayer):
    """In training, replaces a rectangle of each image by the same place of another image of the batch.

    Args:
        factor: the part of the image that stays has the distribution Beta(factor, factor); one number f in [0, 1] to
            draw the factor from [0, f] for each batch, or a pair of bounds.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels); called directly also a dict of ``"images"`` and
    ``"labels"`` (batch, classes). A single image stays as it is.

    Raises:
        ValueError: a factor out of range.

    Reference: S. Yun et al., CutMix: Regularization strategy to train strong classifiers with localizable features,
    2019, section 3.1.
    """

    mixes_rows = True

    def __init__(self, factor=1.0, seed=None, data_format=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = standardize_bounds(factor, "factor", low=0, strict=True)

    def get_random_transformation(self, data, training=True, seed=None):
        """As of every random layer; None for a single image."""
        return None if np.ndim(data) == 3 else super().get_random_transformation(data, training, seed)

    def draw(self, generator, images):
        n, height, width, channels = images.shape
        alpha = self.uniform(generator, self.factor, (1,))[0] + 1e-6
        ratio = np.sqrt(1 - generator.beta(alpha, alpha, n)).astype(self.dtype)
        (left, right), (top, bottom) = (self._span(generator, size, ratio) for size in (width, height))
        rows, columns = np.arange(height, dtype=self.dtype), np.arange(width, dtype=self.dtype)
        inside = ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None]
        masks = np.repeat(inside[..., None], channels, axis=-1)
        weight = 1 - ((right - left) * (bottom - top)).reshape(n, 1, 1, 1) / (height * width)
        if self.data_format == "channels_first":
            masks = np.moveaxis(masks, -1, 1)
        return {"permutation_order": generator.permutation(n), "batch_masks": masks, "mix_weight": weight}

    def _span(self, generator, size, ratio):
        """Return (start, end), each (batch, 1), of a span of length ``ratio * size``, placed at random."""
        length = (ratio * size)[:, None]
        start = generator.random(length.shape, self.dtype) * (size - length)
        return start, start + length

    def _masks(self):
        return to_channels_last(np.asarray(self.transformation["batch_masks"]), self.data_format)

    def transform(self, images):
        if self.transformation is None:
            return images
        outputs = self.buffer("outputs", images.shape)
        np.copyto(outputs, images)
        np.copyto(outputs, self.partners(images), where=self._masks())
        return outputs

    def gradient(self, doutputs, out):
        if self.transformation is None:
            np.copyto(out, doutputs)
            return
        masks = self._masks()
        np.multiply(doutputs, ~masks, out=out)
        self.give_to_partners(doutputs * masks, out)
