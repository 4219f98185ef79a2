"""Files that are no images: named, and refused or left out as asked, from folders and from tables."""

import os
import re
import warnings

import numpy as np
import pytest

from minikeras import preprocessing, utils

GOOD = ["cat/0.png", "cat/2.png", "dog/1.png", "dog/3.png", "dog/4.png"]
NUMBERS = [0, 20, 110, 130, 140]  # the value of all pixels


@pytest.fixture
def folder(tmp_path):
    """Five good images, and one of each bad kind in the middle of the others."""
    pytest.importorskip("PIL")
    for name, number in zip(GOOD, NUMBERS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        utils.save_img(tmp_path / name, np.full((4, 6, 3), float(number)), scale=False)
    utils.save_img(tmp_path / "whole.png", np.random.default_rng(0).uniform(0, 255, (40, 40, 3)))
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "whole.png").unlink()
    (tmp_path / "cat" / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dog" / "0.png").write_bytes(b"")
    (tmp_path / "dog" / "2.png").write_bytes(b"<html>not found</html>")
    (tmp_path / "dog" / "5.png").symlink_to("nowhere.png")
    return tmp_path


REASONS = {
    os.path.join("cat", "1.png"): "truncated",
    os.path.join("dog", "0.png"): "the file is empty",
    os.path.join("dog", "2.png"): r"cannot identify image file\)",
    os.path.join("dog", "5.png"): "No such file",
}


def table(**changes):
    names = sorted([*GOOD, "cat/1.png", "dog/0.png", "dog/2.png", "dog/5.png"])
    return {
        "filename": names,
        "class": [name[:3] for name in names],
        "number": [float(name[4]) + 10 * (name[0] == "d") for name in names],
        **changes,
    }


def dataset(folder, **arguments):
    return utils.image_dataset_from_directory(folder, **{"image_size": (4, 6), "verbose": False, **arguments})


def flow(folder, columns=None, **arguments):
    generator = preprocessing.image.ImageDataGenerator(validation_split=arguments.pop("validation_split", 0))
    arguments = {"target_size": (4, 6), "class_mode": "sparse", **arguments}
    if columns is None:
        return generator.flow_from_directory(folder, **arguments)
    return generator.flow_from_dataframe(columns, folder, **arguments)


def skipping(function, folder, count=4, of=9, **arguments):
    """Call with on_error="skip", and look for one warning with all paths and reasons, at this line."""
    with pytest.warns(UserWarning, match=f"^{count} of {of} files cannot be read") as caught:
        result = function(folder, on_error="skip", **arguments)
    entries = [entry for entry in caught if "cannot be read" in str(entry.message)]
    assert [entry.filename for entry in entries] == [__file__]
    return result, str(entries[0].message)


@pytest.mark.parametrize("make", [dataset, flow])
def test_all_are_named(folder, make):
    _, message = skipping(make, folder)
    for path, reason in REASONS.items():
        assert re.search(rf"{re.escape(path)}. \([^)]*{reason}", message), message


def test_colours_that_cannot_be_converted(tmp_path):
    """Pillow reads the file, and says that it cannot make gray of it in an error that names no file."""
    image = pytest.importorskip("PIL.Image")
    image.new("LAB", (4, 4)).save(tmp_path / "lab.tif")
    with pytest.raises(OSError, match=r"lab\.tif.*conversion from LAB"):
        utils.load_img(tmp_path / "lab.tif", color_mode="grayscale")
    columns = {"filename": ["lab.tif"], "class": [1]}
    arguments = {"class_mode": "raw", "on_error": "skip"}
    assert flow(tmp_path, columns, **arguments).samples == 1  # in colours
    with pytest.warns(UserWarning, match="1 of 1 files.*lab.tif.*conversion from LAB"):
        assert flow(tmp_path, columns, **arguments, color_mode="grayscale").samples == 0


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_dataset_without_them(folder, shuffle):
    data, _ = skipping(dataset, folder, batch_size=2, shuffle=shuffle, seed=3)
    assert len(data) == 3
    assert sorted(data.file_paths) == [str(folder / name) for name in GOOD]
    assert data.class_names == ["cat", "dog"]
    for _ in range(2):
        batches = list(data)
        assert [len(x) for x, _ in batches] == [2, 2, 1]
        x, y = (np.concatenate(parts) for parts in zip(*batches))
        np.testing.assert_array_equal(x[:, 0, 0, 0] >= 100, y == 1)
        assert sorted(x[:, 0, 0, 0]) == NUMBERS
        if not shuffle:
            assert x[:, 0, 0, 0].tolist() == NUMBERS


def test_labels_of_ones_own_stay_with_their_images(folder):
    data, _ = skipping(dataset, folder, labels=list(range(8)) + [80], shuffle=False)  # one for each file, bad ones too
    assert next(iter(data))[1].tolist() == [0, 2, 4, 6, 7]


def test_parts_are_those_of_all_files(folder):
    """A file that cannot be read moves no other one to the other part."""
    arguments = {"validation_split": 0.5, "seed": 1, "on_error": "skip"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = dataset(folder, subset="both", **arguments)
        one_by_one = [dataset(folder, subset=subset, **arguments) for subset in ("training", "validation")]
    assert [part.file_paths for part in both] == [part.file_paths for part in one_by_one]
    assert sorted(sum((part.file_paths for part in both), [])) == [str(folder / name) for name in GOOD]
    everything = [dataset(folder, subset=s, validation_split=0.5, seed=1) for s in ("training", "validation")]
    for part, whole in zip(both, everything):
        assert part.file_paths == [path for path in whole.file_paths if path in part.file_paths]


def test_an_iterator_without_them(folder):
    batches, _ = skipping(flow, folder, batch_size=2, shuffle=False)
    assert (batches.samples, batches.n, len(batches)) == (5, 5, 3)
    assert batches.filenames == [os.path.join(*name.split("/")) for name in GOOD]
    assert batches.filepaths == [str(folder / name) for name in GOOD]
    assert batches.classes.tolist() == batches.labels.tolist() == [0, 0, 1, 1, 1]
    x, y = (np.concatenate(parts) for parts in zip(*(batches[i] for i in range(3))))
    assert (x[:, 0, 0, 0].tolist(), y.tolist()) == (NUMBERS, [0, 0, 1, 1, 1])


@pytest.mark.parametrize("validate, of", [(True, 8), (False, 9)])
@pytest.mark.filterwarnings("ignore:1 of the files in")  # a validated table knows of the one that is missing
def test_a_table_without_them(folder, validate, of):
    arguments = {"columns": table(), "validate_filenames": validate, "count": of - 5, "of": of, "shuffle": False}
    batches, _ = skipping(flow, folder, weight_col="number", **arguments)
    assert batches.filenames == GOOD
    x, y, w = batches[0]
    assert (x[:, 0, 0, 0].tolist(), y.tolist(), w.tolist()) == (NUMBERS, [0, 0, 1, 1, 1], [0, 2, 11, 13, 14])
    raw, _ = skipping(flow, folder, class_mode="raw", y_col=["number", "number"], **arguments)
    assert raw[0][1][:, 1].tolist() == [0, 2, 11, 13, 14]
    several, _ = skipping(flow, folder, class_mode="multi_output", y_col=["number"], **arguments)
    assert several[0][1][0].tolist() == [0, 2, 11, 13, 14]


@pytest.mark.parametrize("subset, names", [("training", GOOD[1:2] + GOOD[3:]), ("validation", [GOOD[0], GOOD[2]])])
def test_parts_of_an_iterator(folder, subset, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batches = flow(folder, validation_split=0.5, subset=subset, on_error="skip")
    assert batches.filenames == [os.path.join(*name.split("/")) for name in names]


@pytest.mark.parametrize("bad", REASONS)
def test_by_default_reading_raises(folder, bad):
    for path in REASONS:
        if path != bad:
            (folder / path).unlink()
    reads = [
        lambda: list(dataset(folder)),
        lambda: list(dataset(folder, on_error="raise", batch_size=None)),
        lambda: next(flow(folder)),
        lambda: next(flow(folder, {"filename": [bad], "class": ["a"]}, validate_filenames=False)),
        lambda: utils.load_img(folder / bad),
    ]
    for read in reads:
        with pytest.raises(OSError, match=bad.replace(os.sep, ".")):
            read()


def test_permissions(folder, monkeypatch):
    """As if the user had no right to read a file, or a folder: root may read all."""
    import builtins

    opened, listed = builtins.open, os.scandir

    def denied(function, bad):
        def call(path=".", *arguments, **named):
            if os.fspath(path) == str(bad):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *arguments, **named)

        return call

    monkeypatch.setattr(builtins, "open", denied(opened, folder / "dog" / "3.png"))
    data, message = skipping(dataset, folder, count=5, shuffle=False)
    assert "3.png' (Permission denied)" in message
    assert next(iter(data))[1].tolist() == [0, 0, 1, 1]
    monkeypatch.setattr(os, "scandir", denied(listed, folder / "dog"))
    for make in (dataset, flow):
        with pytest.raises(PermissionError, match="dog"):  # else its class would have no images, in silence
            make(folder)


def test_many_are_counted(tmp_path):
    pytest.importorskip("PIL")
    (tmp_path / "a").mkdir()
    for i in range(14):
        (tmp_path / "a" / f"{i:02}.png").write_bytes(b"")
    utils.save_img(tmp_path / "a" / "good.png", np.zeros((2, 2, 3)))
    _, message = skipping(dataset, tmp_path, count=14, of=15)
    assert message.count(".png") == 10
    assert message.endswith("09.png' (the file is empty) and 4 more")
    (tmp_path / "a" / "good.png").unlink()
    with pytest.warns(UserWarning, match="14 of 14"), pytest.raises(ValueError, match="No images found in"):
        dataset(tmp_path, on_error="skip")


def test_good_files_need_no_warning(folder):
    for path in REASONS:
        (folder / path).unlink()
    assert len(dataset(folder, on_error="skip").file_paths) == flow(folder, on_error="skip").samples == 5


@pytest.mark.parametrize("wrong", ["ignore", None, True])
def test_refuses(folder, wrong):
    for make in (dataset, flow):
        with pytest.raises(ValueError, match=f"`on_error` must be 'raise' or 'skip'. Received: on_error={wrong!r}"):
            make(folder, on_error=wrong)
    with pytest.raises(TypeError, match="positional"):
        preprocessing.image.DirectoryIterator(folder, *[None] * 17, "skip")


def test_damage_of_all_kinds_is_an_oserror(tmp_path):
    """Pillow raises many things; here it is always one, with the path."""
    image = pytest.importorskip("PIL.Image")
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (20, 30, 3), np.uint8)
    refused = []
    for ending in ("png", "jpg", "gif", "bmp"):
        path = tmp_path / f"x.{ending}"
        image.fromarray(pixels).save(path)
        data = path.read_bytes()
        for trial in range(150):
            broken = bytearray(data[: generator.integers(len(data))] if trial % 2 else data)
            for place in generator.integers(0, min(len(data), 60), generator.integers(1, 5)):
                broken[place : place + 1] = bytes([generator.integers(256)])
            path.write_bytes(broken)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    utils.load_img(path)
            except OSError as error:
                refused.append(str(path) in str(error))
    assert all(refused)
    assert len(refused) > 200
