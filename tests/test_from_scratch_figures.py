"""examples/from_scratch_figures.py: its settings are the ones it names, and its table says what was measured."""

import os
import pathlib
import re
import subprocess
import sys

import from_scratch_figures as figures
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pictures(count, shape, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8), rng.integers(0, 10, (count, 1), dtype=np.uint8)


@pytest.fixture
def calls(monkeypatch):
    """What `train` is given, in place of the training; `count_right` hands out its images and labels."""
    calls = []
    monkeypatch.setattr(figures, "train", lambda stack, x, y, **options: calls.append((stack, x, y, options)))
    monkeypatch.setattr(figures, "count_right", lambda model, x, y: (x, y))
    return calls


def widths(stack):
    return [getattr(layer, "filters", None) or layer.units for layer in stack if hasattr(layer, "kernel_initializer")]


def test_mnist(calls, monkeypatch):
    (x, y), (x_test, y_test) = pictures(36100, (2, 2), 0), pictures(50, (2, 2), 1)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: ((x, y[:, 0]), (x_test, y_test[:, 0])))
    [(seen, labels)] = figures.mnist()
    [(stack, given, given_labels, options)] = calls
    assert options["epochs"] == 1
    assert widths(stack) == [8, 16, 64, 10]
    assert given.shape == (36000, 2, 2, 1)
    np.testing.assert_array_equal(given_labels, y[:36000, 0])
    mean, deviation = x[:36000].mean(), x[:36000].std()
    np.testing.assert_allclose(given[-10:, ..., 0] * deviation + mean, x[35990:36000], atol=1e-3)
    np.testing.assert_allclose(seen[..., 0] * deviation + mean, x_test, atol=1e-3)
    np.testing.assert_array_equal(labels, y_test[:, 0])


def test_cifar(calls, monkeypatch):
    train, test = pictures(5100, (2, 2, 3), 0), pictures(50, (2, 2, 3), 1)
    train[0][..., 1] //= 2
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: (train, test))
    (known, known_labels), (seen, labels) = figures.cifar()
    [(_, given, given_labels, _)] = calls
    assert given is known
    assert given_labels is known_labels
    np.testing.assert_array_equal(given_labels, train[1][:5000])
    mean, deviation = train[0][:5000].mean(axis=(0, 1, 2)), train[0][:5000].std(axis=(0, 1, 2))
    np.testing.assert_allclose(given * deviation + mean, train[0][:5000], atol=1e-3)
    np.testing.assert_allclose(seen * deviation + mean, test[0], atol=1e-3)
    np.testing.assert_array_equal(labels, test[1])


def test_digits(calls):
    (x, y), (x_test, y_test) = keras.datasets.digits.load_data()
    [(seen, labels)] = figures.digits()
    [(_, given, given_labels, _)] = calls
    for mine, theirs in ((given, x), (given_labels, y), (seen, x_test), (labels, y_test)):
        np.testing.assert_array_equal(mine, theirs)


def test_train_shows_each_image_once_an_epoch(monkeypatch):
    shown, rates, models = [], [], []
    compiled = keras.Sequential.compile

    class Watch(keras.Layer):
        def call(self, inputs, training=False):
            if training:
                shown.extend(inputs[:, 0].tolist())
                rates.append(float(models[0].optimizer.learning_rate))
            return inputs

        def backward(self, doutputs):
            return doutputs

        def compute_output_shape(self, input_shape):
            return input_shape

    monkeypatch.setattr(keras.Sequential, "compile", lambda self, *args: (models.append(self), compiled(self, *args)))
    x = np.arange(100, dtype="float32")[:, None] / 100
    stack = [layers.Input((1,)), Watch(), layers.Dense(10, activation="softmax")]
    figures.train(stack, x, np.zeros(100, int), epochs=1, batch_size=4, learning_rate=0.01, weight_decay=0.05)
    assert isinstance(models[0].optimizer, keras.optimizers.AdamW)
    assert models[0].optimizer.weight_decay == 0.05
    assert sorted(shown) == x[:, 0].tolist()
    assert shown != x[:, 0].tolist()
    assert np.argmax(rates) == 5  # of 25 steps
    assert max(rates) == pytest.approx(0.01)
    assert rates[0] < 0.002
    assert rates[-1] < 0.0005


