"""What a loss asks of the targets ``y``, checked before anything is computed from them.

Wrong targets rarely fail by themselves: they broadcast, wrap around or saturate, and the model then learns nonsense.
Shapes are the whole array's or one batch's; output shapes start with None.
"""

import numpy as np

from minikeras.losses.arguments import axes_of


def check_sparse(y, output_shape, layer, ignore_class=None):
    """Raise unless ``y`` holds one whole number in 0..units-1 for each row (or pixel, or step) of the outputs."""
    _check_numeric(y)
    shape, units = y.shape, output_shape[-1]
    if not _is_class_index_shape(shape, output_shape):
        if len(shape) == len(output_shape) and shape[-1] > 1:
            raise ValueError(
                f"`y` of shape {shape} looks one-hot, but the loss expects one integer label for each output of shape "
                f"{output_shape}: use categorical_crossentropy or argmax, `y.argmax(axis=-1)`"
            )
        _refuse_unflattened(shape, output_shape, layer, (shape[0], *output_shape[1:-1]), rank=len(output_shape) - 1)
    if y.size == 0 or units is None:
        return
    _check_whole(y)
    if y.min() >= 0 and y.max() < units:
        return
    wrong = (y < 0) | (y >= units)
    if ignore_class is not None:
        wrong &= y != ignore_class
        if not wrong.any():
            return
    if (negative := wrong & (y < 0)).any():
        row, value = _first(y, negative)
        raise ValueError(
            f"`y` holds the negative label {value} (first at row {row}). Labels must be in 0..{units - 1}: recode "
            "them, or leave such samples out (SparseCategoricalCrossentropy(ignore_class=...) skips one label)"
        )
    row, value = _first(y, wrong)
    counted = y if ignore_class is None else y[y != ignore_class]
    if counted.min() == 1 and counted.max() == units:
        mend = "labels start at 1; subtract 1: `y - 1`"
    else:
        mend = f"give that layer at least {int(counted.max()) + 1} units, or mend the labels"
    raise ValueError(
        f"`y` holds the label {value} (first at row {row}), but the last layer {layer.name!r} has {units} units, so "
        f"labels must be in 0..{units - 1}: {mend}"
    )


def check_categorical(y, output_shape, layer):
    """Raise unless ``y`` holds one row of class probabilities for each row (or pixel, or step) of the outputs."""
    _check_numeric(y)
    shape = y.shape
    if _same_shape(shape, output_shape):
        return
    if _is_class_index_shape(shape, output_shape):
        raise ValueError(
            f"`y` of shape {shape} holds one label for each output of shape {output_shape}, but the loss expects "
            "one-hot rows: use sparse_categorical_crossentropy or to_categorical, "
            f"`to_categorical(y, {output_shape[-1]})`"
        )
    if len(shape) == len(output_shape) and _fits(shape[1:-1], output_shape[1:-1]):
        raise ValueError(
            f"`y` of shape {shape} has rows of width {shape[-1]}, but the last layer {layer.name!r} puts out rows of "
            f"width {output_shape[-1]} (output shape {output_shape}): give it {shape[-1]} units, or encode `y` with "
            f"`to_categorical(labels, {output_shape[-1]})`"
        )
    _refuse_unflattened(shape, output_shape, layer, (shape[0], *output_shape[1:]), rank=len(output_shape))


def check_probabilities(loss, y, output_shape, layer):
    """`check_categorical`, and a warning if the rows of ``y`` do not each sum to 1."""
    if loss.axis != -1:
        y, output_shape = classes_last(y, output_shape, loss.axis)
    check_categorical(y, output_shape, layer)
    if output_shape[-1] != 1 and not loss._warned:
        message = unnormalized_row(y)
        if message:
            loss._warn_once(message)


def classes_last(y, output_shape, axis):
    """Return targets and the outputs' shape with the axis of the classes at the end, where the checks expect it."""
    (axis,) = axes_of(axis, len(output_shape))
    if axis == len(output_shape) - 1:
        return y, output_shape
    if y.ndim == len(output_shape):
        y = np.moveaxis(y, axis, -1)
    return y, (*output_shape[:axis], *output_shape[axis + 1 :], output_shape[axis])


def check_elementwise(y, output_shape, layer):
    """Raise unless ``y`` holds one number for each number of the outputs: a difference would broadcast."""
    _check_numeric(y)
    shape = y.shape
    if _same_shape(shape, output_shape):
        return
    if len(output_shape) == 2:
        width = 1 if len(shape) == 1 else shape[-1]
        raise ValueError(
            f"`y` of shape {shape} does not match the model's output of shape {output_shape}, and would broadcast: "
            f"give the last layer {layer.name!r} {width} unit{'s' * (width != 1)}, or bring `y` to the shape "
            f"{(shape[0], *output_shape[1:])} (class labels need a crossentropy: sparse_categorical_crossentropy)"
        )
    _refuse_unflattened(shape, output_shape, layer, (shape[0], *output_shape[1:]), rank=len(output_shape))


