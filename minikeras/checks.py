"""What is checked of a model, its data and the loops' arguments before anything is changed."""

import math

import numpy as np

from minikeras.layers.base import Layer
from minikeras.losses import Loss, LossFunctionWrapper
from minikeras.messages import warn
from minikeras.registry import to_snake_case


def check_compiled(model, method):
    if not model.compiled:
        raise RuntimeError(
            f"The model is not compiled, so `{method}` has no loss to work with: call compile() first, as "
            "model.compile('adam', 'mse')"
        )


def check_built(model, method):
    if not model.built:
        raise ValueError(
            f"The model is not built, so `{method}` is not possible yet: its input shape is not known. Build it, for "
            "example with model.build((None, 28, 28, 1)), with compile(..., input_shape=(28, 28, 1)), with an Input "
            "layer at the front, or by fitting it"
        )


def check_trainable(model):
    """The loss and every layer must have a derivative."""
    kind, function = type(model.loss), getattr(model.loss, "fn", None)
    has_derivative = kind.gradient is not Loss.gradient or kind._derivative is not Loss._derivative
    if not has_derivative or isinstance(model.loss, LossFunctionWrapper) and not hasattr(function, "gradient"):
        Loss._derivative(model.loss, None, None)  # says what to do
    for layer in model.stack.layers:
        if type(layer).backward is Layer.backward:
            raise NotImplementedError(
                f"Layer {layer.name!r} ({type(layer).__name__}) has no `backward(self, doutputs)`, so the model cannot "
                "be trained. Write one that sets `.grad` of each of its weights and returns the gradient of its inputs"
            )
        for inner in layer.all_layers():
            if inner.is_built_in:
                continue
            known = {id(held) for _, held in inner.sublayers}
            late = [held.name for _, held in inner.find_sublayers() if id(held) not in known]
            if late:
                raise ValueError(
                    f"Layer {inner.name!r} ({type(inner).__name__}) was given layers after it was built, {late}, which "
                    "would not be trained: put them into its attributes in `__init__` or `build`"
                )
    if not model.trainable_weights:
        warn("The model has no trainable weights: training will not change it. Set `trainable = True` on a layer.")


def check_has_targets(model_loss, y):
    if y is None:
        raise ValueError(
            f"`y` is required because loss={model_loss!r}. Received: y=None. Give the targets, as fit(x, y), or "
            "batches of (x, y)"
        )


def check_input(model, x):
    """The inputs' shape must be the model's; sizes that are None there fit any."""
    if [id(layer) for layer in model.stack.layers] != [id(layer) for layer in model.leaves()]:
        raise ValueError(
            f"A model inside of model {model.name!r} was changed after model {model.name!r} was built. Make the outer "
            "model anew from its layers"
        )
    shape, expected = np.shape(x), model.input_shape
    if len(shape) > 0 and (_fits(shape[1:], expected[1:]) or _fits_but_for_last_axis(shape, expected)):
        return
    first = model.stack.layers[0]
    text = (
        f"Layer {first.name!r} ({type(first).__name__}), the first of model {model.name!r}, expects inputs of shape "
        f"{expected}. Received inputs of shape {shape}"
    )
    if len(shape) == len(expected) - 1 and _fits(shape, expected[1:]):
        text += ": one sample without the batch axis? Then add a batch axis: x[None]"
    elif len(expected) == 4 and len(shape) == 3 and expected[-1] == 1 and _fits(shape[1:], expected[1:3]):
        text += ", (batch, height, width, channels): add a channel axis: x[..., None]"
    elif len(expected) == 4 and len(shape) == 4 and _fits((*shape[2:], shape[1]), expected[1:]):
        text += (
            ": this looks like channels_first. Transpose the images, x.transpose(0, 2, 3, 1), or set "
            "data_format='channels_first' on the layers"
        )
    elif len(shape) == len(expected):
        axis = next(i for i in range(1, len(shape)) if expected[i] not in (None, shape[i]))
        text += (
            f": axis {axis} has size {shape[axis]} in place of {expected[axis]}. Bring x to that shape, or make the "
            f"model with input_shape={shape[1:]}"
        )
    else:
        text += f": {len(shape)} axes in place of {len(expected)}. Bring x to that shape with x.reshape(...)"
    raise ValueError(text)


def _fits(sizes, expected):
    return len(sizes) == len(expected) and all(e is None or e == n for e, n in zip(expected, sizes))


def _fits_but_for_last_axis(shape, expected):
    """Whether a last axis of size 1 is missing or too many. Not for images, nor for what may be a single sample."""
    if len(shape) == len(expected) - 1 != 3 and expected[-1] == 1:
        return _fits(shape[1:], expected[1:-1]) and (len(shape) == 1 or not _fits(shape, expected[1:]))
    return len(shape) == len(expected) + 1 and shape[-1] == 1 and _fits(shape[1:-1], expected[1:])


def check_batch(model, x, y, sample_weight):
    check_input(model, x)
    check_loss(model)
    check_has_targets(getattr(model.loss, "name", model.loss), y)
    model.loss.check_targets(y, model.output_shape, model.stack.layers[-1])
    check_sample_weight(model, sample_weight)


def check_loss(model):
    if model.loss is None:
        raise ValueError(
            "There is no loss to compute: loss=None. Give compile() a `loss`, as model.compile('adam', 'mse')"
        )


def check_reduction(loss):
    if getattr(loss, "reduction", "sum") in (None, "none"):
        raise ValueError(
            f"The loss {loss.name!r} has reduction={loss.reduction!r}, but training needs one number: leave "
            "`reduction` at 'sum_over_batch_size', or use 'sum'"
        )


