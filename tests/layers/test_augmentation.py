"""Layers that change images at random. Their images are compared with Keras' in tests/parity."""

import numpy as np
import pytest
from checks import check_layer, relative_error

import minikeras as keras
from minikeras import layers
from minikeras.kernels import images, threads
from minikeras.models import Sequential

CONFIGURATIONS = {
    "flip": (layers.RandomFlip, {}),
    "horizontal flip": (layers.RandomFlip, {"mode": "horizontal"}),
    "vertical flip": (layers.RandomFlip, {"mode": "vertical"}),
    "translation": (layers.RandomTranslation, {"height_factor": 0.4, "width_factor": (-0.7, 0.1)}),
    "translation wrap": (layers.RandomTranslation, {"height_factor": 1, "width_factor": 1, "fill_mode": "wrap"}),
    "rotation": (layers.RandomRotation, {"factor": 0.3}),
    "rotation nearest": (layers.RandomRotation, {"factor": 0.3, "fill_mode": "nearest", "interpolation": "nearest"}),
    "rotation constant": (layers.RandomRotation, {"factor": 0.3, "fill_mode": "constant", "fill_value": 2.0}),
    "zoom": (layers.RandomZoom, {"height_factor": 0.4}),
    "zoom both": (layers.RandomZoom, {"height_factor": (0.3, 0.9), "width_factor": (-0.9, 0.1)}),
    "contrast": (layers.RandomContrast, {"factor": 0.9, "value_range": (-1, 1)}),
    "brightness": (layers.RandomBrightness, {"factor": 0.9, "value_range": (-1, 1)}),
    "erasing": (layers.RandomErasing, {"scale": (0.3, 0.9), "factor": (1.0, 1.0)}),
    "erasing with colors": (
        layers.RandomErasing, {"factor": (1.0, 1.0), "fill_value": (0.1, 0.2, 0.3), "value_range": (0, 1)},
    ),
    "shear": (layers.RandomShear, {"x_factor": 0.7, "y_factor": (0.1, 0.6)}),
    "affine": (layers.RandomAffine, {"rotation": 0.3, "translation": 0.2, "zoom": (-0.3, 0.4), "shear": 0.5}),
    "affine constant": (
        layers.RandomAffine,
        {"rotation": (0.1, 0.2), "translation": (-0.3, 0.1), "shear": (-0.4, 0.6), "fill_mode": "constant"},
    ),
    "noise": (layers.RandomNoise, {"factor": 0.9, "value_range": (-1, 1)}),
    "perspective": (layers.RandomPerspective, {"scale": 0.6, "factor": (0.7, 1.0)}),
    "invert": (layers.RandomInvert, {"factor": (0.5, 0.5)}),
    "grayscale": (layers.RandomGrayscale, {}),
    "color degeneration": (layers.RandomColorDegeneration, {"factor": 0.9, "value_range": (-1, 1)}),
    "solarization": (
        layers.Solarization, {"addition_factor": 0.1, "threshold_factor": 0.9, "value_range": (-1.5, 1.5)},
    ),
    "sharpness": (layers.RandomSharpness, {"factor": 0.9, "value_range": (-1, 1)}),
    "blur": (layers.RandomGaussianBlur, {"kernel_size": (3, 5), "sigma": (0.3, 0.9), "value_range": (-1, 1)}),
    "hue": (layers.RandomHue, {"factor": 0.7, "value_range": (-9, 9)}),
    "saturation": (layers.RandomSaturation, {"factor": (0.3, 0.6), "value_range": (0, 1)}),
    "elastic": (layers.RandomElasticTransform, {"factor": (0.7, 1.0), "scale": (0.5, 1.0), "value_range": (-1, 1)}),
    "elastic mirror": (
        layers.RandomElasticTransform,
        {"scale": (0.9, 1.0), "fill_mode": "mirror", "value_range": (-9, 9)},
    ),
    "mix up": (layers.MixUp, {"alpha": 2.0}),
    "cut mix": (layers.CutMix, {"factor": (0.9, 1.0)}),
    "rand augment": (layers.RandAugment, {"value_range": (-1, 1), "num_ops": 4, "factor": (0.1, 0.6)}),
    "aug mix": (layers.AugMix, {"value_range": (-1, 1), "chain_depth": 2, "factor": (0.1, 0.6)}),
    "aug mix of few": (layers.AugMix, {"value_range": (-9, 9), "all_ops": False, "alpha": 0.5}),
    "crop": (layers.RandomCrop, {"height": 3, "width": 2}),
    "crop of small images": (layers.RandomCrop, {"height": 7, "width": 4}),
    "crop of the same height": (layers.RandomCrop, {"height": 5, "width": 2}),
}  # fmt: skip
SHAPE = (5, 4, 3)
STEPS = ("random_posterization", "solarization", "equalization")


