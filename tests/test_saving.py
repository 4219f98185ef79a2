"""Weight files: what is written, what is refused, and that a model is unchanged after whatever was refused.

`parity/test_weights.py` exchanges files with Keras.
"""

import io
import os
import pathlib
import pickle
import stat
import subprocess
import sys
import time
import zipfile
import zlib

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, saving
from minikeras.saving import FileFormatError, atomic, reader


def build(units=4, names=("first", "second"), more=()):
    stack = [layers.Dense(units, name=names[0]), layers.Dropout(0.0), layers.Dense(2, name=names[1]), *more]
    return keras.Sequential([keras.Input((3,)), *stack], name="model")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lenet.weights.h5"


@pytest.fixture
def saved(path):
    """Path of a file of `build`'s weights."""
    build().save_weights(path)
    return path


def run(code):
    """Run Python code in a process of its own and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(keras.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def equal_weights(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights()))


def refused(model, path, error, match, **arguments):
    """Check that loading is refused, quickly, and that the model is as it was. Returns the message."""
    before, bits = model.get_weights(), model.optimizer and [v.numpy() for v in model.optimizer.variables]
    start = time.perf_counter()
    with pytest.raises(error, match=match) as caught:
        model.load_weights(path, **arguments)
    assert time.perf_counter() - start < 5
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    if bits:
        assert all(np.array_equal(a, b) for a, b in zip(bits, [v.numpy() for v in model.optimizer.variables]))
    assert str(path) in str(caught.value)
    return str(caught.value)


class TestRoundTrip:
    @pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
    def test_paths(self, path, kind):
        source, target = build(), build()
        assert not equal_weights(source, target)
        assert source.save_weights(kind(path)) is None
        assert target.load_weights(kind(path)) is None
        assert equal_weights(source, target)

    def test_relative_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        source, target = build(), build()
        source.save_weights("x.weights.h5")
        target.load_weights("x.weights.h5")
        assert equal_weights(source, target)

    def test_names_do_not_matter(self, saved):
        build(names=("other", "names")).load_weights(saved)

    def test_nested_models(self, path):
        def nested():
            inner = keras.Sequential([layers.Dense(3), keras.Sequential([layers.Dense(3), layers.Dense(2)])])
            return keras.Sequential([keras.Input((4,)), layers.Dense(4), inner, layers.Dense(2)])

        source, target = nested(), nested()
        source.save_weights(path)
        target.load_weights(path)
        assert equal_weights(source, target)
        with h5py.File(path) as file:
            assert file["layers/sequential/layers/sequential/layers/dense_1/vars/0"].shape == (3, 2)

    def test_subclasses_and_custom_layers(self, path):
        class MyDense(layers.Dense):
            pass

        class Block(keras.Sequential):
            pass

        def custom():
            return keras.Sequential([keras.Input((4,)), MyDense(4), Block([MyDense(2)])])

        source, target = custom(), custom()
        source.save_weights(path)
        target.load_weights(path)
        assert equal_weights(source, target)
        with h5py.File(path) as file:
            assert set(file["layers"]) == {"my_dense", "block"}

    def test_float64(self, path):
        keras.config.set_floatx("float64")
        try:
            source, target = build(), build()
        finally:
            keras.config.set_floatx("float32")
        source.save_weights(path)
        target.load_weights(path)
        assert equal_weights(source, target)
        single = build()
        single.load_weights(path)
        np.testing.assert_array_equal(single.get_weights()[0], source.get_weights()[0].astype("float32"))

    def test_beyond_the_range_of_float32(self, saved):
        with h5py.File(saved, "r+") as file:
            del file["layers/dense/vars/1"]
            file["layers/dense/vars/1"] = np.array([1e300, -1e300, 1, np.nan])
        model = build()
        model.load_weights(saved)
        np.testing.assert_array_equal(model.get_weights()[1], [np.inf, -np.inf, 1, np.nan])

    def test_in_training(self, path):
        """Weights loaded between two steps are trained from there on: they lie where the optimizer has put them."""
        x, y = np.ones((4, 3)), np.ones((4, 2))
        model, other = build(), build()
        for each in (model, other):
            each.compile("sgd", "mse", learning_rate=1e-9)
            each.train_on_batch(x, y)
        other.save_weights(path)
        model.load_weights(path)
        model.train_on_batch(x, y)
        np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], atol=1e-6)

    def test_seed_generators_of_older_keras_are_ignored(self, saved):
        with h5py.File(saved, "r+") as file:
            file["layers/dropout/seed_generator/vars/0"] = np.zeros(2, "uint32")
            file["metrics/mean/vars/0"] = np.zeros(())
        build().load_weights(saved)


class TestOptimizer:
    def trained(self, optimizer="adam", steps=2):
        model = build()
        model.compile(optimizer, "mse")
        for _ in range(steps):
            model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
        return model

    def test_training_goes_on_to_the_bit(self, path):
        source = self.trained()
        source.save_weights(path)
        for steps in (0, 1):
            target = self.trained(steps=steps)
            target.load_weights(path)
            assert target.optimizer.iterations == 2
        source.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
        target.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
        assert equal_weights(source, target)

    def test_weights_alone_for_a_model_to_be_trained(self, saved):
        self.trained(steps=0).load_weights(saved)  # nothing to warn of

    def test_weights_alone_for_a_trained_model(self, saved):
        with pytest.warns(UserWarning, match="Skipping variable loading.*10 variables whereas .* has 0") as caught:
            self.trained().load_weights(saved)
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("steps", [0, 1])
    def test_state_of_the_same_shapes_that_means_something_else(self, path, steps):
        """A momentum may be negative, and RMSprop would take the square root of it."""
        self.trained(keras.optimizers.SGD(momentum=0.9)).save_weights(path)
        model = self.trained("rmsprop", steps)
        with pytest.warns(UserWarning, match="the saved optimizer is 'sgd"):
            model.load_weights(path)
        assert model.optimizer.iterations == steps
        assert model.optimizer.built == bool(steps)

    def test_other_shapes(self, path):
        with h5py.File(path, "w") as file:
            source = self.trained()
            from minikeras.saving import weights

            weights.write_state(source, file)
            del file["optimizer/vars/4"]
            file["optimizer/vars/4"] = np.zeros(7)
        model = self.trained(steps=0)
        with pytest.warns(UserWarning, match="other shapes"):
            model.load_weights(path)
        assert equal_weights(model, source)
        assert not model.optimizer.built

    def test_an_optimizer_of_ones_own(self, path):
        class Mine(keras.optimizers.SGD):
            pass

        self.trained(Mine(momentum=0.9, name="mine")).save_weights(path)
        model = self.trained(Mine(momentum=0.9), 0)
        model.load_weights(path)
        assert model.optimizer.iterations == 2


class TestMismatch:
    """Rows 38, 39 and 40."""

    def test_shape(self, saved):  # row 38
        message = refused(build(units=5), saved, ValueError, "does not fit model 'model'")
        for part in (
            "layers/dense/vars/0 has shape (3, 4) in the file, and 'kernel' of layer 'first' has shape (3, 5)",
            "layers/dense/vars/1 has shape (4,) in the file, and 'bias' of layer 'first' has shape (5,)",
            "layers/dense_1/vars/0 has shape (4, 2) in the file, and 'kernel' of layer 'second' has shape (5, 2)",
            "skip_mismatch",
        ):
            assert part in message

    def test_model_has_more(self, saved):  # row 39
        message = refused(build(more=[layers.Dense(3, name="third")]), saved, ValueError, "is missing")
        assert "layers/dense_2 is missing: the file has no weights for layer 'third', which has 2" in message

    def test_file_has_more(self, path):  # row 40
        build(more=[layers.Dense(3), keras.Sequential([layers.Dense(2)])]).save_weights(path)
        message = refused(build(), path, ValueError, "left over")
        assert "layers/dense_2 is left over: 2 weights for which the model has no layer" in message
        assert "layers/sequential is left over: 2 weights" in message

    def test_number_of_weights(self, saved):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(4, use_bias=False, name="bare"), layers.Dense(2)])
        message = refused(model, saved, ValueError, "does not fit")
        assert "layers/dense: the file has 2 weights, layer 'bare' has 1" in message

    def test_missing_weight(self, saved):
        with h5py.File(saved, "r+") as file:
            file.move("layers/dense/vars/1", "layers/dense/vars/2")
        message = refused(build(), saved, ValueError, "does not fit")
        assert "layers/dense/vars/1 is missing: it is 'bias' of layer 'first'" in message

    def test_nested_model_missing_and_left_over(self, path):
        inner = keras.Sequential([layers.Dense(3), layers.Dense(2)], name="inner")
        keras.Sequential([keras.Input((3,)), inner]).save_weights(path)
        small = keras.Sequential([keras.Input((3,)), keras.Sequential([layers.Dense(3)])])
        assert "layers/sequential/layers/dense_1 is left over" in refused(small, path, ValueError, "left over")
        flat = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(2)])
        message = refused(flat, path, ValueError, "left over")
        assert "layers/dense is missing" in message
        assert "layers/sequential is left over: 4 weights" in message
        flat.save_weights(path)
        inner = keras.Sequential([layers.Dense(3), layers.Dense(2)], name="inner")
        nested = keras.Sequential([keras.Input((3,)), inner])
        assert "no weights for layer 'inner', which has 4" in refused(nested, path, ValueError, "missing")

    def test_at_most_ten_are_listed(self, path):
        build(more=[layers.Dense(1) for _ in range(30)]).save_weights(path)
        message = refused(build(), path, ValueError, "and 20 more")
        assert message.count("left over") == 10

    def test_skip_mismatch(self, path):
        source = build(more=[layers.Dense(3)])
        source.save_weights(path)
        model = build(units=5, more=[layers.Dense(3, name="third"), layers.Dense(3, name="fourth")])
        before = model.get_weights()
        expected = r"'first' has shape \(3, 5\)[\s\S]*dense_3 is missing[\s\S]*The rest was loaded"
        with pytest.warns(UserWarning, match=expected):
            model.load_weights(path, skip_mismatch=True)
        after = model.get_weights()
        for i, (a, b) in enumerate(zip(before, after)):
            if i == 4:
                np.testing.assert_array_equal(b, source.get_weights()[4])
            elif i != 5:
                np.testing.assert_array_equal(a, b)

    def test_a_bias_that_fits_is_not_loaded_without_its_kernel(self, saved):
        with h5py.File(saved, "r+") as file:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = np.ones((2, 4))
            file["layers/dense/vars/1"][...] = 7
        model = build()
        with pytest.warns(UserWarning, match="vars/0 has shape") as caught:
            model.load_weights(saved, skip_mismatch=True)
        assert caught[0].filename == __file__
        assert not model.get_weights()[1].any()


class TestPaths:
    def test_not_built(self, saved):
        """Row 20."""
        model = keras.Sequential([layers.Dense(2)])
        with pytest.raises(ValueError, match=r"not built.*`save_weights`.*model\.build\(\(None, 28, 28, 1\)\)"):
            model.save_weights(saved)
        with pytest.raises(ValueError, match="not built.*`load_weights`"):
            model.load_weights(saved)

    @pytest.mark.parametrize("name", ["model.h5", "model.keras", "weights.h5.txt", "weights", ""])
    def test_endings(self, tmp_path, name):
        for method in (build().save_weights, build().load_weights):
            with pytest.raises(ValueError, match=r"The filename must end in `\.weights\.h5`\. Received: filepath="):
                method(tmp_path / name)

    @pytest.mark.parametrize("wrong", [None, 3, ["a.weights.h5"], io.BytesIO()])
    def test_types(self, wrong):
        for method in (build().save_weights, build().load_weights):
            with pytest.raises(TypeError, match="`filepath` must be a string or a path. Received: "):
                method(wrong)

    def test_missing_file(self, saved, tmp_path, monkeypatch):  # row 41
        """Row 41."""
        wrong = tmp_path / "lent.weights.h5"
        message = refused(build(), wrong, FileNotFoundError, "No such file")
        assert "beside it: 'lenet.weights.h5'" in message
        refused(build(), tmp_path / "no" / "a.weights.h5", FileNotFoundError, "There is no folder .*no' either")
        refused(build(), tmp_path / f"{'q' * 40}.weights.h5", FileNotFoundError, "No similar name")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(FileNotFoundError, match=str(wrong)):
            build().load_weights(wrong.name)

    def test_missing_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"There is no folder .*missing'.*os\.makedirs"):
            build().save_weights(tmp_path / "missing" / "a.weights.h5")

    def test_a_folder(self, path):
        path.mkdir()
        for method in (build().save_weights, build().load_weights):
            with pytest.raises(IsADirectoryError, match="Received that of a folder"):
                method(path)

    def test_a_pipe(self, path):
        os.mkfifo(path)
        refused(build(), path, FileFormatError, "not a regular file")

    def test_overwrite(self, saved):
        old = saved.read_bytes()
        with pytest.raises(FileExistsError, match="exists already.*overwrite=True"):
            build().save_weights(saved, overwrite=False)
        assert saved.read_bytes() == old
        build().save_weights(saved, overwrite=True)
        assert saved.read_bytes() != old
        saved.unlink()
        build().save_weights(saved, overwrite=False)
        assert saved.exists()


class TestAtomic:
    """The old file survives any failure, and no temporary one is left behind."""

    @pytest.mark.parametrize("broken", ["fsync", "replace", "chmod"])
    @pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
    def test_failure_at_the_end(self, saved, monkeypatch, broken, error):
        old = saved.read_bytes()

        def fail(*args):
            raise error

        monkeypatch.setattr(atomic.os, broken, fail)
        with pytest.raises(type(error)):
            build().save_weights(saved)
        monkeypatch.undo()
        assert saved.read_bytes() == old
        assert os.listdir(saved.parent) == [saved.name]

    def test_failure_in_between(self, saved):
        old = saved.read_bytes()
        model = build()
        model.layers[2].weights[1].value = object()  # what HDF5 cannot write
        with pytest.raises(TypeError):
            model.save_weights(saved)
        assert saved.read_bytes() == old
        assert os.listdir(saved.parent) == [saved.name]

    def test_disk_full(self, saved):
        """The kernel refuses to write more than 100 kB, in a process of its own."""
        pytest.importorskip("resource")
        old = saved.read_bytes()
        code = f"""
