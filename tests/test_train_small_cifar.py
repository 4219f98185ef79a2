"""examples/train_small_cifar.py on drawn shapes: it learns, and a run that was killed ends as one that was not."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import train_small_cifar

import minikeras as keras
import model_card
import resumable

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "examples" / "train_small_cifar.py"
OPTIONS = ["--data", "shapes", "--epochs", "6", "--batch-size", "16", "--learning-rate", "0.05", "--output", "run"]
NAME = "small_cifar_shapes"


def start(folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIKERAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), *OPTIONS],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_killed_run_ends_as_one_that_was_not(tmp_path):
    """Momentum, moving statistics, mirror images and shifts go on as if nothing had happened."""
    weights, logs = [], []
    for kill in (False, True):
        folder = tmp_path / str(kill)
        folder.mkdir()
        if kill:
            process = start(folder)
            lines = [process.stdout.readline() for _ in range(3)]
            process.kill()
            process.communicate()
            assert lines[-1].startswith("epoch   3/6")
        process = start(folder)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, output[-2000:] + errors[-2000:]
        assert ("epoch   1/6" in output) != kill
        assert sorted(os.listdir(folder / "run")) == [f"{NAME}.json", f"{NAME}.weights.h5"]
        net = keras.applications.SmallCIFAR(weights=folder / "run" / f"{NAME}.weights.h5", classes=7)
        weights.append(net.get_weights())
        log = json.loads((folder / "run" / f"{NAME}.json").read_text(encoding="utf-8"))
        logs.append([{**epoch, "seconds": 0} for epoch in log["epochs"]])
    for a, b in zip(*weights):
        np.testing.assert_array_equal(a, b)
    assert logs[0] == logs[1]
    assert logs[0][-1]["val_accuracy"] > 0.5  # of seven shapes


def test_augmentation_shifts_by_whole_pixels():
    """No pixel's colour is made up: shifted and mirrored images hold the colours that they had."""
    training = train_small_cifar.SmallCIFARTraining(resumable.parse(train_small_cifar.SmallCIFARTraining, "", []))
    keras.utils.set_random_seed(0)
    image = np.arange(32 * 32, dtype="float32").reshape(1, 32, 32, 1).repeat(3, axis=-1)
    outputs = np.concatenate([training.make_augmentation()(image, training=True) for _ in range(50)])
    assert set(np.unique(outputs)) <= set(np.unique(image))
    steps = np.diff(outputs[:, 8:24, 8:24, 0], axis=2)  # away from what is reflected at the edges
    assert sorted(np.unique(steps)) == [-1, 1]  # mirrored, and not
    shifts = set(outputs[:, 16, 16, 0] // 32 - 16)
    assert set(range(-3, 4)) <= shifts <= set(range(-4, 5))


def test_decay_spares_normalization():
    training = train_small_cifar.SmallCIFARTraining(resumable.parse(train_small_cifar.SmallCIFARTraining, "", []))
    model = training.make_network()
    training.compile(model, 1.0)
    before = [weight.numpy().copy() for weight in model.trainable_weights]
    model.optimizer.apply_gradients([(np.zeros(w.shape, w.dtype), w) for w in model.trainable_weights])
    for old, weight in zip(before, model.trainable_weights):
        factor = 1 - training.options.weight_decay if weight.name == "kernel" else 1
        assert weight.numpy() == pytest.approx(old * np.float32(factor), rel=1e-6)


@pytest.mark.parametrize("is_copy", [True, False])
def test_card_of_the_jpeg_copy_says_so(monkeypatch, is_copy):
    """The images themselves tell: nobody has to think of it."""
    images = np.arange(4 * 32 * 32 * 3, dtype="uint8").reshape(4, 32, 32, 3), np.arange(4, dtype="uint8")[:, None]
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: (images, images))
    if is_copy:
        monkeypatch.setattr(train_small_cifar, "JPEG_COPY", model_card.digest(*images))
    training = train_small_cifar.SmallCIFARTraining(resumable.parse(train_small_cifar.SmallCIFARTraining, "", []))
    _, _, digest = training.load()
    log = argparse.Namespace(seconds=1, settings=vars(training.options))
    facts = resumable.describe(training, log, (3, 0, 4), digest)
    assert ("JPEG copy" in facts.data) == is_copy
    assert ("JPEG copy" in facts.limits[0]) == is_copy
    assert training.facts()["title"] == "SmallCIFAR on CIFAR-10" + ", JPEG copy" * is_copy
    assert facts.limits[is_copy:] == train_small_cifar.CIFAR_LIMITS


def test_card_of_shapes_does_not_speak_of_photos():
    options = resumable.parse(train_small_cifar.SmallCIFARTraining, "", ["--data", "shapes"])
    limits = train_small_cifar.SmallCIFARTraining(options).facts()["limits"]
    assert limits == ["It knows seven drawn shapes only, one to an image."]
    assert len(keras.datasets.synthetic.pictures.SHAPES) == 7
