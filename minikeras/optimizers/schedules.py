"""Schedules: learning rates that depend on the step, counted from 0.

    optimizer = optimizers.SGD(optimizers.schedules.CosineDecay(0.1, decay_steps=1000))

Each is a function of the step that can be saved. They compute in `config.floatx()`, as Keras does.
"""

import math

import numpy as np

from minikeras import config
from minikeras.optimizers.numbers import Number, check_number, positive
from minikeras.registry import Configurable, resolve
from minikeras.registry import serialize as _serialize

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule(Configurable):
    """Base class of schedules. A schedule of one's own has a ``__call__(self, step)`` that returns a number.

    ``step`` can be used as a number and has ``numpy()``. `get_config` returns the constructor's arguments, which are to
    be stored under their own names.

        class Root(LearningRateSchedule):
            def __init__(self, start):
                self.start = start

            def __call__(self, step):
                return self.start / (step + 1) ** 0.5
    """

    keras_module = "keras.optimizers.schedules"

    def __call__(self, step):
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self):
        try:
            return super().get_config()
        except AttributeError as error:
            raise NotImplementedError(
                f"Learning rate schedule '{type(self).__name__}' must override `get_config()` or store its arguments "
                f"under their own names in order to be serializable: {error}"
            ) from None

    __repr__ = object.__repr__


class _Decay(LearningRateSchedule):
    """What the schedules below share: they are called with a number or an array of steps."""

    dtype = None

    def __call__(self, step):
        with np.errstate(all="ignore"):
            rate = self.rate(np.asarray(step, self.dtype or config.floatx()))
        return rate if np.ndim(rate) else Number(rate)


