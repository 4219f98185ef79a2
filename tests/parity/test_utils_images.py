"""Sequences and images beside Keras': padding, arrays to pictures and back, image folders."""

import io

import numpy as np
import pytest

from minikeras import utils
from minikeras.utils import image_dataset

SEQUENCES = [
    [[1], [2, 3], [4, 5, 6]],
    [[], [2, 3], []],
    [[1.7, 2.2], [3.3]],
    [np.arange(6).reshape(3, 2), np.arange(2).reshape(1, 2)],
    [(1, 2), np.array([3, 4, 5])],
]


@pytest.mark.parametrize("arguments", [
    {},
    {"maxlen": 2},
    {"maxlen": 5, "padding": "post"},
    {"maxlen": 2, "truncating": "post"},
    {"maxlen": 4, "padding": "post", "truncating": "post", "value": -1},
    {"dtype": "float32", "value": 0.5},
    {"dtype": "float64", "maxlen": np.int64(3)},
])  # fmt: skip
@pytest.mark.parametrize("sequences", SEQUENCES, ids=str)
def test_pad_sequences(keras, sequences, arguments):
    ours, theirs = (f(sequences, **arguments) for f in (utils.pad_sequences, keras.utils.pad_sequences))
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_pad_sequences_of_strings(keras):
    words = [["a", "bb"], ["ccc"]]
    for arguments in ({"dtype": object, "value": "-"}, {"dtype": "U3", "value": ""}):
        ours, theirs = (f(words, **arguments) for f in (utils.pad_sequences, keras.utils.pad_sequences))
        assert ours.tolist() == theirs.tolist()


def picture(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype("float32")


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_array_to_img_and_back(keras, channels, data_format, scale):
    pytest.importorskip("PIL")
    x = picture(5, 7, channels) if data_format == "channels_last" else picture(channels, 5, 7)
    images = [f.array_to_img(x, data_format, scale) for f in (utils, keras.utils)]
    assert images[0].mode == images[1].mode
    assert images[0].tobytes() == images[1].tobytes()
    ours, theirs = utils.img_to_array(images[0], data_format), keras.utils.img_to_array(images[0], data_format)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("x", [np.full((2, 2, 1), 7.0), np.full((2, 2, 1), 300.0), -picture(3, 3, 3)], ids=str)
def test_array_to_img_of_odd_values(keras, x):
    pytest.importorskip("PIL")
    for scale in (True, False):
        ours, theirs = (f.array_to_img(x, scale=scale or x.min() < 0) for f in (utils, keras.utils))
        assert (ours.mode, ours.tobytes()) == (theirs.mode, theirs.tobytes())


@pytest.mark.parametrize("arguments", [
    {},
    {"color_mode": "grayscale"},
    {"color_mode": "rgba"},
    {"target_size": (6, 4)},
    {"target_size": (6, 4), "interpolation": "bilinear"},
    {"target_size": (20, 5), "interpolation": "lanczos", "keep_aspect_ratio": True},
    {"target_size": (4, 11), "interpolation": "box", "keep_aspect_ratio": True},
])  # fmt: skip
@pytest.mark.parametrize("name", ["a.png", "b.jpg", "c.bmp"])
def test_save_and_load(keras, tmp_path, name, arguments):
    pytest.importorskip("PIL")
    files = tmp_path / name, tmp_path / ("keras_" + name)
    x = picture(9, 7, 3)
    utils.save_img(files[0], x)
    keras.utils.save_img(files[1], x)
    assert files[0].read_bytes() == files[1].read_bytes()
    ours, theirs = (f.load_img(files[0], **arguments) for f in (utils, keras.utils))
    assert (ours.mode, ours.size, ours.tobytes()) == (theirs.mode, theirs.size, theirs.tobytes())
    in_memory = utils.load_img(io.BytesIO(files[0].read_bytes()), **arguments)
    assert in_memory.tobytes() == ours.tobytes()


def test_sixteen_bit_gray(keras, tmp_path):
    pytest.importorskip("PIL")
    x = np.full((3, 4, 1), 300.0)
    utils.save_img(tmp_path / "a.tiff", x, scale=False)
    ours, theirs = (f.load_img(tmp_path / "a.tiff", "grayscale") for f in (utils, keras.utils))
    assert ours.mode == theirs.mode != "L"
    np.testing.assert_array_equal(utils.img_to_array(ours), x)


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("PIL")
    for name in ("b_dog", "a_cat", "c_owl"):
        (tmp_path / name / "deeper").mkdir(parents=True)
        for i in range(5):
            utils.save_img(tmp_path / name / f"{i}.png", picture(8 + i, 6, 3, seed=i), scale=False)
        utils.save_img(tmp_path / name / "deeper" / "x.jpg", picture(9, 9, 3), scale=False)
        (tmp_path / name / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


@pytest.mark.parametrize("arguments", [
    {},
    {"shuffle": False},
    {"labels": None},
    {"labels": list(range(18))},
    {"class_names": ["c_owl", "b_dog"]},
    {"validation_split": 0.3, "subset": "training"},
    {"validation_split": 0.3, "subset": "validation"},
    {"validation_split": 0.3, "subset": "validation", "shuffle": False},
])  # fmt: skip
def test_files_and_classes(keras, folder, arguments):
    """The functions below Keras' image_dataset_from_directory, which itself needs TensorFlow or Grain."""
    from keras.src.utils import dataset_utils

    ours = utils.image_dataset_from_directory(folder, seed=5, **arguments)
    rest = {name: arguments.get(name) for name in ("validation_split", "subset")}
    paths, labels, names = dataset_utils.index_directory(
        folder,
        arguments.get("labels", "inferred"),
        image_dataset.FORMATS,
        class_names=arguments.get("class_names"),
        shuffle=arguments.get("shuffle", True),
        seed=5,
    )
    paths, labels = dataset_utils.get_training_or_validation_split(paths, labels, **rest)
    assert ours.file_paths == [str(path) for path in paths]
    assert ours.class_names == names
    if labels is not None:
        seen = np.concatenate([y for _, y in ours])
        assert sorted(seen) == sorted(labels)


@pytest.mark.parametrize("arguments", [
    {},
    {"num_channels": 1},
    {"num_channels": 4},
    {"interpolation": "nearest"},
    {"crop_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True},
    {"data_format": "channels_first"},
])  # fmt: skip
@pytest.mark.parametrize("size", [(4, 9), (16, 6)])
def test_images(keras, folder, size, arguments):
    from keras.src.utils.image_dataset_utils import _load_image_grain

    path = folder / "a_cat" / "3.png"
    full = {"num_channels": 3, "interpolation": "bilinear", "data_format": "channels_last", **arguments}
    theirs = _load_image_grain(path, size, **full).numpy()
    aspect = "crop" if "crop_to_aspect_ratio" in full else "pad" if "pad_to_aspect_ratio" in full else None
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[full["num_channels"]]
    ours = image_dataset.read_image(path, mode, size, full["interpolation"], aspect, full["data_format"])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-3)
    assert ours.dtype == theirs.dtype
