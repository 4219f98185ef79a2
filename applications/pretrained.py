"""What the networks of this package share: the arguments of `keras.applications` and their errors, weights by name or
path, and what stands before and behind a network: pixels in, names of classes out."""

import os

import numpy as np

from minikeras import activations, config, layers, trained_models
from minikeras.layers.base import positive_integer
from minikeras.layers.symbolic import KerasTensor
from minikeras.models import Model, Sequential

POOLING = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


class Network:
    """A network that is known by name: what its arguments may be, and where its weights lie.

    Args:
        name: of the function that makes it, for messages.
        files: dict from the names of pretrained weights to files in the package `trained_models`.
        image_shape: (height, width, channels) of the images that these were trained on.
        smallest: height and width that the convolutions and poolings need.
        labels: names of the classes, in the order of their numbers.
    """

    def __init__(self, name, files, image_shape, smallest, labels):
        self.name, self.files, self.labels = name, files, tuple(labels)
        self.image_shape, self.smallest = image_shape, smallest

    # Arguments.

    def check(self, include_top, weights, pooling, classes, classifier_activation):
        """Raise the errors of Keras' networks, and more, for arguments that cannot be or do not go with the weights."""
        if not isinstance(include_top, bool):
            raise TypeError(f"`include_top` must be True or False. Received: include_top={include_top!r}")
        if pooling is not None and not (isinstance(pooling, str) and pooling in POOLING):
            raise ValueError(
                f"`pooling` must be None, 'avg' or 'max', of the features without a top. Received: pooling={pooling!r}"
            )
        classes = positive_integer(classes, "classes")
        activation = activations.get(classifier_activation)
        if weights is None:
            return
        self.find_weights(weights)
        if not include_top:
            return
        if self.is_named(weights) and classes != len(self.labels):
            raise ValueError(
                f"If using `weights={weights!r}` with `include_top=True`, `classes` should be {len(self.labels)}. "
                f"Received: classes={classes}. For other classes take the features, include_top=False, and put a Dense "
                "layer of your own on them"
            )
        if activation not in (activations.softmax, activations.linear):
            raise ValueError(
                "Only `None` and `softmax` activations are allowed for the `classifier_activation` argument when "
                f"using pretrained weights, with `include_top=True`. Received: "
                f"classifier_activation={classifier_activation!r}"
            )

    def is_named(self, weights):
        return isinstance(weights, str) and weights in self.files

    def find_weights(self, weights):
        """Return the path of the file that ``weights``, a name or a path, stands for."""
        if self.is_named(weights):
            path = os.path.join(os.path.dirname(trained_models.__file__), self.files[weights])
            if not os.path.isfile(path):
                raise FileNotFoundError(
                    f"The pretrained weights {weights!r} of {self.name} are not there: {path!r} is missing. "
                    "Reinstall minikeras; or pass weights=None for random ones, or the path of a file of your own"
                )
            return path
        names = ", ".join(map(repr, self.files))
        expected = f"`weights` must be None (random), {names} (pretrained), or the path of a '.weights.h5' file"
        try:
            path = os.fsdecode(weights)
        except TypeError:
            raise ValueError(f"{expected}. Received: weights={weights!r:.200}") from None
        if not path.endswith(".h5") and not os.path.exists(path):
            raise ValueError(f"{expected}. Received: weights={weights!r}")
        return path

    def find_input_shape(self, include_top, weights, input_tensor, input_shape):
        """Return the shape of one image, in the order of `config.image_data_format`, by Keras' rules.

        Without an ``input_shape`` it is that of ``input_tensor``, or of the images that the network is made for. With
        named weights and a top it can be no other; without a top sizes may be None, and any that are large enough.
        """
        default = self._in_order(self.image_shape)
        order = self._in_order(("height", "width", "channels"))
        if input_tensor is not None:
            input_shape = _shape_of(input_tensor, input_shape)
        elif input_shape is None:
            input_shape = default
        described = f"`input_shape` must be ({', '.join(order)}) of one image"
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 3:
            raise ValueError(f"{described}, as {default}. Received: input_shape={input_shape!r}")
        shape = tuple(input_shape)
        if None in self.image_size(shape) and include_top:
            raise ValueError(f"{described}, without None if `include_top` is True. Received: input_shape={shape}")
        for axis, size in zip(order, shape):
            if size is not None or axis == "channels":
                positive_integer(size, "input_shape")
        if any(size is not None and size < self.smallest for size in self.image_size(shape)):
            raise ValueError(
                f"{described} with at least {self.smallest} x {self.smallest} pixels, which the convolutions and "
                f"poolings of {self.name} need. Received: input_shape={shape}. Scale smaller images up, as "
                "layers.Resizing does"
            )
        if self.is_named(weights) and include_top and shape != default:
            raise ValueError(
                f"When setting `include_top=True` and loading `{weights}` weights, `input_shape` should be {default}. "
                f"Received: input_shape={shape}. Others are possible with include_top=False"
            )
        channels = self.image_shape[2]
        if self.is_named(weights) and shape[order.index("channels")] != channels:
            raise ValueError(
                f"`input_shape` must have {channels} channel{'s' * (channels > 1)}, as the images that the weights "
                f"{weights!r} come from. Received: input_shape={shape}"
            )
        return shape

    def image_size(self, shape):
        """Return (height, width) of a shape."""
        return shape[1:] if config.image_data_format() == "channels_first" else shape[:2]

    def _in_order(self, shape):
        return (shape[2], *shape[:2]) if config.image_data_format() == "channels_first" else shape

    # The model.

    def make(self, features, top, include_top, weights, input_tensor, input_shape, pooling, name):
        """Return the model of the layers ``features`` and, with ``include_top``, ``top``; else of the features alone,
        pooled if so wished.

        One file is enough for both: without a top the first layers of the file are read, and the others left alone.
        """
        stack = [*features, *top] if include_top else [*features, *([POOLING[pooling]()] if pooling else [])]
        if input_tensor is None:
            model = part = Sequential([layers.Input(input_shape), *stack], name=name)
        else:
            outputs = input_tensor
            for layer in stack:
                outputs = layer(outputs)
            # What lies before `input_tensor` belongs to the model, but not to the file.
            part, model = (Model(inputs, outputs, name=name) for inputs in (input_tensor, input_tensor.chain()[0]))
        if weights is not None:
            from minikeras.saving import weights as files

            load = files.load_weights if include_top else files.load_first_layers
            load(part, self.find_weights(weights))
        return model

    # Before and behind it.

    def decode(self, preds, top):
        """Return for each row the ``top`` best classes, the best first, as tuples (number, label, score)."""
        if isinstance(preds, KerasTensor):
            raise TypeError(f"`preds` must be an array, as model.predict returns. Received: {preds!r}")
        preds, count = np.asarray(preds), len(self.labels)
        if preds.ndim != 2 or preds.shape[1] != count or preds.dtype.kind not in "fiu":
            raise ValueError(
                f"`decode_predictions` expects a batch of predictions, an array of numbers of shape (samples, {count})."
                f" Received: shape {preds.shape}, dtype {preds.dtype}"
                + (". Add a batch axis: preds[None]" if preds.shape == (count,) else "")
            )
        if isinstance(top, bool) or not isinstance(top, (int, np.integer)) or not 1 <= top <= count:
            raise ValueError(f"`top` must be a number of classes, from 1 to {count}. Received: top={top!r}")
        if np.isnan(preds).any():
            row = np.isnan(preds).any(axis=1).argmax()
            raise ValueError(f"`preds` has NaN in row {row}: there is no best class")
        best = np.argsort(-preds.astype(np.float64), axis=1, kind="stable")[:, :top]  # equal ones: as argmax
        return [[(str(i), self.labels[i], row[i]) for i in indices] for row, indices in zip(preds, best)]


