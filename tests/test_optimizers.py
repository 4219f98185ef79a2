"""Optimizers against a slow restatement of their formulas; packing, chunks and threads; state, configs, bad input."""

import copy
import pickle
import threading
import tracemalloc

import numpy as np
import pytest

from minikeras import config, constraints, optimizers
from minikeras.kernels import threads
from minikeras.optimizers import base, packing
from minikeras.variable import Variable

SHAPES = {"kernel": (3, 2, 4), "bias": (4,), "scale": (), "big": (23, 7)}


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def make_variables(dtype="float32", shapes=SHAPES):
    rng = np.random.default_rng(0)
    return [Variable(rng.normal(size=shape).astype(dtype), name) for name, shape in shapes.items()]


def gradients(step, variables):
    rng = np.random.default_rng(100 + step)
    return [rng.normal(size=v.shape).astype(v.dtype) * (0.01 + 3 * (step % 3)) for v in variables]


def train(optimizer, variables, steps=12, updated=None):
    """Take ``steps`` steps and return copies of the values and of the optimizer's state."""
    optimizer.build(variables)
    for step in range(steps):
        for variable, gradient in zip(variables, gradients(step, variables)):
            variable.grad = gradient
        optimizer.step(variables if updated is None else updated)
    return [v.numpy() for v in variables], [v.numpy() for v in optimizer.variables]


# The formulas once more, one weight and one number at a time: (w, g, state, t, arguments) -> w.


def slow_sgd(w, g, state, t, learning_rate=0.01, momentum=0.0, nesterov=False):
    if not momentum:
        return w - learning_rate * g
    state["m"] = momentum * state.get("m", 0.0) - learning_rate * g
    return w + momentum * state["m"] - learning_rate * g if nesterov else w + state["m"]


