"""Transformations of images and ImageDataGenerator beside Keras'. Both start from the same seeds."""

import inspect

import numpy as np
import pytest

from minikeras import utils
from minikeras.preprocessing import affine, image

pytestmark = pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")  # Keras' own


@pytest.fixture(scope="module")
def legacy(keras):
    pytest.importorskip("scipy", reason="SciPy, which Keras needs for this, is not installed")
    from keras.src.legacy.preprocessing import image

    return image


def picture(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


TRANSFORMATIONS = {
    "rotation": {"theta": 33},
    "shift": {"tx": 1.3, "ty": -2.2},
    "whole shift": {"tx": 2, "ty": -3},
    "far shift": {"tx": 40.5, "ty": -33},
    "shear": {"shear": 20},
    "zoom": {"zx": 0.7, "zy": 1.6},
    "all": {"theta": -110, "tx": 3.5, "ty": 2, "shear": 40, "zx": 2.5, "zy": 0.4},
    "none": {},
}


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("fill_mode", affine.FILL_MODES)
@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_apply_affine_transform(legacy, name, fill_mode, order):
    arguments = {**TRANSFORMATIONS[name], "fill_mode": fill_mode, "order": order, "cval": 7.0}
    for shape, axes in (((9, 6, 3), (0, 1, 2)), ((3, 5, 8), (1, 2, 0)), ((6, 6, 1), (1, 0, 2)), ((1, 4, 2), (0, 1, 2))):
        arguments.update(zip(("row_axis", "col_axis", "channel_axis"), axes))
        x = picture(*shape)
        ours, theirs = (f.apply_affine_transform(x, **arguments) for f in (affine, legacy))
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_apply_affine_transform_keeps_the_type(legacy, dtype):
    x = picture(6, 7, 3).astype(dtype)
    arguments = {"theta": 12, "row_axis": 0, "col_axis": 1, "channel_axis": 2}
    ours, theirs = (f.apply_affine_transform(x, **arguments) for f in (affine, legacy))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("intensity", [-30.0, 3.5, 0.0])
def test_apply_channel_shift(legacy, intensity, axis):
    x = picture(4, 5, 3)
    np.testing.assert_allclose(
        affine.apply_channel_shift(x, intensity, axis), legacy.apply_channel_shift(x, intensity, axis), rtol=1e-6
    )


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("brightness", [0.0, 0.3, 1.0, 1.7])
@pytest.mark.parametrize("shape", [(4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_apply_brightness_shift(legacy, shape, brightness, scale):
    for x in (picture(*shape), picture(*shape) - 100, picture(*shape) * 3, np.zeros(shape, "float32")):
        ours, theirs = (f.apply_brightness_shift(x, brightness, scale) for f in (affine, legacy))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)
        assert ours.dtype == theirs.dtype


NAMES = [name for name in image.__all__ if name not in ("Iterator", "FileIterator")]


def signature(function):
    """Without what is of our own, which comes by name only."""
    full = inspect.signature(function)
    return full.replace(parameters=[p for p in full.parameters.values() if p.name != "on_error"])


@pytest.mark.parametrize("name", NAMES)
def test_signature(legacy, keras, name):
    theirs = getattr(legacy, name, None) or getattr(keras.utils, name, None) or getattr(keras.preprocessing.image, name)
    assert signature(getattr(image, name)) == inspect.signature(theirs)


def test_signatures_of_the_methods(legacy):
    for name in (n for n in vars(legacy.ImageDataGenerator) if not n.startswith("_") or n == "__init__"):
        ours, theirs = (getattr(m.ImageDataGenerator, name) for m in (image, legacy))
        assert signature(ours) == inspect.signature(theirs), name


GENERATORS = {
    "nothing": {},
    "geometry": {
        "rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.3, "shear_range": 10, "zoom_range": 0.3,
        "horizontal_flip": True, "vertical_flip": True,
    },
    "shifts": {"width_shift_range": 3, "height_shift_range": [-2, 1, 0.5], "fill_mode": "wrap"},
    "far shifts": {"width_shift_range": 2.5, "fill_mode": "constant", "cval": 3.0, "interpolation_order": 0},
    "color": {"brightness_range": (0.4, 1.5), "channel_shift_range": 20.0},
    "zoom": {"zoom_range": [0.5, 0.9], "fill_mode": "reflect"},
    "standardized": {"samplewise_std_normalization": True, "samplewise_center": True, "rescale": 1 / 255},
    "function": {"preprocessing_function": lambda x: x[::-1] * 2, "rescale": 0.5},
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 1 / 255},
    "whitened": {"zca_whitening": True, "featurewise_center": True, "zca_epsilon": 1e-2},
    "channels first": {"data_format": "channels_first", "rotation_range": 10, "horizontal_flip": True},
}  # fmt: skip


def both(legacy, name, **more):
    return [module.ImageDataGenerator(**GENERATORS[name], **more) for module in (image, legacy)]


def same(ours, theirs, rtol=1e-5, atol=1e-3):
    if isinstance(theirs, (tuple, list)):
        assert type(ours) is type(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", GENERATORS)
def test_flow(legacy, name):
    x, y, weights = picture(7, 3, 3, 3), np.arange(7), np.linspace(0, 1, 7)
    generators = both(legacy, name)
    for generator in generators:
        generator.fit(x)
    for arguments in ({}, {"y": y}, {"y": y, "sample_weight": weights}, {"shuffle": False}, {"batch_size": 7}):
        flows = [g.flow(x, **{"batch_size": 3, "seed": 4, **arguments}) for g in generators]
        assert len(flows[0]) == len(flows[1])
        for _ in range(2 * len(flows[0]) + 1):  # more than two epochs
            same(*(next(flow) for flow in flows))
        for index in (1, 0) if len(flows[0]) > 1 else (0,):
            same(*(flow[index] for flow in flows))
        for flow in flows:
            flow.reset()
        same(*(next(flow) for flow in flows))


@pytest.mark.parametrize("name", ["geometry", "color", "featurewise", "whitened", "channels first"])
def test_fit(legacy, name):
    x = picture(6, 3, 3, 3)
    generators = both(legacy, name)
    for generator in generators:
        generator.fit(x, augment=True, rounds=2, seed=3)
    for attribute in ("mean", "std", "zca_whitening_matrix"):
        ours, theirs = (getattr(generator, attribute) for generator in generators)
        assert (ours is None) == (theirs is None), attribute
        if theirs is not None:
            same(ours, theirs, rtol=1e-4)
    same(*(generator.standardize(x.copy()) for generator in generators), atol=1e-2)


@pytest.mark.parametrize("name", GENERATORS)
def test_random_transform(legacy, name):
    for seed in range(20):
        ours, theirs = (g.get_random_transform((6, 8, 3), seed) for g in both(legacy, name))
        assert list(ours) == list(theirs)
        assert [type(value) for value in ours.values()] == [type(value) for value in theirs.values()]
        assert ours == theirs


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_flow_of_a_part(legacy, subset):
    x, y = picture(10, 3, 3, 1), np.array([0, 1] * 5)
    flows = [g.flow(x, y, batch_size=4, seed=1, subset=subset) for g in both(legacy, "nothing", validation_split=0.4)]
    assert flows[0].n == flows[1].n
    same(*(next(flow) for flow in flows))


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("PIL")
    for name, count in (("b", 4), ("a", 3), ("c", 5)):
        (tmp_path / name / "deeper").mkdir(parents=True)
        for i in range(count):
            utils.save_img(tmp_path / name / f"{i}.png", picture(6, 9, 3, seed=i + 10 * count), scale=False)
        utils.save_img(tmp_path / name / "deeper" / "x.jpg", picture(9, 9, 3), scale=False)
        (tmp_path / name / "notes.txt").write_text("no image")
    return tmp_path


@pytest.mark.parametrize("arguments", [
    {},
    {"class_mode": "sparse", "color_mode": "grayscale"},
    {"class_mode": "binary", "classes": ["c", "a"]},
    {"class_mode": "input", "color_mode": "rgba"},
    {"class_mode": None, "interpolation": "bilinear", "keep_aspect_ratio": True},
    {"subset": "training"},
    {"subset": "validation", "shuffle": False},
])  # fmt: skip
@pytest.mark.parametrize("name", ["nothing", "geometry", "channels first"])
def test_flow_from_directory(legacy, folder, name, arguments, capsys):
    flows, printed = [], []
    for generator in both(legacy, name, validation_split=0.3):
        full = {"target_size": (5, 5), "batch_size": 4, "seed": 2, **arguments}
        flows.append(generator.flow_from_directory(folder, **full))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    ours, theirs = flows
    for attribute in ("samples", "n", "num_classes", "class_indices", "filenames", "image_shape", "class_mode"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert ours.filepaths == [str(path) for path in theirs.filepaths]
    same(ours.classes, theirs.classes)
    for _ in range(len(ours) + 2):
        same(next(ours), next(theirs))


def test_save_to_dir(legacy, folder):
    x = picture(4, 3, 3, 3)
    names = []
    for number, generator in enumerate(both(legacy, "nothing")):
        kept = folder / str(number)
        kept.mkdir()
        next(generator.flow(x, batch_size=3, seed=1, save_to_dir=kept, save_prefix="p", save_format="bmp"))
        names.append({path.name: path.read_bytes() for path in kept.iterdir()})
    assert names[0] == names[1]
    assert len(names[0]) == 3


@pytest.mark.parametrize("arguments", [
    {},
    {"class_mode": "sparse", "weight_col": "weight"},
    {"class_mode": "binary", "classes": ["owl", "cat"]},
    {"class_mode": "categorical", "y_col": "several"},
    {"class_mode": "categorical", "y_col": "several", "classes": ["cat", "dog"]},
    {"class_mode": "raw", "y_col": "number"},
    {"class_mode": "raw", "y_col": ["number", "weight"]},
    {"class_mode": "multi_output", "y_col": ["number", "weight"]},
    {"class_mode": "input"},
    {"class_mode": None},
    {"subset": "training"},
    {"subset": "validation", "shuffle": False},
])  # fmt: skip
def test_flow_from_dataframe(legacy, folder, arguments, capsys):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = {
        "filename": ["a/0.png", "b/1.png", "none.png", "c/2.png", "b/0.png", "c/notes.txt"],
        "class": ["cat", "dog", "dog", "owl", "cat", "owl"],
        "several": [["cat", "dog"], ["dog"], ["owl"], ["owl"], "cat", ["cat"]],
        "number": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
        "weight": [1, 2, 3, 4, 5, 6],
    }
    results = []
    for generator in both(legacy, "geometry", validation_split=0.5):
        full = {"target_size": (5, 5), "batch_size": 2, "seed": 2, **arguments}
        with pytest.warns(UserWarning, match="(?i)filename|left out"):
            flow = generator.flow_from_dataframe(pandas.DataFrame(table), str(folder), **full)
        results.append((flow, capsys.readouterr().out))
    (ours, text), (theirs, their_text) = results
    assert text == their_text
    assert ours.filenames == theirs.filenames
    assert getattr(ours, "class_indices", None) == getattr(theirs, "class_indices", None)
    for _ in range(len(ours) + 2):
        same(next(ours), next(theirs))