def check_binary_range(y):
    """Raise unless all of ``y`` is in [0, 1]."""
    if y.size and (y.min() < 0 or y.max() > 1):
        raise ValueError(
            f"Binary labels `y` must be in [0, 1]. Received values from {y.min()} to {y.max()}: recode them, as "
            "`(y + 1) / 2` for -1 and 1, or `y - 1` for 1 and 2; more than two classes need "
            "sparse_categorical_crossentropy"
        )


def check_signs(y):
    """Raise unless all of ``y`` is in [-1, 1]."""
    if y.size and (y.min() < -1 or y.max() > 1):
        raise ValueError(
            f"Hinge labels `y` must be -1 and 1, or 0 and 1. Received values from {y.min()} to {y.max()}: recode them, "
            "as `2 * y - 3` for 1 and 2; more than two classes need categorical_hinge with one-hot rows"
        )


def check_overlap(y, output_shape, layer):
    """Raise unless ``y`` holds one number in [0, 1] for each number of the outputs."""
    check_categorical(y, output_shape, layer)
    check_binary_range(y)


def check_vectors_labels(y, output_shape, layer):
    """Raise unless ``y`` holds one whole number for each output, a vector."""
    _check_numeric(y)
    if len(output_shape) != 2:
        raise ValueError(
            f"`y` of shape {y.shape} is to label one vector a sample, but the last layer {layer.name!r} puts out "
            f"shape {output_shape}: put a Flatten or GlobalAveragePooling layer before the last Dense layer"
        )
    if y.shape[1:] not in ((), (1,)):
        raise ValueError(
            f"`y` of shape {y.shape} looks one-hot, but the loss expects one integer label for each vector of shape "
            f"{output_shape}: use argmax, `y.argmax(axis=-1)`"
        )
    _check_whole(y)


def unnormalized_row(y):
    """Return a text about the first one-hot row that does not sum to 1, or None."""
    sums = y.sum(axis=-1)
    wrong = abs(sums - 1.0) > 1e-2  # float16 rows are off by 1e-3
    if not wrong.any():
        return None
    row, total = _first(sums, wrong)
    return (
        f"The rows of `y` should each sum to 1, for the loss compares probabilities. Row {row} sums to {total}: "
        "normalize the rows, or use binary_crossentropy when several classes may hold at once"
    )


def _refuse_unflattened(shape, output_shape, layer, expected, rank):
    """Raise the error for targets of another shape; those of one row a sample hint at a missing Flatten."""
    per_sample = len(shape) < rank or shape[1:] == (1,)
    if len(output_shape) > 2 and per_sample:
        pooling = f"GlobalAveragePooling{len(output_shape) - 2}D"
        raise ValueError(
            f"The last layer {layer.name!r} puts out shape {output_shape}, but `y` has shape {shape}, one target a "
            f"sample: put a Flatten or {pooling} layer before the last Dense layer"
        )
    raise ValueError(
        f"`y` of shape {shape} does not match the output shape {output_shape} of the last layer {layer.name!r}. "
        f"Expected shape {expected}"
    )


def _check_whole(y):
    if y.dtype.kind == "f" and (fractions := y != np.floor(y)).any():
        row, value = _first(y, fractions)
        raise ValueError(
            f"`y` must hold class labels, which are whole numbers. Received dtype {y.dtype} with {value} (first at row "
            f"{row}). Round them, or use a regression loss such as mean_squared_error"
        )


def _check_numeric(y):
    if y.dtype.kind not in "fiub":
        sample = f", such as {y.flat[0]!r:.40}" if y.size else ""
        raise TypeError(
            f"`y` must hold numbers. Received dtype {y.dtype}{sample}: number the classes first, "
            "`names, y = np.unique(y, return_inverse=True)`"
        )


def _fits(sizes, expected):
    """Whether sizes are as expected, None standing for any."""
    return sizes == expected or (
        len(sizes) == len(expected) and all(e is None or s == e for s, e in zip(sizes, expected))
    )


def _is_class_index_shape(shape, output_shape):
    """One label for each row of the outputs, with or without a last axis of 1."""
    if len(shape) == len(output_shape) and shape[-1] == 1:
        shape = shape[:-1]
    return _fits(shape[1:], output_shape[1:-1])


def _same_shape(shape, output_shape):
    """Equal but for a last axis of 1, which Keras adds or takes away."""
    if len(shape) == len(output_shape) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    elif len(shape) + 1 == len(output_shape) and output_shape[-1] == 1:
        output_shape = output_shape[:-1]
    return _fits(shape[1:], output_shape[1:])


def _first(values, where):
    """Row and value of the first place marked in ``where``."""
    place = np.unravel_index(np.argmax(where), where.shape)
    return int(place[0]), values[place]
