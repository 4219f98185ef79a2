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
OPTIONS = [
    "--data", "shapes", "--epochs", "10", "--batch-size", "16", "--learning-rate", "0.05",
    "--cropped", "0.1", "--mixed", "0.4", "--output", "run",
]  # fmt: skip
NAME = "small_cifar_shapes"


def start(folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIKERAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), *OPTIONS],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_killed_run_ends_as_one_that_was_not(tmp_path):
    """Momentum, moving statistics, mirror images, shifts and mixtures go on as if nothing had happened."""
    weights, logs = [], []
    for kill in (False, True):
        folder = tmp_path / str(kill)
        folder.mkdir()
        if kill:
            process = start(folder)
            lines = [process.stdout.readline() for _ in range(3)]
            process.kill()
            process.communicate()
            assert lines[-1].startswith("epoch   3/10")
        process = start(folder)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, output[-2000:] + errors[-2000:]
        assert ("epoch   1/10" in output) != kill
        assert sorted(os.listdir(folder / "run")) == [f"{NAME}.json", f"{NAME}.weights.h5"]
        net = keras.applications.SmallCIFAR(weights=folder / "run" / f"{NAME}.weights.h5", classes=7)
        weights.append(net.get_weights())
        log = json.loads((folder / "run" / f"{NAME}.json").read_text(encoding="utf-8"))
        logs.append([{**epoch, "seconds": 0} for epoch in log["epochs"]])
    for a, b in zip(*weights):
        np.testing.assert_array_equal(a, b)
    assert logs[0] == logs[1]
    assert logs[0][-1]["val_accuracy"] > 0.5  # of seven shapes


@pytest.fixture
def batches():
    """Of 20 images that tell where a pixel comes from: image, row and column are its colours."""
    images, rows, columns = np.meshgrid(np.arange(20), np.arange(32), np.arange(32), indexing="ij")
    x = np.stack([images, rows, columns], axis=-1).astype("float32")
    arguments = ["--batch-size", "10", "--epochs", "10", "--cropped", "0.6", "--mixed", "0.9"]
    options = resumable.parse(train_small_cifar.SmallCIFARTraining, "", arguments)
    training = train_small_cifar.SmallCIFARTraining(options)
    model, data, random_layers = training.prepare(training.make_network(), x, np.eye(20, dtype="float32"))
    assert model.input_shape == (None, None, None, 3)
    assert len(data) == 2
    draw = resumable.DrawAnew(1, data, random_layers)

    def get(epoch, index):
        draw.on_epoch_begin(epoch)
        return [np.array(each) for each in data[index]]

    return get


@pytest.mark.parametrize("epoch, size", [(0, 24), (5, 24), (6, 32), (9, 32)])
def test_crops_first_then_shifts(batches, epoch, size):
    """By whole pixels, mirrored in half of the images: no colour is made up."""
    x, y = batches(epoch, 1)
    assert x.shape == (10, size, size, 3)
    assert (y.max(axis=1) == 1).all()
    assert (x[..., 0] == y.argmax(axis=1)[:, None, None]).all()
    inner = x[:, 4:20, 4:20]  # away from what is reflected at the edges
    assert (np.diff(inner[..., 1], axis=1) == 1).all()
    steps = np.diff(inner[..., 2], axis=2)
    assert {*np.unique(steps)} == {-1, 1}
    assert (steps == steps[:, :1, :1]).all()
    starts = {*(inner[:, 0, 0, 1] - 4)}
    assert len(starts) > 2
    assert starts <= ({*range(9)} if size == 24 else {*range(-4, 5)})


def test_every_other_batch_is_mixed_until_the_last_epochs(batches):
    for epoch in (0, 8):
        x, y = batches(epoch, 0)
        area = x.shape[1] * x.shape[2]
        for image, label in zip(x[..., 0], y):
            parts = {int(i): np.mean(image == i) for i in np.unique(image)}
            assert parts == pytest.approx({int(i): label[i] for i in np.flatnonzero(label * area > 0.5)}, abs=0.1)
        assert ((y > 0.01).sum(axis=1) == 2).sum() > 2
    assert (batches(9, 0)[1].max(axis=1) == 1).all()


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
