"""Layers against overfitting beside Keras'."""

import numpy as np
import pytest
from parity_layers import check_config, check_parity, make_both

from minikeras import layers
from minikeras.models import Sequential

RATES = [((5,), {"rate": 0.3, "seed": 1}), ((5, 4), {"rate": 0.0}), ((1,), {"rate": 0.9})]
NOISE_SHAPES = [((5, 4), {"rate": 0.2, "noise_shape": (None, 1, 4)}), ((5, 4), {"rate": 0.2, "noise_shape": [1, 5, 1]})]
SHAPES = {1: (5, 4), 2: (5, 3, 4), 3: (2, 5, 3, 4)}

CASES = {
    "Dropout": RATES + NOISE_SHAPES[:1],
    "AlphaDropout": RATES + NOISE_SHAPES[:1],
    "GaussianDropout": RATES,
    "GaussianNoise": [((5,), {"stddev": 0.3, "seed": 1}), ((5, 4), {"stddev": 0.0}), ((5, 4), {"stddev": 1})],
    "ActivityRegularization": [((5,), {}), ((5, 4), {"l1": 0.1}), ((5, 4), {"l1": 0.1, "l2": 0.2})],
    **{
        f"SpatialDropout{rank}D": [(shape, {"rate": 0.3}), (shape, {"rate": 0.0, "seed": 3}), (shape, {"rate": 0.5})]
        for rank, shape in SHAPES.items()
    },
}

RANDOM = set(CASES) - {"ActivityRegularization"}  # compared in inference; the masks differ


def both_outputs(keras, name, arguments, x):
    ours, theirs = make_both(keras, name, {**arguments, "seed": 1})
    return ours(x, training=True), theirs(x, training=True).numpy()


def assert_same_statistics(a, b, tolerance):
    """Mean and standard deviation of each of the numbers that are compared, in units of their own size."""
    scale = max(np.abs(b).mean(), b.std())
    assert abs(a.mean() - b.mean()) <= tolerance * scale
    assert abs(a.std() - b.std()) <= tolerance * scale


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
@pytest.mark.parametrize("arguments", [
    {"rate": 0.3}, {"rate": 0.6, "noise_shape": (None, 1, 30)}, {"rate": 0.5, "noise_shape": (1, 40, None)},
    {"rate": 0.2, "noise_shape": (None, None, 1)},
])  # fmt: skip
def test_dropout_statistics(keras, name, arguments):
    """Keras' masks come from other random numbers: the same two values, their shares, and the pattern of repetition."""
    x = np.ones((50, 40, 30), "float32")
    a, b = both_outputs(keras, name, arguments, x)
    np.testing.assert_allclose(np.unique(a), np.unique(b), rtol=2e-6)
    assert_same_statistics(a, b, 0.1)
    for axis in range(3):
        assert (a.std(axis=axis) < 1e-6).all() == (b.std(axis=axis) < 1e-6).all()


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_spatial_dropout_drops_channels(keras, rank, data_format):
    arguments = {"rate": 0.4} if rank == 1 else {"rate": 0.4, "data_format": data_format}
    x = np.ones((60, *SHAPES[rank][:-1], 20), "float32")
    x = np.moveaxis(x, -1, 1).copy() if data_format == "channels_first" and rank > 1 else x
    a, b = both_outputs(keras, f"SpatialDropout{rank}D", arguments, x)
    np.testing.assert_allclose(np.unique(a), np.unique(b), rtol=1e-6)
    assert_same_statistics(a, b, 0.15)
    for axis in range(rank + 2):
        assert (a.std(axis=axis) < 1e-6).all() == (b.std(axis=axis) < 1e-6).all()


@pytest.mark.parametrize("name, arguments", [
    ("GaussianNoise", {"stddev": 0.7}), ("GaussianDropout", {"rate": 0.2}), ("GaussianDropout", {"rate": 0.9}),
])  # fmt: skip
def test_normal_noise(keras, name, arguments):
    for value in (0.0, -2.0):
        a, b = both_outputs(keras, name, arguments, np.full((200, 300), value, "float32"))
        assert_same_statistics(a, b, 0.03)
        assert abs(np.mean(a**3) - np.mean(b**3)) <= 0.2 * max(np.mean(np.abs(b) ** 3), 1e-6)


@pytest.mark.parametrize("name", CASES)
def test_masks_pass_where_they_do_in_keras(keras, name):
    arguments = CASES[name][0][1]
    ours, theirs = make_both(keras, name, arguments)
    assert ours.supports_masking == theirs.supports_masking
    mask = np.ones((4, 5), bool)
    assert ours.compute_mask(np.zeros((4, 5, 2)), mask) is mask


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
def test_noise_shape_as_a_list(keras, name):
    """Keras' Dropout makes a tuple of it, and its AlphaDropout leaves it."""
    for shape, arguments in NOISE_SHAPES:
        check_parity(keras, name, shape, arguments, training=False)
    check_config(keras, "Dropout", NOISE_SHAPES[1][1])


def test_activity_regularization_in_training(keras):
    """The penalty is a part of the loss, and its gradient of the weights'."""
    x = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")
    y = np.random.default_rng(1).standard_normal((6, 3)).astype("float32")
    results = []
    for module, sequential in ((layers, Sequential), (keras.layers, keras.Sequential)):
        model = sequential([module.Input((4,)), module.Dense(3), module.ActivityRegularization(l1=0.02, l2=0.3)])
        model.set_weights([np.linspace(-1, 1, 12).reshape(4, 3).astype("float32"), np.zeros(3, "float32")])
        model.compile("sgd", "mse")
        history = model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0)
        results.append((history.history["loss"], model.get_weights()[0], model.evaluate(x, y, batch_size=4, verbose=0)))
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
