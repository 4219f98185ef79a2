"""A training that may be interrupted at any moment: what the scripts of the pretrained networks have in common.

The same command begins it, goes on with it at the epoch it had reached, and measures what it ended with. How often it
was interrupted makes no difference to the weights, to the bit: all that is random in an epoch follows from the seed and
the epoch's number.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import tempfile
import time

import numpy as np

import minikeras as keras
import model_card
from minikeras.saving.atomic import replacing

COUNTED = 10_000  # images, for the means and variances of averaged networks
UNTOLD = ("output", "backup", "test", "looks", "machine", "lessons")  # options that the weights do not depend on


class Training:
    """Abstract: a network's training. Subclasses have the attributes and the methods below.

    Args:
        options: what `parse` returns.
    """

    script = None  # its file's name
    data = {}  # names of data sets, as the option --data takes them, to what the model card says of them
    classes = ()  # their names
    epochs = batch_size = learning_rate = warmup = weight_decay = None  # defaults of the options
    settings = {}  # what the weights depend on beside the options
    validation_freq = 1  # epochs from one look at the validation images to the next
    least_accuracy = 0.5  # of any result, else something went wrong

    def __init__(self, options):
        self.options = options

    @property
    def all_settings(self):
        """All that the weights depend on, as a dict that JSON can keep."""
        told = {key: value for key, value in vars(self.options).items() if key not in UNTOLD and value is not None}
        return {**told, **self.settings}

    @staticmethod
    def add_options(parser):
        """Add options of its own."""

    @property
    def name(self):
        """Of the files, without the ending."""
        raise NotImplementedError

    def load(self):
        """Return ``(x, y), (x, y), digest``: what to train on, what to test on, as the network takes it, and the
        `model_card.digest` of the latter as it was loaded."""
        raise NotImplementedError

    def make_network(self, weights=None):
        raise NotImplementedError

    def prepare(self, net, x, y):
        """Return a model with the weights of ``net``, and the `Batches` to train it on."""
        raise NotImplementedError

    def compile(self, model, learning_rate):
        raise NotImplementedError

    def targets(self, y):
        """Return labels in the form that the loss takes."""
        return y

    def facts(self):
        """Return a dict of what the model card says: title, about, usage, recipe, limits.

        The recipe tells of images, labels, loss and optimizer, and ends where batches and learning rate may follow.
        """
        raise NotImplementedError


def parse(training, description, arguments=None):
    """Return the options of a script."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    names = list(training.data)
    parser.add_argument("--data", choices=names, default=names[0], help=f"images; only {names[0]} is downloaded")
    parser.add_argument("--epochs", type=int, default=training.epochs)
    parser.add_argument("--batch-size", type=int, default=training.batch_size)
    parser.add_argument("--learning-rate", type=float, default=training.learning_rate, help="after the warm-up")
    parser.add_argument(
        "--warmup", type=float, default=training.warmup, help="epochs in which it rises; never over a third of all"
    )
    parser.add_argument("--weight-decay", type=float, default=training.weight_decay)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", help="weights of another run, its log beside them, in place of random ones")
    parser.add_argument(
        "--average", type=int, metavar="N", help="average the weights, at the end, with those that N runs before ended "
        "with: the one that --start names, the one that it started from, and so on",
    )  # fmt: skip
    training.add_options(parser)
    parser.add_argument("--validation", type=int, default=5000, help="images set aside, at most a fifth of all")
    parser.add_argument("--output", help="folder for weights, log and card; by default a temporary one")
    parser.add_argument("--backup", help="where to make the folder `backup`, by default in that of --output")
    parser.add_argument("--test", action="store_true", help="at the end, look at the test images and write a card")
    parser.add_argument("--looks", default="once, after all choices were made", help="for the card: how often")
    parser.add_argument("--machine", default=f"a CPU ({platform.machine()})", help="for the card: the computer")
    return parser.parse_args(arguments)


