"""What part of a training step random changes of the images take: eight layers in front of the small CIFAR network.

    python benchmarks/augmentation.py [--batches 32 128] [--rounds 7] [--force]

Two models take turns, one with RandomCrop (of 36 x 36 images to 32 x 32), RandomFlip, RandomTranslation,
RandomRotation, RandomZoom, RandomContrast, RandomBrightness and RandomErasing below the network, one without them. The
table has the medians of the milliseconds of a step, and the median within the rounds of what part of the longer step
the layers take. Then each layer's own milliseconds.
"""

import argparse
import statistics

import numpy as np
from train_step import CORES, check_load, run

import minikeras as keras
from minikeras import layers

SECONDS = 0.5  # for each turn


def random_layers():
    return [
        layers.RandomCrop(32, 32), layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1),
        layers.RandomRotation(0.05), layers.RandomZoom(0.1), layers.RandomContrast(0.2, value_range=(0, 1)),
        layers.RandomBrightness(0.2, value_range=(0, 1)), layers.RandomErasing(value_range=(0, 1)),
    ]  # fmt: skip


def make_step(size, augmented):
    """Return a function that trains on one of four batches."""
    side = 36 if augmented else 32
    model = keras.Sequential(
        [
            keras.Input((side, side, 3)), *(random_layers() if augmented else []),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax"),
        ]
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    batches = [(rng.random((size, side, side, 3), dtype=np.float32), rng.integers(0, 10, size)) for _ in range(4)]
    return lambda i: model.train_on_batch(*batches[i % 4])


def measure(step):
    return 1000 * statistics.median(run(step, SECONDS))


def measure_layers(size):
    """Return {class's name: milliseconds} for a batch that goes from layer to layer."""
    x = np.random.default_rng(0).random((size, 36, 36, 3), dtype=np.float32)
    times = {}
    for layer in random_layers():
        times[type(layer).__name__] = measure(lambda i, layer=layer, x=x: layer.run(x, training=True))
        x = layer(x, training=True)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    options = parser.parse_args()
    check_load(options.force)
    print(f"one training step of the CIFAR network on {CORES} cores, medians of {options.rounds} rounds, milliseconds")
    print("batch    without      with     share")
    for size in options.batches:
        steps = [make_step(size, augmented) for augmented in (False, True)]
        for step in steps:
            measure(step)
        rounds = [tuple(measure(step) for step in steps) for _ in range(options.rounds)]
        without, augmented = (statistics.median(times) for times in zip(*rounds))
        share = statistics.median(1 - a / b for a, b in rounds)
        print(f"{size:5}{without:11.2f}{augmented:10.2f}{share:10.1%}", flush=True)
    print("\neach layer by itself, milliseconds")
    tables = {size: measure_layers(size) for size in options.batches}
    for name in tables[options.batches[0]]:
        print(f"{name:20}" + "".join(f"{tables[size][name]:10.3f}" for size in options.batches))
    print(f"{'together':20}" + "".join(f"{sum(tables[size].values()):10.3f}" for size in options.batches))


if __name__ == "__main__":
    main()
