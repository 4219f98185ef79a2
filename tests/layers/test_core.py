"""Input, Dense, Activation."""

import numpy as np
import pytest
from checks import assert_equal, check_layer, settings

from minikeras import activations, layers, losses
from minikeras.kernels import threads

DENSE = {
    "plain": ((4,), {"units": 5}),
    "one unit": ((4,), {"units": 1}),
    "one input": ((1,), {"units": 3}),
    "no bias": ((4,), {"units": 5, "use_bias": False}),
    "rank 3": ((3, 4), {"units": 2, "activation": "tanh"}),
    "rank 4": ((2, 3, 4), {"units": 5, "activation": "silu"}),
    "regularized": ((4,), {"units": 3, "kernel_regularizer": "l2", "bias_regularizer": "l1"}),
    "constrained": ((4,), {"units": 3, "kernel_constraint": "max_norm", "bias_constraint": "non_neg"}),
    "initializers": ((4,), {"units": 3, "kernel_initializer": "he_normal", "bias_initializer": "ones"}),
    "frozen": ((4,), {"units": 3, "trainable": False}),
}
ACTIVATIONS = sorted(activations._table)


@pytest.mark.parametrize("input_shape, arguments", DENSE.values(), ids=DENSE)
def test_dense(input_shape, arguments):
    check_layer(lambda: layers.Dense(**arguments), input_shape)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_dense_with_activation(name):
    check_layer(lambda: layers.Dense(5, activation=name), (4,))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    check_layer(lambda: layers.Activation(name), (3, 4))
    check_layer(lambda: layers.Activation(name), (7,), batch=1)


def test_dense_is_the_formula():
    layer = layers.Dense(2, activation="relu", bias_initializer=lambda shape, dtype: np.array([1.0, -1.0]))
    x = np.array([[1.0, 2.0], [-3.0, 4.0]], "float32")
    y = layer(x)
    np.testing.assert_allclose(y, np.maximum(x @ layer.kernel.value + [1, -1], 0), rtol=1e-6)


@pytest.mark.parametrize("shape", [(700, 300), (40, 900), (3, 1024)])
def test_wide_dense_is_cut_across_threads(shape, monkeypatch):
    with settings():
        layer = layers.Dense(500, activation="sigmoid")
        x = np.random.default_rng(0).standard_normal(shape)
        results = []
        for n in (1, 2, 3):
            monkeypatch.setattr(threads, "_num_threads", n)
            y = layer(x, training=True)
            dx = layer.backward(np.cos(y)).copy()
            results.append((y, dx, layer.kernel.grad.copy(), layer.bias.grad.copy()))
        for result in results[1:]:
            for a, b in zip(result, results[0]):
                assert_equal(a, b)


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_backward_logits_is_backward_without_the_activation(name):
    with settings():
        rng = np.random.default_rng(0)
        for layer in (layers.Dense(4, activation=name), layers.Activation(name), layers.Conv2D(4, 2, activation=name)):
            x = rng.standard_normal((3, 4, 4, 4) if isinstance(layer, layers.Conv2D) else (3, 4))
            y = layer(x, training=True)
            loss = losses.CategoricalCrossentropy() if name == "softmax" else losses.BinaryCrossentropy()
            t = rng.uniform(size=y.shape)
            t /= t.sum(axis=-1, keepdims=True)
            split = np.array(layer.backward(loss.gradient(t, y)))
            together = np.array(layer.backward_logits(loss.logits_gradient(t, y)))
            assert_equal(together, split, tolerance=1e-6)


def test_derivative_of_a_confident_softmax():
    """With a logit gap of 100 the derivative through probabilities is 0; taken together with the loss it is not."""
    layer = layers.Softmax()
    y = layer(np.array([[100.0, 0.0]]), training=True)
    gradient = losses.SparseCategoricalCrossentropy().logits_gradient(np.array([1]), y)
    np.testing.assert_allclose(layer.backward_logits(gradient), [[1, -1]], atol=1e-6)


def test_custom_activation():
    def cube(x, out):
        np.multiply(x, x * x, out=out)

    def cube_gradient(dy, x, y, out):
        np.multiply(dy, 3 * x * x, out=out)

    function = activations.ActivationFunction(cube, cube_gradient, needs_input=True)
    for make in (
        lambda: layers.Dense(3, activation=function),
        lambda: layers.Activation(function),
        lambda: layers.Conv2D(2, 2, activation=function, data_format="channels_first"),
    ):
        rank = 3 if isinstance(make(), layers.Conv2D) else 1
        check_layer(make, (4,) * rank, config_round_trip=False)


def test_activation_without_derivative_predicts_but_does_not_train():
    layer = layers.Dense(3, activation=lambda x: x**2, name="squares")
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(layer(x, training=True), (x @ layer.kernel.value) ** 2, rtol=1e-6)
    with pytest.raises(ValueError, match=r"squares.*no derivative"):
        layer.backward(np.ones((2, 3), "float32"))


def test_input():
    tensor = layers.Input((3, 4))
    assert tensor.shape == (None, 3, 4)
    assert layers.Input(batch_shape=(8, 2)).shape == (8, 2)
    assert layers.Input((2,), batch_size=8).shape == (8, 2)
    layer = tensor.layer
    assert isinstance(layer, layers.InputLayer)
    assert layer.output is tensor
    x = np.ones((2, 3, 4), "float32")
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    again = layers.deserialize(layers.serialize(layer))
    assert again.batch_shape == layer.batch_shape
    assert again.name == layer.name
    for arguments in ({}, {"shape": (2,), "batch_shape": (None, 2)}, {"shape": 3}, {"shape": (0,)}, {"shape": (2.5,)}):
        with pytest.raises(ValueError, match="shape"):
            layers.InputLayer(**arguments)
