"""Shapes, parts, and arrays made anew."""

import numpy as np

from minikeras import backend
from minikeras.config import floatx
from minikeras.layers.symbolic import KerasTensor
from minikeras.ops.arrays import convert_to_tensor, given


def shape(x):
    """Return x's shape as a tuple."""
    return tuple(x.shape) if isinstance(x, KerasTensor) else np.shape(x)


def ndim(x):
    """Return how many axes x has."""
    return len(shape(x))


def size(x):
    """Return how many elements x has."""
    return np.int32(convert_to_tensor(x).size)


def reshape(x, newshape):
    """Return x in another shape; -1 stands for what is left."""
    return convert_to_tensor(x).reshape(newshape)


def transpose(x, axes=None):
    """Return x with its axes in the given order, by default in reverse."""
    return np.transpose(convert_to_tensor(x), axes)


def expand_dims(x, axis):
    """Return x with new axes of size 1."""
    return np.expand_dims(convert_to_tensor(x), axis)


def squeeze(x, axis=None):
    """Return x without axes of size 1."""
    return np.squeeze(convert_to_tensor(x), axis)


def swapaxes(x, axis1, axis2):
    """Return x with two axes swapped."""
    return np.swapaxes(convert_to_tensor(x), axis1, axis2)


def moveaxis(x, source, destination):
    """Return x with axes at other places."""
    return np.moveaxis(convert_to_tensor(x), source, destination)


def ravel(x):
    """Return all elements in one row."""
    return convert_to_tensor(x).reshape(-1)


def broadcast_to(x, shape):
    """Return x repeated to fill a shape."""
    return np.broadcast_to(convert_to_tensor(x), shape).copy()


def concatenate(xs, axis=0):
    """Return arrays joined along an axis."""
    return np.concatenate([convert_to_tensor(x) for x in xs], axis)


def stack(x, axis=0):
    """Return arrays joined along a new axis."""
    return np.stack([convert_to_tensor(item) for item in x], axis)


def split(x, indices_or_sections, axis=0):
    """Return a list of x's parts, of one size or between the given places."""
    return np.split(convert_to_tensor(x), indices_or_sections, axis)


def unstack(x, num=None, axis=0):
    """Return a list of the slices along an axis."""
    return list(np.moveaxis(convert_to_tensor(x), axis, 0))


def tile(x, repeats):
    """Return x side by side with itself, so many times along each axis."""
    return np.tile(convert_to_tensor(x), repeats)


def repeat(x, repeats, axis=None):
    """Return x with each element, or slice along an axis, so many times."""
    return np.repeat(convert_to_tensor(x), repeats, axis)


def flip(x, axis=None):
    """Return x reversed."""
    return np.flip(convert_to_tensor(x), axis)


def roll(x, shift, axis=None):
    """Return x with elements moved on, the last ones to the front."""
    return np.roll(convert_to_tensor(x), shift, axis)


def pad(x, pad_width, mode="constant", constant_values=None):
    """Return x with more at its edges."""
    return np.pad(convert_to_tensor(x), pad_width, mode, **given(constant_values=constant_values))


def take(x, indices, axis=None):
    """Return the elements, or slices along an axis, with the given numbers."""
    return np.take(convert_to_tensor(x), np.asarray(indices, np.intp), axis)


def take_along_axis(x, indices, axis=None):
    """Return for each place of ``indices`` the element with this number along an axis."""
    return np.take_along_axis(convert_to_tensor(x), np.asarray(indices, np.intp), axis)


def diag(x, k=0):
    """Return a diagonal, or a matrix with the given one."""
    return np.diag(convert_to_tensor(x), k)


def tril(x, k=0):
    """Return x with zeros above a diagonal."""
    return np.tril(convert_to_tensor(x), k)


def triu(x, k=0):
    """Return x with zeros below a diagonal."""
    return np.triu(convert_to_tensor(x), k)


def einsum(subscripts, *operands, **kwargs):
    """Return the sums of products that the subscripts say."""
    return np.einsum(subscripts, *map(convert_to_tensor, operands), **kwargs)


def convert_to_numpy(x):
    """Return x as an array."""
    return convert_to_tensor(x)


def copy(x):
    """Return a copy of x."""
    return convert_to_tensor(x).copy()


def dtype(x):
    """Return the name of x's type."""
    return convert_to_tensor(x).dtype.name


def is_tensor(x):
    """Whether x is an array."""
    return isinstance(x, (np.ndarray, np.generic))


def stop_gradient(variable):
    """Return the array as it is."""
    return convert_to_tensor(variable)


def array(x, dtype=None):
    """Return x as an array of the caller's own."""
    return convert_to_tensor(x, dtype).copy()


def zeros(shape, dtype=None):
    """Return an array of zeros."""
    return np.zeros(shape, backend.standardize_dtype(dtype))


def ones(shape, dtype=None):
    """Return an array of ones."""
    return np.ones(shape, backend.standardize_dtype(dtype))


def full(shape, fill_value, dtype=None):
    """Return an array of one value."""
    return np.full(shape, fill_value, backend.standardize_dtype(dtype))


def zeros_like(x, dtype=None):
    """Return zeros of the shape and type of x."""
    return np.zeros_like(convert_to_tensor(x), dtype)


def ones_like(x, dtype=None):
    """Return ones of the shape and type of x."""
    return np.ones_like(convert_to_tensor(x), dtype)


def full_like(x, fill_value, dtype=None):
    """Return one value in the shape and type of x."""
    return np.full_like(convert_to_tensor(x), fill_value, dtype)


def eye(N, M=None, k=0, dtype=None):
    """Return ones on a diagonal of zeros."""
    return np.eye(N, M, k, backend.standardize_dtype(dtype))


def arange(start, stop=None, step=None, dtype=None):
    """Return numbers from start to below stop; from 0 if only one is given."""
    numbers = [number for number in (start, stop, step) if number is not None]
    if dtype is None:
        dtype = floatx() if any(isinstance(number, (float, np.floating)) for number in numbers) else "int32"
    start, stop = (0, start) if stop is None else (start, stop)
    return np.arange(start, stop, 1 if step is None else step).astype(dtype)
