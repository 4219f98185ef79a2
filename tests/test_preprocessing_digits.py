"""The recipe for digits: what it promises, and each of its parts by itself."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.preprocessing import digits

OFF = {"rotation": 0, "shift": 0, "scale": 0, "shear": 0, "noise": 0}


@pytest.fixture(scope="module")
def images():
    return keras.datasets.digits.load_data(size=28)[0][0][:64]


def only(**arguments):
    return digits.augmentation(**{**OFF, **arguments}, seed=1)


def ink(images):
    """Each image's centre of mass (right, down), and the covariance of its ink about it."""
    images = images[..., 0].astype("float64")
    y, x = np.mgrid[: images.shape[1], : images.shape[2]]
    weights = images / images.sum((1, 2), keepdims=True)
    cx, cy = ((weights * c).sum((1, 2)) for c in (x, y))
    dx, dy = x - cx[:, None, None], y - cy[:, None, None]
    xx, xy, yy = ((weights * c).sum((1, 2)) for c in (dx * dx, dx * dy, dy * dy))
    return cx, cy, xx, xy, yy


def test_range(images):
    """Whatever is asked for, in float32 too, and for images of zeros and ones only."""
    recipes = [
        digits.augmentation(seed=1),
        digits.augmentation(180, 1, 1, 1, 1, seed=2),
        digits.augmentation(180, 1, 1, 1, 0, seed=3),
    ]
    for x in (images, (images > 0.5).astype("float32"), np.ones_like(images), np.zeros_like(images)):
        for recipe in recipes:
            y = recipe(x)
            assert y.shape == x.shape
            assert y.dtype == np.float32
            assert y.min() >= 0
            assert y.max() <= 1


def test_defaults_change_every_image_a_little(images):
    y = digits.augmentation(seed=1)(images)
    assert (np.abs(y - images).max((1, 2, 3)) > 0.05).all()
    cx, cy, *_ = ink(images)
    new_x, new_y, *_ = ink(np.where(y > 0.2, y, 0))
    assert np.hypot(new_x - cx, new_y - cy).max() < 4.5  # two pixels either way, and what turning does
    assert np.hypot(new_x - cx, new_y - cy).mean() > 0.5


def test_nothing_in_inference(images):
    augment = digits.augmentation(seed=1)
    np.testing.assert_array_equal(augment(images, training=False), images)
    np.testing.assert_array_equal(augment(images * 3 - 1, training=False), images * 3 - 1)
    np.testing.assert_allclose(only()(images), images, atol=1e-5)  # nor without any part


def test_seeds(images):
    augment, same, other = (digits.augmentation(seed=seed) for seed in (1, 1, 2))
    first, second = augment(images), augment(images)
    np.testing.assert_array_equal(same(images), first)
    np.testing.assert_array_equal(same(images), second)
    assert np.abs(first - second).max() > 0.1
    assert np.abs(first - other(images)).max() > 0.1
    seeds = [layer.seed for layer in augment.layers]
    assert len(set(seeds)) == 2  # else the angle of an image would tell how much noise it gets
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        results.append(digits.augmentation()(images))
    np.testing.assert_array_equal(*results)


def test_shift(images):
    x = np.zeros((200, 28, 28, 1), "float32")
    x[:, 11:17, 11:17] = 1.0
    cx, cy, xx, xy, yy = ink(only(shift=0.25)(x))
    for centre in (cx, cy):
        assert 6.5 < np.abs(centre - 13.5).max() <= 7.001
        assert abs(centre.mean() - 13.5) < 1
    assert abs(np.corrcoef(cx, cy)[0, 1]) < 0.2
    np.testing.assert_allclose(xx, yy, atol=0.3)  # and nothing else


def test_black_comes_in_from_outside():
    x = np.ones((50, 28, 28, 1), "float32")
    y = only(shift=0.25)(x)
    assert abs((y == 0).mean() - (1 - 0.875**2)) < 0.05  # an eighth of each side on average


def test_rotation():
    x = np.zeros((200, 29, 29, 1), "float32")
    x[:, 14, 4:25] = 1.0
    cx, cy, xx, xy, yy = ink(only(rotation=30)(x))
    angles = np.degrees(np.arctan2(2 * xy, xx - yy) / 2)
    assert 28 < angles.max() < 30.5
    assert -30.5 < angles.min() < -28
    np.testing.assert_allclose([cx, cy], 14, atol=0.05)
    np.testing.assert_allclose(xx + yy, (21**2 - 1) / 12, rtol=0.08)


def test_scale():
    x = np.zeros((200, 29, 29, 1), "float32")
    x[:, 9:20, 9:20] = 1.0
    cx, cy, xx, xy, yy = ink(only(scale=0.25)(x))
    widths, heights = np.sqrt(12 * xx), np.sqrt(12 * yy)
    for sides in (widths, heights):
        assert 11 / 1.25 - 0.2 < sides.min() < 11 / 1.25 + 0.4
        assert 11 / 0.75 - 0.5 < sides.max() < 11 / 0.75 + 0.2
    assert abs(np.corrcoef(widths, heights)[0, 1]) < 0.2
    np.testing.assert_allclose([cx, cy], 14, atol=0.05)
    np.testing.assert_allclose(xy, 0, atol=0.05)


def test_shear():
    x = np.zeros((200, 29, 29, 1), "float32")
    x[:, 4:25, 14] = 1.0
    cx, cy, xx, xy, yy = ink(only(shear=0.5)(x))
    slants = xy / yy
    assert 0.47 < slants.max() < 0.51
    assert -0.51 < slants.min() < -0.47
    np.testing.assert_allclose(yy, (21**2 - 1) / 12, rtol=0.01)  # rows stay where they are
    np.testing.assert_allclose([cx, cy], 14, atol=0.05)


def test_noise():
    x = np.full((300, 28, 28, 1), 0.5, "float32")
    deviations = (only(noise=0.1)(x)).std((1, 2, 3))
    assert deviations.min() < 0.003
    assert 0.095 < deviations.max() < 0.107
    np.testing.assert_array_equal(only()(x)[:, 2:-2, 2:-2], 0.5)


def test_in_a_model(images):
    """As the first layer: weights of the network alone, in training only, and saved with the config."""
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, "softmax")])
    model = keras.Sequential([digits.augmentation(seed=1), net])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, np.arange(64) % 10, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.predict(images, verbose=0), net.predict(images, verbose=0))
    assert model.count_params() == net.count_params()
    copy = keras.Sequential.from_config(model.get_config())
    np.testing.assert_array_equal(copy.layers[0](images), digits.augmentation(seed=1)(images))


def test_channels_first(images):
    x = np.moveaxis(images, -1, 1)
    y = digits.augmentation(shift=0.2, seed=1, data_format="channels_first")(x)
    np.testing.assert_array_equal(np.moveaxis(y, 1, -1), digits.augmentation(shift=0.2, seed=1)(images))


@pytest.mark.parametrize("arguments, message", [
    ({"rotation": -1}, "`rotation` must be a number from 0 to 180. Received: rotation=-1"),
    ({"rotation": 181}, "rotation"), ({"rotation": (0, 10)}, "rotation"), ({"rotation": float("nan")}, "rotation"),
    ({"shift": 2}, "`shift` must be a number from 0 to 1"), ({"scale": 1.5}, "`scale`"), ({"shear": "a"}, "`shear`"),
    ({"noise": -0.1}, "`noise`"), ({"noise": None}, "`noise`"),
    ({"seed": -1}, "seed"), ({"data_format": "last"}, "data_format"),
])  # fmt: skip
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        digits.augmentation(**arguments)
