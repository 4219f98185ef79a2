"""What came out: the curves of a training, predictions beside their images, confusion matrices."""

import numpy as np

from minikeras.visualization.figures import (
    COLORS,
    best_columns,
    check_count,
    finish,
    grid_of_axes,
    new_figure,
    show_image,
    to_numbers,
    to_pictures,
)
from minikeras.visualization.looking import check_model, number_of_classes, predicted_classes

MOST_CLASSES = 200
LONGEST = 24  # letters of a class name; the rest is left out
NORMALIZATIONS = {None: "count", "true": "share of the true class", "pred": "share of the predictions",
                  "all": "share of all"}  # fmt: skip


def plot_history(history, path=None, validation_freq=1):
    """Draw the loss and each metric over the epochs, of training and validation, and mark the best epoch.

    The best is the lowest or the highest, as the metric has it, of validation where there is one. A metric that is an
    array, one number a class, is drawn as its mean; one of which nobody knows the better end has no mark.

    Args:
        history: what `fit` returned, or a dict of lists as its ``.history`` is.
        path: file to write to, or None.
        validation_freq: as `fit` was given it, if that was not 1: after which epochs there was a validation.

    Raises:
        TypeError: no history. ValueError: one of no epoch, curves whose lengths do not fit, a bad `validation_freq`.
    """
    logs = getattr(history, "history", history)
    if not isinstance(logs, dict):
        raise TypeError(f"`history` must be what `fit` returned, or its `.history`, a dict. Received: {history!r:.200}")
    if not isinstance(validation_freq, (list, tuple, set)):
        check_count(validation_freq, "validation_freq")
    curves = {str(name): _curve(name, values) for name, values in logs.items()}
    if not curves:
        raise ValueError("`history` is empty. Fit the model for at least one epoch first")
    names = sorted(dict.fromkeys(name.removeprefix("val_") for name in curves), key=lambda name: name != "loss")
    longest = max(map(len, curves.values()))
    epochs = np.asarray(getattr(history, "epoch", range(longest)))[:longest] + 1
    if len(epochs) < longest:
        raise ValueError(f"`history` has {len(epochs)} epochs, but curves of up to {longest} values")
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    points = {name: _epochs_of(name, values, epochs, validation_freq) for name, values in curves.items()}
    figure = new_figure(4.6 * columns, 3.6 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for each, name in zip(axes, names):
        known = {"training": name, "validation": f"val_{name}"}
        known = {label: key for label, key in known.items() if key in curves}
        for label, key in known.items():
            marker = "." if len(curves[key]) < 30 else ""
            each.plot(points[key], curves[key], marker=marker, label=label, color=COLORS[label])
        label, key = list(known.items())[-1]
        best = _best(curves[key], _higher_is_better(name, getattr(history, "model", None)))
        if best is not None:
            x, y = points[key][best], curves[key][best]
            each.axvline(x, color="gray", linewidth=1, linestyle=":", zorder=1)
            ring = {"marker": "o", "markersize": 9, "fillstyle": "none", "linestyle": ""}
            each.plot([x], [y], color=COLORS[label], label=f"best: {y:.4g}, epoch {x}", **ring)
        each.set(xlabel="epoch")
        each.set_ylabel(_shortened(name, 45), fontsize=10 if len(name) <= 30 else 8, parse_math=False)
        each.xaxis.get_major_locator().set_params(integer=True)
        each.grid(alpha=0.3)
        each.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize="small",
                    columnspacing=1, handlelength=1.5)  # fmt: skip
    for each in axes[len(names) :]:
        each.set_axis_off()
    return finish(figure, path)


def _curve(name, values):
    try:
        values = np.asarray(values, "float64")
    except (TypeError, ValueError):
        raise ValueError(f"`history[{name!r}]` must be a list of numbers. Received: {values!r:.200}") from None
    if not values.ndim or not len(values):
        raise ValueError(f"`history[{name!r}]` must have a number for each epoch. Received: {values.tolist()!r}")
    return values.reshape(len(values), -1).mean(axis=1)


def _epochs_of(name, values, epochs, validation_freq):
    """Return the numbers of the epochs after which the values of a curve were measured."""
    if name.startswith("val_") and validation_freq != 1:
        if isinstance(validation_freq, (list, tuple, set)):
            epochs = epochs[np.isin(epochs, list(validation_freq))]
        else:
            epochs = epochs[epochs % validation_freq == 0]
    if len(values) != len(epochs):
        hint = ". Give the `validation_freq` that `fit` was given" if name.startswith("val_") else ""
        raise ValueError(f"`history[{name!r}]` has {len(values)} values for {len(epochs)} epochs{hint}")
    return epochs


