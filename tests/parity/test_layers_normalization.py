"""Normalization beside Keras'."""

import numpy as np
import pytest
from parity_layers import check_parity

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
    assert getattr(layers, name)().supports_masking == getattr(keras.layers, name)().supports_masking
