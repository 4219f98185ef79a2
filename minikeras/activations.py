"""Activation functions, each with its derivative beside it.

An activation is called as ``relu(x)`` and returns a new array. Layers use it in two steps, in place:
``activation.forward(x, out)`` writes ``y = f(x)`` and ``activation.gradient(dy, x, y, out)`` writes
``dL/dx = dL/dy * f'(x)``, both of which may be given one array for several arguments. Most derivatives need the
outputs ``y`` only; those that need ``x`` say so (``needs_input``), and the layer then keeps it.
"""

import numpy as np

from minikeras.kernels.scratch import scratch
from minikeras.registry import resolve
from minikeras.registry import serialize as _serialize


class ActivationFunction:
    """A function with its derivative.

    Args:
        forward: ``forward(x, out)`` writes f(x) into ``out``, which may be ``x`` itself.
        gradient: ``gradient(dy, x, y, out)`` writes dL/dx into ``out``, which may be ``dy`` itself. ``x`` is None
            unless ``needs_input``.
        needs_input: whether ``gradient`` reads ``x``.
        name: by default the name of ``forward``.
    """

    def __init__(self, forward, gradient=None, needs_input=False, name=None):
        self.forward = forward
        self.gradient = gradient
        self.needs_input = needs_input
        self.keras_name = self.__name__ = name or forward.__name__
        self.__doc__ = forward.__doc__

    def derivative(self, needs_input=False):
        """Decorator that sets the gradient, and returns it unchanged."""

        def decorate(gradient):
            self.gradient = gradient
            self.needs_input = needs_input
            return gradient

        return decorate

    def __call__(self, x):
        x = np.asarray(x)
        out = np.empty(x.shape, x.dtype if x.dtype.kind == "f" else _default_dtype())
        self.forward(x, out)
        return out

    def __repr__(self):
        return f"<activation {self.__name__}>"

    def __reduce__(self):
        return (get, (self.keras_name,)) if _table.get(self.keras_name) is self else super().__reduce__()


def _default_dtype():
    from minikeras import config

    return config.floatx()


@ActivationFunction
def linear(x, out):
    """f(x) = x"""
    if out is not x:
        np.copyto(out, x)


@linear.derivative()
def linear_gradient(dy, x, y, out):
    if out is not dy:
        np.copyto(out, dy)


@ActivationFunction
def relu(x, out):
    """f(x) = max(x, 0)"""
    np.clip(x, 0, np.inf, out=out)  # faster than np.maximum with a number


@relu.derivative()
def relu_gradient(dy, x, y, out):
    """f'(x) = 1 where y > 0, else 0"""
    np.multiply(dy, np.greater(y, 0, out=scratch("slope", y.shape, bool)), out=out)


@ActivationFunction
def sigmoid(x, out):
    """f(x) = 1 / (1 + exp(-x))"""
    # (1 + tanh(x / 2)) / 2 is a third faster, but 0 from x = -18 on in float32, where this gives 2e-8.
    np.negative(x, out=out)
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that it should be
        np.exp(out, out=out)
    out += 1
    np.divide(1, out, out=out)


@sigmoid.derivative()
def sigmoid_gradient(dy, x, y, out):
    """f'(x) = y (1 - y)"""
    slope = np.subtract(1, y, out=scratch("slope", y.shape, y.dtype))
    slope *= y
    np.multiply(dy, slope, out=out)


@ActivationFunction
def tanh(x, out):
    """f(x) = tanh(x)"""
    np.tanh(x, out=out)


@tanh.derivative()
def tanh_gradient(dy, x, y, out):
    """f'(x) = 1 - y^2"""
    slope = np.multiply(y, y, out=scratch("slope", y.shape, y.dtype))
    np.subtract(1, slope, out=slope)
    np.multiply(dy, slope, out=out)


@ActivationFunction
def softmax(x, out):
    """f(x)_i = exp(x_i - max x) / sum_j exp(x_j - max x), along the last axis"""
    np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=-1, keepdims=True)


@softmax.derivative()
def softmax_gradient(dy, x, y, out):
    """dL/dx_i = y_i (dL/dy_i - sum_j dL/dy_j y_j)"""
    inner = np.einsum("...i,...i->...", dy, y)[..., None]
    np.subtract(dy, inner, out=out)
    out *= y


@ActivationFunction
def softplus(x, out):
    """f(x) = log(1 + exp(x))"""
    np.logaddexp(x, 0, out=out)