def _higher_is_better(name, model):
    """True, False, or None if that is not known."""
    from minikeras import metrics

    if name == "loss":
        return False
    known = [metric for metric in getattr(model, "metrics", None) or () if metric.name == name]
    if not known:
        try:
            known = [metrics.Accuracy() if name in ("acc", "accuracy") else metrics.get(name)]
        except (TypeError, ValueError):
            return None
    direction = getattr(known[-1], "_direction", None)
    return None if direction is None else direction == "up"


def _best(values, higher_is_better):
    if higher_is_better is None or np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if higher_is_better else np.nanargmin(values))


def plot_predictions(
    model_or_probabilities, images, labels=None, class_names=None, max_images=25, columns=None, data_format=None,
    path=None,
):  # fmt: skip
    """Draw images in a grid, each with the class predicted and its probability; wrong ones in red, with their label.

    Args:
        model_or_probabilities: a built model, or what it predicted for the images: (images, classes), or (images, 1)
            for the probability of the second of two classes.
        images: (images, height, width) or (images, height, width, channels), as the model takes them.
        labels: the true classes, as numbers or one-hot rows; None if they are not known.
        class_names: a name for each class; by default its number.
        max_images: how many to draw, from the first on.
        columns: images in a row.
        data_format: ``"channels_first"`` or ``"channels_last"``; by default what fits the shape.
        path: file to write to, or None.

    Raises:
        ValueError: shapes that do not fit, labels out of range, outputs that are no probabilities, a model that is not
            built. TypeError: no arrays of real numbers.
    """
    max_images = check_count(max_images, "max_images")
    images, count = _first(images, max_images, "images")
    pictures = to_pictures(images, data_format=data_format)
    if hasattr(model_or_probabilities, "predict"):
        probabilities = model_or_probabilities.predict(np.asarray(images), verbose=0)
    else:
        probabilities = to_numbers(model_or_probabilities, "model_or_probabilities")
        if not probabilities.ndim or len(probabilities) != count:
            raise ValueError(
                f"There must be one row of probabilities for each image. Received probabilities of shape "
                f"{probabilities.shape} for {count} images"
            )
        probabilities = probabilities[:max_images]
    probabilities = _standardize_probabilities(probabilities)
    names = names_of(class_names, probabilities.shape[1])
    if labels is not None:
        labels, given = _first(labels, max_images, "labels")
        if given != count:
            raise ValueError(f"There must be one label for each image. Received {given} for {count} images")
        labels = _standardize_classes(labels, "labels", probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    texts, are_wrong = [], []
    for i, c in enumerate(predicted):
        text, is_wrong = f"{names[c]}\n{probabilities[i, c]:.1%}", labels is not None and labels[i] != c
        texts.append(text + f", not {names[labels[i]]}" if is_wrong else text)
        are_wrong.append(is_wrong)
    columns = best_columns(len(pictures), columns)
    letters = max(len(line) for text in texts for line in text.split("\n"))
    width, aspect = max(1.3, 0.085 * letters), pictures.shape[1] / pictures.shape[2]
    rows = -(-len(pictures) // columns)
    figure = new_figure(width * columns + 0.2, (min(width, 1.6) * aspect + 0.45) * rows + 0.2)
    for axes, picture, text, is_wrong in zip(
        grid_of_axes(figure, len(pictures), columns), pictures, texts, are_wrong
    ):
        show_image(axes, picture)
        color = COLORS["wrong"] if is_wrong else "black"
        axes.set_title(text, fontsize=9, color=color, parse_math=False)
        for spine in axes.spines.values():
            spine.set(color=color, linewidth=2.5 if is_wrong else 0.8)
    return finish(figure, path)


def _first(values, count, argument):
    """Return the first ``count`` of an array or a list, and how many there are."""
    try:
        return values[:count], len(values)
    except (TypeError, IndexError, KeyError):
        raise TypeError(f"`{argument}` must be an array. Received: {values!r:.200}") from None


def plot_confusion_matrix(y_true, y_pred, class_names=None, normalize=None, path=None):
    """Draw how often each true class (the rows) was taken for each class (the columns).

    Args:
        y_true: the true classes: numbers, or one-hot rows (samples, classes).
        y_pred: the classes predicted: numbers, or probabilities (samples, classes), or (samples, 1) for those of the
            second of two classes.
        class_names: a name for each class; by default its number.
        normalize: None for counts; ``"true"`` for shares of each row (its diagonal is the recall), ``"pred"`` for
            shares of each column (precision), ``"all"`` for shares of all. Of nothing the share is 0.
        path: file to write to, or None.

    Raises:
        ValueError: lengths that differ, classes out of range, more than 200 of them.
    """
    if not isinstance(normalize, (str, type(None))) or normalize not in NORMALIZATIONS:
        raise ValueError(f"`normalize` must be one of {list(NORMALIZATIONS)}. Received: {normalize!r}")
    y_pred = to_numbers(y_pred, "y_pred")
    if y_pred.dtype.kind == "f" and (y_pred.ndim == 2 or y_pred.ndim == 1 and (y_pred % 1).any()):
        y_pred = _standardize_probabilities(y_pred, "y_pred")
    known = len(class_names) if hasattr(class_names, "__len__") else y_pred.shape[1] if y_pred.ndim == 2 else 0
    y_true, y_pred = (_standardize_classes(y, name, known) for y, name in ((y_true, "y_true"), (y_pred, "y_pred")))
    if len(y_true) != len(y_pred):
        raise ValueError(f"`y_true` and `y_pred` must be equally long. Received {len(y_true)} and {len(y_pred)}")
    count = int(max(known, y_true.max() + 1, y_pred.max() + 1, 2))
    if count > MOST_CLASSES:
        raise ValueError(f"{MOST_CLASSES} classes can be drawn at most. Received classes up to {count - 1}: take some")
    names = names_of(class_names, count)
    matrix = np.zeros((count, count), "int64")
    np.add.at(matrix, (y_true, y_pred), 1)
    if normalize is not None:
        totals = matrix.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
        matrix = matrix / np.maximum(totals, 1)
    texts = [[f"{value:.2f}" if normalize else str(value) for value in row] for row in matrix]
    has_texts = count <= 40  # beyond that they are too many to be read
    cell = max(0.42, 0.1 * max(len(text) for row in texts for text in row) + 0.1) if has_texts else 0.16
    letters = max(map(len, names))
    side = cell * count + 0.09 * letters + 0.8
    figure = new_figure(max(side + 1.1, 4.2), max(side, 3))
    axes = figure.subplots()
    image = axes.imshow(matrix, cmap="Blues", vmin=0, vmax=1 if normalize else max(1, matrix.max()))
    bar = figure.colorbar(image, ax=axes, label=NORMALIZATIONS[normalize], shrink=0.9)
    if not normalize:
        bar.locator.set_params(integer=True)
    turned = letters * 0.09 > cell
    axes.set_xticks(range(count), names, rotation=90 if turned else 0, parse_math=False)
    axes.set_yticks(range(count), names, parse_math=False)
    axes.set_title(_score(y_true == y_pred), fontsize=10)
    axes.set(xlabel="predicted", ylabel="true")
    if has_texts:
        for (row, column), value in np.ndenumerate(matrix):
            color = "white" if value > image.norm.vmax / 2 else "black" if value else "lightgrey"
            axes.text(column, row, texts[row][column], ha="center", va="center", color=color, fontsize=9)
    return finish(figure, path)


def plot_decision_boundary(model, x, y, class_names=None, resolution=200, path=None):
    """Draw points of the plane in the colours of their classes, over the regions that a model gives to each class.

    A model of one output divides the plane in two: at 0.5 if it ends in a sigmoid, else at 0.

    Args:
        model: a built model of inputs (batch, 2).
        x: points (samples, 2).
        y: their classes: numbers, or one-hot rows (samples, classes).
        class_names: a name for each class; by default its number.
        resolution: pixels a side of the regions.
        path: file to write to, or None.

    Raises:
        TypeError: no model. ValueError: it is not built or of other inputs, shapes that do not fit, classes out of
            range.
    """
    check_model(model, "plot_decision_boundary")
    if len(model.input_shape) != 2 or model.input_shape[1] not in (2, None) or len(model.output_shape) != 2:
        raise ValueError(
            f"`model` must take (batch, 2) and put out (batch, classes). Received one from {model.input_shape} to "
            f"{model.output_shape}"
        )
    resolution, x = max(2, check_count(resolution, "resolution", most=2000)), to_numbers(x, "x")
    if x.ndim != 2 or x.shape[1] != 2 or not len(x):
        raise ValueError(f"`x` must be points (samples, 2), at least one. Received shape {x.shape}")
    count = number_of_classes(model)
    names, y = names_of(class_names, count), _standardize_classes(y, "y", count)
    if len(x) != len(y):
        raise ValueError(f"There must be one class for each point. Received {len(y)} for {len(x)} points")
    low, high = x.min(axis=0), x.max(axis=0)
    border = np.where(high > low, (high - low) * 0.08, 0.5)
    edges = np.linspace(low - border, high + border, resolution + 1)
    across, up = np.meshgrid(*((edges[1:] + edges[:-1]) / 2).T)  # the middles of the pixels
    scores = model.predict(np.stack([across.ravel(), up.ravel()], axis=1), batch_size=4096, verbose=0)
    regions = predicted_classes(model, scores)
    columns = -(-len(np.unique(y)) // 16)  # of the legend
    figure = new_figure(4.6 + columns * (0.6 + 0.09 * max(map(len, names))), 4.2)
    axes = figure.subplots()
    colors = {"cmap": "tab10" if count <= 10 else "tab20" if count <= 20 else "turbo", "vmin": 0}
    colors["vmax"] = {"tab10": 9, "tab20": 19}.get(colors["cmap"], count - 1)
    bounds = (edges[0, 0], edges[-1, 0], edges[0, 1], edges[-1, 1])
    image = axes.imshow(
        regions.reshape(across.shape), origin="lower", extent=bounds, aspect="auto", alpha=0.3, interpolation="nearest",
        **colors,
    )  # fmt: skip
    for c in np.unique(y):
        color = image.cmap(image.norm(c))
        axes.scatter(*x[y == c].T, s=16, color=color, edgecolors="black", linewidths=0.4, label=f"{c}")
    axes.set_title(_score(predicted_classes(model, model.predict(x, verbose=0)) == y), fontsize=10)
    axes.locator_params(nbins=6)
    labels = [names[c] for c in np.unique(y)]
    legend = axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, ncols=columns)
    for text, label in zip(legend.get_texts(), labels):
        text.set(text=label, parse_math=False)
    return finish(figure, path)


def _score(is_right):
    right = np.count_nonzero(is_right)
    return f"{right} of {len(is_right)} right: {right / len(is_right):.2%}"


def _standardize_probabilities(probabilities, argument="probabilities"):
    """Return (samples, classes), also of the probabilities of the second of two classes."""
    probabilities = probabilities[:, None] if probabilities.ndim == 1 else probabilities
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(f"`{argument}` must have shape (samples, classes). Received shape {probabilities.shape}")
    low, high = probabilities.min(), probabilities.max()
    if low < 0 or high > 1.0001:
        raise ValueError(
            f"`{argument}` must lie in [0, 1]. Received numbers from {low:.4g} to {high:.4g}: logits? Then pass "
            "keras.activations.softmax(model.predict(x)), or sigmoid for two classes"
        )
    if probabilities.shape[1] == 1:
        probabilities = np.concatenate([1 - probabilities, probabilities], axis=1)
    return probabilities


def _standardize_classes(classes, argument, count):
    """Return whole numbers (samples,), also of one-hot rows; less than ``count``, unless that is 0."""
    classes = to_numbers(classes, argument)
    if not classes.size:
        raise ValueError(f"`{argument}` has 0 samples. Give at least one")
    if classes.ndim == 2 and classes.shape[1] > 1:
        if count and classes.shape[1] != count:
            raise ValueError(f"`{argument}` has rows of {classes.shape[1]} numbers, but there are {count} classes")
        return classes.argmax(axis=1)
    if classes.ndim == 2:
        classes = classes[:, 0]
    if classes.ndim != 1:
        raise ValueError(f"`{argument}` must be classes (samples,) or (samples, classes). Received {classes.shape}")
    is_bad = (classes < 0) | (classes % 1 != 0) if classes.dtype.kind != "b" else np.zeros(len(classes), bool)
    if count:
        is_bad |= classes >= count
    if is_bad.any():
        first = int(is_bad.argmax())
        limit = f" less than {count}, the number of classes" if count else " of at least 0"
        raise ValueError(f"`{argument}` must be whole numbers{limit}. Received {classes[first]} in row {first}")
    return classes.astype("int64")


def names_of(class_names, count):
    """Return a name for each class, by default its number."""
    if class_names is None:
        return [str(c) for c in range(count)]
    is_list = hasattr(class_names, "__len__") and not isinstance(class_names, (str, dict, set))
    if not is_list or len(class_names) != count:
        raise ValueError(f"`class_names` must be {count} names, one for each class. Received: {class_names!r:.200}")
    return [_shortened(str(name), LONGEST) for name in class_names]


def _shortened(name, longest):
    return name if len(name) <= longest else name[: longest - 1] + "…"
