"""Activations: values, derivatives against central differences, in-place use, extremes, names."""

import pickle

import numpy as np
import pytest

from minikeras import activations, layers
from minikeras.activations import ActivationFunction

FUNCTIONS = sorted(activations._table)
FORMULAS = {
    "linear": lambda x: x,
    "relu": lambda x: np.where(x > 0, x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x: 1.05070098 * np.where(x > 0, x, 1.67326324 * (np.exp(x) - 1)),
    "exponential": np.exp,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "relu6": lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)),
    "hard_sigmoid": lambda x: np.where(x < -3, 0, np.where(x > 3, 1, x / 6 + 0.5)),
}


def numbers(shape=(6, 5), scale=2.0):
    return np.random.default_rng(0).standard_normal(shape) * scale


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value(name):
    for scale in (0.1, 2, 10):
        x = numbers(scale=scale)
        np.testing.assert_allclose(activations.get(name)(x), FORMULAS[name](x), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("shape", [(40,), (6, 5), (2, 3, 4)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivative(name, shape):
    function, rng = activations.get(name), np.random.default_rng(1)
    for scale in (0.5, 4):
        x = numbers(shape, scale)
        dy, direction = rng.standard_normal(shape), rng.standard_normal(shape)
        dx = np.full(shape, np.nan)
        function.gradient(dy, x if function.needs_input else None, function(x), dx)
        eps = 1e-5
        numeric = np.sum(dy * (function(x + eps * direction) - function(x - eps * direction))) / (2 * eps)
        assert abs(np.sum(dx * direction) - numeric) <= 1e-7 * max(1, np.abs(dx).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_in_place_and_strided(name, dtype):
    """Layers give one array for several arguments, and transposed views."""
    function = activations.get(name)
    x = numbers((4, 6)).astype(dtype)
    y, dy = function(x), np.cos(x)
    assert y.dtype == dtype
    dx = np.empty_like(x)
    function.gradient(dy, x, y, dx)

    z = x.copy()
    function.forward(z, z)
    np.testing.assert_array_equal(z, y)
    g = dy.copy()
    function.gradient(g, x, y, g)
    np.testing.assert_array_equal(g, dx)
    assert g.dtype == dtype

    strided = [np.asfortranarray(a) for a in (x, dy, y)]
    out = np.empty((6, 4), dtype).T
    function.forward(strided[0], out)
    np.testing.assert_allclose(out, y, rtol=1e-6)
    function.gradient(strided[1], strided[0], strided[2], out)
    np.testing.assert_allclose(out, dx, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_extremes(name):
    """No NaN and no warning (they are errors here), whatever comes in; float32, where exp overflows at 89."""
    function = activations.get(name)
    for size in (30.0, 100.0, 1000.0, 1e30):
        x = np.array([[-size, 0, size]], "float32")
        y = function(x)
        assert not np.isnan(y).any()
        if name != "exponential":
            assert np.isfinite(y).all()
            dx = np.empty_like(x)
            function.gradient(np.ones_like(x), x, y, dx)
            assert np.isfinite(dx).all()


def test_sigmoid_of_very_negative_numbers():
    x = np.array([-17, -30, -80], "float32")
    np.testing.assert_allclose(activations.sigmoid(x), np.exp(x.astype("float64")), rtol=1e-6)


def test_softmax_does_not_depend_on_the_level():
    x = numbers((3, 4))
    np.testing.assert_allclose(activations.softmax(x + 1000), activations.softmax(x), rtol=1e-10)
    np.testing.assert_allclose(activations.softmax(x).sum(axis=-1), 1)


def test_called_on_lists_and_integers():
    np.testing.assert_array_equal(activations.relu([-1, 2]), [0, 2])
    assert activations.relu([-1, 2]).dtype == "float32"
    assert activations.tanh(np.array(3)).shape == ()
    x = numbers()
    kept = x.copy()
    activations.softmax(x)
    np.testing.assert_array_equal(x, kept)


def test_get():
    assert activations.get("relu") is activations.relu
    assert activations.get("ReLU") is activations.relu
    assert activations.get("swish") is activations.silu is activations.swish
    assert activations.get(None) is activations.linear
    assert activations.get(activations.tanh) is activations.tanh
    assert activations.deserialize(activations.serialize(activations.tanh)) is activations.tanh
    assert pickle.loads(pickle.dumps(activations.tanh)) is activations.tanh
    with pytest.raises(ValueError, match=r"Unknown activation: 'rellu'. Did you mean 'relu'\?.*softmax"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="Unknown activation"):
        layers.Dense(3, activation="signoid")
    with pytest.raises(TypeError, match="activation.*3"):
        activations.get(3)


def test_custom_function():
    function = activations.get(np.sin)
    np.testing.assert_array_equal(function(np.array([0.5])), [np.sin(0.5)])
    assert function.gradient is None
    assert activations.serialize(function) == "sin"


def test_decorated_function():
    @ActivationFunction
    def square(x, out):
        """f(x) = x^2"""
        np.multiply(x, x, out=out)

    @square.derivative(needs_input=True)
    def square_gradient(dy, x, y, out):
        np.multiply(dy, 2 * x, out=out)

    assert (square.__name__, square.__doc__, square.needs_input) == ("square", "f(x) = x^2", True)
    assert square.gradient is square_gradient
    np.testing.assert_array_equal(square([3.0]), [9])
    assert repr(square) == "<activation square>"
