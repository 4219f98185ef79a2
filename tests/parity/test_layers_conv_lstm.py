"""Convolutional LSTMs beside Keras'."""

import numpy as np
import pytest
from checks import relative_error
from parity_layers import TOLERANCE, check_config, check_parity, make_both

import minikeras

CASES = {
    "ConvLSTM1D": [
        ((4, 6, 2), {"filters": 3, "kernel_size": 3}),
        ((3, 7, 1), {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same", "return_sequences": True}),
        ((3, 7, 2), {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "go_backwards": True, "use_bias": False}),
        ((1, 1, 1), {"filters": 1, "kernel_size": 1, "unit_forget_bias": False}),
        ((20, 5, 2), {"filters": 2, "kernel_size": 3, "padding": "same", "return_sequences": True}),
    ],
    "ConvLSTM2D": [
        ((3, 5, 6, 2), {"filters": 3, "kernel_size": 3}),
        ((3, 5, 6, 2), {"filters": 3, "kernel_size": (3, 2), "padding": "same", "return_sequences": True}),
        ((2, 7, 6, 1), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "return_sequences": True}),
        ((2, 7, 6, 2), {"filters": 2, "kernel_size": 3, "strides": (2, 1), "go_backwards": True}),
        ((2, 7, 6, 2), {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 3), "return_sequences": True}),
        ((2, 7, 6, 2), {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "padding": "same"}),
        ((3, 4, 4, 2), {
            "filters": 2, "kernel_size": 3, "padding": "same", "use_bias": False, "activation": "silu",
            "recurrent_activation": "hard_sigmoid", "return_sequences": True, "go_backwards": True, "unroll": True,
        }),
        ((1, 4, 4, 2), {"filters": 4, "kernel_size": 1, "kernel_regularizer": "l2", "activity_regularizer": "l2",
                        "recurrent_constraint": "max_norm"}),
        ((2, 1, 1, 1), {"filters": 1, "kernel_size": 3, "padding": "same"}),
        ((3, 4, 4, 1), {"filters": 2, "kernel_size": 4, "activation": "softmax", "data_format": "channels_last"}),
    ],
    "ConvLSTM3D": [
        ((3, 4, 5, 3, 2), {"filters": 2, "kernel_size": (2, 3, 2)}),
        ((2, 4, 5, 3, 2), {"filters": 2, "kernel_size": 3, "padding": "same", "return_sequences": True}),
        ((2, 5, 5, 4, 1), {"filters": 1, "kernel_size": 2, "strides": (2, 1, 2), "go_backwards": True}),
        ((2, 5, 5, 4, 1), {"filters": 1, "kernel_size": 2, "dilation_rate": 2, "padding": "same"}),
    ],
}  # fmt: skip
# (PyTorch's Conv3D gives garbage on a last axis that comes out with size 1, channels last: no row has it.)
MASKS = [
    [[1, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 0]], [[0, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]],
]  # fmt: skip


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"go_backwards": True}, {"return_sequences": True, "zero_output_for_mask": True},
    {"go_backwards": True, "return_sequences": True},
])  # fmt: skip
def test_masked(keras, options, mask):
    _check_masked(keras, options, np.array(mask, bool))


def test_masked_pixels(keras):
    """`Masking` says of each pixel whether it counts."""
    _check_masked(keras, {"return_sequences": True}, np.random.default_rng(1).random((4, 3, 4, 3)) < 0.6)
    x = np.array([0, 1, 0, 2], "float32").reshape(1, 1, 4, 1)
    results = []
    for module in (minikeras, keras):
        make = module.layers
        model = module.Sequential([module.Input((1, 4, 1)), make.Masking(), make.ConvLSTM1D(1, 1)])
        model.set_weights([np.ones(w.shape) for w in model.weights])
        results.append(model.predict(x, verbose=0))
    assert relative_error(*results) <= TOLERANCE
    assert results[0][0, 0, 0] == 0


