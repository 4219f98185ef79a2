"""The stack: shares of the batch on several threads give what one thread gives."""

import numpy as np
import pytest
from checks import assert_equal, settings

from minikeras import activations, layers
from minikeras import stack as stack_module
from minikeras.kernels import threads
from minikeras.layers import Layer
from minikeras.stack import Stack


@pytest.fixture(autouse=True)
def shares(monkeypatch):
    """Every batch is worth sharing, and everything is float64."""
    monkeypatch.setattr(stack_module, "HEAVY", 0.0)
    with settings("float64"):
        yield


def make_layers():
    return [
        layers.Rescaling(0.5),
        layers.Conv2D(4, 3, padding="same", activation="silu", kernel_initializer=_weights),
        layers.MaxPooling2D(2),
        layers.BatchNormalization(),
        layers.Conv2D(6, 2, strides=2, activation="relu", kernel_initializer=_weights),
        layers.ZeroPadding2D(),
        layers.AveragePooling2D(3, strides=1),
        layers.Dropout(0.3, seed=1),
        layers.Flatten(),
        layers.Dense(5, activation="tanh", kernel_initializer=_weights),
        layers.LeakyReLU(),
        layers.Dense(3, activation="softmax", kernel_initializer=_weights),
    ]


def _weights(shape, dtype):
    return np.random.default_rng(len(shape)).uniform(-0.5, 0.5, shape).astype(dtype)


def build(stack_layers, shape):
    shape = (None, *shape)
    for layer in stack_layers:
        layer.build_once(shape)
        shape = layer.compute_output_shape(shape)
    return Stack(stack_layers)


def images(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 9, 8, 2))


def run(stack, x, dy=None):
    """[outputs, gradient of the inputs, gradients of the weights]"""
    for layer in stack.layers:
        if hasattr(layer, "generator"):
            layer.generator = None
    y = np.array(stack.forward(x, training=True))
    dy = np.random.default_rng(9).standard_normal(y.shape) if dy is None else dy
    dx = np.array(stack.input_gradient(dy.copy()))
    return [y, dx] + [w.grad.copy() for layer in stack.layers for w in layer.trainable_weights]


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [2, 3])
def test_number_of_threads(monkeypatch, n, batch):
    results = []
    for number in (1, n):
        monkeypatch.setattr(threads, "_num_threads", number)
        results.append(run(build(make_layers(), (9, 8, 2)), images(batch)))
    for a, b in zip(*results):
        assert_equal(b, a, 1e-11)


def test_stack_is_the_layers_one_after_the_other(monkeypatch):
    monkeypatch.setattr(threads, "_num_threads", 2)
    shared, alone = build(make_layers(), (9, 8, 2)), make_layers()
    y, dx, *dweights = run(shared, images(6))
    x = images(6)
    for layer in alone:
        x = layer(x, training=True)
    assert_equal(y, x)
    dy = np.random.default_rng(9).standard_normal(y.shape)
    for layer in reversed(alone):
        dy = layer.backward(np.array(dy))
    assert_equal(dx, dy, 1e-11)
    for a, b in zip(dweights, [w.grad for layer in alone for w in layer.trainable_weights]):
        assert_equal(a, b, 1e-11)


def test_changing_batches(monkeypatch):
    """Smaller and larger batches, and inference in between, leave nothing behind."""
    monkeypatch.setattr(threads, "_num_threads", 2)
    stack = build(make_layers(), (9, 8, 2))
    for n in (6, 2, 1, 8, 3, 6):
        fresh = build(make_layers(), (9, 8, 2))
        for a, b in zip(run(stack, images(n, n)), run(fresh, images(n, n))):
            assert_equal(a, b, 1e-11)
        stack.forward(images(5, 1))


def segments(stack, x_shape, num_threads=2):
    plan = stack_module.plan_segments(stack.layers, x_shape, num_threads)
    return [(s.start, s.stop, len(s.bounds) - 1) for s in plan]


def test_segments(monkeypatch):
    stack = build(make_layers(), (9, 8, 2))
    shape = (6, 9, 8, 2)
    assert segments(stack, shape) == [(0, 3, 2), (3, 4, 1), (4, 7, 2), (7, 8, 1), (8, 12, 2)]
    assert segments(stack, shape, 1) == segments(stack, (1, *shape[1:]), 2) == [(0, 12, 1)]
    assert segments(stack, (2, *shape[1:]), 3)[0] == (0, 3, 2)
    monkeypatch.undo()
    assert segments(stack, shape) == [(0, 12, 1)]  # not enough to do
    first, *_, last = segments(stack, (100_000, *shape[1:]))
    assert first[2] == last[2] == 2


def test_layers_with_layers_inside_see_the_whole_batch(monkeypatch):
    class Around(Layer):
        rows_independent = True

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Dense(16, activation="tanh", kernel_initializer=_weights)

        def call(self, inputs, training=False):
            return self.inner(inputs)

        def backward(self, doutputs):
            return self.inner.run_backward(doutputs)

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 16)

    x, dy = np.random.default_rng(0).standard_normal((2, 8, 16))
    results = []
    for number in (1, 2):
        monkeypatch.setattr(threads, "_num_threads", number)
        results.append(run(build([Around(), layers.Dense(16, kernel_initializer=_weights)], (16,)), x, dy))
    for actual, expected in zip(*results):
        assert_equal(actual, expected)