@pytest.fixture(params=CONFIGURATIONS)
def make(request):
    cls, arguments = CONFIGURATIONS[request.param]
    return lambda **more: cls(**{"seed": 3, **arguments, **more})


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("batch", [1, 4])
def test_layer(make, data_format, batch):
    shape = SHAPE if data_format == "channels_last" else (SHAPE[2], *SHAPE[:2])

    def make_smooth():
        layer = make(data_format=data_format)
        if isinstance(layer, (layers.RandAugment, layers.AugMix)):  # steps have differences, but no derivatives
            layer.steps = tuple(name for name in layer.steps if name not in STEPS)
        return layer

    check_layer(make_smooth, shape, batch=batch, mixes_rows=True)


def test_inference_and_seeds(make):
    x = np.random.default_rng(0).random((6, *SHAPE)).astype("float32")
    layer, same, other = make(), make(), make(seed=4)
    if not isinstance(layer, layers.RandomCrop):
        np.testing.assert_array_equal(layer(x, training=False), x)
        np.testing.assert_array_equal(layer.backward(x.copy()), x)
        assert layer.generator is None  # nothing was drawn
    assert not layer.rows_independent
    first, second = layer(x, training=True), layer(x, training=True)
    np.testing.assert_array_equal(same(x, training=True), first)
    np.testing.assert_array_equal(same(x), second)  # a direct call is one in training
    if "height" not in layer.get_config():  # the crop has few places
        assert np.abs(first - second).max() > 0.01
        assert np.abs(other(x, training=True) - first).max() > 0.01
        assert np.abs(first - x).max() > 0.01
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_global_seed(make):
    x = np.random.default_rng(0).random((6, *SHAPE)).astype("float32")
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        results.append([make(seed=None)(x, training=True) for _ in range(3)])
    np.testing.assert_array_equal(results[0], results[1])


def test_number_of_threads(make, monkeypatch):
    monkeypatch.setattr(images, "SHARE", 1)
    x = np.random.default_rng(0).random((6, *SHAPE)).astype("float32")
    before, results = threads.num_threads(), []
    try:
        for number in (1, 2, 3):
            threads.set_num_threads(number)
            layer = make()
            y = layer(x, training=True)
            results.append((y, layer.backward(np.ones_like(y)).copy()))
    finally:
        threads.set_num_threads(before)
    for y, dx in results[1:]:
        np.testing.assert_array_equal(y, results[0][0])
        np.testing.assert_array_equal(dx, results[0][1])


def test_each_image_has_its_own(make):
    layer = make()
    if isinstance(layer, (layers.RandomCrop, layers.MixUp, layers.CutMix)):
        return  # one place for all of a batch; mixed with others like it
    x = np.random.default_rng(0).random(SHAPE).astype("float32")
    y = layer(np.stack([x] * 8), training=True)
    assert len(np.unique(y.round(4), axis=0)) > 1
    single = make()(x, training=True)
    assert single.shape == x.shape
    np.testing.assert_array_equal(single, make()(x[None], training=True)[0])


def test_steps_by_hand(make):
    """Drawing and transforming one after the other is what a call does."""
    x = np.random.default_rng(0).random((6, *SHAPE)).astype("float32")
    layer = make()
    drawn = layer.get_random_transformation(x)
    np.testing.assert_array_equal(layer.transform_images(x, drawn), make()(x, training=True))
    np.testing.assert_array_equal(layer.transform_images(x, drawn), make()(x, training=True))
    np.testing.assert_array_equal(layer.transform_images(x, drawn, training=False), x)
    assert layer.get_random_transformation(x, training=False) is None
    again = make(seed=None)
    again = again.transform_images(x, again.get_random_transformation(x, seed=3))
    np.testing.assert_array_equal(again, make()(x, training=True))
    single = layer.transform_images(x[0], layer.get_random_transformation(x[0], seed=3))
    np.testing.assert_array_equal(single, make()(x[0]))


