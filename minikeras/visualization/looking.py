"""Looking into a model: a copy of it that has derivatives, its classes, one image for it, one of its layers."""

import numpy as np

from minikeras import checks, config
from minikeras.inspection import layer_names
from minikeras.kernels import threads
from minikeras.layers.base import Layer
from minikeras.layers.convolution import BaseConv
from minikeras.losses.base import quiet
from minikeras.models import Model
from minikeras.stack import run_backward, run_forward
from minikeras.still import still_copies
from minikeras.visualization.figures import to_numbers

AXES = {(2,): "two-dimensional ", (1, 2, 3): ""}
SHAPES = {
    (2,): "(batch, height, width, channels)",
    (1, 2, 3): "(batch, steps, channels), (batch, height, width, channels) or volumes of these",
}


class CopiedModel:
    """A copy of a model's layers that runs as in inference and remembers what derivatives need.

    Attributes:
        hidden: what layer number ``place`` puts out for ``x``; for -1 it is ``x``.
        outputs: what the last layer does.
    """

    def __init__(self, model, x, place):
        self.model = model
        for layer in model.stack.layers:
            if type(layer).backward is Layer.backward:
                raise NotImplementedError(
                    f"Layer {layer.name!r} ({type(layer).__name__}) has no `backward(self, doutputs)`, so there is no "
                    "derivative of the scores. Write one that returns the gradient of its inputs"
                )
        layers = still_copies(model.stack.layers)
        for layer in layers:
            layer.trainable = False  # no gradient of a weight is computed
            layer.needs_input_gradient = True
            for inner in layer.all_layers():
                inner.activity_regularizer = None
        self._layers, self._above = layers, layers[place + 1 :]
        with threads.single_threaded_blas(), quiet():
            hidden, mask = run_forward(layers[: place + 1], x, True, None)
            self.hidden = np.array(hidden)
            self.outputs = np.array(run_forward(self._above, self.hidden, True, mask)[0])

    def gradient(self, class_index):
        """Return the gradient of a class' score by `hidden`."""
        c = find_class(self.model, class_index, self.outputs)
        dscore = np.zeros_like(self.outputs)
        if self.outputs.shape[1] == 1:
            dscore[0, 0] = 1 if c else -1
        else:
            dscore[0, c] = 1
        logits = bool(self._above) and getattr(self._layers[-1], "ends_in_activation", False)
        with threads.single_threaded_blas(), quiet():
            return np.array(run_backward(self._above, dscore, logits))


# Classes.


def number_of_classes(model):
    return max(model.output_shape[-1], 2)


def predicted_classes(model, outputs):
    """Return the class of each row of outputs (batch, classes), or (batch, 1) for the second of two classes.

    One output divides at 0.5 if the model ends in a sigmoid, else at 0.
    """
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    is_probability = checks.last_activation(model.stack.layers) == "sigmoid"
    return (outputs[:, 0] > (0.5 if is_probability else 0)).astype("int64")


def find_class(model, class_index, outputs):
    """Return the number of a class that was given, or by default of that which the outputs (1, classes) say."""
    if outputs.ndim != 2:
        raise ValueError(
            f"Model {model.name!r} puts out {model.output_shape}, where a class has no score: (batch, classes) is "
            "needed"
        )
    if class_index is None:
        return predicted_classes(model, outputs)[0]
    classes = number_of_classes(model)
    is_integer = isinstance(class_index, (int, np.integer)) and not isinstance(class_index, bool)
    if not is_integer or not 0 <= class_index < classes:
        raise ValueError(
            f"`class_index` must be an integer of at least 0 and less than {classes}, the model's number of "
            f"classes. Received: {class_index!r}"
        )
    return int(class_index)


# Models and their images.


def check_model(model, function):
    """Raise TypeError unless ``model`` is a model, ValueError unless it is built."""
    if not isinstance(model, Model):
        raise TypeError(f"`model` must be a model, as keras.Sequential makes one. Received: {model!r:.200}")
    checks.check_built(model, function)


def one_image(model, image, function):
    """Return an image as a batch of one, as the model takes it."""
    return one_sample(model, image, function, "images, (batch, height, width) or with channels", (3, 4))


def one_sample(model, image, function, expected="images, sequences or volumes", ranks=(3, 4, 5)):
    """The same of models whose inputs have other numbers of axes."""
    check_model(model, function)
    shape = model.input_shape
    if len(shape) not in ranks:
        raise ValueError(f"Model {model.name!r} takes no {expected}, but {shape}")
    image = to_numbers(image, "image")
    if image.ndim == len(shape) - 2:
        image = np.expand_dims(image, channel_axis(model))
    if image.ndim == len(shape) - 1:
        image = image[None]
    if image.ndim != len(shape) or len(image) != 1:
        hint = ": use image[0]" if image.ndim == len(shape) and len(image) else ""
        raise ValueError(f"`image` must be one image of shape {shape[1:]}. Received shape {image.shape}{hint}")
    checks.check_input(model, image)
    return model._cast(image)


def find_layer(model, layer, ranks=(2,), first=False):
    """Return a layer's number among those of the model (and of models in it) that compute.

    It may be given as it is, by its name, also with the names of the models that it is in, as ``"inner/conv2d"``, or by
    its index in ``model.layers``; a model in the model stands for its last layer. None is the last (or the first)
    convolution. Its outputs must have one of ``ranks`` axes beside those of batch and channels.
    """
    layers = model.stack.layers
    names = layer_names(model)
    if layer is None:
        places = [i for i, each in enumerate(layers) if isinstance(each, BaseConv) and each.rank in ranks]
        if not places:
            raise ValueError(
                f"Model {model.name!r} has no {AXES[ranks]}convolution. Name a `layer` that puts out {SHAPES[ranks]}. "
                f"Layers: {', '.join(names)}"
            )
        return places[0 if first else -1]
    if isinstance(layer, (int, np.integer)) and not isinstance(layer, bool):
        layer = model.get_layer(index=layer)
    inner = [each for each in model.all_layers() if each is layer or isinstance(layer, str) and each.name == layer]
    wanted = [list(each.leaves())[-1] if hasattr(each, "leaves") else each for each in inner]
    places = [i for i, each in enumerate(layers) if names[i] == layer or any(each is one for one in wanted)]
    if not places:
        raise ValueError(
            f"`layer` must be a layer of model {model.name!r}, its name or its index. Received: {layer!r:.200}. "
            f"Layers: {', '.join(names)}"
        )
    if len(places) > 1:
        raise ValueError(
            f"`layer` must be one layer. Received: {layer!r:.200}, of which there are {len(places)}: give one of "
            f"{', '.join(names[i] for i in places)}"
        )
    shape = layers[places[0]].output_shape
    if len(shape) - 2 not in ranks:
        raise ValueError(f"`layer` must put out {SHAPES[ranks]}. Received {names[places[0]]!r}, which puts out {shape}")
    return places[0]


def channel_axis(model, place=0):
    """Return the axis of the channels in an image at layer number ``place``, as the nearest layer that knows has it."""
    layers = model.stack.layers
    for layer in [*layers[place::-1], *layers[place + 1 :]]:
        if hasattr(layer, "data_format"):
            return 0 if layer.data_format == "channels_first" else -1
    return 0 if config.standardize_data_format(None) == "channels_first" else -1


def channels_last(model, place, image):
    return np.moveaxis(image, channel_axis(model, place), -1)
