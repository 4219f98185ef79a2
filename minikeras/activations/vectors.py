"""Activations of whole vectors, along an axis: softmax and its relatives, and the gated linear unit."""

import numpy as np

from minikeras.activations.function import ActivationFunction, quiet
from minikeras.activations.sigmoids import sigmoid


@ActivationFunction
@quiet
def softmax(x, out, axis=-1):
    """f(x)_i = exp(x_i - max x) / sum_j exp(x_j - max x), along an axis, several, or (None) all"""
    np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)


@softmax.derivative()
@quiet
def softmax_gradient(dy, x, y, out, axis=-1):
    """dL/dx_i = y_i (dL/dy_i - sum_j dL/dy_j y_j)"""
    if axis == -1:
        inner = np.einsum("...i,...i->...", dy, y)[..., None]
    else:
        inner = np.sum(dy * y, axis=axis, keepdims=True)
    np.subtract(dy, inner, out=out)
    out *= y


softmax.elementwise = False


@ActivationFunction
@quiet
def log_softmax(x, out, axis=-1):
    """f(x)_i = x_i - max x - log sum_j exp(x_j - max x), along an axis or (None) all"""
    np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))


@log_softmax.derivative()
@quiet
def log_softmax_gradient(dy, x, y, out, axis=-1):
    """dL/dx_i = dL/dy_i - exp(y_i) sum_j dL/dy_j"""
    inner = np.exp(y)
    inner *= dy.sum(axis=axis, keepdims=True)
    np.subtract(dy, inner, out=out)


log_softmax.elementwise = False


@ActivationFunction
def sparsemax(x, out, axis=-1):
    """f(x) = max(x - tau, 0) along an axis; Martins and Astudillo 2016, algorithm 1, as Keras has it.

    With c_j the sum of the j largest numbers and k the most for which the k-th exceeds (c_k - 1) / k, Keras takes
    tau = (c_1 + ... + c_k - 1) / k. In the paper it is (c_k - 1) / k: outputs only sum to 1 where k is 1. Models are
    exchanged with Keras, so its formula counts.
    """
    tau, _ = _sparsemax_threshold(np.moveaxis(x, axis, -1))
    np.subtract(x, np.moveaxis(tau, -1, axis), out=out)
    np.maximum(out, 0, out=out)


@sparsemax.derivative(needs_input=True)
def sparsemax_gradient(dy, x, y, out, axis=-1):
    """dL/dx = m - (k + 1 - rank of x) / k sum m for the k largest x, else m; m is dL/dy where x >= tau, else 0"""
    x, dy, out = (np.moveaxis(array, axis, -1) for array in (x, dy, out))
    tau, k = _sparsemax_threshold(x)
    masked = dy * (x >= tau)
    rank = np.argsort(np.argsort(-x, axis=-1, kind="stable"), axis=-1)  # from 0
    share = np.maximum((k - rank) / k, 0).astype(x.dtype)
    np.subtract(masked, share * masked.sum(axis=-1, keepdims=True), out=out)


sparsemax.elementwise = False


def _sparsemax_threshold(x):
    """Return tau and k along the last axis."""
    ordered = -np.sort(-x, axis=-1)
    sums = np.cumsum(ordered, axis=-1, dtype=x.dtype)
    support = ordered - (sums - 1) / np.arange(1, x.shape[-1] + 1, dtype=x.dtype) > 0
    k = np.maximum(support.sum(axis=-1, keepdims=True), 1)  # rounding may deny it even to the largest
    return ((sums * support).sum(axis=-1, keepdims=True) - 1) / k.astype(x.dtype), k


class _Glu(ActivationFunction):
    """A function that halves an axis."""

    def output_shape(self, shape, axis=-1):
        if not shape or shape[axis] % 2:
            raise ValueError(f"glu halves axis {axis}, whose size must be even. Received an array of shape {shape}")
        halved = list(shape)
        halved[axis] //= 2
        return tuple(halved)


@_Glu
@quiet
def glu(x, out, axis=-1):
    """f(x) = a sigmoid(b), where a and b are the halves of x along an axis; Dauphin et al. 2017, section 2"""
    if out.shape == x.shape:
        raise ValueError(
            "activation='glu' halves an axis, but a layer's activation must keep the shape. Use a layer that may "
            "change it: Lambda(activations.glu)"
        )
    a, b = np.split(x, 2, axis=axis)
    np.multiply(a, sigmoid(b), out=out)


@glu.derivative(needs_input=True)
@quiet
def glu_gradient(dy, x, y, out, axis=-1):
    """dL/da = dL/dy sigmoid(b), dL/db = dL/dy a sigmoid(b) (1 - sigmoid(b))"""
    a, b = np.split(x, 2, axis=axis)
    da, db = np.split(out, 2, axis=axis)
    s = sigmoid(b)
    np.multiply(dy, a * (s * (1 - s)), out=db)
    np.multiply(dy, s, out=da)


glu.elementwise = False
