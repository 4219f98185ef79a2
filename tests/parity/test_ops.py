"""`ops` beside Keras': signatures, values and types for every function."""

import inspect

import numpy as np
import pytest

from minikeras import ops

X = np.array([[0.5, -1.5, 2.5], [-0.25, 0.0, 3.0]], "float32")
N = np.array([[3, -1, 2], [0, 5, 4]], "int32")
B = np.array([[True, False, True], [False, False, True]])
T = B.astype("float32")
P = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], "float32")

# Arguments, where they are not X, or X and N.
CALLS = {
    **dict.fromkeys("arccos arcsin".split(), [(P,)]),
    **dict.fromkeys("log log10 log1p log2 sqrt rsqrt reciprocal".split(), [(P,), (np.abs(N) + 1,), (P[0, 0],)]),
    **dict.fromkeys("all any sum prod mean std var argmax argmin median".split(),
                    [(X,), (N, 1), (X, -1, True), (B.astype("int32"), 0)]),
    **dict.fromkeys("amax amin max min".split(), [(X,), (N, 1), (X, -1, True)]),
    **dict.fromkeys("cumsum cumprod".split(), [(X, 1), (N, 0)]),
    **dict.fromkeys("logical_and logical_or logical_xor".split(), [(X, B), (N, True)]),
    **dict.fromkeys("add subtract multiply divide true_divide maximum minimum equal not_equal less less_equal greater "
                    "greater_equal".split(), [(X, N), (N, N[::-1]), (N, 2), (N, 0.5), (2, X), (X, 1.5), (1, 2.5)]),
    **dict.fromkeys("floor_divide mod".split(), [(X, 2.0), (N, 2), (N, np.array([2, 3, 4], "int32"))]),
    **dict.fromkeys("dot matmul".split(), [(X, N.T), (X, X[0])]),
    **dict.fromkeys("argsort sort".split(), [(X,), (N, 0)]),
    **dict.fromkeys("zeros ones".split(), [((2, 3),), ((2,), "int32")]),
    **dict.fromkeys("softmax log_softmax".split(), [(X,), (X, 0)]),
    **dict.fromkeys("zeros_like ones_like array copy convert_to_tensor convert_to_numpy".split(), [(X,), (N,)]),
    **dict.fromkeys("diag tril triu".split(), [(X,), (X, 1)]),
    **dict.fromkeys("sigmoid relu tanh".split(), [(X,), (N,), (0.5,)]),
    **dict.fromkeys("dtype shape ndim size ravel".split(), [(X,)]),
    "logsumexp": [(X,), (X, 0), (X, (0, 1), True)],
    # PyTorch has these for floats only.
    **dict.fromkeys("hard_sigmoid hard_silu hard_swish log_sigmoid selu silu swish softplus".split(), [(X,), (9 * X,)]),
    "arange": [(5,), (1, 4), (0, 1, 0.25), (6, 0, -2), (3, None, None, "float32")],
    "arctan2": [(X, P)],
    "binary_crossentropy": [(T, P), (T, X, True), (T, T)],
    "broadcast_to": [(X[0], (2, 3))],
    "cast": [(X, "int32"), (N, "float32"), (X, "bool"), (B, "float32")],
    "categorical_crossentropy": [(T, P), (T, X, True)],
    "clip": [(X, -1, 1), (N, 0, 3)],
    "concatenate": [([X, X],), ([X, P], 1)],
    "divide_no_nan": [(X, np.array([1.0, 0.0, 2.0], "float32"))],
    "einsum": [("ij,kj->ik", X, P)],
    "elu": [(X,), (X, 0.5)],
    "expand_dims": [(X, 1), (X, -1)],
    "eye": [(3,), (2, 3, 1, "int32")],
    "flip": [(X,), (X, 1)],
    "full": [((2, 2), 3.0), ((2,), 1, "int32")],
    "full_like": [(X, 2), (N, 2)],
    "gelu": [(X,), (X, False)],
    "in_top_k": [(np.array([1, 0]), P, 1), (np.array([2, 0]), P, 2)],
    "leaky_relu": [(X,), (X, 0.1)],
    "moveaxis": [(X, 0, 1)],
    "normalize": [(X,), (X, 0), (X, -1, 1)],
    "one_hot": [(np.array([0, 2, 1]), 3), (np.array([0, 1]), 2, 0), (np.array([1]), 2, -1, "int32")],
    "outer": [(X[0], P[1])],
    "pad": [(X, ((1, 0), (0, 2))), (X, ((1, 1), (1, 1)), "constant", 3.0)],
    "power": [(X, 2), (N, 2), (P, 0.5)],
    "repeat": [(X, 2), (X, 2, 1)],
    "reshape": [(X, (3, 2)), (X, -1)],
    "roll": [(X, 1), (X, 1, 1)],
    "round": [(X,), (P, 1)],
    "split": [(X, 3, 1), (X, [1], 1)],
    "square": [(X,), (N,)],
    "squeeze": [(X[:, :1],), (X[:, :1], 1)],
    "stack": [([X, P],), ([X, P], -1)],
    "stop_gradient": [(X,)],
    "swapaxes": [(X, 0, 1)],
    "take": [(X, np.array([0, 2]), 1), (X, 3)],
    "take_along_axis": [(X, np.array([[0], [2]]), 1)],
    "tile": [(X, 2), (X, (2, 1))],
    "top_k": [(X, 2), (N, 1)],
    "transpose": [(X,), (X, (1, 0))],
    "unstack": [(X,), (X, None, 1)],
    "where": [(B, X, N), (X > 0, X, 0.0)],
}

ALONE = ("count_nonzero", "is_tensor")  # Keras' transposes on PyTorch; is not of arrays but of its tensors


def test_signatures(keras):
    for name in ops.__all__:
        assert str(inspect.signature(getattr(ops, name))) == str(inspect.signature(getattr(keras.ops, name))), name


@pytest.mark.parametrize("name", [name for name in ops.__all__ if name not in ALONE])
def test_values(keras, name):
    for arguments in CALLS.get(name, [(X,), (N,)]):
        given = [keras.ops.convert_to_tensor(item) if isinstance(item, np.ndarray) else item for item in arguments]
        ours, theirs = getattr(ops, name)(*arguments), getattr(keras.ops, name)(*given)
        assert isinstance(ours, (list, tuple)) == isinstance(theirs, (list, tuple)), arguments
        for one, other in zip(ours, theirs, strict=True) if isinstance(ours, (list, tuple)) else [(ours, theirs)]:
            if isinstance(other, (str, int)):
                assert one == other, arguments
                continue
            other = keras.ops.convert_to_numpy(other)
            places = name in ("size", "top_k") and other.dtype == "int64"  # on PyTorch; int32 elsewhere
            assert one.dtype == other.dtype or places, arguments
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=str(arguments))
