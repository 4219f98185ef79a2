"""Losses beside Keras': values, gradients (through torch's autograd), weights, masks, reductions, configs."""

import inspect

import numpy as np
import pytest
from compatibility import ADDITIONS, LEFT_OUT
from loss_cases import CASES, IDS, fits, make_predictions, make_targets

from minikeras import losses

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def make_both(keras, name, /, **arguments):
    return getattr(losses, name)(**arguments), getattr(keras.losses, name)(**arguments)


def keras_value_and_gradient(loss, y_true, y_pred, weights, mask=None):
    import torch
    from keras.src.backend import set_keras_mask

    if y_true.ndim == 3 and y_pred.ndim == 4 and mask is None and getattr(loss, "_fn_kwargs", {}).get("axis") == -1:
        # PyTorch 2.13 fails with "grad_input must be contiguous" on labels of this rank: two axes are made one
        shape, rows = y_pred.shape, (len(y_pred), -1)
        weights = None if weights is None else weights.reshape(rows)
        y_true, y_pred = y_true.reshape(rows), y_pred.reshape(*rows, shape[-1])
        value, gradient = keras_value_and_gradient(loss, y_true, y_pred, weights)
        return value.reshape(shape[:-1] if value.ndim else ()), gradient.reshape(shape)
    tensor = torch.tensor(y_pred, requires_grad=True)
    seen = tensor * 1
    if mask is not None:
        set_keras_mask(seen, torch.tensor(mask))
    value = loss(torch.tensor(y_true), seen, None if weights is None else torch.tensor(weights))
    value.sum().backward()
    return value.detach().numpy(), tensor.grad.numpy()


def assert_gradients_equal(actual, expected, rtol=1e-5):
    """Relative to the largest, as differences of larger numbers make the small ones."""
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * max(np.abs(expected).max(), 1e-2))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(6, 4), (1, 3), (3, 5, 4), (2, 3, 2, 4)], ids=str)
@pytest.mark.parametrize("name, arguments, targets, predictions", CASES, ids=IDS)
def test_values_and_gradients(keras, name, arguments, targets, predictions, shape, reduction, weighted):
    if not fits(name, arguments, shape):
        pytest.skip("no such axis")
    rng = np.random.default_rng(0)
    ours, theirs = make_both(keras, name, reduction=reduction, **arguments)
    y_true = make_targets(targets, shape, rng, arguments.get("axis", -1))
    y_pred = make_predictions(predictions, shape, rng)
    weights = None
    if weighted:
        losses_shape = np.shape(getattr(losses, name)(reduction=None, **arguments)(y_true, y_pred))
        # Keras multiplies its mask of ignored labels by weights of the same shape only
        spread = losses_shape if "ignore_class" in arguments else losses_shape[:1] + (1,) * (len(losses_shape) - 1)
        weights = rng.uniform(-0.5, 2, spread or shape[:1]).astype("float32")
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, weights)
    np.testing.assert_allclose(ours(y_true, y_pred, weights), value, rtol=1e-5, atol=1e-6)
    assert_gradients_equal(ours.weighted_gradient(y_true, y_pred, weights), gradient)


# Masks: of the predictions, and folded into the sample weights.


