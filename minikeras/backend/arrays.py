"""Functions of arrays under their names in Keras 1 and 2: elementwise, sums and means, shapes."""

import builtins
import math

import numpy as np

from minikeras.config import floatx

# The functions carry the names of builtins, which are therefore called through `builtins`.


def _array(x):
    return np.asarray(x)


def _numbers(x):
    """An array on which statistics can be computed: truth values count as 0 and 1."""
    x = np.asarray(x)
    return x.astype(floatx()) if x.dtype == bool else x


def _elementwise(name, function):
    """A function of one array, or of two, that gives inf and NaN without a warning."""

    def apply(x):
        with np.errstate(all="ignore"):
            return function(_array(x))

    def apply_both(x, y):
        with np.errstate(all="ignore"):
            return function(_array(x), _array(y))

    result = apply_both if getattr(function, "nin", 1) == 2 else apply
    result.__name__ = result.__qualname__ = name
    result.__doc__ = f"Return `numpy.{function.__name__}` of each element."
    return result


def _reduction(name, function, prepare=_numbers):
    def reduce(x, axis=None, keepdims=False):
        axis = tuple(axis) if isinstance(axis, list) else axis
        return function(prepare(x), axis=axis, keepdims=keepdims)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"Return `numpy.{function.__name__}` along an axis, several axes, or all (None)."
    return reduce


abs = _elementwise("abs", np.abs)
cos = _elementwise("cos", np.cos)
equal = _elementwise("equal", np.equal)
exp = _elementwise("exp", np.exp)
greater = _elementwise("greater", np.greater)
greater_equal = _elementwise("greater_equal", np.greater_equal)
less = _elementwise("less", np.less)
less_equal = _elementwise("less_equal", np.less_equal)
log = _elementwise("log", np.log)
maximum = _elementwise("maximum", np.maximum)
minimum = _elementwise("minimum", np.minimum)
not_equal = _elementwise("not_equal", np.not_equal)
round = _elementwise("round", np.rint)
sign = _elementwise("sign", np.sign)
sin = _elementwise("sin", np.sin)
square = _elementwise("square", np.square)

max = _reduction("max", np.max, _array)
mean = _reduction("mean", np.mean)
min = _reduction("min", np.min, _array)
prod = _reduction("prod", np.prod, _array)
std = _reduction("std", np.std)
sum = _reduction("sum", np.sum, _array)
var = _reduction("var", np.var)
all = _reduction("all", np.all, lambda x: np.asarray(x, bool))
any = _reduction("any", np.any, lambda x: np.asarray(x, bool))


def sqrt(x):
    """Return the square root, 0 for negative numbers."""
    return np.sqrt(np.maximum(_array(x), 0))


def pow(x, a):
    """Return x to the power of a."""
    with np.errstate(all="ignore"):
        return np.power(_array(x), a)


def argmax(x, axis=-1):
    """Return the position of the largest value."""
    return np.argmax(_array(x), axis)


def argmin(x, axis=-1):
    """Return the position of the smallest value."""
    return np.argmin(_array(x), axis)


def clip(x, min_value, max_value):
    """Return x with what lies outside of [min_value, max_value] at the nearer end; None is no limit."""
    low = -np.inf if min_value is None else min_value
    high = np.inf if max_value is None else max_value
    return np.clip(_array(x), low, np.maximum(low, high))


def cumsum(x, axis=0):
    """Return the sums up to each element."""
    return np.cumsum(_array(x), axis)


def cumprod(x, axis=0):
    """Return the products up to each element."""
    return np.cumprod(_array(x), axis)


def l2_normalize(x, axis=None):
    """Return x divided by its Euclidean norm, which counts as at least 1e-6."""
    x = _array(x)
    return x / np.sqrt(np.maximum(np.sum(np.square(x), axis=axis, keepdims=True), 1e-12)).astype(x.dtype)


def dot(x, y):
    """Return `numpy.dot`: the product over the last axis of x and the last but one of y."""
    return np.dot(_array(x), _array(y))


def batch_dot(x, y, axes=None):
    """Return the products of x[i] and y[i] over one axis of each, for each i.

    Args:
        axes: the two axes, or one for both, counted with the batch axis; by default the last of x, and of y the last
            but one (the last, if it has only two).
    """
    x, y = _array(x), _array(y)
    if x.ndim < 2 or y.ndim < 2 or len(x) != len(y):
        raise ValueError(f"`x` and `y` must be batches of one length. Received shapes: {x.shape} and {y.shape}")
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 1 if y.ndim == 2 else y.ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    first, second = first % x.ndim, second % y.ndim
    if 0 in (first, second) or x.shape[first] != y.shape[second]:
        raise ValueError(
            f"`axes` must be two axes of one size, not axis 0. Received: axes={axes} for shapes {x.shape}, {y.shape}"
        )
    result = np.stack([np.tensordot(a, b, (first - 1, second - 1)) for a, b in zip(x, y)])
    return result[:, None] if result.ndim == 1 else result


