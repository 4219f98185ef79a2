"""ReLU, LeakyReLU, ELU, PReLU, Softmax."""

import pickle

import numpy as np
import pytest
from checks import assert_equal, check_layer, settings

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
    "elu": (layers.ELU, {}),
    "elu alpha": (layers.ELU, {"alpha": 0.3}),
    "prelu": (layers.PReLU, {}),
    "prelu shared": (layers.PReLU, {"shared_axes": [1]}),
    "softmax": (layers.Softmax, {}),
    "softmax axis 1": (layers.Softmax, {"axis": 1}),
    "softmax axis 2": (layers.Softmax, {"axis": 2}),
    "softmax axes": (layers.Softmax, {"axis": [1, 3]}),
}


@pytest.mark.parametrize("cls, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_layer(cls, arguments):
    check_layer(lambda: cls(**arguments), (3, 4, 5))
    if np.max(arguments.get("axis", 1)) < 2:
        check_layer(lambda: cls(**arguments), (6,), batch=1)


def test_softmax_over_the_batch():
    layer = check_layer(lambda: layers.Softmax(axis=0), (4,), mixes_rows=True)
    assert not layer.rows_independent
    np.testing.assert_allclose(layers.Softmax()(np.array([1.0, 2.0, 1.0])), [0.21194157, 0.5761169, 0.21194157])
    assert layers.Softmax().rows_independent


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
    (layers.LeakyReLU, {"negative_slope": True}, "negative_slope"), (layers.Softmax, {"axis": 1.5}, "axis"),
    (layers.Softmax, {"axis": []}, "axis"), (layers.Softmax, {"axis": None}, "axis"),
    (layers.ELU, {"alpha": "1"}, "alpha"),
    (layers.PReLU, {"shared_axes": 0}, "shared_axes"),
    (layers.PReLU, {"shared_axes": [1.0]}, "shared_axes"),
])  # fmt: skip
def test_bad_arguments(cls, arguments, name):
    with pytest.raises(ValueError, match=name):
        cls(**arguments)


def test_softmax_axis_outside():
    for axis in (3, -4, (1, 3)):
        with pytest.raises(ValueError, match="axis="):
            layers.Softmax(axis=axis)(np.zeros((2, 3, 4)))


def test_softmax_over_another_axis_does_not_pass_for_no_activation(recwarn):
    for axis in (1, 2, -1, [1, 2]):
        model = Sequential([layers.Dense(3), layers.Softmax(axis=axis)])
        model.compile("sgd", "cce", input_shape=(4, 5))
    assert not recwarn.list


def test_masked_softmax():
    with settings():
        x = np.random.default_rng(0).standard_normal((3, 4))
        mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
        layer = layers.Softmax()
        y = layer(x, training=True, mask=mask)
        assert_equal(y[0, [0, 1, 3]], layers.Softmax()(x[:1, [0, 1, 3]])[0])
        np.testing.assert_array_equal(y[1:], [[0, 0, 0, 0], [1, 0, 0, 0]])
        np.testing.assert_array_equal(layer(x, mask=mask.astype("float64") * 0.6), y)
        layer(x, training=True, mask=mask)
        dx = layer.backward(np.ones_like(x) + x)
        assert (dx[~mask] == 0).all()
        np.testing.assert_array_equal(layer.backward_logits(np.ones_like(x)), mask)
        assert_equal(layer(x), layers.Softmax()(x))  # the mask is forgotten
        with pytest.raises(ValueError, match=r"mask.*\(3, 4\).*\(3, 4, 2\)"):
            layer(np.zeros((3, 4, 2)), mask=mask)
        with pytest.raises(ValueError, match="mask"):
            layer(x, mask=mask[None])


def test_softmax_of_extremes():
    with np.errstate(all="raise"):
        x = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4]], "float32")
        for axis in (-1, 0, (0, 1)):
            layer = layers.Softmax(axis=axis)
            y = layer(x, training=True)
            assert np.isfinite(y).all()
            assert np.isfinite(layer.backward(np.array([[1, -2, 3], [0, 1, 2]], "float32"))).all()


def test_prelu():
    layer = layers.PReLU(alpha_initializer="ones", alpha_regularizer="l2", shared_axes=[1, 2])
    x = np.array([[[[-1.0, 2.0], [3.0, -4.0]]]], "float32")
    np.testing.assert_array_equal(layer(x, training=True), x)
    assert layer.alpha.shape == (1, 1, 2)
    layer.backward(np.ones_like(x))
    np.testing.assert_array_equal(layer.alpha.grad, [[[-1, -4]]])
    assert layer.losses == [pytest.approx(0.02)]
    layer(np.zeros((1, 5, 7, 2)))  # other sizes of shared axes
    with pytest.raises(ValueError, match=r"\(1, 1, 2\).*\(None, 1, 2, 3\)"):
        layer(np.zeros((1, 1, 2, 3)))
    with pytest.raises(ValueError, match=r"shared_axes=\[1\]"):
        layers.PReLU().build((None, None, 3))
    with pytest.raises(ValueError, match=r"shared_axes=\[3\]"):
        layers.PReLU(shared_axes=3).build((None, 2, 3))


def test_as_activation_of_another_layer():
    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    for activation in (layers.LeakyReLU(0.1), layers.ReLU(max_value=0.5), layers.ELU(0.5), layers.Softmax()):
        dense = layers.Dense(5, activation=activation)
        plain = layers.Dense(5)
        plain(x)
        y = dense(x, training=True)
        plain.set_weights(dense.get_weights())
        np.testing.assert_allclose(y, activation(plain(x, training=True), training=True), rtol=1e-6)
        dy = np.cos(7 * y)
        np.testing.assert_allclose(dense.backward(dy.copy()), plain.backward(activation.backward(dy)), atol=1e-6)
        for again in (pickle.loads(pickle.dumps(dense)), layers.deserialize(layers.serialize(dense))):
            assert again.get_config() == dense.get_config()
            assert again.activation.gradient is not None
    with pytest.raises(ValueError, match="PReLU has weights"):
        layers.Dense(3, activation=layers.PReLU())
    model = Sequential([layers.Input((4,)), layers.Dense(3, activation=layers.Softmax())])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model._fused_activation()