def test_in_a_model():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 255, (16, 8, 8, 3)).astype("float32"), rng.integers(0, 2, 16)
    augmentation = Sequential(
        [
            layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1), layers.RandomRotation(0.1),
            layers.RandomZoom(0.2), layers.RandomContrast(0.2), layers.RandomBrightness(0.2), layers.RandomErasing(),
        ]
    )  # fmt: skip
    model = Sequential(
        [keras.Input((8, 8, 3)), layers.RandomCrop(6, 7), augmentation, layers.Flatten(), layers.Dense(2, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    assert np.isfinite(model.fit(x, y, epochs=2, batch_size=8, verbose=0).history["loss"]).all()
    first = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), first)  # nothing random
    assert model.count_params() == 6 * 7 * 3 * 2 + 2


def test_gradients_reach_layers_below():
    rng = np.random.default_rng(0)
    x, y = rng.random((8, 6, 6, 2)).astype("float32"), rng.random((8, 6, 6, 2)).astype("float32")
    below, above = layers.Conv2D(2, 3, padding="same"), layers.RandomRotation(0.1, seed=1)
    model = Sequential([keras.Input((6, 6, 2)), below, above])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights()))


def test_flip_of_both():
    """Keras' two flips are one decision: a turn by 180 degrees."""
    x = np.random.default_rng(0).random((50, 3, 4, 1)).astype("float32")
    y = layers.RandomFlip(seed=1)(x)
    turned = [not np.array_equal(a, b) for a, b in zip(x, y)]
    assert 10 < sum(turned) < 40
    np.testing.assert_array_equal(y[turned], x[turned][:, ::-1, ::-1])


def test_brightness_and_contrast_by_hand():
    x = np.random.default_rng(0).uniform(50, 100, (3, 4, 5, 2)).astype("float32")
    y = layers.RandomBrightness((0.1, 0.1), value_range=(0, 200))(x)
    np.testing.assert_allclose(y, x + 20, rtol=1e-6)
    np.testing.assert_array_equal(layers.RandomBrightness((1.0, 1.0))(x), 255)
    mean = x.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(layers.RandomContrast((1.0, 1.0), seed=1)(x * 0 + mean), mean + 0 * x, rtol=1e-5)
    drawn = {"contrast_factor": np.full((3, 1, 1, 1), 0.5)}
    layer = layers.RandomContrast(0.5)
    np.testing.assert_allclose(layer.transform_images(x, drawn), (x - mean) * 0.5 + mean, rtol=1e-5)


def test_erasing_by_hand():
    x = np.full((200, 20, 10, 3), 100.0, "float32")
    y = layers.RandomErasing(factor=(1.0, 1.0), scale=(0.25, 0.25), fill_value=7.0, seed=1)(x)
    erased = (y == 7).all(-1)
    assert set(np.unique(erased.sum((1, 2)))) <= {10 * 5, 10 * 4, 10 * 6, 9 * 5, 11 * 5}
    assert len({tuple(np.argwhere(e)[0]) for e in erased}) > 30
    noise = layers.RandomErasing(factor=(1.0, 1.0), scale=(0.25, 0.25), value_range=(0, 255), seed=1)(x)
    np.testing.assert_array_equal(noise[~erased], 100)
    values = noise[erased]
    assert values.min() == 0
    assert values.max() == 255
    assert 0.4 < (values == 0).mean() < 0.6  # half of the numbers are negative, and clipped
    changed = layers.RandomErasing(factor=(0.3, 0.3), fill_value=0.0, seed=1)(x)
    assert 30 < (changed != x).any((1, 2, 3)).sum() < 90


@pytest.mark.parametrize("fill_mode", images.FILL_MODES)
def test_whole_pixels(fill_mode):
    """A shift by whole pixels and a turn by 90 degrees move pixels without changing them."""
    x = np.random.default_rng(0).random((2, 6, 6, 3)).astype("float32")
    layer = layers.RandomTranslation((0.5, 0.5), (-1 / 3, -1 / 3), fill_mode=fill_mode)
    np.testing.assert_allclose(layer(x)[:, 3:, :4], x[:, :3, 2:], atol=1e-6)
    turned = layers.RandomRotation((0.25, 0.25), fill_mode=fill_mode)(x)
    np.testing.assert_allclose(turned, np.rot90(x, 1, (1, 2)), atol=1e-5)
    same = layers.RandomZoom(0.0, 0.0, fill_mode=fill_mode)(x)
    np.testing.assert_allclose(same, x, atol=1e-6)


