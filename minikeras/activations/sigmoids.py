"""Smooth activations: the sigmoids, their integrals and products with x.

exp is only ever taken where it cannot overflow, or where what it overflows to gives the right limit.
"""

import math

import numpy as np

from minikeras.activations.function import ActivationFunction, quiet
from minikeras.kernels.scratch import scratch


@ActivationFunction
@quiet
def sigmoid(x, out):
    """f(x) = 1 / (1 + exp(-x))"""
    # (1 + tanh(x / 2)) / 2 is a third faster, but 0 from x = -18 on in float32, where this gives 2e-8.
    np.multiply(x, -1, out=out)  # np.negative in place is wrong at some strides (NumPy 2.4)
    np.exp(out, out=out)  # 1 / (1 + inf) is the 0 that it should be
    out += 1
    np.divide(1, out, out=out)


@sigmoid.derivative()
@quiet
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
@quiet
def tanh_gradient(dy, x, y, out):
    """f'(x) = 1 - y^2"""
    slope = np.multiply(y, y, out=scratch("slope", y.shape, y.dtype))
    np.subtract(1, slope, out=slope)
    np.multiply(dy, slope, out=out)


@ActivationFunction
def tanh_shrink(x, out):
    """f(x) = x - tanh(x)"""
    np.subtract(x, np.tanh(x), out=out)


@tanh_shrink.derivative(needs_input=True)
@quiet
def tanh_shrink_gradient(dy, x, y, out):
    """f'(x) = tanh(x)^2"""
    slope = np.tanh(x)
    slope *= slope
    np.multiply(dy, slope, out=out)


@ActivationFunction
@quiet
def softplus(x, out):
    """f(x) = log(1 + exp(x))"""
    np.logaddexp(x, 0, out=out)


@softplus.derivative()
@quiet
def softplus_gradient(dy, x, y, out):
    """f'(x) = sigmoid(x) = 1 - exp(-y)"""
    np.multiply(dy, -np.expm1(-y), out=out)


@ActivationFunction
@quiet
def log_sigmoid(x, out):
    """f(x) = log(sigmoid(x)) = -log(1 + exp(-x))"""
    np.multiply(x, -1, out=out)  # not np.negative: see `sigmoid`
    np.logaddexp(out, 0, out=out)
    out *= -1


@log_sigmoid.derivative()
@quiet
def log_sigmoid_gradient(dy, x, y, out):
    """f'(x) = sigmoid(-x) = 1 - exp(y)"""
    np.multiply(dy, -np.expm1(y), out=out)


@ActivationFunction
def softsign(x, out):
    """f(x) = x / (1 + |x|)"""
    np.divide(x, 1 + np.abs(x), out=out)


@softsign.derivative()
@quiet
def softsign_gradient(dy, x, y, out):
    """f'(x) = (1 - |y|)^2"""
    np.multiply(dy, (1 - np.abs(y)) ** 2, out=out)


@ActivationFunction
@quiet
def exponential(x, out):
    """f(x) = exp(x)"""
    np.exp(x, out=out)


@exponential.derivative()
@quiet
def exponential_gradient(dy, x, y, out):
    """f'(x) = y"""
    np.multiply(dy, y, out=out)


@ActivationFunction
@quiet
def squareplus(x, out, b=4):
    """f(x) = (x + sqrt(x^2 + b)) / 2; Barron 2021"""
    root = np.hypot(x, _root_of_b(b, x.dtype))  # without the overflow of x^2
    np.add(x, root, out=out)
    out *= 0.5


@squareplus.derivative(needs_input=True)
@quiet
def squareplus_gradient(dy, x, y, out, b=4):
    """f'(x) = (1 + x / sqrt(x^2 + b)) / 2"""
    slope = np.hypot(x, _root_of_b(b, x.dtype))
    np.divide(x, slope, out=slope, where=slope > 0)  # with b = 0 there is a kink at 0
    slope += 1
    slope *= 0.5
    np.multiply(dy, slope, out=out)


def _root_of_b(b, dtype):
    if not 0 <= b < math.inf:
        raise ValueError(f"`b` of squareplus must be a number of at least 0. Received: b={b!r}")
    return dtype.type(math.sqrt(b))


@ActivationFunction
@quiet
def silu(x, out):
    """f(x) = x sigmoid(x), also called swish; Ramachandran, Zoph and Le 2017"""
    np.multiply(x, sigmoid(x), out=out)


