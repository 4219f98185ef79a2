"""BatchNormalization."""

import numpy as np
import pytest
from checks import assert_equal, check_layer, settings

from minikeras import layers
from minikeras.kernels import threads

CONFIGURATIONS = {
    "rank 2": ((5,), {}),
    "rank 3": ((4, 5), {}),
    "rank 4": ((3, 4, 5), {}),
    "axis 1": ((3, 4, 5), {"axis": 1}),
    "axis -3": ((3, 4, 5), {"axis": -3}),
    "axis in a list": ((3, 4, 5), {"axis": [3]}),
    "no center": ((3, 4), {"center": False}),
    "no scale": ((3, 4), {"scale": False}),
    "neither": ((3, 4), {"center": False, "scale": False}),
    "epsilon": ((3, 4), {"epsilon": 0.5, "momentum": 0.5}),
    "one channel": ((4, 4, 1), {}),
    "regularized": ((4,), {"beta_regularizer": "l2", "gamma_regularizer": "l1", "gamma_constraint": "non_neg"}),
}


@pytest.mark.parametrize("input_shape, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_configuration(input_shape, arguments):
    check_layer(lambda: layers.BatchNormalization(**arguments), input_shape, batch=4, mixes_rows=True)


def test_frozen():
    """The moving statistics are used and stay as they are; rows are independent then."""
    layer = check_layer(lambda: layers.BatchNormalization(trainable=False), (3, 4))
    with settings():
        before = layer.get_weights()
        x = np.random.default_rng(0).standard_normal((2, 3, 4))
        np.testing.assert_array_equal(layer(x, training=True), layer(x))
        for a, b in zip(layer.get_weights(), before):
            np.testing.assert_array_equal(a, b)


def test_formula_and_moving_statistics():
    with settings():
        layer = layers.BatchNormalization(momentum=0.8, epsilon=0.01)
        rng = np.random.default_rng(0)
        mean, variance = np.zeros(3), np.ones(3)
        for _ in range(4):
            x = rng.normal(5, 2, (6, 2, 3))
            y = layer(x, training=True)
            flat = x.reshape(-1, 3)
            assert_equal(y, (x - flat.mean(axis=0)) / np.sqrt(flat.var(axis=0) + 0.01))
            mean, variance = 0.8 * mean + 0.2 * flat.mean(axis=0), 0.8 * variance + 0.2 * flat.var(axis=0)
            assert_equal(layer.moving_mean.value, mean)
            assert_equal(layer.moving_variance.value, variance)
        assert_equal(layer(x), (x - mean) / np.sqrt(variance + 0.01))
        assert_equal(layer.moving_mean.value, mean)


def test_constant_input():
    """Variance 0: outputs are beta, gradients are finite."""
    layer = layers.BatchNormalization(beta_initializer="ones")
    x = np.full((4, 3), 7.1, "float32")
    y = layer(x, training=True)
    np.testing.assert_allclose(y, 1, atol=1e-4)
    dx = layer.backward(np.random.default_rng(0).standard_normal((4, 3)).astype("float32"))
    assert np.isfinite(dx).all()
    assert (layer.moving_variance.value <= 0.99 + 1e-6).all()


def test_batch_of_one_row():
    layer = layers.BatchNormalization()
    x = np.array([[1.0, -2.0]], "float32")
    np.testing.assert_array_equal(layer(x, training=True), [[0, 0]])
    np.testing.assert_array_equal(layer.backward(np.ones((1, 2), "float32")), [[0, 0]])


def test_variance_far_from_zero():
    """Two-pass: in float32, E[x^2] - E[x]^2 would be off by thousands here."""
    x = (np.random.default_rng(0).standard_normal((5000, 2)) + 10_000).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_variance.value, x.astype("float64").var(axis=0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.value, x.astype("float64").mean(axis=0), rtol=1e-6)


def test_inference_far_from_zero():
    x = (np.random.default_rng(0).standard_normal((50, 2)) + 1e6).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    mean, variance = (weight.value.astype("float64") for weight in (layer.moving_mean, layer.moving_variance))
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-5)


def test_masked():
    """What is masked is normalized, but does not count."""
    with settings():
        rng = np.random.default_rng(0)
        x, mask = rng.standard_normal((4, 3, 2)), rng.random((4, 3)) < 0.6
        x[~mask] = 1e3
        layer, other = layers.BatchNormalization(), layers.BatchNormalization()
        y = layer(x, training=True, mask=mask)
        assert_equal(y[mask], other(x[mask], training=True), 1e-7)
        for a, b in zip(layer.get_weights(), other.get_weights()):
            assert_equal(a, b, 1e-7)
        x[~mask] = np.nan
        layer(x, training=True, mask=mask)
        assert np.isfinite(layer.moving_mean.value).all()
        with pytest.raises(ValueError, match=r"mask.*\(4,\).*\(4, 3, 2\)"):
            layer(x, training=True, mask=mask[:, 0])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("arguments", [{}, {"renorm": True, "renorm_clipping": {"rmax": 0.9, "dmax": 0.1}}])
