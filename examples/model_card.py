"""Model cards: what a trained network is, and how well it does on images it has never seen, as a page beside its file.

The other examples import this one: `measure` counts, `write_card` writes, `read_card` reads the counts again. As a
script, `python examples/model_card.py trained_models`, it renews the table in that folder's README from its cards.
"""

import dataclasses
import hashlib
import os
import pathlib
import platform
import re
import sys

import numpy as np

import minikeras as keras
from minikeras.saving.atomic import replacing

PAGE = """\
# {title}

{about}

```python
import minikeras as keras

model = {usage}
```

## Figures

{figures}

The intervals are Wilson's, of 95 %. The test images were looked at {test_looks}.
`python examples/evaluate_pretrained.py` prints the test figures again, from the file.

The classes of the test images:

{classes}

What was taken for what:

![Confusion matrix of the test images: a row for each true class, a column for each predicted one]({name}.png)

{confusion}

## File

{file}

## Architecture

{architecture}

## Data

{data}

SHA-256 of the test images and labels, as they are loaded: `{test_digest}`

## Training

{training}

{recipe}

## Known limits

{limits}
"""
CORNER = "true \\ predicted"  # of the confusion matrix, for which `read_card` looks
INDEX = r"(?m)^\| network \|.*\n(\|.*\n)*"  # the table that `write_index` renews
PICTURE_DPI = 90  # a file of 35 to 45 kB, which is installed with the package


@dataclasses.dataclass
class Measures:
    """How a classifier did: everything follows from how often each class was taken for each.

    Args:
        class_names: list of the classes' names.
        confusion: integers (true class, predicted class), how many images.
        cross_entropy: mean over the images, natural logarithm.
    """

    class_names: list
    confusion: np.ndarray
    cross_entropy: float

    @property
    def count(self):
        return int(self.confusion.sum())

    @property
    def errors(self):
        return self.count - int(np.trace(self.confusion))

    @property
    def accuracy(self):
        return 1 - self.errors / self.count

    @property
    def interval(self):
        """Where the accuracy lies, with 95 %: (lower, upper)"""
        return wilson_interval(self.count - self.errors, self.count)

    @property
    def class_counts(self):
        """Images of each class."""
        return self.confusion.sum(axis=1)

    @property
    def class_accuracy(self):
        """Share of each class' images that are right, its recall; NaN for a class without images."""
        counts = self.class_counts
        return np.where(counts > 0, np.diag(self.confusion) / np.maximum(counts, 1), np.nan)


@dataclasses.dataclass(kw_only=True)
class Facts:
    """What a card says that cannot be computed from the network. Texts are Markdown, without a machine's own paths.

    Args:
        about: a few sentences on what the network is, with the paper.
        usage: the expression that loads it, as ``keras.applications.LeNet5(weights="mnist")``.
        data: which images it was trained, validated and tested on, whose they are, under which licence.
        test_digest: `digest` of the test images and labels, as the data set's loader returns them.
        recipe: augmentation, loss, optimizer, schedule.
        commands: list of those that train it again, one after the other.
        seeds: of everything random, in each of the commands.
        epochs: how many.
        seconds: that the training took.
        machine: on what, in neutral words: ``"2 threads of an x86-64 CPU"``.
        test_looks: how often the test images were looked at: ``"once, after all choices were made"``.
        limits: list of sentences: what it should not be used for, what is not known.
    """

    about: str
    usage: str
    data: str
    test_digest: str
    recipe: str
    commands: list
    seeds: list
    epochs: int
    seconds: float
    machine: str
    test_looks: str
    limits: list


def wilson_interval(successes, count, z=1.959964):
    """Return the score interval (lower, upper) of a probability, of which ``count`` trials had ``successes``.

        (p + z^2 / 2n  -+  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),    p = successes / n

    where z = 1.959964 is the quantile of the normal distribution for 95 %. Unlike p -+ z sqrt(p (1 - p) / n) it stays
    in [0, 1] and does not shrink to nothing at p = 0 and 1.

    Raises:
        ValueError: no trials, or not 0 <= successes <= count.

    Reference: E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association, 1927.
    """
    if not 0 <= successes <= count or count == 0:
        raise ValueError(
            f"`successes` must be from 0 to `count`, which is 1 or more. Received: successes={successes}, count={count}"
        )
    p, square = successes / count, z * z / count
    centre, half = p + square / 2, (square * (p * (1 - p) + square / 4)) ** 0.5
    return max(0.0, (centre - half) / (1 + square)), min(1.0, (centre + half) / (1 + square))


