"""The command line, run as a user runs it."""

import csv
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import minikeras
from minikeras import cli, datasets
from minikeras.applications import LeNet5

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {"history.csv", "lenet5.weights.h5"}


def accuracy_of(output):
    """The number on the last line."""
    found = re.fullmatch(r"test accuracy: ([01]\.\d{4})", output.splitlines()[-1])
    assert found, output
    return float(found[1])


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_main_job(tmp_path):
    """`minikeras train` with no arguments, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "minikeras.cli", "train"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert accuracy_of(result.stdout) >= 0.98
    (folder,) = (tmp_path / "runs").iterdir()
    assert FILES <= set(os.listdir(folder))
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == cli.EPOCHS["digits"]
    assert {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"} <= set(rows[0])
    assert float(rows[-1]["val_accuracy"]) > 0.95

    model = LeNet5(weights=folder / "lenet5.weights.h5")
    _, (x_test, y_test) = datasets.digits.load_data(size=28)
    accuracy = np.mean(model.predict(x_test, verbose=0).argmax(axis=1) == y_test)
    assert accuracy == pytest.approx(accuracy_of(result.stdout), abs=5e-5)


def test_options(in_folder, capsys):
    arguments = "train --epochs 1 --batch-size 64 --optimizer sgd --learning-rate 0.1 --activation tanh"
    arguments += " --pooling average --shift 0 --seed 3 --output out --verbose 0"
    status = cli.main(arguments.split())
    output = capsys.readouterr()
    assert status == 0, output.err
    accuracy_of(output.out)
    assert output.err == ""
    assert FILES <= set(os.listdir("out"))
    assert not os.path.exists("runs")


def test_same_seed_same_weights(in_folder, capsys):
    def weights(seed):
        assert cli.main(["train", "--epochs", "1", "--seed", seed, "--output", "out", "--verbose", "0"]) == 0
        return LeNet5(weights="out/lenet5.weights.h5").get_weights()

    first, second, other = weights("5"), weights("5"), weights("6")
    for one, two in zip(first, second):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], other[0])


def test_mnist(in_folder, capsys, monkeypatch):
    (x, y), (x_test, y_test) = datasets.digits.load_data(size=28)

    def pixels(images):
        return (images[..., 0] * 255).astype(np.uint8)

    small = (pixels(x[:200]), y[:200].astype(np.uint8)), (pixels(x_test), y_test.astype(np.uint8))
    monkeypatch.setattr(datasets.mnist, "load_data", lambda: small)
    assert cli.main(["train", "--data", "mnist", "--epochs", "1", "--verbose", "2", "--output", "out"]) == 0
    output = capsys.readouterr().out
    assert "on mnist: 180 images to train on, 20 to validate, 360 to test" in output
    accuracy_of(output)


def test_learning_curve(in_folder):
    pytest.importorskip("matplotlib")
    history = {name: [1.0, 0.5] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    assert cli.draw_learning_curve(history, "curve.png")
    assert pathlib.Path("curve.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib(in_folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.main(["train", "--epochs", "1", "--verbose", "0", "--output", "out"]) == 0
    output = capsys.readouterr().out
    assert "matplotlib is not installed (pip install 'minikeras[plot]')" in output
    accuracy_of(output)
    assert set(os.listdir("out")) == FILES


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--epochs", "0"], "`--epochs` must be a positive integer"),
        (["--batch-size", "-1"], "`--batch-size` must be a positive integer"),
        (["--shift", "-1"], "--shift must be from 0 to 27"),
        (["--shift", "28"], "--shift must be from 0 to 27"),
        (["--seed", "-1"], "`seed` must be"),
        (["--optimizer", "adan"], "Did you mean"),
        (["--learning-rate", "0"], "learning_rate"),
        (["--learning-rate", "nan"], "learning_rate"),
        (["--activation", "rely"], "Did you mean 'relu'"),
        (["--output", "file"], "file"),
    ],
)
def test_bad_values(in_folder, capsys, arguments, message):
    pathlib.Path("file").write_text("")
    assert cli.main(["train", *arguments]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("minikeras train: error: ")
    assert message in output.err
    assert output.out == ""
    assert os.listdir() == ["file"]  # nothing was begun


@pytest.mark.parametrize("arguments", [[], ["trane"], ["train", "--pooling", "mean"], ["train", "--epochs", "many"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert "usage: minikeras" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(["--version"])
    assert error.value.code == 0
    assert capsys.readouterr().out == f"minikeras {minikeras.__version__}\n"


def test_interrupt(in_folder, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(minikeras.Sequential, "fit", interrupt)
    assert cli.main(["train"]) == 130
    assert "interrupted" in capsys.readouterr().err


class TestShiftedImages:
    def test_moves_whole_images(self):
        x = np.zeros((50, 6, 7, 1), np.float32)
        x[:, 3, 3] = 1
        batches = cli.ShiftedImages(x, np.arange(50), batch_size=16, shift=2)
        assert len(batches) == 4
        places = set()
        seen = []
        for index in range(4):
            images, labels = batches[index]
            assert images.shape[1:] == x.shape[1:]
            assert images.dtype == np.float32
            np.testing.assert_array_equal(images.sum(axis=(1, 2, 3)), 1)
            places |= {tuple(place) for place in np.argwhere(images[..., 0])[:, 1:].tolist()}
            seen += labels.tolist()
        assert sorted(seen) == list(range(50))
        assert {row for row, _ in places} == {column for _, column in places} == {1, 2, 3, 4, 5}

    def test_no_shift_changes_nothing(self):
        x, y = np.random.default_rng(0).random((5, 4, 4, 1)), np.arange(5)
        images, labels = cli.ShiftedImages(x, y, batch_size=8, shift=0)[0]
        np.testing.assert_array_equal(images, x[labels])
