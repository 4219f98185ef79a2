"""Optimizers beside Keras': weights and state after a dozen steps with the same gradients, configs, signatures."""

import inspect

import numpy as np
import pytest

from minikeras import constraints, optimizers
from minikeras.variable import Variable

SHAPES = {"kernel": (3, 2, 4), "bias": (4,), "big": (23, 7)}
CLASSES = ["SGD", "RMSprop", "Adagrad", "Adam", "AdamW"]
CONFIGS = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.5, "initial_accumulator_value": 0.3, "epsilon": 1e-2}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adam", {"learning_rate": 0.05, "beta_2": 0.5, "amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.2, "amsgrad": True}),
]
SHARED = [{}, {"weight_decay": 0.1}, {"clipnorm": 0.7}, {"clipvalue": 0.3}, {"global_clipnorm": 0.9}]


def make_both(keras, name, arguments):
    theirs = getattr(keras.optimizers, name)(**arguments)
    return getattr(optimizers, name)(**{**arguments, "name": theirs.name}), theirs


def make_weights(keras, constraint=None, their_constraint=None):
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}
    ours = [Variable(value.copy(), name, constraint=constraint) for name, value in values.items()]
    theirs = [keras.Variable(value, name=name, dtype="float32") for name, value in values.items()]
    for variable in theirs:
        variable.constraint = their_constraint
    return ours, theirs


def gradients(step):
    rng = np.random.default_rng(100 + step)
    return [rng.normal(size=s).astype("float32") * np.float32(0.01 + 3 * (step % 3)) for s in SHAPES.values()]


def apply_both(keras, step, ours, our_weights, theirs, their_weights, grads=None):
    grads = gradients(step) if grads is None else grads
    ours.apply(grads, our_weights)
    theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], their_weights)


def assert_equal(ours, theirs, tolerance=1e-5):
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == tuple(other.shape)
        assert mine.dtype == other.dtype
        assert mine.name == other.name
        expected = other.numpy()
        # Relative to the largest number: those that happen to cross 0 have no digits left to agree in.
        assert np.max(np.abs(mine.value - expected)) <= tolerance * np.max(np.abs(expected))


@pytest.mark.parametrize("shared", SHARED, ids=str)
@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_twelve_steps(keras, name, arguments, shared):
    ours, theirs = make_both(keras, name, {**arguments, **shared})
    our_weights, their_weights = make_weights(keras)
    for step in range(12):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights)
    assert_equal(ours.variables, theirs.variables)
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]


@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_config(keras, name, arguments):
    ours, theirs = make_both(keras, name, {**arguments, "clipnorm": 2.0})
    assert ours.get_config() == theirs.get_config()
    serialized = optimizers.serialize(ours)
    assert serialized["module"] == "keras.optimizers"
    assert serialized["class_name"] == name
    assert keras.optimizers.deserialize(serialized).get_config() == theirs.get_config()
    assert optimizers.get(keras.optimizers.serialize(theirs)).get_config() == theirs.get_config()


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_come_in_the_same_order(keras, name):
    signature = inspect.signature(getattr(keras.optimizers, name))
    expected = [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert getattr(optimizers, name).argument_names() == expected
    values = [p.default for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    values[-1] = "mine"  # the name
    values[0] = 0.5
    ours, theirs = getattr(optimizers, name)(*values), getattr(keras.optimizers, name)(*values)
    assert ours.get_config() == theirs.get_config()


def test_names(keras):
    for name in optimizers._table:
        ours, theirs = optimizers.get(name), keras.optimizers.get(name)
        assert {**ours.get_config(), "name": ""} == {**theirs.get_config(), "name": ""}


def test_frozen_weights(keras):
    ours, theirs = make_both(keras, "Adam", {"clipnorm": 0.5, "weight_decay": 0.1})
    our_weights, their_weights = make_weights(keras)
    for step in range(6):
        grads = gradients(step)
        if step % 2:
            apply_both(keras, step, ours, our_weights[1:], theirs, their_weights[1:], grads[1:])
        else:
            apply_both(keras, step, ours, our_weights, theirs, their_weights, grads)
    assert_equal(our_weights, their_weights)
    assert_equal(ours.variables, theirs.variables)


def test_exclude_from_weight_decay(keras):
    ours, theirs = make_both(keras, "AdamW", {"learning_rate": 0.1, "weight_decay": 0.5})
    our_weights, their_weights = make_weights(keras)
    ours.exclude_from_weight_decay(var_list=our_weights[2:], var_names=["bias"])
    theirs.exclude_from_weight_decay(var_list=their_weights[2:], var_names=["bias"])
    for step in range(4):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights)


def test_constraint(keras):
    ours, theirs = make_both(keras, "SGD", {"learning_rate": 0.1, "momentum": 0.9})
    our_weights, their_weights = make_weights(keras, constraints.MaxNorm(0.9), keras.constraints.MaxNorm(0.9))
    for step in range(4):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights)


def test_learning_rate_changes(keras):
    ours, theirs = make_both(keras, "Adam", {"learning_rate": 0.1})
    our_weights, their_weights = make_weights(keras)
    for step, learning_rate in enumerate((0.1, 0.03, 1e-3, 0.2)):
        ours.learning_rate = theirs.learning_rate = learning_rate
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
        assert ours.learning_rate == float(theirs.learning_rate.numpy())
        assert ours.iterations == int(theirs.iterations.numpy())
    assert_equal(our_weights, their_weights)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shared", SHARED[2:], ids=str)
def test_gradients_that_are_not_finite(keras, shared, bad):
    ours, theirs = make_both(keras, "SGD", shared)
    our_weights, their_weights = make_weights(keras)
    grads = gradients(0)
    grads[1][2] = bad
    apply_both(keras, 0, ours, our_weights, theirs, their_weights, grads)
    for mine, other in zip(our_weights, their_weights):
        np.testing.assert_allclose(mine.value, other.numpy(), rtol=1e-5)  # NaN where the other is NaN
