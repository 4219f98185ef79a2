"""Schedules: their values at points that are easy to say, configs, schedules of one's own, bad arguments."""

import numpy as np
import pytest
from optimizer_cases import make_variables, train

from minikeras import optimizers, registry
from minikeras.optimizers import schedules


@pytest.mark.parametrize("schedule, points", [
    (schedules.ExponentialDecay(1.0, 10, 0.25), {0: 1, 5: 0.5, 10: 0.25, 20: 0.0625}),
    (schedules.ExponentialDecay(1.0, 10, 0.25, staircase=True), {0: 1, 9: 1, 10: 0.25, 19: 0.25, 20: 0.0625}),
    (schedules.InverseTimeDecay(1.0, 10, 2.0), {0: 1, 5: 0.5, 10: 1 / 3, 20: 0.2}),
    (schedules.InverseTimeDecay(1.0, 10, 2.0, staircase=True), {9: 1, 10: 1 / 3, 19: 1 / 3, 20: 0.2}),
    (schedules.PiecewiseConstantDecay([5, 9], [3, 2.5, 1]), {0: 3, 5: 3, 6: 2.5, 9: 2.5, 10: 1, 10**9: 1}),
    (schedules.PiecewiseConstantDecay([2**24], [3.0, 1.0]), {2**24: 3, 2**24 + 1: 1}),
    (schedules.PiecewiseConstantDecay([], [3.0]), {0: 3, 100: 3}),
    (schedules.PolynomialDecay(1.0, 10, 0.5), {0: 1, 5: 0.75, 10: 0.5, 99: 0.5}),
    (schedules.PolynomialDecay(1.0, 10, 0.0, power=2), {5: 0.25, 10: 0, 11: 0}),
    (schedules.PolynomialDecay(1.0, 10, 0.0, cycle=True), {0: 1, 10: 0, 11: 0.45, 15: 0.25, 20: 0}),
    (schedules.CosineDecay(1.0, 10, alpha=0.2), {0: 1, 5: 0.6, 10: 0.2, 99: 0.2}),
    (schedules.CosineDecay(0.0, 10, warmup_target=2.0, warmup_steps=4), {0: 0, 1: 0.5, 4: 2, 9: 1, 14: 0, 15: 0}),
    (schedules.CosineDecay(0, 10, warmup_target=2, warmup_steps=4), {0: 0, 1: 0.5, 4: 2, 9: 1, 14: 0, 15: 0}),
    (schedules.CosineDecayRestarts(1.0, 10), {0: 1, 5: 0.5, 10: 1, 20: 0.5, 30: 1, 50: 0.5, 70: 1}),
    (schedules.CosineDecayRestarts(1.0, 4, 1.5), {4: 1, 7: 0.5, 10: 1, 19: 1}),
    (schedules.CosineDecayRestarts(1.0, 10, 1.0, m_mul=0.5, alpha=0.1), {0: 1, 10: 0.55, 15: 0.325, 20: 0.325}),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_points(schedule, points):
    for step, value in points.items():
        found = schedule(step)
        assert found == pytest.approx(value, rel=1e-6, abs=1e-7)
        assert isinstance(found, float)
        assert found.numpy().dtype == "float32"
    steps = np.array(list(points))
    np.testing.assert_allclose(schedule(steps), list(points.values()), rtol=1e-6, atol=1e-7)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize("optimizer", ["SGD", "Lamb"])
def test_the_step_counts(optimizer):
    asked = []

    class Recording(schedules.LearningRateSchedule):
        def __call__(self, step):
            asked.append((int(step), int(step.numpy())))
            return 0.1 / (step + 1)

    found = getattr(optimizers, optimizer)(Recording())
    train(found, make_variables(), steps=3)
    assert asked == [(0, 0), (1, 1), (2, 2)]  # once a step
    assert found.learning_rate == pytest.approx(0.025)


def test_schedules_of_ones_own():
    @registry.register_keras_serializable("Tests")
    class Root(schedules.LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return self.start / (step + 1) ** 0.5

    optimizer = optimizers.SGD(Root(0.5))
    train(optimizer, make_variables(), steps=3)
    assert optimizer.learning_rate == 0.25
    config = optimizers.serialize(optimizer)
    assert config["config"]["learning_rate"]["config"] == {"start": 0.5}
    again = optimizers.deserialize(config)
    assert again.learning_rate == 0.5
    plain = {"class_name": "Other", "config": {"start": 1.0}}
    assert type(schedules.deserialize(plain, custom_objects={"Other": Root})) is Root


def test_schedules_that_say_too_little():
    class Silent(schedules.LearningRateSchedule):
        def __init__(self, start):
            self._start = start

    with pytest.raises(NotImplementedError, match="'Silent' must override `__call__"):
        Silent(0.1)(0)
    with pytest.raises(NotImplementedError, match="'Silent' must override `get_config"):
        Silent(0.1).get_config()
    assert "Silent" in repr(Silent(0.1))


@pytest.mark.parametrize("make, words", [
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps` must be a positive number.*decay_steps=0"),
    (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), "`decay_steps`.*-1"),
    (lambda: schedules.PolynomialDecay(0.1, 0), "`decay_steps`.*0"),
    (lambda: schedules.CosineDecay(0.1, 0), "`decay_steps`.*0"),
    (lambda: schedules.CosineDecayRestarts(0.1, 0), "`first_decay_steps`.*0"),
    (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0), "`t_mul`.*0"),
    (lambda: schedules.ExponentialDecay("0.1", 2, 0.5), "`initial_learning_rate`.*'0.1'"),
    (lambda: schedules.ExponentialDecay(0.1, 2, None), "`decay_rate`.*None"),
    (lambda: schedules.PolynomialDecay(0.1, 2, power=float("nan")), "`power`.*nan"),
    (lambda: schedules.CosineDecay(0.1, 2, warmup_target="1"), "`warmup_target`.*'1'"),
    (lambda: schedules.PiecewiseConstantDecay([1, 2], [1.0]), "1 less than the length of values.*length 2.*length 1"),
    (lambda: schedules.PiecewiseConstantDecay([2, 1], [1.0, 2.0, 3.0]), r"`boundaries` must increase.*\[2, 1\]"),
    (lambda: schedules.deserialize({"class_name": "CosineDecai"}), "Did you mean 'CosineDecay'"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
