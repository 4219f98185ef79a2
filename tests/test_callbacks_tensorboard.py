"""What TensorBoard is given, read by a decoder of the test's own, and by TensorBoard where it is installed."""

import io
import pathlib
import struct

import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.callbacks import TensorBoard
from minikeras.callbacks.event_file import EventFile, _checksum

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")


# The decoder: records, then messages as lists of (number of the field, value).


def crc32c(data):
    """CRC-32C bit by bit, as a polynomial division."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17) & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked(data[:8])
        record, data = data[12 : 12 + length], data[12 + length :]
        assert struct.unpack("<I", data[:4])[0] == masked(record)
        data = data[4:]
        yield message(record)


def message(data):
    fields, data = {}, memoryview(data)

    def varint():
        nonlocal data
        value, shift = 0, 0
        while True:
            byte, data = data[0], data[1:]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while data:
        number, wire = divmod(varint(), 8)
        if wire == 0:
            value = varint()
        else:
            length = 8 if wire == 1 else varint()
            value, data = bytes(data[:length]), data[length:]
        fields.setdefault(number, []).append(value)
    return fields


def tensor(data):
    fields = message(data)
    shape = [message(size)[1][0] for size in message(fields[2][0]).get(2, [])]
    if fields[1] == [7]:
        assert len(fields[8]) == np.prod(shape, dtype=int)
        return fields[8]
    return np.frombuffer(fields[4][0], {1: "<f4", 2: "<f8"}[fields[1][0]]).reshape(shape)


def read(folder):
    """Return {(tag, step): (plugin and what it is told, tensor)} of all files in a folder, in order."""
    values = {}
    for path in sorted(pathlib.Path(folder).glob("events.out.tfevents.*.v2")):
        first, *rest = records(path)
        assert first[3] == [b"brain.Event:2"]
        for event in rest:
            assert abs(struct.unpack("<d", event[1][0])[0] - path.stat().st_mtime) < 60
            value = message(message(event[5][0])[1][0])
            plugin = b" ".join(part for parts in message(message(value[9][0])[1][0]).values() for part in parts)
            plugin = plugin.decode().strip()
            values[value[1][0].decode(), event[2][0]] = plugin, tensor(value[8][0])
    return values


def numbers(folder):
    return {key: float(value) for key, (plugin, value) in read(folder).items() if plugin == "scalars"}


# Runs.


def make(**arguments):
    minikeras.utils.set_random_seed(0)
    model = minikeras.Sequential([layers.Dense(3, name="first"), layers.Dense(2, name="last")], name="net")
    return model.compile(minikeras.optimizers.SGD(0.125), "mse", input_shape=(4,), metrics=["mae"], **arguments)


def fit(tmp_path, epochs=3, model=None, **arguments):
    model = model or make()
    board = TensorBoard(tmp_path, **arguments)
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, validation_data=(X[:5], Y[:5]), callbacks=[board])
    return model


def test_checksum():
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720 and everybody's test vector
    assert struct.unpack("<I", _checksum(b"123456789"))[0] == masked(b"123456789")


def test_logs_of_epochs(tmp_path):
    history = fit(tmp_path).history.history
    train = {(f"epoch_{name}", i): history[name][i] for i in range(3) for name in ("loss", "mae")}
    train |= {("epoch_learning_rate", i): 0.125 for i in range(3)}
    assert numbers(tmp_path / "train") == pytest.approx(train)
    validation = {(f"epoch_{name}", i): history[f"val_{name}"][i] for i in range(3) for name in ("loss", "mae")}
    validation |= {
        (f"evaluation_{name}_vs_iterations", 3 * i + 3): history[f"val_{name}"][i]
        for i in range(3) for name in ("loss", "mae")
    }  # fmt: skip
    assert numbers(tmp_path / "validation") == pytest.approx(validation)


@pytest.mark.parametrize("update_freq, steps", [("batch", range(1, 7)), (1, range(1, 7)), (4, [4]), ("epoch", [])])
def test_logs_of_batches(update_freq, steps, tmp_path):
    fit(tmp_path, 2, update_freq=update_freq, write_steps_per_second=True)
    values = numbers(tmp_path / "train")
    for tag in ("batch_loss", "batch_mae", "batch_steps_per_second"):
        assert [step for name, step in values if name == tag] == list(steps)
    assert [step for name, step in values if name == "epoch_steps_per_second"] == [0, 1]
    assert all(value > 0 for value in values.values())


def test_steps_per_second(tmp_path, monkeypatch):
    now = iter(range(0, 1000, 2))
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    board = TensorBoard(tmp_path, write_steps_per_second=True, update_freq=1)
    board.set_model(make())
    board.on_train_begin()
    board.on_epoch_begin(0)
    for batch in range(3):
        board.on_train_batch_begin(batch)
        board.on_train_batch_end(batch, {})
    board.on_epoch_end(0, {"loss": 1.0})
    board.on_train_end()
    values = numbers(tmp_path / "train")
    assert values["batch_steps_per_second", 3] == 0.5
    assert values["epoch_steps_per_second", 0] == pytest.approx(3 / 14)


def test_evaluate_by_itself(tmp_path):
    model = fit(tmp_path / "fit", 1)
    loss, mae = model.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path / "x")])
    assert numbers(tmp_path / "x" / "validation") == pytest.approx(
        {("evaluation_loss_vs_iterations", 3): loss, ("evaluation_mae_vs_iterations", 3): mae}
    )
    assert not (tmp_path / "x" / "train").exists()


def test_each_run_has_files_of_its_own(tmp_path):
    board, model = TensorBoard(tmp_path), make()
    for _ in range(2):
        model.fit(X, Y, verbose=0, callbacks=[board])
    assert len(list((tmp_path / "train").iterdir())) == 2


def test_batches_are_counted_from_the_beginning_of_a_run(tmp_path):
    board, model = TensorBoard(tmp_path, update_freq=1), make()
    model.fit(X, Y, verbose=0, batch_size=4, callbacks=[board])
    model.fit(X, Y, verbose=0, batch_size=4, callbacks=[board])
    assert {step for tag, step in numbers(tmp_path / "train") if tag == "batch_loss"} == {1, 2, 3}


def test_files_are_closed_when_the_run_is_interrupted(tmp_path):
    def interrupt(epoch, logs):
        raise KeyboardInterrupt

    board = TensorBoard(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, verbose=0, callbacks=[board, minikeras.callbacks.LambdaCallback(on_epoch_end=interrupt)])
    assert board._files == {}
    assert ("epoch_loss", 0) in numbers(tmp_path / "train")


def test_arrays_in_the_logs(tmp_path):
    board = TensorBoard(tmp_path, update_freq=1)
    board.set_model(make())
    board.on_train_begin()
    board.on_epoch_begin(0)
    board.on_train_batch_begin(0)
    board.on_train_batch_end(0, {"f1": np.array([0.5, 0.25])})
    board.on_epoch_end(0, {"f1": np.array([0.5, 0.25]), "val_f1": np.array([1.0]), "loss": float("nan")})
    board.on_train_end()
    train = numbers(tmp_path / "train")
    assert [train[tag, i] for tag in ("batch_f1/0", "batch_f1/1") for i in [1]] == [0.5, 0.25]
    assert [train[tag, 0] for tag in ("epoch_f1/0", "epoch_f1/1")] == [0.5, 0.25]
    assert np.isnan(train["epoch_loss", 0])
    assert numbers(tmp_path / "validation") == {("epoch_f1/0", 0): 1.0}


def test_several_learning_rates(tmp_path):
    model = make()
    optimizers = minikeras.optimizers
    both = optimizers.OptimizerMap(optimizers.SGD(0.5, name="sgd"), {"net/last/.*": optimizers.Adam(0.25, name="adam")})
    model.compile(optimizers.MultiOptimizer(both), "mse")
    model.fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    values = numbers(tmp_path / "train")
    assert values["epoch_learning_rate_sgd", 0] == 0.5
    assert values["epoch_learning_rate_adam", 0] == 0.25


# Distributions, pictures, embeddings, the graph.


def test_histograms(tmp_path):
    model = fit(tmp_path, 3, histogram_freq=2)
    values = {key: value for key, value in read(tmp_path / "train").items() if value[0] == "histograms"}
    names = [f"net/{layer}/{weight}/histogram" for layer in ("first", "last") for weight in ("kernel", "bias")]
    assert list(values) == [(name, epoch) for epoch in (0, 2) for name in names]
    buckets = values["net/last/kernel/histogram", 2][1]
    kernel = model.layers[-1].kernel.value
    counts, edges = np.histogram(kernel.astype("float64"), 30)
    np.testing.assert_array_equal(buckets, np.stack([edges[:-1], edges[1:], counts], axis=1))
    assert buckets.dtype == "float64"


@pytest.mark.parametrize(
    "array, total, ends",
    [
        (np.full((2, 2), 3.0), 4, (3, 3)),
        (np.zeros(0), 0, (0, 0)),
        (np.array([np.nan, np.inf, 1.0, 2.0]), 2, (1, 2)),
        (np.full(3, np.nan), 0, (0, 0)),
        (np.array([-1e300, 1e300]), 2, (-1e300, 1e300)),
    ],
)
def test_odd_histograms(array, total, ends, tmp_path):
    with np.errstate(all="raise"):
        write(tmp_path, lambda file: file.histogram("x", array, 0))
    buckets = read(tmp_path)["x", 0][1]
    assert buckets.shape == (30, 3)
    assert buckets[:, 2].sum() == total
    assert (buckets[0, 0], buckets[-1, 1]) == ends


def write(folder, what):
    file = EventFile(folder)
    what(file)
    file.close()


def pictures(strings):
    """Return the sizes that a summary states, and its images as arrays."""
    image = pytest.importorskip("PIL.Image")
    return [int(size) for size in strings[:2]], [np.asarray(image.open(io.BytesIO(png))) for png in strings[2:]]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images(channels, tmp_path):
    images = RNG.random((5, 6, 7, channels)) * 1.5 - 0.2
    images[0, 0, 0] = np.nan
    with np.errstate(all="raise"):
        write(tmp_path, lambda file: file.images("x", images, 3))
    plugin, strings = read(tmp_path)["x", 3]
    assert plugin == "images"
    size, arrays = pictures(strings)
    assert size == [7, 6]
    assert len(arrays) == 3  # TensorBoard shows so many
    expected = np.nan_to_num(np.clip(images * 255.5, 0, 255)).astype("uint8")
    for array, image in zip(arrays, expected):
        np.testing.assert_array_equal(array.reshape(image.shape), image)


@pytest.mark.parametrize(
    "shape, size, count",
    [
        ((5,), [1, 5], 1), ((3, 5), [5, 3], 1), ((5, 3), [5, 3], 1), ((3, 2, 4), [2, 3], 3), ((3, 3, 1, 2), [3, 3], 2),
        ((3, 4, 5, 3), [5, 4], 3),
    ],
)  # fmt: skip
def test_weights_as_pictures(shape, size, count, tmp_path):
    class Weight(layers.Layer):
        def build(self, input_shape):
            self.weight = self.add_weight(shape, name="weight")

        def call(self, inputs, training=False):
            return inputs

    model = minikeras.Sequential([Weight(name="own"), layers.Dense(1)], name="net")
    model.compile("sgd", "mse", input_shape=(4,))
    board = TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    board.set_model(model)
    board.on_train_begin()
    board.on_epoch_begin(0)
    board.on_epoch_end(0, {})
    board.on_train_end()
    stated, arrays = pictures(read(tmp_path / "train")["net/own/weight/image", 0][1])
    assert stated == size
    assert [array.shape[:2] for array in arrays] == [tuple(size[::-1])] * count


@pytest.mark.parametrize("shape", [(), (2, 3, 4, 5), (2, 2, 2, 2, 2)])
def test_weights_that_are_no_pictures(shape):
    from minikeras.callbacks.tensorboard import _as_images

    assert _as_images(np.ones(shape)) is None


def test_graph(tmp_path):
    model = make()
    model.to_json = lambda: '{"class_name": "Sequential"}'
    fit(tmp_path, 1, model)
    assert read(tmp_path / "train")["keras", 0] == ("graph_keras_model 1", [b'{"class_name": "Sequential"}'])
    fit(tmp_path / "without", 1, model, write_graph=False)
    assert ("keras", 0) not in read(tmp_path / "without" / "train")


def test_graph_that_is_no_json(tmp_path):
    model = make()

    def fail():
        raise TypeError("a lambda is no JSON")

    model.to_json = fail
    with pytest.warns(UserWarning, match="graph of the model is not written to TensorBoard: a lambda is no JSON"):
        fit(tmp_path, 1, model)
    assert ("epoch_loss", 0) in numbers(tmp_path / "train")


def embedded():
    model = minikeras.Sequential(
        [layers.Embedding(6, 2, name="words"), layers.GlobalAveragePooling1D(), layers.Dense(1)]
    )
    return model.compile("sgd", "mse", input_shape=(3,))


def test_embeddings(tmp_path):
    model, words = embedded(), RNG.integers(0, 6, (4, 3))
    board = TensorBoard(tmp_path, embeddings_freq=2, embeddings_metadata={"words": 'my "labels".tsv'})
    model.fit(words, np.ones((4, 1)), epochs=3, verbose=0, callbacks=[board])
    assert (tmp_path / "projector_config.pbtxt").read_text() == (
        'embeddings {\n  tensor_name: "words"\n  metadata_path: "my \\"labels\\".tsv"\n'
        '  tensor_path: "train/words.tsv"\n}\n'
    )
    vectors = np.loadtxt(tmp_path / "train" / "words.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, model.layers[0].embeddings.value, rtol=1e-6)
    weights = sorted(path.name for path in (tmp_path / "train").glob("*.h5"))
    assert weights == ["keras_embedding.ckpt-0.weights.h5", "keras_embedding.ckpt-2.weights.h5"]


def test_one_file_of_labels_for_all_embeddings(tmp_path):
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata="labels.tsv")
    board.set_model(embedded())
    board.on_train_begin()
    board.release()
    assert 'metadata_path: "labels.tsv"' in (tmp_path / "projector_config.pbtxt").read_text()


def test_labels_of_what_is_no_embedding(tmp_path):
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"wrods": "x.tsv"})
    model = embedded()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"no Embedding of the model: \['wrods'\].*\['words'\]"):
        model.fit(np.ones((4, 3), int), np.ones((4, 1)), verbose=0, callbacks=[board])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert board._files == {}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"profile_batch": 5}, "`profile_batch` must be 0: .*Received: profile_batch=5"),
        ({"profile_batch": "10,20"}, "Received: profile_batch='10,20'"),
        ({"update_freq": 0}, "`update_freq` must be 'batch', 'epoch' or a positive number of batches. Received: 0"),
        ({"update_freq": "step"}, "Received: 'step'"),
        ({"update_freq": True}, "Received: True"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**arguments)


def test_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    model = make()
    before = model.get_weights()
    with pytest.raises(OSError, match="file"):
        fit(tmp_path / "file", model=model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_tensorboard_reads_it(tmp_path):
    """pip install minikeras[tensorboard]"""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", exc_type=ImportError)
    from tensorboard.util import tensor_util

    history = fit(tmp_path, 3, histogram_freq=1, write_images=True).history.history
    events = accumulator.EventAccumulator(str(tmp_path / "train"), size_guidance={accumulator.TENSORS: 0})
    events.Reload()
    losses = [float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors("epoch_loss")]
    assert losses == pytest.approx(history["loss"])
    plugins = {tag: events.SummaryMetadata(tag).plugin_data.plugin_name for tag in events.Tags()["tensors"]}
    assert plugins["epoch_loss"] == "scalars"
    assert plugins["net/last/kernel/histogram"] == "histograms"
    assert plugins["net/last/kernel/image"] == "images"
