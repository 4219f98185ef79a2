"""Sequences of numbers before training: padding, windows over a series, pairs of neighbouring words."""

import numpy as np

from minikeras import config
from minikeras.utils.dataset import PyDataset
from minikeras.utils.sequences import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Batches (windows, targets) of a series. New code uses `utils.timeseries_dataset_from_array`.

    The window of step t holds data[t - length], data[t - length + r], ..., before t, with r the ``sampling_rate``; its
    target is targets[t].

    Args:
        data: array or list of shape (steps, ...).
        targets: array or list with as many steps.
        length: how many steps before t the window begins.
        sampling_rate: steps between two values of a window.
        stride: steps between two windows.
        start_index, end_index: use the data from the first to the last of these only, both included.
        shuffle: whether to draw t at random, instead of one after the other.
        reverse: whether the last value of a window comes first.
        batch_size: windows in a batch; the last may have fewer.
    """

    def __init__(
        self,
        data,
        targets,
        length,
        sampling_rate=1,
        stride=1,
        start_index=0,
        end_index=None,
        shuffle=False,
        reverse=False,
        batch_size=128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(
                f"`data` and `targets` must have as many steps. Received: {len(data)} and {len(targets)}"
            )
        positive = {"length": length, "sampling_rate": sampling_rate, "stride": stride, "batch_size": batch_size}
        for name, value in positive.items():
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        self._generator = None
        if self.start_index > self.end_index:
            raise ValueError(
                f"`length`={length} leaves no step from start_index={start_index} to end_index={self.end_index} with "
                "a whole window before it. Give a longer series, or a smaller `length`"
            )

    def __len__(self):
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index):
        if self.shuffle:
            if self._generator is None:
                self._generator = config.make_generator()
            rows = self._generator.integers(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            step = self.batch_size * self.stride
            first = self.start_index + step * index
            rows = np.arange(first, min(first + step, self.end_index + 1), self.stride)
        windows = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (windows[:, ::-1] if self.reverse else windows), targets

    def get_config(self):
        """Return the arguments as a dict; the series as JSON texts."""
        import json

        def text(values):
            return json.dumps(values.tolist() if isinstance(values, np.ndarray) else values)

        names = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size")
        series = {"data": text(self.data), "targets": text(self.targets)}
        return {**series, **{name: getattr(self, name) for name in names}}

    def to_json(self, **kwargs):
        """Return class name and config as a JSON text; ``kwargs`` are for `json.dumps`."""
        import json

        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def make_sampling_table(size, sampling_factor=1e-5):
    """Return for each rank of a word the probability to keep it in `skipgrams`: common words are dropped more often.

        p(word) = min(1, sqrt(f)),    f = sampling_factor / frequency,
        frequency(rank) = 1 / (rank (log(rank) + 0.577) + 1/2 - 1/(12 rank))    (Zipf's law)

    Args:
        size: number of ranks. Rank 0, which stands for no word, gets the probability of rank 1.
        sampling_factor: how strongly: larger keeps more.

    Reference: T. Mikolov et al., Distributed representations of words and phrases and their compositionality, 2013.
    """
    rank = np.maximum(np.arange(size), 1)
    return np.minimum(1, np.sqrt(sampling_factor * (rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank))))


def skipgrams(
    sequence,
    vocabulary_size,
    window_size=4,
    negative_samples=1.0,
    shuffle=True,
    categorical=False,
    sampling_table=None,
    seed=None,
):
    """Return pairs of words that are neighbours (label 1), and pairs of a word and a random one (label 0).

    Args:
        sequence: list of word numbers; 0 is no word.
        vocabulary_size: largest word number, plus 1.
        window_size: how far apart neighbours may be.
        negative_samples: random pairs for each pair of neighbours; 0 for none.
        shuffle: whether to shuffle the pairs; otherwise the neighbours come first.
        categorical: whether labels are [0, 1] and [1, 0] instead of 1 and 0.
        sampling_table: probability of each word to be the first of a pair, as from `make_sampling_table`.
        seed: integer for draws of its own; by default they follow `set_random_seed`.

    Returns:
        (list of pairs [word, other word], list of labels).
    """
    generator = config.make_generator(seed)
    couples = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < generator.random()):
            continue
        window = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        couples += [[word, sequence[j]] for j in window if j != i and sequence[j]]
    positive, negative = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels = [positive] * len(couples)
    count = int(len(couples) * negative_samples)
    if count > 0:
        words = [couples[i][0] for i in generator.permutation(len(couples))]
        others = generator.integers(1, vocabulary_size, size=count)
        couples += [[words[i % len(words)], int(other)] for i, other in enumerate(others)]
        labels += [negative] * count
    if shuffle:
        from random import Random

        seed = int(generator.integers(10**7)) if seed is None else seed
        Random(seed).shuffle(couples)  # in Keras' order for the same seed
        Random(seed).shuffle(labels)
    return couples, labels
