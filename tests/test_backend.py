"""`backend` and `random`: settings, names, functions of arrays, random numbers."""

import numpy as np
import pytest

from minikeras import activations, backend, config, layers, random, registry
from minikeras import backend as K

x = np.arange(6.0, dtype="float32").reshape(2, 3)


def test_names():
    K.clear_session()
    assert layers.Dense(1).name == "dense"
    assert layers.Dense(1).name == "dense_1"
    assert [K.get_uid("dense"), K.get_uid("other"), K.get_uid()] == [3, 1, 1]
    K.clear_session(free_memory=False)
    assert layers.Dense(1).name == "dense"
    K.reset_uids()
    assert registry.auto_name("Dense") == "dense"


def test_settings():
    assert K.backend() == "numpy"
    assert (K.floatx(), K.image_data_format()) == (config.floatx(), config.image_data_format())
    K.set_epsilon(1e-3)
    try:
        assert config.epsilon() == K.epsilon() == 1e-3
    finally:
        K.set_epsilon(1e-7)
    assert not K.is_keras_tensor(x)


@pytest.mark.parametrize("result, expected", [
    (K.mean(x), 2.5),
    (K.mean(x, axis=-1), [1, 4]),
    (K.mean(x > 2), 0.5),
    (K.sum(x, axis=[0, 1]), 15),
    (K.sum(x, axis=0, keepdims=True), [[3, 5, 7]]),
    (K.max(x, axis=1), [2, 5]),
    (K.min(x), 0),
    (K.prod(x[1]), 60),
    (K.std(x, axis=0), [1.5] * 3),
    (K.var(x, axis=0), [2.25] * 3),
    (K.any(x, axis=0), [True] * 3),
    (K.all(x, axis=1), [False, True]),
    (K.argmax(x), [2, 2]),
    (K.argmin(x, axis=0), [0, 0, 0]),
    (K.abs([-1, 2]), [1, 2]),
    (K.square(x[0]), [0, 1, 4]),
    (K.sqrt(np.array([-4.0, 4.0])), [0, 2]),
    (K.exp([0.0]), [1]),
    (K.log([0.0, 1.0]), [-np.inf, 0]),
    (K.round([0.5, 1.5, -0.7]), [0, 2, -1]),
    (K.sign([-3, 0]), [-1, 0]),
    (K.pow(x[0], 3), [0, 1, 8]),
    (K.clip(x[1], 3.5, 4.5), [3.5, 4, 4.5]),
    (K.clip(x[1], None, 4), [3, 4, 4]),
    (K.clip(x[1], 5, 4), [5, 5, 5]),
    (K.maximum(x[0], 1), [1, 1, 2]),
    (K.minimum(x[0], 1), [0, 1, 1]),
    (K.equal(x[0], 1), [False, True, False]),
    (K.not_equal(x[0], 1), [True, False, True]),
    (K.greater(x[0], 1), [False, False, True]),
    (K.greater_equal(x[0], 1), [False, True, True]),
    (K.less(x[0], 1), [True, False, False]),
    (K.less_equal(x[0], 1), [True, True, False]),
    (K.cumsum(x[0]), [0, 1, 3]),
    (K.cumprod(x[1]), [3, 12, 60]),
    (K.dot(x, x.T), [[5, 14], [14, 50]]),
    (K.batch_dot(x, x, axes=1), [[5], [50]]),
    (K.batch_dot(x, x), [[5], [50]]),
    (K.concatenate([x[0], x[1]]), np.arange(6)),
    (K.stack([x[0], x[1]], axis=1), x.T),
    (K.expand_dims(x[0]), [[0], [1], [2]]),
    (K.squeeze(x[:1], 0), [0, 1, 2]),
    (K.flatten(x), np.arange(6)),
    (K.batch_flatten(x.reshape(2, 3, 1)), x),
    (K.reshape(x, (-1, 2)), [[0, 1], [2, 3], [4, 5]]),
    (K.transpose(x), x.T),
    (K.permute_dimensions(x, (1, 0)), x.T),
    (K.reverse(x, 1), x[:, ::-1]),
    (K.repeat(x, 2)[1], [x[1], x[1]]),
    (K.repeat_elements(x[0], 2, 0), [0, 0, 1, 1, 2, 2]),
    (K.tile(x[0], 2), [0, 1, 2, 0, 1, 2]),
    (K.gather(x, [1.0, 0.0]), x[::-1]),
    (K.one_hot([2, 5], 3), [[0, 0, 1], [0, 0, 0]]),
    (K.in_top_k(x, [2, 0], 1), [True, False]),
    (K.in_top_k(x, [1, 0], 2), [True, False]),
    (K.switch(True, x[0], x[1]), [0, 1, 2]),
    (K.switch(np.array(False), lambda: 1 / 0, lambda: x[1]), [3, 4, 5]),
    (K.switch(x > 2, x, -x), [[0, -1, -2], [3, 4, 5]]),
    (K.switch(np.array([True, False]), x, lambda: -x), [[0, 1, 2], [-3, -4, -5]]),
    (K.arange(3), [0, 1, 2]),
    (K.arange(1, 6, 2), [1, 3, 5]),
    (K.constant(2, shape=(2,)), [2, 2]),
    (K.constant([1, 2, 3, 4], shape=(2, 2)), [[1, 2], [3, 4]]),
    (K.zeros((2,)), [0, 0]),
    (K.ones((2,)), [1, 1]),
    (K.zeros_like(x), x * 0),
    (K.ones_like(x), x * 0 + 1),
    (K.eye(2), [[1, 0], [0, 1]]),
    (K.cast(x, "int32"), x),
    (K.cos(0.0), 1),
    (K.sin(0.0), 0),
    (K.l2_normalize(np.array([3.0, 4.0])), [0.6, 0.8]),
    (K.l2_normalize(np.zeros(2)), [0, 0]),
    (K.hard_sigmoid(np.array([-3, 0, 1.0])), [0, 0.5, 0.7]),
    (K.stop_gradient(x), x),
    (K.shape(x), [2, 3]),
    (K.int_shape(x), [2, 3]),
    (K.ndim(x), 2),
    (K.count_params(x), 6),
])  # fmt: skip
def test_functions(result, expected):
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    assert np.shape(result) == np.shape(expected)


