"""Data sets in other forms than MNIST's: IDX, CIFAR's rows, and lists that are read without unpickling."""

import gzip
import io
import os
import pathlib
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from minikeras import config
from minikeras.datasets import (
    boston_housing,
    cache,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    pickled,
    reuters,
    words,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path))
    return tmp_path


# pickled


def lists(*rows):
    array = np.empty(len(rows), object)
    array[:] = list(map(list, rows))
    return array


ROWS = lists([1, 2, 255, 256, 65535, 65536, 2**31 - 1, -1, -(2**31), 0], [], [7], list(range(3000)), [2**40, -(2**50)])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_reads_lists(protocol):
    read = pickled.read_lists(pickle.dumps(ROWS, protocol), ROWS.shape)
    assert read.dtype == object
    assert read.tolist() == ROWS.tolist()


def python2_pickle(rows):
    """What Python 2 wrote: bytes as short texts ('U'), two-line names, memo entries that nobody needs."""
    body = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03U\x01bq\x04"
    body += b"\x87q\x05Rq\x06(K\x01M" + len(rows).to_bytes(2, "little") + b"\x85q\x07cnumpy\ndtype\nq\x08U\x02O8"
    body += b"q\x09K\x00K\x01\x87q\nRq\x0b"
    body += b"(K\x03U\x01|q\x0cNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\rb\x89]q\x0e("
    for row in rows:
        body += b"]q\x0f(" + b"".join(b"M" + n.to_bytes(2, "little") for n in row) + b"e"
    return body + b"etb."


def test_reads_what_python_2_wrote():
    rows = [[1, 2, 3], [4], list(range(300))]
    data = python2_pickle(rows)
    assert pickle.loads(data, encoding="latin1").tolist() == rows
    assert pickled.read_lists(data, (3,)).tolist() == rows


class Evil:
    def __reduce__(self):
        return os.mkdir, (EVIL,)


EVIL = "minikeras-test-was-executed"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("value", [
    Evil(),
    lists([1]).tolist(),
    np.array([Evil(), 1], dtype=object),
    lists([1], [2.5]),
    lists([1], ["a"]),
    lists([True]),
    lists([[1]]),
    np.array([{1: 2}, None], dtype=object),
    np.array([1, 2], dtype=object),
    np.arange(3),
    {"a": [1]},
    np.ndarray,
    eval,
], ids=lambda v: str(v)[:40])  # fmt: skip
def test_refuses_all_else(value, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="."):
        pickled.read_lists(pickle.dumps(value, protocol), (np.size(value) if np.ndim(value) else 1,))
    assert not os.path.exists(EVIL)


def test_refuses_damage():
    data = pickle.dumps(lists([1, 2, 300], [70000]), 4)
    for cut in range(len(data)):
        with pytest.raises(ValueError, match="."):
            pickled.read_lists(data[:cut], (2,))
    generator = np.random.default_rng(0)
    for _ in range(3000):  # only a value or a ValueError, whatever comes
        broken = bytearray(data)
        for place in generator.integers(0, len(data), generator.integers(1, 5)):
            broken[place] = generator.integers(256)
        try:
            rows = pickled.read_lists(bytes(broken), (2,))
        except ValueError:
            continue
        assert all(type(n) is int for row in rows for n in row)
    with pytest.raises(ValueError, match="lists"):
        pickled.read_lists(data, (3,))
    with pytest.raises(ValueError, match="names os.mkdir"):
        pickled.read_lists(b"cos\nmkdir\n(S'x'\ntR.", (1,))


def test_huge_arrays_are_refused(folder, monkeypatch):
    np.savez(folder / "reuters.npz", x=lists([1]), y=np.zeros(1))
    monkeypatch.setattr(pickled, "LARGEST", 100)
    with pytest.raises(ValueError, match="bytes"):
        reuters.load_data()


# imdb, reuters


def save_imdb(folder, **changes):
    texts = lists([1, 2, 3], [4, 5], [6] * 9)
    arrays = {"x_train": texts, "y_train": np.arange(3), "x_test": texts, "y_test": np.arange(3), **changes}
    np.savez(folder / "imdb.npz", **{name: array for name, array in arrays.items() if array is not None})


def test_imdb(folder):
    save_imdb(folder)
    (x, y), (x_test, _) = imdb.load_data(num_words=8)
    assert x.dtype == object
    assert sorted(x.tolist()) == [[1, 2] + [], [1, 2, 2], [1, 4, 5, 6]] or sorted(map(len, x)) == [3, 4, 10]
    assert sorted(y) == [0, 1, 2]
    by_label = dict(zip(y.tolist(), x))
    assert by_label == {0: [1, 4, 5, 6], 1: [1, 7, 2], 2: [1] + [2] * 9}
    assert [len(text) for text in imdb.load_data(maxlen=4)[0][0]] == [3]
    with pytest.raises(ValueError, match="`maxlen`=2 leaves no text"):
        imdb.load_data(maxlen=2)
    with pytest.warns(DeprecationWarning, match="`num_words`"):
        assert imdb.load_data(nb_words=8)[0][0].tolist() == x.tolist()
    with pytest.raises(TypeError, match="words"):
        imdb.load_data(words=3)
    random = np.random.get_state()[1].tolist()  # noqa: NPY002
    imdb.load_data()
    assert np.random.get_state()[1].tolist() == random  # noqa: NPY002