@pytest.mark.parametrize("affine, layer", [
    ({"rotation": (0.07, 0.07)}, layers.RandomRotation((0.07, 0.07))),
    ({"rotation": (-0.25, -0.25)}, layers.RandomRotation((-0.25, -0.25))),
    ({"translation": (0.2, 0.2)}, layers.RandomTranslation((0.2, 0.2), (0.2, 0.2))),
    ({"zoom": (0.3, 0.3)}, layers.RandomZoom((0.3, 0.3))),
    ({"zoom": (-0.4, -0.4)}, layers.RandomZoom((-0.4, -0.4))),
])  # fmt: skip
def test_affine_is_its_parts(affine, layer):
    x = np.random.default_rng(0).random((2, 9, 7, 3)).astype("float32")
    np.testing.assert_allclose(layers.RandomAffine(**affine)(x), layer(x), atol=2e-6)


def test_affine_by_hand():
    """One point: where it is seen is computed from the formula, forwards, in float64."""
    height, width = 41, 31
    x = np.zeros((1, height, width, 1))
    x[0, 14, 19] = 1.0
    drawn = {"angle": [0.4], "translation": [[5.0, -3.0]], "zoom": [[0.5, 0.8]], "shear": [0.3]}
    y = layers.RandomAffine(fill_mode="constant", dtype="float64").transform_images(x, drawn)[0, ..., 0]
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    matrix = np.diag([0.5, 0.8]) @ np.array([[1, 0.3], [0, 1]]) @ turn
    seen = np.linalg.solve(matrix, [19 - 15, 14 - 20]) + [5, -3] + [15, 20]
    rows, columns = np.mgrid[:height, :width]
    found = [(y * columns).sum() / y.sum(), (y * rows).sum() / y.sum()]
    np.testing.assert_allclose(found, seen, atol=0.02)
    np.testing.assert_allclose(y.sum(), 1 / np.linalg.det(matrix), rtol=0.05)


def test_affine_draws():
    """Within their bounds, all over them, and each by itself."""
    x = np.zeros((4000, 10, 20, 1), "float32")
    layer = layers.RandomAffine((0.1, 0.3), 0.25, (-0.2, 0.4), 0.5, seed=1)
    drawn = layer.get_random_transformation(x)
    numbers = {
        "angle": (drawn["angle"], 0.2 * np.pi, 0.6 * np.pi), "right": (drawn["translation"][:, 0], -5, 5),
        "down": (drawn["translation"][:, 1], -2.5, 2.5), "zoom x": (drawn["zoom"][:, 0], 0.8, 1.4),
        "zoom y": (drawn["zoom"][:, 1], 0.8, 1.4), "shear": (drawn["shear"], -0.5, 0.5),
    }  # fmt: skip
    for name, (values, low, high) in numbers.items():
        assert low <= values.min() < low + 0.01 * (high - low), name
        assert high - 0.01 * (high - low) < values.max() <= high + 1e-6, name
        assert abs(values.mean() - (low + high) / 2) < 0.02 * (high - low), name
    correlations = np.corrcoef([values for values, _, _ in numbers.values()]) - np.eye(6)
    assert np.abs(correlations).max() < 0.06


def test_noise_by_hand():
    x = np.full((300, 40, 40, 1), 50.0, "float32")
    noise = layers.RandomNoise((0.02, 0.08), value_range=(-60, 140), seed=1)(x) - x
    deviations = noise.std((1, 2, 3))  # 0.02 * 200 to 0.08 * 200
    assert 3.8 < deviations.min() < 4.3
    assert 15.6 < deviations.max() < 16.7
    assert abs(deviations.mean() - 10) < 0.8
    assert np.abs(noise.mean((1, 2, 3)) / deviations).max() < 5 / 40
    clipped = layers.RandomNoise((1.0, 1.0), value_range=(-60, 140), seed=1)(x)
    assert (clipped.min(), clipped.max()) == (-60, 140)
    np.testing.assert_array_equal(layers.RandomNoise(0.0)(x), x)


def test_extreme_values(make):
    for x in (np.zeros((2, 1, 1, 3)), np.full((2, 6, 6, 3), 1e6), np.full((1, 5, 4, 3), -1e30)):
        layer = make()
        with np.errstate(all="raise"):
            y = layer(x.astype("float32"), training=True)
            dx = layer.backward(np.ones_like(y))
        assert np.isfinite(y).all()
        assert np.isfinite(dx).all()


