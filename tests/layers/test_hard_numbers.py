"""Every layer on numbers that break naive formulas: outputs and all gradients are finite, without an error of NumPy's.

The configurations are those that are compared with Keras (tests/parity/test_layers_*.py).
"""

import numpy as np
import pytest
from parity_layers import load_tables, make_layer

from minikeras import activations, utils

TABLES = load_tables()
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


def rows(wanted):
    """Parametrize over the configurations of the layers' (name, shape, arguments) that are wanted."""
    table = {f"{name}-{i}": (name, *row) for name, cases in TABLES["CASES"].items() for i, row in enumerate(cases)}
    table = {key: row for key, row in table.items() if wanted(*row)}
    return pytest.mark.parametrize("name, shape, arguments", table.values(), ids=table)


@pytest.fixture(autouse=True)
def seed():
    utils.set_random_seed(0)


def run(layer, x, mask=None):
    """Forward and backward in training; return what must be finite."""
    options = {} if mask is None else {"mask": mask}
    saturates = getattr(layer, "activation", None) not in (None, activations.linear, activations.relu)
    under = "ignore" if saturates or type(layer).__name__ in UNDERFLOW else "raise"
    for tries_left in (2, 1, 0):
        try:
            with np.errstate(all="raise", under=under):
                y = layer(x, training=True, **options)
                dx = layer.backward(np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype))
            break
        except FloatingPointError as error:
            # BLAS raises a flag now and then for what lies in the unused places of a vector, though all numbers are
            # right. What is our fault comes again.
            if "matmul" not in str(error) or not tries_left:
                raise
    return y, dx, *(w.grad for w in layer.trainable_weights), *(w.value for w in layer.weights)


def check(layer, x, mask=None):
    for array in run(layer, x, mask):
        assert array is None or np.isfinite(array).all()


@pytest.mark.parametrize("kind", KINDS)
@rows(lambda name, shape, arguments: name not in TABLES["INPUTS"])  # those take integers, say
def test_numbers(name, shape, arguments, kind):
    for batch in (3, 1):
        layer = make_layer(name, arguments)
        x = KINDS[kind](np.random.default_rng(0), (batch, *shape)).astype("float32")
        check(layer, x)


@rows(lambda name, shape, arguments: True)
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


@rows(lambda name, shape, arguments: len(shape) > 1 and make_layer(name, arguments).supports_masking)
def test_all_masked(name, shape, arguments):
    layer = make_layer(name, arguments)
    layer = make_layer(name, arguments)
    make = TABLES["INPUTS"].get(name, lambda rng, shape: rng.standard_normal(shape).astype("float32"))
    sizes = FULL_MASKS.get(name, lambda shape: shape[:1])(shape)
    check(layer, make(np.random.default_rng(0), (3, *shape)), np.zeros((3, *sizes), bool))
