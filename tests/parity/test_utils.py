"""Utilities beside Keras': values, dtypes, shapes, signatures, seeds."""

import inspect
import random

import numpy as np
import pytest

from minikeras import utils


@pytest.mark.parametrize(
    "x, num_classes",
    [
        ([0, 2, 1], None),
        ([0, 2, 1], 5),
        ([[0], [2]], None),
        ([[[0], [2]]], 3),
        ([[0, 1], [2, 0]], 4),
        ([[1]], 2),
        ([1], None),
        (2, None),
        (np.array([1.0, 2.0]), None),
        (np.array([1, 2], "uint8"), None),
        ([True, False], None),
    ],
)
def test_to_categorical(keras, x, num_classes):
    ours = utils.to_categorical(x, num_classes)
    theirs = keras.utils.to_categorical(x, num_classes)
    np.testing.assert_array_equal(ours, theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("shape, axis", [((4,), -1), ((3, 4), -1), ((3, 4), 1), ((2, 3, 4), 1), ((2, 3, 4), -2)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_normalize(keras, shape, axis, order, dtype):
    x = (np.random.default_rng(0).normal(size=shape) * 10).astype(dtype)
    x[..., 0] = 0
    ours, theirs = utils.normalize(x, axis, order), keras.utils.normalize(x, axis, order)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    "sizes",
    [{"left_size": 0.8}, {"right_size": 0.25}, {"left_size": 3}, {"left_size": 4, "right_size": 6}],
)
def test_split_dataset(keras, sizes):
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    ours = utils.split_dataset((x, y), **sizes)
    theirs = keras.utils.split_dataset((x, y), **sizes)
    assert [len(part[0]) for part in ours] == [len(part) for part in theirs]


def test_set_random_seed(keras):
    utils.set_random_seed(11)
    ours = random.random(), np.random.rand(3).tolist()  # noqa: NPY002
    keras.utils.set_random_seed(11)
    assert ours == (random.random(), np.random.rand(3).tolist())  # noqa: NPY002


@pytest.mark.parametrize("name", ["Progbar", "PyDataset", "to_categorical", "normalize", "set_random_seed"])
def test_signature(keras, name):
    assert inspect.signature(getattr(utils, name)) == inspect.signature(getattr(keras.utils, name))


def test_progbar_methods(keras):
    for name in ("update", "add"):
        ours, theirs = getattr(utils.Progbar, name), getattr(keras.utils.Progbar, name)
        assert inspect.signature(ours) == inspect.signature(theirs)


@pytest.mark.parametrize("names", [{}, {"stateful_metrics": ["a"]}, {"stateless_metrics": ["a"]}])
def test_progbar_averages(keras, names, monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    output = []
    for module in (utils, keras.utils):
        now[0] = 0.0
        bar = module.Progbar(5, verbose=2, **names)
        now[0] = 2.5
        bar.update(2, [("a", 1.0), ("b", 2.0)])
        bar.add(1, [("a", 4.0), ("b", 8.0)])
        values = {name: total / count for name, (total, count) in bar._values.items()}
        bar.update(5, [("a", 3.0)])
        output.append((values, capsys.readouterr().out))
    assert output[0] == output[1]
