"""LeNet-5 trained on MNIST: the network that `applications.LeNet5(weights="mnist")` loads.

    python examples/train_lenet.py --output run                 # trains, and measures on 5,000 images set aside
    python examples/train_lenet.py --output run --test          # then: measures on the test images, writes the card
    python examples/train_lenet.py --data digits --epochs 20    # a small one in seconds, without a download

A run that was interrupted goes on at the epoch it had reached when the same command is given again, and ends with the
same weights, to the bit, as one that was not. Choices are to be made on the images set aside: the test images are
looked at with --test only.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
import time

import numpy as np

import minikeras as keras
import model_card
from minikeras.saving.atomic import replacing

DATA = {
    "mnist": "MNIST: 70,000 handwritten digits of 28x28 pixels, by Y. LeCun, C. Cortes and C. Burges (CC BY-SA 3.0), "
    "from `datasets.mnist`",
    "digits": "UCI digits: 1,797 handwritten digits of 8x8 pixels, scaled up to 28x28, by E. Alpaydin and C. Kaynak "
    "(CC BY 4.0), from `datasets.digits`",
}
RECIPE = {"rotation": 10.0, "shift": 0.07, "scale": 0.1, "shear": 0.1, "noise": 0.0}
CLASSES = [str(digit) for digit in range(10)]
UNTOLD = ("output", "backup", "test", "looks", "machine")  # options that the weights do not depend on
LIMITS = [
    "It knows the ten digits only, one to an image, and calls anything else one of them, often with a high score.",
    "Digits are expected as in MNIST: bright on black, 20 pixels high in a field of 28, with their centre of mass in "
    "the middle. A photo has to be cut out, inverted and centred first.",
    "The writers were Americans of about 1990: a 1 with a long upstroke or a crossed 7 is rare among their digits.",
]


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", choices=DATA, default="mnist", help="images: mnist (downloaded) or digits (embedded)")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="the largest, after the warm-up")
    parser.add_argument("--warmup", type=float, default=16, help="epochs in which it rises, at most a third of all")
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--validation", type=int, default=5000, help="images set aside, at most a fifth; 0: none")
    parser.add_argument("--output", help="folder for weights, log and card; by default a temporary one")
    parser.add_argument("--backup", help="folder of the unfinished training, by default OUTPUT/backup")
    parser.add_argument("--test", action="store_true", help="at the end, look at the test images and write a card")
    parser.add_argument("--looks", default="once, after all choices were made", help="how often that was done")
    parser.add_argument("--machine", default=f"a {platform.machine()} CPU", help="what the card says of the computer")
    return parser.parse_args(arguments)


class Shuffled(keras.utils.PyDataset):
    """Batches of images, in an order that follows from the seed and the number of the epoch."""

    def __init__(self, x, y, batch_size):
        super().__init__()
        self.x, self.y, self.batch_size = x, y, batch_size
        self.order = np.arange(len(x))

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.x[rows], self.y[rows]


class DrawAnew(keras.callbacks.Callback):
    """Lets all that is random in an epoch follow from the seed and its number, whatever was drawn before: a resumed
    training cannot be told from one that was never interrupted."""

    def __init__(self, seed, data, augmentation):
        super().__init__()
        self.seed, self.data, self.augmentation = seed, data, augmentation

    def on_epoch_begin(self, epoch, logs=None):
        self.data.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.data.x))
        for i, layer in enumerate(self.augmentation.layers):
            layer.generator = np.random.default_rng([self.seed, epoch, i])


class Log(keras.callbacks.Callback):
    """Prints an epoch as a line, and keeps all of them in a JSON file, with the settings and the seconds they took."""

    def __init__(self, path, settings):
        super().__init__()
        self.path, self.settings, self.epochs = path, settings, []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            if content["settings"] != settings:
                raise SystemExit(f"{path} is of other settings, {content['settings']}: choose another --output")
            self.epochs = content["epochs"]

    @property
    def complete(self):
        return len(self.epochs) == self.settings["epochs"]

    @property
    def seconds(self):
        return sum(epoch["seconds"] for epoch in self.epochs)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch > len(self.epochs):
            raise SystemExit(f"The backup is of another run, which had reached epoch {epoch}: choose another --backup")
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {name: round(float(value), 6) for name, value in logs.items()}
        row["seconds"] = round(time.perf_counter() - self.start, 2)
        self.epochs = [*self.epochs[:epoch], row]  # what was done after the last backup is done again
        with replacing(self.path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump({"settings": self.settings, "epochs": self.epochs}, file, indent=1)
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "seconds")
        print(f"epoch {epoch + 1:3}/{self.settings['epochs']}  {numbers}  {row['seconds']:.1f} s", flush=True)


def load(name):
    """Return (x, y), (x, y) to train on and to test on, pixels in [0, 1], and the `digest` of the latter as loaded."""
    train, test = keras.datasets.mnist.load_data() if name == "mnist" else keras.datasets.digits.load_data(size=28)
    digest = model_card.digest(*test)
    if name == "mnist":
        train, test = ((keras.applications.lenet5.preprocess_input(x), y) for x, y in (train, test))
    return train, test, digest


def set_aside(x, y, count):
    """Return (x, y) without ``count`` images drawn at random, and those. The draw is the same for all seeds."""
    count = min(count, len(x) // 5)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order[count:]], y[order[count:]]), (x[order[:count]], y[order[:count]])


def make_optimizer(options, steps_per_epoch):
    """AdamW, with a learning rate that first rises evenly and then falls along a cosine: one cycle."""
    steps = options.epochs * steps_per_epoch
    warmup = int(min(options.warmup, options.epochs / 3) * steps_per_epoch)
    rate = keras.optimizers.schedules.CosineDecay(
        options.learning_rate / 25, steps - warmup, alpha=1e-4, warmup_target=options.learning_rate,
        warmup_steps=warmup,
    )  # fmt: skip
    return keras.optimizers.AdamW(rate, weight_decay=options.weight_decay)


def train(options, net, log, images, validation):
    """Train ``net`` on distorted images, from the backup on if there is one."""
    data = Shuffled(*images, options.batch_size)
    augmentation = keras.preprocessing.digits.augmentation(**RECIPE)
    model = keras.Sequential([augmentation, net])
    optimizer = make_optimizer(options, len(data))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    backup = options.backup or os.path.join(options.output, "backup")
    callbacks = [
        DrawAnew(options.seed, data, augmentation),
        log,
        keras.callbacks.BackupAndRestore(backup, delete_checkpoint=False),
    ]
    model.fit(
        data, epochs=options.epochs, shuffle=False, verbose=0, callbacks=callbacks,
        validation_data=validation, validation_batch_size=500,
    )  # fmt: skip
    return backup


def describe(options, log, counts, digest):
    """Return what the model card says beside the figures."""
    defaults = vars(parse([]))
    told = {key: value for key, value in vars(options).items() if key not in UNTOLD and value != defaults[key]}
    changed = [f"--{key.replace('_', '-')} {value}" for key, value in told.items()]
    weights = "mnist" if options.data == "mnist" else "lenet5_digits.weights.h5"
    angle, shift, scale, shear = (RECIPE[key] for key in ("rotation", "shift", "scale", "shear"))
    return model_card.Facts(
        about="LeNet-5, with ReLU in place of tanh and maxima in place of means. Y. LeCun, L. Bottou, Y. Bengio, "
        "P. Haffner, Gradient-based learning applied to document recognition, Proceedings of the IEEE, 1998: 99.05 % "
        "of MNIST's test images, 99.2 % when trained on distorted ones.",
        usage=f'keras.applications.LeNet5(weights="{weights}")',
        data=f"{DATA[options.data]}. Trained on {counts[0]:,} of the training images; the other {counts[1]:,}, drawn "
        f"at random, are the validation images. Tested on all {counts[2]:,} test images.",
        test_digest=digest,
        recipe=f"Each image is distorted anew in each epoch: turned by up to {angle:g} degrees, shifted by up to "
        f"{100 * shift:g} % of its side, stretched by up to {100 * scale:g} % in height and in width, slanted by up to "
        f"{shear:g}. Cross-entropy; AdamW with weight decay {options.weight_decay:g}, batches of {options.batch_size}; "
        f"the learning rate rises to {options.learning_rate:g} in {min(options.warmup, options.epochs / 3):g} epochs "
        "and falls to 0 along a cosine. The weights are those of the last epoch.",
        command=" ".join(["python examples/train_lenet.py --output run", *changed]),
        seed=options.seed,
        epochs=options.epochs,
        seconds=log.seconds,
        machine=options.machine,
        test_looks=options.looks,
        limits=LIMITS,
    )


def main(options):
    keras.utils.set_random_seed(options.seed)
    name = f"lenet5_{options.data}"
    os.makedirs(options.output, exist_ok=True)
    settings = {key: value for key, value in vars(options).items() if key not in UNTOLD}
    log = Log(os.path.join(options.output, f"{name}.json"), {**settings, "recipe": RECIPE})
    images, test, digest = load(options.data)
    images, validation = set_aside(*images, options.validation)
    path = os.path.join(options.output, f"{name}.weights.h5")
    if not (log.complete and os.path.exists(path)):
        net = keras.applications.LeNet5(weights=None)
        backup = train(options, net, log, images, validation if len(validation[0]) else None)
        net.save_weights(path)
        shutil.rmtree(backup)

    net = keras.applications.LeNet5(weights=path)
    measures = {}
    for split, (x, y) in {"validation": validation, "test": test}.items():
        if len(x) and (split == "validation" or options.test):
            measures[split] = model_card.measure(net, x, y, CLASSES)
            print(f"\n{split}: ", end="")
            model_card.print_measures(measures[split])
            assert measures[split].accuracy > 0.5  # guessing is right once in ten times
    if options.test:
        counts = len(images[0]), len(validation[0]), len(test[0])
        title = f"LeNet-5 on {DATA[options.data].split(':')[0]}"
        model_card.write_card(options.output, name, title, net, measures, describe(options, log, counts, digest))
    assert log.complete
    assert net.count_params() == 61_706


if __name__ == "__main__":
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        options.output = options.output or folder
        main(options)
