"""`Stream`: batches made while they are read, each pass a new one, with the methods of `tf.data.Dataset` that scripts
call on what `image_dataset_from_directory` and `timeseries_dataset_from_array` return.
"""

import itertools

import numpy as np

from minikeras import config
from minikeras.utils.read_ahead import ELEMENTS, read_ahead


class Array(np.ndarray):
    """A NumPy array with TensorFlow's method ``numpy()``, which scripts call to show an image of a batch."""

    def numpy(self):
        """Return this array as a plain NumPy array, without a copy."""
        return self.view(np.ndarray)


class Stream:
    """Elements (arrays, or tuples of them) from an iterator that is made anew for each pass.

    ``for x, y in stream``, ``len(stream)`` (TypeError if the number is not known) and `fit(stream)` work. A method
    returns a new stream and leaves this one as it was; nothing is read before the new one is iterated.

    Args:
        make: function without arguments that returns an iterator of elements.
        length: number of elements, None if it is not known before the end, ``float("inf")`` if there is no end.
    """

    def __init__(self, make, length=None):
        self._make = make
        self._length = length

    def __iter__(self):
        return iter(self._make())

    def __len__(self):
        if not isinstance(self._length, int):
            raise TypeError(f"The stream's number of elements is {'not known' if self._length is None else 'infinite'}")
        return self._length

    @property
    def num_batches(self):
        """Number of elements, None if unknown or infinite."""
        return self._length if isinstance(self._length, int) else None

    def _derive(self, make, length=None):
        """A stream of its own, with the attributes (`class_names`, ...) of this one."""
        stream = Stream(make, length)
        extra = {name: value for name, value in vars(self).items() if name not in vars(stream)}
        vars(stream).update(extra)
        return stream

    def cardinality(self):
        """Return the number of elements as TensorFlow does: -1 if infinite, -2 if unknown."""
        return -2 if self._length is None else -1 if self._length == float("inf") else self._length

    def as_numpy_iterator(self):
        """Return an iterator of elements made of plain arrays."""
        return (_structure(element, np.asarray) for element in self)

    def map(self, map_func, num_parallel_calls=None, deterministic=None):
        """Apply a function to each element; it gets the parts of a tuple as arguments of their own."""

        def make():
            for element in self:
                yield _structure(map_func(*element) if isinstance(element, tuple) else map_func(element), _array)

        return self._derive(make, self._length)

    def filter(self, predicate):
        """Keep the elements for which a function (which gets a tuple's parts as arguments) is true."""

        def make():
            return (e for e in self if (predicate(*e) if isinstance(e, tuple) else predicate(e)))

        return self._derive(make)

    def take(self, count):
        """The first ``count`` elements; all for -1."""
        if count < 0:
            return self._derive(self._make, self._length)
        length = None if self._length is None else min(count, self._length)
        return self._derive(lambda: itertools.islice(self, count), length)

    def skip(self, count):
        """All but the first ``count`` elements; none for -1."""
        if count < 0:
            return self.take(0)
        length = None if self._length is None else max(self._length - count, 0)
        return self._derive(lambda: itertools.islice(self, count, None), length)

    def enumerate(self, start=0):
        """Pairs (number, element)."""
        return self._derive(lambda: enumerate(self, start), self._length)

    def concatenate(self, dataset):
        """This stream's elements, then another's."""
        lengths = [self._length, getattr(dataset, "_length", None)]
        return self._derive(lambda: itertools.chain(self, dataset), None if None in lengths else sum(lengths))

    def repeat(self, count=None):
        """The elements ``count`` times over, each time a new pass; without end for None and -1."""
        endless = count is None or count < 0

        def make():
            for _ in itertools.count() if endless else range(count):
                empty = True
                for element in self:
                    empty = False
                    yield element
                if empty:
                    return

        if self._length is None:
            return self._derive(make)
        times = float("inf") if endless else count
        return self._derive(make, times * self._length if self._length and times else 0)

    def cache(self, filename=""):
        """Keep the elements of the first whole pass in memory, and give the same ones in all later passes."""
        kept = []  # one list of all elements, once a pass has come to its end

        def make():
            reading = not kept
            elements = [] if reading else kept[0]
            for element in self if reading else elements:
                if reading:
                    elements.append(element)
                yield _structure(element, np.copy, subok=True)  # what a loop does to its element must not last
            kept[:] = [elements]

        return self._derive(make, self._length)

    def shuffle(self, buffer_size=None, seed=None, reshuffle_each_iteration=True):
        """Give the elements in an order drawn anew for each pass.

        Args:
            buffer_size: how many elements wait to be drawn from; all of them for None.
            seed: integer for a sequence of orders of its own; by default it follows `set_random_seed`.
            reshuffle_each_iteration: False for the same order in each pass.
        """
        if buffer_size is not None and buffer_size < 1:
            raise ValueError(f"`buffer_size` must be at least 1. Received: {buffer_size!r}")
        first = int(config.make_generator().integers(2**31)) if seed is None else seed
        shared = config.make_generator(first)

        def make():
            own = int(shared.integers(2**31)) if reshuffle_each_iteration else first  # one draw, however far it gets
            generator, waiting = config.make_generator(own), []
            for element in self:
                waiting.append(element)
                if buffer_size is not None and len(waiting) > buffer_size:
                    yield waiting.pop(int(generator.integers(len(waiting))))
            while waiting:
                yield waiting.pop(int(generator.integers(len(waiting))))

        return self._derive(make, self._length)

    def batch(self, batch_size, drop_remainder=False, num_parallel_calls=None, deterministic=None):
        """Stack ``batch_size`` elements to one; the last may be smaller, unless ``drop_remainder``."""
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer. Received: {batch_size!r}")

        def make():
            elements = iter(self)
            while rows := list(itertools.islice(elements, batch_size)):
                if len(rows) == batch_size or not drop_remainder:
                    yield _stack(rows)

        length = self._length
        if isinstance(length, int):
            length = length // batch_size if drop_remainder else -(-length // batch_size)
        return self._derive(make, length)

    def unbatch(self):
        """Each row of each element as an element of its own."""

        def make():
            for element in self:
                yield from zip(*element) if isinstance(element, tuple) else element

        return self._derive(make)

    def prefetch(self, buffer_size=None):
        """The same elements, of which a thread makes the next ``buffer_size`` meanwhile; 2 for None and -1, none for 0.

        What `map` and the like before it call, runs on that thread. In a pass that is broken off it has run for some
        elements more than were given: random layers there have drawn for them, too.
        """
        if buffer_size == 0:
            return self._derive(self._make, self._length)
        count = ELEMENTS if buffer_size is None or buffer_size == -1 else buffer_size
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"`buffer_size` must be an integer of at least 0, -1 or None. Received: {buffer_size!r}")
        return self._derive(lambda: read_ahead(iter(self), int(count)), self._length)


def _array(value):
    return value if isinstance(value, np.ndarray) or not hasattr(value, "__array__") else np.asarray(value)


def _structure(element, function, **arguments):
    """Apply a function to the parts of a tuple, or to the one array."""
    if isinstance(element, tuple):
        return tuple(_structure(part, function, **arguments) for part in element)
    return function(element, **arguments)


def _stack(rows):
    if isinstance(rows[0], tuple):
        return tuple(_stack(part) for part in zip(*rows))
    return np.stack(rows).view(Array)
