"""`keras.backend` for arrays: settings, names, and the functions of Keras 1 and 2 that scripts still call as K.mean(x).

Their arguments and results are NumPy arrays. Nothing here has a gradient but the activation functions.
"""

import numpy as np

from minikeras import registry
from minikeras.backend.arrays import (
    abs,
    all,
    any,
    arange,
    argmax,
    argmin,
    batch_dot,
    batch_flatten,
    cast,
    cast_to_floatx,
    clip,
    concatenate,
    constant,
    cos,
    count_params,
    cumprod,
    cumsum,
    dot,
    dtype,
    equal,
    exp,
    expand_dims,
    eye,
    flatten,
    gather,
    greater,
    greater_equal,
    in_top_k,
    int_shape,
    l2_normalize,
    less,
    less_equal,
    log,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    one_hot,
    ones,
    ones_like,
    permute_dimensions,
    pow,
    prod,
    repeat,
    repeat_elements,
    reshape,
    reverse,
    round,
    shape,
    sign,
    sin,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sum,
    switch,
    tile,
    transpose,
    var,
    zeros,
    zeros_like,
)
from minikeras.backend.neural import (
    binary_crossentropy,
    categorical_crossentropy,
    elu,
    eval,
    get_value,
    hard_sigmoid,
    random_bernoulli,
    random_normal,
    random_uniform,
    relu,
    set_value,
    sigmoid,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    stop_gradient,
    tanh,
    truncated_normal,
    update,
    update_add,
    update_sub,
    variable,
)
from minikeras.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minikeras.registry import get_uid

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "reset_uids", "result_type", "set_epsilon", "set_floatx", "set_image_data_format",
    "standardize_dtype",
    "abs", "all", "any", "arange", "argmax", "argmin", "batch_dot", "batch_flatten", "binary_crossentropy", "cast",
    "cast_to_floatx", "categorical_crossentropy", "clip", "concatenate", "constant", "cos", "count_params", "cumprod",
    "cumsum", "dot", "dtype", "elu", "equal", "eval", "exp", "expand_dims", "eye", "flatten", "gather", "get_value",
    "greater", "greater_equal", "hard_sigmoid", "in_top_k", "int_shape", "l2_normalize", "less", "less_equal", "log",
    "max", "maximum", "mean", "min", "minimum", "ndim", "not_equal", "one_hot", "ones", "ones_like",
    "permute_dimensions", "pow", "prod", "random_bernoulli", "random_normal", "random_uniform", "relu", "repeat",
    "repeat_elements", "reshape", "reverse", "round", "set_value", "shape", "sigmoid", "sign", "sin", "softmax",
    "softplus", "softsign", "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack", "std",
    "stop_gradient", "sum", "switch", "tanh", "tile", "transpose", "truncated_normal", "update", "update_add",
    "update_sub", "var", "variable", "zeros", "zeros_like",
]  # fmt: skip


def clear_session(free_memory=True):
    """Start counting names anew, so that the next Dense layer is ``"dense"``; collect garbage if ``free_memory``."""
    registry.reset_auto_names()
    if free_memory:
        import gc

        gc.collect()


reset_uids = registry.reset_auto_names


def is_keras_tensor(x):
    """Whether ``x`` is what a layer returns for an `Input` instead of an array."""
    return type(x).__name__ == "KerasTensor"


def is_float_dtype(dtype):
    """Whether the name of a type, or a type, is one of floats."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype):
    """Whether the name of a type, or a type, is one of integers."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def standardize_dtype(dtype):
    """Return the name of a type: `floatx` for None, ``"int32"`` for int."""
    if dtype is None:
        return floatx()
    if isinstance(dtype, str) and dtype == "bfloat16":
        return dtype
    return {float: "float32", int: "int32", str: "string"}.get(dtype) or np.dtype(dtype).name


def result_type(*dtypes):
    """Return the name of the type of a computation with the given types; integers and a float give that float.

    Unlike in Keras, which cuts them to 32 bits, types of 64 bits stay.
    """
    names = [standardize_dtype(dtype) for dtype in dtypes] or [floatx()]
    floats = [name for name in names if is_float_dtype(name)]
    return np.result_type(*(floats or names)).name
