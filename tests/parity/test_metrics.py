"""Metrics beside Keras': every class and function, its signature, config, state and values over batches."""

import inspect

import numpy as np
import pytest

from minikeras import metrics
from minikeras.losses.base import apply_mask

EVEN = [0.0, 0.25, 0.5, 0.75, 1.0]

# name of the class -> [(arguments, kind of targets and predictions)]
CASES = {
    "AUC": [
        ({}, "scores"), ({"num_thresholds": 5}, "scores"), ({"num_thresholds": 2}, "scores"),
        ({"curve": "PR"}, "scores"), ({"curve": "pr", "summation_method": "Minoring"}, "scores"),
        ({"curve": "PR", "summation_method": "majoring", "num_thresholds": 9}, "scores"),
        ({"summation_method": "majoring"}, "scores"), ({"summation_method": "minoring"}, "scores"),
        ({"curve": "PRGAIN"}, "scores"), ({"curve": "prgain", "summation_method": "majoring"}, "scores"),
        ({"thresholds": [0.7, 0.1, 0.5]}, "scores"), ({"thresholds": [0.25, 0.5, 0.75]}, "scores"),
        ({"thresholds": [0.0, 0.3, 1.0], "curve": "PR"}, "scores"), ({"from_logits": True}, "numbers-0/1"),
        ({"multi_label": True, "num_thresholds": 9}, "scores"),
        ({"multi_label": True, "num_labels": 4, "curve": "PR"}, "scores"),
        ({"multi_label": True, "num_labels": 4, "label_weights": [1.0, 0.0, 3.0, 0.5]}, "scores"),
        ({"multi_label": True, "thresholds": [0.2, 0.7], "curve": "PR", "label_weights": [1.0, 2.0, 0.0, 1.0]},
         "scores"),
        ({"label_weights": [1.0, 2.0, 0.5, 0.0]}, "scores"),
        ({"thresholds": [0.4], "label_weights": [1, 2, 0, 3]}, "scores"),
        ({"thresholds": [0.25, 0.5, 0.75]}, "numbers-0/1"), ({"num_thresholds": 2}, "numbers-0/1"),
    ],
    "Accuracy": [({}, "labels-both"), ({"name": "x"}, "binary"), ({"dtype": "float64"}, "labels-both")],
    "BinaryAccuracy": [({}, "binary"), ({"threshold": 0.25}, "binary"), ({"threshold": 0}, "numbers-0/1")],
    "BinaryCrossentropy": [
        ({}, "binary"), ({"label_smoothing": 0.1}, "binary"), ({"from_logits": True}, "numbers-0/1"),
    ],
    "BinaryIoU": [
        ({}, "scores"), ({"target_class_ids": [1], "threshold": 0.25}, "scores"), ({"dtype": "float32"}, "scores"),
    ],
    "CategoricalAccuracy": [({}, "one-hot"), ({"name": "x"}, "one-hot"), ({"dtype": "float64"}, "one-hot")],
    "CategoricalCrossentropy": [
        ({}, "one-hot"), ({"label_smoothing": 0.1}, "one-hot"), ({"from_logits": True}, "one-hot-numbers"),
    ],
    "CategoricalHinge": [({}, "one-hot"), ({"name": "x"}, "one-hot-numbers"), ({"dtype": "float64"}, "one-hot")],
    "ConcordanceCorrelation": [({}, "numbers"), ({"axis": 0}, "numbers"), ({"axis": (0, 1)}, "numbers")],
    "CosineSimilarity": [({}, "numbers"), ({"axis": 1}, "numbers"), ({"name": "x"}, "numbers")],
    "F1Score": [
        ({}, "one-hot"), ({"average": "micro"}, "one-hot"), ({"average": "macro"}, "one-hot"),
        ({"average": "weighted", "threshold": 0.5}, "scores"), ({"threshold": 0.25}, "scores"),
    ],
    "FBetaScore": [
        ({}, "one-hot"), ({"beta": 2.0, "average": "weighted"}, "one-hot"), ({"beta": 0.5, "threshold": 0.5}, "scores"),
        ({"beta": 3.0, "average": "micro", "threshold": 1.0}, "scores"),
    ],
    "FalseNegatives": [({}, "scores"), ({"thresholds": 0.25}, "scores"), ({"thresholds": EVEN}, "scores")],
    "FalsePositives": [({}, "scores"), ({"thresholds": [0.7, 0.25]}, "scores"), ({"thresholds": EVEN}, "scores")],
    "Hinge": [({}, "binary"), ({"name": "x"}, "signs"), ({"dtype": "float64"}, "numbers")],
    "IoU": [
        ({"num_classes": 4, "target_class_ids": [0, 2]}, "labels-both"),
        ({"num_classes": 3, "target_class_ids": (1,), "ignore_class": 2, "dtype": "float32"}, "labels-both"),
        ({"num_classes": 4, "target_class_ids": [3], "sparse_y_pred": False}, "labels"),
        ({"num_classes": 4, "target_class_ids": [0, 1], "sparse_y_true": False, "sparse_y_pred": False}, "one-hot"),
    ],
    "KLDivergence": [({}, "distributions"), ({"name": "x"}, "scores"), ({"dtype": "float64"}, "one-hot")],
    "LogCoshError": [({}, "numbers"), ({"name": "x"}, "binary"), ({"dtype": "float64"}, "numbers")],
    "Mean": [({}, "values"), ({"name": "x"}, "values"), ({"dtype": "float64"}, "values")],
    "MeanAbsoluteError": [({}, "numbers"), ({"name": "x"}, "binary"), ({"dtype": "float64"}, "numbers")],
    "MeanAbsolutePercentageError": [({}, "numbers"), ({"name": "x"}, "binary"), ({"dtype": "float64"}, "numbers")],
    "MeanIoU": [
        ({"num_classes": 4}, "labels-both"), ({"num_classes": 4, "ignore_class": 0, "dtype": "float32"}, "labels-both"),
        ({"num_classes": 2}, "labels-both"), ({"num_classes": 4, "sparse_y_pred": False}, "labels"),
        ({"num_classes": 300, "dtype": "int64"}, "labels-both"),
    ],
    "MeanMetricWrapper": [
        ({"fn": "binary_accuracy", "threshold": 0.25}, "binary"),
        ({"fn": "mean_squared_error", "name": "x"}, "numbers"),
        ({"fn": "sparse_top_k_categorical_accuracy", "k": 2}, "labels"),
        ({"fn": "huber", "delta": 0.5}, "numbers"),
    ],
    "MeanSquaredError": [({}, "numbers"), ({"name": "x"}, "binary"), ({"dtype": "float64"}, "numbers")],
    "MeanSquaredLogarithmicError": [({}, "scores"), ({"name": "x"}, "numbers"), ({"dtype": "float64"}, "scores")],
    "OneHotIoU": [
        ({"num_classes": 4, "target_class_ids": [0, 2]}, "one-hot"),
        ({"num_classes": 4, "target_class_ids": [1], "ignore_class": 3, "dtype": "float32"}, "one-hot"),
        ({"num_classes": 4, "target_class_ids": [1, 2], "sparse_y_pred": True}, "one-hot-labels"),
    ],
    "OneHotMeanIoU": [
        ({"num_classes": 4}, "one-hot"), ({"num_classes": 4, "ignore_class": 1, "dtype": "float32"}, "one-hot"),
        ({"num_classes": 4, "sparse_y_pred": True}, "one-hot-labels"),
    ],
    "PearsonCorrelation": [({}, "numbers"), ({"axis": 0}, "numbers"), ({"axis": (0, 1)}, "numbers")],
    "Poisson": [({}, "scores"), ({"name": "x"}, "distributions"), ({"dtype": "float64"}, "scores")],
    "Precision": [
        ({}, "scores"), ({"thresholds": [0.25, 0.5, 0.1]}, "scores"), ({"thresholds": EVEN}, "scores"),
        ({"top_k": 2}, "numbers-0/1"), ({"class_id": 1}, "scores"), ({"top_k": 2, "class_id": 2}, "numbers-0/1"),
        ({"top_k": 3, "thresholds": 0.5}, "scores"), ({"thresholds": 0}, "numbers-0/1"),
        ({"thresholds": [0, 0.5, 1], "dtype": "float64"}, "scores"),
    ],
    "PrecisionAtRecall": [
        ({"recall": 0.5}, "scores"), ({"recall": 0.9, "num_thresholds": 5}, "scores"),
        ({"recall": 0.2, "num_thresholds": 1, "class_id": 2}, "scores"), ({"recall": 1}, "scores"),
    ],
    "R2Score": [
        ({}, "numbers"), ({"class_aggregation": None}, "numbers"), ({"num_regressors": 3}, "numbers"),
        ({"class_aggregation": "variance_weighted_average", "num_regressors": 1}, "numbers"),
    ],
    "Recall": [
        ({}, "scores"), ({"thresholds": [0.25, 0.5, 0.1]}, "scores"), ({"thresholds": EVEN}, "scores"),
        ({"top_k": 1}, "numbers-0/1"), ({"class_id": 0}, "scores"), ({"top_k": 2, "class_id": 3}, "numbers-0/1"),
    ],
    "RecallAtPrecision": [
        ({"precision": 0.5}, "scores"), ({"precision": 0.6, "num_thresholds": 5, "class_id": 1}, "scores"),
        ({"precision": 0}, "scores"),
    ],
    "RootMeanSquaredError": [({}, "numbers"), ({"name": "x"}, "binary"), ({"dtype": "float64"}, "numbers")],
    "SensitivityAtSpecificity": [
        ({"specificity": 0.5}, "scores"), ({"specificity": 0.8, "num_thresholds": 5, "class_id": 1}, "scores"),
        ({"specificity": 1.0, "num_thresholds": 2}, "scores"),
        ({"specificity": 0.4, "num_thresholds": 7}, "numbers-0/1"),
    ],
    "SparseCategoricalAccuracy": [({}, "labels"), ({"name": "x"}, "labels"), ({"dtype": "float64"}, "labels")],
    "SparseCategoricalCrossentropy": [
        ({}, "labels"), ({"from_logits": True}, "labels-numbers"), ({"ignore_class": 1}, "labels"),
    ],
    "SparseTopKCategoricalAccuracy": [({}, "labels"), ({"k": 2}, "labels"), ({"k": 1}, "labels")],
    "SpecificityAtSensitivity": [
        ({"sensitivity": 0.5}, "scores"), ({"sensitivity": 0.8, "num_thresholds": 5, "class_id": 1}, "scores"),
        ({"sensitivity": 0}, "scores"),
    ],
    "SquaredHinge": [({}, "binary"), ({"name": "x"}, "signs"), ({"dtype": "float64"}, "numbers")],
    "Sum": [({}, "values"), ({"name": "x"}, "values"), ({"dtype": "float64"}, "values")],
    "TopKCategoricalAccuracy": [({}, "one-hot"), ({"k": 2}, "one-hot"), ({"k": 1}, "one-hot")],
    "TrueNegatives": [({}, "scores"), ({"thresholds": [0.7, 0.25]}, "scores"), ({"thresholds": EVEN}, "scores")],
    "TruePositives": [({}, "scores"), ({"thresholds": [0.7, 0.25]}, "scores"), ({"thresholds": EVEN}, "scores")],
}  # fmt: skip