def measure(model, x, y, class_names):
    """Return the `Measures` of a classifier that puts out probabilities or logits (samples, classes).

    Args:
        model: anything with Keras' `predict`.
        x: images, as the model takes them.
        y: their classes: whole numbers of shape (samples,) or (samples, 1).
        class_names: a name for each class.

    Raises:
        ValueError: shapes that do not fit, labels out of range, no images, outputs that are not finite.
    """
    y, classes = np.asarray(y).reshape(-1), len(class_names)
    if len(x) != len(y) or not len(y):
        raise ValueError(f"`x` and `y` must be equally long, and not empty. Received: {len(x)} and {len(y)}")
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes:
        raise ValueError(
            f"`y` must be whole numbers from 0 to {classes - 1}, one for each name in `class_names`. Received: "
            f"{y.dtype}, from {y.min()} to {y.max()}"
        )
    outputs = np.asarray(model.predict(x, batch_size=256, verbose=0), "float64")
    if outputs.shape != (len(y), classes) or not np.isfinite(outputs).all():
        raise ValueError(
            f"`model` must put out finite numbers of shape {(len(y), classes)}. Received shape {outputs.shape}, "
            f"{np.count_nonzero(~np.isfinite(outputs))} numbers not finite"
        )
    confusion = np.zeros((classes, classes), "int64")
    np.add.at(confusion, (y, outputs.argmax(axis=1)), 1)
    if outputs.min() < 0 or abs(outputs.sum(axis=1) - 1).max() > 1e-3:  # logits
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    likelihoods = np.maximum(outputs[np.arange(len(y)), y], 1e-7)  # as Keras' losses clip them
    return Measures(list(class_names), confusion, float(-np.log(likelihoods).mean()))


def digest(*arrays):
    """Return the SHA-256 of arrays, their types and shapes: whether two data sets are the same, to the bit."""
    hasher = hashlib.sha256()
    for array in arrays:
        hasher.update(f"{array.dtype.str}{array.shape}".encode())
        hasher.update(np.ascontiguousarray(array))
    return hasher.hexdigest()


def file_digest(path):
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def percent(share):
    return f"{100 * share:.2f} %"


def describe(measures):
    """Return one line: accuracy, interval, errors, cross-entropy."""
    lower, upper = measures.interval
    return (
        f"accuracy {percent(measures.accuracy)} (95 %: {100 * lower:.2f} to {percent(upper)}), {measures.errors:,} "
        f"errors in {measures.count:,} images, cross-entropy {measures.cross_entropy:.4f}"
    )


def print_measures(measures):
    """Print that line, and a table with a row for each class: accuracy, and what its images were taken for."""
    print(describe(measures))
    width = max(5, *map(len, measures.class_names))
    number = max(4, len(str(measures.confusion.max())))
    print(f"{'true':{width}}  accuracy    predicted {' / '.join(measures.class_names)}")
    for name, accuracy, row in zip(measures.class_names, measures.class_accuracy, measures.confusion):
        print(f"{name:{width}}  {100 * accuracy:6.2f} %  {' '.join(f'{value:{number}}' for value in row)}")


