"""Layers that mix images, distort them or choose among other layers, and CLAHE, beside Keras'."""

import importlib
import warnings

import numpy as np
import pytest
from checks import relative_error
from parity_layers import check_parity, make_both

from minikeras import layers

CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"
CASES = {
    "MixUp": [((4, 5, 3), {}), ((4, 5, 3), {"alpha": 0.7, "seed": 2}), ((4, 5, 1), {"alpha": 1.0})],
    "CutMix": [((4, 5, 3), {}), ((4, 5, 3), {"factor": 0.7, "seed": 2}), ((4, 5, 1), {"factor": (0.8, 0.3)})],
    "RandomElasticTransform": [
        ((4, 5, 3), {}),
        ((4, 5, 3), {"factor": 0.7, "scale": (0.9, 0.2), "interpolation": "nearest", "seed": 2}),
        ((4, 5, 1), {"fill_mode": "mirror", "fill_value": 0.5, "value_range": [0, 1]}),
    ],
    "RandAugment": [
        ((4, 5, 3), {}),
        ((4, 5, 3), {"value_range": (0, 1), "num_ops": 3, "factor": 0.1, "seed": 2}),
        ((4, 5, 3), {"factor": (0.9, 0.2), "interpolation": "nearest"}),
    ],
    "AugMix": [
        ((4, 5, 3), {}),
        ((4, 5, 3), {"value_range": (0, 1), "num_chains": 2, "chain_depth": 1, "factor": 0.1, "seed": 2}),
        ((4, 5, 3), {"all_ops": False, "alpha": 0.5, "interpolation": "nearest"}),
    ],
    CLAHE: [  # tiles whose limit is a whole number, images that need one more row at most: see `plain_clahe`
        ((16, 32, 3), {"tile_grid_size": (2, 2)}),
        ((15, 32, 1), {"tile_grid_size": [2, 4], "clip_limit": 8.0, "value_range": (0, 1)}),
        ((7, 8, 2), {"clip_limit": 0}),
    ],
}  # fmt: skip
RANDOM = ["MixUp", "CutMix", "RandomElasticTransform", "RandAugment", "AugMix"]


@pytest.fixture(autouse=True)
def _old_warnings(keras):
    """What Keras' equalization does, PyTorch warns of: once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("torch").zeros(()).T  # noqa: B018


def _bytes(rng, shape):
    return (rng.integers(0, 256, shape) / (255 if shape[-1] == 1 else 1)).astype("float32")


INPUTS = {CLAHE: _bytes}


def to_tensors(value):
    """A transformation of ours for Keras."""
    import torch

    if isinstance(value, dict):
        return {key: to_tensors(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_tensors(item) for item in value]
    return torch.tensor(np.array(value)) if isinstance(value, (np.ndarray, np.number, float)) else value


def to_arrays(value):
    if isinstance(value, dict):
        return {key: to_arrays(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_arrays(item) for item in value]
    return value.detach().numpy().copy() if hasattr(value, "detach") else value


def _images(data_format):
    x = np.random.default_rng(0).uniform(15, 195, (4, 14, 18, 3)).astype("float32")
    return x if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name, arguments", [
    ("MixUp", {"alpha": 2.0}),
    ("CutMix", {"factor": (0.8, 1.0)}),
    ("RandAugment", {"num_ops": 3}),
    ("RandAugment", {"num_ops": 2, "factor": (0.1, 0.3), "value_range": (-10, 300), "interpolation": "nearest"}),
    ("AugMix", {}),
    ("AugMix", {"all_ops": False, "num_chains": 2, "factor": 0.8, "alpha": 0.5, "value_range": (10, 200)}),
])  # fmt: skip
def test_same_transformation(keras, name, arguments, data_format):
    """What one of the two has drawn makes the same images, and labels, of the other, and the same gradient."""
    import torch

    rng = np.random.default_rng(0)
    x, labels = _images(data_format), np.eye(4, dtype="float32")
    ours, theirs = make_both(keras, name, {**arguments, "data_format": data_format, "seed": 3})
    if name in ("RandAugment", "AugMix"):
        _mend(theirs, data_format)
    for _ in range(6):
        drawn = ours.get_random_transformation(x)
        tensor = torch.tensor(x, requires_grad=True)
        y = theirs.transform_images(tensor * 1, to_tensors(drawn))
        _compare(name, ours.transform_images(x, drawn), y.detach().numpy())
        dy = rng.standard_normal(y.shape).astype("float32")
        dx = torch.autograd.grad(y, tensor, torch.tensor(dy))[0].numpy() if y.requires_grad else np.zeros_like(x)
        _compare(name, ours.backward(dy), dx)
        expected = theirs.transform_labels(torch.tensor(labels), to_tensors(drawn)).numpy()
        assert relative_error(ours.transform_labels(labels, drawn), expected) <= 1e-6

        drawn = theirs.get_random_transformation(torch.tensor(x))
        arrays = to_arrays(drawn)
        y = theirs.transform_images(torch.tensor(x), drawn).numpy()
        _compare(name, ours.transform_images(x, arrays), y)


def _mend(policy, data_format):
    """With PyTorch, Keras' brightness writes into its inputs, so that it counts when it was not chosen; its contrast
    takes the axes of channels-first images for those of others."""
    if hasattr(policy, "random_brightness"):
        brighten = policy.random_brightness.transform_images
        policy.random_brightness.transform_images = lambda images, drawn: brighten(images.clone(), drawn)
    if data_format == "channels_first":
        stretch = policy.auto_contrast.transform_images
        policy.auto_contrast.transform_images = lambda images, _: stretch(images.movedim(1, -1)).movedim(-1, 1)


def _compare(name, actual, expected):
    """Of a policy, rounding puts a pixel, or a row of them, on another side of one of the steps now and then."""
    if name in ("RandAugment", "AugMix"):
        close = np.abs(actual - expected) <= 1e-5 * np.abs(expected).max()
        assert close.mean() > 0.98
    else:
        assert relative_error(actual, expected) <= 1e-5


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", ["reflect", "mirror", "wrap", "constant", "nearest"])
def test_elastic(keras, fill_mode, interpolation, data_format):
    """Keras draws its noise last, from PyTorch's global state: the same is drawn again for ours."""
    import torch

    x = np.random.default_rng(0).uniform(0, 255, (3, 40, 30, 2)).astype("float32")
    x = x if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))
    ours, theirs = make_both(keras, "RandomElasticTransform", {
        "factor": (0.5, 1.0), "scale": (0.7, 1.0), "fill_mode": fill_mode, "interpolation": interpolation,
        "fill_value": 7.0, "value_range": (20, 230), "data_format": data_format, "seed": 5,
    })  # fmt: skip
    drawn = theirs.get_random_transformation(torch.tensor(x))
    assert 0 < drawn["apply_transform"].sum() < 4
    tensor = torch.tensor(x, requires_grad=True)
    torch.manual_seed(3)
    y = theirs.transform_images(tensor * 1, drawn)
    torch.manual_seed(3)
    noise = [torch.normal(0.0, 1.0, size=(3, 40, 30)).numpy() for _ in range(2)]
    arrays = {**to_arrays({k: drawn[k] for k in ("apply_transform", "distortion_factor")}), "noise": noise}
    actual = ours.transform_images(x, arrays)
    if interpolation == "bilinear":
        assert relative_error(actual, y.detach().numpy()) <= 1e-5
    else:
        assert (actual == y.detach().numpy()).mean() > 0.999  # ties
        return
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dx = torch.autograd.grad(y, tensor, torch.tensor(dy))[0].numpy()
    assert relative_error(ours.backward(dy), dx) <= 1e-4


