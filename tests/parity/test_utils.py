"""Utilities beside Keras': values, dtypes, shapes, signatures, seeds."""

import inspect
import random

import numpy as np
import pytest

import minikeras
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


PLAIN = [
    None, 1, 2.5, "text", True, [1, [2]], {"a": {"b": (1,)}}, b"bytes", slice(1, None, 2), ..., np.arange(3),
    np.float32(2), np.array(3),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=str)
def test_serialize_plain_values(keras, value):
    ours, theirs = utils.serialize_keras_object(value), keras.utils.serialize_keras_object(value)
    assert ours == theirs
    assert type(ours) is type(theirs)


def double(x):
    return 2 * x


@pytest.mark.parametrize("make", [
    lambda k: k.layers.Dropout(0.5, seed=3, name="d"),
    lambda k: k.losses.Huber(0.5),
    lambda k: k.initializers.HeNormal(seed=3),
    lambda k: k.regularizers.L1L2(0.5, 0.25),
    lambda k: k.constraints.MaxNorm(3),
    lambda k: double,
], ids=["Dropout", "Huber", "HeNormal", "L1L2", "MaxNorm", "function"])  # fmt: skip
def test_serialize_objects(keras, make):
    ours, theirs = (k.utils.serialize_keras_object(make(k)) for k in (minikeras, keras))
    assert ours == theirs
    if isinstance(theirs["config"], dict):
        again = utils.deserialize_keras_object(theirs)
        assert utils.serialize_keras_object(again) == theirs


def test_layers_come_back_built_and_models_compiled(keras):
    results = []
    for k in (minikeras, keras):
        model = k.Sequential([k.Input((3,)), k.layers.Dense(2, name="d")], name="m")
        model.compile(k.optimizers.SGD(0.25), "mse")
        written = k.utils.serialize_keras_object({"model": model, "layers": model.layers})
        again = k.utils.deserialize_keras_object(written)
        (layer,) = again["layers"]
        results.append((again["model"].compiled, float(again["model"].optimizer.learning_rate), layer.kernel.shape))
        plain = {**written["layers"][0], "compile_config": None, "build_config": None}
        assert not k.utils.deserialize_keras_object(plain).built
    assert results[0] == results[1] == (True, 0.25, (3, 2))


def test_own_layer(keras):
    """A class of one's own is named alike in both, registered or not."""
    configs = []
    for k in (minikeras, keras):

        class Scale(k.layers.Layer):
            def __init__(self, factor=2, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def get_config(self):
                return {**super().get_config(), "factor": self.factor}

        Scale.__module__ = "mine"
        plain = k.utils.serialize_keras_object(Scale(3, name="s"))
        with k.utils.custom_object_scope({"Scale": Scale}):
            assert k.layers.deserialize(plain).factor == 3
        k.utils.register_keras_serializable("pack", "Other")(Scale)
        names = (k.utils.get_registered_name(Scale), k.utils.get_registered_object("pack>Other") is Scale)
        configs.append((plain, k.utils.serialize_keras_object(Scale(3, name="s")), names))
        del k.utils.get_custom_objects()["pack>Other"]
    assert configs[0] == configs[1]


def test_get_file(keras, tmp_path):
    (tmp_path / "a.txt").write_text("content")
    origin = (tmp_path / "a.txt").as_uri()
    results = []
    for k in (utils, keras.utils):
        folder = tmp_path / k.__name__
        folder.mkdir()
        paths = [
            k.get_file(origin=origin, cache_dir=str(folder)),
            k.get_file("b", origin, cache_dir=str(folder), cache_subdir="other"),
            k.get_file("c", origin, cache_dir=str(folder), md5_hash="9a0364b9e99bb480dd25e1f0284c8555"),
        ]
        results.append([path.removeprefix(str(folder)) for path in paths])
    assert results[0] == results[1]


def test_config(keras):
    results = []
    for k in (utils, keras.utils):
        config = k.Config(b=1, a=2)
        config.c = [3]
        results.append([repr(config), list(config), config.to_json(), len(config), config.as_dict(), "a" in config])
    assert results[0] == results[1]


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
