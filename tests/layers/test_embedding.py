"""Embedding, Masking, Lambda and EinsumDense."""

import numpy as np
import pytest
from checks import check_layer, relative_error, settings

from minikeras import Sequential, layers


def test_embedding_gradient():
    with settings():
        layer = layers.Embedding(6, 3)
        x = np.array([[0, 2, 2], [5, 2, 0]])
        y = layer(x, training=True)
        np.testing.assert_array_equal(y, layer.embeddings.value[x])
        dy = np.random.default_rng(0).standard_normal(y.shape)
        layer.backward(dy)
        expected = np.zeros((6, 3))
        np.add.at(expected, x, dy)
        np.testing.assert_allclose(layer.embeddings.grad, expected, rtol=1e-12)
        layer.backward(dy)  # not added to what was there
        np.testing.assert_allclose(layer.embeddings.grad, expected, rtol=1e-12)


@pytest.mark.parametrize("x, message", [
    ([[1, 2], [3, 6]], r"input_dim=6. Received 6 at position \(., 1\)"), ([[1, -2]], r"-2 at position \(0, 1\)"),
    ([[1.5, 2]], r"1.5 at position \(0, 0\)"),
])  # fmt: skip
def test_wrong_indices(x, message):  # row 37
    x = np.array(x)
    with pytest.raises(IndexError, match=message):
        layers.Embedding(6, 3)(x)
    model = Sequential([layers.Embedding(6, 3), layers.Flatten(), layers.Dense(1)]).compile("sgd", "mse")
    model.build((None, 2))
    before = model.get_weights()
    for method in (lambda: model.fit(x, np.ones(len(x)), verbose=0), lambda: model.predict(x, verbose=0)):
        with pytest.raises(IndexError, match=message):
            method()
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_large_indices_are_exact():
    layer = layers.Embedding(2**24 + 2, 1, embeddings_initializer="zeros")
    model = Sequential([layer])
    model.build((None, 1))
    layer.embeddings.value[2**24 + 1] = 7
    assert model.predict(np.array([[2**24 + 1]]), verbose=0)[0, 0, 0] == 7


