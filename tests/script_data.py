"""Small data sets in the files' own formats, for the scripts that load `keras.datasets` where there is no network."""

import gzip
import json

import numpy as np

from minikeras.datasets import cifar10, digits, fashion_mnist, mnist

GOOD, BAD = "great wonderful brilliant superb touching".split(), "awful boring dull terrible tedious".split()
NEUTRAL = "the a film movie was and of it story actor plot scene music end in with this that very quite".split()


def place(folder, monkeypatch):
    """Write the data sets where minikeras looks for them, and let their loaders expect these numbers of rows."""
    monkeypatch.setenv("MINIKERAS_HOME", str(folder))
    arrays = make_mnist()
    np.savez(folder / "mnist.npz", **arrays)
    monkeypatch.setattr(mnist, "ARRAYS", {name: array.shape for name, array in arrays.items()})
    place_fashion_mnist(folder, monkeypatch)
    place_cifar10(folder, monkeypatch)
    place_imdb(folder)
    place_housing(folder)


def make_mnist():
    """The embedded digits as bytes of 28x28 pixels."""
    (x_train, y_train), (x_test, y_test) = digits.load_data(size=28)
    images = {"x_train": x_train, "x_test": x_test}
    labels = {"y_train": y_train.astype(np.uint8), "y_test": y_test.astype(np.uint8)}
    return {name: np.rint(x[..., 0] * 255).astype(np.uint8) for name, x in images.items()} | labels


def place_fashion_mnist(folder, monkeypatch):
    """Ten textures in place of ten kinds of clothes: stripes of several widths and directions, with noise."""
    rng = np.random.default_rng(1)
    row, column = np.mgrid[:28, :28]
    (folder / "fashion-mnist").mkdir()
    files = {}
    for part, count in (("train", 1500), ("t10k", 300)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        width, upright = (2 + labels % 5)[:, None, None], (labels >= 5)[:, None, None]
        stripes = np.where(upright, column, row) // width % 2
        images = (stripes * 160 + rng.integers(0, 96, (count, 28, 28))).astype(np.uint8)
        for name, array in ((f"{part}-images-idx3-ubyte.gz", images), (f"{part}-labels-idx1-ubyte.gz", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / "fashion-mnist" / name).write_bytes(gzip.compress(header + array.tobytes(), 1))
            files[name] = (0, "", array.shape)
    monkeypatch.setattr(fashion_mnist, "FILES", files)


def place_cifar10(folder, monkeypatch):
    """Five shapes, each reddish or bluish, on a noisy ground in place of photographs."""
    rng = np.random.default_rng(2)
    (folder / "cifar-10-batches-bin").mkdir()
    for attribute, count in (("TRAIN", 250), ("TEST", 200)):
        files = dict.fromkeys(getattr(cifar10, attribute), count)
        monkeypatch.setattr(cifar10, attribute, files)
        for name in files:
            labels = rng.integers(0, 10, count).astype(np.uint8)
            images = np.stack([draw(rng, label % 5, label >= 5) for label in labels])
            rows = np.concatenate([labels[:, None], images.reshape(count, -1)], axis=1)
            (folder / name).write_bytes(rows.tobytes())


def draw(rng, shape, is_blue):
    """Return an image (channels, rows, columns) of one shape, somewhere near the middle."""
    row, column = np.mgrid[:32, :32]
    y, x = row - rng.integers(12, 21), column - rng.integers(12, 21)
    radius = np.hypot(x, y)
    inside = (
        radius < 9, (radius > 6) & (radius < 11), np.maximum(abs(x), abs(y)) < 8, np.minimum(abs(x), abs(y)) < 3,
        y % 6 < 3,
    )[shape]  # fmt: skip
    image = rng.integers(0, 90, (3, 32, 32))
    image[2 if is_blue else 0] += 150 * inside
    image[1] += 60 * inside
    return image.astype(np.uint8)


def place_imdb(folder):
    """Reviews of 8 to 30 words, some of which praise or blame."""
    rng = np.random.default_rng(3)
    words = [*NEUTRAL, *GOOD, *BAD]
    index = {word: number for number, word in enumerate(words, 1)}
    (folder / "imdb_word_index.json").write_text(json.dumps(index))
    arrays = {}
    for part, count in (("train", 800), ("test", 200)):
        labels = np.arange(count) * 2 // count  # sorted, as in the file itself
        texts = np.empty(count, object)
        for i, label in enumerate(labels):
            text = [*rng.choice(NEUTRAL, rng.integers(5, 28)), *rng.choice(GOOD if label else BAD, 3)]
            rng.shuffle(text)
            texts[i] = [index[word] for word in text]
        arrays |= {f"x_{part}": texts, f"y_{part}": labels}
    np.savez(folder / "imdb.npz", **arrays)


def place_housing(folder):
    """Prices that depend on some of the columns, which are of very different sizes."""
    rng = np.random.default_rng(4)
    for name, rows, sizes, unit in (("boston", 506, np.geomspace(0.1, 400, 13), 1), ("california", 1000,
                                    np.geomspace(1, 3000, 8), 10000)):  # fmt: skip
        z = rng.normal(size=(rows, len(sizes)))
        prices = 22 + 5 * z[:, 0] - 3 * z[:, 1] + 2 * np.abs(z[:, 2]) + rng.normal(size=rows)
        np.savez(folder / f"{name}_housing.npz", x=(z + 3) * sizes, y=prices * unit)
