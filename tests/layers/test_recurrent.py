"""Recurrent layers and the wrappers of layers."""

import numpy as np
import pytest
from checks import check_layer, fixed, settings

from minikeras import Sequential, layers

OPTIONS = [
    {}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True}, {"use_bias": False},
    {"activation": "silu"}, {"activation": "relu", "return_sequences": True}, {"activation": "softmax"},
]  # fmt: skip
DROPOUT = [
    {"dropout": 0.3, "seed": 1, "return_sequences": True}, {"recurrent_dropout": 0.4, "seed": 2},
    {"dropout": 0.2, "recurrent_dropout": 0.3, "seed": 3, "return_sequences": True},
]  # fmt: skip
CLASSES = ["SimpleRNN", "LSTM", "GRU"]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("arguments", OPTIONS)
def test_derivatives(name, arguments):
    check_layer(lambda: getattr(layers, name)(4, **arguments), (5, 3))


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("arguments", [
    {"recurrent_activation": "hard_sigmoid"}, {"recurrent_activation": "silu", "activation": "silu"},
    {"recurrent_activation": "softmax", "return_sequences": True},
])  # fmt: skip
def test_gates(name, arguments):
    check_layer(lambda: getattr(layers, name)(4, **arguments), (2, 3))  # gates without bound explode in more steps


@pytest.mark.parametrize("arguments", [{}, {"use_bias": False}, {"return_sequences": True}])
def test_gru_of_2014(arguments):
    check_layer(lambda: layers.GRU(4, reset_after=False, **arguments), (5, 3))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("arguments", DROPOUT)
@pytest.mark.parametrize("more", [{}, {"reset_after": False}, {"implementation": 1}])
def test_dropout(name, arguments, more):
    if "implementation" in more and name == "SimpleRNN" or "reset_after" in more and name != "GRU":
        return
    check_layer(lambda: fixed(getattr(layers, name)(4, **arguments, **more)), (5, 3), mixes_rows=True)


def check_masked_derivatives(layer, mask):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((*mask.shape, 2))
    y = layer(x, training=True, mask=mask)
    dy = rng.standard_normal(y.shape)
    dx = layer.backward(dy.copy())
    gradients = [weight.grad.copy() for weight in layer.trainable_weights]
    for point, gradient in [(x, dx), *zip((w.value for w in layer.trainable_weights), gradients)]:
        direction, sums = rng.standard_normal(point.shape), []
        for step in (1e-5, -1e-5):
            point += step * direction
            sums.append(np.sum(layer(x, training=True, mask=mask) * dy))
            point -= step * direction
        numeric = (sums[0] - sums[1]) / 2e-5
        assert np.sum(gradient * direction) == pytest.approx(numeric, rel=1e-6, abs=1e-8)
    assert (dx[~mask] == 0).all()


@pytest.mark.parametrize("name", CLASSES)
def test_twenty_steps(name):
    check_layer(lambda: getattr(layers, name)(3, return_sequences=True), (20, 2), tolerance=1e-6)
    check_layer(lambda: getattr(layers, name)(3, go_backwards=True), (20, 2), tolerance=1e-6)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("make", [
    lambda **options: layers.SimpleRNN(3, **options), lambda **options: layers.LSTM(3, **options),
    lambda **options: layers.GRU(3, **options), lambda **options: layers.GRU(3, reset_after=False, **options),
    lambda **options: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], **options),
    lambda go_backwards, **options: layers.Bidirectional(layers.LSTM(3, **options)),
], ids=["SimpleRNN", "LSTM", "GRU", "GRU of 2014", "stacked", "Bidirectional"])  # fmt: skip
def test_twenty_masked_steps(make, return_sequences, go_backwards):
    mask = np.random.default_rng(1).random((3, 20)) < 0.7
    mask[0, :4] = mask[1, -5:] = False
    with settings():
        check_masked_derivatives(make(return_sequences=return_sequences, go_backwards=go_backwards), mask)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (4, 1)])
def test_short_and_narrow(name, shape):
    check_layer(lambda: getattr(layers, name)(2), shape)
    check_layer(lambda: getattr(layers, name)(1, return_sequences=True), shape, batch=1)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_stacked(return_sequences):
    def make():
        cells = [layers.LSTMCell(3), layers.SimpleRNNCell(2), layers.GRUCell(4)]
        return layers.RNN(cells, return_sequences=return_sequences)

    check_layer(make, (5, 3))


MASKS = [
    [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], [[0, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1]],
]  # fmt: skip


@pytest.mark.parametrize("name", [*CLASSES, "Stacked", "Bidirectional"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"return_sequences": True, "zero_output_for_mask": True}, {"go_backwards": True},
])  # fmt: skip
def test_derivatives_with_a_mask(name, mask, options):
    if name == "Bidirectional" and options.get("go_backwards"):
        return
    with settings():
        if name == "Stacked":
            layer = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], **options)
        elif name == "Bidirectional":
            layer = layers.Bidirectional(layers.LSTM(3, **options))
        else:
            layer = getattr(layers, name)(3, **options)
        check_masked_derivatives(layer, np.array(mask, bool))


@pytest.mark.parametrize("name", CLASSES)
def test_stateful(name):
    """Two batches of half a sequence each give what one of the whole does."""
    x = np.random.default_rng(0).standard_normal((3, 6, 2)).astype("float32")
    layer = getattr(layers, name)(4, stateful=True, return_sequences=True)
    layer.build_once((3, None, 2))
    whole = layer(x)
    layer.reset_state()
    halves = [layer(x[:, :2]), layer(x[:, 2:])]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, rtol=1e-6)
    assert (layer(x) != whole).any()
    layer.reset_states()
    np.testing.assert_array_equal(layer(x), whole)
    with pytest.raises(ValueError, match="states are of 3 sequences.*batch of 2"):
        layer(x[:2])


