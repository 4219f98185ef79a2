"""Sequences, texts and series beside Keras'."""

import inspect
import json

import numpy as np
import pytest

import minikeras
import minikeras.preprocessing
from minikeras import utils
from minikeras.preprocessing import sequence, text

TEXTS = ["The cat sat on the mat.", "A dog!  The dog-house; a CAT", "", "mat,mat\tmat\nowl"]


@pytest.fixture(scope="module")
def legacy(keras):
    from keras.src.legacy.preprocessing import sequence, text

    return {"sequence": sequence, "text": text}


NAMES = ["text_to_word_sequence", "one_hot", "hashing_trick", "Tokenizer", "tokenizer_from_json"]


@pytest.mark.parametrize("name", NAMES)
def test_signatures_of_text(legacy, name):
    assert inspect.signature(getattr(text, name)) == inspect.signature(getattr(legacy["text"], name))


@pytest.mark.parametrize("name", ["TimeseriesGenerator", "make_sampling_table", "skipgrams"])
def test_signatures_of_sequence(legacy, name):
    assert inspect.signature(getattr(sequence, name)) == inspect.signature(getattr(legacy["sequence"], name))


@pytest.mark.parametrize("arguments", [{}, {"lower": False}, {"split": ";"}, {"filters": "aeiou"}])
def test_words(legacy, arguments):
    for line in TEXTS:
        ours, theirs = (module.text_to_word_sequence(line, **arguments) for module in (text, legacy["text"]))
        assert ours == theirs
        for function in ("one_hot", "hashing_trick"):
            ours, theirs = (getattr(module, function)(line, 30, **arguments) for module in (text, legacy["text"]))
            assert ours == theirs
    assert text.hashing_trick(TEXTS[0], 9, "md5") == legacy["text"].hashing_trick(TEXTS[0], 9, "md5")


TOKENIZERS = [
    {},
    {"num_words": 4},
    {"num_words": 4, "oov_token": "<?>"},
    {"oov_token": "<?>", "lower": False},
    {"char_level": True, "num_words": 9},
    {"analyzer": str.split},
]


@pytest.mark.parametrize("arguments", TOKENIZERS, ids=str)
def test_tokenizer(legacy, arguments):
    results = []
    for module in (text, legacy["text"]):
        tokenizer = module.Tokenizer(**arguments)
        tokenizer.fit_on_texts(TEXTS[:2])
        tokenizer.fit_on_texts(TEXTS[2:])
        numbers = tokenizer.texts_to_sequences([*TEXTS, "the unknown owl"])
        result = [numbers, tokenizer.word_index, tokenizer.index_word, dict(tokenizer.word_counts)]
        result += [dict(tokenizer.word_docs), dict(tokenizer.index_docs), tokenizer.document_count]
        result += [tokenizer.sequences_to_texts([*numbers, [1, 3, 5, 99]]), list(tokenizer.word_counts)]
        result += [tokenizer.texts_to_matrix(TEXTS, mode).tolist() for mode in ("binary", "count", "freq", "tfidf")]
        config = tokenizer.get_config()
        assert list(config) == list(tokenizer.get_config())
        config["word_docs"], config["index_docs"] = (
            json.loads(config[name]) for name in ("word_docs", "index_docs")  # filled in the order of a set
        )
        result.append(config)
        if "analyzer" not in arguments:
            again = module.tokenizer_from_json(tokenizer.to_json())
            result.append(again.texts_to_sequences(TEXTS))
            result.append(again.sequences_to_matrix([[1, 2, 2]], "tfidf").tolist())
        results.append(result)
    for ours, theirs in zip(*results, strict=True):
        assert ours == theirs


def test_tokenizer_of_lists_and_sequences(legacy):
    results = []
    for module in (text, legacy["text"]):
        tokenizer = module.Tokenizer(num_words=5)
        tokenizer.fit_on_texts([["A", "b"], ["b", "c"]])
        tokenizer.fit_on_sequences([[1, 2], [2, 3]])
        matrix = tokenizer.sequences_to_matrix([[1, 2, 7], []], "tfidf").tolist()
        results.append([tokenizer.texts_to_sequences([["B", "A"]]), dict(tokenizer.index_docs), matrix])
    assert results[0] == results[1]


def test_sampling_table(legacy):
    for arguments in ((50,), (7, 1e-3), (2, 10.0)):
        ours, theirs = (m.make_sampling_table(*arguments) for m in (sequence, legacy["sequence"]))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("arguments", [{}, {"window_size": 1}, {"categorical": True}, {"shuffle": True, "seed": 4}])
