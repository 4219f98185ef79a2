"""Every layer on numbers that break naive formulas: outputs and all gradients are finite, without an error of NumPy's.

The configurations are those that are compared with Keras (tests/parity/test_layers_*.py).
"""

import numpy as np
import pytest
from parity_layers import load_tables, make_layer

from minikeras import activations, utils

TABLES = load_tables()
ROWS = [(name, *row) for name, cases in TABLES["CASES"].items() for row in cases]
IDS = [f"{name}-{i}" for name, cases in TABLES["CASES"].items() for i in range(len(cases))]
KINDS = {
    "zeros": lambda rng, shape: np.zeros(shape),
    "variance 0": lambda rng, shape: np.full(shape, 7.3),
    "mean 1e6": lambda rng, shape: 1e6 + rng.standard_normal(shape),
    "+-1e4": lambda rng, shape: 1e4 * rng.choice([-1.0, 1.0], shape),
    "1e-30": lambda rng, shape: 1e-30 * rng.standard_normal(shape),
}
# Those that square their inputs, or multiply gates, derivatives of saturated activations or small weights: what is
# below 1e-38 becomes 0, as it should. Nothing else is allowed for.
UNDERFLOW = {
    "BatchNormalization", "Bidirectional", "GRU", "GroupNormalization", "LSTM", "LayerNormalization",
    "RMSNormalization", "RNN", "RandomGaussianBlur", "RandomPerspective", "SimpleRNN", "TimeDistributed",
    "UnitNormalization",
}  # fmt: skip
FULL_MASKS = {"BatchNormalization": lambda shape: shape[:-1], "Softmax": lambda shape: shape}


@pytest.fixture(autouse=True)
def seed():
    utils.set_random_seed(0)


def run(layer, x, mask=None):
    """Forward and backward in training; return what must be finite."""
    options = {} if mask is None else {"mask": mask}
    saturates = getattr(layer, "activation", None) not in (None, activations.linear, activations.relu)
    under = "ignore" if saturates or type(layer).__name__ in UNDERFLOW else "raise"
    with np.errstate(all="raise", under=under):
        y = layer(x, training=True, **options)
        dx = layer.backward(np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype))
    return y, dx, *(w.grad for w in layer.trainable_weights), *(w.value for w in layer.weights)


def check(layer, x, mask=None):
    for array in run(layer, x, mask):
        assert array is None or np.isfinite(array).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_numbers(name, shape, arguments, kind):
    make = TABLES["INPUTS"].get(name)
    if make is not None:
        pytest.skip("the inputs are of a kind of their own")
    for batch in (3, 1):
        layer = make_layer(name, arguments)
        x = KINDS[kind](np.random.default_rng(0), (batch, *shape)).astype("float32")
        check(layer, x)


@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_one_pixel_or_step(name, shape, arguments):
    make = TABLES["INPUTS"].get(name, lambda rng, shape: rng.standard_normal(shape).astype("float32"))
    small = (*(1 for _ in shape[:-1]), shape[-1])
    layer = make_layer(name, arguments)
    try:
        layer.compute_output_shape((1, *small))
        layer.build_once((1, *small))
    except ValueError:
        return  # says that it does not fit
    check(layer, make(np.random.default_rng(0), (1, *small)))


@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_all_masked(name, shape, arguments):
    layer = make_layer(name, arguments)
    if len(shape) < 2 or not layer.supports_masking:
        pytest.skip("no steps, or no masks")
    make = TABLES["INPUTS"].get(name, lambda rng, shape: rng.standard_normal(shape).astype("float32"))
    sizes = FULL_MASKS.get(name, lambda shape: shape[:1])(shape)
    check(layer, make(np.random.default_rng(0), (3, *shape)), np.zeros((3, *sizes), bool))