def concatenate(tensors, axis=-1):
    """Return arrays joined along an axis."""
    return np.concatenate(tensors, axis)


def stack(x, axis=0):
    """Return arrays joined along a new axis."""
    return np.stack(x, axis)


def expand_dims(x, axis=-1):
    """Return x with a new axis of size 1."""
    return np.expand_dims(_array(x), axis)


def squeeze(x, axis):
    """Return x without an axis of size 1."""
    return np.squeeze(_array(x), axis)


def flatten(x):
    """Return all elements in one row."""
    return _array(x).reshape(-1)


def batch_flatten(x):
    """Return the elements of each x[i] in one row."""
    x = _array(x)
    return x.reshape(-1, math.prod(x.shape[1:]))


def reshape(x, shape):
    """Return x in another shape; -1 stands for what is left."""
    return _array(x).reshape(shape)


def transpose(x):
    """Return x with its axes in reverse order."""
    return _array(x).T


def permute_dimensions(x, pattern):
    """Return x with its axes in the given order."""
    return np.transpose(_array(x), pattern)


def reverse(x, axes):
    """Return x reversed along one or several axes."""
    return np.flip(_array(x), axes)


def repeat(x, n):
    """Return each row of a matrix ``n`` times: (batch, features) to (batch, n, features)."""
    x = _array(x)
    if x.ndim != 2:
        raise ValueError(f"`x` must have the shape (batch, features). Received shape: {x.shape}")
    return np.repeat(x[:, None], n, axis=1)


def repeat_elements(x, rep, axis):
    """Return x with each slice along an axis ``rep`` times."""
    return np.repeat(_array(x), rep, axis)


def tile(x, n):
    """Return x side by side with itself, ``n`` times along each axis."""
    return np.tile(_array(x), n)


def gather(reference, indices):
    """Return the rows with the given numbers."""
    return _array(reference)[np.asarray(indices, np.intp)]


def one_hot(indices, num_classes):
    """Return a row of zeros with a 1 at the index, for each; without a 1 if there is no such column."""
    return (np.asarray(indices)[..., None] == np.arange(num_classes)).astype(floatx())


def in_top_k(predictions, targets, k):
    """Whether less than ``k`` predictions of a row are larger than that at its target."""
    predictions = _array(predictions)
    chosen = np.take_along_axis(predictions, np.asarray(targets, np.intp)[:, None], axis=1)
    return (predictions > chosen).sum(axis=1) < k


def switch(condition, then_expression, else_expression):
    """Return one of two arrays (or of the values of two functions); element by element for an array of conditions."""
    condition = np.asarray(condition, bool)
    then, other = (e if not callable(e) else e for e in (then_expression, else_expression))
    if condition.ndim == 0:
        chosen = then if condition else other
        return chosen() if callable(chosen) else _array(chosen)
    then, other = (_array(e() if callable(e) else e) for e in (then, other))
    missing = builtins.max(then.ndim - condition.ndim, 0)
    return np.where(condition.reshape(condition.shape + (1,) * missing), then, other)


# Arrays made anew, their types and shapes.


def arange(start, stop=None, step=1, dtype="int32"):
    """Return numbers from start to below stop; from 0 if only one is given."""
    return np.arange(0 if stop is None else start, start if stop is None else stop, step).astype(dtype)


def constant(value, dtype=None, shape=None, name=None):
    """Return an array of the value."""
    array = np.asarray(value, dtype or floatx())
    if shape is None:
        return array.copy()
    return array.reshape(shape) if array.size == math.prod(shape) else np.broadcast_to(array, shape).copy()


def zeros(shape, dtype=None, name=None):
    """Return an array of zeros."""
    return np.zeros(shape, dtype or floatx())


def ones(shape, dtype=None, name=None):
    """Return an array of ones."""
    return np.ones(shape, dtype or floatx())


def zeros_like(x, dtype=None, name=None):
    """Return zeros of the shape and type of x."""
    return np.zeros_like(_array(x), dtype)


def ones_like(x, dtype=None, name=None):
    """Return ones of the shape and type of x."""
    return np.ones_like(_array(x), dtype)


def eye(size, dtype=None, name=None):
    """Return the unit matrix."""
    return np.eye(size, dtype=dtype or floatx())


def cast(x, dtype):
    """Return x as another type."""
    with np.errstate(invalid="ignore"):
        return _array(x).astype(dtype)


def cast_to_floatx(x):
    """Return x as an array of `floatx`."""
    return np.asarray(x, floatx())


def dtype(x):
    """Return the name of x's type."""
    return _array(x).dtype.name


def shape(x):
    """Return x's shape as a tuple."""
    return np.shape(x)


int_shape = shape


def ndim(x):
    """Return how many axes x has."""
    return np.ndim(x)


def count_params(x):
    """Return how many elements x has."""
    return math.prod(np.shape(x))