ROWS = [(name, arguments, kind) for name, rows in CASES.items() for arguments, kind in rows]
IDS = [f"{name}-{i}" for name, rows in CASES.items() for i in range(len(rows))]
rows = pytest.mark.parametrize("name, arguments, kind", ROWS, ids=IDS)

INTEGERS = {"IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"}  # that count in integers by default
NOT_NAN = {"PearsonCorrelation", "R2Score"}  # 0 where Keras divides 0 by 0


def make(module, name, arguments):
    arguments = {"name": "m", **arguments}
    if "fn" in arguments:
        arguments["fn"] = getattr(module.metrics if hasattr(module, "metrics") else module, arguments["fn"])
    return getattr(module, name)(**arguments)


def both(keras, name, arguments):
    return make(metrics, name, arguments), make(keras.metrics, name, arguments)


def batch(kind, shape, rng, how="random"):
    """Return targets and predictions; ``how`` is "random", "ties" or "extreme"."""
    classes = shape[-1]
    labels = rng.integers(0, classes, shape[:-1])
    bits = rng.integers(0, 2, shape).astype("float32")
    one_hot = np.eye(classes, dtype="float32")[labels]
    scores = rng.random(shape).astype("float32")
    # sixteenths: their squares and sums are exact in single precision, where Keras adds them up
    numbers, targets = (rng.integers(-50, 50, (2, *shape)) / 16).astype("float32")
    if how == "ties":
        scores = (scores * 4).round() / 4
    if how == "extreme":
        scores = rng.choice(np.array([0, 1, 0.5, 1e-7, 1 - 1e-7, 1 / 199, 100 / 199], "float32"), shape)
        numbers = rng.choice(np.array([0, 1e4, -1e4, 1e-4, 1], "float32"), shape)
    y_true, y_pred = {
        "scores": (bits, scores), "binary": (bits, scores), "numbers-0/1": (bits, numbers),
        "signs": (bits * 2 - 1, numbers), "one-hot": (one_hot, scores), "one-hot-numbers": (one_hot, numbers),
        "labels": (labels, scores), "labels-numbers": (labels, numbers),
        "numbers": (targets, numbers),
        "labels-both": (rng.integers(0, classes, shape), rng.integers(0, classes, shape).astype("float32")),
        "one-hot-labels": (one_hot, rng.integers(0, classes, shape[:-1])),
        "distributions": (scores / (scores.sum(-1, keepdims=True) + 1e-3), 1 - scores), "values": (numbers, None),
    }[kind]  # fmt: skip
    return y_true, y_pred


