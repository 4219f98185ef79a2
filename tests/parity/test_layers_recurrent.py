"""Recurrent layers and wrappers beside Keras'."""

import numpy as np
import pytest
from checks import relative_error
from parity_layers import TOLERANCE, check_config, check_parity, make_both

from minikeras import layers


def _two_cells(layers):
    cells = [layers.SimpleRNNCell(2, name="lower"), layers.LSTMCell(4, name="upper")]
    return layers.StackedRNNCells(cells, name="both")


COMMON = [
    ((5, 3), {"units": 4}),
    ((5, 3), {"units": 4, "return_sequences": True, "go_backwards": True}),
    ((4, 2), {"units": 3, "use_bias": False, "activation": "silu", "kernel_regularizer": "l2"}),
    ((1, 2), {"units": 3, "unroll": True, "recurrent_constraint": "max_norm"}),
    ((20, 2), {"units": 3, "return_sequences": True}),
    ((3, 2), {"units": 1, "return_sequences": True}),
]
GATED = [((4, 3), {"units": 3, "recurrent_activation": "hard_sigmoid", "return_sequences": True})]
CASES = {
    "SimpleRNN": [*COMMON, ((4, 3), {"units": 3, "activation": "relu"})],
    "LSTM": [*COMMON, *GATED, ((4, 3), {"units": 3, "unit_forget_bias": False, "implementation": 1})],
    "GRU": [
        *COMMON, *GATED, ((4, 3), {"units": 3, "reset_after": False}),
        ((4, 3), {"units": 3, "reset_after": False, "use_bias": False, "return_sequences": True}),
    ],
    "RNN": [
        ((4, 3), {"cell": lambda layers: layers.LSTMCell(2, name="inner1")}),
        ((4, 3), {"cell": lambda layers: layers.GRUCell(2, name="inner2"), "return_sequences": True}),
        ((4, 3), {"cell": _two_cells, "return_sequences": True}),
    ],
    "Bidirectional": [
        ((4, 3), {"layer": lambda layers: layers.LSTM(2, name="inner5")}),
        ((4, 3), {"layer": lambda layers: layers.GRU(2, return_sequences=True, name="in6"), "merge_mode": "sum"}),
        ((4, 3), {"layer": lambda layers: layers.SimpleRNN(2, return_sequences=True, name="in7"), "merge_mode": "mul"}),
        ((4, 3), {
            "layer": lambda layers: layers.GRU(2, name="inner8"), "merge_mode": "ave",
            "backward_layer": lambda layers: layers.LSTM(2, go_backwards=True, name="inner9"),
        }),
    ],
    "TimeDistributed": [
        ((4, 3), {"layer": lambda layers: layers.Dense(2, activation="tanh", name="inner10")}),
        ((2, 5, 4, 3), {"layer": lambda layers: layers.Conv2D(2, 3, padding="same", name="inner11")}),
        ((3, 4), {"layer": lambda layers: layers.BatchNormalization(name="inner12")}),
    ],
}  # fmt: skip
CELLS = [
    ("SimpleRNNCell", {}), ("SimpleRNNCell", {"use_bias": False, "activation": "relu"}), ("LSTMCell", {}),
    ("LSTMCell", {"unit_forget_bias": False}), ("GRUCell", {}), ("GRUCell", {"reset_after": False}),
]  # fmt: skip
ELSEWHERE = {"SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells", "Wrapper"}  # Keras' Wrapper is abstract


@pytest.mark.parametrize("name, arguments", CELLS)
def test_cells(keras, name, arguments):
    ours, theirs = make_both(keras, name, {"units": 4, **arguments})
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 2)).astype("float32")
    states = [rng.standard_normal((3, 4)).astype("float32") for _ in range(2 if name == "LSTMCell" else 1)]
    theirs(x, states)
    ours(x, states)
    weights = [rng.standard_normal(w.shape).astype("float32") for w in ours.weights]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    outputs, new_states = theirs(x, states)
    our_outputs, our_states = ours(x, states)
    for a, b in zip([our_outputs, *our_states], [outputs, *new_states]):
        assert relative_error(a, b.detach().numpy()) <= TOLERANCE
    assert ours.state_size == theirs.state_size
    assert ours.output_size == theirs.output_size
    check_config(keras, name, {"units": 4, **arguments})


def test_wrapper(keras):
    check_config(keras, "Wrapper", {"layer": lambda layers: layers.Dropout(0.1, name="inner")})


def test_stacked_cells(keras):
    ours, theirs = (m.StackedRNNCells([m.LSTMCell(3), m.GRUCell(2)]) for m in (layers, keras.layers))
    assert ours.state_size == theirs.state_size
    assert ours.output_size == theirs.output_size


