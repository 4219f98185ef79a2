"""LayerNormalization, RMSNormalization, GroupNormalization, UnitNormalization."""

import numpy as np
import pytest
from checks import assert_equal, check_layer, settings

from minikeras import layers

LAYERS = [
    layers.LayerNormalization, layers.RMSNormalization, layers.GroupNormalization, layers.UnitNormalization,
]  # fmt: skip
CONFIGURATIONS = {
    "layer": (layers.LayerNormalization, (5,), {}),
    "layer rank 4": (layers.LayerNormalization, (2, 3, 4), {}),
    "layer axis 1": (layers.LayerNormalization, (4, 3), {"axis": 1}),
    "layer axes": (layers.LayerNormalization, (2, 3, 4), {"axis": [1, 3]}),
    "layer trailing axes": (layers.LayerNormalization, (2, 3, 4), {"axis": (-1, -2)}),
    "layer no center": (layers.LayerNormalization, (3, 4), {"center": False}),
    "layer no scale": (layers.LayerNormalization, (3, 4), {"scale": False}),
    "layer bare": (layers.LayerNormalization, (3, 4), {"scale": False, "center": False, "epsilon": 0.5}),
    "layer rms": (layers.LayerNormalization, (3, 4), {"rms_scaling": True}),
    "layer rms without scale": (layers.LayerNormalization, (3, 4), {"rms_scaling": True, "scale": False}),
    "rms": (layers.RMSNormalization, (5,), {}),
    "rms axes": (layers.RMSNormalization, (2, 3, 4), {"axis": [1, 3], "epsilon": 0.1}),
    "rms trailing": (layers.RMSNormalization, (2, 3, 4), {"axis": [2, 3]}),
    "group": (layers.GroupNormalization, (3, 4, 6), {"groups": 2}),
    "group rank 2": (layers.GroupNormalization, (6,), {"groups": 2}),
    "group instance": (layers.GroupNormalization, (3, 4, 6), {"groups": -1}),
    "group one": (layers.GroupNormalization, (3, 6), {"groups": 1, "epsilon": 0.1}),
    "group axis": (layers.GroupNormalization, (6, 3, 4), {"groups": 3, "axis": 1}),
    "group axis -2": (layers.GroupNormalization, (3, 6, 4), {"groups": 3, "axis": -2}),
    "group no center": (layers.GroupNormalization, (3, 6), {"groups": 3, "center": False}),
    "group no scale": (layers.GroupNormalization, (3, 6), {"groups": 3, "scale": False}),
    "group bare": (layers.GroupNormalization, (3, 6), {"groups": 3, "scale": False, "center": False}),
    "unit": (layers.UnitNormalization, (5,), {}),
    "unit axis": (layers.UnitNormalization, (3, 4), {"axis": 1}),
    "unit axes": (layers.UnitNormalization, (2, 3, 4), {"axis": [1, -1]}),
}


