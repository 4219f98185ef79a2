"""image_dataset_from_directory beside Keras' own, which runs on what it needs of Grain: that is not installed here."""

import numpy as np
import pytest

from minikeras import utils

pytestmark = [  # Keras does not close the files that it reads
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class MapDataset:
    """Grain's data set, in memory."""

    def __init__(self, items):
        self.items = list(items)

    source = classmethod(lambda cls, items: cls(items))

    def map(self, function):
        return MapDataset(map(function, self.items))

    def to_iter_dataset(self):
        return self

    def batch(self, size, batch_fn):
        return MapDataset(batch_fn(self.items[i : i + size]) for i in range(0, len(self.items), size))


class Grain:
    MapDataset = MapDataset

    class experimental:
        ZipMapDataset = staticmethod(lambda parts: MapDataset(zip(*(part.items for part in parts))))


@pytest.fixture
def theirs(keras, monkeypatch):
    from keras.src.utils import dataset_utils, image_dataset_utils

    for module in (dataset_utils, image_dataset_utils):
        monkeypatch.setattr(module, "grain", Grain)
    return keras.utils.image_dataset_from_directory


@pytest.fixture
def folder(tmp_path):
    """Images of all forms and sizes, links, files of other kinds, and hidden folders."""
    image = pytest.importorskip("PIL.Image")
    generator = np.random.default_rng(0)

    def write(name, height, width, mode):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth = np.add.outer(np.arange(height), np.arange(width))[..., None] * generator.integers(1, 9, 4) % 256
        image.fromarray(smooth.astype(np.uint8)).convert(mode).save(path)

    for i, (height, width) in enumerate([(12, 17), (30, 8), (9, 9), (16, 10)]):
        write(f"b dog/{i}.png", height, width, "RGBA")
        write(f"a_cat/{i}.JPG", width, height, "RGB")
    write("b dog/deep/er/x.gif", 11, 7, "P")
    write("b dog/gray.bmp", 11, 7, "L")
    write("a_cat/black.png", 10, 10, "1")
    write(".hidden/no.png", 5, 5, "RGB")
    write("a_cat/.hidden/yes.png", 5, 5, "LA")
    (tmp_path / "images" / "a_cat" / "notes.txt").write_text("no image")
    (tmp_path / "images" / "empty").mkdir()
    (tmp_path / "elsewhere").mkdir()
    image.new("RGB", (6, 4), (10, 200, 30)).save(tmp_path / "elsewhere" / "z.jpeg")
    (tmp_path / "images" / "b dog" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "images" / "link.png").symlink_to(tmp_path / "elsewhere" / "z.jpeg")
    return tmp_path / "images"


def compare(ours, theirs, rtol=1e-5):
    assert ours.class_names == theirs.class_names
    assert ours.file_paths == [str(path) for path in theirs.file_paths]
    batches = list(ours)
    assert len(ours) == len(batches) == len(theirs.items)
    for one, other in zip(batches, theirs.items):
        assert isinstance(one, tuple) == isinstance(other, tuple)
        parts = zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]
        for part, expected in parts:
            expected = np.asarray(expected)
            assert (np.shape(part), part.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(part, expected, rtol=rtol, atol=1e-3)


CASES = {
    "default": {},
    "gray": {"color_mode": "grayscale"},
    "with alpha": {"color_mode": "rgba", "label_mode": "categorical"},
    "categorical": {"label_mode": "categorical", "class_names": ["b dog", "a_cat"]},
    "binary": {"label_mode": "binary", "class_names": ["b dog", "a_cat"]},
    "no labels": {"label_mode": None},
    "labels None": {"labels": None},
    "one class": {"class_names": ["b dog"]},
    "labels of ones own": {"labels": [3, 1] * 7},
    "as rows": {"labels": (2, 1, 0) * 4 + (1, 0), "label_mode": "categorical"},
    "single": {"batch_size": None, "label_mode": "binary", "class_names": ["a_cat", "b dog"]},
    "one batch": {"batch_size": 100},
    "links": {"follow_links": True},
    "crop": {"crop_to_aspect_ratio": True},
    "pad": {"pad_to_aspect_ratio": True},
    "crop, first": {"crop_to_aspect_ratio": True, "data_format": "channels_first"},
    "pad, first": {"pad_to_aspect_ratio": True, "data_format": "channels_first", "color_mode": "grayscale"},
    "an integer": {"image_size": 7},
    "training": {"validation_split": 0.3, "subset": "training"},
    "validation": {"validation_split": 0.3, "subset": "validation", "label_mode": "categorical"},
}


@pytest.mark.parametrize("name", CASES)
def test_batches(theirs, folder, name, capsys):
    arguments = {"image_size": (8, 11), "batch_size": 4, "shuffle": False, **CASES[name]}
    ours = utils.image_dataset_from_directory(folder, **arguments)
    printed = capsys.readouterr().out
    compare(ours, theirs(folder, format="grain", **arguments))
    assert printed == capsys.readouterr().out


def test_both(theirs, folder):
    arguments = {"image_size": (8, 11), "validation_split": 0.4, "subset": "both", "shuffle": False}
    pairs = utils.image_dataset_from_directory(folder, **arguments), theirs(folder, format="grain", **arguments)
    for ours, other in zip(*pairs, strict=True):
        compare(ours, other)


@pytest.mark.parametrize("aspect", [{}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}])
@pytest.mark.parametrize("interpolation", ["bilinear", "NEAREST"])  # PyTorch has another cubic kernel, and no Lanczos
def test_interpolations(theirs, folder, interpolation, aspect):
    for size in ((8, 11), (25, 20)):
        arguments = {"image_size": size, "interpolation": interpolation, "shuffle": False, **aspect}
        ours = utils.image_dataset_from_directory(folder, **arguments)
        compare(ours, theirs(folder, format="grain", **arguments))


@pytest.mark.parametrize("arguments", [
    {"labels": "none"},
    {"labels": None, "class_names": ["a_cat"]},
    {"labels": [1, 2]},
    {"class_names": ["cow"]},
    {"label_mode": "sparse"},
    {"label_mode": "binary"},
    {"color_mode": "gray"},
    {"interpolation": "cubic"},
    {"format": "torch"},
    {"image_size": (3,)},
    {"validation_split": 1.5, "subset": "training"},
    {"validation_split": 0.5},
    {"subset": "training"},
    {"validation_split": 0.5, "subset": "test"},
    {"validation_split": 0.5, "subset": "training", "shuffle": True},
])  # fmt: skip
def test_both_refuse(theirs, folder, arguments):
    for function in (utils.image_dataset_from_directory, theirs):
        with pytest.raises(ValueError, match="."):
            function(folder, **{"format": "grain", "verbose": False, **arguments})