def test_count_right():
    class Fixed:
        def predict(self, x, **options):
            return np.eye(10)[[3, 3, 5]]

    for labels in (np.array([3, 3, 6]), np.array([[3], [3], [6]])):
        assert figures.count_right(Fixed(), None, labels) == (2, 3)


@pytest.fixture
def table(monkeypatch, tmp_path, capsys):
    """Run the program on settings whose figures are known, with an empty download cache, and return its lines."""
    seeds = []
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.utils, "set_random_seed", seeds.append)
    counts = {"mnist": [9830, 9850, 9810], "digits": [359, 360, 352], "cifar": [4990, 5000, 4980]}
    of = {"mnist": 10000, "digits": 360, "cifar": 5000}

    def setting(name):
        right = (counts[name][seeds[-1] - 1], of[name])
        return [right, (5000, 10000)] if name == "cifar" else [right]

    known = {name: (lambda name=name: setting(name), rows) for name, (_, rows) in figures.SETTINGS.items()}
    monkeypatch.setattr(figures, "SETTINGS", known)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["from_scratch_figures.py", *arguments])
        figures.main()
        return capsys.readouterr().out.splitlines()

    run.seeds, run.counts = seeds, counts
    return run


def test_offline(table):
    """Without a data set its lines are missing, and it says so."""
    title, line, *left_out = table()
    assert "of 3 seeds" in title
    assert re.search(r"^digits .* about 90 % +99\.17 +97\.78 \.\.\. 100\.00 +0$", line)
    assert [text.split(",")[0] for text in left_out] == ["left out: mnist", "left out: cifar"]
    assert all("--only" in text for text in left_out)
    assert table.seeds == [1, 2, 3]


def test_what_is_in_the_cache_is_measured(table, tmp_path):
    (tmp_path / "mnist.npz").touch()
    lines = table("--seeds", "1")
    assert [line.split()[0] for line in lines] == ["setting", "mnist", "digits", "left"]
    assert lines[-1] == f"left out: cifar, not in {tmp_path}; --only cifar downloads it"
    assert re.search(r"96\.64 % +98\.30 +98\.03 \.\.\.  98\.54", lines[1])  # Wilson's interval of 9830 in 10000


def test_an_archive_that_is_not_unpacked_is_there(table, tmp_path):
    (tmp_path / "cifar-10-binary.tar.gz").touch()
    assert [line.split(",")[0] for line in table("--seeds", "1") if line.startswith("left out")] == ["left out: mnist"]


def test_all(table, tmp_path):
    (tmp_path / "mnist.npz").touch()
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").touch()
    assert [line.split()[0] for line in table()] == ["setting", "mnist", "cifar", "the", "digits", "The"]


def test_a_download_that_fails(tmp_path):
    """It says how to place the file by hand, without a traceback."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIKERAS_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "from_scratch_figures.py"), "--only", "mnist"],
        env={**environment, "https_proxy": "http://127.0.0.1:9"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 1
    assert str(tmp_path / "mnist.npz") in result.stderr
    assert "Traceback" not in result.stderr


def test_only(table):
    lines = table("--only", "cifar", "--seeds", "2")
    assert re.search(r"95 % +99\.90 +99\.80 \.\.\. 100\.00", lines[1])
    assert re.search(r"test images +50\.00 +50\.00 \.\.\.  50\.00$", lines[2])
    assert "by heart" in lines[3]
    assert lines[4:] == ["left out: mnist, not asked for", "left out: digits, not asked for"]


@pytest.mark.parametrize("name, right", [("mnist", 9799), ("cifar", 4949), ("digits", 349)])
def test_a_figure_that_is_missed(table, name, right):
    table.counts[name] = [right, right, right]
    with pytest.raises(AssertionError):
        table("--only", name)
    table.counts[name] = [right + 2, right + 2, right + 2]
    table("--only", name)


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--only", "imagenet"]])
def test_arguments(table, arguments, capsys):
    with pytest.raises(SystemExit):
        table(*arguments)
    assert arguments[0] in capsys.readouterr().err
