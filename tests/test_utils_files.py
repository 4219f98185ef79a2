"""`get_file`, `Config`, and objects to configs and back."""

import hashlib
import io
import json
import os
import pathlib
import tarfile
import zipfile

import numpy as np
import pytest

from minikeras import activations, initializers, layers, losses, optimizers, regularizers, utils
from minikeras.datasets import cache

# get_file


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def source(tmp_path, content=b"content", name="data.txt"):
    path = tmp_path / name
    path.write_bytes(content)
    return path.as_uri()


def test_downloads_once(home, tmp_path, capsys):
    origin = source(tmp_path)
    path = utils.get_file(origin=origin)
    assert path == str(home / "datasets" / "data.txt")
    assert pathlib.Path(path).read_bytes() == b"content"
    assert capsys.readouterr().out == f"Downloading data from {origin}\n"
    source(tmp_path, b"new")
    assert pathlib.Path(utils.get_file(origin=origin)).read_bytes() == b"content"
    assert capsys.readouterr().out == ""
    assert pathlib.Path(utils.get_file(origin=origin, force_download=True)).read_bytes() == b"new"
    other = utils.get_file("other name.txt", origin, cache_subdir="a/b", cache_dir=str(tmp_path / "elsewhere"))
    assert other == str(tmp_path / "elsewhere" / "a" / "b" / "other name.txt")
    assert utils.get_file(origin=origin, cache_subdir=str(tmp_path / "whole")) == str(tmp_path / "whole" / "data.txt")
    spaces = source(tmp_path, b"x", "two words.txt")
    assert os.path.basename(utils.get_file(origin=spaces)) == "two words.txt"


def test_hashes(home, tmp_path, capsys):
    origin = source(tmp_path)
    sha256, md5 = (hashlib.new(name, b"content").hexdigest() for name in ("sha256", "md5"))
    for arguments in (
        {"file_hash": sha256},
        {"file_hash": sha256.upper(), "hash_algorithm": "sha256"},
        {"file_hash": md5},
        {"file_hash": md5, "hash_algorithm": "md5"},
        {"md5_hash": md5},
    ):
        assert utils.get_file(origin=origin, **arguments)
    capsys.readouterr()
    kept = home / "datasets" / "data.txt"
    kept.write_bytes(b"damaged")
    utils.get_file(origin=origin, file_hash=sha256)
    assert "downloaded anew" in capsys.readouterr().out
    assert kept.read_bytes() == b"content"
    kept.unlink()
    with pytest.raises(ValueError, match="the SHA-256 of the file received is") as error:
        utils.get_file(origin=origin, file_hash="0" * 64)
    assert isinstance(error.value, cache.DownloadError)
    assert os.listdir(home / "datasets") == []


@pytest.mark.parametrize("arguments, message", [
    ({}, "`origin` is required"),
    ({"origin": "https://a.b/"}, "no file name: pass one as `fname`"),
    ({"fname": "a/b"}, "`fname` must be a name without a folder"),
    ({"fname": ".."}, "`fname` must be a name without a folder"),
    ({"file_hash": "12"}, "`file_hash` must be a SHA-256"),
    ({"file_hash": "0" * 32, "hash_algorithm": "sha256"}, "`file_hash` must be"),
    ({"file_hash": 7}, "`file_hash` must be"),
    ({"hash_algorithm": "crc"}, "`hash_algorithm` must be"),
    ({"archive_format": "rar"}, "`archive_format` must be"),
])  # fmt: skip
def test_refuses(home, tmp_path, arguments, message):
    arguments = {"origin": source(tmp_path), **arguments} if arguments else arguments
    with pytest.raises(ValueError, match=message):
        utils.get_file(**arguments)
    assert not home.exists()


def test_no_such_address(home, tmp_path):
    for origin in ((tmp_path / "none").as_uri(), "nowhere/file", "http://127.0.0.1:9/file"):
        with pytest.raises(cache.DownloadError, match="place the file by hand.*`cache_dir`"):
            utils.get_file(origin=origin)
    assert os.listdir(home / "datasets") == []


