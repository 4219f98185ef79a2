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


@pytest.mark.parametrize("name", sorted(initializers._table | initializers._aliases))
def test_round_trip(name):
    initializer = initializers.get(name)
    shape = (3, 1, 4) if "STFT" in name.upper() else (3, 4)
    assert initializer(shape, "float64").dtype == "float64"
    assert initializer(shape).dtype == "float32"
    assert type(initializer.clone()) is type(initializer)
    if not isinstance(initializer, (initializers.Identity, initializers.Orthogonal, initializers.STFT)):
        assert initializer(()).shape == ()
    again = initializers.deserialize(initializers.serialize(initializer))
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (3, 3, 2, 4), (1, 3), (3, 1)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=0.5, seed=1)(shape, "float64").reshape(-1, shape[-1])
    product = q.T @ q if len(q) >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 0.25 * np.eye(len(product)), atol=1e-15)
    np.testing.assert_array_equal(initializers.Orthogonal(0.5, 1)(shape, "float64").reshape(q.shape), q)
    assert not np.array_equal(initializers.Orthogonal(0.5, 2)(shape, "float64").reshape(q.shape), q)


def test_orthogonal_takes_no_side():
    """All rotations are equally likely: a one-by-one matrix is 1 as often as -1, any element has mean 0."""
    ones = [initializers.Orthogonal(seed=seed)((1, 1)).item() for seed in range(200)]
    assert set(ones) == {-1.0, 1.0}
    assert abs(sum(ones)) <= 60
    first = [initializers.Orthogonal(seed=seed)((3, 3))[0, 0] for seed in range(300)]
    assert abs(np.mean(first)) <= 0.15


def test_identity():
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])


def test_stft_is_the_transform_of_a_frame():
    frame = np.random.default_rng(0).standard_normal(16)
    transform = np.fft.rfft(frame * np.hanning(16) / np.sqrt((np.hanning(16) ** 2).sum()))
    real, imag = (initializers.STFT(side)((16, 1, 9), "float64")[:, 0] for side in ("real", "imag"))
    np.testing.assert_allclose(frame @ real + 1j * (frame @ imag), transform, atol=1e-12)
    assert initializers.STFT()((1, 1, 1)).item() == 1


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
    assert initializers.get(np.float64(0.3))(()) == np.float32(0.3)
    assert isinstance(initializers.get(np.str_("zeros")), initializers.Zeros)


@pytest.mark.parametrize("make, words", [
    (lambda: initializers.get("glorot_unifrom"), "glorot_unifrom.*Did you mean 'glorot_uniform'"),
    (lambda: initializers.HeNormal(seed=-1), "`seed`.*-1"),
    (lambda: initializers.RandomNormal(seed=1.5), "`seed`.*1.5"),
    (lambda: initializers.VarianceScaling(scale=0), "`scale`.*0"),
    (lambda: initializers.VarianceScaling(scale="2"), "`scale`.*'2'"),
    (lambda: initializers.VarianceScaling(mode="fan"), "`mode`.*'fan'"),
    (lambda: initializers.VarianceScaling(distribution="gamma"), "`distribution`.*'gamma'"),
    (lambda: initializers.Orthogonal()((3,)), r"two axes.*\(3,\)"),
    (lambda: initializers.Identity()((3, 3, 3)), r"two axes.*\(3, 3, 3\)"),
    (lambda: initializers.STFT("both"), "`side`.*'both'"),
    (lambda: initializers.STFT(window="han"), "'han'.*'hann'"),
    (lambda: initializers.STFT(scaling="l2"), "`scaling`.*'l2'"),
    (lambda: initializers.STFT()((3, 2, 4)), r"\(3, 2, 4\)"),
    (lambda: initializers.STFT(window=np.ones(4))((3, 1, 4)), r"`window`.*\(3,\).*\(4,\)"),
])
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
