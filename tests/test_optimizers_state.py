"""An optimizer's state, copies, learning rate, config and arguments."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from optimizer_cases import AVERAGED, CONFIGS, DEFAULTS, gradients, make, make_variables, train

from minikeras import optimizers
from minikeras.optimizers import schedules


def test_variables_are_the_state():
    variables = make_variables(shapes={"kernel": (2, 3), "bias": (3,)})
    for variable in variables:
        variable.path = f"dense/{variable.name}"
    optimizer = make("Adam", {"name": "adam", "amsgrad": True})
    train(optimizer, variables, steps=3)
    assert [v.path for v in optimizer.variables] == [
        "adam/iteration", "adam/learning_rate", "adam/dense_kernel_momentum", "adam/dense_kernel_velocity",
        "adam/dense_bias_momentum", "adam/dense_bias_velocity", "adam/dense_kernel_velocity_hat",
        "adam/dense_bias_velocity_hat",
    ]  # fmt: skip
    assert [v.dtype for v in optimizer.variables[:2]] == ["int32", "float32"]
    assert optimizer.iterations == 3
    assert optimizer.variables[0].numpy() == 3

    other = make("Adam", {"amsgrad": True})
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
    optimizer = make("Adam", {})
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


@pytest.mark.parametrize("shared", [{"clipnorm": 1.0}, AVERAGED[2]], ids=str)
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
@pytest.mark.parametrize("twice", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_go_on_alike_and_apart(name, arguments, shared, twice):
    optimizer, variables = make(name, arguments, **shared), make_variables()
    train(optimizer, variables, steps=3)
    other, others = twice((optimizer, variables))
    original = [v.numpy() for v in variables]
    train(other, others, steps=2)
    np.testing.assert_array_equal(variables[0].value, original[0])
    train(optimizer, variables, steps=2)
    for a, b in zip([*optimizer.variables, *variables], [*other.variables, *others]):
        np.testing.assert_array_equal(a.value, b.value)
    unbuilt = twice(make(name, arguments))
    assert not unbuilt.built
    assert float(unbuilt.learning_rate) == float(make(name, arguments).learning_rate)


def test_set_weights():
    optimizer, other = make("Adam", {}), make("Adam", {"learning_rate": 0.5})
    with pytest.raises(ValueError, match="needs a built optimizer"):
        other.set_weights([])
    _, state = train(optimizer, make_variables(), steps=2)
    other.build(make_variables())
    with pytest.raises(ValueError, match="shapes"):
        other.set_weights(state[:-1])
    other.set_weights(state)
    assert other.iterations == 2
    for a, b in zip(optimizer.variables, other.variables):
        np.testing.assert_array_equal(a.value, b.value)


@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_round_trip(name, arguments):
    optimizer = make(name, arguments, clipnorm=2.0, name="mine")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    for key, value in arguments.items():
        assert again.get_config()[key] == (pytest.approx(value, rel=1e-7) if isinstance(value, float) else value)


def test_round_trip_of_a_paused_optimizer():
    optimizer = make("Adam", {})
    optimizer.learning_rate = 0.0
    assert optimizers.deserialize(optimizers.serialize(optimizer)).learning_rate == 0.0


@pytest.mark.parametrize("name", [n for name, _ in DEFAULTS for n in (name, name.lower())])
def test_names(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_classes_of_ones_own():
    class Mine(optimizers.SGD):
        pass

    config = {"class_name": "Mine", "config": {"momentum": 0.5}}
    with pytest.raises(ValueError, match="'Mine'"):
        optimizers.deserialize(config)
    assert type(optimizers.deserialize(config, custom_objects={"Mine": Mine})) is Mine


def test_signature_of_a_subclass():
    class Mine(optimizers.Adam):
        def __init__(self, warmth, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.warmth = warmth

    class Keywords(optimizers.Adam):
        def __init__(self, learning_rate=0.5, **kwargs):
            super().__init__(learning_rate, **kwargs)

    names = list(inspect.signature(Mine).parameters)
    assert names[:3] == ["warmth", "learning_rate", "beta_1"]
    assert names[-2:] == ["name", "kwargs"]
    assert str(inspect.signature(Keywords)) == "(learning_rate=0.5, **kwargs)"


def test_learning_rate_reads_as_a_number():
    optimizer = optimizers.SGD(1)
    rate = optimizer.learning_rate
    assert rate == 1.0
    assert rate is optimizer.variables[1]
    optimizer.learning_rate = np.float32(0.25)
    assert (float(rate), f"{rate:.3f}", f"{rate}", rate.numpy(), rate.item()) == (0.25, "0.250", "0.25", 0.25, 0.25)
    assert (rate * 2, 2 * rate, rate / 0.5, rate - 0.25, -rate, rate**2) == (0.5, 0.5, 0.5, 0.0, -0.25, 0.0625)
    assert [rate < 1, 0.1 < rate <= 0.25, rate != 0.5, rate > 0.25, bool(rate)] == [True, True, True, False, True]
    assert "value=0.25" in repr(rate)
    rate.assign(0.125)
    assert optimizer.learning_rate == 0.125
    optimizer.learning_rate = np.array(0.1)
    assert optimizer.learning_rate == pytest.approx(0.1)
    assert round(optimizer.learning_rate, 3) == 0.1
    optimizer.learning_rate *= 0.5
    assert optimizer.get_config()["learning_rate"] == float(optimizer.learning_rate) == pytest.approx(0.05)
    optimizer.learning_rate /= 2
    optimizer.learning_rate += 1
    optimizer.learning_rate -= 0.5
    optimizer.learning_rate **= 2
    assert optimizer.learning_rate == pytest.approx(0.525**2)
    assert optimizer.learning_rate is rate
    optimizer.learning_rate = optimizers.SGD(0.75).learning_rate
    assert optimizer.learning_rate == 0.75


def test_iterations_read_as_a_number():
    optimizer, variables = make("SGD", {}), make_variables()
    train(optimizer, variables, steps=3)
    count = optimizer.iterations
    assert (int(count), count + 1, f"{count:03d}", list(range(count)), count.numpy()) == (3, 4, "003", [0, 1, 2], 3)
    count.assign(0)
    assert optimizer.iterations == optimizer.updates == 0
    assert not optimizer.iterations


def test_training_may_pause():
    optimizer, variables = make("Adam", {}), make_variables()
    train(optimizer, variables, steps=2)
    before = [v.numpy() for v in variables]
    optimizer.learning_rate = 0
    train(optimizer, variables, steps=2)
    assert all(np.array_equal(v.value, old) for v, old in zip(variables, before))


def test_ftrl_divides_by_the_learning_rate():
    optimizer, variables = make("Ftrl", {"beta": 1.0}), make_variables()
    optimizer.learning_rate = 0.0
    train(optimizer, variables, steps=1)  # without an error
    assert np.isnan(variables[0].value).all()  # as in Keras


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf"), True, "0.1", None, [0.1], np.ones(2), 1j])
def test_bad_learning_rate(value):
    with pytest.raises(ValueError, match="`learning_rate` must be a positive finite number.*Received: learning_rate="):
        optimizers.Adam(value)
    if isinstance(value, int) and value == 0:
        return
    optimizer = optimizers.Adam(0.5)
    with pytest.raises(ValueError, match="`learning_rate` must be a positive finite number, as 0.001, or 0"):
        optimizer.learning_rate = value
    assert optimizer.learning_rate == 0.5


def test_a_schedule_cannot_be_changed():
    optimizer = optimizers.Adam(schedules.ExponentialDecay(0.5, 2, 0.25), name="a")
    assert [v.path for v in optimizer.variables] == ["a/iteration"]
    assert optimizer.learning_rate == optimizer.learning_rate.numpy() == 0.5
    assert f"{optimizer.learning_rate:.2f}" == "0.50"
    train(optimizer, make_variables(), steps=2)
    assert optimizer.learning_rate == 0.125
    with pytest.raises(TypeError, match="not settable.*learning_rate=0.5"):
        optimizer.learning_rate = 0.5
    with pytest.raises(AttributeError):
        optimizer.learning_rate.assign(0.5)
    optimizer.learning_rate = lambda: 0.75
    assert optimizer.learning_rate == 0.75
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.5


@pytest.mark.parametrize("name, arguments, words", [
    ("sgd", {"momentum": 1.5}, "`momentum`.*1.5"),
    ("sgd", {"momentum": "0.9"}, "`momentum`.*'0.9'"),
    ("rmsprop", {"rho": -0.1}, "`rho`.*-0.1"),
    ("rmsprop", {"momentum": -1}, "`momentum`.*-1"),
    ("rmsprop", {"epsilon": -1e-7}, "`epsilon`.*-1e-07"),
    ("adagrad", {"initial_accumulator_value": -1.0}, "`initial_accumulator_value`.*-1.0"),
    ("adam", {"beta_1": 1.0}, "`beta_1`.*1.0"),
    ("adam", {"beta_2": float("nan")}, "`beta_2`.*nan"),
    ("adam", {"epsilon": "small"}, "`epsilon`.*small"),
    ("adamw", {"weight_decay": None}, "`weight_decay`.*None"),
    ("adam", {"weight_decay": -0.1}, "`weight_decay`.*-0.1"),
    ("adam", {"clipnorm": 0}, "`clipnorm`.*0"),
    ("adam", {"clipvalue": True}, "`clipvalue`.*True"),
    ("adam", {"global_clipnorm": "1"}, "`global_clipnorm`.*'1'"),
    ("adam", {"clipnorm": 1.0, "clipvalue": 0.5}, "Only one of.*clipnorm=1.0, clipvalue=0.5, global_clipnorm=None"),
    ("adam", {"rate": 0.1}, "unknown arguments: rate.*Known: learning_rate, beta_1"),
    ("adam", {"ema_momentum": 1.5}, "`ema_momentum`.*1.5"),
    ("adam", {"ema_overwrite_frequency": 1.5}, "`ema_overwrite_frequency` must be an integer >= 1 or None.*1.5"),
    ("adam", {"ema_overwrite_frequency": -1}, "`ema_overwrite_frequency`.*-1"),
    ("adam", {"loss_scale_factor": -2.0}, "`loss_scale_factor`.*-2.0"),
    ("adam", {"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps` must be an integer >= 2 or None.*1"),
    ("adam", {"gradient_accumulation_steps": 2.5}, "`gradient_accumulation_steps`.*2.5"),
    ("adam", {"gradient_accumulation_steps": True}, "`gradient_accumulation_steps`.*True"),
    ("adadelta", {"rho": 1.5}, "`rho`.*1.5"),
    ("lion", {"beta_1": 0.0}, "`beta_1`.*0.0"),
    ("lion", {"beta_2": 1.0}, "`beta_2`.*1.0"),
    ("ftrl", {"learning_rate_power": 0.5}, "`learning_rate_power`.*0.5"),
    ("ftrl", {"initial_accumulator_value": -0.1}, "`initial_accumulator_value`.*-0.1"),
    ("ftrl", {"l1_regularization_strength": -0.1}, "`l1_regularization_strength`.*-0.1"),
    ("ftrl", {"l2_regularization_strength": -0.1}, "`l2_regularization_strength`.*-0.1"),
    ("ftrl", {"l2_shrinkage_regularization_strength": -0.1}, "`l2_shrinkage_regularization_strength`.*-0.1"),
    ("ftrl", {"beta": None}, "`beta`.*None"),
    ("adafactor", {"clip_threshold": 0}, "`clip_threshold`.*0"),
    ("adafactor", {"epsilon_2": -1}, "`epsilon_2`.*-1"),
    ("muon", {"ns_steps": 1.5}, "`ns_steps`.*1.5"),
    ("muon", {"adam_beta_1": 1.0}, "`adam_beta_1`.*1.0"),
    ("muon", {"adam_weight_decay": -1.0}, "`adam_weight_decay`.*-1.0"),
    ("schedulefreeadamw", {"warmup_steps": -1}, "`warmup_steps`.*-1"),
], ids=str)  # fmt: skip
def test_bad_input(name, arguments, words):
    with pytest.raises(ValueError, match=words):
        optimizers.get({"class_name": name, "config": arguments})


def test_what_is_no_optimizer():
    assert optimizers.get(None) is None
    with pytest.raises(ValueError, match="'adm'.*Did you mean 'adam'"):
        optimizers.get("adm")
    with pytest.raises(ValueError, match="`optimizer` must be a name"):
        optimizers.get(np.tanh)
    with pytest.raises(TypeError, match="3"):
        optimizers.get(3)