def tar_of(*members, mode="w:gz"):
    """An archive of (name, content) or (name, type, link)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for member in members:
            info = tarfile.TarInfo(member[0])
            if len(member) == 3:
                info.type, info.linkname = member[1:]
                archive.addfile(info)
            else:
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def zip_of(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in pathlib.Path(folder).rglob("*") if p.is_file()}


FILES = [("a.txt", b"1"), ("sub/b.txt", b"22")]
NAMES = {"a.txt": b"1", os.path.join("sub", "b.txt"): b"22"}


@pytest.mark.parametrize("name, content", [
    ("x.tar.gz", tar_of(*FILES)), ("x.tar.bz2", tar_of(*FILES, mode="w:bz2")), ("x.tar", tar_of(*FILES, mode="w")),
    ("x.zip", zip_of(*FILES)),
])  # fmt: skip
def test_extracts(home, tmp_path, name, content):
    origin = source(tmp_path, content, name)
    folder = utils.get_file(origin=origin, extract=True)
    assert folder == str(home / "datasets" / name)
    assert tree(folder) == NAMES
    assert sorted(os.listdir(home / "datasets")) == sorted([name, name + "_archive"])
    assert utils.get_file("y", origin, extract=True) == str(home / "datasets" / "y")
    assert utils.get_file("z.b.c", origin, extract=True) == str(home / "datasets" / "z_extracted")
    assert (home / "datasets" / "z.b.c").read_bytes() == content
    (pathlib.Path(folder) / "mine.txt").write_text("kept")
    utils.get_file(origin=origin, extract=True)
    assert (pathlib.Path(folder) / "mine.txt").exists()  # nothing is done twice
    utils.get_file(origin=origin, extract=True, force_download=True)
    assert tree(folder) == NAMES


def test_untar_and_formats(home, tmp_path):
    zipped = source(tmp_path, zip_of(*FILES), "x.zip")
    as_tar = {"extract": True, "archive_format": "tar"}
    for arguments in ({"untar": True}, as_tar, {"extract": True, "archive_format": []}):
        with pytest.warns(UserWarning, match="could not be unpacked"):
            folder = utils.get_file(origin=zipped, **arguments)
        assert not os.path.exists(folder)
    assert tree(utils.get_file(origin=zipped, extract=True, archive_format=["tar", "zip"])) == NAMES


OUTSIDE = ["/tmp/minikeras-evil", "../evil", "sub/../../evil", "..\\evil", "C:\\evil", "sub/../../../evil"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_nothing_outside_of_the_folder(home, tmp_path, make, name):
    origin = source(tmp_path, make(("good", b"1"), (name, b"evil")), "x.bin")
    with pytest.warns(UserWarning, match="outside of the folder"):
        folder = utils.get_file(origin=origin, extract=True)
    assert tree(folder) == {"good": b"1"}
    assert not any("evil" in file for _, _, files in os.walk(tmp_path) for file in files)
    assert not os.path.exists("/tmp/minikeras-evil")


def test_links_become_copies(home, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    good = (("d/good", b"1"), ("d/soft", tarfile.SYMTYPE, "good"), ("hard", tarfile.LNKTYPE, "d/good"))
    origin = source(tmp_path, tar_of(*good), "good.tar.gz")
    folder = utils.get_file(origin=origin, extract=True)
    assert tree(folder) == {os.path.join("d", "good"): b"1", os.path.join("d", "soft"): b"1", "hard": b"1"}
    assert not any(path.is_symlink() for path in pathlib.Path(folder).rglob("*"))
    for kind, link in (
        (tarfile.SYMTYPE, str(secret)),
        (tarfile.LNKTYPE, str(secret)),
        (tarfile.SYMTYPE, "../../../secret"),
        (tarfile.SYMTYPE, "link"),  # to itself
        (tarfile.SYMTYPE, str(tmp_path)),
        (tarfile.FIFOTYPE, ""),
        (tarfile.CHRTYPE, ""),
    ):
        content = tar_of(("good", b"1"), ("link", kind, link), ("link/evil", b"evil"))
        origin = source(tmp_path, content, "bad.tar.gz")
        with pytest.warns(UserWarning, match="'link' is no file of the archive"):
            folder = utils.get_file(origin=origin, extract=True, force_download=True)
        assert tree(folder) == {"good": b"1", os.path.join("link", "evil"): b"evil"}
    assert not (tmp_path / "evil").exists()
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_damaged_archives(home, tmp_path, make):
    content = make(("a", os.urandom(5000)), ("b", os.urandom(5000)))
    damaged = content[:3000] if make is tar_of else content[:2000] + b"x" * 50 + content[2050:]
    origin = source(tmp_path, damaged, "x.bin")
    with pytest.raises(ValueError, match="is damaged"):
        utils.get_file(origin=origin, extract=True)
    assert os.listdir(home / "datasets") == ["x.bin_archive"]  # no half of a folder


# Config


def test_config():
    config = utils.Config(rate=0.1)
    config.size = 3
    config["name"] = "a"
    assert (config["size"], config.name, config.get("none", 7), len(config)) == (3, "a", 7, 3)
    assert list(config) == ["name", "rate", "size"]
    assert "size" in config
    assert config.as_dict() == dict(config.items()) == json.loads(config.to_json())
    assert set(config.keys()) == {"rate", "size", "name"}
    assert 3 in config.values()
    assert config.pop("name") == "a"
    config.update(rate=0.2)
    del config["size"]
    assert repr(config) == "<Config {'rate': 0.2}>"
    config.freeze()
    assert config.frozen
    for change in (lambda: setattr(config, "rate", 1), lambda: config.update(a=1), lambda: config.pop("rate")):
        with pytest.raises(ValueError, match="frozen"):
            change()
    config.unfreeze()
    config.rate = 0.3
    with pytest.raises(AttributeError, match="'rat'. Did you mean 'rate'"):
        config.rat  # noqa: B018
    with pytest.raises(AttributeError, match="part of Config"):
        config.freeze = 1


# serialize_keras_object


@pytest.mark.parametrize("obj", [
    layers.Dense(3, activation="relu", kernel_regularizer="l2"),
    losses.Huber(0.5),
    optimizers.SGD(0.1, momentum=0.9),
    initializers.HeNormal(seed=3),
    regularizers.L1L2(0.1, 0.2),
], ids=lambda o: type(o).__name__)  # fmt: skip
def test_objects(obj):
    config = json.loads(json.dumps(utils.serialize_keras_object(obj)))
    assert config["registered_name"] is None
    again = utils.deserialize_keras_object(config)
    assert type(again) is type(obj)
    assert utils.serialize_keras_object(again) == utils.serialize_keras_object(obj)


@pytest.mark.parametrize("value", [
    None, 1, 2.5, "text", True, [1, [2]], {"a": {"b": 1}}, (1, 2), b"bytes", slice(1, None, 2), ..., np.arange(3),
    np.float32(2), [b"a", (..., slice(2))],
], ids=str)  # fmt: skip
def test_plain_values(value):
    config = utils.serialize_keras_object(value)
    json.dumps(config)
    again = utils.deserialize_keras_object(config)
    np.testing.assert_array_equal(again, value) if isinstance(value, np.ndarray) else None
    assert isinstance(value, np.ndarray) or again == value


class Mine:
    def __init__(self, size):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def double(x):
    return 2 * x


def test_own_objects():
    config = utils.serialize_keras_object({"a": Mine(3), "b": double})
    assert config["b"]["config"] == "double"
    again = utils.deserialize_keras_object(config, custom_objects={"Mine": Mine, "double": double})
    assert (again["a"].size, again["b"]) == (3, double)
    with utils.custom_object_scope({"Mine": Mine, "double": double}):
        assert utils.deserialize_keras_object(config)["a"].size == 3
        assert utils.deserialize_keras_object("double") is double
    for part in ("a", "b"):
        with pytest.raises(ValueError, match="Unknown (class|function): '(Mine|double)'.*custom_object_scope"):
            utils.deserialize_keras_object(config[part])
    assert utils.serialize_keras_object(activations.relu) == "relu"


class Built(Mine):
    built, times = False, 0

    def build_from_config(self, config):
        self.built = config
        self.times += 1


@pytest.mark.parametrize("cls, again", [(Mine, None), (Built, {"a": 1})])
def test_what_is_built_already_is_not_built_again(cls, again):
    config = {"class_name": cls.__name__, "config": {"size": 3}, "build_config": {"a": 1}}
    made = utils.deserialize_keras_object([config], custom_objects={cls.__name__: cls})[0]
    assert getattr(made, "built", None) == again

    class BuiltAtOnce(cls):
        built = True

    made = utils.deserialize_keras_object(config, custom_objects={cls.__name__: BuiltAtOnce})
    assert getattr(made, "times", 0) == 0


@pytest.mark.parametrize("config, error", [
    ({"module": "os", "class_name": "system", "config": {}}, ValueError),
    ({"module": "keras.layers", "class_name": "_table", "config": {}}, ValueError),
    ({"module": "keras.layers", "class_name": "np", "config": {}}, ValueError),
    ({"module": "keras.utils", "class_name": "get_file", "config": {}}, ValueError),
    ({"module": "keras.layers", "class_name": "deserialize", "config": {}}, ValueError),
    ({"module": "os", "class_name": "function", "config": "system"}, ValueError),
    ({"module": "builtins", "class_name": "function", "config": "eval"}, ValueError),
    ({"class_name": "__lambda__", "config": {"value": "code"}}, TypeError),
])  # fmt: skip
def test_configs_load_no_code(config, error):
    with pytest.raises(error, match="Unknown|never run"):
        utils.deserialize_keras_object(config)


def test_what_has_no_config():
    for obj in (object(), lambda x: x):
        with pytest.raises(TypeError, match="`obj` must have a method get_config"):
            utils.serialize_keras_object(obj)
    with pytest.raises(TypeError, match="unexpected"):
        utils.deserialize_keras_object({}, other=1)
