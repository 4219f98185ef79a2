"""Weights side by side in memory, chunks and threads; which weights a step changes, and that it allocates nothing."""

import threading
import tracemalloc

import numpy as np
import pytest
from optimizer_cases import AVERAGED, CLIPS, CONFIGS, SHARED, gradients, make, make_variables, train

from minikeras import optimizers
from minikeras.kernels import threads
from minikeras.optimizers import base, packing
from minikeras.variable import Variable


@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_chunks_and_threads_give_the_same_bits(name, arguments, monkeypatch):
    whole = train(make(name, arguments, name="o"), make_variables())
    for module in (base, packing):
        monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(base, "THREADED", 0)
    for num_threads in (1, 2, 3):
        monkeypatch.setattr(threads, "_num_threads", num_threads)
        cut = train(make(name, arguments, name="o"), make_variables())
        for a, b in zip(sum(whole, []), sum(cut, [])):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shared", [*SHARED, *AVERAGED], ids=str)
@pytest.mark.parametrize("name", ["Adam", "Lamb"])
def test_clips_and_threads_give_the_same_bits(name, shared, monkeypatch):
    whole = train(make(name, shared), make_variables())
    monkeypatch.setattr(base, "THREADED", 0)
    monkeypatch.setattr(packing, "CHUNK", 50)
    monkeypatch.setattr(threads, "_num_threads", 2)
    cut = train(make(name, shared), make_variables())
    for a, b in zip(sum(whole, []), sum(cut, [])):
        np.testing.assert_array_equal(a, b)


def test_threads_do_not_share_scratch(monkeypatch):
    monkeypatch.setattr(base, "THREADED", 0)
    monkeypatch.setattr(threads, "_num_threads", 2)
    meeting = threading.Barrier(2, timeout=10)
    kept = []

    class Meets(optimizers.Optimizer):
        def update(self, w, g, scratch, learning_rate):
            np.copyto(scratch, w)
            meeting.wait()  # both threads have written
            kept.append(np.array_equal(scratch, w) and np.all(g == 0.5))
            meeting.wait()

    optimizer, variables = Meets(0.1, clipvalue=0.5), make_variables()
    for variable in variables:
        variable.grad = np.ones(variable.shape)
    optimizer.step(variables)
    optimizer.step(variables)
    assert kept == [True] * 4


def test_shares_are_of_one_size(monkeypatch):
    monkeypatch.setattr(packing, "CHUNK", 40)
    shapes = {"kernel": (3, 2, 4), "bias": (4,), "scale": (), "big": (23, 7)}
    places = packing.pack(make_variables(shapes=shapes), [], [], lambda variable: False)
    places.pop(2)
    chunks = packing.cut(places, 3, apart=False)
    sizes = [[len(w) for w, *_ in share] for share in chunks]
    assert sizes == [[28, 35], [40, 23], [40, 23]]


def test_whole_weights_are_dealt_out():
    places = packing.pack(make_variables(), [], [], lambda variable: False)
    shares = packing.deal(places, 2, ["absent"])
    assert [[place.variable.name for *_, place in share] for share in shares] == [
        ["big"], ["conv", "kernel", "wide", "bias", "scale"],
    ]  # fmt: skip
    assert all(w is place.value and g is place.grad and slots == [None] for s in shares for w, g, slots, place in s)


@pytest.mark.parametrize("shared", CLIPS[:3], ids=str)
@pytest.mark.parametrize("subset", [[0], [1, 2], [0, 3], [3, 0, 1]], ids=str)
@pytest.mark.parametrize("name", ["Adam", "Lamb"])
def test_frozen_weights_are_left_alone(name, subset, shared):
    variables = make_variables()
    before = [v.numpy() for v in variables]
    optimizer = make(name, shared)
    values, _ = train(optimizer, variables, updated=[variables[i] for i in subset])
    alone = [make_variables()[i] for i in subset]
    optimizer_alone = make(name, shared)
    optimizer_alone.build(alone)
    for step in range(12):
        for i, gradient in enumerate(gradients(step, variables)):
            if i in subset:
                alone[subset.index(i)].grad = gradient
        optimizer_alone.step(alone)
    for i, value in enumerate(values):
        expected = alone[subset.index(i)].value if i in subset else before[i]
        np.testing.assert_array_equal(value, expected)
        slots = [v.value for v in optimizer.variables[2 + 2 * i : 4 + 2 * i]]
        assert all(np.any(slot != 0) == (i in subset) for slot in slots)


def test_unknown_variable():
    variables = make_variables()
    optimizer = make("SGD", {})
    optimizer.build(variables)
    with pytest.raises(ValueError, match="Unknown variable.*path=stranger"):
        optimizer.step([*variables, Variable(np.zeros(2), "stranger")])
    before = [v.grad.copy() for v in variables]
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([np.ones(4, "float32"), np.ones(2)], [variables[1], Variable(np.zeros(2), "stranger")])
    for variable, gradient in zip(variables, before):
        np.testing.assert_array_equal(variable.grad, gradient)
    assert optimizer.iterations == 0