def check_sample_weight(model, sample_weight):
    """One weight for each sample, or for each of its losses (the outputs without their last axis)."""
    if sample_weight is None:
        return
    shape, losses = np.shape(sample_weight), model.output_shape[1:-1]
    each = shape[1:-1] if shape[1:] and shape[-1] == 1 else shape[1:]
    if not _fits(each, losses[: len(each)]):
        raise ValueError(
            f"`sample_weight` must have one weight for each sample, shape {shape[:1]}"
            + (f", or for each of its losses, shape {(shape[0], *losses)}" if losses else "")
            + f". Received shape {shape}"
        )


def check_metrics(metrics, argument):
    """Resolve the names once, so that an unknown one is reported by `compile`."""
    from minikeras import metrics as module

    for metric in metrics:
        if metric is None:
            raise ValueError(
                f"`{argument}` must hold names, Metric objects or functions, as ['accuracy']. Received: None"
            )
        if isinstance(metric, str) and metric.lower() not in module.RESOLVED_BY_SHAPE:
            module.get(metric)
        elif not isinstance(metric, (str, dict, module.Metric)) and not callable(metric):
            raise ValueError(f"`{argument}` must hold names, Metric objects or functions. Received: {metric!r}")


def single_number(value, argument):
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
        raise ValueError(
            f"`{argument}` must be a finite number: a Sequential model has one output. Received: {value!r}"
        )
    return float(value)


# Arguments of the loops.


def check_count(value, argument, minimum=1, optional=True):
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        kind = "a positive integer, as 32" if minimum == 1 else f"an integer of at least {minimum}, as 10"
        raise ValueError(f"`{argument}` must be {kind}. Received: {argument}={value!r}")


def check_loop_arguments(batch_size, steps, verbose):
    check_count(batch_size, "batch_size")
    check_count(steps, "steps")
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"`verbose` must be 'auto', 0, 1 or 2. Received: {verbose!r}")


def check_fit_arguments(
    batch_size, epochs, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size, validation_freq,
    verbose, shuffle,
):  # fmt: skip
    check_loop_arguments(batch_size, None, verbose)
    check_count(epochs, "epochs", minimum=0, optional=False)
    check_count(initial_epoch, "initial_epoch", minimum=0, optional=False)
    check_count(steps_per_epoch, "steps_per_epoch")
    check_count(validation_steps, "validation_steps")
    check_count(validation_batch_size, "validation_batch_size")
    for frequency in validation_freq if isinstance(validation_freq, (list, tuple, set)) else [validation_freq]:
        check_count(frequency, "validation_freq", optional=False)
    if shuffle not in (True, False, "batch"):
        raise ValueError(f"`shuffle` must be True, False or 'batch'. Received: {shuffle!r}")


# Warnings.

NO_PROBABILITY = (
    "linear", "relu", "re_lu", "relu6", "leaky_relu", "elu", "selu", "tanh", "softplus", "softsign", "silu",
    "exponential",
)  # fmt: skip


def last_activation(layers):
    """Name of the activation that the outputs have gone through, None if the last layer has none of its own."""
    activation = layers[-1].activation if getattr(layers[-1], "ends_in_activation", False) else None
    return getattr(activation, "__name__", None)


def warn_of_last_layer(model, loss):
    """Softmax over one unit says nothing, and cross-entropy needs probabilities."""
    layer = model.stack.layers[-1]
    activation = last_activation(model.stack.layers)
    if activation == "softmax" and model.output_shape[-1] == 1:
        warn(
            f"Softmax over one unit (layer {layer.name!r}) is always 1.0; use sigmoid with binary_crossentropy, or two "
            "units."
        )
    ending = activation or to_snake_case(type(layer).__name__)
    if getattr(loss, "from_logits", True) is False and ending in NO_PROBABILITY:
        warn(
            f"The loss {loss.name!r} expects probabilities, but the last layer {layer.name!r} ends in "
            f"{ending!r}, which is not bounded to [0, 1]. Give it activation='softmax' (or 'sigmoid'), or the loss "
            "from_logits=True."
        )


def warn_of_raw_images(model, x):
    """Bytes as they are, 0..255, make a network with the usual initial weights learn badly or not at all."""
    if model._warned_of_raw_images or np.ndim(x) < 3:
        return
    for layer in model.stack.layers:
        if type(layer).__name__ in ("Rescaling", "Normalization", "BatchNormalization", "Lambda"):
            return
        if layer.trainable_weights:
            break  # augmentation may come before the scaling, but no layer that learns
    low, high = float(np.min(x)), float(np.max(x))
    if low >= 0 and 100 < high <= 255 and np.array_equal(x[:8], np.floor(x[:8])):
        model._warned_of_raw_images = True
        warn(
            f"`x` looks like raw images, with values from {low:g} to {high:g}: divide by 255 or add Rescaling(1/255) "
            "as the first layer."
        )


def warn_of_loss(model, loss, step, x):
    """Name the first tensor that is not finite: a weight, or else what a layer makes of the batch."""
    culprit = next((f"weight {w.path!r}" for w in model.trainable_weights if not np.isfinite(w.value).all()), None)
    with np.errstate(all="ignore"):
        for layer in model.stack.layers if culprit is None else ():
            x = layer.run(x)
            if not np.isfinite(x).all():
                culprit = f"output of layer {layer.name!r}"
                break
    warn(
        f"The loss became {loss} at batch {step}; first non-finite tensor: {culprit or 'the loss itself'}; learning "
        f"rate {model.optimizer.learning_rate:g}: lower the learning rate, or give the optimizer clipnorm=1.0."
    )
