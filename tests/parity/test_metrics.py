"""Metrics beside Keras': values over batches with and without weights, ties, configs, what "accuracy" stands for."""

import numpy as np
import pytest

from minikeras import metrics

CASES = [
    ("Accuracy", {}, "binary"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "binary"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "labels"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "labels"),
    ("MeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("RootMeanSquaredError", {}, "numbers"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels"),
]


def batches(kind, shape, rng, rounded=False):
    for _ in range(3):
        y_pred = rng.random(shape).astype("float32")
        if rounded:  # many ties
            y_pred = y_pred.round(1)
        labels = rng.integers(0, shape[-1], shape[:-1])
        y_true = {
            "binary": rng.integers(0, 2, shape).astype("float32"),
            "numbers": rng.standard_normal(shape).astype("float32"),
            "one-hot": np.eye(shape[-1], dtype="float32")[labels],
            "labels": labels,
        }[kind]
        yield y_true, y_pred


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(8, 4), (5, 3, 4), (2, 3, 2, 5)])
@pytest.mark.parametrize("name, arguments, kind", CASES)
def test_values_over_batches(keras, name, arguments, kind, shape, weighted):
    # Keras multiplies its mask of ignored labels by weights of the same shape only
    weights_shape = shape[:-1] if "ignore_class" in arguments else shape[:1]
    rng = np.random.default_rng(0)
    ours, theirs = getattr(metrics, name)(**arguments), getattr(keras.metrics, name)(**arguments)
    for y_true, y_pred in batches(kind, shape, rng):
        weights = rng.random(weights_shape).astype("float32") if weighted else None
        ours.update_state(y_true, y_pred, weights)
        theirs.update_state(y_true, y_pred, weights)
        np.testing.assert_allclose(ours.result(), float(theirs.result()), rtol=2e-6)
    ours.reset_state()
    theirs.reset_state()
    assert ours.result() == float(theirs.result()) == 0


@pytest.mark.parametrize("name, shape", [
    ("MeanSquaredError", (4, 3, 2)), ("SparseCategoricalAccuracy", (4, 3, 2)), ("RootMeanSquaredError", (4, 2)),
])  # fmt: skip
@pytest.mark.parametrize("weights_shape", [(), (4,), (4, 1), (4, 3)])
def test_forms_of_weights(keras, name, shape, weights_shape):
    if len(weights_shape) == 2 and len(shape) == 2 and weights_shape[1] == 3:
        weights_shape = (4, 2)
    rng = np.random.default_rng(1)
    ((y_true, y_pred), *_) = batches("labels" if name.startswith("Sparse") else "numbers", shape, rng)
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
        for y_true, y_pred in batches(kind, (50, 4), rng, rounded=True):
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


@pytest.mark.parametrize("name, shapes", [
    ("BinaryAccuracy", ((6,), (6, 1))), ("Accuracy", ((6, 1), (6,))), ("SparseCategoricalAccuracy", ((6, 1), (6, 3))),
    ("SparseCategoricalAccuracy", ((6, 2, 1), (6, 2, 3))), ("MeanSquaredError", ((6,), (6, 1))),
    ("SparseCategoricalCrossentropy", ((6, 1), (6, 3))), ("RootMeanSquaredError", ((6,), (6, 1))),
])  # fmt: skip
def test_ranks(keras, name, shapes):
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.integers(0, 2, shapes[0]), rng.random(shapes[1]).astype("float32").round(1)
    theirs = float(getattr(keras.metrics, name)()(y_true, y_pred))
    np.testing.assert_allclose(getattr(metrics, name)()(y_true, y_pred), theirs, rtol=2e-6)


@pytest.mark.parametrize("name, arguments, kind", [*CASES, ("Mean", {}, None), ("Sum", {"name": "total"}, None)])
def test_configs(keras, name, arguments, kind):
    ours, theirs = getattr(metrics, name)(**arguments), getattr(keras.metrics, name)(**arguments)
    assert metrics.serialize(ours) == keras.metrics.serialize(theirs)
    assert ours._direction == getattr(theirs, "_direction", None)  # what mode="auto" of callbacks goes by
    assert metrics.deserialize(keras.metrics.serialize(theirs)).get_config() == ours.get_config()
    assert keras.metrics.deserialize(metrics.serialize(ours)).get_config() == theirs.get_config()


def test_wrapper_config(keras):
    ours = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="b", threshold=0.2)
    theirs = keras.metrics.MeanMetricWrapper(keras.metrics.binary_accuracy, name="b", threshold=0.2)
    assert metrics.serialize(ours) == keras.metrics.serialize(theirs)


@pytest.mark.parametrize("name", ["accuracy", "acc", "mse", "Accuracy", "sparse_categorical_accuracy"])
@pytest.mark.parametrize("y_true, y_pred", [((6,), (6, 1)), ((6,), (6, 3)), ((6, 1), (6, 3)), ((6, 3), (6, 3))])
def test_names_in_compile(keras, name, y_true, y_pred):
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric(name, np.ones(y_true), np.ones(y_pred))
    ours = metrics.get_for_model(name, y_true, y_pred)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)


def test_signatures(keras):
    from inspect import signature

    for name in metrics.__all__:
        if name not in ("get_for_model", "deserialize", "serialize"):
            ours, theirs = signature(getattr(metrics, name)), signature(getattr(keras.metrics, name))
            assert str(ours) == str(theirs), name
