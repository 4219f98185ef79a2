"""What the layers on images share: single images, and the random ones' two steps, drawing and transforming.

A random layer first draws one number or a few for each image, as a dict that Keras' layer of the same name would draw,
then changes the whole batch accordingly::

    transformation = layer.get_random_transformation(images)
    images = layer.transform_images(images, transformation)
"""

import numpy as np

from minikeras import config
from minikeras.layers.base import NOT_GIVEN, Layer
from minikeras.layers.images import from_channels_last, join_shape, split_shape, to_channels_last
from minikeras.layers.symbolic import is_symbolic


class ImageLayer(Layer):
    """Abstract: a layer on images. Subclasses have `transform`, `gradient` and, if they resize, `output_size`.

    Input shape: (batch, height, width, channels), or with the channels first; called directly also a single image.

    Args:
        bounding_box_format: kept for Keras' configs; the layers here take images only.
        data_format: order of the axes, by default `config.image_data_format()`.
    """

    transformation = None  # what was drawn for the last call, of random layers

    def __init__(self, bounding_box_format=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = config.standardize_data_format(data_format)

    def __call__(self, inputs, training=NOT_GIVEN, mask=None):
        if isinstance(inputs, dict):
            return self._call_on_dict(inputs, training)
        single = not is_symbolic(inputs) and np.ndim(inputs) == 3
        outputs = super().__call__(np.asarray(inputs)[None] if single else inputs, training, mask)
        return outputs[0] if single else outputs

    def _call_on_dict(self, data, training):
        if "images" not in data or set(data) - {"images", "labels"}:
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) takes an array of images, or a dict of 'images' and "
                f"'labels'. Received a dict with the keys {sorted(data)}: pass only these two"
            )
        outputs = {"images": self(data["images"], training)}
        if "labels" in data:
            outputs["labels"] = self.transform_labels(data["labels"], self.transformation, self.active)
        return outputs

    def transform_labels(self, labels, transformation, training=True):
        """Return the labels of transformed images: only those of mixed images change."""
        return labels

    def call(self, inputs, training=False):
        self.active, self.images = True, to_channels_last(inputs, self.data_format)
        return from_channels_last(self.transform(self.images), self.data_format)

    def backward(self, doutputs):
        if not self.active:
            return doutputs
        if not self.needs_input_gradient:
            return None
        dinputs = self.buffer("dinputs", self.images.shape)
        self.gradient(to_channels_last(doutputs, self.data_format), dinputs)
        return from_channels_last(dinputs, self.data_format)

    def transform(self, images):
        """Return the outputs for ``images`` (batch, height, width, channels)."""
        raise NotImplementedError

    def gradient(self, doutputs, out):
        """Fill ``out``, dL/dimages, given dL/doutputs of the last `transform`. ``doutputs`` may be overwritten."""
        raise NotImplementedError

    def output_size(self, size):
        """Return (height, width) of the outputs for that of the images."""
        return size

    def compute_output_shape(self, input_shape):
        size, channels = split_shape(self, input_shape, 2)
        return join_shape(input_shape[0], self.output_size(size), channels, self.data_format)

    def get_config(self):
        result = super().get_config()
        if result["bounding_box_format"] is None:
            del result["bounding_box_format"]
        return result


class RandomImageLayer(ImageLayer):
    """Abstract: changes each image in its own way in training; in inference images stay as they are.

    Subclasses have `draw`, `transform` and `gradient`. As in Keras, a call without ``training=`` is one in training.

    Args:
        seed: integer; by default drawn from the global seed.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = None

    # The whole batch draws from one generator, so that results do not depend on the number of threads.

    def call(self, inputs, training=True):
        self.active = bool(training)
        if not self.active:
            return inputs
        return self._apply(inputs, self.get_random_transformation(inputs))

    def get_random_transformation(self, data, training=True, seed=None):
        """Return what happens to each image of a batch (or to one image) as a dict of arrays; None in inference.

        Args:
            data: the images, as the layer takes them.
            training: False draws nothing.
            seed: an integer or a `numpy.random.Generator` to draw from instead of the layer's own.
        """
        if not training:
            return None
        if self.generator is None:
            self.generator = config.make_generator(self.seed)
        generator = self.generator if seed is None else config.make_generator(seed)
        data = data[None] if np.ndim(data) == 3 else data
        return self.draw(generator, to_channels_last(data, self.data_format))

    def transform_images(self, images, transformation, training=True):
        """Return images (or one image) changed as `get_random_transformation` has drawn."""
        self.active = bool(training)
        images = np.asarray(images, self.dtype)
        if not self.active:
            return images
        if images.ndim == 3:
            return self._apply(images[None], transformation)[0].copy()
        return self._apply(images, transformation).copy()

    def _apply(self, inputs, transformation):
        self.images, self.transformation = to_channels_last(inputs, self.data_format), transformation
        return from_channels_last(self.transform(self.images), self.data_format)

    def draw(self, generator, images):
        """Return a dict of random arrays for ``images`` (batch, height, width, channels)."""
        raise NotImplementedError

    def uniform(self, generator, bounds, shape):
        """Return numbers evenly distributed between the two ``bounds``."""
        numbers = generator.random(shape, self.dtype)
        numbers *= bounds[1] - bounds[0]
        numbers += bounds[0]
        return numbers


def integer_type(inputs):
    """Return the type of an array of integers; None of anything else."""
    kind = None if is_symbolic(inputs) or isinstance(inputs, dict) else np.asarray(inputs).dtype
    return kind if kind is not None and kind.kind in "iu" else None


def standardize_bounds(value, argument, low=-1.0, high=1.0, open_below=False, strict=False):
    """Return the bounds to draw a number between as (lower, upper).

    A single number stands for itself and its negative, cut off at ``low``. As in Keras, only one end of a given range
    must be inside of [low, high], unless ``strict``.

    Raises:
        ValueError: other things than one or two numbers, or numbers out of range.
    """
    pair = isinstance(value, (tuple, list))
    numbers = tuple(value) if pair else (value,)
    valid = len(numbers) == (2 if pair else 1) and all(is_number(n) for n in numbers)
    if valid and pair and not strict:
        valid = numbers[0] <= high and numbers[1] >= low
    elif valid:
        valid = all((low < n if open_below else low <= n) and n <= high for n in numbers)
    if not valid:
        raise ValueError(
            f"`{argument}` must be a number or two, the bounds to draw it between, in "
            f"{'(' if open_below else '['}{low:g}, {high:g}]. Received: {argument}={value!r}"
        )
    if pair:
        return tuple(sorted(numbers))
    return max(-abs(value), low), abs(value)


def is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and np.isfinite(value)


def check_value_range(value_range, ordered=True):
    """Return the bounds of the images' values, or raise a ValueError; those that need not be ``ordered`` are sorted."""
    valid = isinstance(value_range, (tuple, list)) and len(value_range) == 2 and all(map(is_number, value_range))
    if valid and not ordered:
        value_range = sorted(value_range)
    if not valid or value_range[0] >= value_range[1]:
        raise ValueError(
            "`value_range` must be two numbers, the smallest and the largest value of the images, as (0, 255) or "
            f"(0, 1). Received: value_range={value_range!r}"
        )
    return value_range


def check_choice(value, argument, choices):
    """Return ``value`` if it is one of ``choices``, or raise a ValueError."""
    if value not in choices:
        raise ValueError(f"`{argument}` must be one of {tuple(choices)}. Received: {argument}={value!r}")
    return value
