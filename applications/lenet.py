"""LeNet-5, the network that read the digits on bank cheques: two convolutions, two poolings, three dense layers."""

import os

from minikeras import config, layers
from minikeras.layers.base import positive_integer
from minikeras.models import Sequential

POOLING = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}
SMALLEST = 12  # pixels, which leave one after the second pooling


def LeNet5(
    weights=None,
    input_shape=(28, 28, 1),
    classes=10,
    activation="tanh",
    pooling="average",
    classifier_activation="softmax",
    name="lenet5",
):
    """Return LeNet-5 as a built `Sequential`, ready to compile; 61,706 weights for MNIST's 28x28 pixels.

        input                   (28, 28, 1)
        Conv2D 6, 5x5, "same"   (28, 28, 6)         C1
        pooling 2x2             (14, 14, 6)         S2
        Conv2D 16, 5x5          (10, 10, 16)        C3
        pooling 2x2             (5, 5, 16)          S4
        Dense 120, 84, classes                      C5, F6, output

    The paper pads its 28x28 digits to 32x32 beforehand; here C1 does it (``padding="same"``) unless the images are
    32x32 or larger. What is simpler than in the paper, as nearly everywhere today: every map of C3 sees all six maps of
    S2; pooling has no weights and no squashing of its own; tanh is not scaled; the output is a softmax in place of
    Euclidean radial basis functions.

    Args:
        weights: None for random ones, or the path of a weights file that `Sequential.save_weights` or Keras wrote.
        input_shape: shape of one image, (height, width, channels), or (channels, height, width) if
            `config.image_data_format()` is ``"channels_first"``, where the default stands for (1, 28, 28); at least
            12 x 12 pixels.
        classes: number of units of the last layer.
        activation: of the convolutions and the first two dense layers: ``"tanh"`` as in the paper, or ``"relu"``.
        pooling: ``"average"`` as in the paper, or ``"max"``.
        classifier_activation: of the last layer; None returns logits.
        name: of the model.

    Raises:
        ValueError: an argument that cannot be, images too small, or a weights file that does not fit.

    Reference: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE, 1998, section II.B and figure 2.
    """
    if input_shape == (28, 28, 1) and config.image_data_format() == "channels_first":
        input_shape = (1, 28, 28)
    input_shape = _standardize_input_shape(input_shape)
    classes = positive_integer(classes, "classes")
    if pooling not in POOLING:
        raise ValueError(f"`pooling` must be one of {tuple(POOLING)}. Received: pooling={pooling!r}")
    weights = _standardize_weights(weights)
    pool = POOLING[pooling]
    padding = "same" if min(_image_size(input_shape)) < 32 else "valid"
    model = Sequential(
        [
            layers.Input(input_shape),
            layers.Conv2D(6, 5, padding=padding, activation=activation),
            pool(2),
            layers.Conv2D(16, 5, activation=activation),
            pool(2),
            layers.Flatten(),
            layers.Dense(120, activation=activation),
            layers.Dense(84, activation=activation),
            layers.Dense(classes, activation=classifier_activation),
        ],
        name=name,
    )
    if weights is not None:
        model.load_weights(weights)
    return model


def _image_size(input_shape):
    return input_shape[:2] if config.image_data_format() == "channels_last" else input_shape[1:]


def _standardize_input_shape(shape):
    """Return ``shape`` as a tuple of three integers that LeNet-5 can take, or raise a ValueError."""
    order = "(height, width, channels)"
    if config.image_data_format() == "channels_first":
        order = "(channels, height, width), because of config.image_data_format(),"
    if not isinstance(shape, (tuple, list)) or len(shape) != 3:
        raise ValueError(f"`input_shape` must be {order} of one image. Received: input_shape={shape!r}")
    shape = tuple(positive_integer(size, "input_shape") for size in shape)
    if min(_image_size(shape)) < SMALLEST:
        raise ValueError(
            f"`input_shape` must be {order} with at least {SMALLEST} x {SMALLEST} pixels, since two 5x5 convolutions "
            f"and two poolings have to fit in. Received: input_shape={shape}. Scale smaller images up, as "
            "`datasets.digits.load_data(size=28)` does"
        )
    return shape


def _standardize_weights(weights):
    """Return the path of a weights file, or None; a name of pretrained weights is a ValueError."""
    if weights is None:
        return None
    path = os.fspath(weights)
    if not path.endswith(".h5") and not os.path.exists(path):
        raise ValueError(
            "`weights` must be None or the path of a '.weights.h5' file; this version comes without pretrained "
            f"weights. Received: weights={weights!r}"
        )
    return path
