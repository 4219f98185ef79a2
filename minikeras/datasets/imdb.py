"""IMDB: 50,000 film reviews as lists of word numbers, half of them good, half bad."""

import numpy as np

from minikeras.datasets import words
from minikeras.registry import accepts_old_spellings

SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
INDEX_MD5 = "bfafd718b763782e994055a2d397834f"  # Keras has no SHA-256 of it


@accepts_old_spellings
def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **kwargs,
):
    """Return the reviews as ``(x_train, y_train), (x_test, y_test)``, downloading them at the first use.

    The file holds lists as a pickle; it is read without unpickling.

    Args:
        path: name of the file in the cache folder (`$MINIKERAS_HOME` or `~/.minikeras`), or an absolute path.
        num_words: keep the words whose number (after `index_from` is added) is below this; None keeps all (but, as in
            Keras, for the one with the largest number).
        skip_top: leave out the words with numbers below this: the most frequent ones.
        maxlen: leave out texts of this length or longer, counted with `start_char`; None keeps all.
        seed: of the shuffles, the same as Keras'.
        start_char: number put before each text, or None.
        oov_char: number that stands for words left out, or None to drop them.
        index_from: added to the words' numbers, so that 0 is free for padding. The word with number n in the texts is
            the one with ``n - index_from`` in `get_word_index`.

    Returns:
        x: object arrays of lists of integers. y: int64 arrays, 1 for good and 0 for bad.

    Raises:
        DownloadError: the file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: the file is damaged or holds something else, or ``maxlen`` leaves no text.

    Reference: A. L. Maas et al., Learning word vectors for sentiment analysis, 2011.
    """
    if kwargs:
        raise TypeError(f"load_data() got unexpected keyword arguments: {', '.join(kwargs)}")
    arrays = words.read(path, "imdb.npz", SHA256, ("x_train", "y_train", "x_test", "y_test"))
    random = np.random.RandomState(seed)
    sets = []
    for texts, labels in (arrays[:2], arrays[2:]):
        texts, labels = words.shuffled(random, texts, labels)
        texts = words.start(texts, start_char, index_from)
        if maxlen:
            texts, labels = words.shorter(maxlen, texts, labels)
            if not texts:
                raise ValueError(f"`maxlen`={maxlen} leaves no text: raise it, or pass None for all")
        sets.append((texts, labels))
    (train, y_train), (test, y_test) = sets
    texts = words.known(train + test, num_words, skip_top, oov_char)
    x_train, x_test = words.as_array(texts[: len(train)]), words.as_array(texts[len(train) :])
    return (x_train, y_train), (x_test, y_test)


def get_word_index(path="imdb_word_index.json"):
    """Return the dict from words to their numbers, without the ``index_from`` that `load_data` adds.

    Args:
        path: name of the file in the cache folder, or an absolute path.
    """
    return words.word_index(path, "imdb_word_index.json", INDEX_MD5)
