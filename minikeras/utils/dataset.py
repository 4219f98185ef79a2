"""Data sets: `PyDataset`, whose batches are made by Python code, and splitting arrays in two."""

import itertools

import numpy as np

from minikeras import config


class PyDataset:
    """Base class of data sets that make one batch at a time, e.g. from files that do not fit into memory.

    A subclass has ``__len__``, the number of batches, and ``__getitem__(index)``, which returns a whole batch:
    ``x``, ``(x, y)`` or ``(x, y, sample_weight)``. `on_epoch_begin` and `on_epoch_end` may change what the next epoch
    sees. For an endless data set, let ``num_batches`` return None instead of writing ``__len__``.

    Args:
        workers: above 1, a thread makes the next batches while `fit`, `evaluate` or `predict` uses one. It is one
            thread, whatever the number, and goes no further than to the end of the epoch.
        use_multiprocessing: has no effect.
        max_queue_size: how many batches it may be ahead.
    """

    # defaults for subclasses that do not call super().__init__()
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        for name, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 1)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
                raise ValueError(f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}")
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        """Return the batch at position ``index``."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `__getitem__(self, index)`: write one that returns a batch, as (x, y)"
        )

    @property
    def num_batches(self):
        """Number of batches, or None for an endless data set."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__} has no `__len__(self)`: write one that returns the number of batches"
            )
        return len(self)

    @property
    def batches_ahead(self):
        """Number of batches that are made while another is in use; 0 for none."""
        return self.max_queue_size if self.workers > 1 else 0

    def __iter__(self):
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self):
        """Called before each epoch."""

    def on_epoch_end(self):
        """Called after each epoch."""


Sequence = PyDataset


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """Return what `fit` takes for one batch: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``."""
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """Undo `pack_x_y_sample_weight`: return (x, y, sample_weight), with None for what is missing."""
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"`data` must be x, (x, y) or (x, y, sample_weight). Received: a {type(data).__name__} of {len(data)}"
        )
    return (*data, None, None)[:3]


def split_dataset(
    dataset, left_size=None, right_size=None, shuffle=False, seed=None, preferred_backend=None
):
    """Split arrays in two, as for training and validation.

    Where Keras returns two data sets of its backend, this returns arrays, which `fit` takes as they are::

        (x_train, y_train), (x_test, y_test) = split_dataset((x, y), left_size=0.8, shuffle=True, seed=1)

    Args:
        dataset: an array, or a tuple or list of arrays of one length.
        left_size: number of samples in the left part, or their fraction as a float between 0 and 1; by default what
            ``right_size`` leaves.
        right_size: the same for the right part. If the two do not add up to all samples, those in between are left
            out.
        shuffle: whether to draw the samples at random; otherwise the left part is the beginning of the data.
        seed: integer for a shuffle of its own; by default it follows `set_random_seed`.
        preferred_backend: accepted as Keras does; arrays stay arrays.

    Returns:
        (left, right), each an array or, like ``dataset``, a tuple or list of arrays. Without shuffle they are views.

    Raises:
        ValueError: a size that is out of range, sizes that add up to more than all, an empty part, or arrays of
            different lengths.
        TypeError: a size that is not a number, or something else than arrays.
    """
    several = isinstance(dataset, (tuple, list))
    arrays = list(dataset) if several else [dataset]
    if not arrays or not all(isinstance(array, np.ndarray) and array.ndim for array in arrays):
        kinds = ", ".join(type(array).__name__ for array in arrays[:10])
        raise TypeError(
            "`dataset` must be a NumPy array, or a tuple or list of NumPy arrays with one row per sample. Received: "
            f"{type(dataset).__name__}{f' of {kinds}' if several else ''}"
        )
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(f"The arrays in `dataset` must have the same length. Received the lengths {lengths}")
    left, right = _split_sizes(left_size, right_size, lengths[0])
    if shuffle:
        order = config.make_generator(seed).permutation(lengths[0])
        parts = [(array[order[:left]], array[order[-right:]]) for array in arrays]
    else:
        parts = [(array[:left], array[-right:]) for array in arrays]
    if not several:
        return parts[0]
    return type(dataset)(part[0] for part in parts), type(dataset)(part[1] for part in parts)


def _split_sizes(left_size, right_size, total):
    """Return both sizes as numbers of samples."""
    if left_size is None and right_size is None:
        raise ValueError("At least one of `left_size` and `right_size` must be given. Received: None for both")
    left = _number_of_samples(left_size, total, "left_size")
    right = _number_of_samples(right_size, total, "right_size")
    left = total - right if left is None else left
    right = total - left if right is None else right
    if left < 1 or right < 1 or left + right > total:
        raise ValueError(
            f"`left_size` and `right_size` must leave at least one of the {total} samples on each side and not exceed "
            f"them together. Received: left_size={left_size}, right_size={right_size}, which are {left} and {right} "
            "samples"
        )
    return left, right


def _number_of_samples(size, total, argument):
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
        raise TypeError(f"`{argument}` must be an integer, a float or None. Received: {size!r}")
    if isinstance(size, (int, np.integer)):
        if not 0 < size < total:
            raise ValueError(f"`{argument}` must be between 0 and the {total} samples. Received: {size}")
        return int(size)
    if not 0 < size < 1:
        raise ValueError(f"`{argument}` must lie between 0.0 and 1.0, or be an integer. Received: {size}")
    return round(float(size) * total)
