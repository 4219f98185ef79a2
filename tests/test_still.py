"""Looking into layers that act differently in training: what is seen is inference, with derivatives, and stays so."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization
from minikeras.kernels import threads
from minikeras.stack import run_forward
from minikeras.still import still_copies
from minikeras.visualization.looking import CopiedModel
from tests.checks import settings


@pytest.fixture(autouse=True)
def float64():
    keras.utils.set_random_seed(5)
    with settings("float64"):
        yield


class Custom(keras.Layer):
    def compute_output_shape(self, input_shape):
        return input_shape


class Snake(Custom):
    """Remembers in training only, as built-in layers do."""

    def call(self, inputs, training=False):
        self.inputs = inputs if training else None
        return inputs + np.sin(inputs) ** 2

    def backward(self, doutputs):
        return doutputs * (1 + np.sin(2 * self.inputs))


class Forgetful(Custom):
    """Random numbers in training, and none left over from it."""

    def call(self, inputs, training=False):
        self.factors = keras.config.make_generator().random(inputs.shape) if training else 1.0
        return inputs * self.factors

    def backward(self, doutputs):
        return doutputs * self.factors


class Centered(Custom):
    """A moving average, which inference uses."""

    def build(self, input_shape):
        self.mean = self.add_weight((input_shape[-1],), "zeros", trainable=False, name="mean")
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs, training=False):
        if training:
            self.mean.assign(0.5 * self.mean.value + 0.5 * inputs.reshape(-1, len(self.mean)).mean(axis=0))
        self.x = inputs - self.mean.value
        return self.x * self.scale

    def backward(self, doutputs):
        self.scale.grad = (doutputs * self.x).reshape(-1, len(self.scale)).sum(axis=0)
        return doutputs * self.scale


class Block(Custom):
    """Layers inside that act differently in training, and a model, called without a word about training."""

    def build(self, input_shape):
        self.inside = keras.Sequential([layers.BatchNormalization(), layers.Dense(input_shape[-1], "tanh")])
        self.inside.build(input_shape)
        self.dropout, self.snake = layers.Dropout(0.5), Snake()

    def call(self, inputs, training=False):
        return self.snake(self.dropout(self.inside(inputs)))

    def backward(self, doutputs):
        return self.inside.run_backward(self.dropout.run_backward(self.snake.run_backward(doutputs)))


class Twice(layers.Dropout):
    """A subclass of a layer that is known."""

    def call(self, inputs, training=False):
        return 2 * super().call(inputs, training)

    def backward(self, doutputs):
        return 2 * super().backward(doutputs)


class Always(layers.Dropout):
    """Does not ask whether it is training."""

    def call(self, inputs):
        return super().call(inputs, training=False) * 3

    def backward(self, doutputs):
        return super().backward(doutputs) * 3


class Leaky(keras.Layer):
    """A cell, which remembers in training only, with a layer inside."""

    state_size = 3

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")
        self.dropout = layers.Dropout(0.5)
        self.dropout.build_once(input_shape)

    def call(self, inputs, states, training=False):
        dropped = self.dropout(inputs, training=training)
        self.inputs = dropped if training else None
        h = 0.3 * states[0] + dropped @ self.kernel
        return h, [h]

    def backward(self, doutputs, dstates):
        dh = doutputs + dstates[0]
        self.kernel.grad = self.inputs.T @ dh
        return self.dropout.run_backward(dh @ self.kernel.value.T), [0.3 * dh]


LAYERS = {
    "snake": Snake,
    "forgetful": Forgetful,
    "centered": Centered,
    "block": Block,
    "twice": lambda: Twice(0.5),
    "always": lambda: Always(0.5),
    "dropout": lambda: layers.Dropout(0.5),
    "batch normalization": layers.BatchNormalization,
    "frozen": lambda: layers.BatchNormalization(trainable=False),
    "noise in each step": lambda: layers.TimeDistributed(layers.GaussianNoise(1.0)),
    "normalization of each step": lambda: layers.TimeDistributed(layers.BatchNormalization()),
    "lambda": lambda: layers.Lambda(
        lambda x, training: x * (5.0 if training else 2.0), gradient=lambda x, dy: dy * 2.0
    ),
    "cell": lambda: keras.Sequential([layers.Reshape((12, 3)), layers.RNN(Leaky(), return_sequences=True)]),
    "nested": lambda: keras.Sequential([keras.Sequential([layers.Dropout(0.5), Snake()]), layers.BatchNormalization()]),
}  # fmt: skip
SHAPE = (5, 4, 2)


@pytest.fixture(params=LAYERS)
def model(request):
    """A model whose moving averages and gradients are those of a few steps."""
    model = keras.Sequential([
        layers.Input(SHAPE), layers.RandomFlip(), layers.Conv2D(3, 2, activation="tanh"), LAYERS[request.param](),
        layers.Flatten(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    return model


X, Y = np.random.default_rng(0).normal(size=(6, *SHAPE)), np.arange(6) % 3
STEP = 1e-5


def test_derivatives_of_logits_are_those_of_inference(model):
    """Logarithms of softmax are the logits but for a number that all classes share."""
    ends = [np.log(model.predict(X[0] + s * STEP * np.eye(X[0].size).reshape(-1, *SHAPE), verbose=0)) for s in (1, -1)]
    expected = (ends[0] - ends[1]) / (2 * STEP)
    seen = [CopiedModel(model, X[:1], -1).gradient(c) for c in range(3)]
    for c in (0, 2):
        difference = (seen[c] - seen[1]).ravel()
        np.testing.assert_allclose(difference, expected[:, c] - expected[:, 1], rtol=1e-6, atol=1e-8)
    largest = np.abs(seen[1][0]).max(axis=-1)
    np.testing.assert_allclose(visualization.saliency(model, X[0], 1), largest, rtol=1e-12)


def test_inspection_is_that_of_inference(model):
    seen = model.inspect(X, Y)
    assert seen.loss == pytest.approx(model.evaluate(X, Y, batch_size=6, verbose=0), rel=1e-12)
    for i in np.ndindex(2, *SHAPE):
        if sum(i) % 7:
            continue
        ends = []
        for sign in (1, -1):
            x = X.copy()
            x[i] += sign * STEP
            ends.append(model.test_on_batch(x, Y))
        assert seen.input_gradient[i] == pytest.approx((ends[0] - ends[1]) / (2 * STEP), rel=1e-5, abs=1e-9)


def test_the_model_goes_on_as_if_nobody_had_looked():
    for name, make in LAYERS.items():
        results = []
        for looks in (False, True):
            keras.utils.set_random_seed(1)
            model = keras.Sequential([layers.Input(SHAPE), layers.Conv2D(3, 2), make(), layers.Flatten(),
                                      layers.Dense(3, activation="softmax")])  # fmt: skip
            model.compile("adam", "sparse_categorical_crossentropy")
            for _ in range(2):
                model.train_on_batch(X, Y)
                if looks:
                    flags = [layer.trainable for layer in model.all_layers()]
                    visualization.saliency(model, X[0])
                    visualization.grad_cam(model, X[0])
                    model.inspect(X, Y)
                    assert flags == [layer.trainable for layer in model.all_layers()], name
            results.append([*model.get_weights(), keras.config.make_generator().random()])
        for plain, looked_at in zip(*results, strict=True):
            np.testing.assert_array_equal(plain, looked_at, err_msg=name)


class Holder(Custom):
    def build(self, input_shape):
        self.inside = keras.Sequential([layers.Conv2D(4, 3, padding="same", activation="tanh")])
        self.inside.build(input_shape)

    def call(self, inputs, training=False):
        return self.inside(inputs)

    def backward(self, doutputs):
        return self.inside.run_backward(doutputs)


def test_a_model_inside_does_not_share_the_batch():
    """The twins of its layers, on other threads, would call what was set on the layers themselves."""
    holder = Holder()
    holder.build_once((None, 24, 24, 4))
    x = np.random.default_rng(0).normal(size=(96, 24, 24, 4))
    dy = np.random.default_rng(1).normal(size=x.shape)
    before = threads.num_threads()
    try:
        threads.set_num_threads(3)
        expected = np.array(holder(x, training=True)), np.array(holder.backward(dy.copy()))
        assert len(holder.inside.stack._teams) == 3  # it does, otherwise
        (copy,) = still_copies([holder])
        seen = run_forward([copy], x, True, None)[0].copy(), copy.backward(dy.copy())
    finally:
        threads.set_num_threads(before)
    for ours, theirs in zip(seen, expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(copy.inside.layers[0].kernel.grad, holder.inside.layers[0].kernel.grad, rtol=1e-10)


def test_custom_copies_remember_the_weights_that_they_had():
    layer = Centered()
    layer.build_once((None, 2))
    layer.mean.assign([3.0, 4.0])
    (copy,) = still_copies([layer])
    np.testing.assert_array_equal(copy.run(np.ones((1, 2)), training=True), [[-2, -3]])
    np.testing.assert_array_equal(copy.mean.value, [3, 4])
    np.testing.assert_array_equal(copy.x, [[-2, -3]])
    assert copy.run(np.ones((1, 2)), training=False).tolist() == [[-2, -3]]


class Untrained(Custom):
    """One whose `backward` leaves its weight out, which only a training minds."""

    def build(self, input_shape):
        self.scale = self.add_weight((), "ones", name="scale")

    def call(self, inputs, training=False):
        return inputs * self.scale.value

    def backward(self, doutputs):
        return doutputs * self.scale.value


def test_maps_need_no_gradients_of_weights():
    models = []
    for between in ([Untrained()], []):
        keras.utils.set_random_seed(1)
        models.append(keras.Sequential([layers.Input(SHAPE), layers.Conv2D(3, 2), *between, layers.Flatten(),
                                        layers.Dense(2)]))  # fmt: skip
    np.testing.assert_array_equal(*(visualization.saliency(model, X[0]) for model in models))
    with pytest.raises(ValueError, match="`backward` did not set the gradient of its weight 'scale'"):
        models[0].compile("sgd", "mse").inspect(X, np.ones((6, 2)))
