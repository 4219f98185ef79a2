"""What `fit` accepts, turned into batches: arrays, lists, generators and `PyDataset`s of (x, y, sample_weight).

Everything that can be wrong with the data is looked for here, before a weight changes.
"""

import itertools
import math

import numpy as np

from minikeras import config
from minikeras.messages import warn


def is_dataset(x):
    """Whether ``x`` has batches of its own, by index: a `keras.utils.PyDataset` or anything with its methods."""
    return is_generator(x) and hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches"))


def is_generator(x):
    """Whether ``x`` yields batches, one after the other."""
    iterable = hasattr(x, "__iter__") or hasattr(x, "__getitem__")
    return iterable and not hasattr(x, "__array__") and not isinstance(x, (list, tuple, dict, str))


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
    if kind == "O" and array.ndim == 0:
        raise TypeError(f"`{argument}` must be an array of numbers. Received: {type(data).__name__}")
    sample = array.flat[0] if array.size else None
    if kind in "USMmV" or isinstance(sample, str):
        raise TypeError(
            f"`{argument}` must hold numbers. Received dtype {array.dtype}, for example {_plain(sample)!r:.80}: "
            f"convert them, as `{argument}.astype('float32')`, or number the different ones"
        )
    if kind == "O":
        raise ValueError(_ragged(array, argument))
    if kind == "c":
        raise TypeError(
            f"`{argument}` must hold real numbers. Received dtype {array.dtype}: take np.abs({argument}), or real and "
            "imaginary parts as two channels"
        )
    if array.ndim == 0:
        raise ValueError(
            f"`{argument}` must have a batch axis. Received the single number {array}: put it in an array, "
            "np.array([[...]])"
        )
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
            f"`{argument}` must hold finite numbers. Received {count} values that are NaN or infinite, the first "
            f"({array[first]}) at index {first}. Remove those rows or replace the values, as with np.nan_to_num"
        )


def standardize(x, y=None, sample_weight=None, argument="x"):
    """Return x, y and sample_weight as arrays of equal length; the last two may be None."""
    x = to_array(x, argument)
    if len(x) == 0:
        raise ValueError(
            f"`{argument}` holds 0 samples: its shape is {x.shape}. Give at least one; has a filter left none over?"
        )
    check_finite(x, argument)
    if y is not None:
        y = to_array(y, "y")
        _check_length(x, y, "y", "target")
        check_finite(y, "y")
    if sample_weight is not None:
        sample_weight = to_array(sample_weight, "sample_weight")
        _check_length(x, sample_weight, "sample_weight", "weight")
        check_finite(sample_weight, "sample_weight")
    return x, y, sample_weight


def _check_length(x, array, argument, kind):
    if len(array) != len(x):
        raise ValueError(
            f"`x` and `{argument}` must have as many rows. Received: {len(x)} in x and {len(array)} in {argument}. "
            f"Each sample needs its {kind}: cut or complete one of them"
        )


def split_validation(batches, validation_split):
    """Cut the last part of the rows off, for validation. Returns two tuples of arrays."""
    if not isinstance(batches, ArrayBatches):
        raise ValueError(
            "`validation_split` needs arrays, but `x` yields batches. Received: "
            f"validation_split={validation_split!r}. Give validation_data"
        )
    arrays, n = batches.arrays, len(batches.arrays[0])
    valid = isinstance(validation_split, (int, float, np.number)) and not isinstance(validation_split, bool)
    if not valid or not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be a number between 0 and 1, as 0.1 for the last tenth of the {n} samples. "
            f"Received: {validation_split!r}"
        )
    cut = math.floor(n * (1 - validation_split))
    if cut == 0 or cut == n:
        raise ValueError(
            f"`validation_split`={validation_split} of {n} samples leaves {cut} for training and {n - cut} for "
            "validation. Both must have at least one: give more samples, another `validation_split` or "
            "`validation_data`"
        )
    return tuple(tuple(None if a is None else a[rows] for a in arrays) for rows in (slice(cut), slice(cut, None)))


def class_weights_of(y, class_weight, sample_weight=None):
    """Return the weight of each row of ``y`` (labels or one-hot rows) for a dict {class: weight}."""
    if sample_weight is not None:
        raise ValueError("`class_weight` and `sample_weight` cannot both be given: multiply them into sample_weight")
    labels = _labels(y)
    weights = np.ones(len(labels), config.floatx())
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights


