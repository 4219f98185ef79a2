"""The figures on the model cards once more, from the files that are installed: each network reads its test images.

    python examples/evaluate_pretrained.py                         # all networks
    python examples/evaluate_pretrained.py --network lenet5 --images 1000
    python examples/evaluate_pretrained.py --embedded              # needs no data set: digits of other writers

Exit status: 0 if nothing differs from the cards, 1 if something does, 2 if a data set or the weights are not there.
"""

import argparse
import dataclasses
import os
import sys
import time

import numpy as np

import minikeras as keras
import model_card
from minikeras.applications import lenet5, small_cifar

FILE = ".weights.h5"
BOX = 20  # pixels: MNIST's digits lie in a box of 20x20 in the middle of 28x28
REPEATS = 50  # of a prediction that is timed
ROUNDING = 2  # images that may be read in another way, where another machine rounds in another way


@dataclasses.dataclass
class Pretrained:
    """Where a network, its weights and its images come from.

    Args:
        module: of `applications`, with `preprocess_input`.
        make: function of ``weights`` that returns the network.
        weights: their name.
        data: module of `datasets`.
        note: on the images of the card.
    """

    module: object
    make: object
    weights: str
    data: object
    note: str

    @property
    def file_name(self):
        return self.module.NETWORK.files[self.weights].removesuffix(FILE)

    def path(self, ending):
        return os.path.join(os.path.dirname(keras.trained_models.__file__), self.file_name + ending)


NETWORKS = {
    "lenet5": Pretrained(lenet5, keras.applications.LeNet5, "mnist", keras.datasets.mnist, "MNIST's own"),
    "small_cifar": Pretrained(
        small_cifar,
        keras.applications.SmallCIFAR,
        "cifar10",
        keras.datasets.cifar10,
        "a copy of CIFAR-10 in JPEG, so that the original files may give others",
    ),
}


def main(arguments=None):
    """Evaluate what the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description="Print the figures of the pretrained networks, and compare them.")
    parser.add_argument("--network", choices=list(NETWORKS), help="default: all")
    parser.add_argument("--images", type=int, metavar="N", help="only the first N test images, without a comparison")
    parser.add_argument("--embedded", action="store_true", help="let LeNet-5 read the embedded digits, nothing else")
    options = parser.parse_args(arguments)
    if options.images is not None and options.images < 1:
        parser.error(f"--images must be 1 or more. Received: {options.images}")
    if options.embedded:
        if options.network or options.images:
            parser.error("--embedded is all images of one network: without --network and --images")
        read_embedded_digits()
        return 0
    networks = [NETWORKS[options.network]] if options.network else NETWORKS.values()
    statuses = [evaluate(network, options.images) for network in networks]
    return 1 if 1 in statuses else max(statuses)


def evaluate(network, images=None):
    """Print a network's figures and whether they are those of its card; returns the exit status."""
    try:
        model = network.make(weights=network.weights)
        card = model_card.read_card(network.path(".md"))
        (_, _), (x, y) = network.data.load_data()
    except (FileNotFoundError, keras.datasets.cache.DownloadError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{model.name}, weights {network.weights!r}: {model.count_params():,} numbers")
    digest = model_card.digest(x, y)
    x, y = network.module.preprocess_input(x[:images]), y[:images]
    measures = model_card.measure(model, x, y, network.module.NETWORK.labels)
    model_card.print_measures(measures)
    print(f"one image: {milliseconds(model, x[:1]):.2f} ms (median)")
    if model_card.file_digest(network.path(FILE)) != card["file_digest"]:
        print(f"DIFFERENT: the card {network.file_name}.md is of another weights file", file=sys.stderr)
        return 1
    if images is not None and images < card["test"].count:
        print(f"the card has, of all images: {model_card.describe(card['test'])}\n")
        return 0
    if digest != card["test_digest"]:
        print(f"not compared: these are other images than the card's, which are {network.note}")
        print(f"the card has: {model_card.describe(card['test'])}\n")
        return 0
    return compare(measures, card["test"])


def compare(measures, expected):
    """Print whether two `Measures` of the same images are the same but for rounding; returns the exit status."""
    moved = np.abs(measures.confusion - expected.confusion).sum() / 2
    if moved > ROUNDING or abs(measures.cross_entropy - expected.cross_entropy) > 0.001:
        print(f"DIFFERENT: the card has {model_card.describe(expected)}", file=sys.stderr)
        return 1
    print("as on the card\n" if moved == 0 else f"as on the card, but for {moved:.0f} of the images: rounding\n")
    return 0


def milliseconds(model, x):
    """Return the median time that `predict` takes."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        model.predict(x, verbose=0)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def read_embedded_digits():
    """Print how LeNet-5 reads digits of other people, scanned in another way; returns its `Measures`."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data(size=BOX)
    border = (28 - BOX) // 2
    x = np.pad(np.concatenate([x_train, x_test]), [(0, 0), (border, border), (border, border), (0, 0)])
    model = keras.applications.LeNet5(weights="mnist")
    measures = model_card.measure(model, x, np.concatenate([y_train, y_test]), lenet5.NETWORK.labels)
    print("LeNet-5 of MNIST on the embedded digits, 8x8 pixels scaled up to MNIST's box; none of them was trained on")
    model_card.print_measures(measures)
    return measures


if __name__ == "__main__":
    sys.exit(main())
