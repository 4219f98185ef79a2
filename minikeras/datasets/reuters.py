"""Reuters: 11,228 newswires of 1987 as lists of word numbers, on 46 topics."""

import numpy as np

from minikeras.datasets import words
from minikeras.registry import accepts_old_spellings

SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"  # Keras has no SHA-256 of it
LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


@accepts_old_spellings
def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    """Return the newswires as ``(x_train, y_train), (x_test, y_test)``, downloading them at the first use.

    The file holds lists as a pickle; it is read without unpickling.

    Args:
        path: name of the file in the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`), or an absolute path.
        num_words: keep the words whose number (after `index_from` is added) is below this; None keeps all (but, as in
            Keras, for the one with the largest number).
        skip_top: leave out the words with numbers below this: the most frequent ones.
        maxlen: leave out texts of this length or longer, counted with `start_char`; None keeps all.
        test_split: fraction of the texts to test on.
        seed: of the shuffle, the same as Keras'.
        start_char: number put before each text, or None.
        oov_char: number that stands for words left out, or None to drop them.
        index_from: added to the words' numbers, so that 0 is free for padding. The word with number n in the texts is
            the one with ``n - index_from`` in `get_word_index`.

    Returns:
        x: object arrays of lists of integers. y: int64 arrays of topics, named by `get_label_names`.

    Raises:
        DownloadError: the file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: the file is damaged or holds something else.

    Reference: D. Lewis, Reuters-21578 text categorization test collection, 1997.
    """
    texts, labels = words.read(path, "reuters.npz", SHA256, ("x", "y"))
    texts, labels = words.shuffled(np.random.RandomState(seed), texts, labels)
    texts = words.start(texts, start_char, index_from)
    if maxlen:
        texts, labels = words.shorter(maxlen, texts, labels)
    texts = words.known(texts, num_words, skip_top, oov_char)
    cut = int(len(texts) * (1 - test_split))
    x_train, x_test = words.as_array(texts[:cut]), words.as_array(texts[cut:])
    return (x_train, labels[:cut]), (x_test, labels[cut:])


def get_word_index(path="reuters_word_index.json"):
    """Return the dict from words to their numbers, without the ``index_from`` that `load_data` adds.

    Args:
        path: name of the file in the cache folder, or an absolute path.
    """
    return words.word_index(path, "reuters_word_index.json", INDEX_MD5)


def get_label_names():
    """Return the names of the 46 topics, in the order of their numbers."""
    return tuple(LABELS.split())
