"""Initializers, regularizers and constraints beside Keras': configs, fans, values that do not depend on chance."""

import inspect

import numpy as np
import pytest

from minikeras import constraints, initializers, regularizers

INITIALIZERS = [
    ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 2.5}), ("RandomNormal", {"mean": 1.0, "seed": 3}),
    ("RandomUniform", {"minval": 0.0, "seed": 3}), ("TruncatedNormal", {"stddev": 0.2}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "normal", "seed": 1}),
    ("VarianceScaling", {"input_axes": [0], "output_axes": [1, 2]}), ("GlorotUniform", {"seed": 1}),
    ("GlorotNormal", {}), ("HeUniform", {}), ("HeNormal", {"input_axes": [0], "output_axes": [1]}),
    ("LecunUniform", {}), ("LecunNormal", {"seed": 7}),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments", INITIALIZERS)
def test_config(keras, name, arguments):
    ours = getattr(initializers, name)(**arguments)
    theirs = getattr(keras.initializers, name)(**arguments)
    assert initializers.serialize(ours) == keras.initializers.serialize(theirs)
    assert initializers.get(keras.initializers.serialize(theirs)).get_config() == ours.get_config()
    assert keras.initializers.get(initializers.serialize(ours)).get_config() == theirs.get_config()
    assert _arguments(type(ours)) == _arguments(type(theirs))


def _arguments(cls):
    return [(p.name, p.default) for p in inspect.signature(cls).parameters.values()]


def test_names(keras):
    for name in set(initializers._table) - {"Constant", "constant"}:  # Keras constructs these with arguments only
        assert type(keras.initializers.get(name)).__name__ == type(initializers.get(name)).__name__
        if hasattr(keras.initializers, name):
            assert getattr(keras.initializers, name).__name__ == getattr(initializers, name).__name__


@pytest.mark.parametrize("name", ["GlorotUniform", "HeNormal", "LecunNormal", "RandomNormal", "TruncatedNormal"])
@pytest.mark.parametrize("shape", [(300, 500), (5, 5, 60, 80), (100_000,)])
def test_spread(keras, name, shape):
    ours = getattr(initializers, name)(seed=1)(shape)
    theirs = keras.ops.convert_to_numpy(getattr(keras.initializers, name)(seed=1)(shape))
    assert abs(ours.std() / theirs.std() - 1) <= 0.02
    if "Random" not in name:
        assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) <= 0.01


@pytest.mark.parametrize("name, arguments", [
    ("L1", {}), ("L2", {"l2": 0.3}), ("L1L2", {}), ("L1L2", {"l1": 0.25, "l2": 0.5}),
])
def test_regularizer(keras, name, arguments):
    import torch

    ours = getattr(regularizers, name)(**arguments)
    theirs = getattr(keras.regularizers, name)(**arguments)
    expected = keras.regularizers.serialize(theirs)
    expected["config"] = pytest.approx(expected["config"])  # Keras rounds L1's factor to float32
    assert regularizers.serialize(ours) == expected
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    x[0, 0] = 0
    tensor = torch.tensor(x, requires_grad=True)
    penalty = theirs(tensor)
    assert ours(x) == pytest.approx(float(penalty.detach()), rel=1e-6)
    if penalty.requires_grad:
        penalty.backward()
        np.testing.assert_allclose(ours.gradient(x), tensor.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name, arguments", [
    ("MaxNorm", {}), ("MaxNorm", {"max_value": 1.5, "axis": [0, 1, 2]}), ("NonNeg", {}), ("UnitNorm", {"axis": 1}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.4}),
])
def test_constraint(keras, name, arguments):
    ours = getattr(constraints, name)(**arguments)
    theirs = getattr(keras.constraints, name)(**arguments)
    assert constraints.serialize(ours) == keras.constraints.serialize(theirs)
    w = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32")
    np.testing.assert_allclose(ours(w), keras.ops.convert_to_numpy(theirs(w)), rtol=1e-6)
