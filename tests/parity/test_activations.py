"""Activations beside Keras': names, signatures, values and derivatives, far from zero and at kinks as well."""


import numpy as np
import pytest

from minikeras import activations

NAMES = [*activations._names]
ARGUMENTS = [
    ("relu", {"negative_slope": 0.3}), ("relu", {"max_value": 6}), ("relu", {"max_value": 2.5}),
    ("relu", {"threshold": 1.0}), ("relu", {"threshold": -1.0}), ("relu", {"max_value": 2.0, "threshold": 0.5}),
    ("relu", {"max_value": 2.0, "negative_slope": 0.1}), ("relu", {"threshold": 0.5, "negative_slope": 0.1}),
    ("relu", {"max_value": 6, "threshold": 1.0, "negative_slope": 0.5}),
    ("relu", {"max_value": 2.0, "threshold": -1.0}), ("relu", {"max_value": 6, "negative_slope": 0.5}),
    ("leaky_relu", {"negative_slope": 0.01}), ("leaky_relu", {"negative_slope": 0.0}),
    ("elu", {"alpha": 0.3}), ("elu", {"alpha": 2.0}), ("celu", {"alpha": 0.3}), ("celu", {"alpha": 2.0}),
    ("gelu", {"approximate": True}), ("hard_shrink", {"threshold": 1.0}), ("soft_shrink", {"threshold": 0.0}),
    ("soft_shrink", {"threshold": 2.0}), ("squareplus", {"b": 0.5}), ("softmax", {"axis": 0}),
    ("softmax", {"axis": None}), ("log_softmax", {"axis": 0}), ("log_softmax", {"axis": None}),
    ("sparsemax", {"axis": 0}), ("glu", {"axis": 0}), ("threshold", {"threshold": 0.5, "default_value": -3.0}),
    ("threshold", {"threshold": -1.0, "default_value": 20.0}),
]  # fmt: skip
ROWS = [(name, {}) for name in NAMES if name != "threshold"] + ARGUMENTS
IDS = [name + "".join(f" {k}={v}" for k, v in arguments.items()) for name, arguments in ROWS]
KINKS = [-6, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 2.5, 3, 6]


def compare(keras, name, arguments, x):
    import torch

    rtol, atol = 1e-5, 2e-6
    if name in ("squareplus", "sparsemax"):  # differences of numbers as large as x
        atol *= max(1, np.abs(x).max() / 10)
    dy_shape = activations.get(name)(x, **arguments).shape
    dy = np.random.default_rng(0).standard_normal(dy_shape).astype("float32")
    tensor = torch.tensor(x, requires_grad=True)
    expected = getattr(keras.activations, name)(tensor, **arguments)
    (expected_dx,) = torch.autograd.grad(expected, tensor, torch.tensor(dy))
    expected, expected_dx = expected.detach().numpy(), expected_dx.numpy()
    wrapped = activations.get(lambda x: activations.get(name)(x, **arguments))
    for function in {activations.get(name).bind(**arguments), wrapped}:
        y = np.full_like(dy, np.nan)
        function.forward(x, y)
        np.testing.assert_allclose(y, function(x))
        np.testing.assert_allclose(y, activations.get(name)(x, **arguments))
        np.testing.assert_allclose(y, expected, rtol=rtol, atol=atol)
        dx = np.full_like(x, np.nan)
        function.gradient(dy, x if function.needs_input else None, y, dx)
        # Derivatives from the outputs alone lose digits where the outputs do, so small ones are compared absolutely.
        np.testing.assert_allclose(dx, expected_dx, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name, arguments", ROWS, ids=IDS)
def test_values_and_derivatives(keras, name, arguments):
    rng = np.random.default_rng(0)
    x = np.concatenate([scale * rng.standard_normal((20, 10)) for scale in (1, 5, 40)]).astype("float32")
    with np.errstate(invalid="ignore"):  # exp overflows in both
        compare(keras, name, arguments, x)


@pytest.mark.parametrize("name, arguments", ROWS, ids=IDS)
def test_kinks(keras, name, arguments):
    compare(keras, name, arguments, np.array([KINKS, KINKS[::-1]], "float32"))


@pytest.mark.parametrize("name, arguments", [row for row in ROWS if row[0] != "exponential"], ids=str)
def test_far_from_zero(keras, name, arguments):
    compare(keras, name, arguments, np.array([[-1e4, 1e4, 0, 1], [1e4, -1e4, -100, 100]], "float32"))


@pytest.mark.parametrize("name", NAMES)
def test_config(keras, name):
    assert activations.serialize(activations.get(name)) == keras.activations.serialize(keras.activations.get(name))
    assert activations.get(keras.activations.serialize(keras.activations.get(name))) is activations.get(name)


def test_no_activation(keras):
    assert activations.serialize(activations.get(None)) == keras.activations.serialize(keras.activations.get(None))
