"""Data sets beside Keras', both reading small files of the real ones' form."""

import importlib
import inspect
import json

import numpy as np
import pytest

import minikeras.config
import minikeras.datasets

NAMES = ["boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters"]


def modules(keras, name):
    return getattr(minikeras.datasets, name), importlib.import_module(f"keras.src.datasets.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_digests(keras, name):
    """The hashes that Keras has are ours; of the CIFARs and Fashion-MNIST we take other files, or Keras has none."""
    ours, theirs = modules(keras, name)
    if name not in ("cifar10", "cifar100", "fashion_mnist"):
        assert ours.SHA256 in inspect.getsource(theirs)
    if hasattr(ours, "INDEX_MD5"):
        assert ours.INDEX_MD5 in inspect.getsource(theirs)


def equal(ours, theirs):
    if isinstance(theirs, (tuple, list)) and isinstance(theirs[0], (tuple, list, np.ndarray)):
        for one, other in zip(ours, theirs, strict=True):
            equal(one, other)
        return
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert ours.tolist() == theirs.tolist()


def texts(count, words=40, seed=0):
    generator = np.random.default_rng(seed)
    rows = np.empty(count, object)
    rows[:] = [generator.integers(1, words, generator.integers(3, 12)).tolist() for _ in range(count)]
    return rows


@pytest.fixture
def file(monkeypatch, tmp_path):
    """A function that makes a file, and has both libraries find it."""
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path))

    def make(module, name, **arrays):
        np.savez(tmp_path / name, **arrays)
        monkeypatch.setattr(module, "get_file", lambda *arguments, **named: str(tmp_path / name))

    return make


WORDS = [
    {},
    {"num_words": 20},
    {"num_words": 20, "skip_top": 5},
    {"num_words": 20, "oov_char": None},
    {"maxlen": 9, "seed": 3},
    {"start_char": None},
    {"start_char": None, "index_from": 0},
    {"start_char": 7, "oov_char": 8, "index_from": 10},
]


@pytest.mark.parametrize("arguments", WORDS, ids=str)
def test_imdb(keras, file, arguments):
    ours, theirs = modules(keras, "imdb")
    y = np.arange(20) % 2
    file(theirs, "imdb.npz", x_train=texts(20), y_train=y, x_test=texts(30, seed=1), y_test=np.arange(30) % 2)
    equal(ours.load_data(**arguments), theirs.load_data(**arguments))


@pytest.mark.parametrize("arguments", [*WORDS, {"test_split": 0.5}], ids=str)
def test_reuters(keras, file, arguments):
    ours, theirs = modules(keras, "reuters")
    file(theirs, "reuters.npz", x=texts(30), y=np.arange(30))
    equal(ours.load_data(**arguments), theirs.load_data(**arguments))
    assert ours.get_label_names() == theirs.get_label_names()


@pytest.mark.parametrize("name", ["imdb", "reuters"])
def test_word_index(keras, monkeypatch, tmp_path, name):
    ours, theirs = modules(keras, name)
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path))
    path = tmp_path / f"{name}_word_index.json"
    path.write_text(json.dumps({"the": 1, "caf\u00e9": 2}))
    monkeypatch.setattr(theirs, "get_file", lambda *arguments, **named: str(path))
    assert ours.get_word_index() == theirs.get_word_index() == {"the": 1, "caf\u00e9": 2}


@pytest.mark.parametrize("arguments", [{}, {"test_split": 0.5, "seed": 3}, {"test_split": 0}], ids=str)
@pytest.mark.parametrize("name, features", [("boston_housing", 13), ("california_housing", 8)])
def test_housing(keras, file, name, features, arguments):
    ours, theirs = modules(keras, name)
    generator = np.random.default_rng(0)
    file(theirs, f"{name}.npz", x=generator.normal(size=(700, features)), y=generator.normal(size=700))
    equal(ours.load_data(**arguments), theirs.load_data(**arguments))
    if features == 8:
        equal(ours.load_data("small", **arguments), theirs.load_data("small", **arguments))


@pytest.mark.parametrize("name, arguments, data_format", [
    ("cifar10", {}, "channels_last"),
    ("cifar100", {}, "channels_first"),
    ("cifar100", {"label_mode": "coarse"}, "channels_last"),
])  # fmt: skip
def test_cifar(keras, monkeypatch, tmp_path, name, arguments, data_format):
    """Keras' batches and our binary files, made of the same images."""
    ours, theirs = modules(keras, name)
    if name == "cifar100":  # Keras has the number of the other one's rows in its code
        monkeypatch.setattr(ours, "TRAIN", dict.fromkeys(ours.TRAIN, 30))
        monkeypatch.setattr(ours, "TEST", dict.fromkeys(ours.TEST, 20))
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path))
    monkeypatch.setattr(minikeras.config, "_image_data_format", data_format)
    monkeypatch.setattr(theirs.backend, "image_data_format", lambda: data_format)
    monkeypatch.setattr(theirs, "get_file", lambda *arguments, **named: "")
    batches = {}
    for path, count in {**ours.TRAIN, **ours.TEST}.items():
        columns = 1 if name == "cifar10" else 2
        rows = np.resize(np.arange(251, dtype=np.uint8), (count, columns + 3072))
        (tmp_path / path).parent.mkdir(exist_ok=True)
        rows.tofile(tmp_path / path)
        batches[path.split("/")[1][:-4]] = rows

    def load_batch(path, label_key="labels"):
        rows = batches[path.split("/")[-1]]
        column = 1 if label_key == "fine_labels" else 0
        return rows[:, -3072:].reshape(-1, 3, 32, 32), rows[:, column].tolist()

    monkeypatch.setattr(theirs, "load_batch", load_batch)
    for one, other in zip(sum(ours.load_data(**arguments), ()), sum(theirs.load_data(**arguments), ()), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)