@softplus.derivative()
def softplus_gradient(dy, x, y, out):
    """f'(x) = sigmoid(x) = 1 - exp(-y)"""
    np.multiply(dy, -np.expm1(-y), out=out)


@ActivationFunction
def softsign(x, out):
    """f(x) = x / (1 + |x|)"""
    np.divide(x, 1 + np.abs(x), out=out)


@softsign.derivative()
def softsign_gradient(dy, x, y, out):
    """f'(x) = (1 - |y|)^2"""
    np.multiply(dy, (1 - np.abs(y)) ** 2, out=out)


@ActivationFunction
def elu(x, out):
    """f(x) = x where x > 0, else exp(x) - 1 (alpha = 1)"""
    negative = np.expm1(np.minimum(x, 0))
    np.maximum(x, 0, out=out)
    out += negative


@elu.derivative()
def elu_gradient(dy, x, y, out):
    """f'(x) = 1 where y > 0, else y + 1"""
    np.multiply(dy, np.minimum(y, 0) + 1, out=out)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@ActivationFunction
def selu(x, out):
    """f(x) = scale * (x where x > 0, else alpha (exp(x) - 1)); Klambauer et al. 2017"""
    negative = np.expm1(np.minimum(x, 0))
    negative *= SELU_SCALE * SELU_ALPHA
    np.maximum(x, 0, out=out)
    out *= SELU_SCALE
    out += negative


@selu.derivative()
def selu_gradient(dy, x, y, out):
    """f'(x) = scale where y > 0, else y + scale alpha"""
    np.multiply(dy, np.where(y > 0, y.dtype.type(SELU_SCALE), y + y.dtype.type(SELU_SCALE * SELU_ALPHA)), out=out)


@ActivationFunction
def exponential(x, out):
    """f(x) = exp(x)"""
    with np.errstate(over="ignore"):
        np.exp(x, out=out)


@exponential.derivative()
def exponential_gradient(dy, x, y, out):
    """f'(x) = y"""
    np.multiply(dy, y, out=out)


@ActivationFunction
def silu(x, out):
    """f(x) = x sigmoid(x), also called swish"""
    np.multiply(x, sigmoid(x), out=out)


@silu.derivative(needs_input=True)
def silu_gradient(dy, x, y, out):
    """f'(x) = s + y (1 - s) with s = sigmoid(x)"""
    s = sigmoid(x)
    np.multiply(dy, s + y * (1 - s), out=out)


@ActivationFunction
def leaky_relu(x, out):
    """f(x) = x where x > 0, else 0.2 x"""
    np.maximum(x, x * 0.2, out=out)


@leaky_relu.derivative()
def leaky_relu_gradient(dy, x, y, out):
    """f'(x) = 1 where y > 0, else 0.2"""
    np.multiply(dy, np.where(y > 0, y.dtype.type(1), y.dtype.type(0.2)), out=out)


@ActivationFunction
def relu6(x, out):
    """f(x) = min(max(x, 0), 6)"""
    np.clip(x, 0, 6, out=out)


@relu6.derivative()
def relu6_gradient(dy, x, y, out):
    """f'(x) = 1 where 0 < y < 6, else 0"""
    np.multiply(dy, (y > 0) & (y < 6), out=out)


@ActivationFunction
def hard_sigmoid(x, out):
    """f(x) = min(max(x / 6 + 1/2, 0), 1)"""
    np.divide(x, 6, out=out)
    out += 0.5
    np.clip(out, 0, 1, out=out)


@hard_sigmoid.derivative()
def hard_sigmoid_gradient(dy, x, y, out):
    """f'(x) = 1/6 where 0 < y < 1, else 0"""
    np.multiply(dy, (y > 0) & (y < 1), out=out)
    out *= 1 / 6


_table = {
    function.keras_name: function
    for function in (
        linear, relu, sigmoid, tanh, softmax, softplus, softsign, elu, selu, exponential, silu, leaky_relu, relu6,
        hard_sigmoid,
    )
}  # fmt: skip
swish = silu
_aliases = {"swish": silu}


def get(identifier):
    """Return an `ActivationFunction` for a name, a callable or None (linear).

    Raises:
        ValueError: an unknown name.
    """
    if identifier is None:
        return linear
    found = resolve(identifier, _table | _aliases, "activation", ActivationFunction)
    if isinstance(found, ActivationFunction):
        return found
    return ActivationFunction(lambda x, out: np.copyto(out, found(x)), name=getattr(found, "__name__", "custom"))


def serialize(activation):
    """Return the activation's name."""
    return _serialize(activation)


def deserialize(config):
    """Return the activation of that name."""
    return get(config)
