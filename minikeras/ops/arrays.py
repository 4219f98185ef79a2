"""What comes in: arrays of the types that Keras computes in."""

import numpy as np

from minikeras import backend
from minikeras.config import floatx
from minikeras.layers.symbolic import KerasTensor
from minikeras.variable import Variable


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """Return ``x`` as an array: Python's numbers, and lists of them, of `floatx` or int32."""
    if any(isinstance(item, KerasTensor) for item in (x if isinstance(x, (list, tuple)) else [x])):
        raise NotImplementedError(
            f"keras.ops cannot compute with the symbolic {x!r}: minikeras' models are chains of layers. Write it as a "
            "layer, as Rescaling, Reshape, or Lambda with a `gradient`"
        )
    if sparse or ragged:
        raise NotImplementedError(
            f"Arrays are dense: `sparse` and `ragged` must be None. Received: sparse={sparse!r}, ragged={ragged!r}"
        )
    array = np.asarray(x)
    if dtype is None and not _has_type(x):
        dtype = {"f": floatx(), "i": "int32"}.get(array.dtype.kind)
    return array if dtype is None else cast(array, dtype)


def _has_type(x):
    if isinstance(x, (list, tuple)):
        return any(_has_type(item) for item in x)
    return isinstance(x, (np.ndarray, np.generic, Variable)) or hasattr(x, "__array__")


def cast(x, dtype):
    """Return x as another type."""
    with np.errstate(invalid="ignore"):
        return convert_to_tensor(x).astype(backend.standardize_dtype(dtype))


def floats(x):
    """An array of floats: integers and truth values become `floatx`."""
    x = convert_to_tensor(x)
    return x if x.dtype.kind in "fc" else x.astype(floatx())


def pair(x1, x2):
    """Two arrays of one type, Keras' for the two; a Python number has that of the array beside it, if it can."""
    arrays, typed = [convert_to_tensor(x) for x in (x1, x2)], [_has_type(x) for x in (x1, x2)]
    if typed[0] != typed[1]:
        strong, number = arrays if typed[0] else arrays[::-1]
        if "biuf".find(number.dtype.kind) <= "biuf".find(strong.dtype.kind):
            return [array.astype(strong.dtype, copy=False) for array in arrays]
    dtype = backend.result_type(*(array.dtype for array in arrays))
    return [array.astype(dtype, copy=False) for array in arrays]


def float_pair(x1, x2):
    return [floats(x) for x in pair(x1, x2)]


def truth(x):
    return convert_to_tensor(x).astype(bool)


def truths(x1, x2):
    return truth(x1), truth(x2)


def countable(x):
    """An array whose sums are of Keras' type: of truth values and small integers int32."""
    x = convert_to_tensor(x)
    return x.astype("int32") if x.dtype.kind == "b" or x.dtype.kind in "iu" and x.dtype.itemsize < 4 else x


def given(**arguments):
    return {name: value for name, value in arguments.items() if value is not None}


def named(function, name, text):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function
