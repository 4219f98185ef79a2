"""Several optimizers for one model."""

import copy
import pickle

import numpy as np
import pytest
from optimizer_cases import gradients, make_variables, train

from minikeras import optimizers
from minikeras.optimizers import SGD, Adam, MultiOptimizer, OptimizerMap


def make():
    return MultiOptimizer(OptimizerMap(Adam(name="a"), {"b.*": SGD(0.1, 0.5, name="s")}), name="multi")


def test_each_weight_has_its_own():
    variables, twins = make_variables(), make_variables()
    optimizer = make()
    expected = optimizer.expected_variables(variables)
    values, _ = train(optimizer, variables)
    assert [(v.shape, v.dtype) for v in optimizer.variables] == expected
    by_sgd = [v for v in twins if v.name.startswith("b")]
    by_adam = [v for v in twins if not v.name.startswith("b")]
    first, second = Adam(), SGD(0.1, 0.5)
    for step in range(12):
        for variable, gradient in zip(twins, gradients(step, twins)):
            variable.grad = gradient
        first.step(by_adam)
        second.step(by_sgd)
    for value, twin in zip(values, twins):
        np.testing.assert_array_equal(value, twin.value)
    assert optimizer.iterations == 12
    assert [type(o) for o in optimizer.optimizers] == [SGD, Adam]
    assert optimizer.knows(variables[0])
    assert not optimizer.knows(twins[0])
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.step(twins)


def test_chosen_by_a_function():
    kinds = {"bias": SGD(0.5), "kernel": Adam()}
    optimizer = MultiOptimizer(lambda variable: kinds["bias" if variable.ndim == 1 else "kernel"])
    variables = make_variables()
    before = [v.numpy() for v in variables]
    train(optimizer, variables, steps=1)
    np.testing.assert_allclose(variables[1].value, before[1] - 0.5 * gradients(0, variables)[1], rtol=1e-6)
    with pytest.raises(ValueError, match="optimizer of variable 'kernel' must be an `Optimizer`.*'adam'"):
        MultiOptimizer(lambda variable: "adam").build(variables)


def test_some_weights_only_and_gradients_given():
    variables = make_variables()
    before = [v.numpy() for v in variables]
    optimizer = make()
    with pytest.raises(ValueError, match="needs a built optimizer"):
        optimizer.apply([np.ones(4)])
    optimizer.build(variables)
    optimizer.apply([np.ones(4)], variables[1:2])
    assert [np.array_equal(v.value, old) for v, old in zip(variables, before)] == [True, False, *[True] * 4]
    optimizer.apply(gradients(0, variables))
    assert optimizer.iterations == 2
    others = make_variables(shapes={"bias": (3,)})
    optimizer.build(others)
    assert optimizer.iterations == 0
    optimizer.step(others)


def test_averages():
    optimizer = MultiOptimizer(OptimizerMap(Adam(), {"bias": SGD(0.1, use_ema=True, ema_momentum=0.5)}))
    variables = make_variables()
    optimizer.finalize_variable_values(variables)
    train(optimizer, variables, steps=3)
    before = [v.numpy() for v in variables]
    optimizer.finalize_variable_values(variables)
    assert [np.array_equal(v.value, old) for v, old in zip(variables, before)] == [True, False, *[True] * 4]


def test_loss_scale_factor_is_divided_by_once():
    variables, twins = make_variables(), make_variables()
    optimizer = MultiOptimizer(OptimizerMap(SGD(0.1)), loss_scale_factor=4.0)
    assert optimizer.optimizers[0].loss_scale_factor == 4.0
    optimizer.apply([4 * g for g in gradients(1, variables)], variables)
    SGD(0.1).apply(gradients(1, twins), twins)
    for variable, twin in zip(variables, twins):
        np.testing.assert_array_equal(variable.value, twin.value)


def test_there_is_no_learning_rate():
    optimizer = make()
    with pytest.raises(AttributeError, match="cannot be accessed on a MultiOptimizer"):
        float(optimizer.learning_rate)
    with pytest.raises(AttributeError, match="cannot be set on a MultiOptimizer.*0.5"):
        optimizer.learning_rate = 0.5


def test_round_trip():
    optimizer = make()
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert [o.get_config() for o in again.optimizers] == [o.get_config() for o in optimizer.optimizers]


@pytest.mark.parametrize("twice", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_go_on_alike_and_apart(twice):
    optimizer, variables = make(), make_variables()
    train(optimizer, variables, steps=2)
    other, others = twice((optimizer, variables))
    original = [v.numpy() for v in variables]
    train(other, others, steps=2)
    assert all(np.array_equal(v.value, old) for v, old in zip(variables, original))
    train(optimizer, variables, steps=2)
    for a, b in zip([*optimizer.variables, *variables], [*other.variables, *others], strict=True):
        np.testing.assert_array_equal(a.value, b.value)


def test_map():
    adam, sgd, other = Adam(), SGD(), SGD(0.5)
    chosen = OptimizerMap(adam)
    chosen["encoder/.*"] = sgd
    chosen["encoder/kernel"] = other
    assert chosen["encoder/kernel"] is other
    assert chosen["encoder/bias"] is sgd
    assert chosen["encoder"] is adam
    assert list(chosen) == ["encoder/.*", "encoder/kernel"]
    chosen[".*bias"] = other
    with pytest.raises(ValueError, match="Multiple optimizers assigned to variable encoder/bias.*bias"):
        chosen["encoder/bias"]
    del chosen[".*bias"]
    assert len(chosen) == 2
    assert chosen(make_variables()[0]) is adam


@pytest.mark.parametrize("make_bad, error, words", [
    (lambda: OptimizerMap("adam"), TypeError, "`default_optimizer`.*'adam'"),
    (lambda: OptimizerMap(Adam(), [1]), TypeError, r"`optimizer_map`.*\[1\]"),
    (lambda: OptimizerMap(Adam(), {1: SGD()}), ValueError, "`key` must be a string.*1"),
    (lambda: OptimizerMap(Adam(), {"a": "sgd"}), ValueError, "`optimizer`.*'sgd'"),
    (lambda: OptimizerMap(Adam(), {"a": make()}), ValueError, "`optimizer`.*MultiOptimizer"),
    (lambda: OptimizerMap(Adam(), {"a": SGD()}).__setitem__("a", SGD()), ValueError, "'a' already exists"),
    (lambda: MultiOptimizer("adam"), TypeError, "`optimizer_map`.*'adam'"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_bad_input(make_bad, error, words):
    with pytest.raises(error, match=words):
        make_bad()
