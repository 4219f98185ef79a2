"""Constraints: norms after projection, configs."""

import numpy as np
import pytest

from minikeras import constraints

CONSTRAINTS = [
    constraints.MaxNorm(0.7), constraints.MinMaxNorm(0.5, 0.8), constraints.MinMaxNorm(0.5, 0.8, rate=0.3),
    constraints.NonNeg(), constraints.UnitNorm(), constraints.UnitNorm(axis=[0, 1, 2]),
]  # fmt: skip


@pytest.fixture
def w():
    return np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32") * np.logspace(-2, 1, 5, dtype="float32")


def norms(w, axis):
    return np.sqrt((w.astype("float64") ** 2).sum(axis=axis))


def test_max_norm(w):
    axis = (0, 1, 2)
    before, after = norms(w, axis), norms(constraints.MaxNorm(0.7, axis)(w), axis)
    np.testing.assert_allclose(after, np.minimum(before, 0.7), rtol=1e-5)
    assert before.min() < 0.7 < before.max()


def test_min_max_norm(w):
    axis = (0, 1, 2)
    before = norms(w, axis)
    np.testing.assert_allclose(
        norms(constraints.MinMaxNorm(0.5, 0.8, axis=axis)(w), axis), np.clip(before, 0.5, 0.8), rtol=1e-5
    )
    np.testing.assert_allclose(
        norms(constraints.MinMaxNorm(0.5, 0.8, 0.3, axis)(w), axis), 0.3 * np.clip(before, 0.5, 0.8) + 0.7 * before,
        rtol=1e-5,
    )  # fmt: skip


def test_unit_norm(w):
    np.testing.assert_allclose(norms(constraints.UnitNorm()(w), 0), 1, rtol=1e-4)
    assert np.all(constraints.UnitNorm()(np.zeros((3, 2))) == 0)


def test_non_neg(w):
    np.testing.assert_array_equal(constraints.NonNeg()(w), np.where(w > 0, w, 0))


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=repr)
def test_new_array_and_round_trip(constraint, w):
    before = w.copy()
    after = constraint(w)
    np.testing.assert_array_equal(w, before)
    assert after.dtype == w.dtype
    assert not np.shares_memory(after, w)
    again = constraints.deserialize(constraints.serialize(constraint))
    assert type(again) is type(constraint)
    np.testing.assert_array_equal(again(w), after)


def test_get():
    assert constraints.get(None) is None
    assert constraints.get("max_norm").get_config() == {"max_value": 2, "axis": 0}
    for name in ("MaxNorm", "min_max_norm", "non_neg", "unit_norm"):
        assert isinstance(constraints.get(name), constraints.Constraint)
    assert constraints.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match="'maxnorn'.*Did you mean"):
        constraints.get("maxnorn")