def write_card(folder, name, title, model, measures, facts):
    """Write ``NAME.md`` and the picture ``NAME.png`` beside ``NAME.weights.h5``, each whole or not at all.

    Args:
        folder: where the weights file is. Save it from a model that was not compiled: that of a compiled one holds the
            optimizer's state too, and is three times as large.
        name: of the files, without the ending.
        title: of the page.
        model: the network itself, with the weights of the file.
        measures: dict of `Measures`: ``"test"``, before it ``"validation"`` if images were set aside.
        facts: `Facts`.

    Raises:
        FileNotFoundError: there is no weights file.
        ImportError: matplotlib, which draws the confusion matrix, is not installed.
    """
    weights_file = os.path.join(folder, f"{name}.weights.h5")
    test = measures["test"]
    names = test.class_names
    file = {
        "name": f"`{name}.weights.h5`, {os.path.getsize(weights_file):,} bytes, in Keras 3's layout",
        "SHA-256": f"`{file_digest(weights_file)}`",
        "weights": f"{model.count_params():,}, of which {sum(w.size for w in model.trainable_weights):,} are trained",
    }
    training = {
        "command": ", then ".join(f"`{command}`" for command in facts.commands),
        "seed": ", then ".join(map(str, facts.seeds)),
        "epochs": facts.epochs,
        "time": f"{_duration(facts.seconds)} on {facts.machine}",
        "with": f"minikeras {keras.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    }
    page = PAGE.format(
        **{**dataclasses.asdict(facts), "limits": "\n".join(f"- {limit}" for limit in facts.limits)},
        title=title,
        name=name,
        figures=_figures(measures),
        classes=_classes(test),
        confusion=_table([CORNER, *names], ([name, *row] for name, row in zip(names, test.confusion))),
        file=_table(["file", ""], file.items()),
        architecture=_architecture(model),
        training=_table(["training", ""], training.items()),
    )
    y_true, y_pred = (np.repeat(places.ravel(), test.confusion.ravel()) for places in np.indices(test.confusion.shape))
    figure = keras.visualization.plot_confusion_matrix(y_true, y_pred, names)
    with replacing(os.path.join(folder, f"{name}.png")) as temporary:
        figure.savefig(temporary, format="png", dpi=PICTURE_DPI, pil_kwargs={"optimize": True})
    with replacing(os.path.join(folder, f"{name}.md")) as temporary, open(temporary, "w", encoding="utf-8") as card:
        card.write(page)


def read_card(path):
    """Return what a card says: a dict of ``title``, ``weights``, ``test`` (the `Measures`), and two digests,
    ``file_digest`` and ``test_digest``.

    Raises:
        ValueError: it is no card that `write_card` wrote.
    """
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    try:
        start = next(i for i, row in enumerate(rows) if row[0] == CORNER)
        names = rows[start][1:]
        matrix = [[int(cell.replace(",", "")) for cell in row[1:]] for row in rows[start + 2 : start + 2 + len(names)]]
        confusion = np.array(matrix).reshape(len(names), len(names))
        cross_entropy = float(next(row[-1] for row in rows if row[0] == "test"))
        return {
            "title": lines[0].removeprefix("# "),
            "weights": int(next(row[1].split(", of")[0].replace(",", "") for row in rows if row[0] == "weights")),
            "test": Measures(names, confusion, cross_entropy),
            "file_digest": next(row[1].strip("`") for row in rows if row[0] == "SHA-256"),
            "test_digest": next(line.split("`")[1] for line in lines if line.startswith("SHA-256 of the test images")),
        }
    except (StopIteration, ValueError, IndexError) as error:
        raise ValueError(f"{path} is no model card that `write_card` wrote, or it was changed by hand") from error


def write_index(folder):
    """Renew the table in a folder's ``README.md``: a row for each network that has a card there.

    Raises:
        ValueError: the page has no table of networks.
    """
    folder, rows = pathlib.Path(folder), []
    for path in sorted(folder.glob("*.weights.h5")):
        name = path.name.removesuffix(".weights.h5")
        card = read_card(folder / f"{name}.md")
        test, (lower, upper) = card["test"], card["test"].interval
        rows.append([f"[{card['title']}]({name}.md)", card["weights"], path.stat().st_size, percent(test.accuracy),
                     f"{100 * lower:.2f} to {percent(upper)}", test.errors, test.count])  # fmt: skip
    page = (folder / "README.md").read_text(encoding="utf-8")
    table = _table(["network", "weights", "bytes", "test accuracy", "95 % interval", "errors", "images"], rows)
    if not re.search(INDEX, page):
        raise ValueError(f"{folder / 'README.md'} has no table that begins with '| network |'")
    with replacing(folder / "README.md") as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(re.sub(INDEX, lambda match: f"{table}\n", page, count=1))


def _figures(measures):
    rows = []
    for split, one in measures.items():
        lower, upper = one.interval
        interval = f"{100 * lower:.2f} to {percent(upper)}"
        rows.append([split, one.count, one.errors, percent(one.accuracy), interval, f"{one.cross_entropy:.4f}"])
    return _table(["images", "number", "errors", "accuracy", "95 % interval", "cross-entropy"], rows)


def _classes(measures):
    rows = []
    for i, (name, count) in enumerate(zip(measures.class_names, measures.class_counts)):
        right = measures.confusion[i, i]
        lower, upper = wilson_interval(right, count) if count else (0, 1)
        rows.append([name, count, right, percent(measures.class_accuracy[i]), f"{100 * lower:.2f} to {percent(upper)}"])
    return _table(["class", "images", "right", "accuracy", "95 % interval"], rows)


def _architecture(model):
    rows = [["input", "", model.input_shape, 0]]
    rows += [[layer.name, type(layer).__name__, layer.output_shape, layer.count_params()] for layer in model.layers]
    return _table(["layer", "kind", "output shape", "weights"], rows)


def _table(header, rows):
    """Return a table in Markdown; integers have commas and stand on the right."""
    rows = [list(row) for row in rows]
    numeric = [all(isinstance(row[i], (int, np.integer)) for row in rows) for i in range(len(header))]
    lines = [header, ["--:" if right else "---" for right in numeric], *rows]
    texts = [[f"{cell:,}" if isinstance(cell, (int, np.integer)) else str(cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in texts)


def _duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    write_index(*sys.argv[1:])