def without_ties(y_pred):
    """Of equal predictions PyTorch puts any among the largest."""
    return y_pred + np.arange(y_pred.shape[-1], dtype="float32") / 512


def update(metric, y_true, y_pred, weights):
    if y_pred is None:
        metric.update_state(y_true, weights)
    else:
        metric.update_state(y_true, y_pred, weights)


def weights_for(name, arguments, form, shape, rng):
    if form is None:
        return None
    if form == "zero":
        return np.zeros(shape[:1], int if name in INTEGERS else "float32")
    weights = rng.integers(0, 8, {"scalar": (), "sample": shape[:1], "step": shape[:-1], "each": shape}[form])
    if name in INTEGERS and not arguments.get("dtype", "").startswith("float"):
        return np.asarray(weights)
    return np.asarray(weights / 8, "float32")


def check(name, ours, theirs):
    """Compare result and state."""
    value, expected = ours.result(), theirs.result()
    assert isinstance(value, (float, np.ndarray))
    expected = np.asarray(expected)
    assert np.shape(value) == expected.shape
    assert np.isfinite(value).all()
    there = ~np.isnan(expected) if name in NOT_NAN else ...
    np.testing.assert_allclose(np.asarray(value)[there], expected[there], rtol=2e-6, atol=1e-6)
    assert [(v.path, v.shape) for v in ours.variables] == [(v.path, tuple(v.shape)) for v in theirs.variables]
    if name == "PearsonCorrelation":
        return
    for v, w in zip(ours.variables, theirs.variables):
        np.testing.assert_allclose(v.value, np.asarray(w), rtol=1e-5, atol=1e-6, err_msg=v.name)


