"""Activations made of straight lines: relu and its relatives, the hard functions, the shrinks; and exponential units.

Where two pieces meet, the derivative is the one that PyTorch takes, which is mostly that of the flatter piece.
"""

import numpy as np

from minikeras.activations.function import ActivationFunction, quiet
from minikeras.kernels.scratch import scratch


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
def relu(x, out, negative_slope=0.0, max_value=None, threshold=0.0):
    """f(x) = max(x, 0); in general max_value where x >= max_value, x where threshold < x < max_value, else
    negative_slope (x - threshold). Nair and Hinton 2010; the arguments are Keras'."""
    negative = None
    if negative_slope:
        if max_value is None and threshold == 0:
            return leaky_relu.forward(x, out, negative_slope)
        negative = np.minimum(x if threshold == 0 else x - threshold, 0)
        negative *= negative_slope
    if threshold == 0:
        np.clip(x, 0, np.inf, out=out)  # faster than np.maximum with a number
    else:
        np.multiply(x, x > threshold, out=out)
    if max_value is not None:
        np.clip(out, 0, max_value, out=out)
    if negative is not None:
        out += negative


@relu.derivative()
def relu_gradient(dy, x, y, out, negative_slope=0.0, max_value=None, threshold=0.0):
    """f'(x) = 1 where y > 0, else 0. At max_value it is 1, but 0 if that is 6; at the threshold 0, but negative_slope
    if there is no other argument: so it is in Keras, which computes these cases by other functions."""
    if negative_slope == 0 and max_value is None and threshold == 0:
        np.multiply(dy, np.greater(y, 0, out=scratch("slope", y.shape, bool)), out=out)
        return
    if max_value is None and threshold == 0:
        np.multiply(dy, _slopes(x > 0, 1, negative_slope, x.dtype), out=out)
        return
    positive = x > threshold
    if max_value is not None:
        positive &= x < max_value if max_value == 6 and threshold == 0 else x <= max_value
        positive &= x >= 0
    slope = positive.astype(x.dtype)
    if negative_slope:
        slope += x.dtype.type(negative_slope) * (x < threshold)
    np.multiply(dy, slope, out=out)


@ActivationFunction
@quiet
def leaky_relu(x, out, negative_slope=0.2):
    """f(x) = x where x > 0, else negative_slope x; Maas, Hannun and Ng 2013, section 2"""
    if not negative_slope:
        np.clip(x, 0, np.inf, out=out)
    elif negative_slope <= 1:
        np.maximum(x, x * negative_slope, out=out)
    else:
        np.minimum(x, x * negative_slope, out=out)


@leaky_relu.derivative()
def leaky_relu_gradient(dy, x, y, out, negative_slope=0.2):
    """f'(x) = 1 where x > 0, which is where y > 0 by default, else negative_slope"""
    np.multiply(dy, _slopes((y if x is None else x) > 0, 1, negative_slope, y.dtype), out=out)


@ActivationFunction
def relu6(x, out):
    """f(x) = min(max(x, 0), 6)"""
    np.clip(x, 0, 6, out=out)


@relu6.derivative()
def relu6_gradient(dy, x, y, out):
    """f'(x) = 1 where 0 < y < 6, else 0"""
    np.multiply(dy, (y > 0) & (y < 6), out=out)


@ActivationFunction
def hard_tanh(x, out):
    """f(x) = min(max(x, -1), 1)"""
    np.clip(x, -1, 1, out=out)


@hard_tanh.derivative()
def hard_tanh_gradient(dy, x, y, out):
    """f'(x) = 1 where |y| < 1, else 0"""
    np.multiply(dy, np.abs(y) < 1, out=out)


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


@ActivationFunction
def hard_silu(x, out):
    """f(x) = x min(max(x / 6 + 1/2, 0), 1), also called hard swish; Howard et al. 2019, section 5.2"""
    np.multiply(x, hard_sigmoid(x), out=out)


@hard_silu.derivative(needs_input=True)
def hard_silu_gradient(dy, x, y, out):
    """f'(x) = x / 3 + 1/2 where -3 < x < 3, 0 below, 1 above"""
    slope = np.clip(x, -3, 3)
    slope /= 3
    slope += 0.5
    slope[x <= -3] = 0
    slope[x >= 3] = 1
    np.multiply(dy, slope, out=out)


@ActivationFunction
def sparse_sigmoid(x, out):
    """f(x) = min(max((x + 1) / 2, 0), 1); Blondel, Martins and Niculae 2019"""
    np.clip(x, -1, 1, out=out)
    out += 1
    out *= 0.5


@sparse_sigmoid.derivative()
def sparse_sigmoid_gradient(dy, x, y, out):
    """f'(x) = 1/2 where 0 < y < 1, else 0"""
    np.multiply(dy, (y > 0) & (y < 1), out=out)
    out *= 0.5