def slow_rmsprop(w, g, state, t, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g**2
    variance = state["v"]
    if centered:
        state["a"] = rho * state.get("a", 0.0) + (1 - rho) * g
        variance -= state["a"] ** 2
    increment = learning_rate * g / (variance + epsilon) ** 0.5
    state["m"] = momentum * state.get("m", 0.0) + increment
    return w - state["m"]


def slow_adagrad(w, g, state, t, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7):
    state["a"] = state.get("a", initial_accumulator_value) + g**2
    return w - learning_rate * g / (state["a"] + epsilon) ** 0.5


def slow_adam(w, g, state, t, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    state["m"] = state.get("m", 0.0) + (1 - beta_1) * (g - state.get("m", 0.0))
    state["v"] = state.get("v", 0.0) + (1 - beta_2) * (g**2 - state.get("v", 0.0))
    state["v_hat"] = max(state.get("v_hat", 0.0), state["v"]) if amsgrad else state["v"]
    # Algorithm 1 of the paper, whose epsilon is this one / sqrt(1 - beta_2^t).
    root = (1 - beta_2**t) ** 0.5
    return w - learning_rate * (state["m"] / (1 - beta_1**t)) / ((state["v_hat"] ** 0.5 + epsilon) / root)


SLOW = {"sgd": slow_sgd, "rmsprop": slow_rmsprop, "adagrad": slow_adagrad, "adam": slow_adam, "adamw": slow_adam}
CONFIGS = [
    ("sgd", {}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    ("rmsprop", {}),
    ("rmsprop", {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3}),
    ("rmsprop", {"learning_rate": 0.01, "centered": True}),
    ("rmsprop", {"momentum": 0.9, "centered": True}),
    ("adagrad", {}),
    ("adagrad", {"learning_rate": 0.5, "initial_accumulator_value": 0.3, "epsilon": 1e-2}),
    ("adam", {}),
    ("adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    ("adam", {"learning_rate": 0.05, "beta_2": 0.5, "amsgrad": True}),
    ("adamw", {}),
    ("adamw", {"learning_rate": 0.1, "weight_decay": 0.2, "amsgrad": True}),
]
SHARED = [{}, {"weight_decay": 0.1}, {"clipnorm": 0.7}, {"clipvalue": 0.3}, {"global_clipnorm": 0.9}]


def make(name, arguments, /, **shared):
    return optimizers.get({"class_name": name, "config": {**arguments, **shared}})


def slow_clip(grads, clipnorm=None, clipvalue=None, global_clipnorm=None):
    def norm(arrays):
        return sum(float((g**2).sum()) for g in arrays) ** 0.5

    if clipnorm:
        return [g * min(1, clipnorm / norm([g])) for g in grads]
    if clipvalue:
        return [np.where(np.abs(g) > clipvalue, np.sign(g) * clipvalue, g) for g in grads]
    if global_clipnorm:
        return [g * min(1, global_clipnorm / norm(grads)) for g in grads]
    return grads


@pytest.mark.parametrize("shared", SHARED, ids=str)
@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_formula(name, arguments, shared, float64):
    variables = make_variables("float64")
    expected = [v.numpy() for v in variables]
    values, _ = train(make(name, arguments, **shared), variables)
    decay = shared.get("weight_decay", arguments.get("weight_decay", 0.004 if name == "adamw" else 0.0))
    arguments = {key: value for key, value in arguments.items() if key != "weight_decay"}
    clips = {key: value for key, value in shared.items() if key != "weight_decay"}
    learning_rate = arguments.get("learning_rate", 0.01 if name == "sgd" else 0.001)
    states = [[{} for _ in range(w.size)] for w in expected]
    for step in range(12):
        grads = slow_clip(gradients(step, variables), **clips)
        for w, g, state in zip(expected, grads, states):
            for i in range(w.size):
                number = w.flat[i] - w.flat[i] * decay * learning_rate
                w.flat[i] = SLOW[name](number, g.flat[i], state[i], step + 1, **arguments)
    for value, right in zip(values, expected):
        assert np.max(np.abs(value - right)) <= 1e-12 * np.max(np.abs(right))


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


@pytest.mark.parametrize("shared", SHARED, ids=str)
def test_clips_and_threads_give_the_same_bits(shared, monkeypatch):
    whole = train(make("adam", shared), make_variables())
    monkeypatch.setattr(base, "THREADED", 0)
    monkeypatch.setattr(packing, "CHUNK", 50)
    monkeypatch.setattr(threads, "_num_threads", 2)
    cut = train(make("adam", shared), make_variables())
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
    places = packing.pack(make_variables(), 0, 0.0, lambda variable: False)
    places.pop(2)
    chunks = packing.cut(places, 3, apart=False)
    sizes = [[len(w) for w, *_ in share] for share in chunks]
    assert sizes == [[28, 35], [40, 23], [40, 23]]


@pytest.mark.parametrize("shared", SHARED[:3], ids=str)
@pytest.mark.parametrize("subset", [[0], [1, 2], [0, 3], [3, 0, 1]], ids=str)
def test_frozen_weights_are_left_alone(subset, shared):
    variables = make_variables()
    before = [v.numpy() for v in variables]
    optimizer = make("adam", shared)
    values, _ = train(optimizer, variables, updated=[variables[i] for i in subset])
    alone = [make_variables()[i] for i in subset]
    optimizer_alone = make("adam", shared)
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
    optimizer = make("sgd", {})
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
    make("adam", {}).build(variables)
    flat = variables[0].value.base
    assert all(v.value.base is flat for v in variables)
    assert flat.size == sum(v.size for v in variables)
    for variable, value, gradient in zip(variables, values, gradients(0, variables)):
        np.testing.assert_array_equal(variable.value, value)
        np.testing.assert_array_equal(variable.grad, gradient)


def test_two_optimizers_of_the_same_weights():
    variables, twins = make_variables(), make_variables()
    first, second = make("adam", {}), make("sgd", {"momentum": 0.5})
    first.build(variables)
    second.build(variables)
    slow_first, slow_second = make("adam", {}), make("sgd", {"momentum": 0.5})
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
    values, _ = train(make("adam", {"clipnorm": 1.0}), variables)
    for a, b in zip(values[:4], values[4:]):
        assert (a.dtype, b.dtype) == ("float32", "float64")
    singles, _ = train(make("adam", {"clipnorm": 1.0}), make_variables("float32") + make_variables("float32"))
    for a, b in zip(values[:4], singles):
        np.testing.assert_array_equal(a, b)


def test_an_empty_weight_of_another_dtype():
    nothing = Variable(np.zeros(0, "float16"), "nothing")
    values, _ = train(make("adam", {}), [nothing, *make_variables()])
    expected, _ = train(make("adam", {}), make_variables())
    for a, b in zip(values[1:], expected):
        np.testing.assert_array_equal(a, b)


def test_gradients_are_not_changed():
    variables = make_variables()
    for name, arguments in CONFIGS:
        for shared in SHARED:
            train(make(name, arguments, **shared), variables, steps=2)
            for variable, gradient in zip(variables, gradients(1, variables)):
                np.testing.assert_array_equal(variable.grad, gradient)


@pytest.mark.parametrize("shared", SHARED, ids=str)
def test_a_steady_state_allocates_nothing_large(shared):
    variables = make_variables(shapes={"big": (400, 1000), "bias": (100,)})
    optimizer = make("rmsprop", {"momentum": 0.9, "centered": True}, **shared)
    train(optimizer, variables, steps=2)
    tracemalloc.start()
    try:
        for _ in range(3):
            optimizer.step(variables)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 50_000


def test_constraint_follows_the_update():
    variables = make_variables()
    variables[0].constraint = constraints.NonNeg()
    variables[3].constraint = constraints.UnitNorm(axis=0)
    free, _ = train(make("sgd", {}), make_variables(), steps=1)
    values, _ = train(make("sgd", {}), variables, steps=1)
    np.testing.assert_array_equal(values[0], np.maximum(free[0], 0))
    np.testing.assert_allclose((values[3] ** 2).sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_array_equal(values[1], free[1])


def test_exclude_from_weight_decay(float64):
    arguments = {"learning_rate": 0.1, "weight_decay": 0.5}
    variables = make_variables("float64")
    before = [v.numpy() for v in variables]
    optimizer = make("sgd", arguments)
    optimizer.exclude_from_weight_decay(var_list=[variables[0]], var_names=["bia", "scale"])
    optimizer.apply([np.zeros(v.shape) for v in variables], variables)
    for i, (variable, value) in enumerate(zip(variables, before)):
        np.testing.assert_allclose(variable.value, value if i < 3 else value * 0.95, rtol=1e-14)
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite(bad):
    def after(**shared):
        variables = make_variables()
        grads = [np.zeros(v.shape) for v in variables]
        grads[1][2] = bad
        make("sgd", {}, **shared).apply(grads, variables)  # without a warning from NumPy
        return [np.isfinite(v.value) for v in variables]

    assert after()[1].tolist() == [True, True, False, True]
    assert not any(finite.any() for finite in after(global_clipnorm=1.0))
    one_weight = after(clipnorm=1.0)
    assert one_weight[1].tolist() == ([False] * 4 if np.isnan(bad) else [True, True, False, True])
    assert all(finite.all() for i, finite in enumerate(one_weight) if i != 1)
    assert after(clipvalue=1.0)[1].tolist() == ([True, True, False, True] if np.isnan(bad) else [True] * 4)


def test_variables_are_the_state():
    variables = make_variables(shapes={"kernel": (2, 3), "bias": (3,)})
    for variable in variables:
        variable.path = f"dense/{variable.name}"
    optimizer = make("adam", {"name": "adam", "amsgrad": True})
    train(optimizer, variables, steps=3)
    assert [v.path for v in optimizer.variables] == [
        "adam/iteration", "adam/learning_rate", "adam/dense_kernel_momentum", "adam/dense_kernel_velocity",
        "adam/dense_bias_momentum", "adam/dense_bias_velocity", "adam/dense_kernel_velocity_hat",
        "adam/dense_bias_velocity_hat",
    ]  # fmt: skip
    assert [v.dtype for v in optimizer.variables[:2]] == ["int32", "float32"]
    assert optimizer.iterations == 3
    assert optimizer.variables[0].numpy() == 3

    other = make("adam", {"amsgrad": True})
    twins = make_variables(shapes={"kernel": (2, 3), "bias": (3,)})
    other.build(twins)
    optimizer.learning_rate = 0.25
    for mine, theirs in zip([*other.variables, *twins], [*optimizer.variables, *variables]):
        mine.assign(theirs.value)
    assert (other.iterations, other.learning_rate) == (3, 0.25)
    for each, weights in ((optimizer, variables), (other, twins)):
        each.apply(gradients(4, weights), weights)
    for mine, theirs in zip([*other.variables, *twins], [*optimizer.variables, *variables]):
        np.testing.assert_array_equal(mine.value, theirs.value)


def test_building_again():
    variables = make_variables()
    optimizer = make("adam", {})
    train(optimizer, variables, steps=2)
    optimizer.build(variables)  # the same: nothing happens
    assert optimizer.iterations == 2
    others = make_variables(shapes={"other": (5,)})
    optimizer.build(others)
    assert optimizer.iterations == 0
    assert len(optimizer.variables) == 4
    assert np.all(optimizer.variables[2].value == 0)
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.step(variables)
    optimizer.step(others)


@pytest.mark.parametrize("twice", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_go_on_alike_and_apart(twice):
    optimizer, variables = make("adam", {"clipnorm": 1.0}), make_variables()
    train(optimizer, variables, steps=2)
    other, others = twice((optimizer, variables))
    original = [v.numpy() for v in variables]
    train(other, others, steps=2)
    np.testing.assert_array_equal(variables[0].value, original[0])
    train(optimizer, variables, steps=2)
    for a, b in zip([*optimizer.variables, *variables], [*other.variables, *others]):
        np.testing.assert_array_equal(a.value, b.value)
    assert not twice(make("sgd", {})).built


def test_apply():
    variables = make_variables(shapes={"a": (2,), "b": (3,)})
    before = [v.numpy() for v in variables]
    optimizer = make("sgd", {"learning_rate": 0.5})
    with pytest.raises(ValueError, match="without variables needs a built optimizer"):
        optimizer.apply([np.ones(2)])
    assert optimizer.apply_gradients([(np.ones(2), variables[0]), (np.ones(3), variables[1])]) == 1
    optimizer.apply([np.ones(2), np.ones(3)])
    np.testing.assert_allclose(variables[1].value, before[1] - 1, rtol=1e-6)
    with pytest.warns(UserWarning, match="variables b"):
        optimizer.apply([np.ones(2), None], variables)
    np.testing.assert_allclose(variables[1].value, before[1] - 1, rtol=1e-6)
    np.testing.assert_allclose(variables[0].value, before[0] - 1.5, rtol=1e-6)
    optimizer.apply([])
    assert optimizer.iterations == 3
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None], variables)
    with pytest.raises(ValueError, match="2 variables.*1 gradients"):
        optimizer.apply([np.ones(2)], variables)
    with pytest.raises(ValueError, match=r"'b'.*\(3,\).*\(2,\)"):
        optimizer.apply([np.ones(2), np.ones(2)], variables)


@pytest.mark.parametrize("shared", SHARED[1:], ids=str)
def test_settings_may_be_changed_while_training(shared):
    variables, twins = make_variables(), make_variables()
    optimizer, right = make("sgd", {}), make("sgd", {}, **shared)
    right.build(twins)
    train(optimizer, variables, steps=2)
    for variable, twin in zip(variables, twins):
        twin.assign(variable.value)
    [(argument, value)] = shared.items()
    setattr(optimizer, argument, value)
    for each, weights in ((optimizer, variables), (right, twins)):
        each.apply(gradients(1, weights), weights)
    for variable, twin in zip(variables, twins):
        np.testing.assert_array_equal(variable.value, twin.value)


def test_custom_optimizer():
    class SignSGD(optimizers.Optimizer):
        def update(self, w, g, scratch, learning_rate):
            np.sign(g, out=scratch)
            scratch *= learning_rate
            w -= scratch

    variables = make_variables()
    before = [v.numpy() for v in variables]
    values, _ = train(optimizers.get(SignSGD(0.5, clipvalue=1.0)), variables, steps=1)
    for value, old, gradient in zip(values, before, gradients(0, variables)):
        np.testing.assert_allclose(value, old - 0.5 * np.sign(gradient), rtol=1e-6)
    with pytest.raises(NotImplementedError, match="no `update"):
        train(optimizers.Optimizer(0.1), variables, steps=1)


@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_round_trip(name, arguments):
    optimizer = make(name, arguments, clipnorm=2.0, name="mine")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    for key, value in arguments.items():
        assert again.get_config()[key] == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("name", ["sgd", "SGD", "rmsprop", "RMSprop", "adam", "Adam", "adamw", "AdamW", "adagrad"])
def test_names(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_learning_rate():
    optimizer = optimizers.SGD(1)
    assert optimizer.learning_rate == 1.0
    optimizer.learning_rate = np.float32(0.25)
    assert optimizer.learning_rate == 0.25
    optimizer.learning_rate = np.array(0.1)
    assert optimizer.learning_rate == pytest.approx(0.1)
    assert type(optimizer.learning_rate) is float
    optimizer.learning_rate *= 0.5
    assert optimizer.get_config()["learning_rate"] == optimizer.learning_rate == pytest.approx(0.05)


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf"), True, "0.1", None, [0.1], np.ones(2), 1j])
def test_bad_learning_rate(value):
    with pytest.raises(ValueError, match="`learning_rate` must be a positive finite number.*Received: learning_rate="):
        optimizers.Adam(value)
    optimizer = optimizers.Adam(0.5)
    with pytest.raises(ValueError, match="`learning_rate`"):
        optimizer.learning_rate = value
    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize("name, arguments, words", [
    ("adm", {}, "'adm'.*Did you mean 'adam'"),
    ("sgd", {"momentum": 1.5}, "`momentum`.*1.5"),
    ("sgd", {"momentum": "0.9"}, "`momentum`.*'0.9'"),
    ("rmsprop", {"rho": -0.1}, "`rho`.*-0.1"),
    ("rmsprop", {"momentum": -1}, "`momentum`.*-1"),
    ("rmsprop", {"epsilon": -1e-7}, "`epsilon`.*-1e-07"),
    ("adagrad", {"initial_accumulator_value": -1.0}, "`initial_accumulator_value`.*-1.0"),
    ("adam", {"beta_1": 1.0}, "`beta_1`.*1.0"),
    ("adam", {"beta_2": float("nan")}, "`beta_2`.*nan"),
    ("adam", {"epsilon": None}, "`epsilon`.*None"),
    ("adamw", {"weight_decay": None}, "`weight_decay`.*None"),
    ("adam", {"weight_decay": -0.1}, "`weight_decay`.*-0.1"),
    ("adam", {"clipnorm": 0}, "`clipnorm`.*0"),
    ("adam", {"clipvalue": True}, "`clipvalue`.*True"),
    ("adam", {"global_clipnorm": "1"}, "`global_clipnorm`.*'1'"),
    ("adam", {"clipnorm": 1.0, "clipvalue": 0.5}, "Only one of.*clipnorm=1.0, clipvalue=0.5, global_clipnorm=None"),
    ("adam", {"lr": 0.1}, "unknown arguments: lr.*Known: learning_rate, beta_1"),
    ("adam", {"use_ema": True}, "`use_ema` is not supported yet"),
    ("adam", {"loss_scale_factor": 2.0}, "`loss_scale_factor` is not supported yet"),
    ("adam", {"gradient_accumulation_steps": 4}, "`gradient_accumulation_steps` is not supported yet"),
], ids=str)  # fmt: skip
def test_bad_input(name, arguments, words):
    with pytest.raises(ValueError, match=words):
        make(name, arguments)


def test_what_is_no_optimizer():
    assert optimizers.get(None) is None
    with pytest.raises(ValueError, match="`optimizer` must be a name"):
        optimizers.get(np.tanh)
    with pytest.raises(TypeError, match="3"):
        optimizers.get(3)
