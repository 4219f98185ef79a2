"""Which parts of an image a class' score depends on: Grad-CAM and saliency maps."""

import numpy as np

from minikeras.visualization.figures import finish, grid_of_axes, new_figure, show_image, to_pictures
from minikeras.visualization.looking import (
    CopiedModel,
    channel_axis,
    channels_last,
    find_layer,
    number_of_classes,
    one_image,
    predicted_classes,
)
from minikeras.visualization.results import names_of


def grad_cam(model, image, class_index=None, layer=None):
    """Return how much each place of an image speaks for a class: an array (height, width) of the layer's outputs.

        map = relu(sum over k of weight_k A_k),    weight_k = mean over all places of dscore/dA_k

    where A_k is channel k of the layer's outputs, and the score is the class' logit: what goes into the softmax. Layers
    run as in inference, and the model stays as it is.

    Args:
        model: a built model that puts out (batch, classes), or (batch, 1) for two classes.
        image: one image as the model takes it, with or without a batch axis of size 1.
        class_index: number of the class; by default that with the highest score. A model of one output has two
            classes: the score of the second is the output's logit, that of the first the same with the other sign.
        layer: a layer, its name (``"inner/conv2d"`` in a model inside of the model) or its index in ``model.layers``;
            by default the last two-dimensional convolution.

    Raises:
        ValueError: the model is not built or has no such layer, the shape of the image, a class that is not there.

    Reference: R. Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization,
    2017, equations 1 and 2.
    """
    image = one_image(model, image, "grad_cam")
    place = find_layer(model, layer)
    copied = CopiedModel(model, image, place)
    gradient = copied.gradient(class_index)[0]
    maps, gradient = (channels_last(model, place, values) for values in (copied.hidden[0], gradient))
    return np.maximum(maps @ gradient.mean(axis=(0, 1)), 0)


def saliency(model, image, class_index=None):
    """Return how much a class' score changes with each pixel: an array (height, width).

        map = max over the channels of |dscore/dimage|

    where the score is the class' logit: what goes into the softmax. Arguments and errors as in `grad_cam`.

    Reference: K. Simonyan, A. Vedaldi, A. Zisserman, Deep inside convolutional networks: visualising image
    classification models and saliency maps, 2013, section 3.1.
    """
    image = one_image(model, image, "saliency")
    if not model.stack.casts_inputs:
        raise ValueError(f"Model {model.name!r} takes integers, of which there are no derivatives")
    gradient = np.abs(CopiedModel(model, image, -1).gradient(class_index)[0])
    return gradient.max(axis=channel_axis(model)) if gradient.ndim == 3 else gradient


def plot_grad_cam(model, image, class_index=None, layer=None, class_names=None, path=None):
    """Draw an image beside the same with its `grad_cam` laid over it, enlarged: red is what speaks for the class.

    Args:
        model, image, class_index, layer: as of `grad_cam`.
        class_names: a name for each class; by default its number.
        path: file to write to, or None.

    Raises: as `grad_cam`.
    """
    heat = grad_cam(model, image, class_index, layer)
    layer = model.stack.layers[find_layer(model, layer)]
    name = _class_name(model, image, class_index, class_names)
    figure, picture, right = _beside_image(model, image, f"Grad-CAM: {name}\n{layer.name}")
    show_image(right, picture)
    bounds = (-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5)
    largest = heat.max() or 1
    alpha = 0.7 * heat / largest  # the image shows where nothing speaks for the class
    right.imshow(heat, cmap="jet", alpha=alpha, extent=bounds, interpolation="bilinear", vmin=0, vmax=largest)
    return finish(figure, path)


def plot_saliency(model, image, class_index=None, class_names=None, path=None):
    """Draw an image beside its `saliency` map: bright pixels change the score most.

    Arguments and errors as of `plot_grad_cam`.
    """
    heat = saliency(model, image, class_index)
    name = _class_name(model, image, class_index, class_names)
    figure, _, right = _beside_image(model, image, f"saliency: {name}")
    right.imshow(heat, cmap="inferno", vmin=0, vmax=heat.max() or 1, interpolation="nearest")
    return finish(figure, path)


def _class_name(model, image, class_index, class_names):
    if class_index is None:
        class_index = predicted_classes(model, model.predict(one_image(model, image, "predict"), verbose=0))[0]
    return names_of(class_names, number_of_classes(model))[class_index]


def _beside_image(model, image, title):
    """Return a figure with the image, the image as it was drawn, and the axes on its right."""
    batch = one_image(model, image, "plot")
    if batch.ndim == 3:
        batch = batch[..., None]
    else:
        batch = np.moveaxis(batch, channel_axis(model) + (channel_axis(model) == 0), -1)
    if batch.shape[-1] not in (1, 3, 4):  # no colours: how large the numbers are
        batch = np.abs(batch).mean(axis=-1, keepdims=True)
    picture = to_pictures(batch, "image", "channels_last")[0]
    lines = title.split("\n")
    side = max(2.6, 0.085 * max(map(len, lines)))
    figure = new_figure(2 * side + 0.1, min(side, 3) * picture.shape[0] / picture.shape[1] + 0.2 * len(lines) + 0.05)
    left, right = grid_of_axes(figure, 2, 2)
    show_image(left, picture)
    left.set_title("image", fontsize=9)
    right.set_title(title, fontsize=9, parse_math=False)
    return figure, picture, right
