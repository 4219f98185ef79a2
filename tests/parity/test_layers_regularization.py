"""Layers against overfitting beside Keras'."""

import numpy as np
from parity_layers import make_both

CASES = {
    "Dropout": [
        ((5,), {"rate": 0.3, "seed": 1}),
        ((5, 4), {"rate": 0.0}),
        ((5, 4), {"rate": 0.2, "noise_shape": (None, 1, 4)}),
    ],
}

RANDOM = {"Dropout"}  # compared in inference; the masks differ


def test_dropout_statistics(keras):
    """Keras' masks come from other random numbers: the same share, scale and pattern of repetition."""
    x = np.ones((50, 40, 30), "float32")
    for arguments in ({"rate": 0.3}, {"rate": 0.6, "noise_shape": (None, 1, 30)}):
        ours, theirs = make_both(keras, "Dropout", {**arguments, "seed": 1})
        a, b = ours(x, training=True), theirs(x, training=True).numpy()
        np.testing.assert_allclose(np.unique(a), np.unique(b), rtol=1e-6)
        assert abs((a == 0).mean() - (b == 0).mean()) <= 0.05
        assert (a.std(axis=1) == 0).all() == (b.std(axis=1) == 0).all()