@pytest.mark.parametrize("valid", ["some", "all", "none", "one"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize("name, arguments, targets, predictions", CASES, ids=IDS)
def test_masks(keras, name, arguments, targets, predictions, reduction, weighted, valid):
    shape = (5, 4) if name == "Circle" else (5, 6, 4)
    axis = arguments.get("axis", -1)
    if axis not in (-1, None) and not (axis == 1 and name != "Dice"):
        pytest.skip("the mask is of (batch, steps)")
    rng = np.random.default_rng(1)
    ours, theirs = make_both(keras, name, reduction=reduction, **arguments)
    y_true = make_targets(targets, shape, rng, axis)
    y_pred = make_predictions(predictions, shape, rng)
    losses_shape = np.shape(getattr(losses, name)(reduction=None, **arguments)(y_true, y_pred)) or shape[:2]
    mask = {"some": rng.random(losses_shape) < 0.6, "all": np.ones(losses_shape, bool)}.get(valid)
    if mask is None:
        mask = np.zeros(losses_shape, bool)
        mask.flat[3] = valid == "one"
    weights = rng.uniform(-0.5, 2, losses_shape).astype("float32") if weighted else None
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, weights, mask)
    folded = ours.apply_mask(y_true, y_pred, weights, mask)
    np.testing.assert_allclose(ours(y_true, y_pred, folded), value, rtol=1e-5, atol=1e-6)
    assert_gradients_equal(ours.weighted_gradient(y_true, y_pred, folded), gradient, rtol=2e-5)
    if "ignore_class" not in arguments and name != "Circle":  # they have masks of their own
        same = losses.base.apply_mask(weights, mask, reduction, "float32")
        np.testing.assert_array_equal(same, folded)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("mask", [[[1, 0], [1, 1], [0, 0]], [[0, 0]] * 3, [[1], [0], [1]]], ids=str)
@pytest.mark.parametrize("weights", [None, 2.0, [[0.5], [2], [-1]], np.full((3, 1, 1), 3), np.zeros((3, 1))], ids=str)
def test_apply_mask(keras, reduction, mask, weights):
    from keras.src.losses.loss import apply_mask

    mask = np.array(mask, bool)
    ours = losses.base.apply_mask(weights, mask, reduction, "float32")
    if weights is not None:  # Keras multiplies in place, so that the shapes must be equal
        weights = np.broadcast_to(np.reshape(weights, np.shape(weights)[:2]), mask.shape)
    theirs = apply_mask(weights, mask, "float32", reduction)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert ours.dtype == "float32"


# Hard numbers.

EXTREMES = {
    "shares": [
        [0, 1, 0], [1, 0, 0], [1e-12, 1, 1e-12], [1e-7, 1e-7, 1], [0.5, 0.5, 1e-12], [1 / 3, 1 / 3, 1 / 3], [2, 0, 6],
    ],
    "numbers": [
        [1e4, -1e4, 0], [-1e4, 1e4, 0], [1e4, 1e4, 1e4], [0, 0, 1], [88, -104, 20], [-1e4, -1e4, -1e4], [1e-6, 0, 17],
        [1e6, 1e6 + 1, 1e6 - 1], [1, -1, 1], [0.3, 0.3, -0.3],
    ],
    "vectors": [[0, 1, 0], [1, 0, 0], [-1, 0, 0], [1, 0, 0], [0, 0, 0], [0.6, 0.8, 0], [1, 1, 1], [50, 0, -50]],
}  # fmt: skip


@pytest.mark.parametrize("name, arguments, targets, predictions", CASES, ids=IDS)
def test_extreme_predictions(keras, name, arguments, targets, predictions):
    axis = arguments.get("axis", -1)
    y_pred = np.array(EXTREMES[predictions], "float32")
    if axis not in (-1, None):
        y_pred, axis = y_pred[:, :, None].repeat(2, -1), axis if name != "SparseCategoricalCrossentropy" else 1
    for seed in range(4):
        y_true = make_targets(targets, y_pred.shape, np.random.default_rng(seed), axis)
        ours, theirs = make_both(keras, name, reduction=None, **arguments)
        value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, None)
        assert np.isfinite(value).all()
        np.testing.assert_allclose(ours(y_true, y_pred), value, rtol=1e-5, atol=1e-6)
        found = ours.gradient(y_true, y_pred)
        assert np.isfinite(found).all()
        if name == "CategoricalGeneralizedCrossEntropy":  # Keras' is NaN in rows with a 0: ours is bounded from eps on
            known = (y_pred >= 1e-7) & ~np.isnan(gradient)
            found, gradient = found[known], gradient[known]
        if name == "Circle":
            assert_gradients_equal(found, gradient)
        else:
            np.testing.assert_allclose(found, gradient, rtol=1e-5, atol=1e-6)


# Functions.


@pytest.mark.parametrize("name, arguments, targets, predictions", CASES, ids=IDS)
def test_functions(keras, name, arguments, targets, predictions):
    rng = np.random.default_rng(1)
    function = next(f for f, cls in losses._functions.items() if cls.__name__ == name).__name__
    shape = (5, 4) if name == "Circle" else (5, 3, 4)
    y_true = make_targets(targets, shape, rng, arguments.get("axis", -1))
    y_pred = make_predictions(predictions, shape, rng)
    if name == "CategoricalGeneralizedCrossEntropy":
        arguments = {"q": 0.5, **arguments}
    import torch

    theirs = getattr(keras.losses, function)(torch.tensor(y_true), torch.tensor(y_pred), **arguments)
    found = getattr(losses, function)(y_true, y_pred, **arguments)
    np.testing.assert_allclose(found, theirs.numpy(), rtol=1e-5, atol=1e-6)
    assert found.dtype == "float32"