def test_batch_dot():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(4, 2, 3)), generator.normal(size=(4, 3, 5))
    np.testing.assert_allclose(K.batch_dot(a, b), a @ b)
    np.testing.assert_allclose(K.batch_dot(a, b, axes=(-1, 1)), a @ b)
    np.testing.assert_allclose(K.batch_dot(a, b[:, :, 0]), np.einsum("bij,bj->bi", a, b[:, :, 0]))
    for arguments in ((a, b, 0), (a, b, (1, 1)), (a, b[:2]), (a[:, 0, 0], b)):
        with pytest.raises(ValueError, match="`x` and `y` must be|`axes` must be"):
            K.batch_dot(*arguments)
    with pytest.raises(ValueError, match="`x` must have the shape"):
        K.repeat(a, 2)


def test_types():
    for result, expected in (
        (K.mean(x), "float32"),
        (K.argmax(x), "int64"),
        (K.arange(3), "int32"),
        (K.zeros(2), "float32"),
        (K.ones_like(x, "int32"), "int32"),
        (K.one_hot([1], 2), "float32"),
        (K.cast_to_floatx([1, 2]), "float32"),
        (K.l2_normalize(x), "float32"),
        (K.binary_crossentropy(x, x / 5), "float32"),
    ):
        assert K.dtype(result) == expected
    assert [K.standardize_dtype(t) for t in (None, float, int, "bfloat16", np.int8)] == [
        "float32", "float32", "int32", "bfloat16", "int8"
    ]  # fmt: skip
    assert K.is_float_dtype("float16")
    assert not K.is_float_dtype("int8")
    assert K.is_int_dtype("uint8")
    assert not K.is_int_dtype("bool")
    assert K.result_type("int32", "float32") == "float32"
    assert K.result_type("int8", "int32") == "int32"


def test_variables():
    v = K.variable([1.0, 2.0], name="v")
    assert v.name == "v"
    K.set_value(v, [3, 4])
    assert K.get_value(v).tolist() == [3, 4]
    assert K.update_add(v, 1) is v
    assert K.eval(K.update_sub(v, [0, 1])).tolist() == [4, 4]
    assert K.get_value(x) is x