def test_every_class_is_compared():
    classes = {name for name in metrics.__all__ if inspect.isclass(getattr(metrics, name))}
    assert set(CASES) == classes - {"Metric"}
    assert all(len(rows) >= 3 for rows in CASES.values())


@pytest.mark.parametrize("name", ["add_variable", "add_weight", "update_state", "result", "reset_state", "get_config"])
def test_signatures_of_methods(keras, name):
    ours, theirs = getattr(metrics.Metric, name), getattr(keras.metrics.Metric, name)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))


@pytest.mark.parametrize("how, weighted", [
    ("random", None), ("random", "sample"), ("random", "scalar"), ("random", "step"), ("random", "zero"),
    ("ties", None), ("ties", "sample"), ("extreme", None), ("extreme", "sample"),
])  # fmt: skip
@rows
def test_values_over_batches(keras, name, arguments, kind, weighted, how):
    rng = np.random.default_rng(0)
    ours, theirs = both(keras, name, arguments)
    shape = (8, 6) if "TopK" in name else (8, 4)
    if weighted == "scalar" and (name in ("F1Score", "FBetaScore") or "ignore_class" in arguments):
        weighted = "sample"  # Keras cannot
    if name in INTEGERS and weighted in ("sample", "step", "zero") and kind == "scores":
        weighted = "each"  # Keras has no weights of rows
    if how == "extreme" and name in ("R2Score", "PearsonCorrelation", "ConcordanceCorrelation"):
        how = "random"  # single precision cannot
    for _ in range(2):
        y_true, y_pred = batch(kind, shape, rng, how)
        if "top_k" in arguments:
            y_pred = without_ties(y_pred)
        if name in INTEGERS and kind == "labels-both":
            y_true, y_pred = y_true[:, 0], y_pred[:, 0]
        weights = weights_for(name, arguments, weighted, shape, rng)
        if axis_of_samples_is_gone(name, arguments):
            weights = None
        with np.errstate(all="raise"):
            update(ours, y_true, y_pred, weights)
        update(theirs, y_true, y_pred, weights)
        check(name, ours, theirs)
    empty = make(metrics, name, arguments).result()
    ours.reset_state()
    np.testing.assert_array_equal(ours.result(), np.zeros_like(ours.result()) + empty)
    assert all((v.value == 0).all() for v in ours.variables)