def test_texts_of_one_length_stay_lists(folder):
    np.savez(folder / "reuters.npz", x=lists(*[[1, 2]] * 10), y=np.arange(10))
    (x, y), (x_test, y_test) = reuters.load_data()
    assert x.shape == (8,)
    assert x_test.tolist() == [[1, 4, 2]] * 2 or x_test.shape == (2,)


@pytest.mark.parametrize("change, message", [
    ({"x_test": None}, "has no array 'x_test'"),
    ({"y_test": np.arange(2)}, "3 texts and 2 labels"),
    ({"y_train": np.zeros((3, 2))}, r"must be numbers of shape \(None,\)"),
    ({"x_train": np.arange(3)}, "texts must be lists"),
    ({"y_train": lists([1], [2], [3])}, "texts must be lists and labels numbers"),
    ({"x_train": np.array([Evil()] * 3)}, "damaged"),
    ({"x_train": np.array(["a", "b", "c"])}, "must be numbers"),
])  # fmt: skip
def test_wrong_texts(folder, change, message):
    save_imdb(folder, **change)
    with pytest.raises(ValueError, match=message) as error:
        imdb.load_data()
    assert str(folder / "imdb.npz") in str(error.value)
    assert not os.path.exists(EVIL)


def test_damaged_texts(folder):
    save_imdb(folder)
    data = (folder / "imdb.npz").read_bytes()
    for broken in (data[:-30], b"", b"text"):
        (folder / "imdb.npz").write_bytes(broken)
        with pytest.raises(ValueError, match="is damaged or no .npz file"):
            imdb.load_data()
    with zipfile.ZipFile(folder / "imdb.npz", "w") as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", b"no array")
    with pytest.raises(ValueError, match="is damaged"):
        imdb.load_data()


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": "b"}', '{"a": 1.5}'])
def test_wrong_word_index(folder, text):
    (folder / "imdb_word_index.json").write_text(text)
    with pytest.raises(ValueError, match="damaged or another file"):
        imdb.get_word_index()


def test_known_words():
    assert words.known([[1, 5, 9], []], None, 0, 2) == [[1, 5, 2], []]  # Keras' rule: the largest number goes
    assert words.known([[1, 5, 9]], 6, 2, None) == [[5]]


# housing


def test_housing(folder):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(20, 13)), np.arange(20.0)
    np.savez(folder / "boston_housing.npz", x=x, y=y)
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(test_split=0.25)
    assert x_test.shape == (5, 13)
    np.testing.assert_array_equal(x_train, x[y_train.astype(int)])
    assert sorted([*y_train, *y_test]) == y.tolist()
    for wrong in (1, -0.1, True, "a", None):
        with pytest.raises(ValueError, match="`test_split`"):
            boston_housing.load_data(test_split=wrong)
    with pytest.raises(ValueError, match="`version`"):
        california_housing.load_data("medium")
    np.savez(folder / "california_housing.npz", x=x, y=y)
    with pytest.raises(ValueError, match=r"must be float64 of shape \(None, 8\)"):
        california_housing.load_data()
    np.savez(folder / "boston_housing.npz", x=x, y=y[1:])
    with pytest.raises(ValueError, match="20 rows of x and 19"):
        boston_housing.load_data()


# Fashion-MNIST


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(header + array.tobytes(), 1))


