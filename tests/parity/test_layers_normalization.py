"""Normalization beside Keras'."""

import numpy as np
import pytest
from parity_layers import check_parity, make_both

import minikeras
from minikeras import layers

OF_WEIGHTS = {
    "beta_initializer": "ones", "gamma_initializer": "random_normal", "beta_regularizer": "l2",
    "gamma_regularizer": "l2", "beta_constraint": "non_neg", "gamma_constraint": "max_norm",
}  # fmt: skip
CASES = {
    "BatchNormalization": [
        ((4,), {}),
        ((3, 4, 5), {"momentum": 0.7, "epsilon": 0.01}),
        ((3, 4, 5), {"axis": 1}),
        ((3, 4), {"center": False}),
        ((3, 4), {"scale": False, "beta_initializer": "ones"}),
        ((3, 4), {"trainable": False}),
        ((3, 4), {"center": False, "scale": False, **OF_WEIGHTS}),
        ((3, 4), {"renorm": True}),
        ((3, 4), {"renorm": True, "renorm_momentum": 0.8, "scale": False, "center": False}),
        ((6, 4), {"renorm": True, "renorm_clipping": {"rmin": 0.9, "rmax": 1.1, "dmax": 0.2}, "epsilon": 0.1}),
        ((4, 6), {"renorm": True, "renorm_clipping": {"dmax": 0.5}, "axis": 1, "center": False}),
        ((3, 4), {"renorm": True, "trainable": False, "moving_variance_initializer": "ones"}),
    ],
    "LayerNormalization": [
        ((4,), {}),
        ((3, 4), {"epsilon": 0.1, **OF_WEIGHTS}),
        ((3, 4, 5), {"axis": [1, 2, 3]}),
        ((3, 4, 5), {"axis": (2, 3), "center": False}),
        ((3, 4, 5), {"axis": [1, 3]}),
        ((3, 4, 5), {"axis": [-1, 1]}),
        ((3, 4, 5), {"axis": [3, 1]}),
        ((3, 4), {"axis": [-1], "scale": False}),
        ((3, 4), {"scale": False, "center": False}),
        ((3, 4), {"trainable": False}),
    ],
    "RMSNormalization": [
        ((4,), {}),
        ((3, 4), {"epsilon": 0.1}),
        ((3, 4, 5), {"axis": [1, 2, 3]}),
        ((3, 4, 5), {"axis": [2, 3]}),
        ((3, 4), {"axis": -1, "trainable": False}),
    ],
    "GroupNormalization": [
        ((128,), {}),
        ((3, 4, 6), {"groups": 2}),
        ((3, 4, 6), {"groups": -1, "epsilon": 0.1}),
        ((3, 4, 6), {"groups": 1, **OF_WEIGHTS}),
        ((6, 3, 4), {"groups": 3, "axis": 1}),
        ((3, 6, 4), {"groups": 3, "axis": -2, "center": False}),
        ((9, 6), {"groups": 6, "scale": False}),
        ((6,), {"groups": 3, "scale": False, "center": False, "trainable": False}),
    ],
    "UnitNormalization": [
        ((4,), {}),
        ((3, 4), {"axis": 1}),
        ((3, 4, 5), {"axis": [1, 3]}),
        ((3, 4, 5), {"axis": (-1, -2, -3)}),
        ((3, 4), {"axis": -1}),
    ],
    "SpectralNormalization": [
        ((4,), {"layer": lambda layers: layers.Dense(3, name="inner")}),
        ((2, 4), {"layer": lambda layers: layers.Dense(5, use_bias=False, name="inner"), "power_iterations": 3}),
        ((6, 5, 2), {"layer": lambda layers: layers.Conv2D(3, 2, activation="tanh", name="inner")}),
        ((6, 5, 2), {"layer": lambda layers: layers.DepthwiseConv2D(2, name="inner"), "power_iterations": 2}),
        ((4,), {"layer": lambda layers: layers.Dense(3, name="inner"), "trainable": False}),
    ],
}

