"""Cells of one's own in recurrent layers, and what recurrent layers and wrappers refuse."""

import copy
import inspect

import numpy as np
import pytest
from checks import assert_equal, check_layer, settings

from minikeras import Sequential, constraints, initializers, layers, registry, regularizers, utils


@utils.register_keras_serializable("recurrent cells")
class Leaky(layers.Layer):
    """Outputs that are no state: y = h + c; h_t = tanh(x @ kernel + h * decay), c_t = c / 2 + sum of h_t"""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, 1]
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.decay = self.add_weight((self.units,), "ones", name="decay")

    def call(self, inputs, states):
        h, c = states
        self.inputs, self.before = inputs, h
        self.h = np.tanh(inputs @ self.kernel.value + h * self.decay.value)
        c = c / 2 + self.h.sum(axis=1, keepdims=True)
        return self.h + c, [self.h, c]

    def backward(self, doutputs, dstates):
        dc = dstates[1] + doutputs.sum(axis=1, keepdims=True)
        dh = doutputs + dstates[0] + dc
        dz = dh * (1 - self.h**2)
        self.kernel.grad = self.inputs.T @ dz
        self.decay.grad = (dz * self.before).sum(axis=0)
        return dz @ self.kernel.value.T, [dz * self.decay.value, dc / 2]


