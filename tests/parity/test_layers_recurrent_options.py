"""Recurrent layers beside Keras' with masks of all kinds, dropout, penalties, and what is around them in a model."""

import itertools

import numpy as np
import pytest
from checks import relative_error
from parity_layers import TOLERANCE, check_parity, make_both

import minikeras

MASKS = {
    "start": [[0, 0, 1, 1]] * 4, "middle": [[1, 0, 0, 1]] * 4, "end": [[1, 1, 0, 0]] * 4, "all": [[0, 0, 0, 0]] * 4,
    "mixed": [[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0]],
}  # fmt: skip
KINDS = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})]
FLAGS = ("return_sequences", "go_backwards", "zero_output_for_mask")


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("name, more", KINDS)
def test_masked(keras, name, more, mask):
    for flags in itertools.product((False, True), repeat=3):
        check_parity(keras, name, (4, 3), {"units": 3, **more, **dict(zip(FLAGS, flags))}, mask=np.array(mask, bool))


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("name, more", KINDS)
def test_bidirectional(keras, name, more, mask):
    for merge_mode, sequences in itertools.product(("concat", "sum", "mul", "ave"), (False, True)):
        arguments = {
            "layer": lambda layers, s=sequences: getattr(layers, name)(2, return_sequences=s, **more),
            "merge_mode": merge_mode,
        }  # fmt: skip
        check_parity(keras, "Bidirectional", (4, 3), arguments, mask=np.array(mask, bool))


@pytest.mark.parametrize("mask", [None, *MASKS.values()])
@pytest.mark.parametrize("make", [
    lambda k: k.Bidirectional(k.GRU(2, stateful=True, return_sequences=True)),
    lambda k: k.LSTM(2, stateful=True, go_backwards=True),
    lambda k: k.RNN([k.LSTMCell(2), k.GRUCell(3)], stateful=True, return_sequences=True),
])  # fmt: skip
def test_stateful(keras, make, mask):
    """(Training one without a mask is an error in Keras on PyTorch: outputs only.)"""
    import torch

    rng = np.random.default_rng(0)
    ours, theirs = make(minikeras.layers), make(keras.layers)
    ours.build_once((4, 4, 3))
    theirs.build((4, 4, 3))
    ours.set_weights(theirs.get_weights())
    masks = ({}, {}) if mask is None else ({"mask": np.array(mask, bool)}, {"mask": torch.tensor(mask).bool()})
    for batch in range(4):
        if batch == 3 and type(theirs).__name__ != "RNN":  # Keras cannot reset stacked cells
            ours.reset_state()
            theirs.reset_state()
        x = rng.standard_normal((4, 4, 3)).astype("float32")
        assert relative_error(ours(x, **masks[0]), theirs(x, **masks[1]).detach().numpy()) <= TOLERANCE


@pytest.mark.parametrize("rates", [(0.3, 0), (0, 0.4), (0.3, 0.4)])
@pytest.mark.parametrize("name, more", [*KINDS, ("LSTM", {"implementation": 1}), ("GRU", {"implementation": 1})])
def test_dropout(keras, name, more, rates):
    """With our masks in its cell Keras computes the same, and the masks are of Keras' shapes."""
    import torch

    arguments = {"units": 3, "return_sequences": True, "dropout": rates[0], "recurrent_dropout": rates[1], **more}
    if "implementation" in more:
        arguments["use_cudnn"] = False  # Keras' fast path takes one mask only
    ours, theirs = make_both(keras, name, arguments)
    x = np.random.default_rng(0).standard_normal((4, 5, 2)).astype("float32")
    ours.build_once(x.shape)
    theirs.build(x.shape)
    ours.set_weights(theirs.get_weights())
    y = ours(x, training=True)
    count = getattr(theirs.cell, "dropout_mask_count", None)
    for kind, rate in zip(("", "_recurrent"), rates):
        masks = ours.cell.recurrent_masks if kind else ours.cell.input_masks
        assert (masks is None) == (not rate)
        if rate:
            assert len(masks) == (count or 1)
            tensors = [torch.tensor(mask) for mask in masks]
            setattr(theirs.cell, f"{kind}_dropout_mask", tensors if count else tensors[0])
    assert relative_error(y, theirs(torch.tensor(x), training=True).detach().numpy()) <= TOLERANCE
    assert relative_error(ours(x), theirs(torch.tensor(x)).detach().numpy()) <= TOLERANCE


PENALTIES = [("kernel", "l2", "max_norm"), ("recurrent", "l1", "unit_norm"), ("bias", "l2", "non_neg")]


def penalized(name):
    def make(module):
        kinds = {
            f"{weight}_{kind}": value
            for weight, *values in PENALTIES
            for kind, value in zip(("regularizer", "constraint"), values)
        }
        recurrent = getattr(module.layers, name)(3, **kinds, activity_regularizer="l2", return_sequences=True)
        last = module.layers.TimeDistributed(module.layers.Dense(1, activity_regularizer="l2"))
        return module.Sequential([module.Input((5, 2)), recurrent, last])

    return make


def padded(*layers):
    def make(module):
        table = module.layers.Embedding(9, 4, mask_zero=True)
        return module.Sequential([module.Input((6,)), table, *(layer(module.layers) for layer in layers)])

    return make


MODELS = {
    **{name: penalized(name) for name in ("SimpleRNN", "LSTM", "GRU")},
    "Embedding, LSTM": padded(lambda k: k.LSTM(3), lambda k: k.Dense(1)),
    "Embedding, GRU": padded(lambda k: k.GRU(3, return_sequences=True), lambda k: k.GRU(2), lambda k: k.Dense(1)),
    "Embedding, Dense": padded(lambda k: k.Dense(3, "tanh"), lambda k: k.LSTM(2), lambda k: k.Dense(1)),
    "Embedding, average": padded(lambda k: k.GlobalAveragePooling1D(), lambda k: k.Dense(1)),
    "Embedding, every step": padded(lambda k: k.SimpleRNN(3, return_sequences=True), lambda k: k.Dense(1)),
    "Embedding, Bidirectional": padded(
        lambda k: k.Bidirectional(k.LSTM(2, return_sequences=True), "sum"),
        lambda k: k.TimeDistributed(k.Dense(2, "relu")), lambda k: k.GlobalAveragePooling1D(), lambda k: k.Dense(1),
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*activity_regularizer.* has no effect")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_five_steps_of_training(keras, make):
    """Losses, weights and predictions."""
    rng = np.random.default_rng(0)
    models = [make(minikeras), make(keras)]
    for model in models:
        model.compile("adam", "mse")
    models[0].set_weights(models[1].get_weights())
    outputs = models[0].output_shape[1:]
    losses = []
    for _ in range(5):
        x = rng.standard_normal((8, 5, 2)).astype("float32")
        if models[0].layers[0].name.startswith("embedding"):
            x = rng.integers(1, 9, (8, 6))
            x[np.arange(6) >= rng.integers(1, 7, (8, 1))] = 0
        y = rng.standard_normal((8, *outputs)).astype("float32")
        losses.append([float(model.train_on_batch(x, y)) for model in models])
    np.testing.assert_allclose(*np.transpose(losses), rtol=1e-5)
    for a, b in zip(models[0].get_weights(), models[1].get_weights()):
        assert relative_error(a, b) <= 1e-3  # Adam takes a gradient that is 0 but for rounding for one
    assert relative_error(*(np.array(model.predict(x, verbose=0)) for model in models)) <= 1e-3
