"""Layers against overfitting: dropout of all kinds, noise, and a penalty of the outputs."""

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


NOISE_SHAPE = {"noise_shape": (None, 1, 4), "seed": 3}


@pytest.mark.parametrize("input_shape, make", [
    ((6,), lambda: layers.AlphaDropout(0.5, seed=1)),
    ((3, 4, 2), lambda: layers.AlphaDropout(0.2, seed=1)),
    ((5, 4), lambda: layers.AlphaDropout(0.4, **NOISE_SHAPE)),
    ((5,), lambda: layers.AlphaDropout(0.0)),
    ((6,), lambda: layers.GaussianDropout(0.5, seed=1)),
    ((1, 1), lambda: layers.GaussianDropout(0.2, seed=1)),
    ((5,), lambda: layers.GaussianDropout(0)),
    ((3, 4), lambda: layers.GaussianNoise(0.5, seed=1)),
    ((5,), lambda: layers.GaussianNoise(0.0)),
    ((5, 4), lambda: layers.SpatialDropout1D(0.5, seed=1)),
    ((3, 4, 5), lambda: layers.SpatialDropout2D(0.5, seed=1)),
    ((3, 4, 5), lambda: layers.SpatialDropout2D(0.5, "channels_first", seed=1)),
    ((2, 3, 4, 5), lambda: layers.SpatialDropout3D(0.5, seed=1)),
    ((5, 3, 4, 2), lambda: layers.SpatialDropout3D(0.5, "channels_first", seed=1)),
    ((5, 4), lambda: layers.ActivityRegularization(0.1, 0.2)),
])  # fmt: skip
def test_layer(input_shape, make):
    check_layer(make, input_shape, mixes_rows=True)


RANDOM = {
    "Dropout": {"rate": 0.4}, "AlphaDropout": {"rate": 0.4}, "GaussianDropout": {"rate": 0.4},
    "GaussianNoise": {"stddev": 0.4}, "SpatialDropout1D": {"rate": 0.4},
}  # fmt: skip


@pytest.mark.parametrize("name", RANDOM)
def test_noise_is_seeded_and_acts_in_training_only(name):
    def make(seed=3):
        return getattr(layers, name)(**RANDOM[name], seed=seed)

    x = np.random.default_rng(0).standard_normal((8, 7, 9)).astype("float32")
    before = x.copy()
    layer = make()
    np.testing.assert_array_equal(layer(x), x)
    first, second = layer(x, training=True), layer(x, training=True)
    assert (first != x).any()
    assert (first != second).any()
    assert first.dtype == "float32"
    np.testing.assert_array_equal(make()(x, training=True), first)
    assert (make(4)(x, training=True) != first).any()
    assert (make(None)(x, training=True) != make(None)(x, training=True)).any()
    np.testing.assert_array_equal(x, before)
    layer(x)
    np.testing.assert_array_equal(layer.backward(x.copy()), x)  # after inference nothing is dropped


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((500, 400)).astype("float32")
    for rate in (0.05, 0.3, 0.7):
        y = layers.AlphaDropout(rate, seed=1)(x, training=True)
        assert abs(y.mean() - x.mean()) <= 0.02
        assert abs(y.std() - x.std()) <= 0.02
    limit = -1.7580993408473766
    y = layers.AlphaDropout(0.3, seed=1)(np.full((100, 100), limit, "float32"), training=True)
    a = (0.7 * (1 + 0.3 * limit**2)) ** -0.5
    np.testing.assert_allclose(y, a * limit - a * limit * 0.3, rtol=1e-5)  # kept or dropped, it is the same


