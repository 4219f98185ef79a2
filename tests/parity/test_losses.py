"""Losses beside Keras': values, gradients (through torch's autograd), weights, reductions, configs."""

import numpy as np
import pytest

from minikeras import losses

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
CASES = [
    ("MeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary"),
    ("CategoricalCrossentropy", {}, "soft"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, "labels with -1"),
]


def make_targets(kind, shape, rng):
    if kind == "numbers":
        return rng.standard_normal(shape).astype("float32")
    if kind == "binary":
        return rng.integers(0, 2, shape).astype("float32")
    labels = rng.integers(-1 if kind == "labels with -1" else 0, shape[-1], shape[:-1])
    if kind.startswith("labels"):
        return labels
    if kind == "one-hot":
        return np.eye(shape[-1], dtype="float32")[labels]
    soft = rng.random(shape).astype("float32")
    return soft / soft.sum(-1, keepdims=True)


def make_predictions(name, arguments, shape, rng):
    if name.startswith("Mean") or arguments.get("from_logits"):
        return (3 * rng.standard_normal(shape)).astype("float32")
    return rng.random(shape).astype("float32")  # rows do not sum to 1: the categorical losses normalize them


def keras_value_and_gradient(loss, y_true, y_pred, weights):
    import torch

    if y_true.ndim == 3 and y_pred.ndim == 4:
        # PyTorch 2.13 fails with "grad_input must be contiguous" on labels of this rank: two axes are made one
        shape, rows = y_pred.shape, (len(y_pred), -1)
        weights = None if weights is None else weights.reshape(rows)
        y_true, y_pred = y_true.reshape(rows), y_pred.reshape(*rows, shape[-1])
        value, gradient = keras_value_and_gradient(loss, y_true, y_pred, weights)
        return value.reshape(shape[:-1] if value.ndim else ()), gradient.reshape(shape)
    tensor = torch.tensor(y_pred, requires_grad=True)
    value = loss(torch.tensor(y_true), tensor, None if weights is None else torch.tensor(weights))
    value.sum().backward()
    return value.detach().numpy(), tensor.grad.numpy()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(6, 4), (1, 3), (3, 5, 4), (2, 3, 2, 4)])
@pytest.mark.parametrize("name, arguments, kind", CASES)
def test_values_and_gradients(keras, name, arguments, kind, shape, reduction, weighted):
    rng = np.random.default_rng(0)
    y_true, y_pred = make_targets(kind, shape, rng), make_predictions(name, arguments, shape, rng)
    # Keras multiplies its mask of ignored labels by weights of the same shape only
    weights_shape = shape[:-1] if "ignore_class" in arguments else (shape[0],) + (1,) * (len(shape) - 2)
    weights = rng.random(weights_shape).astype("float32") if weighted else None
    ours = getattr(losses, name)(reduction=reduction, **arguments)
    theirs = getattr(keras.losses, name)(reduction=reduction, **arguments)
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, weights)
    np.testing.assert_allclose(ours(y_true, y_pred, weights), value, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(ours.weighted_gradient(y_true, y_pred, weights), gradient, rtol=1e-5, atol=1e-7)


EXTREMES = {
    "probabilities": np.array(
        [[0, 1, 0], [1, 0, 0], [1e-12, 1, 1e-12], [1e-7, 1e-7, 1], [0.5, 0.5, 1e-12], [1 / 3, 1 / 3, 1 / 3], [2, 0, 6]],
        "float32",
    ),
    "logits": np.array(
        [[1e4, -1e4, 0], [-1e4, 1e4, 0], [1e4, 1e4, 1e4], [0, 0, 0], [88, -104, 20], [-1e4, -1e4, -1e4], [1e-6, 0, 17]],
        "float32",
    ),
}


@pytest.mark.parametrize("name, arguments, kind", CASES)
def test_extreme_predictions(keras, name, arguments, kind):
    y_pred = EXTREMES["logits" if name.startswith("Mean") or arguments.get("from_logits") else "probabilities"]
    for seed in range(3):
        y_true = make_targets(kind, y_pred.shape, np.random.default_rng(seed))
        ours, theirs = getattr(losses, name)(reduction=None, **arguments), getattr(keras.losses, name)
        value, gradient = keras_value_and_gradient(theirs(reduction=None, **arguments), y_true, y_pred, None)
        assert np.isfinite(value).all()
        np.testing.assert_allclose(ours(y_true, y_pred), value, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ours.gradient(y_true, y_pred), gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [
    "mean_squared_error", "mean_absolute_error", "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy",
])  # fmt: skip
def test_functions(keras, name):
    rng = np.random.default_rng(1)
    kind = {"binary_crossentropy": "binary", "categorical_crossentropy": "soft"}.get(name, "numbers")
    y_true = make_targets("labels" if name.startswith("sparse") else kind, (5, 3), rng)
    y_pred = rng.random((5, 3)).astype("float32")
    theirs = getattr(keras.losses, name)(y_true, y_pred)
    np.testing.assert_allclose(getattr(losses, name)(y_true, y_pred), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name, shapes", [
    ("MeanSquaredError", ((5,), (5, 1))), ("MeanSquaredError", ((5, 1), (5,))), ("BinaryCrossentropy", ((5,), (5, 1))),
    ("MeanAbsoluteError", ((5, 3), (5, 3, 1))), ("MeanAbsoluteError", ((5, 3, 1), (5, 3))),
    ("SparseCategoricalCrossentropy", ((5, 1), (5, 4))), ("SparseCategoricalCrossentropy", ((5, 2, 1), (5, 2, 4))),
])  # fmt: skip
def test_ranks(keras, name, shapes):
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.integers(0, 2, shapes[0]), rng.random(shapes[1]).astype("float32")
    value, gradient = keras_value_and_gradient(getattr(keras.losses, name)(), y_true, y_pred, None)
    ours = getattr(losses, name)()
    np.testing.assert_allclose(ours(y_true, y_pred), value, rtol=1e-6)
    np.testing.assert_allclose(ours.gradient(y_true, y_pred), gradient, rtol=1e-5)


@pytest.mark.parametrize("weights", [2.0, [[1.0], [0.0], [3.0]], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("reduction", REDUCTIONS[:-2])
def test_forms_of_weights(keras, reduction, weights):
    y_true, y_pred = np.array([0, 1, 2]), np.random.default_rng(3).random((3, 4)).astype("float32")
    theirs = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, np.float32(weights))
    ours = losses.SparseCategoricalCrossentropy(reduction=reduction)
    np.testing.assert_allclose(ours(y_true, y_pred, weights), value, rtol=1e-6)
    np.testing.assert_allclose(ours.weighted_gradient(y_true, y_pred, weights), gradient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name, arguments, kind", CASES)
def test_configs(keras, name, arguments, kind):
    ours, theirs = getattr(losses, name)(**arguments), getattr(keras.losses, name)(**arguments)
    assert losses.serialize(ours) == keras.losses.serialize(theirs)
    assert losses.deserialize(keras.losses.serialize(theirs)).get_config() == ours.get_config()
    assert keras.losses.deserialize(losses.serialize(ours)).get_config() == theirs.get_config()


def test_function_config(keras):
    ours, theirs = losses.mean_squared_error, keras.losses.mean_squared_error
    assert losses.serialize(ours) == keras.losses.serialize(theirs)


def test_signatures(keras):
    from inspect import signature

    for name in losses.__all__:
        if name not in ("LossFunctionWrapper", "get_for_model", "deserialize", "serialize"):
            ours, theirs = signature(getattr(losses, name)), signature(getattr(keras.losses, name))
            assert str(ours) == str(theirs), name
