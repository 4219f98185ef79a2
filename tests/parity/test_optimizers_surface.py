"""Names, signatures, configs and files of optimizers beside Keras'."""

import inspect

import numpy as np
import pytest
from compatibility import LEFT_OUT
from optimizer_cases import AVERAGED, CONFIGS, DEFAULTS
from parity_optimizers import make_both, make_weights

import minikeras
from minikeras import optimizers

# Keras' base class makes an object of another class, by a constructor that takes anything.
CLASSES = [
    (module, name) for module in (optimizers, optimizers.schedules) for name in module.__all__
    if inspect.isclass(getattr(module, name)) and name not in ("Optimizer", "LearningRateSchedule")
]  # fmt: skip


@pytest.mark.parametrize("module, name", CLASSES, ids=lambda v: getattr(v, "__name__", v))
def test_names_of_arguments(keras, module, name):
    """In the order of Keras, from which the config is made."""
    theirs = keras.optimizers if module is optimizers else keras.optimizers.schedules
    expected = inspect.signature(getattr(theirs, name)).parameters
    assert getattr(module, name).argument_names() == [n for n in expected if n != "kwargs"]


def test_signature_of_the_base_class(keras):
    expected = inspect.signature(keras.optimizers.Optimizer.__init__)
    assert list(inspect.signature(optimizers.Optimizer).parameters.values()) == list(expected.parameters.values())[1:]


@pytest.mark.parametrize("name", sorted(set(optimizers.__all__) - {"MultiOptimizer", "OptimizerMap", "Optimizer"}))
def test_arguments_are_taken_in_the_same_order(keras, name):
    if not inspect.isclass(getattr(optimizers, name)):
        return
    parameters = [p for p in inspect.signature(getattr(keras.optimizers, name)).parameters.values()]
    values = {p.name: p.default for p in parameters if p.name != "kwargs"}
    values |= {"learning_rate": 0.5, "name": "mine", "use_ema": True, "ema_momentum": 0.5, "clipvalue": 2.0}
    ours, theirs = (getattr(k.optimizers, name)(*values.values()) for k in (minikeras, keras))
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize("shared", [{"clipnorm": 2.0, "loss_scale_factor": 4.0}, *AVERAGED[1:3]], ids=str)
@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_config(keras, name, arguments, shared):
    ours, theirs = make_both(keras, name, {**arguments, **shared})
    assert ours.get_config() == theirs.get_config()
    serialized = optimizers.serialize(ours)
    assert serialized["module"] == "keras.optimizers"
    assert serialized["class_name"] == name
    if name != "Lamb":  # which Keras cannot even restore from its own config
        assert keras.optimizers.deserialize(serialized).get_config() == theirs.get_config()
    assert optimizers.get(keras.optimizers.serialize(theirs)).get_config() == theirs.get_config()


def test_config_with_a_schedule(keras):
    arguments = {"initial_learning_rate": 0.1, "decay_steps": 3, "warmup_target": 0.5, "warmup_steps": 2}
    ours = optimizers.Adam(optimizers.schedules.CosineDecay(**arguments), name="adam")
    theirs = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(**arguments), name="adam")
    assert ours.get_config() == theirs.get_config()
    for again in (
        keras.optimizers.deserialize(optimizers.serialize(ours)),
        optimizers.deserialize(keras.optimizers.serialize(theirs)),
    ):
        assert again.get_config() == theirs.get_config()
        assert float(again.learning_rate) == float(theirs.learning_rate)


def test_names(keras):
    for name, cls in keras.src.optimizers.ALL_OBJECTS_DICT.items():
        if cls.__name__ in {*LEFT_OUT["optimizers"], "Optimizer", "OptimizerMap", "MultiOptimizer"}:
            continue
        for spelling in (name, cls.__name__, name.upper()):
            ours, theirs = optimizers.get(spelling), keras.optimizers.get(spelling)
            assert {**ours.get_config(), "name": ""} == {**theirs.get_config(), "name": ""}
            assert type(ours).__name__ == cls.__name__


@pytest.mark.parametrize("shared", [{}, *AVERAGED[1:3]], ids=str)
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_order_of_variables(keras, name, arguments, shared):
    ours, theirs = make_both(keras, name, {**arguments, **shared})
    our_weights, their_weights = make_weights(keras)
    expected = ours.expected_variables(our_weights)
    ours.build(our_weights)
    theirs.build(their_weights)
    assert [(v.shape, v.dtype) for v in ours.variables] == [(v.shape, v.dtype) for v in theirs.variables] == expected
    if name not in ("Nadam", "Adafactor"):  # there Keras forgets the optimizer's name
        assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]


def test_order_of_variables_with_a_schedule(keras):
    rate = {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}
    ours = optimizers.Adam(optimizers.schedules.ExponentialDecay(**rate), name="adam")
    theirs = keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(**rate), name="adam")
    our_weights, their_weights = make_weights(keras)
    expected = ours.expected_variables(our_weights)
    ours.build(our_weights)
    theirs.build(their_weights)
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
    assert expected == [(v.shape, v.dtype) for v in theirs.variables]


@pytest.mark.parametrize("shared", [{}, AVERAGED[2]], ids=str)
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_state_of_a_trained_model(keras, name, arguments, shared, tmp_path):
    """What Keras saves is the state that goes on here, in the same order."""
    import h5py

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    model.compile(getattr(keras.optimizers, name)(**{"learning_rate": 0.05, **arguments, **shared}), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 3)).astype("float32"), rng.normal(size=(24, 2)).astype("float32")
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    model.save_weights(tmp_path / "a.weights.h5")
    ours = getattr(optimizers, name)(**{**arguments, **shared})
    twin = minikeras.Sequential([minikeras.Input((3,)), minikeras.layers.Dense(4), minikeras.layers.Dense(2)])
    ours.build(twin.trainable_weights)
    with h5py.File(tmp_path / "a.weights.h5") as file:
        state = [file[f"optimizer/vars/{i}"][()] for i in range(len(file["optimizer/vars"]))]
    ours.set_weights(state)
    twin.set_weights([w.numpy() for w in model.weights])
    twin.compile(ours, "mse")
    for _ in range(3):
        model.train_on_batch(x, y)
        twin.train_on_batch(x, y)
    for mine, other in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
