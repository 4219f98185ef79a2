"""examples/evaluate_pretrained.py: on small data sets and random weights it prints and compares what it should; where
the real data are, what is shipped does what its card says."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import evaluate_pretrained
import numpy as np
import pytest

import minikeras as keras
import model_card
from minikeras.applications import lenet5
from minikeras.datasets import cache, cifar10, mnist

NETWORKS = evaluate_pretrained.NETWORKS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Data sets of noise, random weights, and their cards, made once: the folders, and how many images there are."""
    pytest.importorskip("h5py")
    pytest.importorskip("matplotlib")
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    shapes = {"x_train": (1, 28, 28), "y_train": (1,), "x_test": (90, 28, 28), "y_test": (90,)}
    np.savez(data / "mnist.npz", **{k: rng.integers(0, 10, shape).astype("uint8") for k, shape in shapes.items()})
    (data / "cifar-10-batches-bin").mkdir()
    train, test = (dict.fromkeys(files, 40) for files in (cifar10.TRAIN, cifar10.TEST))
    for file in [*train, *test]:
        rows = rng.integers(0, 256, (40, 3073))
        rows[:, 0] %= 10
        (data / file).write_bytes(rows.astype("uint8").tobytes())
    with pytest.MonkeyPatch.context() as monkeypatch:
        place(monkeypatch, data, shapes, train, test)
        for make, network in zip((keras.applications.LeNet5, keras.applications.SmallCIFAR), NETWORKS.values()):
            keras.utils.set_random_seed(0)
            model, name = make(weights=None), network.file_name
            model.save_weights(folder / f"{name}.weights.h5")
            (_, _), (x, y) = network.data.load_data()
            measures = model_card.measure(model, network.module.preprocess_input(x), y, network.module.NETWORK.labels)
            facts = model_card.Facts(
                about="", usage="", data="", test_digest=model_card.digest(x, y), recipe="", commands=[], seeds=[],
                epochs=0, seconds=0, machine="", test_looks="", limits=[],
            )  # fmt: skip
            model_card.write_card(folder, name, name, model, {"test": measures}, facts)
    return folder, (data, shapes, train, test)