class Batches(keras.utils.PyDataset):
    """Batches of images, in an order that follows from the seed and the number of the epoch.

    Args:
        x, y: arrays (image, ...).
        options: has batch_size and seed.
        random_layers: that change the images, here or in the model.
    """

    def __init__(self, x, y, options, random_layers):
        super().__init__()
        self.x, self.y, self.options, self.random_layers = x, y, options, random_layers
        self.draw(0)

    def draw(self, epoch):
        """Let all that is random in an epoch follow from the seed and its number, whatever was drawn before."""
        self.order = np.random.default_rng([self.options.seed, epoch]).permutation(len(self.x))
        for i, layer in enumerate(self.random_layers):
            layer.generator = np.random.default_rng([self.options.seed, epoch, i])

    def __len__(self):
        return -(-len(self.x) // self.options.batch_size)

    def __getitem__(self, index):
        size = self.options.batch_size
        rows = self.order[index * size : (index + 1) * size]
        return self.x[rows], self.y[rows]


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


def set_aside(x, y, count):
    """Return (x, y) without ``count`` images drawn at random, and those.

    The draw is the same for all seeds, and fewer images are some of those that a larger count sets aside.
    """
    count = min(count, len(x) // 5)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order[count:]], y[order[count:]]), (x[order[:count]], y[order[:count]])


def one_cycle(options, steps_per_epoch):
    """Return a learning rate that first rises evenly and then falls to nothing along a cosine.

    Reference: L. Smith, N. Topin, Super-convergence: very fast training of neural networks using large learning rates,
    2017, arXiv:1708.07120.
    """
    steps = options.epochs * steps_per_epoch
    warmup = int(min(options.warmup, options.epochs / 3) * steps_per_epoch)
    return keras.optimizers.schedules.CosineDecay(
        options.learning_rate / 25, steps - warmup, alpha=1e-4, warmup_target=options.learning_rate,
        warmup_steps=warmup,
    )  # fmt: skip


def fit(training, net, log, images, validation):
    """Train ``net`` on changed images, from the backup on if there is one; return the backup's folder."""
    options = training.options
    model, data = training.prepare(net, images[0], training.targets(images[1]))
    training.compile(model, one_cycle(options, len(data)))
    backup = os.path.join(options.backup or options.output, "backup")
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: data.draw(epoch)),
        log,
        keras.callbacks.BackupAndRestore(backup, delete_checkpoint=False),
    ]
    kept = (validation[0], training.targets(validation[1])) if len(validation[0]) else None
    model.fit(
        data, epochs=options.epochs, shuffle=False, verbose=0, callbacks=callbacks,
        validation_data=kept, validation_batch_size=500, validation_freq=training.validation_freq,
    )  # fmt: skip
    return backup


def average(net, starts, training, x):
    """Average the weights of ``net`` with those that earlier runs ended with.

    Batch normalization then gets the means and variances that its inputs have for images ``x``, averaged over batches:
    averaged ones would be those of no network.

    Reference: P. Izmailov et al., Averaging weights leads to wider optima and better generalization, 2018,
    arXiv:1803.05407, with a cyclical learning rate: each run is a cycle.
    """
    weights = [net.get_weights(), *(training.make_network(path).get_weights() for path in starts)]
    net.set_weights([np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)])
    found = [layer for layer in net.layers if isinstance(layer, keras.layers.BatchNormalization)]
    usual = [layer.momentum for layer in found]
    for i, start in enumerate(range(0, len(x) if found else 0, 250)):
        for layer in found:
            layer.momentum = i / (i + 1)  # what was before the first batch counts nothing, then all count alike
        net(x[start : start + 250], training=True)
    for layer, momentum in zip(found, usual):
        layer.momentum = momentum


def find_run(training, weights):
    """Return the `Training` and the `Log` of the run that wrote a weights file.

    Raises:
        SystemExit: the log is not there, or tells that images were trained on which are set aside now.
    """
    path = weights.removesuffix(".weights.h5") + ".json"
    try:
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)["settings"]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{path} should tell of what {weights} was trained on: {error!r}") from error
    data, aside = settings["data"], settings["validation"]
    if data != training.options.data or aside < training.options.validation:
        given = f"--data {data} --validation {aside}"
        raise SystemExit(f"{path} is of {given}, and so may have seen images that are set aside now")
    options = argparse.Namespace(**{**vars(parse(training, "", [])), **settings, "output": os.path.dirname(weights)})
    return type(training)(options), Log(path, settings)


def find_runs(training, log):
    """Return the (`Training`, `Log`) of all runs that the weights come from, the first of them first."""
    runs = [(training, log)]
    while start := runs[0][0].options.start:
        runs.insert(0, find_run(runs[0][0], start))
    return runs


def find_averaged(training, log):
    """Return the weights files that the option --average speaks of, the last of them first.

    Raises:
        SystemExit: there are not so many.
    """
    starts = [run.options.start for run, _ in find_runs(training, log)][:0:-1]
    count = training.options.average or 0
    if not 0 <= count <= len(starts):
        raise SystemExit(f"--average must be from 0 to the number of runs before, {len(starts)}. Received: {count}")
    return starts[:count]