def test_gradient_with_a_mask_or_renorm(axis, arguments, masked):
    with settings():
        rng = np.random.default_rng(0)
        x, mask = rng.standard_normal((4, 3, 2)), rng.random((4, 3)) < 0.6 if masked else None
        dy, direction = rng.standard_normal(x.shape), rng.standard_normal(x.shape)
        layer = layers.BatchNormalization(axis=axis, gamma_initializer="random_normal", **arguments)
        layer(x, training=True, mask=mask)
        if arguments:  # r and d count as constants, which they are where they are clipped
            layer.renorm_stddev.value[...] = 1e-3
            layer.renorm_mean.value[...] = 1e3

        def outputs(at):
            before = layer.get_weights()
            y = layer(at, training=True, mask=mask)
            layer.set_weights(before)
            return y

        numeric = np.sum(dy * (outputs(x + 1e-6 * direction) - outputs(x - 1e-6 * direction))) / 2e-6
        outputs(x)
        dx = layer.backward(dy.copy())
        assert abs(np.sum(dx * direction) - numeric) <= 1e-6 * max(1, abs(numeric))


def test_hard_numbers():
    with np.errstate(all="raise"):
        for arguments in ({}, {"renorm": True}, {"epsilon": 0.0}):
            layer = layers.BatchNormalization(**arguments)
            for value in (0, 1e6, -1e4):
                x = np.full((3, 2), value, "float32")
                for mask in (None, np.zeros(3, bool)):
                    assert np.isfinite(layer(x, training=True, mask=mask)).all()
                    assert np.isfinite(layer.backward(np.array([[1, 2], [3, -1], [0, 1]], "float32"))).all()


def test_renormalization():
    """Without moving statistics of its own it is batch normalization; later, training is what inference will be."""
    with settings():
        rng = np.random.default_rng(0)
        layer = layers.BatchNormalization(renorm=True, renorm_momentum=0.5, momentum=0.5, epsilon=1e-9)
        for _ in range(60):
            x = rng.normal(3, 2, (4000, 2))
            y = layer(x, training=True)
        np.testing.assert_allclose(y, layer(x), atol=0.1)
        assert_equal(layer.moving_variance.value, layer.moving_stddev.value**2 - 1e-9, 1e-9)


def test_number_of_threads(monkeypatch):
    with settings():
        x = np.random.default_rng(0).standard_normal((70, 64, 64))
        results = []
        for n in (1, 2, 3):
            monkeypatch.setattr(threads, "_num_threads", n)
            layer = layers.BatchNormalization()
            y = layer(x, training=True)
            dx = layer.backward(np.sin(7 * x)).copy()
            results.append((y, dx, layer.gamma.grad.copy(), layer.beta.grad.copy(), layer.moving_variance.numpy()))
        for result in results[1:]:
            for a, b in zip(result, results[0]):
                assert_equal(a, b, 1e-11)


def test_weights():
    layer = layers.BatchNormalization(name="bn")
    layer.build_once((None, 4))
    assert [w.path for w in layer.weights] == ["bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"]
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 4


@pytest.mark.parametrize("arguments, name", [
    ({"axis": 0}, "axis"), ({"axis": (1, 2)}, "axis"), ({"axis": True}, "axis"), ({"momentum": 2}, "momentum"),
    ({"momentum": "high"}, "momentum"), ({"epsilon": -1}, "epsilon"), ({"renorm_momentum": 2}, "renorm_momentum"),
    ({"renorm": True, "renorm_clipping": {"max": 2}}, "renorm_clipping"),
    ({"renorm": True, "renorm_clipping": {"rmin": 2, "rmax": 1}}, "rmin <= rmax"),
    ({"renorm": True, "renorm_clipping": {"dmax": -1}}, "dmax"), ({"synchronized": True}, "synchronized"),
])  # fmt: skip
def test_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=name):
        layers.BatchNormalization(**arguments)


def test_inputs_that_do_not_fit():
    layer = layers.BatchNormalization(axis=2, name="bn")
    with pytest.raises(ValueError, match="axis=2"):
        layer(np.zeros((2, 3), "float32"))
    layer(np.zeros((2, 3, 4), "float32"))
    with pytest.raises(ValueError, match=r"'bn'.*expects 4 channels.*Received 5"):
        layer(np.zeros((2, 3, 5), "float32"))
