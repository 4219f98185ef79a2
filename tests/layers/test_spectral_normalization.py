"""SpectralNormalization."""

import numpy as np
import pytest
from checks import assert_equal, settings

from minikeras import Sequential, layers, optimizers


def wrapped(layer, x, **arguments):
    wrapper = layers.SpectralNormalization(layer, **arguments)
    wrapper(x)
    return wrapper


@pytest.mark.parametrize("layer, shape", [
    (lambda: layers.Dense(5), (4,)), (lambda: layers.Conv2D(3, 2), (5, 4, 2)),
    (lambda: layers.DepthwiseConv2D(2), (5, 4, 2)),
], ids=["dense", "conv", "depthwise"])  # fmt: skip
def test_largest_singular_value_becomes_one(layer, shape):
    with settings():
        x = np.random.default_rng(0).standard_normal((3, *shape))
        wrapper = wrapped(layer(), x, power_iterations=300)
        before = wrapper.kernel.numpy()
        inference = wrapper(x)
        np.testing.assert_array_equal(wrapper.kernel.value, before)
        wrapper(x, training=True)
        matrix = before.reshape(-1, before.shape[-1])
        sigma = np.linalg.norm(matrix, 2)
        assert_equal(wrapper.kernel.value, before / sigma, 1e-9)
        assert_equal(wrapper.layer(x), wrapper(x))
        assert not np.allclose(inference, wrapper(x))
        u = np.linalg.svd(matrix)[2][:1]
        assert_equal(wrapper.vector_u.value * np.sign(wrapper.vector_u.value @ u.T), u, 1e-6)


def test_one_iteration_a_step_converges():
    with settings():
        x = np.random.default_rng(0).standard_normal((3, 6))
        wrapper = wrapped(layers.Dense(5), x)
        for _ in range(300):
            wrapper(x, training=True)
        assert abs(np.linalg.norm(wrapper.kernel.value, 2) - 1) <= 1e-9


def test_gradient_is_the_layers_own():
    with settings():
        x = np.random.default_rng(0).standard_normal((3, 4))
        wrapper = wrapped(layers.Dense(5, activation="tanh"), x)
        y = wrapper(x, training=True)
        dy = np.cos(7 * y)
        plain = layers.Dense(5, activation="tanh")
        plain(x)
        plain.set_weights(wrapper.layer.get_weights())
        assert_equal(plain(x, training=True), y)
        assert_equal(wrapper.backward(dy.copy()), plain.backward(dy.copy()))
        for a, b in zip(wrapper.trainable_weights, plain.trainable_weights):
            assert_equal(a.grad, b.grad)
        wrapper.needs_input_gradient = False
        assert wrapper.backward(dy.copy()) is None or not wrapper.layer.needs_input_gradient


def test_kernel_of_zeros():
    x = np.ones((2, 4), "float32")
    wrapper = wrapped(layers.Dense(3, kernel_initializer="zeros"), x)
    before = wrapper.get_weights()
    with np.errstate(all="raise"):
        wrapper(x, training=True)
    for a, b in zip(wrapper.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_weights_and_losses():
    wrapper = layers.SpectralNormalization(layers.Dense(3, kernel_regularizer="l2", name="d"), name="sn")
    assert wrapper.weights == []
    wrapper.build_once((None, 4))
    assert [w.name for w in wrapper.weights] == ["kernel", "vector_u", "bias"]
    assert [w.name for w in wrapper.trainable_weights] == ["kernel", "bias"]
    assert [w.name for w in wrapper.non_trainable_weights] == ["vector_u"]
    assert wrapper.count_params() == 12 + 3 + 3
    assert len(wrapper.losses) == 1
    wrapper.trainable = False
    assert wrapper.trainable_weights == []
    assert len(wrapper.non_trainable_weights) == 3
    again = layers.deserialize(layers.serialize(wrapper))
    assert layers.serialize(again) == layers.serialize(wrapper)


def test_training():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 4)).astype("float32")
    model = Sequential([layers.Input((4,)), layers.SpectralNormalization(layers.Dense(8, "relu")), layers.Dense(1)])
    model.compile(optimizers.Adam(0.03), "mse")
    history = model.fit(x, x.sum(axis=1), epochs=30, batch_size=16, verbose=0)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
    assert np.linalg.norm(model.layers[0].kernel.value, 2) <= 1.1


def test_bad_arguments():
    with pytest.raises(ValueError, match="MaxPooling2D, which has neither"):
        layers.SpectralNormalization(layers.MaxPooling2D()).build((None, 4, 4, 1))
    for iterations in (0, 1.5, True):
        with pytest.raises(ValueError, match="power_iterations"):
            layers.SpectralNormalization(layers.Dense(3), power_iterations=iterations)
    with pytest.raises(ValueError, match="SpectralNormalization wraps a layer"):
        layers.SpectralNormalization("dense")