def command(training):
    """Return the command of a run: the options that are not as by default."""
    defaults = vars(parse(training, "", []))
    words = ["--output", os.path.basename(os.path.abspath(training.options.output or "run"))]
    for key, value in training.all_settings.items():
        if key in defaults and value != defaults[key]:
            values = value if isinstance(value, list) else [f"{value:g}" if isinstance(value, float) else value]
            words += [f"--{key.replace('_', '-')}", *map(str, values)]
    return f"python examples/{training.script} {shlex.join(words)}"


def describe_recipe(training):
    """Return how a run was carried out, in sentences."""
    options = training.options
    return (
        f"{training.facts()['recipe']} Batches of {options.batch_size}; the learning rate rises to "
        f"{options.learning_rate:g} in {min(options.warmup, options.epochs / 3):g} epochs and falls to nearly 0 along "
        f"a cosine. {describe_weights(options)}"
    )


def describe_weights(options):
    last, count = "those of the last epoch", options.average
    if not count:
        return f"The weights are {last}."
    return (
        f"The weights are the mean of {last} and of what the {f'{count} runs' if count > 1 else 'run'} before ended "
        "with; means and variances of batch normalization, if there is any, were then taken anew, from at most "
        f"{COUNTED:,} training images."
    )


def describe(training, log, counts, digest):
    """Return what the model card says beside the figures."""
    options, facts = training.options, training.facts()
    runs = find_runs(training, log)
    recipes = [describe_recipe(one) for one, _ in runs]
    if len(runs) > 1:
        for i, (one, _) in enumerate(runs):
            begun = f" from the weights of run {i}" if i else ""
            aside = f"(--validation {one.options.validation})"
            recipes[i] = f"Run {i + 1}, {one.options.epochs} epochs{begun} {aside}: {recipes[i]}"
    trained = f"Trained on {counts[0]:,} of the training images; the other {counts[1]:,}, drawn at random, are the "
    return model_card.Facts(
        about=facts["about"],
        usage=facts["usage"],
        data=f"{training.data[options.data]}. "
        + (f"{trained}validation images." if counts[1] else f"Trained on all {counts[0]:,} training images.")
        + f" Tested on all {counts[2]:,} test images.",
        test_digest=digest,
        recipe="\n\n".join(recipes),
        commands=[command(one) for one, _ in runs],
        seeds=[one.options.seed for one, _ in runs],
        epochs=sum(one.options.epochs for one, _ in runs),
        seconds=sum(one_log.seconds for _, one_log in runs),
        machine=options.machine,
        test_looks=options.looks,
        limits=facts["limits"],
    )


def carry_out(training):
    """Train, or go on with it, unless it is complete; save the weights, measure, and write the card if asked to."""
    options = training.options
    keras.utils.set_random_seed(options.seed)
    os.makedirs(options.output, exist_ok=True)
    log = Log(os.path.join(options.output, f"{training.name}.json"), training.all_settings)
    averaged = find_averaged(training, log)  # what is wrong with earlier runs is told of before the training
    images, test, digest = training.load()
    images, validation = set_aside(*images, options.validation)
    path = os.path.join(options.output, f"{training.name}.weights.h5")
    if not (log.complete and os.path.exists(path)):
        net = training.make_network(options.start)
        backup = fit(training, net, log, images, validation)
        if averaged:
            average(net, averaged, training, images[0][:COUNTED])
        net.save_weights(path)
        shutil.rmtree(backup)

    net = training.make_network(path)
    measures = {}
    for split, (x, y) in {"validation": validation, "test": test}.items():
        if len(x) and (split == "validation" or options.test):
            measures[split] = model_card.measure(net, x, y, training.classes)
            print(f"\n{split}: ", end="")
            model_card.print_measures(measures[split])
            assert measures[split].accuracy > training.least_accuracy, "too few epochs, or something is wrong"
    if options.test:
        counts = len(images[0]), len(validation[0]), len(test[0])
        facts = describe(training, log, counts, digest)
        model_card.write_card(options.output, training.name, training.facts()["title"], net, measures, facts)
    assert log.complete


def run(training, description):
    """Carry a training out as a script: its class, with the options of the command line."""
    options = parse(training, description)
    with tempfile.TemporaryDirectory() as folder:
        options.output = options.output or folder
        carry_out(training(options))
