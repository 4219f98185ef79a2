"""Activations: values, derivatives against central differences, in-place use, extremes, names."""

import copy
import functools
import math
import pickle

import numpy as np
import pytest

from minikeras import activations, layers
from minikeras.activations import ActivationFunction
from minikeras.activations.sigmoids import normal_distribution

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
    "celu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "log_sigmoid": lambda x: -np.log(1 + np.exp(-x)),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(axis=-1, keepdims=True)),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "hard_tanh": lambda x: np.where(x < -1, -1, np.where(x > 1, 1, x)),
    "hard_silu": lambda x: np.where(x < -3, 0, np.where(x > 3, x, x * (x + 3) / 6)),
    "hard_shrink": lambda x: np.where(abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.where(x > 0.5, x - 0.5, np.where(x < -0.5, x + 0.5, 0)),
    "sparse_sigmoid": lambda x: np.where(x <= -1, 0, np.where(x >= 1, 1, (x + 1) / 2)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparsemax": lambda x: np.apply_along_axis(sparsemax_of_vector, -1, x),
    "relu6": lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)),
    "hard_sigmoid": lambda x: np.where(x < -3, 0, np.where(x > 3, 1, x / 6 + 0.5)),
}


def sparsemax_of_vector(x):
    """As Keras has it: see the docstring of `sparsemax`."""
    sums = np.cumsum(sorted(x, reverse=True))
    k = max(j for j in range(1, len(x) + 1) if sorted(x, reverse=True)[j - 1] > (sums[j - 1] - 1) / j)
    return np.maximum(x - (sums[:k].sum() - 1) / k, 0)


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


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "log_sigmoid", "silu", "hard_sigmoid", "relu", "gelu", "softplus"])
def test_in_place_on_every_other_number(name):
    """As on one gate of several; NumPy's own `negative` has a stride at which it is wrong."""
    function = activations.get(name)
    for dtype in ("float32", "float64"):
        for stride in range(1, 10):
            numbers_apart = numbers((40, stride)).astype(dtype)
            column = numbers_apart[:, -1]
            expected = function(column.copy())
            function.forward(column, column)
            np.testing.assert_allclose(column, expected, rtol=1e-6)


@pytest.mark.parametrize("name", [*FUNCTIONS, "approximate gelu"])
def test_extremes(name):
    """No NaN and no warning (they are errors here), whatever comes in; float32, where exp overflows at 89."""
    function = activations.get(name) if name in FUNCTIONS else activations.gelu.bind(approximate=True)
    for size in (30.0, 100.0, 1000.0, 1e30):
        x = np.array([[-size, 0, size]], "float32")
        y = function(x)
        assert not np.isnan(y).any()
        if name != "exponential":
            assert np.isfinite(y).all()
            dx = np.empty_like(x)
            function.gradient(np.ones_like(x), x, y, dx)
            assert np.isfinite(dx).all()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_flag_is_raised(name, dtype):
    """Not even NumPy's flag of underflow, for logits of 10,000."""
    function = activations.get(name)
    x = np.array([[-1e4, -100, -20, 0, 20, 100, 1e4], [1e4] * 7, [-1e4] * 7], dtype)
    if name == "exponential":
        x = np.minimum(x, 50)
    dy = np.array([[1e-3, 1, -1, 2, -3, 1, 1]], dtype).repeat(3, axis=0)
    with np.errstate(all="raise"):
        y = function(x)
        dx = np.empty_like(x)
        function.gradient(dy, x, y, dx)
    assert np.isfinite(y).all()
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