def test_normal_noise():
    x = np.full((400, 500), 3, "float32")
    y = layers.GaussianNoise(0.5, seed=1)(x, training=True)
    assert abs(y.mean() - 3) <= 0.005
    assert abs(y.std() - 0.5) <= 0.005
    y = layers.GaussianDropout(0.2, seed=1)(x, training=True)
    assert abs(y.mean() - 3) <= 0.02
    assert abs(y.std() - 3 * 0.5) <= 0.02
    assert len(np.unique(y)) > 100_000


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_spatial_dropout_drops_channels(data_format):
    for rank in (1, 2, 3):
        x = np.ones((50, *range(3, 3 + rank), 20), "float32")
        layer = layers.SpatialDropout1D(0.3, seed=1)
        if rank > 1:
            layer = getattr(layers, f"SpatialDropout{rank}D")(0.3, data_format, seed=1)
        if rank > 1 and data_format == "channels_first":
            y = np.moveaxis(layer(np.moveaxis(x, -1, 1), training=True), 1, -1)
        else:
            y = layer(x, training=True)
        y = y.reshape(50, -1, 20)
        assert (y == y[:, :1]).all()
        assert 0.25 < (y[:, 0] == 0).mean() < 0.35
        assert (y[0, 0] != y[1, 0]).any()


def test_neighbours_are_dropped_independently():
    """The bits of one draw make several decisions."""
    y = layers.Dropout(0.5, seed=2)(np.ones((400, 1001), "float32"), training=True) != 0
    for shift in (1, 2, 3, 4, 1001):
        flat = y.ravel()
        assert abs((flat[shift:] == flat[:-shift]).mean() - 0.5) <= 0.005


def test_extreme_inputs():
    x = np.array([[1e30, -1e30, 0.0, 1e-30]], "float32")
    for name, arguments in RANDOM.items():
        layer = getattr(layers, name)(**arguments, seed=1)
        inputs = x[:, None] if name == "SpatialDropout1D" else x
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            assert np.isfinite(layer(inputs, training=True)).all()
            assert np.isfinite(layer.backward(inputs.copy())).all()


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


def test_activity_regularization():
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    x = np.array([[1.0, -2.0, 3.0]], "float32")
    np.testing.assert_array_equal(layer(x, training=True), x)
    np.testing.assert_allclose(sum(layer.losses), 0.5 * 6 + 0.25 * 14)
    np.testing.assert_allclose(layer.run_backward(np.ones_like(x)), 1 + 0.5 * np.sign(x) + 0.5 * x)
    assert "activity_regularizer" not in layer.get_config()


@pytest.mark.parametrize("rate", [-0.1, 1, 1.0, 2, "half", None, True, float("nan")])
def test_bad_rate(rate):
    for cls in (layers.Dropout, layers.AlphaDropout, layers.GaussianDropout, layers.SpatialDropout2D):
        with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
            cls(rate)


@pytest.mark.parametrize("make, message", [
    (lambda: layers.Dropout(0.5, noise_shape=3), "`noise_shape`"),
    (lambda: layers.Dropout(0.5, noise_shape=(None, 0)), "`noise_shape`"),
    (lambda: layers.AlphaDropout(0.5, noise_shape=(None, 1.0)), "`noise_shape`"),
    (lambda: layers.Dropout(0.5, noise_shape=(None, 2), name="d").compute_output_shape((None, 3)), r"'d'.*\(None, 3\)"),
    (lambda: layers.AlphaDropout(0.5, noise_shape=(1,)).compute_output_shape((None, 3)), "AlphaDropout"),
    (lambda: layers.Dropout(0.5, noise_shape=(8, 1))(np.ones((4, 3)), training=True), "noise_shape"),
    (lambda: layers.SpatialDropout2D(0.5).compute_output_shape((None, 4, 3)), "rank 4"),
    (lambda: layers.SpatialDropout1D(0.5).compute_output_shape((None, 4)), "rank 3"),
    (lambda: layers.SpatialDropout3D(0.5, "first"), "`data_format`"),
    (lambda: layers.GaussianNoise(-0.1), "`stddev`"), (lambda: layers.GaussianNoise(1.5), "`stddev`"),
    (lambda: layers.GaussianNoise("0.5"), "`stddev`"),
    (lambda: layers.ActivityRegularization(l1=-1), "l1"),
    (lambda: layers.Dropout(0.5, seed=-1)(np.ones((4, 3)), training=True), "`seed`"),
])  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
