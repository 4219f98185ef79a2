"""Padding, pictures and arrays, image folders and streams of batches, without Keras."""

import numpy as np
import pytest

from minikeras import config, preprocessing, utils
from minikeras.kernels import resize
from minikeras.utils import image_dataset, resizing, stream
from minikeras.utils.stream import Stream

# pad_sequences


def test_pad_sequences():
    rows = utils.pad_sequences([[1], [2, 3, 4]], maxlen=2)
    assert rows.tolist() == [[0, 1], [3, 4]]
    assert rows.dtype == np.int32
    assert utils.pad_sequences([[1], [2, 3]], maxlen=3, padding="post", value=9).tolist() == [[1, 9, 9], [2, 3, 9]]
    assert utils.pad_sequences([[1], [2]], maxlen=0).shape == (2, 0)  # Keras raises here
    assert utils.pad_sequences([], maxlen=3).shape == (0, 3)


@pytest.mark.parametrize("arguments, message", [
    ({"sequences": 3}, "`sequences` must be a list of lists. Received: int"),
    ({"sequences": [1, 2]}, r"Received: 1 at index 0.*\[sequence\]"),
    ({"sequences": []}, "empty.*Pass `maxlen`"),
    ({"sequences": [[1]], "maxlen": 2.0}, "`maxlen` must be an integer.*maxlen=2.0"),
    ({"sequences": [[1]], "maxlen": -1}, "`maxlen`.*maxlen=-1"),
    ({"sequences": [[1]], "padding": "left"}, "`padding` must be 'pre' or 'post'. Received: padding='left'"),
    ({"sequences": [[1]], "truncating": None}, "`truncating`"),
    ({"sequences": [["a"]], "value": "x"}, "dtype=object"),
    ({"sequences": [[[1, 2]], [[1, 2, 3]]]}, "one shape.*index 1"),
])  # fmt: skip
def test_pad_sequences_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        utils.pad_sequences(**arguments)


# images


def test_img_to_array_copies():
    x = np.zeros((3, 4, 1), "float32")
    utils.img_to_array(x)[:] = 1
    assert not x.any()
    assert utils.img_to_array(np.zeros((3, 4)), "channels_first").shape == (1, 3, 4)
    assert utils.img_to_array(np.zeros((3, 4)), dtype="uint8").dtype == np.uint8
    with pytest.raises(ValueError, match="`img` must be an image"):
        utils.img_to_array(np.zeros(3))


@pytest.mark.parametrize("shape, message", [((2, 3), "gray images need a channel axis"), ((2, 3, 2), "1, 3 or 4")])
def test_array_to_img_refuses(shape, message):
    pytest.importorskip("PIL")
    with pytest.raises(ValueError, match=message):
        utils.array_to_img(np.zeros(shape))


def test_array_to_img_keeps_its_argument():
    pytest.importorskip("PIL")
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
    before = x.copy()
    utils.array_to_img(x)
    np.testing.assert_array_equal(x, before)


