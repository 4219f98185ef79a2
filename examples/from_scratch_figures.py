"""What well-known "CNN from scratch" projects report, and what minikeras reaches in the same small settings.

    python examples/from_scratch_figures.py [--only mnist cifar digits] [--seeds 3]

mnist     They: 96.64 % after one epoch on 36,000 images, with an "8-16-64" network. We read that as convolutions of 8
          and 16 maps, each with max pooling, a dense layer of 64 and a softmax of 10 (kernels of 5x5, ReLU), and train
          on the first 36,000 images of MNIST, each seen once and as it is; the figure is of the 10,000 test images.
cifar     They: 95 % of 5,000 images of CIFAR-10, those that it was trained on. So do we: the first 5,000. The accuracy
          on the 10,000 test images stands below it, and is what a network like this is worth.
digits    They: "about 90 %" on small pictures of digits. We use the 8x8 digits that scikit-learn has, which come with
          minikeras: 1,437 to train on and 360 to test on.

Optimizer, learning rates, epochs and layers were chosen on training images: MNIST's other 24,000, the last 5,000 of
CIFAR-10's, the last 288 of the digits'. Each network looks at the test images once, when it is done. A seed gives the
first weights and the order of the images. A data set that is not in the download cache is left out, and named at the
end, unless --only asks for it.
"""

import argparse
import os
import sys
import time

import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.datasets import cache
from model_card import wilson_interval

CACHED = {  # what the cache may have of each data set
    "mnist": ["mnist.npz"],
    "cifar": ["cifar-10-batches-bin/test_batch.bin", "cifar-10-binary.tar.gz"],
}


def convolution(filters, kernel_size):
    return [layers.Conv2D(filters, kernel_size, padding="same", activation="relu"), layers.MaxPooling2D(2)]


def dense(units):
    return [layers.Flatten(), layers.Dense(units, activation="relu"), layers.Dense(10, activation="softmax")]


def train(stack, x, y, epochs, batch_size, learning_rate, weight_decay):
    """Return a network trained with AdamW; the learning rate rises for a fifth of the time, then falls to 0."""
    steps = epochs * -(-len(x) // batch_size)
    warm_up = steps // 5
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / 20, steps - warm_up, warmup_target=learning_rate, warmup_steps=warm_up
    )
    model = keras.Sequential(stack)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def count_right(model, x, y):
    """Return (how many images are recognized, how many there are)."""
    predicted = model.predict(x, batch_size=250, verbose=0).argmax(axis=1)
    return int(np.sum(predicted == y.ravel())), len(y)


def standardized(x, *others):
    """Return images with mean 0 and variance 1 in each channel of ``x``, and others on the same scale."""
    mean, deviation = (statistic(x, axis=(0, 1, 2), dtype="float64") for statistic in (np.mean, np.std))
    return [((images - mean) / deviation).astype("float32") for images in (x, *others)]


def mnist():
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    x, x_test = standardized(x[:36000, ..., None], x_test[..., None])
    model = train(
        [layers.Input((28, 28, 1)), *convolution(8, 5), *convolution(16, 5), *dense(64)], x, y[:36000],
        epochs=1, batch_size=16, learning_rate=0.006, weight_decay=0.05,
    )  # fmt: skip
    return [count_right(model, x_test, y_test)]


def cifar():
    (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
    y = y[:5000]
    x, x_test = standardized(x[:5000], x_test)
    model = train(
        [layers.Input((32, 32, 3)), *convolution(8, 3), *convolution(16, 3), *dense(128)], x, y,
        epochs=16, batch_size=50, learning_rate=0.003, weight_decay=0.004,
    )  # fmt: skip
    return [count_right(model, x, y), count_right(model, x_test, y_test)]


def digits():
    (x, y), (x_test, y_test) = keras.datasets.digits.load_data()
    model = train(
        [layers.Input((8, 8, 1)), *convolution(16, 3), *convolution(32, 3), *dense(64)], x, y,
        epochs=25, batch_size=32, learning_rate=0.003, weight_decay=0.01,
    )  # fmt: skip
    return [count_right(model, x_test, y_test)]


# For each setting a line of the table for each figure: what is measured, what they report, what we must reach.
SETTINGS = {
    "mnist": (mnist, [("MNIST's 10,000 test images, after one epoch on 36,000", "96.64 %", 0.98)]),
    "cifar": (
        cifar,
        [
            ("5,000 CIFAR-10 images, the very ones it was trained on", "95 %", 0.99),
            ("  the same networks, 10,000 test images", "", 0.3),
        ],
    ),
    "digits": (digits, [("360 test images of the 8x8 digits", "about 90 %", 0.97)]),
}


def run(name, seeds):
    """Train a setting's network from each seed, print its lines, and return whether all reach what they must."""
    setting, figures = SETTINGS[name]
    start = time.process_time()
    results = []
    for seed in range(1, seeds + 1):
        keras.utils.set_random_seed(seed)
        results.append(setting())
    seconds = f"{(time.process_time() - start) / seeds:8.0f}"
    good = True
    for (title, theirs, least), counts in zip(figures, zip(*results)):
        shares = [right / count for right, count in counts]
        low, high = (min(shares), max(shares)) if seeds > 1 else wilson_interval(*counts[0])
        mean = sum(shares) / seeds
        ours = f"{100 * mean:8.2f}{100 * low:8.2f} ...{100 * high:7.2f}"
        print(f"{name:8}{title:56}{theirs:>12}{ours}{seconds}", flush=True)
        name = seconds = ""
        good = good and mean >= least
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SETTINGS, help="these; missing data is downloaded")
    parser.add_argument("--seeds", type=int, default=3, help="networks a setting (3)")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error(f"--seeds must be 1 or more. Received: {options.seeds}")
    folder = cache.folder()
    missing = [name for name, files in CACHED.items() if not any(os.path.exists(f"{folder}/{file}") for file in files)]
    names = options.only or [name for name in SETTINGS if name not in missing]

    spread = f"of {options.seeds} seeds" if options.seeds > 1 else "95 % interval"
    print(f"{'setting':64}{'they report':>12}{'ours, %':>8}{spread:>19}{'CPU s':>8}")
    good = [run(name, options.seeds) for name in names]
    if "cifar" in names:
        print("The images that a network was trained on say little: it has learned them by heart. The others count.")
    for name in SETTINGS:
        if name not in names:
            why = "not asked for" if options.only else f"not in {folder}; --only {name} downloads it"
            print(f"left out: {name}, {why}")
    assert all(good), "a figure is below what it should be"


if __name__ == "__main__":
    try:
        main()
    except cache.DownloadError as error:
        sys.exit(str(error))