@pytest.mark.parametrize("mask", [
    [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], [[0, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]],
])  # fmt: skip
@pytest.mark.parametrize("name, arguments", [
    ("SimpleRNN", {"units": 3}), ("LSTM", {"units": 3}), ("GRU", {"units": 3}),
    ("LSTM", {"units": 3, "return_sequences": True}),
    ("GRU", {"units": 3, "return_sequences": True, "zero_output_for_mask": True}),
    ("LSTM", {"units": 3, "go_backwards": True}),
    ("RNN", {"cell": lambda layers: [layers.SimpleRNNCell(2), layers.LSTMCell(4)]}),
    ("Bidirectional", {"layer": lambda layers: layers.GRU(2, return_sequences=True)}),
    ("Bidirectional", {"layer": lambda layers: layers.LSTM(2)}),
])  # fmt: skip
def test_masked(keras, name, arguments, mask):
    check_parity(keras, name, (4, 3), arguments, mask=np.array(mask, bool))


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_stateful(keras, name):
    ours, theirs = make_both(keras, name, {"units": 3, "stateful": True, "return_sequences": True})
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    ours.build_once(x.shape)
    theirs.build(x.shape)
    ours.set_weights(theirs.get_weights())
    for _ in range(3):
        assert relative_error(ours(x), theirs(x).detach().numpy()) <= TOLERANCE
    ours.reset_state()
    theirs.reset_state()
    assert relative_error(ours(x), theirs(x).detach().numpy()) <= TOLERANCE


@pytest.mark.parametrize("make", [
    lambda k: k.GRU(3, stateful=True), lambda k: k.Bidirectional(k.LSTM(2, stateful=True)),
])  # fmt: skip
def test_stateful_built_by_a_call(keras, make):
    """A call says how large batches are."""
    ours, theirs = make(layers), make(keras.layers)
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    ours(x)
    theirs(x)
    ours.set_weights(theirs.get_weights())
    ours.reset_state()
    theirs.reset_state()
    for _ in range(2):
        assert relative_error(ours(x), theirs(x).detach().numpy()) <= TOLERANCE


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("inner", [False, True])
def test_losses_of_wrapped_layers(keras, trainable, inner):
    """Weights that a frozen wrapper holds are not penalized, outputs are; in Keras' order."""
    found = []
    for module in (layers, keras.layers):
        kept = module.LSTM(2, kernel_regularizer="l2", recurrent_regularizer="l1", trainable=inner or trainable)
        layer = module.Bidirectional(kept, trainable=trainable, activity_regularizer="l2", merge_mode="sum")
        layer.build((None, 3, 4))
        layer.set_weights([np.full(w.shape, 0.1 * i) for i, w in enumerate(layer.weights)])
        layer(np.ones((2, 3, 4), "float32"))
        found.append([float(keras.ops.convert_to_numpy(loss)) for loss in layer.losses])
    assert len(found[0]) == 1 + 4 * trainable
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"center": False, "momentum": 0.5}])
def test_masked_statistics_of_steps(keras, arguments):
    """In TimeDistributed(BatchNormalization()) padding does not count."""
    inner = {"layer": lambda layers: layers.BatchNormalization(**arguments)}
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 0, 0]], bool)
    check_parity(keras, "TimeDistributed", (4, 3), inner, mask=mask)


def test_initial_bias(keras):
    """The forget gate's bias starts from 1."""
    ours, theirs = make_both(keras, "LSTM", {"units": 3})
    ours.build_once((None, 4, 2))
    theirs.build((None, 4, 2))
    np.testing.assert_array_equal(ours.get_weights()[2], theirs.get_weights()[2])
    recurrent = ours.get_weights()[1]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-6)


def text_model(module):
    return module.Sequential([
        module.layers.Embedding(12, 4, mask_zero=True), module.layers.Bidirectional(module.layers.LSTM(3)),
        module.layers.Dense(2, activation="softmax"),
    ])  # fmt: skip


def test_training_on_padded_text(keras):
    """Losses of five epochs and the weights after them."""
    import minikeras

    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 12, (40, 7)), rng.integers(0, 2, 40)
    x[np.arange(7) >= rng.integers(1, 8, (40, 1))] = 0
    models = [text_model(minikeras), text_model(keras)]
    for model in models:
        model.build((None, 7))
        model.compile("adam", "sparse_categorical_crossentropy")
    models[0].set_weights(models[1].get_weights())
    histories = [model.fit(x, y, epochs=5, shuffle=False, verbose=0).history["loss"] for model in models]
    np.testing.assert_allclose(*histories, rtol=1e-4)
    for a, b in zip(models[0].get_weights(), models[1].get_weights()):
        assert relative_error(a, b) <= 1e-3


def test_masked_loss_and_metrics(keras):
    """With outputs for each step the mask decides which of them count."""
    import minikeras

    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 12, (20, 7)), rng.integers(0, 2, (20, 7))
    x[np.arange(7) >= rng.integers(1, 8, (20, 1))] = 0
    weights = rng.uniform(0.5, 2, (20, 7))  # one for each step: Keras cannot spread those of samples over a mask
    results, initial = [], None
    for module in (keras, minikeras):
        make = module.layers
        model = module.Sequential([
            make.Embedding(12, 4, mask_zero=True), make.GRU(3, return_sequences=True), make.Dense(2, "softmax"),
        ])  # fmt: skip
        model.build((None, 7))
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
        initial = initial or model.get_weights()
        model.set_weights(initial)
        for w in (None, weights):
            results.append(model.evaluate(x, y, sample_weight=w, batch_size=20, verbose=0, return_dict=True))
            results.append(model.train_on_batch(x, y, sample_weight=w, return_dict=True))
    for ours, theirs in zip(results[4:], results[:4]):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert value == pytest.approx(float(theirs[name]), rel=1e-5), name
