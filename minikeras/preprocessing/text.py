"""Texts to numbers: words are numbered by how often they occur."""

import collections

import numpy as np

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(input_text, filters=FILTERS, lower=True, split=" "):
    """Return the words of a text as a list.

    Args:
        input_text: the text.
        filters: the characters that are no part of a word.
        lower: whether to write all in lower case.
        split: what is between words.
    """
    if lower:
        input_text = input_text.lower()
    words = input_text.translate(str.maketrans({character: split for character in filters})).split(split)
    return [word for word in words if word]


def one_hot(input_text, n, filters=FILTERS, lower=True, split=" ", analyzer=None):
    """Return a number from 1 to ``n - 1`` for each word, the same for the same word: `hashing_trick` by Python's hash.

    Python's hash of a text differs from run to run, unless the environment variable PYTHONHASHSEED is set.
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(text, n, hash_function=None, filters=FILTERS, lower=True, split=" ", analyzer=None):
    """Return a number from 1 to ``n - 1`` for each word, the same for the same word; different words may share one.

    Args:
        text: the text.
        n: size of the space, at least 2.
        hash_function: from a word to an integer; None for Python's `hash`, ``"md5"`` for numbers that are the same in
            each run.
        filters, lower, split: as in `text_to_word_sequence`.
        analyzer: function from a text to a list of words, instead of `text_to_word_sequence`.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 2:
        raise ValueError(f"`n` must be an integer of at least 2. Received: n={n!r}")
    if hash_function == "md5":
        from hashlib import md5

        def hash_function(word):
            return int(md5(word.encode(), usedforsecurity=False).hexdigest(), 16)

    hash_function = hash_function or hash
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [hash_function(word) % (n - 1) + 1 for word in words]


class Tokenizer:
    """Numbers the words of texts, the most frequent one 1, the next 2, and so on; 0 is no word.

    Args:
        num_words: words to keep: those with numbers below this. None keeps all.
        filters, lower, split: as in `text_to_word_sequence`.
        char_level: whether characters are the words.
        oov_token: what stands for words that are unknown or left out; it gets number 1. None leaves them out.
        analyzer: function from a text to a list of words, instead of `text_to_word_sequence`.

    Attributes:
        word_index, index_word: dicts from all words to their numbers, and back.
        word_counts, word_docs, index_docs: how often a word occurs, and in how many texts (by word, and by number).
        document_count: number of texts.
    """

    def __init__(
        self,
        num_words=None,
        filters=FILTERS,
        lower=True,
        split=" ",
        char_level=False,
        oov_token=None,
        analyzer=None,
        **kwargs,
    ):
        if "nb_words" in kwargs:
            from minikeras.messages import warn

            warn("`nb_words` is now called `num_words`", DeprecationWarning)
            num_words = kwargs.pop("nb_words")
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Tokenizer() got unexpected keyword arguments: {', '.join(kwargs)}")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts = collections.OrderedDict()
        self.word_docs = collections.defaultdict(int)
        self.index_docs = collections.defaultdict(int)
        self.word_index = {}
        self.index_word = {}

    def _words(self, text):
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts):
        """Count the words of texts (strings, or lists of words), and number them anew."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        words = sorted(self.word_counts, key=self.word_counts.get, reverse=True)  # of equals the first seen comes first
        if self.oov_token is not None:
            words.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(words, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences):
        """Count in how many lists of numbers each number is, for `sequences_to_matrix` with ``"tfidf"``."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts):
        """Return each text (a string, or a list of words) as a list of numbers."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """Yield what `texts_to_sequences` returns, one after the other."""
        for text in texts:
            yield self._known(self._words(text), self.word_index)

    def sequences_to_texts(self, sequences):
        """Return each list of numbers as a text, the words separated by blanks."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """Yield what `sequences_to_texts` returns, one after the other."""
        for sequence in sequences:
            yield " ".join(self._known(sequence, self.index_word))

    def _known(self, keys, table):
        """Look the keys up; what is unknown or not among the kept words becomes `oov_token`, or is left out."""
        oov = self.word_index.get(self.oov_token)
        result = []
        for key in keys:
            found = table.get(key)
            number = key if table is self.index_word else found
            if found is not None and not (self.num_words and number >= self.num_words):
                result.append(found)
            elif oov is not None:
                result.append(self.index_word[oov] if table is self.index_word else oov)
        return result

    def texts_to_matrix(self, texts, mode="binary"):
        """Return texts as rows of numbers, one column a word: see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """Return lists of word numbers as a matrix with a row for each and a column for each word.

        Args:
            mode: ``"binary"`` 1 where the word occurs; ``"count"`` how often; ``"freq"`` divided by the text's length;
                ``"tfidf"``  (1 + log count) log(1 + texts / (1 + texts with the word)).

        Returns:
            float64 array of shape (texts, num_words).
        """
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ValueError(f"`mode` must be 'binary', 'count', 'freq' or 'tfidf'. Received: mode={mode!r}")
        if not self.num_words and not self.word_index:
            raise ValueError("The number of words is not known: pass `num_words` to Tokenizer, or call fit_on_texts")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("mode='tfidf' needs counts of words: call fit_on_texts or fit_on_sequences")
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences):
            for number, count in collections.Counter(n for n in sequence if n < columns).items():
                if mode == "binary":
                    row[number] = 1
                elif mode == "count":
                    row[number] = count
                elif mode == "freq":
                    row[number] = count / len(sequence)
                else:
                    rarity = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
                    row[number] = (1 + np.log(count)) * rarity
        return matrix

    def get_config(self):
        """Return the arguments and the counts as a dict; the counts as JSON texts."""
        import json

        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: json.dumps(getattr(self, name)) for name in tables},
        }

    def to_json(self, **kwargs):
        """Return class name and config as a JSON text, for `tokenizer_from_json`; ``kwargs`` are for `json.dumps`."""
        import json

        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string):
    """Return the `Tokenizer` that `Tokenizer.to_json` wrote."""
    import json

    config = json.loads(json_string)["config"]
    tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    tables = {name: json.loads(config.pop(name)) for name in tables}
    tokenizer = Tokenizer(**config)
    for name, table in tables.items():
        if name.startswith("index_"):
            table = {int(number): value for number, value in table.items()}
        getattr(tokenizer, name).update(table)
    return tokenizer
