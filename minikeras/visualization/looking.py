"""Looking into a model: a copy that runs as in inference and yet has derivatives, one image for it, one of its layers.

Layers remember what derivatives need only in training, in which some of them (dropout, batch normalization,
augmentation) act differently. So a copy is run: in training, frozen, and with those told that it is not. The model
itself stays as it is, down to the gradients of its last step.
"""

import copy

import numpy as np

from minikeras import checks, config
from minikeras.kernels import threads
from minikeras.layers.base import Layer
from minikeras.layers.convolution import BaseConv
from minikeras.layers.preprocessing.augmentation import ImageLayer
from minikeras.layers.recurrent_cell import RecurrentCell
from minikeras.layers.regularization import Noise
from minikeras.layers.spectral_normalization import SpectralNormalization
from minikeras.losses.base import quiet
from minikeras.models import Model
from minikeras.stack import Stack
from minikeras.visualization.figures import to_numbers


class CopiedModel:
    """A copy of a model's layers that runs as in inference and remembers what derivatives need.

    Attributes:
        hidden: what layer number ``place`` puts out for ``x``; for -1 it is ``x``.
        outputs: what the last layer does.
    """

    def __init__(self, model, x, place):
        self.model = model
        layers = [_frozen(layer) for layer in model.stack.layers]
        self._lower, self._upper = Stack(layers[: place + 1]), Stack(layers[place + 1 :])
        self._last = layers[-1]
        with threads.single_threaded_blas(), quiet():
            self.hidden = np.array(self._lower.forward(x, training=True))
            self.outputs = np.array(self._upper.forward(self.hidden, True, self._lower.mask))

    def gradient(self, class_index, of_inputs):
        """Return the gradient of a class' score by the model's inputs, or else by `hidden`."""
        if self.outputs.ndim != 2:
            raise ValueError(
                f"Model {self.model.name!r} puts out {self.model.output_shape}, where a class has no score: (batch, "
                "classes) is needed"
            )
        classes = self.outputs.shape[1]
        if class_index is None:
            class_index = self.outputs[0].argmax()
        is_integer = isinstance(class_index, (int, np.integer)) and not isinstance(class_index, bool)
        if not is_integer or not 0 <= class_index < classes:
            raise ValueError(
                f"`class_index` must be an integer of at least 0 and less than {classes}, the number of the model's "
                f"outputs. Received: {class_index!r}"
            )
        dscore = np.zeros_like(self.outputs)
        dscore[0, class_index] = 1
        with threads.single_threaded_blas(), quiet():
            dhidden = self._upper.input_gradient(dscore, logits=getattr(self._last, "ends_in_activation", False))
        return np.array(dhidden)


def _frozen(layer):
    if type(layer).backward is Layer.backward:
        raise NotImplementedError(
            f"Layer {layer.name!r} ({type(layer).__name__}) has no `backward(self, doutputs)`, so there is no "
            "derivative of the scores. Write one that returns the gradient of its inputs"
        )
    layer = copy.deepcopy(layer)
    layer.trainable = False  # normalization goes by its moving statistics, and no gradient of a weight is computed
    for inner in layer.all_layers():
        inner.activity_regularizer = None
        if isinstance(inner, (Noise, ImageLayer)):
            inner.call = _without_training(inner.call)
        elif isinstance(inner, RecurrentCell):
            inner.dropout = inner.recurrent_dropout = 0.0
        elif isinstance(inner, SpectralNormalization):
            inner.normalize_kernel = _do_nothing
    return layer


def _without_training(call):
    def call_in_inference(inputs, **given):
        return call(inputs, **{name: False if name == "training" else value for name, value in given.items()})

    return call_in_inference


def _do_nothing():
    """The kernel stays as it is."""


# Models and their images.


def one_image(model, image, function):
    """Return an image as a batch of one, as the model takes it."""
    if not isinstance(model, Model):
        raise TypeError(f"`model` must be a model, as keras.Sequential makes one. Received: {model!r:.200}")
    checks.check_built(model, function)
    shape = model.input_shape
    if len(shape) not in (3, 4):
        raise ValueError(
            f"Model {model.name!r} takes no images, (batch, height, width) or with channels, but {shape}"
        )
    image = to_numbers(image, "image")
    if image.ndim == len(shape) - 2 and len(shape) == 4:
        image = np.expand_dims(image, channel_axis(model))
    if image.ndim == len(shape) - 1:
        image = image[None]
    if len(image) != 1:
        raise ValueError(f"`image` must be one image of shape {shape[1:]}. Received shape {image.shape}: use image[0]")
    checks.check_input(model, image)
    return model._cast(image)


def find_layer(model, layer, first=False):
    """Return a layer's number among those of the model (and of models in it) that compute.

    It may be given as it is, by its name or by its index in ``model.layers``; None is the last (or the first)
    two-dimensional convolution.
    """
    layers = model.stack.layers
    if layer is None:
        places = [i for i, each in enumerate(layers) if isinstance(each, BaseConv) and each.rank == 2]
        if not places:
            raise ValueError(
                f"Model {model.name!r} has no two-dimensional convolution. Name a `layer` whose outputs have height, "
                f"width and channels. Layers: {', '.join(each.name for each in layers)}"
            )
        return places[0 if first else -1]
    if isinstance(layer, (int, np.integer)) and not isinstance(layer, bool):
        layer = model.get_layer(index=layer)
    place = next((i for i, each in enumerate(layers) if each is layer or each.name == layer), None)
    if place is None:
        raise ValueError(
            f"`layer` must be a layer of model {model.name!r}, its name or its index. Received: {layer!r:.200}. "
            f"Layers: {', '.join(each.name for each in layers)}"
        )
    if len(layers[place].output_shape) != 4:
        raise ValueError(
            f"`layer` must put out (batch, height, width, channels). Received {layers[place].name!r}, which puts out "
            f"{layers[place].output_shape}"
        )
    return place


def channel_axis(model, place=0):
    """Return the axis of the channels in an image at layer number ``place``, as the nearest layer that knows has it."""
    layers = model.stack.layers
    for layer in [*layers[place::-1], *layers[place + 1 :]]:
        if hasattr(layer, "data_format"):
            return 0 if layer.data_format == "channels_first" else -1
    return 0 if config.standardize_data_format(None) == "channels_first" else -1


def channels_last(model, place, image):
    return np.moveaxis(image, channel_axis(model, place), -1)