def test_images_need_pillow(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    for function in (lambda: utils.array_to_img(np.zeros((2, 2, 3))), lambda: utils.load_img("none.png")):
        with pytest.raises(ImportError, match=r"needs Pillow: pip install 'minikeras\[image\]'"):
            function()


def test_save_and_load_refuse(tmp_path):
    pytest.importorskip("PIL")
    with pytest.warns(UserWarning, match="no alpha"):
        utils.save_img(tmp_path / "x.jpg", np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match="`color_mode`.*'bgr'"):
        utils.load_img(tmp_path / "x.jpg", color_mode="bgr")
    with pytest.raises(ValueError, match="`interpolation`.*'cubic'"):
        utils.load_img(tmp_path / "x.jpg", target_size=(2, 2), interpolation="cubic")
    with pytest.raises(TypeError, match="`path`.*int"):
        utils.load_img(3)
    with pytest.raises(FileNotFoundError):
        utils.load_img(tmp_path / "y.jpg")


def test_files_that_are_no_images_are_named(tmp_path):
    image = pytest.importorskip("PIL")
    (tmp_path / "cat").mkdir()
    path = tmp_path / "cat" / "a.png"
    utils.save_img(path, np.random.default_rng(0).uniform(0, 255, (40, 40, 3)))
    whole = path.read_bytes()
    for content, kind in ((b"<html>", image.UnidentifiedImageError), (whole[: len(whole) // 2], OSError)):
        path.write_bytes(content)
        for read in (
            lambda: utils.load_img(path), lambda: utils.load_img(str(path), "grayscale"), lambda: list(load(tmp_path)),
            lambda: next(preprocessing.image.ImageDataGenerator().flow_from_directory(tmp_path)),
        ):  # fmt: skip
            with pytest.raises(kind, match=r"`path`.*a\.png.*Remove the file or mend it"):
                read()


# image_dataset_from_directory


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("PIL")
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for i in range(7):
            utils.save_img(tmp_path / name / f"{i}.png", np.full((4, 6, 3), 10.0 * i + 100 * number), scale=False)
    return tmp_path


def load(folder, **arguments):
    return utils.image_dataset_from_directory(folder, **{"image_size": (4, 6), "verbose": False, **arguments})


def test_batches(folder, capsys):
    data = load(folder, batch_size=4, verbose=True)
    assert capsys.readouterr().out == "Found 14 files belonging to 2 classes.\n"
    assert len(data) == 4
    assert data.class_names == ["cat", "dog"]
    for _ in range(2):
        batches = list(data)
        assert [len(x) for x, _ in batches] == [4, 4, 4, 2]
        for x, y in batches:
            assert (x.dtype, y.dtype, x.shape[1:]) == (np.float32, np.int32, (4, 6, 3))
            np.testing.assert_array_equal(x[:, 0, 0, 0] >= 100, y == 1)  # an image keeps its label
    orders = [np.concatenate([x[:, 0, 0, 0] for x, _ in data]).tolist() for _ in range(2)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == [10 * i + 100 * n for n in range(2) for i in range(7)]
    assert isinstance(batches[0][0][0].numpy(), np.ndarray)


def test_labels(folder):
    one_hot = next(iter(load(folder, label_mode="categorical", shuffle=False, batch_size=14)))[1]
    assert one_hot.dtype == np.float32
    assert one_hot.argmax(axis=1).tolist() == [0] * 7 + [1] * 7
    binary = next(iter(load(folder, label_mode="binary", shuffle=False, batch_size=14)))[1]
    assert (binary.dtype, binary.shape) == (np.float32, (14, 1))
    images = next(iter(load(folder, label_mode=None, batch_size=3)))
    assert images.shape == (3, 4, 6, 3)
    x, y = next(iter(load(folder, batch_size=None, shuffle=False)))
    assert (x.shape, y) == ((4, 6, 3), 0)
    mine = load(folder, labels=[5] * 7 + [3] * 7, shuffle=False)
    assert mine.class_names == ["3", "5"]
    assert next(iter(mine))[1].tolist() == [5] * 7 + [3] * 7


@pytest.mark.parametrize("interpolation", image_dataset.INTERPOLATIONS)
def test_interpolations(folder, interpolation):
    images, labels = next(iter(load(folder, image_size=5, interpolation=interpolation, shuffle=False, batch_size=8)))
    assert images.shape == (8, 5, 5, 3)
    np.testing.assert_allclose(images[:, 2, 3, 1], [0, 10, 20, 30, 40, 50, 60, 100], atol=1e-3)


@pytest.mark.parametrize("interpolation", resize.INTERPOLATIONS)
def test_images_are_resized_as_by_the_layers(interpolation):
    """A few pixels for each new one, against the whole matrix; single images and batches."""
    x = np.random.default_rng(0).normal(size=(2, 9, 14, 3))
    for size in ((9, 14), (4, 14), (3, 5), (1, 1), (20, 31), (9, 15), (13, 1)):
        expected = resize.apply(x, size, interpolation)
        np.testing.assert_allclose(resizing.resized(x, size, interpolation), expected, rtol=1e-12, atol=1e-13)
        one = resizing.resized(x[1].astype("float32"), size, interpolation)
        np.testing.assert_allclose(one, expected[1], atol=1e-5)
        assert one.dtype == np.float32


@pytest.mark.parametrize("interpolation, kernel", [
    ("gaussian", lambda x: np.exp(-2 * x * x) * (x < 1.5)),
    ("mitchellcubic", lambda x: np.where(x < 1, 7 * x**3 - 12 * x**2 + 16 / 3, np.where(
        x < 2, -7 / 3 * x**3 + 12 * x**2 - 20 * x + 32 / 3, 0)) / 6),
])  # fmt: skip
def test_kernels_that_the_layers_have_not(interpolation, kernel):
    """Every old pixel weighted by its distance from the new one's centre, one new pixel after the other."""
    x = np.random.default_rng(0).normal(size=(11, 1, 2))
    for new in (3, 5, 12, 40):
        rows = resizing.resized(x, (new, 1), interpolation)
        for i in range(new):
            weights = kernel(np.abs((i + 0.5) * 11 / new - 0.5 - np.arange(11)))
            np.testing.assert_allclose(rows[i, 0], weights @ x[:, 0] / weights.sum(), rtol=1e-12, atol=1e-13)


def test_split(folder, capsys):
    arguments = {"validation_split": 0.3, "seed": 3}
    train, validation = load(folder, subset="both", **arguments)
    assert capsys.readouterr().out == "Using 10 files for training.\nUsing 4 files for validation.\n"
    assert not set(train.file_paths) & set(validation.file_paths)
    assert len(set(train.file_paths) | set(validation.file_paths)) == 14
    assert load(folder, subset="training", **arguments).file_paths == train.file_paths
    assert load(folder, subset="validation", **arguments).file_paths == validation.file_paths
    order = [np.concatenate([x[:, 0, 0, 0] for x, _ in validation]).tolist() for _ in range(2)]
    assert order[0] == order[1]  # the validation set of a pair is not shuffled


def test_follows_the_seed(folder):
    orders = []
    for _ in range(2):
        config.set_random_seed(5)
        orders.append([load(folder).file_paths, [y.tolist() for _, y in load(folder, batch_size=5)]])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("arguments, message", [
    ({"labels": "none"}, "`labels` must be 'inferred', None or a list"),
    ({"labels": [1, 2]}, "`labels` must have one for each image.*2 for 14"),
    ({"labels": [0.0] * 14}, "`labels` must be .* a list of integers"),
    ({"labels": np.zeros(14, int)}, "`labels` must be .* a list of integers"),
    ({"labels": [1, 2] * 7, "label_mode": "categorical"}, r"`labels` must be 0 to 1, .*Received: \['1', '2'\]"),
    ({"labels": [-1, 0] * 7, "label_mode": "binary"}, "`labels` must be 0 to 1"),
    ({"labels": None, "class_names": ["cat"]}, "`class_names` can only be given"),
    ({"class_names": ["cow"]}, "'cow', expected some of"),
    ({"label_mode": "sparse"}, "`label_mode` must be one of.*'sparse'"),
    ({"label_mode": "binary", "class_names": ["cat"]}, "exactly 2 classes"),
    ({"color_mode": "gray"}, "`color_mode` must be one of"),
    ({"interpolation": "cubic"}, "`interpolation` must be one of"),
    ({"format": "torch"}, "`format` must be one of"),
    ({"image_size": (3,)}, r"`image_size`.*\(3,\)"),
    ({"image_size": (3, 0)}, "`image_size`"),
    ({"batch_size": 0}, "`batch_size`.*batch_size=0"),
    ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
    ({"validation_split": 1.5, "subset": "training"}, "`validation_split` must be between"),
    ({"validation_split": 0.5}, "go together"),
    ({"subset": "training"}, "go together"),
    ({"validation_split": 0.5, "subset": "test"}, "`subset`.*'test'"),
    ({"validation_split": 0.5, "subset": "training"}, "needs a `seed`"),
    ({"validation_split": 0.01, "subset": "validation", "seed": 1}, r"No validation images found.*\.png$"),
])  # fmt: skip
def test_refuses(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        load(folder, **arguments)


@pytest.mark.parametrize("labels", ["inferred", None, [1]])
def test_folders_that_are_not_there(tmp_path, labels):
    pytest.importorskip("PIL")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere", labels=labels)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file"):
        load(tmp_path / "file", labels=labels)
    (tmp_path / "empty").mkdir()
    if labels == "inferred":
        with pytest.raises(ValueError, match="No images found in .*named after their classes: for .* labels=None"):
            load(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match="ctas"):
        preprocessing.image.ImageDataGenerator().flow_from_directory(tmp_path, classes=["ctas"])


def test_an_empty_batch_of_images():
    for channels in (1, 3):
        assert resizing.smart_resize(np.zeros((0, 5, 6, channels)), (7, 4)).shape == (0, 7, 4, channels)


# Stream


def count(n=5, length=True):
    return Stream(lambda: iter(range(n)), n if length else None)


def pairs(n=5):
    return Stream(lambda: ((np.full(2, i), np.int32(i)) for i in range(n)), n)


def test_stream_methods():
    data = count()
    assert list(data) == list(data) == [0, 1, 2, 3, 4]
    cases = {
        "take": (data.take(2), [0, 1]),
        "take all": (data.take(-1), [0, 1, 2, 3, 4]),
        "take more": (data.take(9), [0, 1, 2, 3, 4]),
        "skip": (data.skip(2), [2, 3, 4]),
        "skip more": (data.skip(9), []),
        "skip all": (data.skip(-1), []),
        "map": (data.map(lambda x: x + 1), [1, 2, 3, 4, 5]),
        "enumerate": (data.take(2).enumerate(), [(0, 0), (1, 1)]),
        "concatenate": (data.take(2).concatenate(data.take(1)), [0, 1, 0]),
        "repeat": (data.take(2).repeat(2), [0, 1, 0, 1]),
        "repeat never": (data.repeat(0), []),
        "prefetch": (data.prefetch(1), [0, 1, 2, 3, 4]),
    }
    for name, (result, expected) in cases.items():
        assert list(result) == expected, name
        assert len(result) == result.num_batches == result.cardinality() == len(expected), name
    assert list(data.filter(lambda x: x % 2)) == [1, 3]
    assert data.filter(bool).cardinality() == -2
    endless = data.repeat()
    assert endless.cardinality() == -1
    assert list(endless.take(7)) == [0, 1, 2, 3, 4, 0, 1]
    assert list(count(0).repeat()) == []
    for unknown in (endless, count(length=False)):
        with pytest.raises(TypeError, match="number of elements"):
            len(unknown)


def test_stream_of_tuples():
    batches = list(pairs().batch(2))
    assert [x.shape for x, _ in batches] == [(2, 2), (2, 2), (1, 2)]
    assert len(pairs().batch(2)) == 3
    assert len(list(pairs().batch(2, drop_remainder=True))) == len(pairs().batch(2, drop_remainder=True)) == 2
    assert [int(y) for _, y in pairs().batch(2).unbatch()] == [0, 1, 2, 3, 4]
    assert [int(z) for z in pairs().map(lambda x, y: x.sum() + y)] == [0, 3, 6, 9, 12]
    assert [int(y) for _, y in pairs().filter(lambda x, y: y > 2)] == [3, 4]
    first = next(pairs().map(lambda x, y: (x, y)).batch(2).as_numpy_iterator())
    assert [type(part) for part in first] == [np.ndarray, np.ndarray]
    for wrong in (0, 2.0, True):
        with pytest.raises(ValueError, match="`batch_size`"):
            pairs().batch(wrong)


def test_stream_shuffle():
    data = count(20)
    for shuffled in (data.shuffle(100, seed=1), data.shuffle(seed=1)):
        orders = [list(shuffled) for _ in range(2)]
        assert orders[0] != orders[1] != list(range(20))
        assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))
    for seed in (None, 3):
        same = data.shuffle(20, seed=seed, reshuffle_each_iteration=False)
        assert list(same) == list(same) != list(range(20))
    near = list(data.shuffle(3, seed=0))
    assert all(value <= place + 3 for place, value in enumerate(near))
    assert list(data.shuffle(1)) != []
    with pytest.raises(ValueError, match="`buffer_size`"):
        data.shuffle(0)


def test_stream_cache():
    reads = []

    def make():
        for i in range(3):
            reads.append(i)
            yield np.full(2, i)

    data = Stream(make, 3).cache()
    next(iter(data))  # a pass that does not come to its end keeps nothing
    reads.clear()
    for _ in range(3):
        for i, x in enumerate(data):
            assert x.tolist() == [i, i]
            x[:] = 9
    assert reads == [0, 1, 2]


def test_stream_keeps_attributes():
    data = count()
    data.class_names = ["a", "b"]
    for derived in (data.take(1), data.map(str).cache().prefetch(1).shuffle(3)):
        assert derived.class_names == ["a", "b"]


def test_array():
    x = np.zeros((2, 3)).view(stream.Array)
    assert type(x[0].numpy()) is np.ndarray
    assert type(np.asarray(x)) is np.ndarray
