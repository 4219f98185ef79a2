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


def start(folder, *options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIKERAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), *OPTIONS, *options],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def write_log(training, weights):
    """Write what a run that wrote ``weights`` would have, two seconds an epoch."""
    log = {"settings": training.all_settings, "epochs": [{"seconds": 2.0}] * training.options.epochs}
    pathlib.Path(str(weights).replace(".weights.h5", ".json")).write_text(json.dumps(log), encoding="utf-8")


def run(folder, *options):
    process = start(folder, *options)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, output[-2000:] + errors[-2000:]
    assert sorted(os.listdir(folder / "run")) == [f"{NAME}.json", f"{NAME}.weights.h5"]
    return output


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert "epoch   1/10" in run(folder)
    return folder


def read(folder):
    """Return the weights that a run ended with, and what its log has of the epochs."""
    net = keras.applications.SmallCIFAR(weights=folder / "run" / f"{NAME}.weights.h5", classes=7)
    log = json.loads((folder / "run" / f"{NAME}.json").read_text(encoding="utf-8"))
    return net.get_weights(), [{**epoch, "seconds": 0} for epoch in log["epochs"]]


@pytest.mark.parametrize("is_taught", [False, True])
def test_killed_run_ends_as_one_that_was_not(finished, tmp_path, is_taught):
    """Momentum, moving statistics, mirror images, shifts and mixtures, and what teachers say, go on as if nothing had
    happened."""
    whole, killed, options = finished, tmp_path / "killed", []
    killed.mkdir()
    if is_taught:
        options = ["--teachers", str(finished / "run" / f"{NAME}.weights.h5"), "--repeat", "2"]
        whole = tmp_path / "whole"
        whole.mkdir()
        run(whole, *options)
    process = start(killed, *options)
    lines = [process.stdout.readline() for _ in range(3)]
    process.kill()
    process.communicate()
    assert lines[-1].startswith("epoch   3/10")
    assert "epoch   1/10" not in run(killed, *options)
    for expected, found in zip(read(whole), read(killed)):
        assert len(expected) == len(found)
        for a, b in zip(expected, found):
            np.testing.assert_array_equal(a, b)


def make_training(*arguments):
    options = resumable.parse(train_small_cifar.SmallCIFARTraining, "", arguments)
    return train_small_cifar.SmallCIFARTraining(options)


@pytest.fixture
def batches():
    """Of 20 images that tell where a pixel comes from: image, row and column are its colours."""
    images, rows, columns = np.meshgrid(np.arange(20), np.arange(32), np.arange(32), indexing="ij")
    x = np.stack([images, rows, columns], axis=-1).astype("float32")
    training = make_training("--batch-size", "10", "--epochs", "10", "--cropped", "0.6", "--mixed", "0.9")
    model, data = training.prepare(training.make_network(), x, np.eye(20, dtype="float32"))
    assert model.input_shape == (None, None, None, 3)
    assert len(data) == 2

    def get(epoch, index):
        data.draw(epoch)
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


def make_teacher(seed, activation="softmax"):
    """Of four classes; it sees in which of an image's corners there is more red."""
    keras.utils.set_random_seed(seed)
    wide = keras.initializers.RandomNormal(stddev=5.0)
    maps = keras.layers.Conv2D(4, 8, kernel_initializer=wide)
    return keras.Sequential(
        [keras.Input((32, 32, 3)), maps, keras.layers.GlobalMaxPooling2D(), keras.layers.Activation(activation)]
    )


def make_images(count):
    rng = np.random.default_rng(0)
    return rng.random((count, 32, 32, 3)).astype("float32"), np.eye(4, dtype="float32")[rng.integers(4, size=count)]


def test_labels_are_what_teachers_say_of_an_image_and_its_mirror_image():
    x, y = make_images(10)
    options = make_training("--batch-size", "5", "--cropped", "0", "--mixed", "1", "--repeat", "3").options
    plain = train_small_cifar.ChangedBatches(x, y, options)
    teachers = [make_teacher(seed) for seed in (1, 2)]
    taught = train_small_cifar.TaughtBatches(x, y, options, teachers)

    def get(data, epoch):
        data.draw(epoch)
        return [np.concatenate(parts) for parts in zip(*(data[i] for i in range(2)))]

    images, labels = get(plain, 1)
    said = [teacher.predict(each, verbose=0) for teacher in teachers for each in (images, images[:, :, ::-1])]
    expected = 0.8 * sum(said) / 4 + 0.2 * labels
    assert np.abs(expected - labels).max() > 0.1
    assert np.abs(said[0] - said[1]).max() > 0.1
    seen = []
    for epoch in (1, 4, 7):
        if epoch == 4:
            taught.teachers = []  # they are not asked again
        new_images, new_labels = get(taught, epoch)
        np.testing.assert_allclose(new_labels, expected, rtol=1e-5)
        is_mirrored = (new_images != images).any(axis=(1, 2, 3))
        either = [image[:, ::-1] if turned else image for image, turned in zip(images, is_mirrored)]
        np.testing.assert_array_equal(new_images, either)
        seen.append(tuple(is_mirrored))
    assert len({*seen}) == 3
    taught.teachers = teachers
    assert np.abs(get(taught, 2)[1] - expected).max() > 0.1