@ActivationFunction
def sparse_plus(x, out):
    """f(x) = 0 where x <= -1, x where x >= 1, else (x + 1)^2 / 4, the integral of `sparse_sigmoid`"""
    middle = np.clip(x, -1, 1)
    middle += 1
    middle *= middle
    middle *= 0.25
    np.copyto(out, np.where(x < 1, middle, x))


@sparse_plus.derivative()
def sparse_plus_gradient(dy, x, y, out):
    """f'(x) = sqrt(y), at most 1"""
    slope = np.sqrt(y)
    np.multiply(dy, np.minimum(slope, 1, out=slope), out=out)


@ActivationFunction
def hard_shrink(x, out, threshold=0.5):
    """f(x) = x where |x| > threshold, else 0"""
    np.multiply(x, np.abs(x) > threshold, out=out)


@hard_shrink.derivative()
def hard_shrink_gradient(dy, x, y, out, threshold=0.5):
    """f'(x) = 1 where y is not 0, else 0"""
    np.multiply(dy, y != 0 if x is None else np.abs(x) > threshold, out=out)


@ActivationFunction
def soft_shrink(x, out, threshold=0.5):
    """f(x) = x - threshold where x > threshold, x + threshold where x < -threshold, else 0"""
    np.subtract(x, np.clip(x, -threshold, threshold), out=out)


@soft_shrink.derivative()
def soft_shrink_gradient(dy, x, y, out, threshold=0.5):
    """f'(x) = 1 where y is not 0, else 0"""
    np.multiply(dy, y != 0 if x is None else np.abs(x) > threshold, out=out)


@ActivationFunction
def threshold(x, out, threshold, default_value):
    """f(x) = x where x > threshold, else default_value"""
    above = x > threshold
    np.copyto(out, x)
    np.copyto(out, default_value, where=~above)


@threshold.derivative(needs_input=True)
def threshold_gradient(dy, x, y, out, threshold, default_value):
    """f'(x) = 1 where x > threshold, else 0"""
    np.multiply(dy, x > threshold, out=out)


@ActivationFunction
@quiet
def elu(x, out, alpha=1.0):
    """f(x) = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter 2016, section 3"""
    negative = np.expm1(np.minimum(x, 0))
    negative *= alpha
    np.maximum(x, 0, out=out)
    out += negative


@elu.derivative()
@quiet
def elu_gradient(dy, x, y, out, alpha=1.0):
    """f'(x) = 1 where x > 0, else y + alpha; with alpha = 1 that is min(y, 0) + 1"""
    if x is None:
        np.multiply(dy, np.minimum(y, 0) + 1, out=out)
    else:
        np.multiply(dy, _slopes(x > 0, 1, alpha * np.exp(np.minimum(x, 0)), x.dtype), out=out)


@ActivationFunction
@quiet
def celu(x, out, alpha=1.0):
    """f(x) = x where x > 0, else alpha (exp(x / alpha) - 1); Barron 2017"""
    if alpha == 0:
        raise ValueError(f"`alpha` of celu must not be 0. Received: alpha={alpha!r}")
    negative = np.minimum(x, 0)
    negative /= alpha
    negative = np.expm1(negative, out=negative)
    negative *= alpha
    np.maximum(x, 0, out=out)
    out += negative


@celu.derivative()
@quiet
def celu_gradient(dy, x, y, out, alpha=1.0):
    """f'(x) = 1 where x > 0, else exp(x / alpha); with alpha = 1 that is min(y, 0) + 1"""
    if x is None:
        np.multiply(dy, np.minimum(y, 0) + 1, out=out)
    else:
        np.multiply(dy, np.exp(np.minimum(x, 0) / alpha), out=out)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@ActivationFunction
@quiet
def selu(x, out):
    """f(x) = scale * (x where x > 0, else alpha (exp(x) - 1)); Klambauer et al. 2017"""
    negative = np.expm1(np.minimum(x, 0))
    negative *= SELU_SCALE * SELU_ALPHA
    np.maximum(x, 0, out=out)
    out *= SELU_SCALE
    out += negative


@selu.derivative()
@quiet
def selu_gradient(dy, x, y, out):
    """f'(x) = scale where y > 0, else y + scale alpha"""
    slope = _slopes(y > 0, SELU_SCALE, y + y.dtype.type(SELU_SCALE * SELU_ALPHA), y.dtype)
    np.multiply(dy, slope, out=out)


def _slopes(condition, yes, no, dtype):
    """`np.where` of a float type, whatever the type of the two numbers or arrays."""
    return np.where(condition, np.asarray(yes, dtype), np.asarray(no, dtype))