def test_blur_by_hand():
    x = np.zeros((2, 5, 7, 1), "float32")
    x[:, 2, 3] = 100
    layer = layers.RandomGaussianBlur(factor=(1.0, 1.0), kernel_size=(5, 3), sigma=(0.8, 0.8), seed=1)
    across, down = (np.exp(-0.5 * (np.arange(-n, n + 1) / 0.8) ** 2) for n in (2, 1))
    expected = np.outer(down / down.sum(), across / across.sum()) * 100
    np.testing.assert_allclose(layer(x)[:, 1:4, 1:6, 0], np.stack([expected] * 2), rtol=1e-4)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(layers.RandomGaussianBlur(sigma=0.0)(x), x)
        single = layers.RandomGaussianBlur(factor=(1.0, 1.0), kernel_size=7)(x[:, 2:3, 3:5])
    assert single.shape == (2, 1, 2, 1)


def test_no_erasing():
    layer = layers.RandomErasing(factor=(0.0, 0.0), seed=1)
    x = np.ones((3, 4, 4, 3), "float32")
    np.testing.assert_array_equal(layer(x, training=True), x)
    assert relative_error(layer.backward(x.copy()), x) == 0


@pytest.mark.parametrize("make, message", [
    (lambda: layers.RandomFlip("diagonal"), "mode"),
    (lambda: layers.RandomTranslation(1.1, 0), "height_factor"),
    (lambda: layers.RandomTranslation(0, -2), "width_factor"),
    (lambda: layers.RandomTranslation((0, 2), 0), "height_factor"),
    (lambda: layers.RandomTranslation("a", 0), "height_factor"),
    (lambda: layers.RandomTranslation((1, 2, 3), 0), "height_factor"),
    (lambda: layers.RandomTranslation(0.1, 0.1, "mirror"), "fill_mode"),
    (lambda: layers.RandomTranslation(0.1, 0.1, interpolation="bicubic"), "interpolation"),
    (lambda: layers.RandomTranslation(0.1, 0.1, fill_value="x"), "fill_value"),
    (lambda: layers.RandomZoom(-1.0), "height_factor"), (lambda: layers.RandomZoom(0.1, (0, 1.5)), "width_factor"),
    (lambda: layers.RandomRotation(1.5), "factor"), (lambda: layers.RandomRotation((2, 3)), "factor"),
    (lambda: layers.RandomRotation(True), "factor"), (lambda: layers.RandomRotation(np.nan), "factor"),
    (lambda: layers.RandomAffine(1.5), "rotation"), (lambda: layers.RandomAffine(translation=(0, 2)), "translation"),
    (lambda: layers.RandomAffine(zoom=-1), "zoom"), (lambda: layers.RandomAffine(shear="a"), "shear"),
    (lambda: layers.RandomAffine(fill_mode="mirror"), "fill_mode"), (lambda: layers.RandomNoise(-0.1), "factor"),
    (lambda: layers.RandomNoise(1.1), "factor"), (lambda: layers.RandomNoise(0.1, (1, 1)), "value_range"),
    (lambda: layers.RandomContrast(-0.1), "factor"), (lambda: layers.RandomContrast(None), "factor"),
    (lambda: layers.RandomContrast(0.1, (1, 0)), "value_range"),
    (lambda: layers.RandomContrast(0.1, 255), "value_range"),
    (lambda: layers.RandomBrightness(1.1), "factor"), (lambda: layers.RandomBrightness(0.1, (1, 1)), "value_range"),
    (lambda: layers.RandomErasing(2), "factor"), (lambda: layers.RandomErasing(scale=(-0.1, 0.3)), "scale"),
    (lambda: layers.RandomErasing(fill_value=(1, 2)), "fill_value"),
    (lambda: layers.RandomErasing(fill_value="x"), "fill_value"),
    (lambda: layers.RandomShear(1.5), "x_factor"), (lambda: layers.RandomPerspective(scale=2), "scale"),
    (lambda: layers.RandomPerspective(fill_value=None), "fill_value"), (lambda: layers.RandomGrayscale(2), "factor"),
    (lambda: layers.RandomPosterization(0), "factor"), (lambda: layers.Solarization(2), "addition_factor"),
    (lambda: layers.RandomGaussianBlur(kernel_size=4), "kernel_size"), (lambda: layers.RandomSharpness(2), "factor"),
    (lambda: layers.RandomElasticTransform(fill_mode="edge"), "fill_mode"), (lambda: layers.MixUp(0), "alpha"),
    (lambda: layers.RandomElasticTransform(scale=1.5), "scale"), (lambda: layers.CutMix(1.5), "factor"),
    (lambda: layers.RandomElasticTransform(scale=(-0.1, 0.5)), "scale"), (lambda: layers.CutMix((-0.1, 0.5)), "factor"),
    (lambda: layers.RandomElasticTransform(fill_value=None), "fill_value"),
    (lambda: layers.RandAugment(num_ops=0), "num_ops"), (lambda: layers.RandAugment(factor=-0.1), "factor"),
    (lambda: layers.AugMix(alpha=0.0), "alpha"), (lambda: layers.AugMix(num_chains=1.5), "num_chains"),
    (lambda: layers.AugMix(interpolation="cubic"), "interpolation"),
    (lambda: layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=0), "tile_grid_size"),
    (lambda: layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit="4"), "clip_limit"),
    (lambda: layers.RandomHue(-0.1), "factor"), (lambda: layers.RandomSaturation(2), "factor"),
    (lambda: layers.RandomHue(0.1)(np.ones((1, 2, 2, 2))), "3 channels"),
    (lambda: layers.RandomColorJitter(brightness_factor=2), "factor"),
    (lambda: layers.RandomGrayscale()(np.ones((1, 2, 2, 2))), "3 channels"),
    (lambda: layers.RandomFlip(data_format="last"), "data_format"),
    (lambda: layers.RandomFlip()(np.ones((4, 4))), "rank 4"),
    (lambda: layers.RandomFlip(seed=-1)(np.ones((1, 4, 4, 1))), "seed"),
])  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_dicts():
    x, y = np.random.default_rng(0).random((4, 5, 6, 3)).astype("float32"), np.eye(4)
    outputs = layers.RandomFlip(seed=1)({"images": x, "labels": y})
    np.testing.assert_array_equal(outputs["images"], layers.RandomFlip(seed=1)(x))
    np.testing.assert_array_equal(outputs["labels"], y)
    assert list(layers.Resizing(2, 3)({"images": x})) == ["images"]
    same = layers.MixUp()({"images": x, "labels": y}, training=False)
    np.testing.assert_array_equal(same["images"], x)
    np.testing.assert_array_equal(same["labels"], y)
    with pytest.raises(TypeError, match="'bounding_boxes'"):
        layers.RandomFlip()({"images": x, "bounding_boxes": y})
    with pytest.raises(TypeError, match="'labels'"):
        layers.RandomFlip()({"labels": y})