def test_labels_do_not_depend_on_where_a_run_began():
    """With crops, mixtures and whole images, and a last batch that is smaller."""
    x, y = make_images(10)
    arguments = ["--batch-size", "4", "--epochs", "8", "--cropped", "0.25", "--mixed", "0.75", "--repeat", "2"]
    options, teacher = make_training(*arguments).options, train_small_cifar.of_any_size(make_teacher(1))
    from_the_start = train_small_cifar.TaughtBatches(x, y, options, [teacher])
    for epoch in range(8):
        from_here = train_small_cifar.TaughtBatches(x, y, options, [teacher])
        for data in (from_the_start, from_here):
            data.draw(epoch)
        for index in range(3):
            for a, b in zip(from_the_start[index], from_here[index], strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.5, 0.7, 0.75, 0.9, 1.0])
def test_share_of_mixed_batches(part):
    options = make_training("--batch-size", "2", "--mixed", "1", "--mixing", str(part)).options
    data = train_small_cifar.ChangedBatches(*make_images(200), options)
    mixed = []
    data.random_layers[2] = lambda pair, training: mixed.append(index) or pair
    for index in range(100):
        data[index]
    assert len(mixed) == pytest.approx(100 * part, abs=1)
    assert part == 0 or np.diff(mixed).max() <= np.ceil(1 / part)  # evenly spread


