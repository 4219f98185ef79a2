"""The data sets: the embedded digits, and the download cache against a server on loopback."""

import hashlib
import http.server
import io
import os
import threading

import numpy as np
import pytest

from minikeras.datasets import cache, digits, mnist


class TestDigits:
    def test_split(self):
        (x_train, y_train), (x_test, y_test) = digits.load_data()
        assert x_train.shape == (1437, 8, 8, 1)
        assert x_test.shape == (360, 8, 8, 1)
        assert x_train.dtype == x_test.dtype == np.float32
        assert y_train.dtype == y_test.dtype == np.int64
        assert y_train.shape == (1437,)
        for labels in (y_train, y_test, y_train[-144:]):
            counts = np.bincount(labels, minlength=10)
            assert counts.min() > 0.07 * len(labels)
            assert counts.max() < 0.14 * len(labels)

    def test_every_original_once(self):
        (x_train, y_train), (x_test, y_test) = digits.load_data()
        x = np.concatenate([x_train, x_test])[..., 0] * 16
        np.testing.assert_array_equal(x, x.astype(np.uint8))
        rows = sorted(image.astype(np.uint8).tobytes() for image in x)
        assert len(rows) == 1797
        # Of scikit-learn's images, sorted: nothing was lost, doubled or changed.
        digest = hashlib.sha256(b"".join(rows)).hexdigest()
        assert digest == "d34fb8ecae8dd76408eb4241f93dd5e31df5a84fe18291efd0ee1ae70b2122aa"
        counts = np.bincount(np.concatenate([y_train, y_test]))
        assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]

    def test_equals_scikit_learn(self):
        datasets = pytest.importorskip("sklearn.datasets")
        original = datasets.load_digits()
        order = np.arange(1797) * 1111 % 1797
        (x_train, y_train), (x_test, y_test) = digits.load_data()
        np.testing.assert_array_equal(np.concatenate([x_train, x_test])[..., 0] * 16, original.images[order])
        np.testing.assert_array_equal(np.concatenate([y_train, y_test]), original.target[order])

    @pytest.mark.parametrize("size", [8, 9, 16, 28, 32])
    def test_sizes(self, size):
        (x_train, _), (x_test, _) = digits.load_data(size=size)
        assert x_train.shape[1:] == x_test.shape[1:] == (size, size, 1)
        assert x_train.dtype == np.float32
        assert x_train.min() == 0
        assert 0.9 < x_train.max() <= 1

    def test_scaling_keeps_the_centre_and_the_brightness(self):
        (small, _), _ = digits.load_data()
        (large, _), _ = digits.load_data(size=28)

        def centre(x):
            position = (np.arange(x.shape[1]) + 0.5) / x.shape[1]
            ink = x[..., 0].mean(axis=0)
            return position @ ink.sum(axis=1) / ink.sum(), ink.sum(axis=0) @ position / ink.sum()

        np.testing.assert_allclose(centre(large), centre(small), atol=2e-3)
        assert abs(large.mean() - small.mean()) < 0.02 * small.mean()

    def test_scaling_reproduces_straight_lines(self):
        # Keys' kernel is exact for polynomials up to the second degree, away from the border.
        t = np.arange(8) + 0.5
        new = (np.arange(28) + 0.5) * 8 / 28
        inside = (new > 2) & (new < 6)
        matrix = digits.scaling_matrix(8, 28)
        for degree in range(3):
            np.testing.assert_allclose((matrix @ t**degree)[inside], new[inside] ** degree, rtol=1e-5)

    def test_repeatable(self):
        first, second = digits.load_data(size=28), digits.load_data(size=28)
        np.testing.assert_array_equal(first[0][0], second[0][0])

    @pytest.mark.parametrize("size", [7, 0, -8, 8.0, "28", None, True])
    def test_bad_size(self, size):
        with pytest.raises(ValueError, match="`size` must be an integer of at least 8"):
            digits.load_data(size=size)


def mnist_file(**changes):
    """A file with MNIST's arrays, all zeros but for a few pixels: it compresses to a few kB."""
    arrays = {name: np.zeros(shape, np.uint8) for name, shape in mnist.ARRAYS.items()}
    arrays["x_test"][0, 1, 2] = 255
    arrays["y_train"][-1] = 9
    arrays.update(changes)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


@pytest.fixture(scope="module")
def content():
    return mnist_file()