def place(monkeypatch, data, shapes, train, test):
    """Let the loaders look there, for as many images."""
    monkeypatch.setenv("MINIKERAS_HOME", str(data))
    monkeypatch.setattr(mnist, "ARRAYS", shapes)
    monkeypatch.setattr(cifar10, "TRAIN", train)
    monkeypatch.setattr(cifar10, "TEST", test)


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A copy of the weights and cards, where the networks are looked for."""
    source, placed = made
    folder = tmp_path / "trained_models"
    shutil.copytree(source, folder)
    place(monkeypatch, *placed)
    monkeypatch.setattr(evaluate_pretrained, "REPEATS", 2)
    monkeypatch.setattr(keras.trained_models, "__file__", str(folder / "__init__.py"))
    return folder


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_as_on_the_cards(folder, capsys):
    assert evaluate_pretrained.main([]) == 0
    out = capsys.readouterr().out
    assert out.count("as on the card\n") == 2
    for name, count in (("lenet5_mnist", 90), ("small_cifar_cifar10", 40)):
        test = model_card.read_card(folder / f"{name}.md")["test"]
        assert test.count == count
        assert f"{model_card.percent(test.accuracy)} (95 %: " in out
        assert f"{test.errors} errors in {count} images" in out
    assert "lenet5, weights 'mnist': 61,706 numbers" in out
    assert "airplane" in out
    assert out.count(" ms (median)") == 2


def test_one_network(folder, capsys):
    assert evaluate_pretrained.main(["--network", "small_cifar"]) == 0
    assert "lenet5" not in capsys.readouterr().out


def test_first_images(folder, capsys):
    """They are the first ones, and are not compared."""
    assert evaluate_pretrained.main(["--network", "lenet5", "--images", "50"]) == 0
    out = capsys.readouterr().out
    (_, _), (x, y) = mnist.load_data()
    model = keras.applications.LeNet5()
    right = (model.predict(lenet5.preprocess_input(x[:50]), verbose=0).argmax(axis=1) == y[:50]).sum()
    assert f"{50 - right} errors in 50 images" in out
    assert "the card has, of all images: " in out
    assert "as on the card" not in out


def test_first_images_may_be_all_of_them(folder, capsys):
    assert evaluate_pretrained.main(["--network", "lenet5", "--images", "90"]) == 0
    assert "as on the card\n" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, message", [
    (["--images", "0"], "--images must be 1 or more. Received: 0"),
    (["--embedded", "--network", "lenet5"], "--embedded is all images of one network"),
    (["--embedded", "--images", "5"], "--embedded is all images of one network"),
])  # fmt: skip
def test_bad_arguments(folder, capsys, arguments, message):
    with pytest.raises(SystemExit):
        evaluate_pretrained.main(arguments)
    assert message in capsys.readouterr().err


def test_other_weights_than_the_cards(folder, capsys):
    keras.utils.set_random_seed(1)
    keras.applications.LeNet5(weights=None).save_weights(folder / "lenet5_mnist.weights.h5")
    assert evaluate_pretrained.main([]) == 1
    captured = capsys.readouterr()
    assert "DIFFERENT: the card lenet5_mnist.md is of another weights file" in captured.err
    assert captured.out.count("as on the card\n") == 1  # the other network's


class TestCompare:
    expected = model_card.Measures(["a", "b"], np.array([[50, 10], [20, 40]]), 0.5)

    @pytest.mark.parametrize(
        "moved, cross_entropy, status, message",
        [
            (0, 0.5, 0, "as on the card\n"),
            (0, 0.5009, 0, "as on the card\n"),
            (1, 0.5, 0, "as on the card, but for 1 of the images"),
            (2, 0.5, 0, "as on the card, but for 2 of the images"),
            (3, 0.5, 1, "DIFFERENT: the card has accuracy 75.00 %"),
            (-3, 0.5, 1, "DIFFERENT: the card has accuracy 75.00 %"),
            (0, 0.502, 1, "DIFFERENT"),
            (0, 0.498, 1, "DIFFERENT"),
        ],
    )
    def test_tolerance(self, capsys, moved, cross_entropy, status, message):
        measures = model_card.Measures(["a", "b"], np.array([[50 - moved, 10 + moved], [20, 40]]), cross_entropy)
        assert evaluate_pretrained.compare(measures, self.expected) == status
        captured = capsys.readouterr()
        assert (captured.err if status else captured.out).startswith(message)


def test_other_figures_than_the_cards(folder, capsys):
    card = folder / "lenet5_mnist.md"
    entropy = f"{model_card.read_card(card)['test'].cross_entropy:.4f}"
    change(card, f"| {entropy} |", "| 0.1000 |")
    assert evaluate_pretrained.main(["--network", "lenet5"]) == 1
    assert "DIFFERENT: the card has" in capsys.readouterr().err


def test_other_images_than_the_cards(folder, capsys):
    card = folder / "small_cifar_cifar10.md"
    change(card, model_card.read_card(card)["test_digest"], "0" * 64)
    assert evaluate_pretrained.main(["--network", "small_cifar"]) == 0
    out = capsys.readouterr().out
    assert "not compared: these are other images than the card's, which are a copy of CIFAR-10 in JPEG" in out
    assert "the card has: accuracy" in out
    assert "as on the card" not in out


def test_without_the_data(folder, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(mnist, "URL", "http://127.0.0.1:9/mnist.npz")  # nobody listens there
    assert evaluate_pretrained.main(["--network", "lenet5"]) == 2
    err = capsys.readouterr().err
    assert "To place the file by hand" in err
    assert str(tmp_path / "empty" / "mnist.npz") in err


def test_without_the_weights(folder, capsys):
    (folder / "lenet5_mnist.weights.h5").unlink()
    assert evaluate_pretrained.main([]) == 2
    captured = capsys.readouterr()
    assert "lenet5_mnist.weights.h5' is missing" in captured.err
    assert captured.out.count("as on the card\n") == 1


def test_what_differs_comes_before_what_is_missing(folder):
    keras.utils.set_random_seed(1)
    keras.applications.LeNet5(weights=None).save_weights(folder / "lenet5_mnist.weights.h5")
    (folder / "small_cifar_cifar10.weights.h5").unlink()
    assert evaluate_pretrained.main([]) == 1


def test_milliseconds():
    class Slow:
        def predict(self, x, verbose):
            time.sleep(0.005)

    assert 5 <= evaluate_pretrained.milliseconds(Slow(), None) < 500


def test_without_a_card(folder, capsys):
    (folder / "lenet5_mnist.md").unlink()
    assert evaluate_pretrained.main(["--network", "lenet5"]) == 2
    captured = capsys.readouterr()
    assert "lenet5_mnist.md" in captured.err
    assert captured.out == ""


def test_embedded_digits(folder, monkeypatch, capsys):
    """They lie in the middle, as MNIST's do, and all are read."""
    seen = []
    monkeypatch.setattr(model_card, "measure", lambda model, x, y, names: seen.append((x, y)) or TestCompare.expected)
    assert evaluate_pretrained.main(["--embedded"]) == 0
    (x, y), = seen  # fmt: skip
    assert x.shape == (1797, 28, 28, 1)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert x[:, 4:24, 4:24].sum() == pytest.approx(x.sum())
    assert x.max() == 1
    assert capsys.readouterr().out.count("\n") == 5


def is_there(name):
    files = {"lenet5": "mnist.npz", "small_cifar": os.path.join("cifar-10-batches-bin", "test_batch.bin")}
    return os.path.exists(NETWORKS[name].path(".weights.h5")) and os.path.exists(
        os.path.join(cache.folder(), files[name])
    )


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.skipif(not is_there(n), reason="needs its data")) for n in NETWORKS]
)
def test_what_is_shipped(name, tmp_path):
    """As a script, in a folder of its own."""
    root = pathlib.Path(evaluate_pretrained.__file__).parent.parent
    result = subprocess.run(
        [sys.executable, "-W", "error", evaluate_pretrained.__file__, "--network", name],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    assert "accuracy" in result.stdout
