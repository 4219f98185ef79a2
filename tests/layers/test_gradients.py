"""Every layer's derivatives in float64: the configurations that are compared with Keras.

The tables of the families check more of each (buffers, rows, strides); this one leaves no class out.
"""

import inspect

import pytest
from checks import check_gradients
from parity_layers import load_tables, make_layer

from minikeras import layers, utils

TABLES = load_tables()
CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"
WITHOUT = {"Discretization": "makes whole numbers", "SpectralNormalization": "what it divides by is not differentiated"}
ROWS = {
    f"{name}-{i}": (name, *row)
    for name, rows in TABLES["CASES"].items()
    for i, row in enumerate(rows)
    if name not in WITHOUT and not row[1].get("renorm")  # takes what depends on the inputs for constants
}


def make_inputs(name):
    """Of float64, where they are of floats."""
    make = TABLES["INPUTS"].get(name)
    if make is None:
        return None

    def inputs(rng, shape):
        x = make(rng, shape)
        if x.dtype.kind != "f":
            return x
        x = x.astype("float64")
        return x + 0.3 * (1 / 255 if shape[-1] == 1 else 1) if name == CLAHE else x  # off the steps

    return inputs


def with_seed(name, arguments):
    """Layers that draw numbers draw the same each time."""
    has_seed = "seed" in inspect.signature(getattr(layers, name)).parameters
    return {"seed": 1, **arguments} if has_seed else arguments


@pytest.mark.parametrize("name, shape, arguments", ROWS.values(), ids=ROWS)
def test_gradients(name, shape, arguments):
    utils.set_random_seed(0)
    check_gradients(lambda: make_layer(name, with_seed(name, arguments)), shape, inputs=make_inputs(name))


@pytest.mark.parametrize("make, shape", [
    (lambda: layers.Bidirectional(layers.LSTM(3)), (20, 2)),
    (lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="ave"), (20, 2)),
    (lambda: layers.Bidirectional(layers.SimpleRNN(2)), (20, 2)),
    (lambda: layers.RNN([layers.GRUCell(2), layers.LSTMCell(3), layers.SimpleRNNCell(2)]), (20, 2)),
    (lambda: layers.ConvLSTM1D(2, 2, padding="same", return_sequences=True), (20, 3, 2)),
    (lambda: layers.ConvLSTM3D(2, 2), (20, 2, 3, 2, 1)),
])  # fmt: skip
def test_twenty_steps(make, shape):
    check_gradients(make, shape, tolerance=1e-6)
