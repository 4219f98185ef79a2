"""Initializers, regularizers and constraints beside Keras': configs, fans, values that do not depend on chance."""

import inspect

import numpy as np
import pytest

from minikeras import constraints, initializers, regularizers
from minikeras.initializers.constants import WINDOWS

INITIALIZERS = [
    ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 2.5}), ("RandomNormal", {"mean": 1.0, "seed": 3}),
    ("RandomUniform", {"minval": 0.0, "seed": 3}), ("TruncatedNormal", {"stddev": 0.2}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "normal", "seed": 1}),
    ("VarianceScaling", {"input_axes": [0], "output_axes": [1, 2]}), ("GlorotUniform", {"seed": 1}),
    ("GlorotNormal", {}), ("HeUniform", {}), ("HeNormal", {"input_axes": [0], "output_axes": [1]}),
    ("LecunUniform", {}), ("LecunNormal", {"seed": 7}), ("Orthogonal", {}), ("Orthogonal", {"gain": 2.0, "seed": 4}),
    ("STFT", {}),
    ("STFT", {"side": "imag", "window": None, "scaling": "spectrum", "periodic": True}),
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
    known = initializers._table | initializers._aliases
    for name in set(known) - {"Constant", "constant"}:  # Keras constructs these with arguments only
        assert type(keras.initializers.get(name)).__name__ == type(initializers.get(name)).__name__
        if hasattr(keras.initializers, name):
            assert getattr(keras.initializers, name).__name__ == getattr(initializers, name).__name__


RANDOM = ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling"]
RANDOM += [f"{who}{distribution}" for who in ("Glorot", "He", "Lecun") for distribution in ("Normal", "Uniform")]


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("shape", [(300, 500), (5, 5, 60, 80), (100_000,)])
def test_spread(keras, name, shape):
    ours = getattr(initializers, name)(seed=1)(shape)
    theirs = keras.ops.convert_to_numpy(getattr(keras.initializers, name)(seed=1)(shape))
    assert abs(ours.std() / theirs.std() - 1) <= 0.02
    assert abs(ours.mean()) <= 0.02 * theirs.std()
    if name != "RandomNormal":
        assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) <= 0.01


@pytest.mark.parametrize("module", [initializers, regularizers, constraints])
def test_every_name(keras, module):
    """Every public name of Keras' module is here, and stands for a class of the same name and arguments."""
    theirs = getattr(keras, module.__name__.split(".")[1])
    for name in (name for name in dir(theirs) if not name.startswith("_")):
        ours = getattr(module, name)
        assert ours.__name__ == getattr(theirs, name).__name__
        if isinstance(ours, type):
            assert _arguments(ours) == _arguments(getattr(theirs, name))


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (1, 5)])
def test_identity(keras, shape):
    """Keras forgets the gain in configs; it reads ours."""
    expected = keras.ops.convert_to_numpy(keras.initializers.Identity(gain=0.3)(shape))
    ours = initializers.Identity(gain=0.3)
    np.testing.assert_array_equal(ours(shape), expected)
    assert keras.initializers.get(initializers.serialize(ours)).gain == 0.3
    assert initializers.get(keras.initializers.serialize(keras.initializers.Identity())).gain == 1.0


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize("window", [*WINDOWS, None, np.linspace(0.1, 1, 12)], ids=str)
def test_stft(keras, side, scaling, window):
    for periodic in (False, True):
        arguments = {"side": side, "window": window, "scaling": scaling, "periodic": periodic}
        expected = keras.ops.convert_to_numpy(keras.initializers.STFT(**arguments)((12, 1, 9)))
        np.testing.assert_allclose(initializers.STFT(**arguments)((12, 1, 9)), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (3, 3, 20, 30)])
def test_orthogonal(keras, shape):
    """Other random numbers, the same distribution: orthonormal, with the same moments."""
    ours = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1])
    theirs = keras.ops.convert_to_numpy(keras.initializers.Orthogonal(gain=2.0, seed=1)(shape)).reshape(ours.shape)
    for q in (ours, theirs):
        product = q.T @ q if len(q) >= q.shape[1] else q @ q.T
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)
    assert abs(ours.std() / theirs.std() - 1) <= 0.01


REGULARIZERS = [
    ("L1", {}), ("L1", {"l1": 0.3}), ("L1", {"l1": 0}), ("L2", {}), ("L2", {"l2": 0.3}), ("L2", {"l2": 2}),
    ("L1L2", {}), ("L1L2", {"l1": 0.25, "l2": 0.5}), ("L1L2", {"l2": 0.5}), ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 2.0, "mode": "columns"}), ("OrthogonalRegularizer", {"factor": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments", REGULARIZERS)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e4])
def test_regularizer(keras, name, arguments, scale):
    import torch

    ours = getattr(regularizers, name)(**arguments)
    theirs = getattr(keras.regularizers, name)(**arguments)
    expected = keras.regularizers.serialize(theirs)
    mode = {"mode": expected["config"].pop("mode")} if "mode" in arguments or "Orthogonal" in name else {}
    expected["config"] = pytest.approx(expected["config"])  # Keras rounds factors to float32
    actual = regularizers.serialize(ours)
    assert {key: actual["config"].pop(key) for key in mode} == mode
    assert actual == expected
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32") * np.float32(scale)
    x[0, 0] = 0
    tensor = torch.tensor(x, requires_grad=True)
    penalty = theirs(tensor)
    assert ours(x) == pytest.approx(float(penalty.detach()), rel=1e-5, abs=1e-30)
    if penalty.requires_grad:
        penalty.backward()
        gradient = tensor.grad.numpy()
        np.testing.assert_allclose(ours.gradient(x), gradient, rtol=1e-5, atol=1e-6 * np.abs(gradient).max())


CONSTRAINTS = [
    ("MaxNorm", {}), ("MaxNorm", {"max_value": 1.5, "axis": [0, 1, 2]}), ("MaxNorm", {"max_value": 0, "axis": -1}),
    ("MinMaxNorm", {}), ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.4}),
    ("MinMaxNorm", {"axis": [0, 1, 2]}), ("UnitNorm", {}), ("UnitNorm", {"axis": 1}), ("UnitNorm", {"axis": [0, 1, 2]}),
    ("NonNeg", {}), ("Constraint", {}),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments", CONSTRAINTS)
@pytest.mark.parametrize("scale", [0, 1e-9, 1.0, 1e4])
def test_constraint(keras, name, arguments, scale):
    ours = getattr(constraints, name)(**arguments)
    theirs = getattr(keras.constraints, name)(**arguments)
    assert constraints.serialize(ours) == keras.constraints.serialize(theirs)
    w = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32") * np.float32(scale)
    with np.errstate(all="raise"):
        projected = ours(w)
    expected = theirs(w)
    np.testing.assert_allclose(projected, np.asarray(keras.ops.convert_to_numpy(expected)), rtol=1e-6)


@pytest.mark.parametrize("module, compared", [
    (initializers, {row[0] for row in INITIALIZERS} | {"Identity"}), (regularizers, {row[0] for row in REGULARIZERS}),
    (constraints, {row[0] for row in CONSTRAINTS}),
])  # fmt: skip
def test_all_are_compared(keras, module, compared):
    theirs = getattr(keras, module.__name__.split(".")[1])
    classes = {value.__name__ for value in vars(theirs).values() if isinstance(value, type)}
    assert compared == classes - {"Initializer", "Regularizer"}
    if module is initializers:
        other = {"Zeros", "Ones", "Constant", "Identity", "Orthogonal", "STFT"}
        assert set(RANDOM) == compared - other
