"""Embedding, Masking, Lambda and EinsumDense beside Keras'."""

import numpy as np
import pytest
from checks import relative_error
from parity_layers import check_parity, make_both


def _whole_numbers(rng, shape):
    return rng.integers(0, 6, shape)


CASES = {
    "Embedding": [
        ((4,), {"input_dim": 6, "output_dim": 3}),
        ((4,), {"input_dim": 6, "output_dim": 3, "mask_zero": True, "embeddings_initializer": "ones"}),
        ((2, 3), {"input_dim": 9, "output_dim": 1, "embeddings_regularizer": "l2"}),
        ((2, 3), {"input_dim": 9, "output_dim": 2, "embeddings_constraint": "unit_norm"}),
    ],
    "ReversibleEmbedding": [
        ((4,), {"input_dim": 6, "output_dim": 3}),
        ((4,), {"input_dim": 6, "output_dim": 3, "tie_weights": False, "mask_zero": True}),
        ((2, 3), {"input_dim": 9, "output_dim": 2, "logit_soft_cap": 2.0, "reverse_dtype": "float32"}),
        ((2, 3), {"input_dim": 9, "output_dim": 2, "tie_weights": False, "embeddings_regularizer": "l2"}),
    ],
    "Masking": [((4, 3), {}), ((4, 3), {"mask_value": 2.0}), ((5, 1), {"mask_value": -1.0})],
    "EinsumDense": [
        ((4,), {"equation": "ab,bc->ac", "output_shape": 5, "bias_axes": "c"}),
        ((3, 4), {"equation": "abc,cd->abd", "output_shape": (3, 5), "bias_axes": "d", "activation": "relu"}),
        ((3, 4), {"equation": "abc,cd->abd", "output_shape": (3, 5), "bias_axes": "bd"}),
        ((3, 4), {"equation": "...x,xy->...y", "output_shape": 5, "bias_axes": "y", "kernel_initializer": "he_normal"}),
        ((3, 4), {"equation": "abc,cde->abde", "output_shape": (3, 2, 5), "bias_axes": "de"}),
    ],
}
ELSEWHERE = {"Lambda"}
INPUTS = {"Embedding": _whole_numbers, "ReversibleEmbedding": _whole_numbers}


@pytest.mark.parametrize("arguments", [
    {}, {"tie_weights": False}, {"logit_soft_cap": 0.5}, {"logit_soft_cap": 2.0, "tie_weights": False},
    {"reverse_dtype": "float64"},
])  # fmt: skip
def test_reversed_embedding(keras, arguments):
    import torch

    ours, theirs = make_both(keras, "ReversibleEmbedding", {"input_dim": 5, "output_dim": 3, **arguments})
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 2, 3)).astype("float32")
    theirs.build((None, 2))
    ours.build_once((None, 2))
    weights = [rng.standard_normal(w.shape).astype("float32") for w in ours.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    tensor = torch.tensor(x, requires_grad=True)
    y = theirs(tensor, reverse=True)
    outputs = ours(x, training=True, reverse=True)
    assert outputs.dtype == y.detach().numpy().dtype
    assert relative_error(outputs, y.detach().numpy()) <= 1e-5
    dy = rng.standard_normal(y.shape).astype(outputs.dtype)
    variables = [w.value for w in theirs.weights]
    dx, *dweights = torch.autograd.grad(y, [tensor, *variables], torch.tensor(dy), allow_unused=True)
    for w in ours.weights:
        w.grad[...] = np.nan
    assert relative_error(ours.backward(dy), dx.numpy()) <= 1e-5
    for w, dw in zip(ours.weights, dweights):
        assert relative_error(w.grad, np.zeros(w.shape) if dw is None else dw.numpy()) <= 1e-5
    assert ours(np.array([[1, 2]]), training=True).shape == (1, 2, 3)
    for w in ours.weights:
        w.grad[...] = np.nan
    ours.backward(np.ones((1, 2, 3), "float32"))
    for w, expected in zip(ours.weights, ([0, 3, 3, 0, 0], np.zeros(3))):
        np.testing.assert_array_equal(w.grad.sum(axis=1), expected)
    with pytest.raises(ValueError, match=r"output_dim=3 numbers.*\(4, 2, 2\)"):
        ours(x[..., :2], reverse=True)
    with pytest.raises(ValueError, match="`logit_soft_cap`"):
        make_both(keras, "ReversibleEmbedding", {"input_dim": 5, "output_dim": 3, "logit_soft_cap": 0})


def test_einsum_initial_values(keras):
    """Fans go by the axes that are summed over."""
    rows = [("abc,cde->abde", (3, 40), (3, 20, 50)), ("abcd,cde->abe", (3, 20, 40), (3, 50))]
    for equation, shape, output_shape in rows:
        ours, theirs = make_both(keras, "EinsumDense", {"equation": equation, "output_shape": output_shape})
        ours.build_once((None, *shape))
        theirs.build((None, *shape))
        a, b = ours.get_weights()[0], theirs.get_weights()[0]
        assert abs(a.std() / b.std() - 1) <= 0.03


def test_masking_masks(keras):
    x = np.random.default_rng(0).integers(0, 2, (5, 4, 2)).astype("float32")
    ours, theirs = make_both(keras, "Masking", {"mask_value": 1.0})
    np.testing.assert_array_equal(ours.compute_mask(x, None), theirs.compute_mask(x).numpy())
    check_parity(keras, "Masking", (4, 2), {"mask_value": 1.0}, x=x)


def test_lambda(keras):
    ours, theirs = make_both(keras, "Lambda", {"function": abs, "output_shape": (4,)})
    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    assert relative_error(ours(x), theirs(x).numpy()) == 0
    assert ours.compute_output_shape((None, 4)) == theirs.compute_output_shape((None, 4))
