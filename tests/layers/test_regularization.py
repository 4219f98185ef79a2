"""Dropout."""

import numpy as np
import pytest
from checks import check_layer

from minikeras import layers
from minikeras.kernels import threads
from minikeras.models import Sequential


@pytest.mark.parametrize("input_shape, arguments", [
    ((6,), {"rate": 0.5, "seed": 1}), ((3, 4, 2), {"rate": 0.2, "seed": 2}), ((5,), {"rate": 0}),
    ((5, 4), {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 3}),
    ((5, 4), {"rate": 0.5, "noise_shape": (1, 5, 1), "seed": 4}),
])  # fmt: skip
def test_dropout(input_shape, arguments):
    check_layer(lambda: layers.Dropout(**arguments), input_shape, mixes_rows=True)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_scale(rate):
    n = 200_000
    y = layers.Dropout(rate, seed=0)(np.ones((100, n // 100), "float32"), training=True)
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / (1 - rate), rtol=1e-6)
    assert abs(kept.mean() - (1 - rate)) <= 4 * np.sqrt(rate * (1 - rate) / n)
    assert abs(y.mean() - 1) <= 4 * np.sqrt(rate / (1 - rate) / n)


def test_backward_uses_the_same_mask():
    layer = layers.Dropout(0.4, seed=0)
    x = np.ones((20, 30), "float32")
    y = layer(x, training=True)
    np.testing.assert_array_equal(layer.backward(x.copy()), y)
    assert (layer(x, training=True) != y).any()


def test_inference_changes_nothing():
    layer = layers.Dropout(0.5)
    x = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
    np.testing.assert_array_equal(layer(x), x)


def test_seed():
    x = np.ones((8, 8), "float32")
    a, b = (layers.Dropout(0.5, seed=3)(x, training=True) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert (a != layers.Dropout(0.5, seed=4)(x, training=True)).any()


def test_noise_shape():
    x = np.ones((6, 5, 4), "float32")
    y = layers.Dropout(0.5, noise_shape=(None, 1, None), seed=0)(x, training=True)
    assert (y == y[:, :1]).all()
    assert len(np.unique(y[:, 0])) == 2
    y = layers.Dropout(0.5, noise_shape=(1, 5, 4), seed=0)(x, training=True)
    assert (y == y[:1]).all()
    with pytest.raises(ValueError, match="noise_shape"):
        layers.Dropout(0.5, noise_shape=(1, 5))(x)


def test_masks_do_not_depend_on_the_number_of_threads(monkeypatch):
    x = np.random.default_rng(0).standard_normal((64, 40, 40)).astype("float32")
    results = []
    for n in (1, 2, 3):
        monkeypatch.setattr(threads, "_num_threads", n)
        model = Sequential([layers.Activation("tanh"), layers.Dropout(0.5, seed=1), layers.Activation("tanh")])
        results.append(model(x, training=True))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("rate", [-0.1, 1, 1.0, 2, "half", None, True, float("nan")])
def test_bad_rate(rate):
    with pytest.raises(ValueError, match="`rate`"):
        layers.Dropout(rate)
    with pytest.raises(ValueError, match="noise_shape"):
        layers.Dropout(0.5, noise_shape=3)