def test_weights_lie_side_by_side_and_keep_value_and_gradient():
    variables = make_variables()
    values = [v.numpy() for v in variables]
    for variable, gradient in zip(variables, gradients(0, variables)):
        variable.grad = gradient
    make("Adam", {}).build(variables)
    flat = variables[0].value.base
    assert all(v.value.base is flat for v in variables)
    assert flat.size == sum(v.size for v in variables)
    for variable, value, gradient in zip(variables, values, gradients(0, variables)):
        np.testing.assert_array_equal(variable.value, value)
        np.testing.assert_array_equal(variable.grad, gradient)


def test_two_optimizers_of_the_same_weights():
    variables, twins = make_variables(), make_variables()
    first, second = make("Adam", {}), make("SGD", {"momentum": 0.5})
    first.build(variables)
    second.build(variables)
    slow_first, slow_second = make("Adam", {}), make("SGD", {"momentum": 0.5})
    for step in range(6):
        for variable, gradient in zip(variables, gradients(step, variables)):
            variable.grad = gradient
        (first, second)[step % 2].step(variables)
        apart = make_variables()  # the second set's values go to fresh memory before each step
        for twin, fresh, gradient in zip(twins, apart, gradients(step, variables)):
            twin.move(fresh.value, np.zeros_like(fresh.value))
            twin.grad = gradient
        (slow_first, slow_second)[step % 2].step(twins)
    for variable, twin in zip(variables, twins):
        np.testing.assert_array_equal(variable.value, twin.value)


def test_dtypes_may_differ():
    variables = make_variables("float32") + make_variables("float64")
    values, _ = train(make("Adam", {"clipnorm": 1.0}), variables)
    for a, b in zip(values[:6], values[6:]):
        assert (a.dtype, b.dtype) == ("float32", "float64")
    singles, _ = train(make("Adam", {"clipnorm": 1.0}), make_variables("float32") + make_variables("float32"))
    for a, b in zip(values[:6], singles):
        np.testing.assert_array_equal(a, b)


def test_an_empty_weight_of_another_dtype():
    nothing = Variable(np.zeros(0, "float16"), "nothing")
    values, _ = train(make("Adam", {}), [nothing, *make_variables()])
    expected, _ = train(make("Adam", {}), make_variables())
    for a, b in zip(values[1:], expected):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["Lamb", "Adafactor", "Muon"])
def test_whole_weights_that_are_empty_or_larger_than_those_before(name, monkeypatch):
    monkeypatch.setattr(base, "CHUNK", 7)
    shapes = {"nothing": (0, 3), "small": (2, 3), "large": (8, 9)}
    variables, twins = make_variables(shapes=shapes), make_variables(shapes=shapes)
    optimizer, right = make(name, {"clipnorm": 0.5}), make(name, {"clipnorm": 0.5})
    optimizer.build(variables)
    for variable in variables:
        optimizer.apply(gradients(0, [variable]), [variable])
    right.build(twins)
    for twin in twins[::-1]:
        right.apply(gradients(0, [twin]), [twin])
    for found in (variables[1], twins[1], twins[2], variables[2]):
        assert np.isfinite(found.value).all()
    monkeypatch.undo()
    again = make_variables(shapes=shapes)
    optimizer = make(name, {"clipnorm": 0.5})
    optimizer.build(again)
    for variable in again:
        optimizer.apply(gradients(0, [variable]), [variable])
    for a, b in zip(variables, again):
        np.testing.assert_array_equal(a.value, b.value)


def test_gradients_are_not_changed():
    for name, arguments in CONFIGS:
        for shared in [*SHARED, *AVERAGED[2:5]]:
            variables = make_variables()
            train(make(name, arguments, **shared), variables, steps=2)
            for variable, gradient in zip(variables, gradients(1, variables)):
                np.testing.assert_array_equal(variable.grad, gradient)


@pytest.mark.parametrize("name, arguments, shared", [
    *(("RMSprop", {"momentum": 0.9, "centered": True}, shared) for shared in [*SHARED, *AVERAGED]),
    *((name, arguments, {}) for name, arguments in CONFIGS if name != "Muon"),  # whose products are new arrays
], ids=str)  # fmt: skip
def test_a_steady_state_allocates_nothing_large(name, arguments, shared):
    variables = make_variables(shapes={"big": (400, 1000), "bias": (100,)})
    optimizer = make(name, arguments, **shared)
    train(optimizer, variables, steps=4)
    tracemalloc.start()
    try:
        for _ in range(3):
            optimizer.step(variables)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 100_000  # the weights take 1.6 million bytes


