"""An optimizer beside Keras': both made alike, given the same weights and gradients, and compared."""

import numpy as np

from minikeras import optimizers
from minikeras.variable import Variable

SHAPES = {"kernel": (3, 2, 4), "bias": (4,), "big": (23, 7), "conv": (3, 3, 2, 4), "wide": (3, 5)}

# Keras' name for a variable that it gives none.
NAMES = {"u_product": "variable"}

# The rule is 1e-5. Ftrl's default takes the difference of two roots that agree in three digits and divides it by the
# learning rate; PyTorch's power 0.5 is not rounded to the nearest number.
TOLERANCES = {"Ftrl": 3e-4}


def make_both(keras, name, arguments):
    theirs = getattr(keras.optimizers, name)(**arguments)
    return getattr(optimizers, name)(**{**arguments, "name": theirs.name}), theirs


def make_weights(keras, constraint=None, their_constraint=None, shapes=None, scale=1.0):
    rng = np.random.default_rng(0)
    values = {n: (scale * rng.normal(size=shape)).astype("float32") for n, shape in (shapes or SHAPES).items()}
    ours = [Variable(value.copy(), name, constraint=constraint) for name, value in values.items()]
    theirs = [keras.Variable(value, name=name, dtype="float32") for name, value in values.items()]
    for variable in theirs:
        variable.constraint = their_constraint
    return ours, theirs


def gradients(step, shapes=None):
    rng = np.random.default_rng(100 + step)
    shapes = SHAPES.values() if shapes is None else shapes
    return [rng.normal(size=s).astype("float32") * np.float32(0.01 + 3 * (step % 3)) for s in shapes]


def apply_both(keras, step, ours, our_weights, theirs, their_weights, grads=None):
    grads = gradients(step) if grads is None else grads
    ours.apply(grads, our_weights)
    theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], their_weights)


def assert_equal(ours, theirs, name=None):
    tolerance = TOLERANCES.get(name, 1e-5)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == tuple(other.shape)
        assert mine.dtype == other.dtype
        assert NAMES.get(mine.name, mine.name) == other.name.rsplit("_", other.name.startswith("variable_"))[0]
        expected = other.numpy()
        # Relative to the largest number: those that happen to cross 0 have no digits left to agree in.
        assert np.max(np.abs(mine.value - expected)) <= tolerance * np.max(np.abs(expected)), mine.path
