"""The command line: ``minikeras train`` trains LeNet-5 and says how well it reads digits it has never seen, and
``minikeras run`` runs a Keras script."""

import argparse
import os
import sys
import time

import numpy as np

from minikeras import callbacks, config, datasets, optimizers, utils
from minikeras.layers.base import positive_integer
from minikeras.version import __version__

EPOCHS = {"digits": 30, "mnist": 5}  # MNIST's epochs are 40 times as long
VALIDATION_SHARE = 0.1


def main(arguments=None):
    """Run a command; returns the exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    rest = []
    if arguments[:1] == ["run"]:  # what follows the script is the script's, also what looks like an option of ours
        arguments, rest = arguments[:2], arguments[2:]
    options = make_parser().parse_args(arguments)
    options.rest = rest
    try:
        return options.run(options)
    except (ValueError, TypeError, OSError) as error:
        print(f"minikeras {options.command}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"minikeras {options.command}: interrupted", file=sys.stderr)
        return 130


def make_parser():
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="minikeras", description="Keras' Sequential API in NumPy.")
    parser.add_argument("--version", action="version", version=f"minikeras {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "train",
        help="train LeNet-5 on handwritten digits",
        description="Train LeNet-5 on handwritten digits, print the test accuracy, and save the weights, the history "
        "and a picture of the learning curve.",
    )
    command.set_defaults(run=train)
    add = command.add_argument
    add("--data", choices=list(EPOCHS), default="digits", help="digits (default) are embedded, mnist is downloaded")
    add("--epochs", type=int, help="default: " + ", ".join(f"{epochs} for {name}" for name, epochs in EPOCHS.items()))
    add("--batch-size", type=int, default=32, metavar="N", help="images a step (default: %(default)s)")
    add("--optimizer", default="adam", metavar="NAME", help="adam (default), sgd, rmsprop, ...")
    add("--learning-rate", type=float, default=0.002, metavar="RATE", help="at the start (default: %(default)s)")
    add("--activation", default="relu", metavar="NAME", help="relu (default), tanh as in the paper, ...")
    add("--pooling", choices=["max", "average"], default="max", help="max (default), or average as in the paper")
    add("--shift", type=int, default=2, metavar="PIXELS", help="move training images so far (default: %(default)s)")
    add("--seed", type=int, default=0, help="of weights, order and shifts (default: %(default)s)")
    add("--output", metavar="FOLDER", help="default: runs/ and the time")
    add("--verbose", type=int, choices=[0, 1, 2], default=1, help="1 (default): progress bar, 2: a line an epoch")
    command = commands.add_parser(
        "run",
        help="run a Keras script",
        usage="minikeras run [-h] SCRIPT [ARGS ...]",
        description="Run a Python script that uses Keras: minikeras stands in for keras and tensorflow.keras. "
        "What it does not have is refused, with the line that asked for it. ARGS are the script's.",
        epilog="Exit status: 0, or what the script gives to sys.exit; 1 if it fails; 2 if it cannot be read; 3 if it "
        "needs what minikeras does not have; 130 if it is interrupted.",
    )
    command.set_defaults(run=run)
    command.add_argument("script", metavar="SCRIPT")
    return parser


def train(options):
    """Train, evaluate, save."""
    from minikeras.applications import LeNet5

    epochs = EPOCHS[options.data] if options.epochs is None else positive_integer(options.epochs, "--epochs")
    batch_size = positive_integer(options.batch_size, "--batch-size")
    if not 0 <= options.shift < 28:
        raise ValueError(f"--shift must be from 0 to 27, less than an image. Received: {options.shift}")
    folder = options.output or os.path.join("runs", time.strftime("%Y%m%d-%H%M%S"))
    utils.set_random_seed(options.seed)
    model = LeNet5(weights=None, activation=options.activation, subsampling=options.pooling)
    model.compile(
        optimizers.get(options.optimizer),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        learning_rate=options.learning_rate,
    )
    (x, y), (x_test, y_test) = load_images(options.data)
    split = round(len(x) * (1 - VALIDATION_SHARE))
    batches = ShiftedImages(x[:split], y[:split], batch_size, options.shift)
    os.makedirs(folder, exist_ok=True)
    history_file = os.path.join(folder, "history.csv")
    print(
        f"LeNet-5 ({model.count_params():,} weights) on {options.data}: {split:,} images to train on, "
        f"{len(x) - split:,} to validate, {len(x_test):,} to test"
    )
    start = time.perf_counter()
    history = model.fit(
        batches,
        epochs=epochs,
        validation_data=(x[split:], y[split:]),
        # The rate falls in a straight line: at the end the weights no longer jump about the minimum.
        callbacks=[
            callbacks.LearningRateScheduler(lambda epoch: options.learning_rate * (1 - epoch / epochs)),
            callbacks.CSVLogger(history_file),
        ],
        verbose=options.verbose,
    )
    print(f"trained for {len(history.epoch)} epochs in {time.perf_counter() - start:.1f} s")
    accuracy = model.evaluate(x_test, y_test, batch_size=256, verbose=0, return_dict=True)["accuracy"]
    weights_file = os.path.join(folder, "lenet5.weights.h5")
    model.save_weights(weights_file)
    print(f"saved {weights_file} and {history_file}")
    picture = os.path.join(folder, "learning_curve.png")
    if draw_learning_curve(history, picture):
        print(f"saved {picture}")
    else:
        print("no picture of the learning curve: matplotlib is not installed (pip install 'minikeras[plot]')")
    print(f"test accuracy: {accuracy:.4f}")
    return 0


def run(options):
    """Run a script; returns its exit status."""
    from minikeras.run import run_script

    return run_script(options.script, options.rest)


def load_images(name):
    """Return the data set as float32 images of 28x28 pixels in [0, 1] with a channel axis, and labels."""
    if name == "digits":
        return datasets.digits.load_data(size=28)
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    return (x_train[..., None] / np.float32(255), y_train), (x_test[..., None] / np.float32(255), y_test)


class ShiftedImages(utils.PyDataset):
    """Batches of images in a new order each epoch, each image moved by up to ``shift`` pixels both ways.

    A digit that is a little to the left is the same digit: the network sees more of what may come than the few images
    show.
    """

    def __init__(self, x, y, batch_size, shift):
        super().__init__()
        self.x, self.y, self.batch_size, self.shift = x, y, batch_size, shift
        self.generator = config.make_generator()
        self.on_epoch_begin()

    def on_epoch_begin(self):
        self.order = self.generator.permutation(len(self.x))

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        x = self.x[rows]
        if self.shift:
            border = (self.shift, self.shift)
            padded = np.pad(x, ((0, 0), border, border, (0, 0)))
            down, right = self.generator.integers(0, 2 * self.shift + 1, (2, len(x)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, x.shape[1:3], axis=(1, 2))
            x = np.moveaxis(windows[np.arange(len(x)), down, right], 1, -1)
        return x, self.y[rows]


def draw_learning_curve(history, path):
    """Draw the curves of a training into a PNG file; False if matplotlib is not installed."""
    from minikeras.visualization import plot_history

    try:
        plot_history(history, path)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
