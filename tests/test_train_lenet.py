"""examples/train_lenet.py on the embedded digits: it learns, and a run that was killed ends as one that was not."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import train_lenet

import minikeras as keras
import model_card
import resumable

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-W", "error", str(ROOT / "examples" / "train_lenet.py"), "--data", "digits"]
NAME = "lenet5_digits"


def start(folder, *arguments):
    """Start the example in ``folder``; output goes to ``folder / "run"``."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIKERAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*COMMAND, "--output", "run", *arguments],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(folder, *arguments):
    process = start(folder, *arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output[-2000:] + errors[-2000:]
    return output


def read_log(folder):
    return json.loads((folder / "run" / f"{NAME}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(folder, "--epochs", "6")


def test_run(finished):
    folder, output = finished
    numbers = [line.split()[1] for line in output.splitlines() if line.startswith("epoch")]
    assert numbers == [f"{i}/6" for i in range(1, 7)]
    assert "validation: accuracy 9" in output
    assert "test:" not in output  # nobody has asked to look at the test images
    assert sorted(os.listdir(folder)) == ["run"]
    assert sorted(os.listdir(folder / "run")) == [f"{NAME}.json", f"{NAME}.weights.h5"]
    epochs = read_log(folder)["epochs"]
    assert len(epochs) == 6
    assert epochs[-1]["val_accuracy"] > max(0.93, epochs[0]["val_accuracy"])
    net = keras.applications.LeNet5(weights=folder / "run" / f"{NAME}.weights.h5")
    (x, y), _ = keras.datasets.digits.load_data(size=28)
    _, validation = resumable.set_aside(x, y, 5000)
    measures = model_card.measure(net, *validation, train_lenet.LeNetTraining.classes)
    assert measures.accuracy == pytest.approx(epochs[-1]["val_accuracy"], abs=1e-6)
    assert model_card.describe(measures) in output


def test_finished_run_is_only_measured(finished):
    folder, _ = finished
    before = (folder / "run" / f"{NAME}.weights.h5").read_bytes()
    output = run(folder, "--epochs", "6")
    assert "epoch" not in output
    assert "validation: accuracy 9" in output
    assert (folder / "run" / f"{NAME}.weights.h5").read_bytes() == before


def test_card(finished):
    pytest.importorskip("matplotlib")
    folder, _ = finished
    output = run(folder, "--epochs", "6", "--test", "--machine", "an abacus", "--looks", "twice")
    page = (folder / "run" / f"{NAME}.md").read_text(encoding="utf-8")
    assert "python examples/train_lenet.py --output run --data digits --epochs 6`" in page
    assert "an abacus" in page
    assert "looked at twice" in page
    assert "MNIST's" not in page.split("## Known limits")[1]  # nor of how its settings were chosen
    assert "settings" not in page
    assert "Trained on 1,150 of the training images; the other 287" in page
    card = model_card.read_card(folder / "run" / f"{NAME}.md")
    assert card["test"].count == 360
    assert model_card.describe(card["test"])[:16] in output
    assert card["file_digest"] == model_card.file_digest(folder / "run" / f"{NAME}.weights.h5")
    assert card["test_digest"] == model_card.digest(*keras.datasets.digits.load_data(size=28)[1])
    assert (folder / "run" / f"{NAME}.png").stat().st_size > 1000


def test_killed_run_ends_as_one_that_was_not(finished, tmp_path):
    process = start(tmp_path, "--epochs", "6")
    lines = [process.stdout.readline() for _ in range(3)]
    process.kill()  # as by a power failure: no handler runs
    process.communicate()
    assert lines[-1].startswith("epoch   3/6")
    assert (tmp_path / "run" / "backup" / "latest.weights.h5").exists()
    assert not (tmp_path / "run" / f"{NAME}.weights.h5").exists()
    output = run(tmp_path, "--epochs", "6")
    first = next(line for line in output.splitlines() if line.startswith("epoch"))
    assert first.split()[1] in ("3/6", "4/6", "5/6")  # it may have got a little further, or not have written the third
    folder, _ = finished
    assert not (tmp_path / "run" / "backup").exists()
    files = [(where / "run" / f"{NAME}.weights.h5") for where in (folder, tmp_path)]
    weights = [keras.applications.LeNet5(weights=file).get_weights() for file in files]
    for a, b in zip(*weights):
        np.testing.assert_array_equal(a, b)
    logs = [read_log(where)["epochs"] for where in (folder, tmp_path)]
    for a, b in zip(*logs):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
    assert len(logs[1]) == 6


def test_second_run_begins_with_the_weights_of_the_first(finished, tmp_path):
    pytest.importorskip("matplotlib")
    folder, _ = finished
    first = os.path.relpath(folder / "run" / f"{NAME}.weights.h5", tmp_path)
    output = run(tmp_path, "--output", "other", "--epochs", "2", "--start", first, "--weight-decay", "0.02", "--test")
    first_epoch = next(line for line in output.splitlines() if line.startswith("epoch"))
    assert float(first_epoch.split("  val_accuracy ")[1].split()[0]) > 0.85  # random weights have 0.4
    page = (tmp_path / "other" / f"{NAME}.md").read_text(encoding="utf-8")
    begin = "`python examples/train_lenet.py --output"
    assert f"{begin} run --data digits --epochs 6`, then {begin} other --data digits " in page
    assert f" --weight-decay 0.02 --start {first}`" in page
    assert "| seed | 1, then 1 |" in page
    assert "| epochs | 8 |" in page
    assert "AdamW with weight decay 0.02." in page
    assert "Run 1, 6 epochs (--validation 5000): Each image is distorted anew" in page
    assert "Run 2, 2 epochs from the weights of run 1 (--validation 5000): Each image is distorted anew" in page
    run(tmp_path, "--output", "mean", "--epochs", "2", "--start", first, "--weight-decay", "0.02", "--average", "1")
    begun, ended, mean = (
        keras.applications.LeNet5(weights=tmp_path / path).get_weights()
        for path in (first, f"other/{NAME}.weights.h5", f"mean/{NAME}.weights.h5")
    )
    for a, b, middle in zip(begun, ended, mean):
        np.testing.assert_allclose(middle, (a + b) / 2, rtol=1e-6)
    assert np.abs(begun[0] - ended[0]).max() > 1e-3
    for options, words in [
        (["--start", first, "--average", "2"], "--average must be from 0 to the number of runs before, 1. Received: 2"),
        (["--average", "1"], "--average must be from 0 to the number of runs before, 0. Received: 1"),
        (["--start", first, "--average", "-1"], "Received: -1"),
        (["--start", first, "--validation", "6000"], "is of --data digits --validation 5000, and so may have seen"),
        (["--start", "unknown.weights.h5"], "unknown.json should tell of what unknown.weights.h5 was trained on"),
    ]:
        process = start(tmp_path, "--output", "third", *options)
        assert words in process.communicate(timeout=120)[1]
        assert os.listdir(tmp_path / "third") == []


def test_other_settings_are_refused(finished):
    folder, _ = finished
    process = start(folder, "--epochs", "7")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "choose another --output" in errors
    assert "Traceback" not in errors


def test_backup_of_another_run_is_refused(tmp_path):
    log = resumable.Log(tmp_path / "log.json", {"epochs": 5})
    with pytest.raises(SystemExit, match="had reached epoch 3: choose another --backup"):
        log.on_epoch_begin(3)


def test_log_of_epochs_that_are_done_again(tmp_path):
    settings = {"epochs": 4}
    log = resumable.Log(tmp_path / "log.json", settings)
    for epoch in (0, 1, 2):
        log.on_epoch_begin(epoch)
        log.on_epoch_end(epoch, {"loss": 3.0 - epoch})
    log = resumable.Log(tmp_path / "log.json", settings)
    assert [row["loss"] for row in log.epochs] == [3, 2, 1]
    log.on_epoch_begin(1)
    log.on_epoch_end(1, {"loss": 2.5})
    assert [row["loss"] for row in log.epochs] == [3, 2.5]
    assert log.seconds == pytest.approx(sum(row["seconds"] for row in log.epochs))
    assert not log.complete


@pytest.mark.parametrize("epochs, peak", [(80, 16), (30, 10)])
def test_schedule(epochs, peak):
    """One cycle: up to the rate asked for, along a line, and down to nothing."""
    arguments = f"--epochs {epochs} --learning-rate 0.005 --warmup 16 --weight-decay 0.03".split()
    training = train_lenet.LeNetTraining(resumable.parse(train_lenet.LeNetTraining, "", arguments))
    model = training.make_network()
    training.compile(model, resumable.one_cycle(training.options, 100))
    optimizer = model.optimizer
    rates = []
    for step in range(epochs * 100 + 1):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates[0] == pytest.approx(0.005 / 25)
    assert np.argmax(rates) == peak * 100
    assert max(rates) == pytest.approx(0.005)
    np.testing.assert_allclose(np.diff(rates[: peak * 100]), 0.005 * (24 / 25) / (peak * 100), rtol=0.01)
    assert (np.diff(rates[peak * 100 :]) <= 0).all()
    assert rates[-1] == pytest.approx(0.005 * 1e-4)
    assert optimizer.weight_decay == 0.03


def test_set_aside():
    x, y = np.arange(100), np.arange(100) * 2
    (x_train, y_train), (x_rest, y_rest) = resumable.set_aside(x, y, 15)
    assert (len(x_train), len(x_rest)) == (85, 15)
    np.testing.assert_array_equal(np.sort([*x_train, *x_rest]), x)
    np.testing.assert_array_equal([*y_train, *y_rest], 2 * np.array([*x_train, *x_rest]))
    assert x_rest.tolist() != list(range(15))
    assert len(resumable.set_aside(x, y, 50)[1][0]) == 20
    assert len(resumable.set_aside(x, y, 0)[1][0]) == 0
    assert {*resumable.set_aside(x, y, 5)[1][0]} < {*x_rest}


def test_each_epoch_draws_anew():
    """Order and distortions follow from the seed and the epoch, not from what was drawn before."""
    x, y = np.random.default_rng(0).random((50, 28, 28, 1)).astype("float32"), np.arange(50)

    def draw(seed, *epochs):
        augmentation = keras.preprocessing.digits.augmentation()
        options = argparse.Namespace(batch_size=20, seed=seed)
        data = resumable.Batches(x, y, options, augmentation.layers)
        for epoch in epochs:
            data.draw(epoch)
            batches = [data[i] for i in range(len(data))]
            assert sorted(np.concatenate([labels for _, labels in batches])) == list(range(50))
            for images, labels in batches:
                np.testing.assert_array_equal(images, x[labels])
            images = np.concatenate([augmentation(images) for images, _ in batches])
        return images

    np.testing.assert_array_equal(draw(1, 0, 1, 2), draw(1, 2))
    assert np.abs(draw(1, 1) - draw(1, 2)).max() > 0.1
    assert np.abs(draw(2, 2) - draw(1, 2)).max() > 0.1