@pytest.mark.parametrize("shape, arguments", [
    ((6, 4), {}), ((6, 4), {"axis": 1}), ((3, 4, 5), {}), ((3, 4, 5), {"axis": 2, "center": False}),
    ((6, 4), {"renorm": True}), ((6, 4), {"trainable": False}), ((4,), {}),
])  # fmt: skip
def test_masked_batches(keras, shape, arguments):
    mask = np.random.default_rng(1).random((4, *shape[:-1])) < 0.7
    check_parity(keras, "BatchNormalization", shape, arguments, mask=mask)
    check_parity(keras, "BatchNormalization", shape, arguments, mask=np.ones_like(mask))
    check_parity(keras, "BatchNormalization", shape, arguments, mask=np.zeros_like(mask))


def test_renorm_from_a_deviation_of_zero(keras):
    arguments = {"renorm": True, "moving_variance_initializer": "zeros", "epsilon": 0.01, "name": "a"}
    ours, theirs = layers.BatchNormalization(**arguments), keras.layers.BatchNormalization(**arguments)
    x = np.random.default_rng(0).standard_normal((20, 3)).astype("float32")
    expected = keras.ops.convert_to_numpy(theirs(x, training=True))
    np.testing.assert_allclose(ours(x, training=True), expected, rtol=1e-5, atol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("renorm", [False, True])
def test_moving_statistics_of_many_batches(keras, renorm):
    import torch

    arguments = {"renorm": renorm, "momentum": 0.8, "name": "a"}
    ours, theirs = layers.BatchNormalization(**arguments), keras.layers.BatchNormalization(**arguments)
    rng = np.random.default_rng(0)
    for step in range(8):
        x = rng.normal(step, 1 + step, (20, 3)).astype("float32")
        y = theirs(torch.tensor(x), training=True).detach().numpy()
        np.testing.assert_allclose(ours(x, training=True), y, rtol=1e-4, atol=1e-4)
        for a, b in zip(ours.get_weights(), theirs.get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"gamma_initializer": "zeros", "epsilon": 0.1}])
def test_rms_scaling(keras, arguments, recwarn):
    """The deprecated option, of which Keras warns at each call."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for shape in ((4,), (3, 4)):
            check_parity(keras, "LayerNormalization", shape, {"rms_scaling": True, **arguments})
        theirs = keras.layers.LayerNormalization(rms_scaling=True, name="a")
        ours = layers.LayerNormalization(rms_scaling=True, name="a")
        assert layers.serialize(ours) == keras.layers.serialize(theirs)
        assert layers.deserialize(keras.layers.serialize(theirs)).rms_scaling


@pytest.mark.parametrize("name", ["LayerNormalization", "RMSNormalization", "GroupNormalization"])
def test_config_of_a_built_layer(keras, name):
    """Building rewrites an argument."""
    arguments = {"groups": -1} if name == "GroupNormalization" else {}
    ours, theirs = getattr(layers, name)(**arguments, name="a"), getattr(keras.layers, name)(**arguments, name="a")
    ours.build_once((None, 6))
    theirs.build((None, 6))
    assert ours.get_config() == theirs.get_config()
    assert type(ours).from_config(ours.get_config())(np.ones((2, 6))).shape == (2, 6)


@pytest.mark.parametrize("name", CASES)
def test_masks_pass(keras, name):
    arguments = CASES[name][0][1]
    ours, theirs = make_both(keras, name, arguments)
    assert ours.supports_masking == theirs.supports_masking


@pytest.mark.parametrize("make, x", [
    (lambda layers: layers.Embedding(5, 3, name="inner"), np.array([[1, 2], [4, 4]], "float32")),
    (lambda layers: layers.Dense(3, kernel_initializer="zeros", name="inner"), np.ones((2, 4), "float32")),
])  # fmt: skip
def test_spectral_normalization_over_steps(keras, make, x):
    import torch

    ours, theirs = make_both(keras, "SpectralNormalization", {"layer": make})
    ours(x)
    theirs(torch.tensor(x))
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    for _ in range(4):
        y = theirs(torch.tensor(x), training=True).detach().numpy()
        np.testing.assert_allclose(ours(x, training=True), y, rtol=1e-4, atol=1e-6)
        for a, b in zip(ours.get_weights(), theirs.get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_spectral_normalization_in_weight_files(keras, tmp_path):
    models = []
    for module, package in ((layers, minikeras), (keras.layers, keras)):
        inner = module.Dense(3, name="inner")
        models.append(package.Sequential([module.Input((4,)), module.SpectralNormalization(inner), module.Dense(2)]))
    ours, theirs = models
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(a, b)
    ours.set_weights([w + 1 for w in ours.get_weights()])
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(a, b)