@pytest.mark.parametrize("cls, input_shape, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_configuration(cls, input_shape, arguments):
    layer = check_layer(lambda: cls(**arguments), input_shape)
    assert layer.rows_independent


def test_unit_normalization_of_the_batch():
    layer = check_layer(lambda: layers.UnitNormalization(axis=0), (4,), mixes_rows=True)
    assert not layer.rows_independent


def test_formulas():
    with settings():
        x = np.random.default_rng(0).normal(3, 2, (2, 5, 6))
        mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
        assert_equal(layers.LayerNormalization()(x), (x - mean) / np.sqrt(variance + 1e-3))
        assert_equal(layers.LayerNormalization(rms_scaling=True)(x), x / np.sqrt(variance + 1e-3))
        squares = (x**2).mean(axis=-1, keepdims=True)
        assert_equal(layers.RMSNormalization()(x), x / np.sqrt(squares + 1e-6))
        assert_equal(layers.UnitNormalization()(x), x / np.sqrt(6 * squares))
        groups = x.reshape(2, 5, 2, 3)
        mean, variance = groups.mean(axis=(1, 3), keepdims=True), groups.var(axis=(1, 3), keepdims=True)
        expected = ((groups - mean) / np.sqrt(variance + 1e-3)).reshape(x.shape)
        assert_equal(layers.GroupNormalization(groups=2)(x), expected)


@pytest.mark.parametrize("cls", LAYERS)
def test_far_from_zero(cls):
    """Close to what float64 makes of the same numbers, though the mean is 10^6 times the standard deviation."""
    x = (np.random.default_rng(0).standard_normal((4, 32)) + 1e6).astype("float32")
    make = (lambda: cls(groups=4)) if cls is layers.GroupNormalization else cls
    with np.errstate(all="raise"):
        y = make()(x)
    with settings():
        np.testing.assert_allclose(y, make()(x.astype("float64")), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("value", [0, 1, -1e4, 1e6])
def test_no_variance(cls, value):
    arguments = {"groups": 2} if cls is layers.GroupNormalization else {}
    variants = [arguments] if cls is layers.UnitNormalization else [arguments, {**arguments, "epsilon": 0.0}]
    with np.errstate(all="raise"):
        for arguments in variants:
            layer = cls(**arguments)
            for shape in ((1, 4), (2, 3, 4), (1, 1, 4)):
                x = np.full(shape, value, "float32")
                y = layer(x, training=True)
                assert np.isfinite(y).all()
                dx = layer.backward(np.cos(np.arange(x.size, dtype="float32")).reshape(shape))
                assert np.isfinite(dx).all()


def test_a_single_feature():
    for layer in (layers.LayerNormalization(), layers.GroupNormalization(groups=1)):
        np.testing.assert_array_equal(layer(np.array([[5.0], [0.0]]), training=True), [[0], [0]])
        np.testing.assert_array_equal(layer.backward(np.ones((2, 1), "float32")), [[0], [0]])


def test_short_vectors():
    """Keras divides by at least 1e-12, and has a gradient of NaN at 0."""
    with settings():
        layer = layers.UnitNormalization()
        x = np.array([[0.0, 0.0], [3e-13, 4e-13], [3e-12, 4e-12]])
        np.testing.assert_allclose(layer(x, training=True), [[0, 0], [0.3, 0.4], [0.6, 0.8]], rtol=1e-12)
        dx = layer.backward(np.ones((3, 2)))
        np.testing.assert_allclose(dx, [[0, 0], [1e12, 1e12], [3.2e10, -2.4e10]], rtol=1e-6)


def test_weights():
    layer = layers.LayerNormalization(axis=[1, 2], name="ln", beta_regularizer="l2", beta_initializer="ones")
    layer.build_once((None, 3, 4))
    assert [(w.path, w.shape) for w in layer.weights] == [("ln/gamma", (3, 4)), ("ln/beta", (3, 4))]
    assert layer.losses == [pytest.approx(0.12)]
    layer = layers.RMSNormalization(name="rms")
    layer.build_once((None, 3, 4))
    assert [(w.path, w.shape) for w in layer.weights] == [("rms/scale", (4,))]
    layer = layers.LayerNormalization(scale=False, rms_scaling=True)
    layer.build_once((None, 4))
    assert [w.name for w in layer.weights] == ["gamma"]  # as in Keras
    assert layer.get_config()["rms_scaling"]


@pytest.mark.parametrize("make, error, words", [
    (lambda: layers.LayerNormalization(axis=1.5), TypeError, "`axis`.*1.5"),
    (lambda: layers.LayerNormalization(axis=[]), TypeError, "`axis`"),
    (lambda: layers.LayerNormalization(epsilon=-1), ValueError, "`epsilon`.*-1"),
    (lambda: layers.RMSNormalization(epsilon="small"), ValueError, "`epsilon`.*'small'"),
    (lambda: layers.UnitNormalization(axis=True), TypeError, "`axis`.*True"),
    (lambda: layers.GroupNormalization(groups=0), ValueError, "`groups`.*0"),
    (lambda: layers.GroupNormalization(groups=2.0), ValueError, "`groups`.*2.0"),
    (lambda: layers.GroupNormalization(axis=0), ValueError, "`axis`.*0"),
    (lambda: layers.LayerNormalization(axis=2)(np.zeros((2, 3))), ValueError, r"axis=2.*\(None, 3\)"),
    (lambda: layers.LayerNormalization(axis=[1, -1])(np.zeros((2, 3))), ValueError, "twice"),
    (lambda: layers.LayerNormalization(axis=0)(np.zeros((2, 3))), ValueError, "batch axis"),
    (lambda: layers.LayerNormalization().build((None, None)), ValueError, "needs to know the size"),
    (lambda: layers.GroupNormalization(4)(np.zeros((2, 6))), ValueError, r"groups=4.*6 channels.*\[1, 2, 3, 6\]"),
    (lambda: layers.GroupNormalization()(np.zeros((2, 6))), ValueError, "groups=32.*6 channels"),
    (lambda: layers.GroupNormalization(2, axis=3)(np.zeros((2, 6))), ValueError, "axis=3"),
])  # fmt: skip
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("layer", [
    layers.LayerNormalization(), layers.RMSNormalization(), layers.GroupNormalization(groups=2),
], ids=lambda layer: type(layer).__name__)  # fmt: skip
def test_inputs_that_do_not_fit(layer):
    layer(np.zeros((2, 3, 4), "float32"))
    layer(np.zeros((2, 5, 4), "float32"))
    with pytest.raises(ValueError, match=rf"{layer.name}.*4.*6"):
        layer(np.zeros((2, 3, 6), "float32"))