def check_class_weight(y, class_weight, sample_weight=None):
    """Check a dict {class: weight}, and warn of classes in ``y`` that it leaves out."""
    if not isinstance(class_weight, dict):
        raise ValueError(
            f"`class_weight` must be a dict from class to weight, as {{0: 1.0, 1: 2.5}}. Received: {class_weight!r:.80}"
        )
    for label, weight in class_weight.items():
        if isinstance(label, bool) or not isinstance(label, (int, float, np.number)) or label != int(label):
            raise ValueError(f"The keys of `class_weight` must be class numbers, as 0, 1, 2. Received: {label!r}")
        if isinstance(weight, bool) or not isinstance(weight, (int, float, np.number)) or not 0 <= weight < math.inf:
            raise ValueError(
                f"`class_weight` must hold finite numbers of at least 0, as 1.0. Received: {weight!r} for class "
                f"{label!r}"
            )
    class_weights_of(y, class_weight, sample_weight)
    missing = sorted({int(label) for label in np.unique(_labels(y))} - {int(label) for label in class_weight})
    if missing:
        warn(
            f"`class_weight` has no weight for the classes {missing[:10]}, which occur in `y`: they get weight 1. "
            f"Received weights for the classes {sorted(class_weight)[:10]}; add the missing ones."
        )


def _labels(y):
    """Return the class of each row of labels (n,) or (n, 1), or one-hot rows (n, classes)."""
    if y.ndim > 2:
        raise ValueError(
            f"`class_weight` needs `y` of shape (n,), (n, 1) or (n, classes). Received shape {y.shape}: give "
            "sample_weight"
        )
    return y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else np.round(y.reshape(-1)).astype(int)


def make_batches(x, y, sample_weight, batch_size, steps, shuffle=False):
    """Return the batches of arrays, or those that ``x`` yields."""
    if x is None:
        raise ValueError("`x` is required. Received: x=None. Give an array, a generator or a PyDataset")
    if not is_generator(x):
        return ArrayBatches(standardize(x, y, sample_weight), batch_size, steps, shuffle)
    for name, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
        if value is not None:
            raise ValueError(f"`{name}` cannot be given when `x` yields batches: let it yield (x, y, sample_weight)")
    return DatasetBatches(x, shuffle) if is_dataset(x) else GeneratorBatches(x)


def make_validation_batches(validation_data, batch_size, steps):
    """Return the batches of (x, y), (x, y, sample_weight), a generator or a data set."""
    if isinstance(validation_data, (tuple, list)):
        return make_batches(*unpack(validation_data), batch_size, steps)
    return make_batches(validation_data, None, None, None, steps)


class Checked(tuple):
    """A batch (x, y, sample_weight) of arrays that have been checked as a whole."""


