"""Embedding, Masking, Lambda and EinsumDense beside Keras'."""

import numpy as np
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
INPUTS = {"Embedding": _whole_numbers}


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
