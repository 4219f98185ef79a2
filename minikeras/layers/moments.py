"""What normalization layers share: checks of their arguments, gamma and beta, and the moments.

Variances are means of (x - mean)^2: E[x^2] - E[x]^2 loses all digits when the mean is far from 0.
"""

import math

import numpy as np

FAR = 100  # standard deviations between the mean and 0 from which the rounding of the mean shows


def add_gamma_and_beta(layer, shape, scale, center):
    """Create the weights that are asked for."""
    if scale:
        layer.gamma = layer.add_described_weight("gamma", shape)
    if center:
        layer.beta = layer.add_described_weight("beta", shape)


def standardize_axes(axis):
    """Return an integer, or several as a list; anything else is a TypeError."""
    axes = axis if isinstance(axis, (list, tuple)) and axis else [axis]
    if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
        raise TypeError(f"`axis` must be an integer or several, as -1. Received: axis={axis!r}")
    return [int(a) for a in axes] if axes is axis else int(axis)


def standardize_epsilon(epsilon):
    """Return ``epsilon`` unchanged; what is no finite number of at least 0 is a ValueError."""
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float, np.number)) or not 0 <= epsilon < math.inf:
        raise ValueError(f"`epsilon` must be a number of at least 0, as 1e-3. Received: epsilon={epsilon!r}")
    return epsilon


def check_axes_fit(layer, axis, input_shape):
    """Raise a ValueError if an axis is outside of the inputs, or given twice."""
    rank = len(input_shape)
    axes = axis if isinstance(axis, list) else [axis]
    if any(not -rank <= a < rank for a in axes):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): axis={axis} is outside of inputs of shape "
            f"{tuple(input_shape)}"
        )
    if len({a % rank for a in axes}) < len(axes):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): axis={axis} names an axis twice, for inputs of shape "
            f"{tuple(input_shape)}"
        )


def subtract_mean(x, out, mean, mean_product):
    """Write x - mean into ``out`` and return the variance, given functions that take means of arrays and of products.

    A mean far from 0 is rounded by more than is lost elsewhere: then the mean of what is left is subtracted too.
    """
    middle = mean(x)
    np.subtract(x, middle, out=out)
    variance = mean_product(out, out)
    if np.any(np.abs(middle) > FAR * np.sqrt(variance)):
        out -= mean(out)
        variance = mean_product(out, out)
    return variance


def inverse_root(variance, epsilon):
    """1 / sqrt(variance + epsilon), and 0 where both are 0: nothing is left to be divided."""
    spread = np.sqrt(variance + variance.dtype.type(epsilon))
    return np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
