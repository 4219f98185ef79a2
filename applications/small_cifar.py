"""SmallCIFAR, a plain stack of 3x3 convolutions with batch normalization that tells CIFAR-10's ten classes apart."""

import numpy as np

from minikeras import config, layers
from minikeras.applications import pretrained

# Filters of each convolution, and whether the maps are halved after it.
STAGES = (
    (24, False),
    (32, True),
    (48, False),
    (64, True),
    (96, False),
    (96, False),
    (96, True),
    (112, False),
    (96, False),
)
LABELS = "airplane automobile bird cat deer dog frog horse ship truck"
MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of red, green and blue in CIFAR-10's 50,000 training images
NETWORK = pretrained.Network(
    "SmallCIFAR",
    {"cifar10": "small_cifar_cifar10.weights.h5"},
    image_shape=(32, 32, 3),
    smallest=2 ** sum(halved for _, halved in STAGES),
    labels=LABELS.split(),
)


def SmallCIFAR(
    include_top=True,
    weights="cifar10",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="small_cifar",
):
    """Return SmallCIFAR as a built `Sequential`, ready to predict or to compile.

        input                                   (32, 32, 3)     pixels as `preprocess_input` returns them
        for each of STAGES:
            Conv2D filters, 3x3, "same"         without bias, which the normalization takes away again
            MaxPooling2D 2x2                    in some of them
            BatchNormalization, ReLU            the last ones with include_top=False
        GlobalAveragePooling2D                  one number of each map
        Dense classes

    The maximum is taken before the normalization, which then has a quarter of the numbers to normalize; in inference
    the order makes no difference where gamma > 0.

    Args:
        include_top: whether the global pooling and the dense layer are there. Without them it returns features, for
            classes of one's own.
        weights: ``"cifar10"``, trained on CIFAR-10 (`trained_models/small_cifar_cifar10.md`); None for random
            ones; or the path of a weights file that `save_weights` or Keras wrote, of the whole network or, for
            include_top=False, of the features alone.
        input_tensor: what `Input`, or a layer called on it, returns, to be used as the images; the model is then a
            `Model` that begins where the tensor's chain of layers does.
        input_shape: of one image, (height, width, channels), or (channels, height, width) if
            `config.image_data_format()` is ``"channels_first"``; by default 32x32x3, which it must be for
            ``"cifar10"`` with a top. Else at least 8x8 pixels; without a top None stands for a size that varies.
        pooling: for include_top=False: None for maps of features, ``"avg"`` or ``"max"`` for one number of each map.
        classes: number of units of the last layer; 10 for ``"cifar10"``.
        classifier_activation: of the last layer; None returns logits. With weights no other than ``"softmax"``.
        name: of the model.

    Raises:
        ValueError, TypeError: arguments that cannot be, or not with these weights; a weights file that does not fit.
        FileNotFoundError: there is no such file.
    """
    NETWORK.check(include_top, weights, pooling, classes, classifier_activation)
    shape = NETWORK.find_input_shape(include_top, weights, input_tensor, input_shape)
    axis = 1 if config.image_data_format() == "channels_first" else -1
    features = []
    for filters, halved in STAGES:
        features.append(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        if halved:
            features.append(layers.MaxPooling2D(2))
        # Keras' momentum of 0.99 needs hundreds of steps before the moving statistics mean something.
        features += [layers.BatchNormalization(axis=axis, momentum=0.9), layers.ReLU()]
    top = [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation=classifier_activation)]
    return NETWORK.make(features, top, include_top, weights, input_tensor, shape, pooling, name)


def preprocess_input(x, data_format=None):
    """Return pixels, (x - mean) / std of each colour, as the pretrained network has seen them.

    Args:
        x: array of pixels from 0 to 255, (batch, height, width, 3), or one image, (height, width, 3); not changed.
        data_format: ``"channels_first"`` for (batch, 3, height, width); by default `config.image_data_format()`.

    Returns:
        array of the same shape, of `config.floatx`.

    Raises:
        ValueError: another shape, values that are no pixels. TypeError: no numbers.
    """
    data_format = config.standardize_data_format(data_format)
    x = pretrained.standardize_pixels(x)
    pretrained.check_channels(x, (3, 4), 3, data_format)
    shape = (3, 1, 1) if data_format == "channels_first" else (3,)
    mean, std = (np.array(each, x.dtype).reshape(shape) for each in (MEAN, STD))
    x -= mean
    x /= std
    return x


def decode_predictions(preds, top=5):
    """Return the best classes of each prediction: ``[[("3", "cat", 0.91), ("5", "dog", 0.06), ...], ...]``.

    Args:
        preds: array (samples, 10), as the network returns it.
        top: how many classes of each sample, the best first.

    Returns:
        one list for each sample of tuples (class number, name, score).

    Raises:
        ValueError: another shape, NaN, or ``top`` out of range.
    """
    return NETWORK.decode(preds, top)
