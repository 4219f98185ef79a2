"""What the two data sets of texts share: reading, and which words are kept.

A text is a list of numbers: 1 for the most frequent word, 2 for the next, and so on; `index_from` is added to all.
"""

import numpy as np

from minikeras.datasets import cache
from minikeras.datasets.pickled import NpzOfLists

HOME = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def read(path, name, digest, names):
    """Return the arrays of texts (lists of numbers) and labels of a file of the cache.

    Args:
        names: names of the arrays, in pairs of texts and labels.
    """
    file = cache.fetch(path, HOME + name, digest=digest)
    arrays = cache.read_npz(file, {name: (None,) for name in names}, dtype=None, reader=NpzOfLists)
    for texts, labels in zip(names[::2], names[1::2]):
        if len(arrays[texts]) != len(arrays[labels]):
            raise cache.damaged(file, f"{len(arrays[texts])} texts and {len(arrays[labels])} labels")
        if arrays[texts].dtype != object or arrays[labels].dtype == object:
            raise cache.damaged(file, "texts must be lists and labels numbers")
    return [arrays[name] for name in names]


def shuffled(random, *arrays):
    """Return arrays in one new order, that of Keras for the same seed."""
    order = np.arange(len(arrays[0]))
    random.shuffle(order)
    return [array[order] for array in arrays]


def start(texts, start_char, index_from):
    """Add ``index_from`` to all numbers, and put ``start_char`` before them unless it is None."""
    before = [] if start_char is None else [start_char]
    offset = index_from if index_from or start_char is None else 0
    return [before + [word + (offset or 0) for word in text] for text in texts]


def shorter(maxlen, texts, labels):
    """Keep the texts of less than ``maxlen`` words, and their labels."""
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    return [texts[i] for i in kept], labels[kept]


def known(texts, num_words, skip_top, oov_char):
    """Replace numbers below ``skip_top`` or not below ``num_words`` by ``oov_char``; leave them out if that is None."""
    num_words = num_words or max((max(text, default=0) for text in texts), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < num_words] for text in texts]
    return [[word if skip_top <= word < num_words else oov_char for word in text] for text in texts]


def as_array(texts):
    """Return an object array of lists, also where all have one length."""
    array = np.empty(len(texts), object)
    array[:] = texts
    return array


def word_index(path, name, digest):
    """Return the dict from words to numbers that a JSON file of the cache holds."""
    import json

    file = cache.fetch(path, HOME + name, digest=digest)
    try:
        with open(file, encoding="utf-8") as text:
            index = json.load(text)
    except (OSError, ValueError) as error:
        raise cache.damaged(file, error) from error
    if not isinstance(index, dict) or not all(type(number) is int for number in index.values()):
        raise cache.damaged(file, "it is no table of words and numbers")
    return index