def test_fashion_mnist(folder, monkeypatch):
    small = {}
    for name, (size, digest, shape) in fashion_mnist.FILES.items():
        shape = (shape[0] // 1000, *shape[1:])
        small[name] = (size, digest, shape)
        write_idx(folder / "fashion-mnist" / name, np.resize(np.arange(251, dtype=np.uint8), shape))
    monkeypatch.setattr(fashion_mnist, "FILES", small)
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert (x_train.shape, y_train.shape, x_test.shape, y_test.shape) == ((60, 28, 28), (60,), (10, 28, 28), (10,))
    assert x_train.dtype == y_test.dtype == np.uint8
    assert y_test.tolist() == list(range(10))
    assert x_train[0, 1, 0] == 28
    x_train[0] = 0  # not read-only
    path = folder / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    good = path.read_bytes()
    for broken in (good[:-9], b"", b"text", gzip.compress(b"text"), gzip.compress(gzip.decompress(good) + b"x")):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged or another file"):
            fashion_mnist.load_data()
    write_idx(path, np.zeros(11, np.uint8))
    with pytest.raises(ValueError, match=r"shape \(10,\)"):
        fashion_mnist.load_data()


# CIFAR


def rows_of(module, columns, count=4):
    """Small files: their content by path."""
    generator = np.random.default_rng(0)
    return {path: generator.integers(0, 256, (count, columns + 3072), np.uint8) for path in module}


def archive(files, folder, name):
    with tarfile.open(folder / name, "w:gz") as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def cifar(folder, monkeypatch):
    """CIFAR-10 with four images a file, as an archive in the cache."""
    contents = rows_of({**cifar10.TRAIN, **cifar10.TEST}, 1)
    for name in ("TRAIN", "TEST"):
        monkeypatch.setattr(cifar10, name, dict.fromkeys(getattr(cifar10, name), 4))
    archive({path: rows.tobytes() for path, rows in contents.items()}, folder, "cifar-10-binary.tar.gz")
    return contents


def test_cifar10(cifar, folder, monkeypatch):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, y_train.shape) == ((20, 32, 32, 3), (20, 1))
    assert (x_test.shape, y_test.shape) == ((4, 32, 32, 3), (4, 1))
    assert x_train.dtype == y_train.dtype == np.uint8
    rows = cifar["cifar-10-batches-bin/data_batch_2.bin"]
    assert y_train[4:8, 0].tolist() == rows[:, 0].tolist()
    assert x_train[5, 3, 7].tolist() == [rows[1, 1 + 1024 * c + 3 * 32 + 7] for c in range(3)]
    (folder / "cifar-10-binary.tar.gz").unlink()  # now from the files
    np.testing.assert_array_equal(cifar10.load_data()[0][0], x_train)
    assert sorted(os.listdir(folder / "cifar-10-batches-bin")) == sorted(p.split("/")[1] for p in cifar)
    monkeypatch.setattr(config, "_image_data_format", "channels_first")
    np.testing.assert_array_equal(cifar10.load_data()[1][0], x_test.transpose(0, 3, 1, 2))
    path = folder / "cifar-10-batches-bin" / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="has 12291 bytes instead of 12292"):
        cifar10.load_data()


def test_cifar100(folder, monkeypatch):
    contents = rows_of({**cifar100.TRAIN, **cifar100.TEST}, 2)
    for name in ("TRAIN", "TEST"):
        monkeypatch.setattr(cifar100, name, dict.fromkeys(getattr(cifar100, name), 4))
    archive({path: rows.tobytes() for path, rows in contents.items()}, folder, "cifar-100-binary.tar.gz")
    rows = contents["cifar-100-binary/train.bin"]
    for mode, column in (("coarse", 0), ("fine", 1)):
        (x, y), _ = cifar100.load_data(mode)
        assert (y.dtype, y[:, 0].tolist()) == (np.int64, rows[:, column].tolist())
        assert x[1, 0, 0].tolist() == rows[1, [2, 1026, 2050]].tolist()
    with pytest.raises(ValueError, match="`label_mode`"):
        cifar100.load_data("both")


def test_wrong_archives(cifar, folder):
    path = folder / "cifar-10-binary.tar.gz"
    good = path.read_bytes()
    first = next(iter(cifar10.TRAIN))
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w:gz") as tar:
        member = tarfile.TarInfo(first)
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    archive({first: b"short"}, folder, "short.tar.gz")
    archive({"../" + first: b"x"}, folder, "outside.tar.gz")
    others = [(folder / name).read_bytes() for name in ("short.tar.gz", "outside.tar.gz")]
    for broken in (good[: len(good) // 2], b"", b"text", link.getvalue(), *others):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged or another file"):
            cifar10.load_data()
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) in ([], ["cifar-10-batches-bin"])
    assert not any(name.startswith("tmp") for _, _, names in os.walk(folder) for name in names)


def test_addresses():
    for module in (cifar10, cifar100):
        assert module.URL.startswith("https://")
    for home in (fashion_mnist.HOME, words.HOME):
        assert home.startswith("https://")
    digests = [m.SHA256 for m in (boston_housing, california_housing, cifar10, cifar100, imdb, reuters)]
    digests += [digest for _, digest, _ in fashion_mnist.FILES.values()]
    assert all(len(digest) == 64 for digest in digests)


# downloads of any size, with MD5


def test_download_by_md5_of_any_size(folder, monkeypatch, tmp_path):
    import hashlib

    source = tmp_path / "source"
    source.write_bytes(b"content")
    good = hashlib.md5(b"content").hexdigest()
    path = cache.fetch("name", source.as_uri(), digest=good.upper())
    assert pathlib.Path(path).read_bytes() == b"content"
    assert cache.matches(path, good)
    assert not cache.matches(path, "0" * 64)
    with pytest.raises(cache.HashError, match="the MD5 of the file received is") as error:
        cache.fetch("other", source.as_uri(), digest="0" * 32)
    assert isinstance(error.value, (ValueError, cache.DownloadError))
    with pytest.raises(cache.DownloadError, match="MINIKERAS_HOME"):
        cache.fetch("other", "no address")
    assert sorted(os.listdir(folder)) == ["name", "source"]
