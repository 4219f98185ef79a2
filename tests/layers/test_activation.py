"""ReLU, LeakyReLU, Softmax."""

import numpy as np
import pytest
from checks import check_layer

from minikeras import Sequential, layers

CONFIGURATIONS = {
    "relu": (layers.ReLU, {}),
    "relu max": (layers.ReLU, {"max_value": 0.7}),
    "relu slope": (layers.ReLU, {"negative_slope": 0.2}),
    "relu threshold": (layers.ReLU, {"threshold": 0.4}),
    "relu all": (layers.ReLU, {"max_value": 0.9, "negative_slope": 0.1, "threshold": 0.3}),
    "relu max below threshold": (layers.ReLU, {"max_value": 0.2, "negative_slope": 0.1, "threshold": 0.5}),
    "leaky": (layers.LeakyReLU, {}),
    "leaky steep": (layers.LeakyReLU, {"negative_slope": 2.0}),
    "leaky flat": (layers.LeakyReLU, {"negative_slope": 0.0}),
    "softmax": (layers.Softmax, {}),
    "softmax axis 1": (layers.Softmax, {"axis": 1}),
    "softmax axis 2": (layers.Softmax, {"axis": 2}),
}


@pytest.mark.parametrize("cls, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_layer(cls, arguments):
    check_layer(lambda: cls(**arguments), (3, 4, 5))
    if arguments.get("axis", 1) < 2:
        check_layer(lambda: cls(**arguments), (6,), batch=1)


def test_relu_is_the_formula():
    x = np.array([[-2.0, 0.0, 0.5, 1.0, 1.5, 3.0]], "float32")
    np.testing.assert_array_equal(layers.ReLU()(x), [[0, 0, 0.5, 1, 1.5, 3]])
    np.testing.assert_allclose(
        layers.ReLU(max_value=2, negative_slope=0.5, threshold=1)(x), [[-1.5, -0.5, -0.25, 0, 1.5, 2]]
    )


def test_derivative_at_the_kink_is_the_one_from_below():
    x = np.zeros((1, 1), "float32")
    for layer, slope in ((layers.ReLU(), 0), (layers.LeakyReLU(0.25), 0.25), (layers.ReLU(negative_slope=0.5), 0.5)):
        layer(x, training=True)
        assert layer.backward(np.ones((1, 1), "float32")).item() == slope


@pytest.mark.parametrize("cls, arguments, name", [
    (layers.ReLU, {"max_value": -1}, "max_value"), (layers.ReLU, {"negative_slope": -1}, "negative_slope"),
    (layers.ReLU, {"threshold": None}, "threshold"), (layers.LeakyReLU, {"negative_slope": None}, "negative_slope"),
    (layers.LeakyReLU, {"negative_slope": True}, "negative_slope"), (layers.Softmax, {"axis": 0}, "axis"),
])  # fmt: skip
def test_bad_arguments(cls, arguments, name):
    with pytest.raises(ValueError, match=name):
        cls(**arguments)


def test_softmax_axis_outside():
    with pytest.raises(ValueError, match="axis=3"):
        layers.Softmax(axis=3)(np.zeros((2, 3, 4)))


def test_softmax_over_another_axis_does_not_pass_for_no_activation(recwarn):
    for axis in (1, 2, -1):
        model = Sequential([layers.Dense(3), layers.Softmax(axis=axis)])
        model.compile("sgd", "cce", input_shape=(4, 5))
    assert not recwarn.list
