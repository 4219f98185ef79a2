"""Pooling beside Keras'."""

import numpy as np
import pytest
from parity_layers import check_parity

CASES = {
    "MaxPooling2D": [
        ((6, 8, 2), {}),
        ((7, 7, 2), {"pool_size": 3, "strides": 2}),
        ((7, 8, 2), {"pool_size": 2, "padding": "same"}),
        ((6, 7, 2), {"pool_size": (3, 2), "strides": 1, "padding": "same"}),
        ((7, 8, 2), {"pool_size": 2, "strides": 3}),
    ],
    "AveragePooling2D": [
        ((6, 8, 2), {"pool_size": 2}),
        ((7, 7, 2), {"pool_size": 3, "strides": 2}),
        ((7, 8, 2), {"pool_size": 2, "padding": "same"}),
        ((6, 7, 2), {"pool_size": 3, "strides": 1, "padding": "same"}),
        ((7, 8, 2), {"pool_size": (1, 2), "strides": (2, 3)}),
    ],
    "GlobalMaxPooling2D": [((4, 5, 3), {}), ((4, 5, 3), {"keepdims": True}), ((1, 1, 3), {})],
    "GlobalAveragePooling2D": [((4, 5, 3), {}), ((4, 5, 3), {"keepdims": True}), ((1, 1, 3), {})],
}


@pytest.mark.parametrize("name", ["MaxPooling2D", "GlobalMaxPooling2D"])
@pytest.mark.parametrize("arguments", [{}, {"pool_size": 3, "strides": 1}, {"pool_size": 3, "strides": 2}])
def test_equal_elements(keras, name, arguments):
    """Ties: the first of a window; all of them evenly in global pooling."""
    x = np.random.default_rng(1).integers(0, 2, (3, 7, 6, 2)).astype("float32")
    check_parity(keras, name, x.shape[1:], arguments if name == "MaxPooling2D" else {}, x=x)
