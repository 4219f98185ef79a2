"""Every downloaded data set over loopback: a bar, one download, whole or nothing; and what an error tells to do."""

import gzip
import hashlib
import http.server
import io
import os
import tarfile
import threading

import numpy as np
import pytest

from minikeras.datasets import boston_housing, cache, cifar10, cifar100, fashion_mnist, housing, imdb, mnist, words

# What users get, where from, and its SHA-256: as TensorFlow Datasets has them, MNIST's as Keras.
SOURCES = {
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz": (
        11490434, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz": (
        170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz": (
        168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/train-images-idx3-ubyte.gz": (
        26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/train-labels-idx1-ubyte.gz": (
        29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/t10k-images-idx3-ubyte.gz": (
        4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/t10k-labels-idx1-ubyte.gz": (
        5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
}  # fmt: skip


def test_sources():
    ours = {module.URL: (module.BYTES, module.SHA256) for module in (mnist, cifar10, cifar100)}
    ours.update({fashion_mnist.HOME + name: entry[:2] for name, entry in fashion_mnist.FILES.items()})
    assert ours == SOURCES


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content = self.server.files.get(self.path.split("/")[-1])
        self.server.requests.append(self.path.split("/")[-1])
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.requests = {}, []
    server.home = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def signed(content):
    return len(content), hashlib.sha256(content).hexdigest()


def serve_mnist(server, patch):
    patch.setattr(mnist, "ARRAYS", {name: (6, *shape[1:]) for name, shape in mnist.ARRAYS.items()})
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.full(shape, 3, np.uint8) for name, shape in mnist.ARRAYS.items()})
    server.files["mnist.npz"] = buffer.getvalue()
    size, digest = signed(buffer.getvalue())
    for name, value in (("URL", server.home + "mnist.npz"), ("BYTES", size), ("SHA256", digest)):
        patch.setattr(mnist, name, value)


def serve_fashion_mnist(server, patch):
    files = {}
    for name, (_, _, shape) in fashion_mnist.FILES.items():
        shape = (6, *shape[1:])
        header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
        server.files[name] = gzip.compress(header + bytes([3]) * int(np.prod(shape)))
        files[name] = (*signed(server.files[name]), shape)
    patch.setattr(fashion_mnist, "FILES", files)
    patch.setattr(fashion_mnist, "HOME", server.home)


def serve_cifar(module, columns, server, patch):
    """An archive as the real one: with its files in no order, and some that nobody wants."""
    for name in ("TRAIN", "TEST"):
        patch.setattr(module, name, dict.fromkeys(getattr(module, name), 6))
    names = [*module.TEST, *sorted(module.TRAIN, reverse=True)]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in ["readme.html", *names, os.path.dirname(names[0]) + "/batches.meta.txt"]:
            member, content = tarfile.TarInfo(path), bytes([3]) * (6 * (columns + 3072) if path in names else 40)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    name = module.URL.split("/")[-1]
    server.files[name] = buffer.getvalue()
    size, digest = signed(buffer.getvalue())
    for attribute, value in (("URL", server.home + name), ("BYTES", size), ("SHA256", digest)):
        patch.setattr(module, attribute, value)


SETS = {
    "mnist": (mnist, serve_mnist),
    "fashion_mnist": (fashion_mnist, serve_fashion_mnist),
    "cifar10": (cifar10, lambda *arguments: serve_cifar(cifar10, 1, *arguments)),
    "cifar100": (cifar100, lambda *arguments: serve_cifar(cifar100, 2, *arguments)),
}


def files_in(folder):
    walk = os.walk(folder)
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, names in walk for name in names)


@pytest.mark.parametrize("name", SETS)
def test_downloads_once_with_a_bar(name, server, monkeypatch, tmp_path, capfd):
    module, serve = SETS[name]
    serve(server, monkeypatch)
    (x, y), (x_test, y_test) = module.load_data()
    assert x.dtype == x_test.dtype == np.uint8
    assert (len(x), len(x_test)) == ((30, 6) if name == "cifar10" else (6, 6))
    assert (x == 3).all()
    assert (x_test == 3).all()
    assert (y == 3).all()
    assert (y_test == 3).all()
    bars = capfd.readouterr().err
    for file, content in server.files.items():
        assert f"{file}: 100%" in bars
        assert server.requests.count(file) == 1
        place = os.path.join("fashion-mnist", file) if name == "fashion_mnist" else file
        assert (tmp_path / "cache" / place).read_bytes() == content
    module.load_data()
    assert len(server.requests) == len(server.files)
    assert capfd.readouterr().err == ""
    assert not any(file.endswith(".part") or "tmp" in file for file in files_in(tmp_path / "cache"))


@pytest.mark.parametrize("damage", ["hash", "size", "missing"])
@pytest.mark.parametrize("name", SETS)
def test_another_file_is_refused_and_not_kept(name, damage, server, monkeypatch, tmp_path):
    module, serve = SETS[name]
    serve(server, monkeypatch)
    bad = list(server.files)[-1]
    content = server.files[bad]
    server.files[bad] = {"hash": content[:-1] + b"?", "size": content + b"?", "missing": None}[damage]
    reason = {"hash": "SHA-256", "size": "received more", "missing": "404"}[damage]
    with pytest.raises(cache.DownloadError, match=reason) as error:
        module.load_data()
    assert isinstance(error.value, cache.HashError) == (damage == "hash")
    message, folder = str(error.value), str(tmp_path / "cache")
    assert server.home + bad in message
    assert f"save it as {folder}" in message
    assert "MINIKERAS_HOME" in message
    assert "datasets.digits" in message
    assert "datasets.synthetic" in message
    if name.startswith("cifar"):
        assert f"as the folder {os.path.join(folder, os.path.dirname(next(iter(module.TRAIN))))}" in message
    good = [file for file in server.files if file != bad]
    assert files_in(folder) == sorted(os.path.join("fashion-mnist", file) for file in good)
    server.files[bad] = content
    assert (module.load_data()[1][0] == 3).all()  # mended at home: it works at once


@pytest.mark.parametrize("module, home", [(imdb, words), (boston_housing, housing)])
def test_what_works_without_a_network_is_named(module, home, server, monkeypatch):
    monkeypatch.setattr(home, "HOME", server.home)
    with pytest.raises(cache.DownloadError, match="404.*needs no network: datasets.digits, and datasets.synthetic"):
        module.load_data()


def test_an_archive_that_lacks_a_file(server, monkeypatch, tmp_path):
    serve_cifar(cifar10, 1, server, monkeypatch)
    monkeypatch.setitem(cifar10.TRAIN, "cifar-10-batches-bin/data_batch_6.bin", 6)
    with pytest.raises(ValueError, match="damaged.*it has no cifar-10-batches-bin/data_batch_6.bin"):
        cifar10.load_data()


def test_files_of_an_archive_placed_by_hand(server, monkeypatch, tmp_path):
    """The folder as anything else unpacks it, with nothing beside it."""
    serve_cifar(cifar10, 1, server, monkeypatch)
    with tarfile.open(fileobj=io.BytesIO(server.files["cifar-10-binary.tar.gz"])) as archive:
        for member in archive:
            path = tmp_path / "cache" / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.extractfile(member).read())
    assert cifar10.load_data()[0][0].shape == (30, 32, 32, 3)
    assert server.requests == []