def test_stateful_needs_a_batch_size():
    with pytest.raises(ValueError, match="'rnn'.*size of its batches"):
        Sequential([layers.LSTM(2, stateful=True, name="rnn")]).build((None, 3, 2))


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True}])
def test_bidirectional(merge_mode, arguments):
    check_layer(lambda: layers.Bidirectional(layers.GRU(3, **arguments), merge_mode), (4, 2))


def test_bidirectional_pairs():
    check_layer(
        lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.LSTM(3, go_backwards=True)), (4, 2)
    )
    with pytest.raises(ValueError, match="different directions"):
        layers.Bidirectional(layers.GRU(3), backward_layer=layers.LSTM(3))
    with pytest.raises(ValueError, match="same `return_sequences`"):
        layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3, go_backwards=True, return_sequences=True))
    with pytest.raises(ValueError, match="recurrent layer"):
        layers.Bidirectional(layers.Dense(3))
    with pytest.raises(ValueError, match="wraps a layer"):
        layers.Bidirectional("gru")
    with pytest.raises(ValueError, match="merge_mode"):
        layers.Bidirectional(layers.GRU(3), None)
    initial = layers.Bidirectional(layers.SimpleRNN(2))
    initial.build_once((None, 4, 3))
    again = layers.Bidirectional(layers.SimpleRNN(2), weights=initial.get_weights())
    again.build_once((None, 4, 3))
    for a, b in zip(again.get_weights(), initial.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make, shape", [
    (lambda: layers.TimeDistributed(layers.Dense(3, activation="tanh")), (4, 2)),
    (lambda: layers.TimeDistributed(layers.Conv2D(2, 3)), (3, 5, 4, 2)),
    (lambda: layers.TimeDistributed(layers.LSTM(3)), (2, 4, 3)),
    (lambda: layers.TimeDistributed(Sequential([layers.Dense(3), layers.Dense(2, activation="tanh")])), (4, 2)),
    (lambda: layers.TimeDistributed(layers.TimeDistributed(layers.Dense(3))), (4, 3, 2)),
    (lambda: layers.Wrapper(layers.Dense(3)), (4,)),
])  # fmt: skip
def test_wrappers(make, shape):
    check_layer(make, shape)


def test_time_distributed_batch_normalization():
    """Statistics are of one step each."""
    check_layer(lambda: layers.TimeDistributed(layers.BatchNormalization()), (4, 2), mixes_rows=True)
    x = np.random.default_rng(0).standard_normal((50, 3, 2)).astype("float32") * [[[1], [2], [3]]]
    y = layers.TimeDistributed(layers.BatchNormalization(epsilon=1e-7))(x, training=True)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-5)


def test_wrong_inputs():
    with pytest.raises(ValueError, match=r"'rnn'.*\(batch, steps, features\).*\(None, 5\)"):
        Sequential([layers.LSTM(3, name="rnn")]).build((None, 5))
    layer = layers.GRU(3, name="rnn")
    layer.build_once((None, 4, 2))
    with pytest.raises(ValueError, match="expects 2 features. Received 3"):
        layer(np.ones((1, 4, 3)))
    with pytest.raises(ValueError, match="number of features"):
        layers.GRU(3).build_once((None, 4, None))
    with pytest.raises(ValueError, match="rank 3"):
        layers.TimeDistributed(layers.Dense(2)).build_once((None, 4))
    with pytest.raises(ValueError, match="`return_state` must be False"):
        layers.LSTM(3, return_state=True)
    with pytest.raises(ValueError, match="`cell` must be"):
        layers.RNN(layers.Dense(3))
    with pytest.raises(ValueError, match="list of recurrent cells"):
        layers.StackedRNNCells([])
    for argument in ("dropout", "recurrent_dropout"):
        with pytest.raises(ValueError, match=f"`{argument}`.*1.5"):
            layers.LSTM(3, **{argument: 1.5})
    for units in (0, 2.0, None, True):
        with pytest.raises(ValueError, match="`units`"):
            layers.SimpleRNN(units)


@pytest.mark.parametrize("name", CLASSES)
def test_extreme_inputs(name):
    """Saturated gates: nothing overflows, and gradients are finite."""
    layer = getattr(layers, name)(4, return_sequences=True)
    for scale in (1e4, 1e-30, 0):
        x = np.random.default_rng(0).standard_normal((2, 20, 3)).astype("float32") * np.float32(scale)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            y = layer(x, training=True)
            dx = layer.backward(np.ones_like(y))
        assert np.isfinite(y).all()
        assert np.isfinite(dx).all()
        assert all(np.isfinite(w.grad).all() for w in layer.weights)


@pytest.mark.parametrize("name", CLASSES)
def test_learns_to_remember(name):
    """The class is in the first step, and what follows is noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 256)
    x = rng.standard_normal((256, 8, 1)).astype("float32") * 0.1
    x[:, 0, 0] = y * 2 - 1
    model = Sequential([getattr(layers, name)(8), layers.Dense(2, activation="softmax")])
    model.compile("adam", "scce", metrics=["accuracy"], learning_rate=0.02)
    model.fit(x, y, epochs=12, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] == 1.0