@pytest.fixture
def plain_clahe(keras, monkeypatch):
    """With PyTorch, Keras counts in integers and cuts the limit down to one, and repeats edges instead of mirroring
    them: not what its layer says, nor what it does with its other backends."""
    import torch
    from keras.src.backend.torch import nn
    from keras.src.backend.torch import numpy as functions

    one_hot = nn.one_hot
    monkeypatch.setattr(nn, "one_hot", lambda x, number: one_hot(x, number, dtype="float32"))
    monkeypatch.setattr(functions, "pad", lambda x, width, mode: torch.tensor(np.pad(x.numpy(), width, mode)))
    return keras


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("shape, arguments", [
    ((2, 17, 23, 3), {}),
    ((2, 17, 23, 3), {"tile_grid_size": (5, 1), "value_range": (-10, 300)}),
    ((1, 16, 24, 1), {"tile_grid_size": (3, 4), "clip_limit": 1.3}),
    ((2, 9, 5, 2), {"tile_grid_size": (9, 5)}),
    ((1, 1, 1, 1), {}),
    ((3, 2, 7, 3), {"clip_limit": -1}),
])  # fmt: skip
def test_clahe(plain_clahe, shape, arguments, data_format):
    x = np.random.default_rng(0).uniform(-20, 290, shape).astype("float32")
    x = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    ours, theirs = make_both(plain_clahe, CLAHE, {**arguments, "data_format": data_format})
    x = np.clip(x, 0, 255) if "value_range" not in arguments else x
    for training in (None, True, False):
        assert relative_error(ours(x, training=training), theirs(x, training=training).numpy()) <= 1e-5
    assert relative_error(ours(x[0]), theirs(x[0]).numpy()) <= 1e-5
    images = np.clip(x, 0, 255).astype("uint8")
    y, expected = ours(images), theirs(images).numpy()
    assert y.dtype == expected.dtype == "uint8"
    if "value_range" not in arguments:  # Keras' own range makes floats of bytes, and those bytes again
        assert np.abs(y.astype(int) - expected.astype(int)).max() <= 1
        assert (y == expected).mean() > 0.9