def axis_of_samples_is_gone(name, arguments):
    return arguments.get("axis", -1) != -1


def takes(name, arguments, shape):
    """Whether Keras' metric can do with batches of this shape."""
    if len(shape) > 2 and (name in ("F1Score", "FBetaScore", "R2Score") or "multi_label" in arguments):
        return False
    if "label_weights" in arguments or "axis" in arguments or "num_labels" in arguments:
        return False
    if shape[0] == 1 and "num_regressors" in arguments or shape[-1] == 1 and name.startswith("Categorical"):
        return False
    k = max(arguments.get("top_k", 0), arguments.get("k", 5 if "TopK" in name else 0))
    return shape[-1] >= max(k, arguments.get("class_id", 0) + 1)


RANKS = [(*row, shape) for row in ROWS for shape in [(2, 3, 2, 5), (1, 2), (6, 1)] if takes(*row[:2], shape)]


@pytest.mark.parametrize("weighted", [None, "step"])
@pytest.mark.parametrize("name, arguments, kind, shape", RANKS)
def test_ranks(keras, name, arguments, kind, weighted, shape):
    rng = np.random.default_rng(1)
    if name in INTEGERS or "ignore_class" in arguments:
        weighted = None
    ours, theirs = both(keras, name, arguments)
    y_true, y_pred = batch(kind, shape, rng)
    if "top_k" in arguments:
        y_pred = without_ties(y_pred)
    weights = weights_for(name, arguments, weighted, shape, rng)
    update(ours, y_true, y_pred, weights)
    update(theirs, y_true, y_pred, weights)
    check(name, ours, theirs)


@pytest.mark.parametrize("name", ["Precision", "AUC", "TruePositives", "BinaryAccuracy", "BinaryIoU", "R2Score"])
@pytest.mark.parametrize("shapes", [((6,), (6,)), ((6,), (6, 1)), ((6, 1), (6,))])
@pytest.mark.parametrize("weighted", [None, (), (6,)])
def test_flat_targets(keras, name, shapes, weighted):
    rng = np.random.default_rng(2)
    if name == "R2Score" and 1 == len(shapes[0]) == len(shapes[1]):
        return
    ours, theirs = both(keras, name, {"dtype": "float32"})
    y_true, y_pred = rng.integers(0, 2, shapes[0]), rng.random(shapes[1]).astype("float32")
    weights = None if weighted is None else rng.random(weighted).astype("float32")
    if name == "BinaryIoU":
        y_true = y_true.astype("float32")
    ours.update_state(y_true, y_pred, weights)
    theirs.update_state(y_true, y_pred, weights)
    check(name, ours, theirs)


@rows
def test_without_updates(keras, name, arguments, kind):
    ours, theirs = both(keras, name, arguments)
    try:
        expected = np.asarray(theirs.result())
    except AttributeError:  # its state is not there yet
        expected = 0
    np.testing.assert_array_equal(ours.result(), expected)
    assert ours.name == theirs.name
    assert ours.dtype == theirs.dtype


