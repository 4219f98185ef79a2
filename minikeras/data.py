"""What `fit` accepts, turned into batches: arrays, lists, generators and `PyDataset`s of (x, y, sample_weight).

Everything that can be wrong with the data is looked for here, before a weight changes.
"""

import math
import warnings

import numpy as np

from minikeras import config


def is_dataset(x):
    """Whether ``x`` has batches of its own, by index: a `keras.utils.PyDataset` or anything with its methods."""
    return not hasattr(x, "dtype") and not isinstance(x, (list, tuple, dict, str)) and (
        hasattr(x, "__getitem__") and hasattr(x, "__len__") and not hasattr(x, "__array__")
    )


def is_generator(x):
    return not hasattr(x, "__array__") and hasattr(x, "__iter__") and not isinstance(x, (list, tuple, dict, str))


def unpack(batch):
    """Return (x, y, sample_weight) for what a generator yields: x, (x,), (x, y) or (x, y, sample_weight)."""
    if not isinstance(batch, (tuple, list)):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(
            f"A batch must be x, (x, y) or (x, y, sample_weight). Received: a {type(batch).__name__} of {len(batch)}"
        )
    return tuple(batch) + (None,) * (3 - len(batch))


def to_array(data, argument="x"):
    """Return numeric data as an array, or raise an error that says what is wrong with it."""
    if isinstance(data, dict):
        raise TypeError(f"`{argument}` must be one array: a Sequential model has one input. Received: a dict")
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(_ragged(data, argument)) from None
    kind = array.dtype.kind
    if kind == "O":
        if array.ndim == 0:
            raise TypeError(f"`{argument}` must be an array of numbers. Received: {type(data).__name__}")
        try:
            array = np.asarray(array.tolist())
        except ValueError:
            raise ValueError(_ragged(array, argument)) from None
        kind = array.dtype.kind
    if kind in "USOMm":
        sample = array.reshape(-1)[0] if array.size else None
        raise TypeError(f"`{argument}` must hold numbers. Received dtype {array.dtype}, for example {sample!r:.80}")
    if kind == "c":
        raise TypeError(f"`{argument}` must hold real numbers. Received dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"`{argument}` must have a batch axis. Received the single number {array}")
    return array


def check_finite(array, argument):
    """Raise a ValueError if an array of floats holds NaN or infinity."""
    if array.dtype.kind != "f":
        return
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):  # a finite sum needs no second look
            return
    bad = ~np.isfinite(array)
    count = int(bad.sum())
    if count:
        first = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), array.shape))
        raise ValueError(
            f"`{argument}` holds {count} values that are NaN or infinite, the first ({array[first]}) at index {first}. "
            "Remove those rows or replace the values"
        )


def standardize(x, y, sample_weight):
    """Return x, y and sample_weight as arrays of equal length; the last two may be None."""
    x = to_array(x, "x")
    if len(x) == 0:
        raise ValueError(f"`x` holds 0 samples: its shape is {x.shape}")
    check_finite(x, "x")
    if y is not None:
        y = to_array(y, "y")
        if len(y) != len(x):
            raise ValueError(f"`x` and `y` must have as many rows. Received: {len(x)} in x and {len(y)} in y")
        check_finite(y, "y")
    if sample_weight is not None:
        sample_weight = to_array(sample_weight, "sample_weight")
        if len(sample_weight) != len(x):
            raise ValueError(
                f"`x` and `sample_weight` must have as many rows. Received: {len(x)} in x and {len(sample_weight)} in "
                "sample_weight"
            )
        check_finite(sample_weight, "sample_weight")
    return x, y, sample_weight


def split_validation(x, y, sample_weight, validation_split):
    """Cut the last part of the rows off, for validation. Returns two triples."""
    valid = isinstance(validation_split, (int, float, np.number)) and not isinstance(validation_split, bool)
    if not valid or not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must lie between 0 and 1. Received: {validation_split!r}")
    cut = math.floor(len(x) * (1 - validation_split))
    if cut == 0 or cut == len(x):
        raise ValueError(
            f"`validation_split`={validation_split} of {len(x)} samples leaves {cut} for training and {len(x) - cut} for "
            "validation: both must have at least one"
        )
    parts = [[None if a is None else a[rows] for a in (x, y, sample_weight)] for rows in (slice(cut), slice(cut, None))]
    return tuple(parts[0]), tuple(parts[1])


def class_weights_of(y, class_weight):
    """Return the weight of each row of ``y`` (labels or one-hot rows) for a dict {class: weight}."""
    y = np.asarray(y)
    if y.ndim > 2:
        raise ValueError(f"`class_weight` needs labels of shape (n,), (n, 1) or (n, classes). Received shape {y.shape}")
    labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(-1).astype(int)
    weights = np.ones(len(labels), config.floatx())
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights


def check_class_weight(y, class_weight):
    """Check a dict {class: weight}, and warn of classes in ``y`` that it leaves out."""
    if not isinstance(class_weight, dict):
        raise ValueError(f"`class_weight` must be a dict from class to weight. Received: {class_weight!r:.80}")
    for label, weight in class_weight.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float, np.number)) or not 0 <= weight < math.inf:
            raise ValueError(f"`class_weight` must hold numbers of at least 0. Received: {weight!r} for class {label!r}")
    if y is None:
        return
    labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(-1)
    missing = sorted({int(label) for label in np.unique(labels)} - {int(label) for label in class_weight})
    if missing:
        warnings.warn(
            f"`class_weight` has no weight for the classes {missing[:10]}, which occur in `y`: they get weight 1.",
            stacklevel=4,
        )