@pytest.mark.parametrize("name, arguments", [("MixUp", {"alpha": 3.0}), ("CutMix", {"factor": (0.8, 1.0)})])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_mixed_labels(name, arguments, data_format):
    """Images of one value each, which is their label too: what is mixed is mixed alike, and adds up."""
    y = np.eye(5)
    x = np.broadcast_to(y[:, None, None], (5, 40, 40, 5))
    x = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    layer = getattr(layers, name)(**arguments, seed=2, data_format=data_format)
    outputs = layer({"images": x, "labels": y})
    assert outputs["labels"].dtype == "float32"
    np.testing.assert_allclose(outputs["labels"].sum(1), 1, rtol=1e-6)
    assert 0.01 < outputs["labels"].max(1).min() < 0.99
    means = outputs["images"].mean((1, 2) if data_format == "channels_last" else (2, 3))
    np.testing.assert_allclose(means, outputs["labels"], atol=1e-4 if name == "MixUp" else 0.06)  # whole pixels
    single = layer({"images": x[0], "labels": y[0]})
    np.testing.assert_allclose(single["images"], x[0], rtol=1e-6)
    np.testing.assert_allclose(single["labels"], y[0], rtol=1e-6)
    with pytest.raises(ValueError, match="to_categorical"):
        layer({"images": x, "labels": np.arange(5)})