def _check_masked(keras, options, mask):
    import torch

    ours, theirs = make_both(keras, "ConvLSTM2D", {"filters": 2, "kernel_size": 2, "padding": "same", **options})
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3, 4, 3, 2)).astype("float32")
    theirs.build(x.shape)
    ours.build_once(x.shape)
    ours.set_weights(theirs.get_weights())
    tensor = torch.tensor(x, requires_grad=True)
    y = theirs(tensor, mask=torch.tensor(mask))
    assert relative_error(ours(x, training=True, mask=mask), y.detach().numpy()) <= TOLERANCE
    dy = rng.standard_normal(y.shape).astype("float32")
    dx, *dweights = torch.autograd.grad(y, [tensor, *(w.value for w in theirs.weights)], torch.tensor(dy))
    assert relative_error(ours.backward(dy.copy()), dx.numpy()) <= TOLERANCE
    for w, dw in zip(ours.weights, dweights):
        assert relative_error(w.grad, dw.numpy(), floor=0.1) <= TOLERANCE


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_stateful(keras, data_format):
    ours, theirs = make_both(keras, "ConvLSTM2D", {
        "filters": 2, "kernel_size": 3, "stateful": True, "return_sequences": True, "data_format": data_format,
    })  # fmt: skip
    shape = (2, 3, 5, 4, 2) if data_format == "channels_last" else (2, 3, 2, 5, 4)
    ours.build_once(shape)
    theirs.build(shape)
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    for i in range(4):
        if i == 3:
            ours.reset_state()
            theirs.reset_state()
        x = rng.standard_normal(shape).astype("float32")
        assert relative_error(ours(x), theirs(x).detach().numpy()) <= TOLERANCE


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_initial_values(keras, rank):
    """The forget gate's bias starts from 1; the recurrent kernel is orthogonal as a matrix (rest, columns)."""
    ours, theirs = make_both(keras, f"ConvLSTM{rank}D", {"filters": 3, "kernel_size": 3})
    shape = (2, 2, *(5,) * rank, 2)
    ours.build_once(shape)
    theirs.build(shape)
    np.testing.assert_array_equal(ours.get_weights()[2], theirs.get_weights()[2])
    for kernel in (ours.get_weights()[1], theirs.get_weights()[1]):
        matrix = kernel.reshape(-1, 12)
        product = matrix.T @ matrix if len(matrix) >= 12 else matrix @ matrix.T
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)
    limits = [np.abs(layer.get_weights()[0]).max() for layer in (ours, theirs)]
    assert limits[0] == pytest.approx(limits[1], rel=0.1)  # the same fans


WRAPPED = [
    ((3, 4, 4, 2), {"layer": lambda layers: layers.ConvLSTM2D(2, 3, padding="same")}),
    ((3, 4, 4, 2), {"layer": lambda layers: layers.ConvLSTM2D(2, 3, return_sequences=True), "merge_mode": "sum"}),
    ((3, 5, 2), {"layer": lambda layers: layers.ConvLSTM1D(2, 3, return_sequences=True), "merge_mode": "mul"}),
]


@pytest.mark.parametrize("shape, arguments", WRAPPED)
def test_bidirectional(keras, shape, arguments):
    check_parity(keras, "Bidirectional", shape, arguments)
    named = {**arguments, "layer": lambda layers: _renamed(arguments["layer"](layers))}
    check_config(keras, "Bidirectional", named)


def _renamed(layer):
    layer.name = "inner"
    return layer


def film_model(module):
    make = module.layers
    return module.Sequential([
        module.Input((3, 6, 6, 1)), make.TimeDistributed(make.Conv2D(2, 3, activation="relu")),
        make.ConvLSTM2D(2, 3, padding="same", return_sequences=True), make.TimeDistributed(make.MaxPooling2D(2)),
        make.Bidirectional(make.ConvLSTM2D(2, 2)), make.Flatten(), make.Dense(1),
    ])  # fmt: skip


def test_training(keras, tmp_path):
    """Losses of a few epochs, the weights after them, and files of these in both directions."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 3, 6, 6, 1)).astype("float32"), rng.standard_normal((12, 1)).astype("float32")
    models = [film_model(minikeras), film_model(keras)]
    for model in models:
        model.compile("adam", "mse")
    models[0].set_weights(models[1].get_weights())
    histories = [model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"] for model in models]
    np.testing.assert_allclose(*histories, rtol=1e-4)
    for a, b in zip(models[0].get_weights(), models[1].get_weights()):
        assert relative_error(a, b) <= 1e-3
    for writer, reader in (models, models[::-1]):
        path = tmp_path / f"{id(writer)}.weights.h5"
        writer.save_weights(path)
        reader.set_weights([np.zeros_like(w) for w in reader.get_weights()])
        reader.load_weights(path)
        for a, b in zip(writer.get_weights(), reader.get_weights()):
            np.testing.assert_array_equal(a, b)
