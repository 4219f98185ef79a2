"""Initializers without randomness."""

import math

import numpy as np

from minikeras import config
from minikeras.initializers.base import Initializer
from minikeras.registry import unknown_name


class Zeros(Initializer):
    """Zeros everywhere, the usual start of a bias."""

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """Ones everywhere, the usual start of a scale."""

    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number.
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.full(shape, self.value, dtype or config.floatx())


class Identity(Initializer):
    """The identity matrix times a gain: ones where row and column are the same, for weights of two axes.

    Args:
        gain: factor of the matrix.

    Raises:
        ValueError: a weight of another rank.
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(
                f"Identity initializes weights with two axes, as a Dense kernel's. Received: shape={tuple(shape)}"
            )
        matrix = np.eye(*shape, dtype=dtype or config.floatx())
        matrix *= self.gain
        return matrix


# Coefficients a of the windows sum_k (-1)^k a_k cos(2 pi k n / N).
WINDOWS = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


class STFT(Initializer):
    """The kernel of a short-time Fourier transform, for Conv1D: window(t) cos(2 pi t f / F) or -window(t) sin(...).

    Its shape is (frame length, 1, F / 2 + 1), that of a Conv1D kernel (steps, channels, filters).

    Args:
        side: ``"real"``, the cosines, or ``"imag"``, the sines.
        window: name, values (frame length,), or None for none.
        scaling: ``"density"`` divides the window by its Euclidean norm, ``"spectrum"`` by its sum, None by nothing.
        periodic: whether the window is one period (for the transform), or symmetric.

    Raises:
        ValueError: an unknown name; a weight of another shape, or with another frame length than the window.
    """

    def __init__(self, side="real", window="hann", scaling="density", periodic=False):
        if side not in ("real", "imag"):
            raise ValueError(f"`side` must be 'real' or 'imag'. Received: side={side!r}")
        if isinstance(window, str) and window not in WINDOWS:
            raise ValueError(f"{unknown_name(window, WINDOWS, 'window')}. Others can be given as arrays of values")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"`scaling` must be 'density', 'spectrum' or None. Received: scaling={scaling!r}")
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape, dtype=None):
        if len(shape) != 3 or shape[1] != 1:
            raise ValueError(
                f"STFT initializes kernels of shape (frame length, 1, frequencies). Received: shape={tuple(shape)}"
            )
        length, _, frequencies = shape
        time, frequency = np.arange(length)[:, None, None], np.arange(frequencies) / max(2 * (frequencies - 1), 1)
        angles = 2 * math.pi * time * frequency
        kernel = np.cos(angles) if self.side == "real" else -np.sin(angles)
        if self.window is not None:
            window = self._window(length)
            norms = {None: 1.0, "density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(np.abs(window))}
            kernel *= (window / norms[self.scaling])[:, None, None]
        return kernel.astype(dtype or config.floatx())

    def _window(self, length):
        if not isinstance(self.window, str):
            window = np.asarray(self.window, "float64")
            if window.shape != (length,):
                raise ValueError(
                    f"`window` must have the kernel's frame length, shape ({length},). Received shape {window.shape}"
                )
            return window
        period = length if self.periodic else max(length - 1, 1)
        angles = 2 * math.pi * np.arange(length) / period
        terms = ((-1) ** k * a * np.cos(k * angles) for k, a in enumerate(WINDOWS[self.window]))
        return sum(terms) if length > 1 else np.ones(1)
