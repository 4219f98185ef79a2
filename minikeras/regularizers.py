"""Regularizers: penalties on a weight that are added to the loss, each with its gradient."""

import math

import numpy as np

from minikeras import config
from minikeras.registry import Configurable, CustomObjectScope, resolve
from minikeras.registry import serialize as _serialize


class Regularizer(Configurable):
    """Base class of regularizers: a subclass has ``__call__(x)``, the penalty, and ``gradient(x)``, its derivative."""

    keras_module = "keras.regularizers"

    def __call__(self, x):
        """Return the penalty of the array ``x``, a float."""
        raise NotImplementedError(f"{type(self).__name__} has no `__call__(self, x)`, which returns the penalty")

    def gradient(self, x):
        """Return d(penalty)/dx, an array of x's shape."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `gradient(self, x)`: write one that returns the derivative of the penalty"
        )


class L1L2(Regularizer):
    """Sum of both penalties, l1 * sum |x| + l2 * sum x^2, whose gradient is l1 * sign(x) + 2 * l2 * x.

    Args:
        l1: non-negative float. The gradient of |x| at 0 is taken to be 0.
        l2: non-negative float.

    Raises:
        ValueError: a negative or non-finite factor.
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _factor(0.0 if l1 is None else l1, "l1")
        self.l2 = _factor(0.0 if l2 is None else l2, "l2")

    def __call__(self, x):
        return (_l1_penalty(self.l1, x) if self.l1 else 0.0) + (_l2_penalty(self.l2, x) if self.l2 else 0.0)

    def gradient(self, x):
        return self.l1 * np.sign(x) + 2 * self.l2 * np.asarray(x)


class L1(Regularizer):
    """Penalty l1 * sum |x|, which drives small weights to exactly 0; its gradient is l1 * sign(x).

    Args:
        l1: non-negative float. The gradient of |x| at 0 is taken to be 0.

    Raises:
        ValueError: a negative or non-finite factor.
    """

    def __init__(self, l1=0.01):
        self.l1 = _factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x):
        return _l1_penalty(self.l1, x)

    def gradient(self, x):
        return self.l1 * np.sign(x)


class L2(Regularizer):
    """Penalty l2 * sum x^2, which keeps weights small; its gradient is 2 * l2 * x.

    Args:
        l2: non-negative float.

    Raises:
        ValueError: a negative or non-finite factor.
    """

    def __init__(self, l2=0.01):
        self.l2 = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x):
        return _l2_penalty(self.l2, x)

    def gradient(self, x):
        return 2 * self.l2 * np.asarray(x)


class OrthogonalRegularizer(Regularizer):
    """Penalty of the mean |cos| of the angles between the rows (or columns) of a matrix, which turns them apart.

    With the rows scaled to norm 1, N, and G = N N^T, it is factor * sum of |G_ij| over i < j / number of such pairs.
    A single row has no pair and no penalty. (Keras returns NaN then.)

    Args:
        factor: non-negative float.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ValueError: a negative or non-finite factor, another mode; a weight that is no matrix.
    """

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(f"`mode` must be 'rows' or 'columns'. Received: mode={mode!r}")
        self.mode = mode

    def __call__(self, x):
        rows, _ = self._scaled_rows(np.asarray(x))
        return float(self._weight(rows) * np.abs(rows @ rows.T)[np.triu_indices(len(rows), 1)].sum())

    def gradient(self, x):
        """dP/dN = weight sign(G) N, without G's diagonal; scaling keeps of it what is orthogonal to each row."""
        rows, inverse_norms = self._scaled_rows(np.asarray(x))
        signs = np.sign(rows @ rows.T)
        np.fill_diagonal(signs, 0)
        dx = (signs @ rows) * rows.dtype.type(self._weight(rows))
        scaled = inverse_norms < 1 / config.epsilon()  # shorter rows are multiplied by a constant
        dx -= rows * (scaled * np.sum(dx * rows, axis=1, keepdims=True))
        dx *= inverse_norms
        return dx if self.mode == "rows" else np.ascontiguousarray(dx.T)

    def _weight(self, rows):
        return self.factor / max(len(rows) * (len(rows) - 1) / 2, 1)

    def _scaled_rows(self, x):
        """The rows (or columns) divided by their norms, and the inverse norms, which stay finite."""
        if x.ndim != 2:
            raise ValueError(
                f"OrthogonalRegularizer needs a matrix, as a Dense kernel. Received a weight of shape {x.shape}"
            )
        rows = x if self.mode == "rows" else x.T
        norms = np.sqrt(np.sum(np.square(rows), axis=1, keepdims=True))
        inverse_norms = 1 / np.maximum(norms, config.epsilon())
        return rows * inverse_norms, inverse_norms


def _l1_penalty(factor, x):
    return float(factor * np.abs(x).sum())


def _l2_penalty(factor, x):
    flat = np.ravel(x)
    return float(factor * np.dot(flat, flat))


def _factor(value, argument):
    """Return a factor as float, or raise a ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
        raise ValueError(f"`{argument}` must be a non-negative finite number, as 0.01. Received: {argument}={value!r}")
    return float(value)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # Keras exports both spellings

# As a name, "l1_l2" stands for both factors of 0.01: a penalty of 0, L1L2's own default, would be of no use.
_both = L1L2(l1=0.01, l2=0.01)
_table = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": _both,
    "OrthogonalRegularizer": OrthogonalRegularizer, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip


def get(identifier):
    """Return a `Regularizer` for a name, a config, a class or an instance.

    Raises:
        ValueError: an unknown name.
        TypeError: a plain function, which lacks a gradient.
    """
    found = resolve(identifier, _table, "regularizer", Regularizer)
    if found is not None and not hasattr(found, "gradient"):
        raise TypeError(
            "A regularizer needs a `gradient(x)` beside the penalty: subclass `Regularizer` with `__call__(self, x)` "
            f"and `gradient(self, x)`. Received: {found!r}"
        )
    return found


def serialize(regularizer):
    """Return the regularizer's config."""
    return _serialize(regularizer)


def deserialize(config, custom_objects=None):
    """Return the regularizer of a config of `serialize`; ``custom_objects`` is a dict of names to your own."""
    with CustomObjectScope(custom_objects):
        return get(config)
