"""`ops`: values, types and refusals. `parity/test_ops.py` compares every function with Keras'."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

X = np.array([[1.0, -2.0, 3.0], [0.0, 5.0, 4.0]], "float32")


@pytest.mark.parametrize("result, expected, dtype", [
    (ops.mean(X, axis=1), [2 / 3, 3], "float32"),
    (ops.mean([1, 2]), 1.5, "float32"),
    (ops.sum(X > 0), 4, "int32"),
    (ops.count_nonzero(X, axis=0), [1, 2, 2], "int32"),
    (ops.argmax(X, axis=-1), [2, 1], "int32"),
    (ops.sqrt([-1.0, 4.0]), [np.nan, 2], "float32"),
    (ops.log(0), -np.inf, "float32"),
    (ops.add(X[0], 1), [2, -1, 4], "float32"),
    (ops.add(np.array([1, 2], "int32"), 0.5), [1.5, 2.5], "float32"),
    (ops.multiply(np.array([1, 2]), X[0, :2]), [1, -4], "float32"),
    (ops.multiply(X[0].astype("float64"), 2.0), [2, -4, 6], "float64"),
    (ops.divide(1, 4), 0.25, "float32"),
    (ops.divide_no_nan(X[:, 0], X[:, 0]), [1, 0], "float32"),
    (ops.cast(X[0], "int32"), [1, -2, 3], "int32"),
    (ops.where(X[0] > 0, X[0], 0), [1, 0, 3], "float32"),
    (ops.sigmoid(0), 0.5, "float32"),
    (ops.relu(np.array([-1, 2], "int32")), [0, 2], "int32"),
    (ops.one_hot([1, 3], 3), [[0, 1, 0], [0, 0, 0]], "float32"),
    (ops.logsumexp(np.array([1000.0, 1000.0])), 1000 + np.log(2), "float64"),
    (ops.logsumexp([-np.inf, -np.inf]), -np.inf, "float32"),
    (ops.top_k(X, 2)[0], [[3, 1], [5, 4]], "float32"),
    (ops.normalize([[3.0, 4.0], [0.0, 0.0]]), [[0.6, 0.8], [0, 0]], "float32"),
    (ops.argsort(np.arange(99, dtype="int32") % 2), [*range(0, 99, 2), *range(1, 99, 2)], "int32"),
    (ops.add(np.array([1, 2], "uint8"), 1), [2, 3], "uint8"),
    (ops.binary_crossentropy([1.0], [0.5]), [np.log(2)], "float32"),
    (ops.categorical_crossentropy([[0, 1]], [[0.0, 0.0]], from_logits=True), [np.log(2)], "float32"),
    (ops.convert_to_tensor([np.float64(2)]), [2], "float64"),
    (ops.convert_to_tensor(keras.Variable([1.0])), [1], "float32"),
])  # fmt: skip
def test_values_and_types(result, expected, dtype):
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    assert result.dtype == dtype


def test_arguments_are_not_changed_and_results_are_ones_own():
    before = X.copy()
    for name in ("array", "copy", "relu", "square", "cumsum", "sort"):
        result = getattr(ops, name)(X)
        result[...] = 7
        np.testing.assert_array_equal(X, before)
    ops.broadcast_to(X[0], (2, 3))[0] = 7
    np.testing.assert_array_equal(X, before)
    assert ops.convert_to_tensor(X) is X
    assert [ops.is_tensor(X), ops.is_tensor([1])] == [True, False]


def test_symbolic_tensors():
    inputs = keras.Input((3,))
    assert (ops.shape(inputs), ops.ndim(inputs)) == ((None, 3), 2)
    for compute in (ops.exp, ops.sum, ops.sigmoid, lambda x: ops.add(1, x), lambda x: ops.sum([x, x])):
        with pytest.raises(NotImplementedError, match="cannot compute with the symbolic.*Write it as a layer"):
            compute(inputs)


def test_refusals():
    for function in (ops.convert_to_tensor, lambda x, sparse: ops.one_hot(x, 2, sparse=sparse)):
        with pytest.raises(NotImplementedError, match="Arrays are dense.*sparse=True"):
            function([1], sparse=True)
    with pytest.raises(NotImplementedError, match="takes `x1` and `x2`"):
        ops.where(X > 0)


def test_a_metric():
    def error(y_true, y_pred):
        return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)

    model = keras.Sequential([layers.Input((3,)), layers.Dense(1)]).compile("sgd", "mse", metrics=[error, "mae"])
    logs = model.evaluate(X, X[:, :1], verbose=0, return_dict=True)
    assert logs["error"] == pytest.approx(logs["mae"], rel=1e-6)
