"""Pooling beside Keras'."""

import numpy as np
import pytest
from parity_layers import check_parity

from minikeras import layers

SIZES = {1: (9,), 2: (7, 8), 3: (5, 6, 4)}
MASKED = np.array([[1, 1, 0, 0], [1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]], bool)


def window_cases(rank):
    """Of the default window, overlaps, gaps and padding, that of an odd number of pixels included."""
    shape = (*SIZES[rank], 2)
    return [
        (shape, {"pool_size": 2}),
        (shape, {"pool_size": 3, "strides": 2}),
        (shape, {"pool_size": 2, "padding": "same"}),
        (shape, {"pool_size": 3, "strides": 1, "padding": "same"}),
        (shape, {"pool_size": 2, "strides": 3}),
        (shape, {"pool_size": (3, 2, 1)[:rank], "strides": (1, 2, 3)[:rank]}),
        ((*(1,) * rank, 3), {"pool_size": 1}),
    ]


def adaptive_cases(rank):
    shape = (*SIZES[rank], 2)
    return [
        (shape, {"output_size": 1}),
        (shape, {"output_size": 3}),
        (shape, {"output_size": (4, 5, 4)[:rank]}),
        (shape, {"output_size": [12, 3, 8][:rank]}),
        ((*(1,) * rank, 3), {"output_size": 2}),
    ]


def global_cases(rank):
    shape = (*SIZES[rank], 3)
    return [(shape, {}), (shape, {"keepdims": True}), ((*(1,) * rank, 3), {})]


CASES = {
    f"{name}{rank}D": cases(rank)
    for rank in (1, 2, 3)
    for name, cases in {
        "MaxPooling": lambda rank: [*window_cases(rank), ((*SIZES[rank], 2), {})],
        "AveragePooling": window_cases,
        "GlobalMaxPooling": global_cases,
        "GlobalAveragePooling": global_cases,
        "AdaptiveMaxPooling": adaptive_cases,
        "AdaptiveAveragePooling": adaptive_cases,
    }.items()
}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name, arguments", [
    ("MaxPooling", {}), ("MaxPooling", {"pool_size": 3, "strides": 1}), ("MaxPooling", {"pool_size": 3, "strides": 2}),
    ("AdaptiveMaxPooling", {"output_size": 3}), ("GlobalMaxPooling", {}),
])  # fmt: skip
def test_equal_elements(keras, name, arguments, rank):
    """Ties: the first of a window; all of them evenly in global pooling."""
    x = np.random.default_rng(1).integers(0, 2, (3, *SIZES[rank], 2)).astype("float32")
    check_parity(keras, f"{name}{rank}D", x.shape[1:], arguments, x=x)


@pytest.mark.parametrize("arguments", [{}, {"keepdims": True}, {"data_format": "channels_first"}])
def test_masked_mean(keras, arguments):
    shape = (3, 4) if "data_format" in arguments else (4, 3)
    check_parity(keras, "GlobalAveragePooling1D", shape, arguments, mask=MASKED)


def test_a_mask_ends_here(keras):
    x = np.zeros((4, 4, 3), "float32")
    for module in (layers, keras.layers):
        layer = module.GlobalAveragePooling1D()
        assert layer.supports_masking
        assert layer.compute_mask(x, MASKED) is None


def test_other_names(keras):
    for short, long in (("Max", "Max"), ("Avg", "Average"), ("GlobalMax", "GlobalMax"), ("GlobalAvg", "GlobalAverage")):
        for rank in (1, 2, 3):
            for module in (layers, keras.layers):
                assert getattr(module, f"{short}Pool{rank}D") is getattr(module, f"{long}Pooling{rank}D")


def test_min_pooling_is_max_pooling_of_the_negative(keras):
    """Keras has no layer for it."""
    import torch

    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, (3, 7, 8, 2)).astype("float32")
    for arguments in ({}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": (2, 3), "strides": 1}):
        ours = layers.MinPooling2D(**arguments)
        tensor = torch.tensor(x, requires_grad=True)
        y = -keras.layers.MaxPooling2D(**arguments)(-tensor)
        np.testing.assert_array_equal(ours(x, training=True), y.detach().numpy())
        dy = rng.standard_normal(y.shape).astype("float32")
        (dx,) = torch.autograd.grad(y, tensor, torch.tensor(dy))
        np.testing.assert_allclose(ours.backward(dy.copy()), dx.numpy(), rtol=1e-6)