@pytest.mark.parametrize("name, arguments, key", [
    ("MixUp", {"alpha": 0.2}, "mix_weight"),
    ("MixUp", {"alpha": 3.0}, "mix_weight"),
    ("MixUp", {}, "permutation_order"),
    ("CutMix", {"factor": (0.9, 0.9)}, "mix_weight"),
    ("CutMix", {"factor": (0.9, 0.9)}, "batch_masks"),
    ("CutMix", {}, "permutation_order"),
    ("RandomElasticTransform", {"factor": (0.2, 0.6)}, "apply_transform"),
])  # fmt: skip
def test_distributions(keras, name, arguments, key):
    """Keras draws other numbers, of the same distribution: deciles of many of them."""
    x = np.zeros((4000, 6, 4, 2), "float32")
    ours, theirs = make_both(keras, name, {**arguments, "seed": 3})
    a, b = (np.asarray(layer.get_random_transformation(x)[key]) for layer in (ours, theirs))
    assert a.shape == b.shape
    a, b = (v.astype("float64").reshape(len(x), -1) for v in (a, b))
    spread = np.ptp(b, axis=0).max()
    assert np.abs(a.mean(0) - b.mean(0)).max() <= 0.05 * spread
    if set(np.unique(b)) != {0, 1}:
        deciles = np.quantile(a, np.linspace(0, 1, 11), axis=0) - np.quantile(b, np.linspace(0, 1, 11), axis=0)
        assert np.abs(deciles).max() <= 0.06 * spread
    if key == "permutation_order":
        np.testing.assert_array_equal(np.sort(a.ravel()), np.arange(4000))


@pytest.mark.parametrize("name, arguments, key, low, high", [
    ("RandomElasticTransform", {"scale": (0.3, 0.7)}, "distortion_factor", 0.3, 0.7),
    ("RandomElasticTransform", {"scale": 0.4}, "distortion_factor", 0, 0.4),
    ("AugMix", {"alpha": 1.0}, "weight_sample", 0, 1),
    ("AugMix", {"alpha": 1.0, "num_chains": 2}, "chain_mixing_weights", 0, 1),
    ("RandAugment", {}, "layer_idxes", 0, 10),
])  # fmt: skip
def test_distributions_of_batches(keras, name, arguments, key, low, high):
    x = np.zeros((2, 3, 3, 3), "float32")
    for layer in make_both(keras, name, {**arguments, "seed": 3}):
        numbers = np.array([np.asarray(layer.get_random_transformation(x)[key]) for _ in range(150)])
        assert low <= numbers.min() <= low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) <= numbers.max() <= high
        assert abs(numbers.mean() - (low + high) / 2) < 0.12 * (high - low)


def test_calls_on_dicts(keras):
    """Shapes and types: each draws for itself."""
    x = np.random.default_rng(0).integers(0, 255, (4, 6, 5, 3))
    for name, arguments in (("MixUp", {}), ("CutMix", {}), ("RandomFlip", {}), ("RandAugment", {})):
        ours, theirs = make_both(keras, name, arguments)
        for images, labels in ((x.astype("uint8"), np.eye(4, dtype="int64")), (x[0] * 1.0, np.eye(4)[0])):
            y, expected = (dict(layer({"images": images, "labels": labels})) for layer in (ours, theirs))
            assert list(y) == list(expected) == ["images", "labels"]
            for key in y:
                assert y[key].shape == tuple(expected[key].shape)
            assert str(y["images"].dtype) == str(expected["images"].dtype).split(".")[-1]
    ours, theirs = make_both(keras, "MixUp", {})
    same = theirs({"images": x * 1.0, "labels": np.eye(4)}, training=False)
    np.testing.assert_array_equal(ours({"images": x * 1.0, "labels": np.eye(4)}, training=False)["images"], x)
    np.testing.assert_array_equal(same["images"].numpy(), x)


def test_weights_of_models_with_policies(keras, tmp_path):
    """Keras' files have a place for each inner layer's seed, which ours need not."""
    path = str(tmp_path / "policies.weights.h5")
    shape = (8, 8, 3)
    names = ("RandAugment", "AugMix", "MixUp", "CutMix", "RandomElasticTransform")
    theirs = keras.Sequential(
        [keras.Input(shape), *(getattr(keras.layers, name)() for name in names), keras.layers.Conv2D(2, 3)]
    )
    theirs.save_weights(path)
    from minikeras import Input, Sequential

    ours = Sequential([Input(shape), *(getattr(layers, name)() for name in names), layers.Conv2D(2, 3)])
    ours.load_weights(path)
    x = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype("float32")
    assert relative_error(ours.predict(x, verbose=0), theirs.predict(x, verbose=0)) <= 1e-5
    ours.save_weights(path)
    theirs.load_weights(path)
    check_parity(keras, "MixUp", shape, {}, training=False)


@pytest.mark.parametrize("name", ["RandAugment", "AugMix"])
@pytest.mark.parametrize("arguments", [
    {}, {"factor": (0.1, 0.6), "value_range": (0, 1), "seed": 3, "data_format": "channels_first"},
    {"factor": 0.0, "interpolation": "nearest"},
])  # fmt: skip
def test_layers_inside(keras, name, arguments):
    ours, theirs = make_both(keras, name, arguments)
    assert len(ours.steps) == 11
    for step in ours.steps:
        config, expected = (getattr(layer, step).get_config() for layer in (ours, theirs))
        for key in ("name", "value_range"):
            a, b = config.pop(key, ()), expected.pop(key, ())
            assert key == "name" or list(a) == list(b)
        assert config == expected, step