class Server(http.server.ThreadingHTTPServer):
    """Serves `content` at /mnist.npz, or what else a test asks of it."""

    status, content, declared = 200, b"", None
    requests = 0


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        self.send_response(self.server.status)
        declared = len(self.server.content) if self.server.declared is None else self.server.declared
        self.send_header("Content-Length", str(declared))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path, content):
    """A server on loopback in the place of MNIST's home, and an empty cache folder."""
    server = Server(("127.0.0.1", 0), Handler)
    server.content = content
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(mnist, "URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
    monkeypatch.setattr(mnist, "BYTES", len(content))
    monkeypatch.setattr(mnist, "SHA256", hashlib.sha256(content).hexdigest())
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


class TestMnist:
    def test_downloads_once(self, server, folder, capfd):
        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        assert x_train.shape == (60000, 28, 28)
        assert x_test.shape == (10000, 28, 28)
        assert x_train.dtype == y_train.dtype == np.uint8
        assert x_test[0, 1, 2] == 255
        assert y_train[-1] == 9
        assert y_test.shape == (10000,)
        assert os.listdir(folder) == ["mnist.npz"]
        assert "mnist.npz" in capfd.readouterr().err  # the progress bar
        mnist.load_data()
        assert server.requests == 1

    def test_absolute_path(self, server, tmp_path, content):
        path = tmp_path / "elsewhere" / "digits.npz"
        mnist.load_data(path=str(path))
        assert path.read_bytes() == content

    def test_file_placed_by_hand_needs_no_hash(self, server, folder):
        folder.mkdir()
        (folder / "mnist.npz").write_bytes(mnist_file(y_test=np.full(10000, 3, np.uint8)))
        _, (_, y_test) = mnist.load_data()
        assert y_test[0] == 3
        assert server.requests == 0

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x_test": None}, "has no array 'x_test'"),
            ({"x_test": np.zeros((10000, 32, 32), np.uint8)}, r"shape \(10000, 28, 28\). Received uint8 of shape"),
            ({"y_train": np.zeros(60000)}, "must be uint8 of shape .* Received float64"),
            ({"y_train": np.array([None])}, "allow_pickle=False"),
        ],
    )
    def test_wrong_content(self, server, folder, change, message):
        folder.mkdir()
        (folder / "mnist.npz").write_bytes(mnist_file(**change))
        with pytest.raises(ValueError, match=message) as error:
            mnist.load_data()
        assert str(folder / "mnist.npz") in str(error.value)
        assert "Delete the file" in str(error.value)

    @pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty", "npy"])
    def test_damaged_file(self, server, folder, content, damage):
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(3))
        middle = len(content) // 3
        damaged = {
            "cut": content[:-100],
            "flip": content[:middle] + bytes(b ^ 0x55 for b in content[middle : middle + 50]) + content[middle + 50 :],
            "text": b"<html>404</html>",
            "empty": b"",
            "npy": buffer.getvalue(),
        }[damage]
        folder.mkdir()
        (folder / "mnist.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match="is damaged or no .npz file") as error:
            mnist.load_data()
        assert str(folder / "mnist.npz") in str(error.value)

    def check_failure(self, folder, message):
        with pytest.raises(cache.DownloadError, match=message) as error:
            mnist.load_data()
        assert isinstance(error.value, OSError)
        assert mnist.URL in str(error.value)
        assert f"save it as {folder / 'mnist.npz'}" in str(error.value)
        assert not folder.exists() or os.listdir(folder) == []

    def test_http_error(self, server, folder):
        server.status = 404
        self.check_failure(folder, "404")

    def test_no_network(self, server, folder, monkeypatch):
        monkeypatch.setattr(mnist, "URL", "http://127.0.0.1:9/mnist.npz")
        self.check_failure(folder, "refused")

    def test_wrong_hash(self, server, folder, monkeypatch):
        monkeypatch.setattr(mnist, "SHA256", "0" * 64)
        self.check_failure(folder, "SHA-256")

    def test_too_short(self, server, folder, content):
        server.content, server.declared = content[:1000], len(content)
        self.check_failure(folder, "expected [0-9]+ bytes, received 1000|IncompleteRead")

    def test_too_long(self, server, folder, content):
        server.content = content + b"more"
        self.check_failure(folder, "received more")

    def test_timeout(self, server, folder, content, monkeypatch):
        monkeypatch.setattr(cache, "TIMEOUT", 0.2)
        silent = threading.Event()
        monkeypatch.setattr(Handler, "do_GET", lambda handler: silent.wait(5))
        self.check_failure(folder, "timed out")
        silent.set()

    def test_interrupted(self, server, folder, monkeypatch):
        def interrupt(*arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            mnist.load_data()
        assert os.listdir(folder) == []

    def test_folder_that_cannot_be_made(self, server, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("MINIKERAS_HOME", str(tmp_path / "file"))
        with pytest.raises(cache.DownloadError, match="MINIKERAS_HOME"):
            mnist.load_data()

    def test_default_folder(self, monkeypatch):
        monkeypatch.delenv("MINIKERAS_HOME", raising=False)
        assert cache.folder() == os.path.join(os.path.expanduser("~"), ".minikeras")

    def test_the_real_address(self):
        assert mnist.URL.startswith("https://")
        assert len(mnist.SHA256) == 64