def test_policies_by_hand():
    """RandAugment is its layers one after the other; AugMix of empty chains is the images themselves."""
    x = np.random.default_rng(0).uniform(0, 255, (3, 8, 9, 3)).astype("float32")
    layer = layers.RandAugment(num_ops=3, seed=1)
    drawn = layer.get_random_transformation(x)
    expected = x
    for name in ("random_rotation", "auto_contrast", "random_rotation"):
        step = getattr(layer, name)
        drawn_step = drawn["transforms"][name]
        expected = step(expected) if drawn_step is None else step.transform_images(expected, drawn_step)
    names = list(drawn["transforms"])
    drawn["layer_idxes"] = [names.index(name) for name in ("random_rotation", "auto_contrast", "random_rotation")]
    np.testing.assert_allclose(layer.transform_images(x, drawn), expected, rtol=1e-5)
    chosen = [layer.get_random_transformation(x)["layer_idxes"] for _ in range(100)]
    assert set(np.unique(chosen)) == set(range(11))

    layer = layers.AugMix(seed=1)
    drawn = {"chain_mixing_weights": [0.2, 0.3, 0.5], "weight_sample": 0.4, "chain_transforms": [[], [], []]}
    np.testing.assert_allclose(layer.transform_images(x, drawn), x, rtol=1e-5)
    places = [c for _ in range(50) for c in layer.get_random_transformation(x)["chain_transforms"]]
    found = [place["layer_name"] for chain in places for place in chain]
    assert set(found) == set(layer.steps)
    assert 0.85 < len(found) / (50 * 9) < 0.97  # 11 of 12
    few = layers.AugMix(all_ops=False)
    assert len(few.steps) == 7
    assert not hasattr(few, "random_contrast")
    assert [inner.name for _, inner in few.sublayers]  # visible as Keras' are


def test_elastic_by_hand():
    """No noise, no change; one pushed pixel pulls at its neighbours; a scale of 0 leaves values out of range alone."""
    x = np.random.default_rng(0).uniform(0, 255, (2, 30, 20, 3)).astype("float32")
    layer = layers.RandomElasticTransform((1.0, 1.0), (1.0, 1.0), seed=1)
    drawn = {"apply_transform": [True, False], "distortion_factor": 1.0, "noise": np.zeros((2, 2, 30, 20))}
    np.testing.assert_allclose(layer.transform_images(x, drawn), x, atol=1e-4)
    drawn["noise"][:, :, 15, 10] = 1
    y = layer.transform_images(x, drawn)
    changed = np.abs(y - x).max(-1) > 1e-3
    np.testing.assert_array_equal(changed[1], False)
    np.testing.assert_array_equal(np.argwhere(changed[0]).min(0), (12, 7))  # 7 weights: int(6 sigma), sigma = 1
    np.testing.assert_array_equal(np.argwhere(changed[0]).max(0), (18, 13))
    weight = 1 / np.exp(-0.5 * np.arange(-3, 4) ** 2).sum() ** 2
    move = 3 * weight  # alpha = 0.1 * 30
    corners = x[0, 15:17, 10:12].astype("float64")
    row = corners[:, 0] * (1 - move) + corners[:, 1] * move
    np.testing.assert_allclose(y[0, 15, 10], row[0] * (1 - move) + row[1] * move, rtol=1e-4)
    for arguments in ({"factor": 0.0}, {"scale": 0}):
        layer = layers.RandomElasticTransform(**arguments)
        np.testing.assert_array_equal(layer(x * 2), x * 2)
        np.testing.assert_array_equal(layer.backward(x.copy()), x)
    assert np.ptp(layers.RandomElasticTransform()(x * 2 - 100)) == 255
    with np.errstate(all="raise"):
        np.testing.assert_allclose(layers.RandomElasticTransform(1.0, (0.0, 1e-9), seed=1)(x), x, atol=1e-4)