class ExponentialDecay(_Decay):
    """Multiply the rate by ``decay_rate`` in every ``decay_steps`` steps.

        initial_learning_rate * decay_rate ^ (step / decay_steps)

    Args:
        initial_learning_rate: number.
        decay_steps: positive number.
        decay_rate: number.
        staircase: whether step / decay_steps is rounded down, so that the rate changes every ``decay_steps`` only.
        name: string.
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self.initial_learning_rate = check_number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.decay_rate = check_number(decay_rate, "decay_rate")
        self.staircase = staircase
        self.name = name

    def rate(self, step):
        return self.initial_learning_rate * self.decay_rate ** self._periods(step)

    def _periods(self, step):
        periods = step / self.decay_steps
        return np.floor(periods) if self.staircase else periods


class InverseTimeDecay(ExponentialDecay):
    """Divide the rate by a number that grows steadily.

        initial_learning_rate / (1 + decay_rate * step / decay_steps)

    Args:
        initial_learning_rate: number.
        decay_steps: positive number.
        decay_rate: number.
        staircase: whether step / decay_steps is rounded down.
        name: string.
    """

    of_decay = False  # whether it stands for the `decay` of Keras 2, where the rate at the start can be set

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def rate(self, step):
        return self.initial_learning_rate / (1 + self.decay_rate * self._periods(step))


class PiecewiseConstantDecay(_Decay):
    """One rate up to each boundary, and one after the last: values[0] while step <= boundaries[0], ...

    Args:
        boundaries: list of increasing numbers of steps.
        values: list of rates, one more than boundaries.
        name: string.
    """

    dtype = "float64"  # counts steps exactly

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries = [check_number(boundary, "boundaries") for boundary in boundaries]
        self.values = [check_number(value, "values") for value in values]
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(f"`boundaries` must increase. Received: boundaries={boundaries}")
        self.name = name

    def rate(self, step):
        return np.asarray(self.values, config.floatx())[np.searchsorted(self.boundaries, step)]


class PolynomialDecay(_Decay):
    """From one rate to another along a power of the remaining time.

        (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ^ power + end_learning_rate

    After ``decay_steps`` the rate stays, or starts again with ``cycle``, from a point nearer to the end each time:
    decay_steps is replaced by its first multiple that is not smaller than step.

    Args:
        initial_learning_rate: number.
        decay_steps: positive number.
        end_learning_rate: number.
        power: number; 1 is a straight line.
        cycle: whether to go on after ``decay_steps``.
        name: string.
    """

    def __init__(
        self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
        name="PolynomialDecay",
    ):  # fmt: skip
        self.initial_learning_rate = check_number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.end_learning_rate = check_number(end_learning_rate, "end_learning_rate")
        self.power = check_number(power, "power")
        self.cycle = cycle
        self.name = name

    def rate(self, step):
        decay_steps = self.decay_steps
        if self.cycle:
            decay_steps = decay_steps * np.maximum(np.ceil(step / decay_steps), 1)
        else:
            step = np.minimum(step, decay_steps)
        drop = self.initial_learning_rate - self.end_learning_rate
        return drop * (1 - step / decay_steps) ** self.power + self.end_learning_rate


class CosineDecay(_Decay):
    """Half a period of a cosine from the highest rate to ``alpha`` times it; Loshchilov & Hutter 2016.

        highest * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)

    The highest is initial_learning_rate, or with a ``warmup_target`` that: the rate first goes there along a straight
    line, in ``warmup_steps`` steps, from which on the steps of the formula are counted.

    Args:
        initial_learning_rate: number.
        decay_steps: positive number, without those of the warm-up.
        alpha: number.
        name: string.
        warmup_target: number, or None for no warm-up.
        warmup_steps: number.
    """

    def __init__(
        self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None, warmup_steps=0
    ):
        self.initial_learning_rate = check_number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.alpha = check_number(alpha, "alpha")
        self.name = name
        self.warmup_target = None if warmup_target is None else check_number(warmup_target, "warmup_target")
        self.warmup_steps = check_number(warmup_steps, "warmup_steps")

    def rate(self, step):
        start, target = self.initial_learning_rate, self.warmup_target
        if target is None:
            return start * self._remaining(step)
        rising = (target - start) * (step / self.warmup_steps) + start if self.warmup_steps else step
        return np.where(step < self.warmup_steps, rising, target * self._remaining(step - self.warmup_steps))

    def _remaining(self, step):
        done = np.minimum(step, self.decay_steps) / self.decay_steps
        return (1 - self.alpha) * (0.5 * (1 + np.cos(math.pi * done))) + self.alpha


class CosineDecayRestarts(_Decay):
    """Cosines that start again and again, each ``t_mul`` times as long; Loshchilov & Hutter 2016, section 3.

    Args:
        initial_learning_rate: number.
        first_decay_steps: positive number, the steps of the first cosine.
        t_mul: positive number.
        m_mul: number: each cosine starts from ``m_mul`` times the rate of the one before.
        alpha: number: each goes down to initial_learning_rate * alpha.
        name: string.
    """

    def __init__(
        self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"
    ):
        self.initial_learning_rate = check_number(initial_learning_rate, "initial_learning_rate")
        self.first_decay_steps = positive(first_decay_steps, "first_decay_steps")
        self.t_mul = positive(t_mul, "t_mul")
        self.m_mul = check_number(m_mul, "m_mul")
        self.alpha = check_number(alpha, "alpha")
        self.name = name

    def rate(self, step):
        done = step / self.first_decay_steps
        if self.t_mul == 1:
            restarts = np.floor(done)
            done = done - restarts
        else:  # restart i is at 1 + t_mul + ... + t_mul^(i - 1)
            t_mul = step.dtype.type(self.t_mul)
            restarts = np.floor(_log(1 - done * (1 - t_mul)) / _log(t_mul))
            length = t_mul**restarts
            done = (done - (1 - length) / (1 - t_mul)) / length
        cosine = 0.5 * self.m_mul**restarts * (1 + np.cos(math.pi * done))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


def _log(x):
    """The logarithm rounded once: restarts hang on its last digit, in which NumPy's of arrays and of numbers differ."""
    return np.log(x, dtype="float64").astype(x.dtype)


_classes = (
    ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay, CosineDecayRestarts,
)  # fmt: skip
_table = {cls.__name__: cls for cls in _classes}


def serialize(learning_rate_schedule):
    """Return the schedule's config."""
    return _serialize(learning_rate_schedule)


def deserialize(config, custom_objects=None):
    """Return the schedule of a config that `serialize` returned.

    Args:
        config: dict.
        custom_objects: dict of names to classes of one's own.
    """
    return resolve(config, {**_table, **(custom_objects or {})}, "learning rate schedule", LearningRateSchedule)