@pytest.mark.parametrize("name", ["relu", "elu", "softmax", "softplus", "softsign", "sigmoid", "tanh"])
def test_activations(name):
    np.testing.assert_array_equal(getattr(K, name)(x - 2), getattr(activations, name)(x - 2))


def test_activations_have_their_gradient():
    six = activations.get(lambda x: K.relu(x, max_value=6, alpha=0.1))
    assert six.gradient is not None
    assert six(np.array([-1.0, 3, 9])).tolist() == [-0.1, 3, 6]


def test_crossentropies():
    p = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    t = np.array([2, 0])
    expected = -np.log([0.5, 0.1])
    one_hot = K.one_hot(t, 3)
    np.testing.assert_allclose(K.categorical_crossentropy(one_hot, p), expected, rtol=1e-6)
    np.testing.assert_allclose(K.categorical_crossentropy(one_hot, 7 * p), expected, rtol=1e-6)
    logits = np.log(p) + 3
    np.testing.assert_allclose(K.categorical_crossentropy(one_hot, logits, from_logits=True), expected, rtol=1e-6)
    np.testing.assert_allclose(K.categorical_crossentropy(one_hot.T, p.T, axis=0), expected, rtol=1e-6)
    for target in (t, t[:, None]):
        np.testing.assert_allclose(K.sparse_categorical_crossentropy(target, p), expected, rtol=1e-6)
    np.testing.assert_allclose(K.sparse_categorical_crossentropy(t, np.log(p), from_logits=True), expected, rtol=1e-6)
    np.testing.assert_allclose(K.sparse_categorical_crossentropy([2, -1], p, ignore_class=-1), [expected[0], 0])
    np.testing.assert_allclose(K.binary_crossentropy(np.array([1, 0]), p[0, :2]), -np.log([0.2, 0.7]), rtol=1e-5)
    logits = np.log(p[0] / (1 - p[0]))
    ours = K.binary_crossentropy(np.array([1, 0, 1]), logits, from_logits=True)
    np.testing.assert_allclose(ours, -np.log([0.2, 0.7, 0.5]), rtol=1e-6)
    extreme = np.array([[-1e4, 1e4, 0]])
    for function, target in ((K.binary_crossentropy, [[1, 0, 1]]), (K.categorical_crossentropy, [[1, 0, 0]])):
        assert np.isfinite(function(np.array(target), extreme, from_logits=True)).all()


def test_all_names():
    assert len(set(backend.__all__)) == len(backend.__all__)
    assert all(callable(getattr(backend, name)) and getattr(backend, name).__doc__ for name in backend.__all__)


# random