def test_teachers(tmp_path):
    """Weights of the network or models beside their weights; with them the labels are not smoothed."""
    network = keras.applications.SmallCIFAR(weights=None, classes=7)
    network.save_weights(tmp_path / "network.weights.h5")
    write_log(make_training("--data", "shapes"), tmp_path / "network.weights.h5")
    stack = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(7, "softmax")]
    other = keras.Sequential([keras.Input((32, 32, 3)), *stack])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "other.json").write_text(other.to_json(), encoding="utf-8")
    paths = [str(tmp_path / "network.weights.h5"), str(tmp_path / "other.json")]
    training = make_training("--data", "shapes", "--teachers", *paths)
    x, y = np.zeros((2, 32, 32, 3), "float32"), np.eye(7, dtype="float32")[:2]
    model, data = training.prepare(training.make_network(), x, y)
    for teacher, loaded in zip((network, other), data.teachers, strict=True):
        for a, b in zip(teacher.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    training.compile(model, 0.1)
    assert model.loss(y[:1], np.array([[0.9] + [0.1 / 6] * 6])) == pytest.approx(-np.log(0.9), rel=1e-5)


def test_what_cannot_teach(tmp_path):
    """Networks that may have seen the images set aside, that have other classes or return no probabilities."""
    training = make_training("--data", "shapes", "--validation", "50")
    weights = str(tmp_path / "network.weights.h5")
    training.make_network().save_weights(weights)
    with pytest.raises(SystemExit, match=r"network\.json should tell of what .* was trained on"):
        training.load_teacher(weights)
    write_log(make_training("--data", "shapes", "--validation", "40"), weights)
    with pytest.raises(SystemExit, match="--validation 40, and so may have seen images that are set aside now"):
        training.load_teacher(weights)
    for name, teacher in (("four", make_teacher(1)), ("linear", make_teacher(1, "linear"))):
        teacher.save_weights(tmp_path / f"{name}.weights.h5")
        (tmp_path / f"{name}.json").write_text(teacher.to_json(), encoding="utf-8")
        with pytest.raises(SystemExit, match="should return the probabilities of 7 classes"):
            training.load_teacher(str(tmp_path / f"{name}.json"))


def test_recipe_by_default():
    assert make_training().facts()["recipe"] == (
        "Half of the images, drawn at random, are mirrored; each is shifted by up to 4 pixels. In the first 60 % of "
        "the epochs, 4 pixels are cut off on each side. `CutMix` mixes images and labels: in the first 90 % of the "
        "epochs, 50 % of the batches. All this is drawn anew in each epoch. The loss is cross-entropy with label "
        "smoothing 0.1; "
        "the optimizer is SGD with Nesterov momentum 0.9 and decoupled weight decay 0.005 (kernels only)."
    )


def test_average(tmp_path, monkeypatch):
    """Of weights; means and variances are those that the layers' inputs then have."""
    monkeypatch.chdir(tmp_path)
    options, networks = ["--data", "shapes"], []
    for i, name in enumerate(("first", "second", "third")):
        path = f"{name}/small_cifar_shapes.weights.h5"
        (tmp_path / name).mkdir()
        keras.utils.set_random_seed(i)
        networks.append(make_training(*options).make_network())
        networks[-1].save_weights(path)
        write_log(make_training(*options), path)
        options = ["--data", "shapes", "--start", path]
    training = make_training(*options, "--average", "2")
    starts = resumable.find_averaged(training, None)
    assert starts == [f"{name}/small_cifar_shapes.weights.h5" for name in ("third", "second")]
    net, x = training.make_network(), np.random.default_rng(0).random((500, 32, 32, 3)).astype("float32")
    own = net.get_weights()
    resumable.average(net, starts, training, x)
    counted = [weight.path.rsplit("/")[-1].startswith("moving") for weight in net.weights]
    assert sum(counted) == 18
    others = [network.get_weights() for network in (*networks[1:], net)]
    for a, b, c, d, again in zip(own, *others, counted, strict=True):
        assert again or d == pytest.approx((a + b + c) / 3, rel=1e-5, abs=1e-7)
    x, layer = net.layers[0](x), next(layer for layer in net.layers if type(layer).__name__ == "BatchNormalization")
    assert layer.moving_mean.numpy() == pytest.approx(x.mean(axis=(0, 1, 2)), rel=1e-4, abs=1e-6)
    assert layer.moving_variance.numpy() == pytest.approx(x.var(axis=(0, 1, 2)), rel=0.02)
    assert layer.momentum == training.make_network().layers[1].momentum
    recipe = resumable.describe_recipe(training)
    assert recipe.endswith(
        "The weights are the mean of those of the last epoch and of what the 2 runs before ended with; means and "
        "variances of batch normalization, if there is any, were then taken anew, from at most 10,000 training images."
    )


def test_card_of_a_taught_network(tmp_path, monkeypatch):
    """Names the commands and tells how each run was carried out, and who said what."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    first = f"first/{make_training().name}.weights.h5"
    write_log(make_training(), first)
    training = make_training(
        "--start", first, "--teachers", first, "an other.json", "--lessons", "of seven layers", "--epochs", "5",
        "--cropped", "0", "--mixed", "1", "--mixing", "0.75", "--repeat", "3", "--validation", "20", "--seed", "2",
    )  # fmt: skip
    facts = resumable.describe(training, argparse.Namespace(seconds=3), (3, 0, 4), "digest")
    assert facts.commands == [
        "python examples/train_small_cifar.py --output first",
        "python examples/train_small_cifar.py --output run --epochs 5 --seed 2 "
        f"--start {first} --cropped 0 --mixed 1 --mixing 0.75 --teachers {first} 'an other.json' --repeat 3 "
        "--validation 20",
    ]
    assert (facts.epochs, facts.seconds, facts.seeds) == (130, 253, [1, 2])
    before, after = facts.recipe.split("\n\n")
    assert before.startswith(f"Run 1, 125 epochs (--validation 5000): {make_training().facts()['recipe']} Batches")
    assert after.startswith(
        "Run 2, 5 epochs from the weights of run 1 (--validation 20): Half of the images, drawn at random, are "
        "mirrored; each is shifted by up to 4 pixels. `CutMix` mixes images and labels: 75 % of the batches. All this "
        "is drawn for 3 epochs, which are then repeated, except that each image is again mirrored or not, at random. "
        f"Each label is the weighted mean of the probabilities that the teachers, `{first}` and `an other.json` (of "
        "seven layers), give to the image and to its mirror image (80 %), and of the true label (20 %). The loss is "
        "cross-entropy; the "
    )


def test_decay_spares_normalization():
    training = make_training()
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
    training = make_training()
    _, _, digest = training.load()
    facts = resumable.describe(training, argparse.Namespace(seconds=1), (3, 0, 4), digest)
    assert ("JPEG copy" in facts.data) == is_copy
    assert ("JPEG copy" in facts.limits[0]) == is_copy
    assert training.facts()["title"] == "SmallCIFAR on CIFAR-10" + ", JPEG copy" * is_copy
    assert facts.limits[is_copy:] == train_small_cifar.CIFAR_LIMITS


def test_card_of_shapes_does_not_speak_of_photos():
    limits = make_training("--data", "shapes").facts()["limits"]
    assert limits == ["It knows seven drawn shapes only, one to an image."]
    assert len(keras.datasets.synthetic.pictures.SHAPES) == 7