def test_embedding_learns():
    rng = np.random.default_rng(0)
    x = rng.integers(1, 20, (200, 6))
    y = (x == 3).any(axis=1).astype(int)
    model = Sequential([layers.Embedding(20, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(1)])
    model.compile("adam", "mse", learning_rate=0.05)
    model.fit(x, y, epochs=30, verbose=0)
    assert ((model.predict(x, verbose=0)[:, 0] > 0.5) == y).mean() > 0.95


def test_embedding_weights_and_length():
    table = np.arange(6.0).reshape(3, 2)
    for weights in (table, [table]):
        np.testing.assert_array_equal(layers.Embedding(3, 2, weights=weights)(np.array([[2]])), [[[4, 5]]])
    model = Sequential([layers.Embedding(3, 2, input_length=4), layers.Flatten()])
    assert model.output_shape == (None, 8)
    for argument in ("input_dim", "output_dim"):
        with pytest.raises(ValueError, match=f"`{argument}`"):
            layers.Embedding(**{"input_dim": 3, "output_dim": 2, argument: 0})


def test_masks():
    x = np.array([[1, 2, 0], [0, 0, 0]])
    np.testing.assert_array_equal(layers.Embedding(4, 2, mask_zero=True).compute_mask(x, None), x != 0)
    assert layers.Embedding(4, 2).compute_mask(x, None) is None
    x = np.array([[[1.0, 0], [5, 5], [5, 0]]], "float32")
    layer = layers.Masking(5.0)
    np.testing.assert_array_equal(layer(x), [[[1, 0], [0, 0], [5, 0]]])
    np.testing.assert_array_equal(layer.compute_mask(x, None), [[True, False, True]])
    check_layer(lambda: layers.Masking(), (4, 3))


def test_masked_steps_change_nothing():
    """A longer sequence that ends in padding gives what the shorter one does."""
    model = Sequential([layers.Embedding(9, 3, mask_zero=True), layers.LSTM(4), layers.Dense(1)])
    model.build((None, None))
    short = np.array([[3, 4, 5]])
    padded = np.array([[3, 4, 5, 0, 0]])
    np.testing.assert_allclose(model.predict(padded, verbose=0), model.predict(short, verbose=0), rtol=1e-6)


# Lambda.


def test_lambda():
    def double(x, factor=2.0):
        return x * factor

    np.testing.assert_array_equal(layers.Lambda(double)(np.ones((2, 3))), np.full((2, 3), 2))
    assert layers.Lambda(lambda x: x[:, :2]).compute_output_shape((None, 3)) == (None, 2)
    assert layers.Lambda(double, output_shape=(7,)).compute_output_shape((None, None)) == (None, 7)
    layer = layers.Lambda(double, arguments={"factor": 3.0}, gradient=lambda x, dy: 3 * dy)
    check_layer(layers.Lambda(double, arguments={"factor": 3.0}, gradient=lambda x, dy: 3 * dy, dtype="float64"), (4,),
                config_round_trip=False)  # fmt: skip
    with pytest.raises(ValueError, match="not restored from a config"):
        layers.deserialize(layers.serialize(layer))
    with pytest.raises(TypeError, match="function of an array"):
        layers.Lambda(3)


def test_lambda_without_gradient():
    """It may come first; after a layer with weights it is an error before anything is changed."""
    x, y = np.ones((4, 3)), np.zeros((4, 1))
    first = Sequential([layers.Lambda(lambda x: x / 2), layers.Dense(1)]).compile("sgd", "mse")
    first.fit(x, y, verbose=0)
    later = Sequential([layers.Dense(3), layers.Lambda(lambda x: x / 2, name="half"), layers.Dense(1)])
    later.compile("sgd", "mse", input_shape=(3,))
    before = later.get_weights()
    with pytest.raises(NotImplementedError, match="'half'.*no gradient"):
        later.fit(x, y, verbose=0)
    for a, b in zip(before, later.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_lambda_arguments():
    seen = {}

    def function(x, training=None, mask=None):
        seen.update(training=training, mask=mask)
        return x

    model = Sequential([layers.Masking(), layers.Lambda(function, mask=lambda x, m: m), layers.Dense(1)])
    model.compile("sgd", "mse", input_shape=(2, 1))
    model.fit(np.ones((2, 2, 1)), np.ones((2, 2, 1)), verbose=0)
    assert seen["training"] is True
    np.testing.assert_array_equal(seen["mask"], np.ones((2, 2), bool))


# EinsumDense.


@pytest.mark.parametrize("equation, shape, output_shape, bias_axes", [
    ("ab,bc->ac", (4,), 5, "c"), ("abc,cd->abd", (3, 4), (None, 5), "d"), ("abc,cd->abd", (3, 4), (3, 5), "bd"),
    ("...x,xy->...y", (3, 4), 5, "y"), ("ab...,bc->ac...", (3, 4, 2), 5, "c"),
    ("abc,cde->abde", (3, 4), (3, 2, 5), "de"),
    ("abcd,cde->abe", (3, 2, 4), (3, 5), None), ("abc,d->ad", (3, 4), 5, "d"), ("abc,dce->ade", (3, 4), (2, 5), "d"),
])  # fmt: skip
def test_einsum_dense(equation, shape, output_shape, bias_axes):
    check_layer(
        lambda: layers.EinsumDense(equation, output_shape, bias_axes=bias_axes, activation="tanh"), shape
    )


def test_einsum_dense_is_dense():
    dense, einsum = layers.Dense(5, activation="relu"), layers.EinsumDense("ab,bc->ac", 5, "relu", "c")
    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    dense(x)
    einsum(x)
    einsum.set_weights(dense.get_weights())
    assert relative_error(einsum(x), dense(x)) <= 1e-6


@pytest.mark.parametrize("arguments, shape, message", [
    (("ab->a", 3), (4,), "`equation`"), (("ab,bc", 3), (4,), "`equation`"), (("ab,bc->ac", 3), (4, 5), "takes inputs"),
    (("ab,bc->ad", 3), (4,), "has no size"), (("ab,bc->ac", 3, None, "x"), (4,), "`bias_axes`"),
    (("abc,cd->abd", (9, 3)), (4, 5), "does not fit"), (("abc,cd->abd", (None, 3)), (4, None), "needs to know"),
])  # fmt: skip
def test_einsum_dense_errors(arguments, shape, message):
    with pytest.raises(ValueError, match=message):
        layers.EinsumDense(*arguments).build_once((None, *shape))