def test_custom_layers_see_the_whole_batch(monkeypatch):
    monkeypatch.setattr(threads, "_num_threads", 2)
    seen = []

    class Center(Layer):
        def call(self, inputs):
            seen.append(len(inputs))
            return inputs - inputs.mean(axis=0)

        def backward(self, dy):
            return dy - dy.mean(axis=0)

        def compute_output_shape(self, input_shape):
            return input_shape

    class Custom(layers.Dense):
        def call(self, inputs, training=False):
            seen.append(len(inputs))
            return super().call(inputs, training)

    stack = build([layers.Dense(4), Center(), Custom(2), layers.ReLU()], (3,))
    assert segments(stack, (8, 3)) == [(0, 1, 2), (1, 3, 1), (3, 4, 2)]
    stack.forward(np.ones((8, 3)), training=True)
    assert seen == [8, 8]


def test_wide_dense_stands_alone():
    stack = build([layers.Dense(600), layers.Dense(300), layers.ReLU()], (10,))
    assert segments(stack, (8, 10)) == [(0, 1, 2), (1, 2, 1), (2, 3, 2)]


@pytest.mark.parametrize("n", [1, 2])
def test_frozen_layers_below_are_left_out(monkeypatch, n):
    monkeypatch.setattr(threads, "_num_threads", n)
    called = []

    class Probe(Layer):
        def call(self, inputs):
            return inputs

        def backward(self, dy):
            called.append(self.name)
            return dy

    parts = make_layers()
    parts.insert(3, Probe(name="low"))
    parts.insert(6, Probe(name="high"))
    for layer in parts[:5]:
        layer.trainable = False
    stack = build(parts, (9, 8, 2))
    y = stack.forward(images(6), training=True)
    dy = np.random.default_rng(9).standard_normal(y.shape)
    kept = {w.path: w.grad.copy() for layer in parts for w in layer.weights}
    stack.backward(dy.copy())
    assert called == ["high"]
    assert [layer.needs_input_gradient for layer in parts] == [i > 5 for i in range(len(parts))]
    for layer in parts[:5]:
        for w in layer.weights:
            np.testing.assert_array_equal(w.grad, kept[w.path])
    expected = [w.grad.copy() for layer in parts for w in layer.trainable_weights]
    assert len(expected) == 6
    parts[9].generator = None  # the same mask again
    stack.forward(images(6), training=True)
    stack.input_gradient(dy.copy())
    for w, e in zip([w for layer in parts for w in layer.trainable_weights], expected):
        assert_equal(w.grad, e)


def test_nothing_to_train():
    parts = make_layers()
    for layer in parts:
        layer.trainable = False
    stack = build(parts, (9, 8, 2))
    y = stack.forward(images(3), training=True)
    stack.backward(np.ones(y.shape))


def test_freezing_between_steps(monkeypatch):
    """Twins follow the layers they belong to."""
    monkeypatch.setattr(threads, "_num_threads", 2)
    parts = [layers.Dense(4, activation="tanh"), layers.Dense(3), layers.Dense(2)]
    stack = build(parts, (5,))
    x, dy = np.random.default_rng(0).standard_normal((6, 5)), np.ones((6, 2))
    stack.forward(x, training=True)
    stack.backward(dy.copy())
    parts[1].trainable = False
    parts[1].kernel.grad[...] = 7
    parts[0].kernel.grad[...] = 7
    stack.forward(x, training=True)
    stack.backward(dy.copy())
    assert (parts[1].kernel.grad == 7).all()
    parts[1].trainable = True
    for layer in parts:
        layer.kernel.assign(layer.kernel.value * 0.5)
    stack.forward(x, training=True)
    stack.backward(dy.copy())
    results = [layer.kernel.grad.copy() for layer in parts]
    monkeypatch.setattr(threads, "_num_threads", 1)
    stack.forward(x, training=True)
    stack.backward(dy.copy())
    for layer, result in zip(parts, results):
        assert_equal(result, layer.kernel.grad)


def test_twins_follow_their_layer(monkeypatch):
    monkeypatch.setattr(threads, "_num_threads", 2)
    stack = build([layers.Dense(4), layers.Activation("linear")], (5,))
    x = np.random.default_rng(0).standard_normal((6, 5))
    stack.forward(x, training=True)
    stack.layers[0].activation, stack.layers[1].activation = activations.tanh, activations.relu
    expected = np.maximum(np.tanh(x @ stack.layers[0].kernel.value), 0)
    assert_equal(stack.forward(x, training=True), expected)


def test_logits():
    parts = [layers.Dense(4, activation="tanh"), layers.Dense(3, activation="softmax")]
    stack = build(parts, (5,))
    y = stack.forward(np.random.default_rng(0).standard_normal((6, 5)), training=True)
    dlogits = np.random.default_rng(1).standard_normal(y.shape)
    stack.backward(dlogits.copy(), logits=True)
    assert_equal(parts[1].bias.grad, dlogits.sum(axis=0))


def test_errors_in_a_share_come_back(monkeypatch):
    monkeypatch.setattr(threads, "_num_threads", 3)
    fails = True

    def function(x):
        if fails and threads.current_share() == 2:
            raise ZeroDivisionError("in a share")
        return x

    stack = build([layers.Dense(3), layers.Activation(function)], (4,))
    with pytest.raises(ZeroDivisionError, match="in a share"):
        stack.forward(np.ones((6, 4)))
    fails = False
    assert_equal(stack.forward(np.ones((6, 4))), np.ones((6, 4)) @ stack.layers[0].kernel.value)