class Checked(tuple):
    """A batch (x, y, sample_weight) of arrays that have been checked as a whole."""


class ArrayBatches:
    """Batches of checked arrays: ``num_batches`` of them, in a new order each time if they are to be shuffled."""

    def __init__(self, x, y=None, sample_weight=None, batch_size=32, shuffle=False):
        self.arrays = (x, y, sample_weight)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.num_batches = -(-len(x) // batch_size)
        self.generator = config.make_generator() if shuffle else None

    def __iter__(self):
        n, size = len(self.arrays[0]), self.batch_size
        starts = range(0, n, size)
        if self.shuffle == "batch":  # whole batches in another order
            starts = [int(i) * size for i in self.generator.permutation(self.num_batches)]
        order = self.generator.permutation(n) if self.shuffle and self.shuffle != "batch" else None
        for start in starts:
            rows = slice(start, start + size) if order is None else order[start : start + size]
            yield Checked(None if a is None else a[rows] for a in self.arrays)

    def sample(self):
        """What to check before the first step, (x, y): here all of it."""
        return self.arrays[:2]

    def on_epoch_begin(self):
        pass

    on_epoch_end = on_epoch_begin


class DatasetBatches:
    """Batches that a `PyDataset` gives by index; shuffled means the batches come in another order."""

    def __init__(self, dataset, shuffle=False):
        self.dataset = dataset
        self.shuffle = shuffle
        count = getattr(dataset, "num_batches", None)
        self.num_batches = len(dataset) if count is None or callable(count) else count
        if not self.num_batches:
            raise ValueError(f"The data set holds 0 batches: len() of it is {self.num_batches}")
        self.generator = config.make_generator() if shuffle else None

    def __iter__(self):
        order = self.generator.permutation(self.num_batches) if self.shuffle else range(self.num_batches)
        for i in order:
            yield unpack(self.dataset[int(i)])

    def sample(self):
        return standardize(*unpack(self.dataset[0]))[:2]

    def on_epoch_begin(self):
        getattr(self.dataset, "on_epoch_begin", lambda: None)()

    def on_epoch_end(self):
        getattr(self.dataset, "on_epoch_end", lambda: None)()


class GeneratorBatches:
    """Batches from an iterable, of which there may be no end. `sample` shows the first one without losing it."""

    def __init__(self, iterable):
        self.iterable = iterable
        self.iterator = iter(iterable)
        self.is_once = self.iterator is iterable  # a generator, that cannot start again
        self.num_batches = None
        self.first = []

    def sample(self):
        if not self.first:
            batch = next(self.iterator, None)
            if batch is None:
                raise ValueError("`x` holds 0 samples: the generator yields nothing")
            self.first.append(batch)
        return standardize(*unpack(self.first[0]))[:2]

    def __iter__(self):
        if not self.first and not self.is_once:
            self.iterator = iter(self.iterable)
        while self.first:
            yield unpack(self.first.pop())
        for batch in self.iterator:
            yield unpack(batch)

    def on_epoch_begin(self):
        pass

    on_epoch_end = on_epoch_begin


class Epochs:
    """Enumerates the batches of one epoch after the other, of ``steps`` batches each if that is given.

    With ``steps``, an epoch goes on where the last one stopped, and starts over at the end of the data, as in Keras.
    """

    def __init__(self, batches, steps=None):
        self.batches = batches
        self.steps = steps
        self.num_batches = steps or batches.num_batches
        self.iterator = None
        self.ran_out = False

    def __iter__(self):
        self.batches.on_epoch_begin()
        if self.iterator is None or self.steps is None:
            self.iterator = iter(self.batches)
        step = 0
        while self.steps is None or step < self.steps:
            batch = next(self.iterator, None)
            if batch is None:
                if self.steps is None:
                    break
                self.iterator = iter(self.batches)
                batch = next(self.iterator, None)
                if batch is None:
                    self.ran_out = True
                    warnings.warn(
                        f"The data ran out after {step} of {self.steps} batches of this epoch. Let the generator yield at "
                        "least steps_per_epoch * epochs batches (`while True:` around it)",
                        stacklevel=3,
                    )
                    break
            yield step, batch
            step += 1
        if self.steps is None and step == 0:
            self.ran_out = True
        if self.num_batches is None and not self.ran_out:
            self.num_batches = step
        self.batches.on_epoch_end()


def _ragged(data, argument):
    """The text of an error for rows of different lengths."""
    lengths = [len(row) if hasattr(row, "__len__") else None for row in data]
    odd = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
    dtype = getattr(data, "dtype", "object")
    if odd is None:
        return f"`{argument}` must be an array of numbers. Received: rows of dtype {dtype} that do not make one array"
    return (
        f"`{argument}` must be an array of numbers, all rows of one shape. Received: rows of dtype {dtype}, row 0 of length "
        f"{lengths[0]} and row {odd} of length {lengths[odd]}"
    )