def test_bound_arguments():
    x = numbers()
    clipped = activations.relu.bind(max_value=1.0)
    np.testing.assert_array_equal(clipped(x), np.clip(x, 0, 1))
    np.testing.assert_array_equal(clipped(x), activations.relu(x, 0.0, 1.0))
    assert activations.relu.bind() is activations.relu
    assert activations.softmax.bind(axis=-1) is activations.softmax
    assert clipped.bind(max_value=None) is activations.relu
    assert activations.softmax.bind(axis=0).__name__ == "softmax(axis=0)"  # it does not pass for the usual one
    assert clipped.bind(threshold=0.5).arguments == {"max_value": 1.0, "threshold": 0.5}
    assert repr(clipped) == "<activation relu(max_value=1.0)>"
    with pytest.raises(TypeError, match="maximum"):
        activations.relu.bind(maximum=3)
    config = activations.serialize(clipped)
    for again in (activations.get(config), pickle.loads(pickle.dumps(clipped)), copy.deepcopy(clipped)):
        assert again.arguments == clipped.arguments
        np.testing.assert_array_equal(again(x), clipped(x))
        assert activations.serialize(again) == config
    assert copy.deepcopy(activations.relu) is activations.relu


def test_callables_that_give_arguments_keep_the_derivative():
    x = numbers()
    for wrapped in (lambda x: activations.elu(x, alpha=0.3), functools.partial(activations.elu, alpha=0.3)):
        function = activations.get(wrapped)
        assert function.arguments == {"alpha": 0.3}
        np.testing.assert_array_equal(function(x), activations.elu(x, alpha=0.3))
    assert activations.get(lambda x: activations.relu(x)) is activations.relu
    assert activations.get(lambda x: 2 * activations.relu(x)).gradient is None
    assert not activations.get(np.cumsum).elementwise


def test_config_of_keras_kind():
    config = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "relu"}
    assert activations.get(config) is activations.relu
    with pytest.raises(ValueError, match="Unknown"):
        activations.get({"class_name": "Nothing", "config": {}})


def test_glu():
    x = numbers((3, 4, 6))
    for axis, halves in ((-1, (x[..., :3], x[..., 3:])), (1, (x[:, :2], x[:, 2:]))):
        function = activations.glu.bind(axis=axis)
        a, b = halves
        y = function(x)
        np.testing.assert_allclose(y, a / (1 + np.exp(-b)))
        rng = np.random.default_rng(1)
        dy, direction, dx = rng.standard_normal(y.shape), rng.standard_normal(x.shape), np.full(x.shape, np.nan)
        function.gradient(dy, x, y, dx)
        numeric = np.sum(dy * (function(x + 1e-5 * direction) - function(x - 1e-5 * direction))) / 2e-5
        assert abs(np.sum(dx * direction) - numeric) <= 1e-7
    with pytest.raises(ValueError, match=r"must be even.*\(2, 5\)"):
        activations.glu(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="Lambda"):
        layers.Dense(4, activation="glu")(np.zeros((2, 3)))


def test_threshold():
    x = np.array([[-1.0, 0.5, 0.6, 3.0]])
    function = activations.threshold.bind(0.5, -2.0)
    np.testing.assert_array_equal(function(x), [[-2, -2, 0.6, 3]])
    dx = np.ones_like(x)
    function.gradient(dx, x, function(x), dx)
    np.testing.assert_array_equal(dx, [[0, 0, 1, 1]])
    z = x.copy()
    function.forward(z, z)
    np.testing.assert_array_equal(z, function(x))
    with pytest.raises(TypeError, match="threshold.*default_value"):
        activations.threshold(x)


@pytest.mark.parametrize("call", [
    lambda x: activations.squareplus(x, b=-1), lambda x: activations.celu(x, alpha=0.0),
])  # fmt: skip
def test_bad_arguments(call):
    with pytest.raises(ValueError, match=r"(b=-1|alpha=0.0)"):
        call(np.zeros(3))


def test_squareplus_without_smoothing_is_relu():
    x = np.array([-2.0, 0.0, 3.0])
    function = activations.squareplus.bind(b=0)
    np.testing.assert_array_equal(function(x), [0, 0, 3])
    dx = np.empty(3)
    function.gradient(np.ones(3), x, function(x), dx)
    np.testing.assert_array_equal(dx, [0, 0.5, 1])


def test_normal_distribution_in_the_tails():
    x = np.linspace(-30, 30, 601)
    exact = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x])
    np.testing.assert_allclose(normal_distribution(x), exact, rtol=1e-12)
    single = x.astype("float32")
    np.testing.assert_allclose(normal_distribution(single)[single > -5], exact[single > -5], rtol=3e-6)


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
