"""Hinge losses as metrics. Letters: t the targets, y the predictions."""

from minikeras.losses import categorical_hinge, hinge, squared_hinge
from minikeras.metrics.base import MeanMetricWrapper


class Hinge(MeanMetricWrapper):
    """Mean of max(1 - t y, 0), with targets -1 and 1, or 0 and 1.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="hinge", dtype=None):
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of max(1 - t y, 0)^2, with targets -1 and 1, or 0 and 1.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of max(1 + the largest wrong y - the right y, 0), with one-hot targets.

    Args:
        name: string.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, name, dtype)