def standardize_pixels(x):
    """Return images of pixels 0..255 as a new array of `config.floatx`.

    Raises:
        TypeError: no numbers. ValueError: values that no pixel has; a warning if they were scaled to [0, 1] before.
    """
    from minikeras.messages import warn

    if isinstance(x, KerasTensor):
        raise TypeError(
            f"`x` must be an array of pixels. Received: {x!r}. In a model use a layer, as layers.Rescaling or "
            "layers.Normalization(mean=..., variance=...)"
        )
    try:
        x = np.asarray(x)
    except ValueError:
        raise ValueError("`x` must be images of one size. Received: rows that differ in length") from None
    if x.dtype.kind not in "fiu":
        raise TypeError(f"`x` must be an array of pixels, numbers from 0 to 255. Received: dtype {x.dtype}")
    if x.size:
        low, high = x.min(), x.max()
        if not (low >= 0 and high <= 255):
            raise ValueError(
                f"`x` must be pixels from 0 to 255. Received: values from {low} to {high}. np.clip(x, 0, 255) mends "
                "what resizing or noise have left"
            )
        if x.dtype.kind == "f" and 0 < high <= 1:
            warn(
                f"`x` looks scaled already: its largest value is {high}. preprocess_input expects pixels from 0 to "
                "255, and is called once"
            )
    return x.astype(config.floatx())


def check_channels(x, ranks, channels, data_format):
    """Raise a ValueError for an array that does not have one of the ranks, or another number of channels."""
    orders = {"channels_last": (-1, "height, width, channels"), "channels_first": (-3, "channels, height, width")}
    axis, axes = orders.pop(data_format)  # counted from the end, so that one image and a batch are alike
    ((other, (elsewhere, _)),) = orders.items()
    if x.ndim in ranks and x.shape[axis] == channels:
        return
    hint = ""
    if x.ndim in ranks and x.shape[elsewhere] == channels:
        hint = f". They look like {other}: pass data_format={other!r}"
    elif 3 not in ranks and (x.ndim == 2 or x.ndim == 3 and x.shape[axis] == channels):
        hint = ". Add a batch axis: x[None]"
    raise ValueError(
        f"`x` must be images of shape (batch, {axes}) with {channels} channel{'s' * (channels > 1)}. Received: shape "
        f"{x.shape}{hint}"
    )


def _shape_of(tensor, input_shape):
    """Return the shape of one image in a symbolic tensor, which an ``input_shape`` must agree with."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"`input_tensor` must be what keras.Input, or a layer called on it, returns. Received: {tensor!r:.200}"
        )
    shape = tuple(tensor.shape[1:])
    if input_shape is not None and (not isinstance(input_shape, (tuple, list)) or tuple(input_shape) != shape):
        raise ValueError(
            f"`input_shape` must be that of `input_tensor`, {shape}, or be left out. Received: input_shape="
            f"{input_shape!r}"
        )
    return shape