import resource, signal
import minikeras as keras
model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(300)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    model.save_weights({str(saved)!r})
except OSError as error:
    print("refused:", error)
"""
        assert run(code).startswith("refused:")
        assert saved.read_bytes() == old
        assert os.listdir(saved.parent) == [saved.name]

    def test_order(self, saved, monkeypatch):
        """On the disk first, renamed then, and the folder last."""
        calls = []
        for name in ("fsync", "replace"):
            original = getattr(os, name)

            def record(*args, name=name, original=original):
                kind = "folder" if name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode) else name
                calls.append(kind)
                return original(*args)

            monkeypatch.setattr(atomic.os, name, record)
        build().save_weights(saved)
        assert calls == ["fsync", "replace", "folder"]

    def test_permissions_are_kept(self, saved):
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(saved.stat().st_mode) == 0o666 & ~umask
        saved.chmod(0o640)
        build().save_weights(saved)
        assert stat.S_IMODE(saved.stat().st_mode) == 0o640

    def test_protected_file(self, saved, monkeypatch):
        monkeypatch.setattr(atomic.os, "access", lambda *args: False)  # the superuser may write everything
        with pytest.raises(PermissionError, match="protected against writing"):
            build().save_weights(saved)

    def test_a_link_is_followed(self, saved, tmp_path):
        link = tmp_path / "link.weights.h5"
        link.symlink_to(saved)
        model = build()
        model.save_weights(link)
        assert link.is_symlink()
        other = build()
        other.load_weights(saved)
        assert equal_weights(model, other)


PICKLE = pickle.dumps({"weight": [1.0]}, protocol=2)


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return buffer.getvalue()


class TestForeignFiles:
    """Row 42."""

    @pytest.mark.parametrize(
        "content, looks_like",
        [
            (b"", "empty"),
            (zipped("metadata.json", "config.json", "model.weights.h5"), r"\.keras"),
            (zipped("archive/data.pkl", "archive/version"), "PyTorch"),
            (zipped("a.npy"), "zip archive"),
            (PICKLE, "pickle"),
            (b"<!DOCTYPE html>\n<html><head><title>404</title>", "web page"),
            (b"\n  <HTML>" + b" " * 600, "web page"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
            (b"404: Not Found", "text that begins with '404: Not Found'"),
            ("größer\n".encode() * 200, "text that begins with"),
            (b'{"message": "rate limit"}', "text that begins with"),
            (b"\x93NUMPY\x01\x00v\x00", "NumPy"),
            (b"\x1f\x8b\x08\x00abc", "gzip"),
            (bytes(2000), "zeros"),
            (b"\x00\x01\x02\xff\xfe\xfd\x9c\x8d\x01", "bytes 00 01 02 ff fe fd 9c 8d"),
        ],
    )
    def test_what_it_looks_like(self, path, content, looks_like):  # row 42
        path.write_bytes(content)
        message = refused(build(), path, FileFormatError, looks_like)
        assert f"({len(content)} bytes)" in message
        assert len(message) < 400 + len(str(path))

    @pytest.mark.parametrize("version", ["earliest", "latest"])
    def test_truncated(self, saved, version):  # row 42
        with h5py.File(saved, "w", libver=version) as file:
            from minikeras.saving import weights

            weights.write_state(build(), file)
        content = saved.read_bytes()
        build().load_weights(saved)
        for size in (len(content) - 1, len(content) // 2, 200, 100):
            saved.write_bytes(content[:size])
            message = refused(build(), saved, FileFormatError, "truncated")
            assert f"expected {len(content)} bytes, found {size} bytes" in message
        for size in (8, 9, 20, 30):
            saved.write_bytes(content[:size])
            refused(build(), saved, FileFormatError, f"truncated: expected a complete header, found {size} bytes")

    def test_a_file_error_is_an_os_error(self):
        assert issubclass(FileFormatError, OSError)

    def test_damaged(self, saved):
        """Bytes that were changed somewhere: an error of ours or a file that is read, nothing else.

        In a process of its own, in case that HDF5 does not survive it.
        """
        code = f"""
