"""Activation layers beside Keras'."""

import numpy as np
import pytest
from parity_layers import check_parity

from minikeras import layers

ALPHA = {"alpha_initializer": "ones", "alpha_regularizer": "l2", "alpha_constraint": "non_neg"}
CASES = {
    "ReLU": [
        ((5, 6), {}),
        ((5, 6), {"max_value": 0.5, "negative_slope": 0.1}),
        ((5, 6), {"threshold": 0.3, "negative_slope": 0.2}),
        ((5, 6), {"max_value": 1.0, "threshold": 0.3}),
        ((5, 6), {"max_value": 0.2, "threshold": 0.3, "negative_slope": 2.0}),
        ((5, 6), {"negative_slope": 0.4}),
        ((5, 6), {"max_value": 6}),
    ],
    "LeakyReLU": [
        ((5, 6), {}),
        ((5, 6), {"negative_slope": 0.1}),
        ((5, 6), {"negative_slope": 0.0}),
        ((5, 6), {"negative_slope": 3}),
    ],
    "ELU": [((5, 6), {}), ((5, 6), {"alpha": 0.3}), ((4,), {"alpha": 2.0})],
    "PReLU": [
        ((4,), {}),
        ((3, 4), ALPHA),
        ((3, 4, 5), {"shared_axes": [1, 2]}),
        ((3, 4), {"shared_axes": 1}),
        ((3, 4), {"shared_axes": [2]}),
        ((3, 4, 5), {"shared_axes": [1, 3], "trainable": False}),
    ],
    "Softmax": [
        ((4,), {}),
        ((3, 4), {"axis": 1}),
        ((3, 4), {"axis": -1}),
        ((3, 4, 5), {"axis": -2}),
        ((3, 4, 5), {"axis": [-1, -2]}),
        ((3, 4, 5), {"axis": [1, 3]}),
        ((3, 4), {"axis": [-1]}),
    ],
}


@pytest.mark.parametrize("name, arguments", [
    ("ReLU", {"max_value": 6}), ("ReLU", {"max_value": 2.0}), ("ReLU", {"negative_slope": 0.5}), ("LeakyReLU", {}),
    ("ReLU", {"max_value": 2.0, "negative_slope": 0.5}), ("ReLU", {"threshold": 2.0, "negative_slope": 0.5}),
    ("PReLU", {}), ("ELU", {"alpha": 0.5}),
])  # fmt: skip
def test_kinks(keras, name, arguments):
    x = np.array([[-1, 0, 1, 2, 6, 7], [6, 2, 1, 0, -1, 8]], "float32")
    check_parity(keras, name, (6,), arguments, x=x)


def test_softmax_over_the_batch(keras):
    check_parity(keras, "Softmax", (3, 4), {"axis": 0})


@pytest.mark.parametrize("shape, mask_shape, arguments", [
    ((4,), (4, 4), {}), ((3, 4), (4, 3, 4), {}), ((3, 4), (4, 3, 1), {"axis": 1}),
    ((3, 4), (4, 3, 4), {"axis": [1, 2]}), ((3, 4), (3, 4), {}), ((3, 4), (4,), {}),
])  # fmt: skip
def test_masked_softmax(keras, shape, mask_shape, arguments):
    mask = np.random.default_rng(1).random(mask_shape) < 0.6
    check_parity(keras, "Softmax", shape, arguments, mask=mask)
    check_parity(keras, "Softmax", shape, arguments, mask=np.zeros(mask_shape, bool))


def test_layers_as_activations(keras):
    import torch

    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    for name, arguments in [("ReLU", {"max_value": 0.4}), ("LeakyReLU", {}), ("ELU", {"alpha": 0.5}), ("Softmax", {})]:
        ours = layers.Dense(5, activation=getattr(layers, name)(**arguments, name="a"))
        theirs = keras.layers.Dense(5, activation=getattr(keras.layers, name)(**arguments, name="a"))
        ours(x)
        theirs.build((None, 4))
        ours.set_weights([w.numpy() for w in theirs.weights])
        np.testing.assert_allclose(ours(x), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
        config, expected = ours.get_config()["activation"], theirs.get_config()["activation"]
        expected.pop("build_config", None)
        assert config == expected
        again = layers.Dense.from_config(ours.get_config())
        assert again.get_config() == ours.get_config()