@pytest.mark.parametrize("remove_diagonal", [True, False])
def test_circle_with_references(keras, remove_diagonal):
    rng = np.random.default_rng(2)
    y_true, references = rng.integers(0, 3, 5), rng.integers(0, 3, (7, 1))
    y_pred, vectors = make_predictions("vectors", (5, 4), rng), make_predictions("vectors", (7, 4), rng)
    arguments = (references, vectors, remove_diagonal, 20, 0.3)
    theirs = keras.losses.circle(y_true, y_pred, *arguments)
    np.testing.assert_allclose(losses.circle(y_true, y_pred, *arguments), theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize("name, shapes", [
    ("MeanSquaredError", ((5,), (5, 1))), ("MeanSquaredError", ((5, 1), (5,))), ("BinaryCrossentropy", ((5,), (5, 1))),
    ("MeanAbsoluteError", ((5, 3), (5, 3, 1))), ("MeanAbsoluteError", ((5, 3, 1), (5, 3))),
    ("SparseCategoricalCrossentropy", ((5, 1), (5, 4))), ("SparseCategoricalCrossentropy", ((5, 2, 1), (5, 2, 4))),
    ("Hinge", ((5,), (5, 1))), ("Dice", ((5, 3, 3), (5, 3, 3, 1))), ("Tversky", ((5, 3, 3, 1), (5, 3, 3))),
    ("KLDivergence", ((5,), (5, 1))), ("Poisson", ((5, 3), (5, 3, 1))), ("Huber", ((5,), (5,))),
    ("Circle", ((5, 1), (5, 4))), ("BinaryFocalCrossentropy", ((5,), (5, 1))),
])  # fmt: skip
def test_ranks(keras, name, shapes):
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.integers(0, 2, shapes[0]), rng.random(shapes[1]).astype("float32")
    ours, theirs = make_both(keras, name)
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, None)
    np.testing.assert_allclose(ours(y_true, y_pred), value, rtol=1e-6)
    np.testing.assert_allclose(ours.gradient(y_true, y_pred), gradient, rtol=1e-5, atol=1e-7)


def test_labels_with_an_axis_of_1_among_others(keras):
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.integers(0, 4, (3, 1, 5)), rng.random((3, 4, 5)).astype("float32")
    ours, theirs = make_both(keras, "SparseCategoricalCrossentropy", axis=1)
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, None)
    np.testing.assert_allclose(ours(y_true, y_pred), value, rtol=1e-6)
    np.testing.assert_allclose(ours.gradient(y_true, y_pred), gradient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("weights", [2.0, [[1.0], [0.0], [3.0]], [0.0, 0.0, 0.0], [-1.0, 2.0, 0.5]])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["SparseCategoricalCrossentropy", "Dice", "Tversky"])
def test_forms_of_weights(keras, name, reduction, weights):
    rng = np.random.default_rng(3)
    y_pred = rng.random((3, 4)).astype("float32")
    y_true = np.array([0, 1, 2]) if name.startswith("Sparse") else rng.integers(0, 2, (3, 4))
    ours, theirs = make_both(keras, name, reduction=reduction)
    value, gradient = keras_value_and_gradient(theirs, y_true, y_pred, np.float32(weights))
    found = ours(y_true, y_pred, weights)
    np.testing.assert_allclose(np.ravel(found), np.ravel(value), rtol=1e-6)  # Keras' may get a last axis of 1
    np.testing.assert_allclose(ours.weighted_gradient(y_true, y_pred, weights), gradient, rtol=1e-5, atol=1e-7)


# Names, signatures and configs.


@pytest.mark.parametrize("name, arguments", [case[:2] for case in CASES], ids=IDS)
def test_configs(keras, name, arguments):
    for more in ({}, {"reduction": "sum", "name": "mine"}):
        ours, theirs = make_both(keras, name, **arguments, **more)
        assert losses.serialize(ours) == keras.losses.serialize(theirs)
        assert ours.get_config() == theirs.get_config()
        assert losses.deserialize(keras.losses.serialize(theirs)).get_config() == ours.get_config()
        if name != "CategoricalGeneralizedCrossEntropy":  # Keras' own `deserialize` does not know it
            assert keras.losses.deserialize(losses.serialize(ours)).get_config() == theirs.get_config()
        assert ours.name == theirs.name


def test_function_config(keras):
    for function in losses._functions:
        theirs = keras.losses.serialize(getattr(keras.losses, function.__name__))
        assert losses.serialize(function) == theirs
        assert type(losses.deserialize(theirs)) is losses._functions[function]


def test_all_are_compared():
    classes = {name for name in losses.__all__ if inspect.isclass(getattr(losses, name))}
    assert {case[0] for case in CASES} == classes - {"Loss", *ADDITIONS["losses"]}


def test_names_that_get_knows(keras):
    from keras.src.losses import ALL_OBJECTS_DICT

    for name in set(ALL_OBJECTS_DICT) - set(LEFT_OUT["losses"]) - {"Loss", "LossFunctionWrapper"}:
        theirs = keras.losses.get(name)
        cls = losses._functions[getattr(losses, theirs.__name__)].__name__ if inspect.isfunction(theirs) else name
        assert type(losses.get(name)).__name__ == cls, name