def test_skipgrams(legacy, arguments):
    arguments = {"negative_samples": 0.0, "shuffle": False, **arguments}
    words = [1, 5, 0, 2, 2, 7, 3]
    ours, theirs = (m.skipgrams(words, 9, **arguments) for m in (sequence, legacy["sequence"]))
    assert ours == theirs


@pytest.mark.parametrize("arguments", [
    {},
    {"sampling_rate": 2, "stride": 2},
    {"start_index": 3, "end_index": 20, "batch_size": 5},
    {"reverse": True, "batch_size": 1},
    {"stride": 3, "batch_size": 4},
])  # fmt: skip
def test_timeseries_generator(legacy, arguments):
    data, targets = np.arange(60.0).reshape(30, 2), np.arange(30)
    ours, theirs = (m.TimeseriesGenerator(data, targets, 4, **arguments) for m in (sequence, legacy["sequence"]))
    assert len(ours) == len(theirs)
    for i in range(len(ours)):
        for one, other in zip(ours[i], theirs[i], strict=True):
            np.testing.assert_array_equal(one, other)


class Grain:
    """The parts of Grain, which is not installed, that Keras' timeseries_dataset_from_array calls."""

    class MapDataset(list):
        source = classmethod(lambda cls, items: cls(items))
        to_iter_dataset = lambda self: self  # noqa: E731

        def batch(self, size, batch_fn):
            rows = [self[i : i + size] for i in range(0, len(self), size)]
            pairs = isinstance(self[0], tuple)
            return [tuple(map(np.stack, zip(*r))) if pairs else np.stack(r) for r in rows]

    class experimental:
        ZipMapDataset = staticmethod(lambda parts: Grain.MapDataset(zip(*parts)))


@pytest.mark.parametrize("arguments", [
    {},
    {"sequence_stride": 3, "sampling_rate": 2},
    {"batch_size": 4},
    {"batch_size": None},
    {"start_index": 5, "end_index": 25},
    {"start_index": 5, "batch_size": 3},
])  # fmt: skip
@pytest.mark.parametrize("with_targets", [True, False])
def test_timeseries_dataset(keras, monkeypatch, with_targets, arguments):
    from keras.src.utils import timeseries_dataset_utils

    monkeypatch.setattr(timeseries_dataset_utils, "grain", Grain)
    data = np.random.default_rng(0).normal(size=(30, 2)).astype("float32")
    targets = np.arange(30)[4:] if with_targets else None
    if with_targets and "start_index" in arguments:
        targets = np.arange(30)
    full = {"sequence_length": 5, "format": "grain", **arguments}
    ours = list(utils.timeseries_dataset_from_array(data, targets, **full))
    theirs = list(timeseries_dataset_utils.timeseries_dataset_from_array(data, targets, **full))
    for one, other in zip(ours, theirs, strict=True):
        for a, b in zip(one, other, strict=True) if with_targets else [(one, other)]:
            np.testing.assert_array_equal(a, b)
            assert np.asarray(a).dtype == np.asarray(b).dtype


@pytest.mark.parametrize("data", [(1,), [1, 2], (1, 2), (1, 2, 3), 5], ids=str)
def test_unpack(keras, data):
    ours, theirs = utils.unpack_x_y_sample_weight(data), keras.utils.unpack_x_y_sample_weight(data)
    assert ours == theirs
    packed = [m.utils.pack_x_y_sample_weight(*ours) for m in (keras,)]
    assert utils.pack_x_y_sample_weight(*ours) == packed[0]


@pytest.mark.parametrize("shape", [(6, 9, 3), (2, 9, 5, 1)])
@pytest.mark.parametrize("size", [(4, 4), (12, 5)])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_smart_resize(keras, shape, size, interpolation, dtype):
    x = np.random.default_rng(0).uniform(0, 255, shape).astype(dtype)
    for data_format in ("channels_last", "channels_first"):
        x_ = x if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, -3))
        arguments = (x_, size, interpolation, data_format)
        ours, theirs = (m.preprocessing.image.smart_resize(*arguments) for m in (minikeras, keras))
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        # a half may be rounded up or down
        np.testing.assert_allclose(ours.astype(float), theirs, rtol=1e-5, atol=1 if dtype == "uint8" else 1e-3)