@rows
def test_config(keras, name, arguments, kind):
    ours, theirs = both(keras, name, arguments)
    assert ours._direction == getattr(theirs, "_direction", None)  # what mode="auto" of callbacks goes by
    expected = keras.metrics.serialize(theirs)
    if "label_weights" in arguments:  # Keras writes a tensor
        expected["config"]["label_weights"] = ours.get_config()["label_weights"]
    if name == "CosineSimilarity":  # Keras forgets the axis
        expected["config"] |= {"axis": arguments["axis"]} if "axis" in arguments else {}
    assert metrics.serialize(ours) == expected
    again = metrics.deserialize(keras.metrics.serialize(theirs))
    assert again.get_config() == ours.get_config() or name == "CosineSimilarity"
    again = keras.metrics.deserialize(metrics.serialize(ours))
    assert keras.metrics.serialize(again)["config"] == keras.metrics.serialize(theirs)["config"]
    assert metrics.deserialize(metrics.serialize(ours)).get_config() == ours.get_config()


@rows
def test_masks(keras, name, arguments, kind):
    """Those metrics take the outputs' mask whose results change by it in Keras."""
    import torch

    y_true, y_pred = batch(kind, (8, 6 if "TopK" in name else 4), np.random.default_rng(3))
    if y_pred is None or name == "MeanMetricWrapper" and kind == "labels":
        return
    plain, masked = (make(keras.metrics, name, arguments) for _ in range(2))
    plain.update_state(y_true, torch.tensor(y_pred))
    outputs = torch.tensor(y_pred)
    outputs._keras_mask = torch.tensor([True, False, False, False, True, True, False, True])
    if axis_of_samples_is_gone(name, arguments):
        return
    masked.update_state(y_true, outputs)
    changes = not np.array_equal(np.asarray(plain.variables[-1]), np.asarray(masked.variables[-1]))
    assert make(metrics, name, arguments).takes_mask == changes


TAKING_MASKS = [row for row in ROWS if make(metrics, *row[:2]).takes_mask and row[2] != "values"]
SHAPES_OF_MASKED = [
    (*row, shape) for row in TAKING_MASKS for shape in [(8, 6), (6, 5, 6)] if takes(*row[:2], shape)
]  # fmt: skip


@pytest.mark.parametrize("how", ["random", "extreme"])
@pytest.mark.parametrize("valid", ["some", "none"])
@pytest.mark.parametrize("weighted", [None, "step"])
@pytest.mark.parametrize("name, arguments, kind, shape", SHAPES_OF_MASKED)
def test_values_with_masks(keras, name, arguments, kind, shape, weighted, valid, how):
    """As the model's results fold them into the sample weights."""
    import torch

    rng = np.random.default_rng(3)
    y_true, y_pred = batch(kind, shape, rng, how)
    if kind == "labels-both":
        y_true, y_pred = y_true[..., :1], y_pred[..., :1]
    ours, theirs = both(keras, name, arguments)
    mask = rng.random(shape[:-1]) < 0.6 if valid == "some" else np.zeros(shape[:-1], bool)
    weights = weights_for(name, arguments, weighted, shape, rng)
    outputs = torch.tensor(y_pred)
    outputs._keras_mask = torch.tensor(mask)
    with np.errstate(all="raise"):
        ours.update_state(y_true, y_pred, apply_mask(weights, mask, "sum", ours.dtype))
    theirs.update_state(y_true, outputs, weights)
    check(name, ours, theirs)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_axis_of_classes(keras, axis):
    rng = np.random.default_rng(4)
    one_hot, scores = (np.moveaxis(x, -1, axis) for x in batch("one-hot", (2, 3, 4), rng))
    ours, theirs = both(keras, "OneHotMeanIoU", {"num_classes": 4, "axis": axis})
    ours.update_state(one_hot, scores)
    theirs.update_state(one_hot, scores)
    np.testing.assert_array_equal(ours.total_cm, np.asarray(theirs.total_cm))
    assert np.isfinite(ours.result())  # Keras' raises an error for other axes than 0 and -1


