"""Initializers: statistics of their values, fans, seeds, configs."""

import math

import numpy as np
import pytest

from minikeras import config, initializers

SHAPE = (5, 5, 60, 80)  # 120,000 values
FAN_IN, FAN_OUT = 5 * 5 * 60, 5 * 5 * 80

# name, standard deviation, largest absolute value
DISTRIBUTIONS = [
    ("random_normal", 0.05, math.inf),
    ("truncated_normal", 0.05 * initializers.TRUNCATED_STDDEV, 0.1),
    ("random_uniform", 0.05 / math.sqrt(3), 0.05),
    ("variance_scaling", math.sqrt(1 / FAN_IN), 2 * math.sqrt(1 / FAN_IN) / initializers.TRUNCATED_STDDEV),
    ("glorot_uniform", math.sqrt(2 / (FAN_IN + FAN_OUT)), math.sqrt(6 / (FAN_IN + FAN_OUT))),
    ("glorot_normal", math.sqrt(2 / (FAN_IN + FAN_OUT)), 2.274 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    ("he_uniform", math.sqrt(2 / FAN_IN), math.sqrt(6 / FAN_IN)),
    ("he_normal", math.sqrt(2 / FAN_IN), 2.274 * math.sqrt(2 / FAN_IN)),
    ("lecun_uniform", math.sqrt(1 / FAN_IN), math.sqrt(3 / FAN_IN)),
    ("lecun_normal", math.sqrt(1 / FAN_IN), 2.274 * math.sqrt(1 / FAN_IN)),
]


@pytest.mark.parametrize("name, stddev, bound", DISTRIBUTIONS, ids=[row[0] for row in DISTRIBUTIONS])
def test_statistics(name, stddev, bound):
    initializer = initializers.get(name)
    initializer.seed = 1
    values = initializer(SHAPE)
    n = values.size
    assert values.shape == SHAPE
    assert values.dtype == "float32"
    assert abs(values.mean(dtype="float64")) <= 4 * stddev / math.sqrt(n)  # four standard errors
    assert abs(values.std(dtype="float64") / stddev - 1) <= 4 / math.sqrt(2 * n)
    largest = np.abs(values).max()
    assert largest <= bound * (1 + 1e-6)
    if bound < math.inf:
        assert largest >= 0.99 * bound


def test_mean_and_bounds():
    values = initializers.RandomUniform(2, 3, seed=0)((10_000,), "float64")
    assert 2 <= values.min() < 2.01
    assert 2.99 < values.max() < 3
    values = initializers.TruncatedNormal(5, 0.1, seed=0)((10_000,), "float64")
    assert 4.8 <= values.min() < 4.81
    assert 5.19 < values.max() <= 5.2


@pytest.mark.parametrize("mode, fan", [("fan_in", 60), ("fan_out", 20), ("fan_avg", 40)])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform", "normal"])
def test_variance_scaling(mode, fan, distribution):
    initializer = initializers.VarianceScaling(3.0, mode, distribution, seed=2)
    values = np.concatenate([initializer((60, 20), "float64").ravel()] + [
        initializers.VarianceScaling(3.0, mode, distribution, seed=seed)((60, 20), "float64").ravel()
        for seed in range(3, 60)
    ])
    assert abs(values.var() * fan / 3.0 - 1) <= 0.03


def test_axes_decide_the_fans():
    initializer = initializers.VarianceScaling(distribution="uniform", input_axes=[0], output_axes=[1, 2], seed=0)
    assert 0.97 < np.abs(initializer((3, 8, 800))).max() <= 1.0 + 1e-6  # sqrt(3 / 3)


@pytest.mark.parametrize("shape, fans", [
    ((), (1, 1)), ((7,), (7, 7)), ((3, 4), (3, 4)), ((5, 5, 6, 16), (150, 400)), ((2, 3, 4, 5, 6), (120, 144)),
])
def test_compute_fans(shape, fans):
    assert initializers.compute_fans(shape) == fans


def test_constants():
    np.testing.assert_array_equal(initializers.get("zeros")((2, 3)), np.zeros((2, 3), "float32"))
    np.testing.assert_array_equal(initializers.get("ones")((2,), "int32"), np.ones(2, "int32"))
    np.testing.assert_array_equal(initializers.Constant(2.5)((2,)), np.full(2, 2.5, "float32"))


@pytest.mark.parametrize("name", [row[0] for row in DISTRIBUTIONS])
def test_seed(name):
    cls = type(initializers.get(name))
    seeded, unseeded = cls(seed=3), cls()
    np.testing.assert_array_equal(seeded((4, 4)), seeded((4, 4)))
    np.testing.assert_array_equal(seeded((4, 4)), cls(seed=3)((4, 4)))
    assert not np.array_equal(seeded((4, 4)), cls(seed=4)((4, 4)))
    assert not np.array_equal(unseeded((4, 4)), unseeded((4, 4)))
    config.set_random_seed(5)
    first = unseeded((4, 4))
    np.random.default_rng().random()  # someone else's draws change nothing
    config.set_random_seed(5)
    np.testing.assert_array_equal(first, unseeded((4, 4)))


@pytest.mark.parametrize("name", sorted(initializers._table))
def test_round_trip(name):
    initializer = initializers.get(name)
    assert initializer((3, 4), "float64").dtype == "float64"
    assert initializer(()).shape == ()
    again = initializers.deserialize(initializers.serialize(initializer))
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()


def test_float64_by_default_when_set():
    config.set_floatx("float64")
    try:
        assert initializers.get("he_normal")((2, 2)).dtype == "float64"
    finally:
        config.set_floatx("float32")


def test_other_identifiers():
    assert initializers.get(None) is None
    assert type(initializers.get(initializers.HeNormal)) is initializers.HeNormal
    function = initializers.get(lambda shape, dtype=None: np.full(shape, 3.0, dtype))
    np.testing.assert_array_equal(function((2,)), [3, 3])
    from_array = initializers.get(np.arange(3))
    np.testing.assert_array_equal(from_array((3,)), np.arange(3, dtype="float32"))
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
        from_array((4,))


@pytest.mark.parametrize("make, words", [
    (lambda: initializers.get("glorot_unifrom"), "glorot_unifrom.*Did you mean 'glorot_uniform'"),
    (lambda: initializers.HeNormal(seed=-1), "`seed`.*-1"),
    (lambda: initializers.RandomNormal(seed=1.5), "`seed`.*1.5"),
    (lambda: initializers.VarianceScaling(scale=0), "`scale`.*0"),
    (lambda: initializers.VarianceScaling(scale="2"), "`scale`.*'2'"),
    (lambda: initializers.VarianceScaling(mode="fan"), "`mode`.*'fan'"),
    (lambda: initializers.VarianceScaling(distribution="gamma"), "`distribution`.*'gamma'"),
])
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