DRAWS = {
    "normal": lambda **k: random.normal((2000,), 3, 2, **k),
    "uniform": lambda **k: random.uniform((2000,), -1, 3, **k),
    "truncated_normal": lambda **k: random.truncated_normal((2000,), 3, 2, **k),
    "randint": lambda **k: random.randint((2000,), 2, 5, **k),
    "categorical": lambda **k: random.categorical([[0, np.log(3)]], 2000, **k),
    "dropout": lambda **k: random.dropout(np.ones(2000, "float32"), 0.25, **k),
    "shuffle": lambda **k: random.shuffle(np.arange(2000.0), **k),
    "gamma": lambda **k: random.gamma((2000,), 3.0, **k),
    "binomial": lambda **k: random.binomial((2000,), 4, 0.25, **k),
    "beta": lambda **k: random.beta((2000,), 2.0, 3.0, **k),
}
MEANS = {
    "normal": 3, "uniform": 1, "truncated_normal": 3, "randint": 3, "categorical": 0.75, "dropout": 1,
    "shuffle": 999.5, "gamma": 3, "binomial": 1, "beta": 0.4,
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_random(name):
    draw = DRAWS[name]
    one = draw(seed=5)
    np.testing.assert_array_equal(one, draw(seed=5))
    assert not np.array_equal(one, draw(seed=6))
    assert abs(one.mean() - MEANS[name]) < 0.2
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    config.set_random_seed(1)
    first = draw()
    assert not np.array_equal(first, draw())
    config.set_random_seed(1)
    np.testing.assert_array_equal(first, draw())
    for seed in (3, None):
        generator = random.SeedGenerator(seed)
        first = draw(seed=generator)
        assert not np.array_equal(first, draw(seed=generator))
    again = random.SeedGenerator(3)
    draw(seed=again)
    assert not np.array_equal(first, draw(seed=again))
    np.testing.assert_array_equal(draw(seed=random.SeedGenerator(3)), draw(seed=random.SeedGenerator(3)))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    for wrong in (1.5, "a", True):
        with pytest.raises(ValueError, match="`seed`"):
            draw(seed=wrong)


def test_random_limits_and_types():
    assert set(random.randint((500,), 2, 5, seed=0)) == {2, 3, 4}
    cut = random.truncated_normal((5000,), seed=0)
    assert np.abs(cut).max() < 2
    assert cut.std() == pytest.approx(0.88, abs=0.02)
    flat = random.uniform((5000,), 0, 1, seed=0)
    assert flat.min() >= 0
    assert flat.max() < 1
    assert (random.uniform((10000,), 1, 1 + 2**-20, seed=0) < 1 + 2**-20).all()  # though floats are rounded there
    for result, expected in (
        (random.normal((2,)), "float32"),
        (random.normal((2,), dtype="float64"), "float64"),
        (random.randint((2,), 0, 3), "int32"),
        (random.randint((2,), 0, 3, "uint8"), "uint8"),
        (random.categorical([[1.0]], 2, "int64"), "int64"),
        (random.dropout(np.ones(3), 0.5), "float64"),
    ):
        assert result.dtype == expected
    assert random.categorical([[-np.inf, 0], [0, -np.inf]], 3).tolist() == [[1] * 3, [0] * 3]
    columns = random.shuffle(np.arange(6).reshape(2, 3), axis=1, seed=1)
    assert sorted(columns[0]) == [0, 1, 2]
    np.testing.assert_array_equal(columns[1], columns[0] + 3)
    ones = np.ones((3, 4, 5))
    shared = random.dropout(ones, 0.5, noise_shape=(None, 1, 5), seed=0)
    assert (shared == shared[:, :1]).all()
    assert set(np.unique(shared)) == {0, 2}
    assert not random.dropout(ones, 1.0).any()
    assert random.dropout(ones, 0).all()
    means = np.array([0, 50, 100])
    np.testing.assert_allclose(random.normal((2, 3), means, 1e-3, seed=0), [means] * 2, atol=0.1)


@pytest.mark.parametrize("call, message", [
    (lambda: random.normal((2,), dtype="int32"), "`dtype` of random.normal must be a float"),
    (lambda: random.uniform((2,), dtype="int32"), "random.uniform must be a float"),
    (lambda: random.randint((2,), 0, 2, "float32"), "integer type"),
    (lambda: random.categorical([1.0], 2), "`logits` must have the shape"),
    (lambda: random.dropout(x, 1.5), "`rate`"),
    (lambda: random.SeedGenerator(-1), "`seed`"),
    (lambda: random.SeedGenerator(1.0), "`seed`"),
    (lambda: random.SeedGenerator(1, size=3), "size"),
])  # fmt: skip
def test_random_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_seed_generator():
    generator = random.SeedGenerator(7, name="mine")
    assert generator.get_config() == {"seed": 7, "name": "mine"}
    assert random.SeedGenerator.from_config(generator.get_config()).state.tolist() == [7, 0]
    assert [generator.next().tolist(), generator.next(ordered=False).tolist()] == [[7, 0], [7, 1]]
    assert random.SeedGenerator().name.startswith("seed_generator")


# config


def test_config_names(capsys):
    assert config.backend() == "numpy"
    config.set_backend("numpy")
    with pytest.raises(ValueError, match="`backend` must be 'numpy'"):
        config.set_backend("jax")
    assert config.dtype_policy() == "float32"
    config.set_dtype_policy("float64")
    try:
        assert config.floatx() == "float64"
    finally:
        config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match="mixed_float16"):
        config.set_dtype_policy("mixed_float16")
    assert config.is_interactive_logging_enabled()
    config.disable_interactive_logging()
    assert not config.is_interactive_logging_enabled()
    config.enable_interactive_logging()
    config.enable_traceback_filtering()
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
