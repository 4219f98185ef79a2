"""Clipping: gradients that are too long are made shorter, each by itself or all together."""

import math

import numpy as np

from minikeras.optimizers.numbers import number_or_none


def check(clipnorm, clipvalue, global_clipnorm):
    """Return the three as Python numbers or None, or raise a ValueError unless they are and at most one is given."""
    given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
    if list(given.values()).count(None) < 2:
        received = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(
            f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {received}"
        )
    return [number_or_none(value, name, "a positive", lambda v: v > 0) for name, value in given.items()]


def set_scales(places, clipnorm, global_clipnorm):
    """Compute what each gradient is multiplied by to clip its norm.

    A norm that is not finite makes its weights NaN, as in Keras: an exploded gradient is better seen at once.
    """
    if clipnorm is not None:
        for place in places:
            norm = math.sqrt(squared_norm(place.gradient))
            place.scale = clipnorm / max(norm, clipnorm)  # NaN, as the first argument, is the maximum
    elif global_clipnorm is not None:
        norm = math.sqrt(sum(squared_norm(place.gradient) for place in places))
        scale = global_clipnorm / max(norm, global_clipnorm) if math.isfinite(norm) else math.nan
        for place in places:
            place.scale = scale


def squared_norm(array):
    """Return the sum of squares of a contiguous array, a float.

    Summed in short pieces it is accurate in float32 too, and BLAS, which would share a long one out, uses one thread.
    """
    flat = array.reshape(-1)
    pieces = (flat[i : i + 8192] for i in range(0, len(flat), 8192))
    return sum(float(np.dot(piece, piece)) for piece in pieces)