@pytest.mark.parametrize("size, fill_mode", [(5, "reflect"), (5, "mirror"), (5, "wrap"), (1, "mirror"), (2, "mirror")])
def test_fill_modes_far_away(size, fill_mode):
    mode = {"reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}[fill_mode]
    expected = np.pad(np.arange(size), 60, mode=mode)
    x = np.arange(size, dtype="float64").reshape(1, 1, size, 1)
    columns = np.arange(-60, size + 60, dtype="float64")
    out = np.empty((1, 1, len(columns), 1))
    images.Warp(np.zeros((1, 1, 1)), columns[None, None], (1, size), "nearest", fill_mode).forward(x, out)
    np.testing.assert_array_equal(out.ravel(), expected)


def test_seeds_of_their_own():
    """Two layers without a seed, and two calls of one, differ."""
    x = np.random.default_rng(0).uniform(0, 255, (6, 8, 8, 3)).astype("float32")
    first, second = layers.RandomRotation(0.5), layers.RandomRotation(0.5)
    results = [first(x), second(x), first(x)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(results[i] - results[j]).max() > 1


@pytest.mark.parametrize("fill_mode", images.FILL_MODES)
@pytest.mark.parametrize("interpolation", images.INTERPOLATIONS)
def test_values_stay_in_range(fill_mode, interpolation):
    x = np.random.default_rng(0).uniform(10, 200, (8, 9, 7, 3)).astype("float32")
    arguments = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 50.0, "seed": 1}
    for layer in (
        layers.RandomTranslation(1.0, 1.0, **arguments), layers.RandomRotation(1.0, **arguments),
        layers.RandomZoom((-0.9, 1.0), **arguments), layers.RandomShear(1.0, 1.0, **arguments),
        layers.RandomElasticTransform(**arguments),
    ):  # fmt: skip
        y = layer(x)
        assert y.min() >= x.min() - 1e-3
        assert y.max() <= x.max() + 1e-3


def test_clahe_by_chunks(monkeypatch):
    """Images are equalized a few at a time, each as if it were alone."""
    from minikeras.layers.preprocessing import histograms

    x = np.random.default_rng(0).uniform(0, 255, (7, 9, 8, 3)).astype("float32")
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 3))
    y = layer(x)
    monkeypatch.setattr(histograms, "TABLES", 50)
    np.testing.assert_array_equal(layer(x), y)
    np.testing.assert_array_equal(layer(x[4]), y[4])
    flat = np.full((1, 8, 8, 1), 7.0, "float32")
    assert np.isfinite(layer(flat)).all()


@pytest.mark.parametrize("layer", [layers.MixUp(3.0, seed=1), layers.CutMix((1.0, 1.0), seed=1)])
def test_steps_of_time_are_not_mixed(layer):
    """Frames find their partners among those of the same time."""
    rng = np.random.default_rng(0)
    x = np.arange(3.0)[:, None, None, None] + rng.random((6, 3, 8, 8, 1)) / 2
    y = layers.TimeDistributed(layer)(x, training=True)
    np.testing.assert_array_equal(np.floor(y), np.floor(x))
    assert np.abs(y - x).max() > 0.01


def test_equalization_of_each_time():
    x = np.random.default_rng(0).integers(0, 256, (3, 2, 5, 5, 1)).astype("float32")
    y = layers.TimeDistributed(layers.Equalization())(x, training=True)
    np.testing.assert_array_equal(y[:, 1], layers.Equalization()(x[:, 1]))


def test_elastic_axes():
    """The first part of the noise moves along rows."""
    x = np.broadcast_to(np.arange(20.0, dtype="float32")[:, None], (1, 30, 20, 1))  # the same from top to bottom
    layer = layers.RandomElasticTransform()
    noise = np.zeros((2, 1, 30, 20))
    for part, changes in ((0, True), (1, False)):
        drawn = {"apply_transform": [True], "distortion_factor": 1.0, "noise": noise.copy()}
        drawn["noise"][part] = 1
        assert (np.abs(layer.transform_images(x, drawn) - x).max() > 0.1) == changes


def test_clahe_by_hand():
    """One tile and no limit: the cumulated counts, of four values at four pixels."""
    x = np.array([[10.0, 20.0], [30.0, 255.0]], "float32").reshape(1, 2, 2, 1)
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0, tile_grid_size=(1, 1))
    np.testing.assert_allclose(layer(x).ravel(), [63.75, 127.5, 191.25, 255], rtol=1e-6)


def test_labels_after_training():
    """In inference nothing is mixed, whatever was drawn before."""
    x, y = np.random.default_rng(0).random((4, 3, 3, 1)).astype("float32"), np.eye(4)
    layer = layers.MixUp(3.0, seed=1)
    assert not np.array_equal(layer({"images": x, "labels": y})["labels"], y)
    np.testing.assert_array_equal(layer({"images": x, "labels": y}, training=False)["labels"], y)


def test_weighted_counts():
    y = layers.CategoryEncoding(3, "count")([[0, 2, 2], [1, 1, 1]], count_weights=[[0.5, 1, 2], [1, 0, 3]])
    np.testing.assert_allclose(y, [[0.5, 0, 3], [0, 4, 0]])