def test_labels_out_of_range(keras):
    y_true, y_pred = np.array([0, 255, -1, 2, 1, 3.0, -0.5, 1.5]), np.array([0.9, 0, 0, -1, 1, 0, 2, 4])
    for dtype in ("int", "float32"):
        ours, theirs = both(keras, "MeanIoU", {"num_classes": 3, "dtype": dtype})
        ours.update_state(y_true, y_pred)
        theirs.update_state(y_true, y_pred)
        check("MeanIoU", ours, theirs)


def test_fractional_weights_of_integer_counts(keras):
    y_true, y_pred, weights = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1]), np.array([0.9, 1.5, 1, 2.5, 1.5])
    ours, theirs = both(keras, "MeanIoU", {"num_classes": 2})
    with pytest.warns(UserWarning, match="rounded down .* dtype='float32'"):
        ours.update_state(y_true, y_pred, weights)
    with pytest.warns(UserWarning, match="dtype is `int`"):
        theirs.update_state(y_true, y_pred, weights)
    check("MeanIoU", ours, theirs)


def test_more_regressors_than_samples(keras):
    for count in (5, 7):
        ours, theirs = both(keras, "R2Score", {"num_regressors": count})
        for metric in (ours, theirs):
            metric.update_state(np.arange(6.0).reshape(6, 1), np.ones((6, 1)))
        with pytest.warns(UserWarning, match="regressors"):
            value = ours.result()
        with pytest.warns(UserWarning, match="R2"):
            expected = float(theirs.result())
        np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("name, shape", [
    ("MeanSquaredError", (4, 3, 2)), ("SparseCategoricalAccuracy", (4, 3, 2)), ("RootMeanSquaredError", (4, 2)),
    ("Precision", (4, 2)), ("AUC", (4, 2)), ("R2Score", (4, 2)), ("Precision", (4, 3, 2)),
])  # fmt: skip
@pytest.mark.parametrize("weights_shape", [(), (4,), (4, 1), (4, 3)])
def test_forms_of_weights(keras, name, shape, weights_shape):
    if len(weights_shape) == 2 and len(shape) == 2 and weights_shape[1] == 3:
        weights_shape = (4, 2)
    if name == "Precision" and len(shape) == 3 and weights_shape == (4,):
        return  # Keras aligns them with the last axes
    rng = np.random.default_rng(1)
    kind = "labels" if name.startswith("Sparse") else "scores" if name in ("Precision", "AUC") else "numbers"
    y_true, y_pred = batch(kind, shape, rng)
    weights = rng.random(weights_shape).astype("float32")
    theirs = float(getattr(keras.metrics, name)()(y_true, y_pred, weights))
    np.testing.assert_allclose(getattr(metrics, name)()(y_true, y_pred, weights), theirs, rtol=2e-6)


@pytest.mark.parametrize("values_shape, weights_shape", [
    ((), None), ((), ()), ((4,), None), ((4,), ()), ((4,), (4,)), ((4,), (4, 1)), ((4, 3), None), ((4, 3), ()),
    ((4, 3), (4,)), ((4, 3), (4, 1)), ((4, 1), (4,)), ((4, 1), (4, 1)), ((4, 3, 2), (4, 3)), ((4, 3, 2), (4,)),
])  # fmt: skip
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_mean_and_sum(keras, name, values_shape, weights_shape):
    rng = np.random.default_rng(2)
    values = rng.random(values_shape).astype("float32")
    weights = None if weights_shape is None else rng.random(weights_shape).astype("float32")
    theirs = float(getattr(keras.metrics, name)()(values, weights))
    np.testing.assert_allclose(getattr(metrics, name)()(values, weights), theirs, rtol=2e-6)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_ties_in_the_top_k(keras, k):
    rng = np.random.default_rng(3)
    for name, kind in (("sparse_top_k_categorical_accuracy", "labels"), ("top_k_categorical_accuracy", "one-hot")):
        for _ in range(3):
            y_true, y_pred = batch(kind, (50, 4), rng, "ties")
            theirs = getattr(keras.metrics, name)(y_true, y_pred, k=k)
            np.testing.assert_array_equal(getattr(metrics, name)(y_true, y_pred, k=k), theirs.numpy())
    y_true, y_pred = np.array([0, 1, 2]), np.array([[np.nan, 1, 2, 3], [np.nan, 1, 0, 2], [1, 2, np.inf, 3]], "float32")
    theirs = keras.metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=k)
    np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=k), theirs.numpy())