class Minimal(layers.Layer):
    """One state, given as a number; Keras' own example."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, self.units), name="recurrent_kernel")

    def call(self, inputs, states, training=False):
        self.seen_training = training
        output = inputs @ self.kernel.value + states[0] @ self.recurrent_kernel.value
        return output, [output]


@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True},
])  # fmt: skip
def test_derivatives(options):
    check_layer(lambda: layers.RNN(Leaky(3), **options), (20, 2), tolerance=1e-6)
    check_layer(lambda: layers.RNN([Leaky(3), layers.LSTMCell(2), Leaky(4)], **options), (5, 2), tolerance=1e-6)
    check_layer(lambda: layers.Bidirectional(layers.RNN(Leaky(3), **{**options, "go_backwards": False})), (4, 2))
    check_layer(lambda: layers.TimeDistributed(layers.RNN(Leaky(3), **options)), (2, 4, 2))


class Inside(layers.Layer):
    """A cell made of layers: h_t = tanh(input(x) + recurrent(h))."""

    state_size = 3

    def build(self, input_shape):
        self.input_dense, self.recurrent_dense = layers.Dense(3), layers.Dense(3, use_bias=False)
        self.input_dense.build_once(input_shape)
        self.recurrent_dense.build_once((None, 3))

    def call(self, inputs, states, training=False):
        self.h = np.tanh(self.input_dense(inputs) + self.recurrent_dense(states[0]))
        return self.h, [self.h]

    def backward(self, doutputs, dstates):
        dz = (doutputs + dstates[0]) * (1 - self.h**2)
        return self.input_dense.run_backward(dz.copy()), [self.recurrent_dense.run_backward(dz)]


def test_layers_in_a_cell_remember_each_step():
    check_layer(lambda: layers.RNN(Inside()), (4, 2), config_round_trip=False)


def test_a_cell_may_return_its_buffers():
    class Buffered(layers.Layer):
        state_size = 3

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")

        def call(self, inputs, states):
            h = self.buffer("h", (len(inputs), 3))
            np.matmul(inputs, self.kernel.value, out=h)
            h += 0.5 * states[0]
            return h, [h]

    layer, x = layers.RNN(Buffered()), np.random.default_rng(0).random((2, 4, 5), "float32")
    assert_equal(layer(x), layer(x, training=True), 1e-6)


def test_masked_and_stateful():
    with settings():
        rng = np.random.default_rng(0)
        layer = layers.RNN(Leaky(3), return_sequences=True)
        x, mask = rng.standard_normal((3, 4, 2)), np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
        y = layer(x, training=True, mask=mask)
        short = layer(x[:1, [0, 2]])
        np.testing.assert_allclose(y[0], short[0][[0, 0, 1, 1]])
        assert (y[1] == 0).all()
        layer(x, training=True, mask=mask)
        dy = rng.standard_normal(y.shape)
        dx = layer.backward(dy.copy())
        gradients = [w.grad.copy() for w in layer.weights]
        for point, gradient in [(x, dx), *zip((w.value for w in layer.weights), gradients)]:
            direction, sums = rng.standard_normal(point.shape), []
            for step in (1e-5, -1e-5):
                point += step * direction
                sums.append(np.sum(layer(x, mask=mask) * dy))
                point -= step * direction
            assert np.sum(gradient * direction) == pytest.approx((sums[0] - sums[1]) / 2e-5, rel=1e-6, abs=1e-8)

        stateful = layers.RNN(Leaky(3), return_sequences=True, stateful=True)
        stateful.build_once((3, None, 2))
        stateful.set_weights(layer.get_weights())
        halves = [stateful(x[:, :1]), stateful(x[:, 1:])]
        np.testing.assert_allclose(np.concatenate(halves, axis=1), layer(x))


def test_stacked_cells_of_both_kinds():
    """One step after the other gives what the layer gives."""
    with settings():
        stack = layers.StackedRNNCells([layers.GRUCell(2), Leaky(3)])
        assert stack.state_size == [2, [3, 1]]
        assert stack.output_size == 3
        x = np.random.default_rng(0).standard_normal((2, 4, 5))
        y = layers.RNN(stack, return_sequences=True)(x)
        states = stack.get_initial_state(batch_size=2)
        assert [len(state) for state in states] == [1, 2]
        for t in range(4):
            outputs, states = stack(x[:, t], states)
            assert_equal(outputs, y[:, t])


def test_a_cell_without_a_derivative():
    """It predicts; training is refused before a weight is changed."""
    layer = layers.RNN(Minimal(3))
    model = Sequential([layers.Dense(2), layer, layers.Dense(1)]).compile("sgd", "mse", input_shape=(4, 2))
    x, y = np.ones((2, 4, 2)), np.ones((2, 1))
    assert model.predict(x, verbose=0).shape == (2, 1)
    assert layer.cell.seen_training is False
    kernel, recurrent = layer.get_weights()
    np.testing.assert_allclose(layer(x[:, :2]), x[:, 0] @ kernel + x[:, 0] @ kernel @ recurrent, rtol=1e-5)
    before = model.get_weights()
    with pytest.raises(NotImplementedError, match=r"Minimal.*backward\(self, doutputs, dstates\)"):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_cell_that_learns_and_is_copied():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 5, 1)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("float32")
    model = Sequential([layers.RNN(Leaky(4)), layers.Dense(1, "sigmoid")]).compile("adam", "bce", learning_rate=0.05)
    losses = model.fit(x, y, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    twin = copy.deepcopy(model)
    twin.fit(x, y, verbose=0)
    assert any((a != b).any() for a, b in zip(twin.get_weights(), model.get_weights()))


class Started(Minimal):
    """States that do not start from zeros; one array, without a list around it."""

    def get_initial_state(self, batch_size=None):
        return np.ones((batch_size, self.units), self.dtype)


def test_a_cell_that_says_where_it_starts():
    layer = layers.RNN(Started(3))
    x = np.random.default_rng(0).standard_normal((2, 1, 4)).astype("float32")
    y = layer(x)
    kernel, recurrent = layer.get_weights()
    np.testing.assert_allclose(y, x[:, 0] @ kernel + np.ones((2, 3)) @ recurrent, rtol=1e-5)
    np.testing.assert_array_equal(layer.get_initial_state(2), [np.ones((2, 3))])


class Wrong(Minimal):
    def call(self, inputs, states):
        return inputs, [inputs]


def test_wrong_cells():
    with pytest.raises(ValueError, match=r"'odd' \(Wrong\) must return.*\(2, 3\).*Received: .*\(2, 4\)"):
        layers.RNN(Wrong(3, name="odd"))(np.ones((2, 5, 4)))
    with pytest.raises(ValueError, match="`cell` must be.*state_size"):
        layers.RNN(layers.Dense(3))
    with pytest.raises(ValueError, match="`cell` must be"):
        layers.RNN([layers.LSTMCell(3), layers.Dense(3)])


# Refused, or done by the wrappers.


def test_states_of_the_caller_are_refused():
    layer = layers.LSTM(2)
    with pytest.raises(ValueError, match="`initial_state` must be None.*stateful=True"):
        layer(np.ones((2, 3, 4)), initial_state=[np.ones((2, 2))] * 2)
    assert layer.state_size == [2, 2]
    assert [state.shape for state in layer.get_initial_state(3)] == [(3, 2), (3, 2)]
    assert [state.shape for state in layers.RNN(Leaky(2)).get_initial_state(3)] == [(3, 2), (3, 1)]


@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"go_backwards": True}])
def test_no_steps_and_wrong_masks(options):
    layer = layers.GRU(2, name="rnn", **options)
    with pytest.raises(ValueError, match=r"'rnn'.*at least one step.*\(2, 0, 4\)"):
        layer(np.ones((2, 0, 4)))
    for shape in ((2, 4), (3, 3), (2, 3, 1)):
        with pytest.raises(ValueError, match=r"`mask` must be of shape \(batch, steps\), \(2, 3\)"):
            layer(np.ones((2, 3, 4)), mask=np.ones(shape, bool))
    for shape in ((2, 4), (2,)):
        with pytest.raises(ValueError, match="`mask` must begin with the inputs' batch and steps"):
            layers.TimeDistributed(layers.Dense(2))(np.ones((2, 3, 4)), mask=np.ones(shape, bool))


def test_regularizers_without_effect():
    """Keras leaves them out; here one is told."""
    with pytest.warns(UserWarning, match="'rnn'.*`activity_regularizer` has no effect"):
        layer = layers.SimpleRNN(2, activity_regularizer="l2", name="rnn")
    layer(np.ones((2, 3, 4)))
    assert layer.losses == []
    layer = layers.TimeDistributed(layers.Dense(2, activity_regularizer="l2"), activity_regularizer="l1", name="each")
    with pytest.warns(UserWarning, match="'each'.*`activity_regularizer` of the layer inside has no effect"):
        y = layer(np.ones((2, 3, 4)), training=True)
    assert layer.layer.activity_regularizer is not None  # still in its config
    assert layer.losses == [pytest.approx(0.01 * np.abs(y).sum() / 2, rel=1e-5)]


def test_bidirectional_of_other_sizes():
    check_layer(lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.LSTM(2, go_backwards=True)), (4, 2))
    both = layers.Bidirectional(layers.GRU(3), "sum", backward_layer=layers.LSTM(2, go_backwards=True))
    with pytest.raises(ValueError, match="merge_mode='sum' needs outputs of one shape"):
        both.build_once((None, 4, 2))
    both = layers.Bidirectional(layers.LSTM(2, use_cudnn=False))
    assert not both.forward_layer.use_cudnn
    assert not both.backward_layer.use_cudnn


def test_bidirectional_stateful():
    """Each direction goes on from its own last batch."""
    both = layers.Bidirectional(layers.GRU(2, stateful=True))
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    both.build_once(x.shape)
    assert both.stateful
    first, second = both(x), both(x)
    assert (first != second).any()
    assert len(both.states) == 2
    both.reset_state()
    np.testing.assert_array_equal(both(x), first)


@pytest.mark.parametrize("make", [
    lambda: Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Dense(2, "tanh")]),
    lambda: Sequential([layers.Dense(3), Sequential([layers.BatchNormalization()])]),
    lambda: layers.BatchNormalization(),
])  # fmt: skip
def test_each_step_of_several_layers_is_remembered(make):
    check_layer(lambda: layers.TimeDistributed(make()), (3, 4), batch=8, mixes_rows=True)


def test_steps_share_random_numbers():
    """Each step draws anew."""
    inner = Sequential([layers.BatchNormalization(), layers.Dropout(0.5, seed=0)])
    y = layers.TimeDistributed(inner)(np.random.default_rng(0).standard_normal((8, 4, 9)), training=True)
    patterns = {(y[:, t] == 0).tobytes() for t in range(4)}
    assert len(patterns) == 4


WEIGHTS = ("kernel", "recurrent", "bias")
PASSED_ON = {
    "activation": "relu", "recurrent_activation": "hard_sigmoid", "use_bias": False, "unit_forget_bias": False,
    "reset_after": False, "dropout": 0.25, "recurrent_dropout": 0.5, "seed": 7,
    **{f"{weight}_initializer": initializers.Constant(i) for i, weight in enumerate(WEIGHTS, 2)},
    **{f"{weight}_regularizer": regularizers.L2(i) for i, weight in enumerate(WEIGHTS, 1)},
    **{f"{weight}_constraint": constraints.MaxNorm(i) for i, weight in enumerate(WEIGHTS, 1)},
    "filters": 3, "kernel_size": (5,), "strides": (2,), "padding": "same", "data_format": "channels_first",
    "units": 4, "return_sequences": True, "go_backwards": True, "stateful": True, "unroll": True,
}  # fmt: skip


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "SimpleRNNCell", "GRUCell", "LSTMCell"])
def test_each_argument_arrives_under_its_own_name(name):
    """Each has a value that no other has, and not its default."""
    cls = getattr(layers, name)
    arguments = {key: value for key, value in PASSED_ON.items() if key in inspect.signature(cls).parameters}
    assert len(arguments) >= 14
    layer = cls(**arguments)
    config = layer.get_config()
    for key, value in arguments.items():
        expected = registry.serialize(value)
        assert config[key] == expected, key
        assert registry.serialize(getattr(layer, key)) == expected, key
        if hasattr(layer, "cell") and key in layer.cell.argument_names():
            assert layer.cell.get_config()[key] == expected, key
    plain = cls(*([2] if "units" in arguments else [2, 2])).get_config()
    assert not [key for key in arguments if config[key] == plain[key]]  # else it would show nothing