import numpy as np, minikeras as keras
from minikeras.saving import FileFormatError
path = {str(saved)!r}
content = open(path, "rb").read()
rng = np.random.default_rng(0)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(0.0), keras.layers.Dense(2)])
refused = 0
for _ in range(300):
    damaged = bytearray(content)
    for place in rng.integers(8, len(content), size=rng.integers(1, 40)):
        damaged[place] = rng.integers(256)
    open(path, "wb").write(damaged)
    before = model.get_weights()
    try:
        model.load_weights(path)
    except (FileFormatError, ValueError) as error:
        assert path in str(error)
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, model.get_weights()))
        refused += 1
print("refused:", refused)
"""
        assert int(run(code).removeprefix("refused:")) > 100

    def test_legacy(self, path):
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [b"dense"]
            file["dense/dense/kernel:0"] = np.zeros((3, 4))
        refused(build(), path, FileFormatError, "legacy .h5")
        with h5py.File(path, "w") as file:
            file["model_weights/dense/kernel:0"] = np.zeros((3, 4))
        refused(build(), path, FileFormatError, "legacy .h5")

    def test_other_hdf5(self, path):
        with h5py.File(path, "w") as file:
            file["measurements"] = np.zeros(3)
        refused(build(), path, FileFormatError, "its groups are 'measurements'")
        with h5py.File(path, "w") as file:
            pass
        refused(build(), path, FileFormatError, "no groups")
        with h5py.File(path, "w") as file:
            file["_layer_checkpoint_dependencies/dense/vars/0"] = np.zeros(3)
        refused(build(), path, FileFormatError, r"Keras 2\.12")


@pytest.fixture
def secret(tmp_path):
    """A file beside it that a hostile one would like to have read."""
    other = tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["layers/dense/vars/0"] = file["kernel"] = np.full((3, 4), 42.0, "float32")
        file["layers/dense/vars/1"] = np.full(4, 42.0, "float32")
    (tmp_path / "secret.bin").write_bytes(np.full((3, 4), 42.0, "float32").tobytes())
    return tmp_path


KERNEL = "layers/dense/vars/0"


def external_link(file, folder):
    file[KERNEL] = h5py.ExternalLink(folder / "secret.h5", "/kernel")


def external_group(file, folder):
    del file["layers/dense"]
    file["layers/dense"] = h5py.ExternalLink(folder / "secret.h5", "/layers/dense")


def external_layers(file, folder):
    del file["layers"]
    file["layers"] = h5py.ExternalLink(folder / "secret.h5", "/layers")


def soft_link(file, folder):
    file["elsewhere"] = np.zeros((3, 4), "float32")
    file[KERNEL] = h5py.SoftLink("/elsewhere")


def soft_link_in_a_circle(file, folder):
    file[KERNEL] = h5py.SoftLink(f"/{KERNEL}")


def soft_link_to_a_group(file, folder):
    file.move("layers", "others")
    file["layers"] = h5py.SoftLink("/others")


def left_over_link(file, folder):
    file[KERNEL] = np.zeros((3, 4), "float32")
    file["layers/conv2d"] = h5py.ExternalLink(folder / "secret.h5", "/layers/dense")


def external_storage(file, folder):
    file.create_dataset(KERNEL, (3, 4), "float32", external=[(folder / "secret.bin", 0, 48)])


def virtual(file, folder):
    layout = h5py.VirtualLayout((3, 4), "float32")
    layout[:] = h5py.VirtualSource(folder / "secret.h5", "kernel", (3, 4))
    file.create_virtual_dataset(KERNEL, layout)


def huge(file, folder):
    file.create_dataset(KERNEL, (1 << 40, 1 << 10), "float32", chunks=(1 << 10, 1 << 10))


def huge_and_compressed(file, folder):
    file.create_dataset(KERNEL, (1 << 30, 1 << 10), "float32", compression="gzip", chunks=(1 << 10, 1 << 10))


def compressed_bomb(file, folder):
    """The right shape, but the block unpacks to 200 MB."""
    array = file.create_dataset(KERNEL, (3, 4), "float32", compression="gzip", chunks=(3, 4))
    array.id.write_direct_chunk((0, 0), zlib.compress(bytes(200_000_000), 9))


def large_blocks(file, folder):
    file.create_dataset(KERNEL, (3, 4), "float32", chunks=(1 << 14, 1 << 14), maxshape=(None, None))


def strings(file, folder):
    file.create_dataset(KERNEL, (3, 4), h5py.string_dtype())


def objects(file, folder):
    file.create_dataset(KERNEL, (3, 4), h5py.ref_dtype)


def ragged(file, folder):
    file.create_dataset(KERNEL, (3, 4), h5py.vlen_dtype("float32"))


def compound(file, folder):
    file[KERNEL] = np.zeros((3, 4), [("a", "f4"), ("b", "i4")])


def array_type(file, folder):
    file.create_dataset(KERNEL, (3,), np.dtype(("f4", (4,))))


def complex_numbers(file, folder):
    file[KERNEL] = np.zeros((3, 4), "complex64")


def booleans(file, folder):
    file[KERNEL] = np.zeros((3, 4), bool)


def opaque(file, folder):
    file[KERNEL] = np.zeros((3, 4), "V2")


def nothing_in_it(file, folder):
    file[KERNEL] = h5py.Empty("float32")


def group_for_array(file, folder):
    file.create_group(KERNEL)


def array_for_group(file, folder):
    del file["layers/dense_1"]
    file[KERNEL] = np.zeros((3, 4), "float32")
    file["layers/dense_1"] = np.zeros(3)


def type_for_array(file, folder):
    file[KERNEL] = np.dtype("float32")


def many_members(file, folder):
    group = file["layers/dense/vars"]
    group[f"{0}"] = np.zeros((3, 4), "float32")
    for i in range(2, 11_000):
        group.create_group(str(i))


HOSTILE = [
    external_link, external_group, external_layers, soft_link, soft_link_in_a_circle, soft_link_to_a_group,
    left_over_link, external_storage, virtual, huge_and_compressed, compressed_bomb, large_blocks, strings, objects,
    ragged, compound, array_type, complex_numbers, booleans, opaque, nothing_in_it, group_for_array, array_for_group,
    type_for_array, many_members,
]  # fmt: skip


class TestHostileFiles:
    @pytest.mark.parametrize("skip_mismatch", [False, True])
    @pytest.mark.parametrize("spoil", HOSTILE, ids=lambda spoil: spoil.__name__)
    def test_refused(self, saved, secret, spoil, skip_mismatch):
        with h5py.File(saved, "r+") as file:
            del file[KERNEL]
            spoil(file, secret)
        message = refused(build(), saved, FileFormatError, "layers", skip_mismatch=skip_mismatch)
        assert "is damaged" not in message, "it is not what HDF5 itself refuses"

    def test_huge(self, saved):
        with h5py.File(saved, "r+") as file:
            del file[KERNEL]
            huge(file, None)
        refused(build(), saved, ValueError, r"has shape \(1099511627776, 1024\) in the file")

    @pytest.mark.parametrize("name", ["layers", "layers/dense/vars"])
    def test_groups_in_themselves(self, saved, name):
        """A hard link may lead back to its own group: only the names that the model has are looked up."""
        with h5py.File(saved, "r+") as file:
            file[f"{name}/circle"] = file[name]
            file["optimizer"] = file["layers"]
        model = build()
        if name == "layers":
            model.load_weights(saved)  # a group that has no `vars` is nobody's layer
        else:
            refused(model, saved, ValueError, "3 weights")

    def test_deep(self, saved):
        with h5py.File(saved, "r+") as file:
            group = file["layers"]
            for _ in range(3000):
                group = group.create_group("sequential").create_group("layers")
        build().load_weights(saved)

    def test_a_huge_name(self, saved):
        with h5py.File(saved, "r+") as file:
            group = file.create_group("optimizer/vars")
            group.attrs["name"] = "n" * 60_000
            for name, shape in enumerate([(), (), (3, 4), (4,), (4, 2), (2,)]):
                group[str(name)] = np.zeros(shape)
        model = build()
        model.compile("rmsprop", "mse")
        model.load_weights(saved)

    def test_hostile_optimizer(self, saved, secret):
        for place, spoil in (("optimizer/vars/2", external_link), ("optimizer/vars/3", virtual)):
            with h5py.File(saved, "w") as file:
                from minikeras.saving import weights

                source = TestOptimizer().trained()
                weights.write_state(source, file)
                del file[place]
                scratch = file.create_group("scratch")
                spoil(scratch, secret)
                file.move(f"scratch/{KERNEL}", place)
            for steps in (0, 1):
                refused(TestOptimizer().trained(steps=steps), saved, FileFormatError, place)

    def test_memory(self, saved, secret):
        """No more is allocated than the model's own size, whatever the file says."""
        import tracemalloc

        for spoil in (huge, huge_and_compressed, compressed_bomb, large_blocks):
            build().save_weights(saved)
            with h5py.File(saved, "r+") as file:
                del file[KERNEL]
                spoil(file, secret)
            model = build()
            tracemalloc.start()
            with pytest.raises((ValueError, FileFormatError)):
                model.load_weights(saved)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 2_000_000


def test_reading_asks_for_the_shape(saved):
    with reader.open_file(saved) as root, pytest.raises(FileFormatError, match=r"must be an array of shape \(4, 3\)"):
        root.group("layers").group("dense").group("vars").read("0", (4, 3), "float32")


def test_importing_minikeras_does_not_import_h5py():
    assert run("import sys, minikeras, minikeras.saving; print('h5py' in sys.modules)") == "False\n"


def test_names_of_keras():
    assert keras.saving.load_weights is saving.load_weights
    for name in ("CustomObjectScope", "get_custom_objects", "get_registered_name", "register_keras_serializable",
                 "serialize_keras_object", "deserialize_keras_object"):  # fmt: skip
        assert getattr(keras.saving, name) is getattr(keras.utils, name)
    assert (saving.load_model, saving.save_model) == (keras.models.load_model, keras.models.save_model)