class ArrayBatches:
    """Batches of checked arrays: ``num_batches`` of them, in a new order each time if they are to be shuffled.

    Without ``batch_size`` there are ``steps`` batches, or batches of 32 rows.
    """

    can_restart = True
    endless = False
    ahead = 0  # batches that a thread makes meanwhile

    def __init__(self, arrays, batch_size=None, steps=None, shuffle=False):
        n = len(arrays[0])
        self.arrays = arrays
        self.batch_size = batch_size or (-(-n // steps) if steps else 32)
        self.shuffle = shuffle
        self.num_batches = -(-n // self.batch_size)
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
        """What to check before the first step, (x, y, sample_weight): here all of it."""
        return self.arrays

    def on_epoch_begin(self):
        pass

    on_epoch_end = on_epoch_begin


class DatasetBatches:
    """Batches that a `PyDataset` gives by index; shuffled means the batches come in another order."""

    can_restart = True

    def __init__(self, dataset, shuffle=False):
        self.dataset = dataset
        self.ahead = getattr(dataset, "batches_ahead", 0)
        count = getattr(dataset, "num_batches", len)
        self.num_batches = len(dataset) if callable(count) else count
        if self.num_batches == 0:
            raise ValueError("The data set holds 0 batches: let its `__len__` return their number, at least 1")
        self.endless = self.num_batches is None
        self.generator = config.make_generator() if shuffle and self.num_batches else None

    def __iter__(self):
        order = itertools.count() if self.num_batches is None else range(self.num_batches)
        for i in order if self.generator is None else self.generator.permutation(self.num_batches):
            yield unpack(self.dataset[int(i)])

    def sample(self):
        return standardize(*unpack(self.dataset[0]))

    def on_epoch_begin(self):
        getattr(self.dataset, "on_epoch_begin", lambda: None)()

    def on_epoch_end(self):
        getattr(self.dataset, "on_epoch_end", lambda: None)()


class GeneratorBatches:
    """Batches from an iterable, of which there may be no end. `sample` shows the first one without losing it."""

    ahead = 0

    def __init__(self, iterable):
        self.iterable = iterable
        self.iterator = iter(iterable)
        self.can_restart = self.iterator is not iterable  # a generator cannot
        self.num_batches = getattr(iterable, "num_batches", None)  # a `Stream` may know
        self.endless = getattr(iterable, "cardinality", int)() == -1
        self.first = []

    def sample(self):
        if not self.first:
            batch = next(self.iterator, None)
            if batch is None:
                raise ValueError(
                    "`x` holds 0 samples: the generator yields nothing (any more). Make a new one, or let it go on "
                    "with `while True:`"
                )
            self.first.append(batch)
        return standardize(*unpack(self.first[0]))

    def __iter__(self):
        if not self.first and self.can_restart:
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

    With ``steps``, an epoch goes on where the last one stopped. Where the data end it is cut short, with a warning, and
    the next one starts over, as in Keras.

    Attributes:
        ran_out: whether the data have ended and cannot start over.
    """

    def __init__(self, batches, steps=None):
        if steps is None and batches.endless:
            raise ValueError(
                "The data set has no end: say how many batches make an epoch, in fit with "
                "`steps_per_epoch` and `validation_steps`, else with `steps`"
            )
        self.batches = batches
        self.steps = steps
        self.num_batches = steps or batches.num_batches
        self.iterator = None
        self.ran_out = False

    def __iter__(self):
        self.batches.on_epoch_begin()
        batches, count = self._epoch(), 0
        if self.batches.ahead:
            from minikeras.utils.read_ahead import read_ahead

            batches = read_ahead(batches, self.batches.ahead)
        for count, batch in enumerate(batches, 1):
            yield count - 1, batch
        if count != self.steps:
            self._end(count)
        self.batches.on_epoch_end()

    def _epoch(self):
        """The batches of one epoch and no further: what `on_epoch_end` changes, the next ones must see."""
        if self.iterator is None or self.steps is None:
            self.iterator = iter(self.batches)
        count = 0
        while count != self.steps:
            batch = next(self.iterator, None)
            if batch is None and count == 0:  # the last epoch ended just where the data do
                self.iterator = iter(self.batches)
                batch = next(self.iterator, None)
            if batch is None:
                return
            yield batch
            count += 1

    def _end(self, step):
        self.iterator = None
        self.ran_out = step == 0 or not self.batches.can_restart
        if self.num_batches is None:
            self.num_batches = step
        if self.steps is not None:
            warn(
                f"The data ran out after {step} of the {self.steps} batches of this epoch. Ask for fewer steps, or let "
                "the generator go on (`while True:` around it)"
            )


def _ragged(data, argument):
    """The text of an error for rows of different lengths."""
    lengths = [len(row) if hasattr(row, "__len__") else None for row in data]
    odd = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
    dtype = getattr(data, "dtype", "object")
    if odd is None:
        sample = data.flat[0] if hasattr(data, "flat") else data[0]
        return (
            f"`{argument}` must be an array of numbers. Received: dtype {dtype}, for example {sample!r:.80}. If they "
            f"are numbers: {argument}.astype('float32')"
        )
    return (
        f"`{argument}` must be an array of numbers, all rows of one shape. Received: rows of dtype {dtype}, row 0 of "
        f"length {lengths[0]} and row {odd} of length {lengths[odd]}: pad or cut the rows to one length"
    )


def _plain(value):
    return value.item() if isinstance(value, (np.str_, np.bytes_)) else value
