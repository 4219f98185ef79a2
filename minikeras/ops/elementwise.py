"""Functions of each element of one array, or of two."""

import numpy as np

from minikeras.ops.arrays import convert_to_tensor, countable, float_pair, floats, named, pair, truth, truths


def _elementwise(name, prepare=floats, source=None):
    compute = getattr(np, source or name)

    def function(x):
        with np.errstate(all="ignore"):
            return compute(prepare(x))

    return named(function, name, f"Return `numpy.{source or name}` of each element.")


def _of_two(name, prepare=pair, source=None):
    compute = getattr(np, source or name)

    def function(x1, x2):
        with np.errstate(all="ignore"):
            return compute(*prepare(x1, x2))

    return named(function, name, f"Return `numpy.{source or name}` of two arrays.")


abs = _elementwise("abs", convert_to_tensor)
absolute = _elementwise("absolute", convert_to_tensor)
arccos = _elementwise("arccos")
arcsin = _elementwise("arcsin")
arctan = _elementwise("arctan")
ceil = _elementwise("ceil")
cos = _elementwise("cos")
cosh = _elementwise("cosh")
exp = _elementwise("exp")
expm1 = _elementwise("expm1")
floor = _elementwise("floor")
isfinite = _elementwise("isfinite", convert_to_tensor)
isinf = _elementwise("isinf", convert_to_tensor)
isnan = _elementwise("isnan", convert_to_tensor)
log = _elementwise("log")
log10 = _elementwise("log10")
log1p = _elementwise("log1p")
log2 = _elementwise("log2")
logical_not = _elementwise("logical_not", truth)
negative = _elementwise("negative", convert_to_tensor)
sign = _elementwise("sign", convert_to_tensor)
sin = _elementwise("sin")
sinh = _elementwise("sinh")
sqrt = _elementwise("sqrt")
square = _elementwise("square", countable)
tan = _elementwise("tan")

add = _of_two("add")
arctan2 = _of_two("arctan2", float_pair)
divide = _of_two("divide", float_pair)
equal = _of_two("equal")
floor_divide = _of_two("floor_divide")
greater = _of_two("greater")
greater_equal = _of_two("greater_equal")
less = _of_two("less")
less_equal = _of_two("less_equal")
logical_and = _of_two("logical_and", truths)
logical_or = _of_two("logical_or", truths)
logical_xor = _of_two("logical_xor", truths)
maximum = _of_two("maximum")
minimum = _of_two("minimum")
mod = _of_two("mod")
multiply = _of_two("multiply")
not_equal = _of_two("not_equal")
power = _of_two("power")
subtract = _of_two("subtract")
true_divide = _of_two("true_divide", float_pair)

dot = _of_two("dot")
matmul = _of_two("matmul")
outer = _of_two("outer")


def reciprocal(x):
    """Return 1 / x."""
    return divide(1.0, floats(x))


def rsqrt(x):
    """Return 1 / sqrt(x)."""
    return reciprocal(sqrt(x))


def divide_no_nan(x1, x2):
    """Return x1 / x2, 0 where x2 is 0."""
    x1, x2 = float_pair(x1, x2)
    return np.divide(x1, x2, out=np.zeros(np.broadcast_shapes(x1.shape, x2.shape), x1.dtype), where=x2 != 0)


def round(x, decimals=0):
    """Return x rounded, halves to the even number."""
    return np.round(convert_to_tensor(x), decimals)


def clip(x, x_min, x_max):
    """Return x with what lies outside of [x_min, x_max] at the nearer end."""
    return np.clip(countable(x), x_min, x_max)


def where(condition, x1=None, x2=None):
    """Return x1 where the condition holds, else x2."""
    if x1 is None or x2 is None:
        raise NotImplementedError("`where` takes `x1` and `x2` here: numpy.nonzero gives the places that are true")
    return np.where(truth(condition), *pair(x1, x2))