def test_sorted_ids(keras):
    y_true, y_pred = np.array([3, 1, 2]), np.array([[3, 1, 0], [0, 2, 1], [0, 2, 1]], "float32")
    theirs = keras.metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=2, from_sorted_ids=True)
    ours = metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=2, from_sorted_ids=True)
    np.testing.assert_array_equal(ours, theirs.numpy())
    arguments = {"k": 2, "from_sorted_ids": True, "name": "m"}
    ours, theirs = both(keras, "SparseTopKCategoricalAccuracy", arguments)
    check("SparseTopKCategoricalAccuracy", *(m for m in (ours, theirs) if m.update_state(y_true, y_pred) is None))
    assert ours.get_config() == {**theirs.get_config(), "from_sorted_ids": True}  # Keras forgets it


@pytest.mark.parametrize("name, shapes", [
    ("BinaryAccuracy", ((6,), (6, 1))), ("Accuracy", ((6, 1), (6,))), ("SparseCategoricalAccuracy", ((6, 1), (6, 3))),
    ("SparseCategoricalAccuracy", ((6, 2, 1), (6, 2, 3))), ("MeanSquaredError", ((6,), (6, 1))),
    ("SparseCategoricalCrossentropy", ((6, 1), (6, 3))), ("RootMeanSquaredError", ((6,), (6, 1))),
])  # fmt: skip
def test_ranks_that_differ(keras, name, shapes):
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.integers(0, 2, shapes[0]), rng.random(shapes[1]).astype("float32").round(1)
    theirs = float(getattr(keras.metrics, name)()(y_true, y_pred))
    np.testing.assert_allclose(getattr(metrics, name)()(y_true, y_pred), theirs, rtol=2e-6)


FUNCTIONS = [name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name)) and name not in
             ("get", "get_for_model", "serialize", "deserialize")]  # fmt: skip


@pytest.mark.parametrize("how", ["random", "ties", "extreme"])
@pytest.mark.parametrize("shape", [(8, 6), (3, 2, 5), (1, 2)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(keras, name, shape, how):
    kind = "labels" if name.startswith("sparse") else "one-hot" if name.startswith("categ") else "scores"
    if name.startswith("top"):
        kind = "one-hot"
    if how == "extreme" and "correlation" in name or shape[-1] < 5 and "top_k" in name:
        return
    y_true, y_pred = batch(kind, shape, np.random.default_rng(5), how)
    theirs = np.nan_to_num(np.asarray(getattr(keras.metrics, name)(y_true, y_pred)))
    with np.errstate(all="raise"):
        ours = getattr(metrics, name)(y_true, y_pred)
    assert np.isfinite(ours).all()
    assert np.shape(ours) == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 if "correlation" in name else 1e-6)
    assert metrics.serialize(getattr(metrics, name)) == keras.metrics.serialize(getattr(keras.metrics, name))
    assert metrics.deserialize(keras.metrics.serialize(getattr(keras.metrics, name))) is getattr(metrics, name)


def test_names(keras):
    from keras.src.metrics import ALL_OBJECTS_DICT

    for name, cls in ALL_OBJECTS_DICT.items():
        required = {"specificity", "sensitivity", "recall", "precision", "num_classes", "fn"}
        if name not in ("Metric", "metric") and not required & set(inspect.signature(cls).parameters):
            assert type(metrics.get(name)).__name__ == cls.__name__, name
            assert type(metrics.get({"class_name": cls.__name__, "config": {}})).__name__ == cls.__name__


@pytest.mark.parametrize("name", ["accuracy", "acc", "mse", "Accuracy", "sparse_categorical_accuracy", "AUC", "mape"])
@pytest.mark.parametrize("y_true, y_pred", [((6,), (6, 1)), ((6,), (6, 3)), ((6, 1), (6, 3)), ((6, 3), (6, 3))])
def test_names_in_compile(keras, name, y_true, y_pred):
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric(name, np.ones(y_true), np.ones(y_pred))
    ours = metrics.get_for_model(name, y_true, y_pred)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)
