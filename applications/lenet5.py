"""LeNet-5, the network that read the digits on bank cheques: two convolutions, two poolings, three dense layers."""

import numpy as np

from minikeras import activations, config, layers
from minikeras.applications import pretrained

NETWORK = pretrained.Network(
    "LeNet5", {"mnist": "lenet5_mnist.weights.h5"}, image_shape=(28, 28, 1), smallest=12, labels="0123456789"
)
SUBSAMPLING = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def LeNet5(
    include_top=True,
    weights="mnist",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    activation="relu",
    subsampling="max",
    name="lenet5",
):
    """Return LeNet-5 as a built `Sequential`, ready to predict or to compile; 61,706 weights.

        input                   (28, 28, 1)         pixels as `preprocess_input` returns them
        Conv2D 6, 5x5, "same"   (28, 28, 6)         C1
        subsampling 2x2         (14, 14, 6)         S2
        Conv2D 16, 5x5          (10, 10, 16)        C3
        subsampling 2x2         (5, 5, 16)          S4, the last one with include_top=False
        Dense 120, 84, classes                      C5, F6, output

    The paper pads its 28x28 digits to 32x32 beforehand; here C1 does it (``padding="same"``) unless the images are
    32x32 or larger. What is simpler than in the paper, as nearly everywhere today: every map of C3 sees all six maps of
    S2; subsampling has no weights and no squashing of its own; tanh is not scaled; the output is a softmax in place of
    Euclidean radial basis functions. The pretrained network has ReLU and maxima, which read a little better: for the
    paper's pass ``activation="tanh", subsampling="average", weights=None``.

    Args:
        include_top: whether the dense layers are there. Without them it returns features, for classes of one's own.
        weights: ``"mnist"``, trained on MNIST's handwritten digits (`trained_models/lenet5_mnist.md` says how); None
            for random ones; or the path of a weights file that `save_weights` or Keras wrote, of the whole network or,
            for include_top=False, of the features alone.
        input_tensor: what `Input`, or a layer called on it, returns, to be used as the images; the model is then a
            `Model` that begins where the tensor's chain of layers does.
        input_shape: of one image, (height, width, channels), or (channels, height, width) if
            `config.image_data_format()` is ``"channels_first"``; by default 28x28x1, which it must be for ``"mnist"``
            with a top. Else at least 12x12 pixels; without a top None stands for a size that varies.
        pooling: for include_top=False: None for maps of features, ``"avg"`` or ``"max"`` for one number of each map.
        classes: number of units of the last layer; 10 for ``"mnist"``.
        classifier_activation: of the last layer; None returns logits. With weights no other than ``"softmax"``.
        activation: of the convolutions and the first two dense layers; ``"relu"`` for ``"mnist"``.
        subsampling: LeCun's word for S2 and S4, ``"max"`` or ``"average"``; ``"max"`` for ``"mnist"``.
        name: of the model.

    Raises:
        ValueError, TypeError: arguments that cannot be, or not with these weights; a weights file that does not fit.
        FileNotFoundError: there is no such file.

    Reference: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE, 1998, section II.B and figure 2.
    """
    NETWORK.check(include_top, weights, pooling, classes, classifier_activation)
    if not isinstance(subsampling, str) or subsampling not in SUBSAMPLING:
        raise ValueError(f"`subsampling` must be one of {tuple(SUBSAMPLING)}. Received: subsampling={subsampling!r}")
    variant = activations.get(activation), subsampling
    if NETWORK.is_named(weights) and variant != (activations.relu, "max"):
        raise ValueError(
            f"The weights {weights!r} are for activation='relu' and subsampling='max'. Received: "
            f"activation={activation!r}, subsampling={subsampling!r}. Pass weights=None to train this variant"
        )
    shape = NETWORK.find_input_shape(include_top, weights, input_tensor, input_shape)
    is_large = all(size is not None and size >= 32 for size in NETWORK.image_size(shape))
    pool = SUBSAMPLING[subsampling]
    features = [
        layers.Conv2D(6, 5, padding="valid" if is_large else "same", activation=activation),
        pool(2),
        layers.Conv2D(16, 5, activation=activation),
        pool(2),
    ]
    top = [
        layers.Flatten(),
        layers.Dense(120, activation=activation),
        layers.Dense(84, activation=activation),
        layers.Dense(classes, activation=classifier_activation),
    ]
    return NETWORK.make(features, top, include_top, weights, input_tensor, shape, pooling, name)


def preprocess_input(x, data_format=None):
    """Return pixels, x / 255, as the pretrained network has seen them: numbers from 0 to 1, with an axis of channels.

    Args:
        x: array of pixels from 0 to 255, (batch, height, width) or (batch, height, width, 1); it is not changed.
        data_format: ``"channels_first"`` for (batch, 1, height, width); by default `config.image_data_format()`.

    Returns:
        array (batch, height, width, 1) of `config.floatx`, or (batch, 1, height, width).

    Raises:
        ValueError: another shape, values that are no pixels. TypeError: no numbers.
    """
    data_format = config.standardize_data_format(data_format)
    x = pretrained.standardize_pixels(x) / 255
    if x.ndim == 3 and x.shape[2] > 1:  # (height, width, 1) is one image
        x = np.expand_dims(x, 1 if data_format == "channels_first" else 3)
    pretrained.check_channels(x, (4,), 1, data_format)
    return x


def decode_predictions(preds, top=5):
    """Return the best classes of each prediction: ``[[("7", "7", 0.98), ("1", "1", 0.01), ...], ...]``.

    Args:
        preds: array (samples, 10), as the network returns it.
        top: how many classes of each sample, the best first.

    Returns:
        one list for each sample of tuples (class number, digit, score).

    Raises:
        ValueError: another shape, NaN, or ``top`` out of range.
    """
    return NETWORK.decode(preds, top)
