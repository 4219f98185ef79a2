"""Schedules beside Keras': fifty steps, among them the boundaries; configs; optimizers that use them."""

import numpy as np
import pytest
from parity_optimizers import apply_both, assert_equal, make_weights

from minikeras import optimizers
from minikeras.optimizers import schedules

CASES = [
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.6}),
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("ExponentialDecay", {"decay_steps": 0.7, "decay_rate": 0.9, "staircase": True, "name": "mine"}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.6}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.6, "staircase": True, "name": "mine"}),
    ("PolynomialDecay", {"decay_steps": 12}),
    ("PolynomialDecay", {"decay_steps": 12, "end_learning_rate": 0.02, "power": 0.5, "name": "mine"}),
    ("PolynomialDecay", {"decay_steps": 12, "power": 2.0, "cycle": True}),
    ("PolynomialDecay", {"decay_steps": 2.5, "cycle": True}),
    ("CosineDecay", {"decay_steps": 20}),
    ("CosineDecay", {"decay_steps": 20, "alpha": 0.1, "name": "mine"}),
    ("CosineDecay", {"decay_steps": 20, "warmup_target": 0.5, "warmup_steps": 10, "alpha": 0.2}),
    ("CosineDecay", {"decay_steps": 20, "warmup_target": 0.5}),
    ("CosineDecay", {"decay_steps": 20, "warmup_steps": 5}),
    ("CosineDecay", {"decay_steps": 20, "warmup_target": 0.5, "warmup_steps": 10, "initial_learning_rate": 0.0}),
    ("CosineDecayRestarts", {"first_decay_steps": 5}),
    ("CosineDecayRestarts", {"first_decay_steps": 3, "m_mul": 0.8, "alpha": 0.1, "name": "mine"}),
    ("CosineDecayRestarts", {"first_decay_steps": 8, "t_mul": 1.0, "m_mul": 0.5}),
    ("CosineDecayRestarts", {"first_decay_steps": 4.2, "t_mul": 1.5}),  # Keras misses a restart at 2.5 * 4 steps
]
CASES = [(name, {"initial_learning_rate": 0.1, **arguments}) for name, arguments in CASES]
CASES += [
    ("PiecewiseConstantDecay", {"boundaries": [10, 20], "values": [0.5, 0.25, 0.1]}),
    ("PiecewiseConstantDecay", {"boundaries": [0, 5, 30, 49], "values": [1.0, 2.0, 3.0, 4.0, 5.0], "name": "mine"}),
    ("PiecewiseConstantDecay", {"boundaries": [7], "values": [0.5, 0.25]}),
]


@pytest.mark.parametrize("name, arguments", CASES, ids=str)
def test_fifty_steps(keras, name, arguments):
    ours, theirs = getattr(schedules, name)(**arguments), getattr(keras.optimizers.schedules, name)(**arguments)
    right = np.array([float(theirs(step)) for step in range(51)])
    values = np.array([ours(step) for step in range(51)])
    assert np.max(np.abs(values - right)) <= 1e-6 * np.max(np.abs(right))
    assert np.max(np.abs(ours(np.arange(51)) - right)) <= 1e-6 * np.max(np.abs(right))
    assert ours.get_config() == theirs.get_config()
    assert schedules.serialize(ours) == keras.optimizers.schedules.serialize(theirs)
    assert keras.optimizers.schedules.deserialize(schedules.serialize(ours)).get_config() == ours.get_config()
    assert schedules.deserialize(keras.optimizers.schedules.serialize(theirs)).get_config() == ours.get_config()


@pytest.mark.parametrize("shared", [{}, {"weight_decay": 0.1, "gradient_accumulation_steps": 2}], ids=str)
@pytest.mark.parametrize("name", ["SGD", "Adafactor", "ScheduleFreeAdamW"])
def test_optimizers_with_schedules(keras, name, shared):
    def make(kinds):
        rate = kinds.schedules.PolynomialDecay(0.1, 5, 0.01, cycle=True)
        return getattr(kinds, name)(rate, name="mine", **shared)

    ours, theirs = make(optimizers), make(keras.optimizers)
    our_weights, their_weights = make_weights(keras)
    for step in range(9):
        assert float(ours.learning_rate) == pytest.approx(float(theirs.learning_rate), rel=1e-6)
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights)
    assert_equal(ours.variables, theirs.variables)


def test_setting(keras):
    for kinds in (optimizers, keras.optimizers):
        optimizer = kinds.SGD(0.1)
        optimizer.learning_rate = kinds.schedules.ExponentialDecay(0.2, 1, 0.5)
        assert float(optimizer.learning_rate) == pytest.approx(0.2)
        assert len(optimizer.variables) == 1
        with pytest.raises(TypeError, match="its learning rate is not settable"):
            optimizer.learning_rate = 0.1
        optimizer = kinds.SGD(lambda: 0.25)
        assert float(optimizer.learning_rate) == 0.25
        optimizer.learning_rate = kinds.schedules.ExponentialDecay(0.2, 1, 0.5)
        assert float(optimizer.learning_rate) == pytest.approx(0.2)