@silu.derivative(needs_input=True)
@quiet
def silu_gradient(dy, x, y, out):
    """f'(x) = s + y (1 - s) with s = sigmoid(x)"""
    s = sigmoid(x)
    np.multiply(dy, s + y * (1 - s), out=out)


@ActivationFunction
@quiet
def mish(x, out):
    """f(x) = x tanh(softplus(x)); Misra 2019"""
    np.multiply(x, np.tanh(softplus(x)), out=out)


@mish.derivative(needs_input=True)
@quiet
def mish_gradient(dy, x, y, out):
    """f'(x) = t + x (1 - t^2) sigmoid(x) with t = tanh(softplus(x))"""
    t = np.tanh(softplus(x))
    np.multiply(dy, t + x * ((1 - t * t) * sigmoid(x)), out=out)


@ActivationFunction
@quiet
def gelu(x, out, approximate=False):
    """f(x) = x P(X <= x) with a standard normal X, that is x (1 + erf(x / sqrt(2))) / 2; Hendrycks and Gimpel 2016.

    ``approximate``: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    """
    np.multiply(x, _gelu_tanh(x)[1] if approximate else normal_distribution(x), out=out)


@gelu.derivative(needs_input=True)
@quiet
def gelu_gradient(dy, x, y, out, approximate=False):
    """f'(x) = P(X <= x) + x exp(-x^2 / 2) / sqrt(2 pi)"""
    if approximate:
        near, share = _gelu_tanh(x)  # share = (1 + tanh u) / 2, whose derivative by u is 2 share (1 - share)
        slope = share + near * (2 * share * (1 - share)) * (GELU_SCALE * (1 + 3 * GELU_CUBE * near * near))
    else:
        slope = normal_distribution(x) + x * np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    np.multiply(dy, slope, out=out)


GELU_SCALE, GELU_CUBE = math.sqrt(2 / math.pi), 0.044715


def _gelu_tanh(x):
    """Return ``x`` cut off where the tangent is 1 or -1 anyway, and (1 + tangent) / 2."""
    near = np.clip(x, -10, 10)
    share = np.tanh(GELU_SCALE * (near + GELU_CUBE * near**3))
    share += 1
    share *= 0.5
    return near, share


@quiet
def normal_distribution(x):
    """Return P(X <= x) of a standard normal X, which is erfc(-x / sqrt(2)) / 2.

    With z = |x| / sqrt(2) and t = 2 / (2 + z), erfc(z) = t exp(-z^2) g(t), where g is so smooth on [0, 1] that few
    Chebyshev polynomials are enough (the substitution: Press et al., Numerical Recipes, section 6.2).
    """
    z = np.clip(np.abs(x), 0, 40)
    z *= math.sqrt(0.5)
    t = 2 / (2 + z)
    coefficients = _scaled_erfc_coefficients(x.dtype)
    twice = 4 * t - 2  # Clenshaw's recurrence, in 2 (2 t - 1)
    a, b = np.zeros_like(t), np.zeros_like(t)
    for c in coefficients[:0:-1]:
        a, b = twice * a - b + c, a
    tail = 0.5 * t * np.exp(-z * z) * (0.5 * twice * a - b + coefficients[0])
    return np.where(x < 0, tail, 1 - tail)


_coefficients = {}


def _scaled_erfc_coefficients(dtype):
    """Chebyshev coefficients of g(t) = exp(z^2) erfc(z) / t, z = 2 / t - 2, from its values at Chebyshev's nodes."""
    if dtype not in _coefficients:
        n = 30
        angles = math.pi * (np.arange(n) + 0.5) / n
        values = [_scaled_erfc(2 / t - 2) / t for t in (np.cos(angles) + 1) / 2]
        series = 2 / n * np.cos(np.outer(np.arange(n), angles)) @ values
        series[0] /= 2
        count = 12 if dtype == "float32" else n
        _coefficients[dtype] = [dtype.type(c) for c in series[:count]]
    return _coefficients[dtype]


def _scaled_erfc(z):
    """exp(z^2) erfc(z); for large z by the continued fraction of Abramowitz and Stegun, 7.1.14."""
    if z < 2:
        return math.exp(z * z) * math.erfc(z)
    fraction = z
    for k in range(200, 0, -1):
        fraction = z + k / 2 / fraction
    return 1 / (math.sqrt(math.pi) * fraction)
