"""Settings: what they accept, and what they change."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import config, layers


@pytest.fixture(autouse=True)
def restore():
    before = config.floatx(), config.epsilon(), config.image_data_format()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])
    config._limits.clear()


def test_defaults():
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == ("float32", 1e-7, "channels_last")


def test_floatx():
    config.set_floatx("float64")
    layer = layers.Dense(2)
    config.set_floatx("float32")
    assert layer(np.ones((1, 3))).dtype == "float64"  # a layer keeps what it was made with
    assert layers.Dense(2)(np.ones((1, 3))).dtype == "float32"
    for value in ("float16", "double", None, np.float32):
        with pytest.raises(ValueError, match="`floatx` must be 'float32' or 'float64'"):
            config.set_floatx(value)


def test_epsilon():
    config.set_epsilon(1e-5)
    assert config.epsilon() == 1e-5
    for value in (0, -1e-7, 1, True, "small", None, float("nan")):
        with pytest.raises(ValueError, match="`epsilon`"):
            config.set_epsilon(value)


def test_image_data_format():
    config.set_image_data_format("channels_first")
    layer = layers.Conv2D(4, 3)
    config.set_image_data_format("channels_last")
    assert layer.data_format == "channels_first"
    assert layer.compute_output_shape((None, 2, 8, 9)) == (None, 4, 6, 7)
    assert config.standardize_data_format(None) == "channels_last"
    for value in ("first", "channels first", 1):
        with pytest.raises(ValueError, match="`data_format` must be one of"):
            config.set_image_data_format(value)


def test_generators_follow_the_seed():
    config.set_random_seed(3)
    first = [config.make_generator().random(4) for _ in range(3)]
    config.set_random_seed(3)
    again = [config.make_generator().random(4) for _ in range(3)]
    np.testing.assert_array_equal(first, again)
    assert len({tuple(draws) for draws in first}) == 3
    config.set_random_seed(4)
    assert (config.make_generator().random(4) != first[0]).all()


def test_generators_of_their_own():
    config.set_random_seed(3)
    expected = config.make_generator().random(4)
    config.set_random_seed(3)
    own = config.make_generator(7).random(4)  # does not count as the global seed's next
    np.testing.assert_array_equal(config.make_generator().random(4), expected)
    np.testing.assert_array_equal(config.make_generator(7).random(4), own)
    generator = np.random.default_rng(0)
    assert config.make_generator(generator) is generator
    for value in (-1, 1.5, True, "1"):
        with pytest.raises(ValueError, match="`seed`"):
            config.make_generator(value)
        with pytest.raises(ValueError, match="`seed`"):
            config.set_random_seed(value)


def test_numpys_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    config.set_random_seed(1)
    layers.Dense(3)(np.ones((1, 2)))
    layers.Dropout(0.5)(np.ones((1, 2)), training=True)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


class Steps(keras.callbacks.Callback):
    """Remembers what the loops announced, and how many batches there were of what."""

    def __init__(self):
        super().__init__()
        self.counts = {"train": 0, "test": 0, "predict": 0}
        self.announced = []

    def on_train_begin(self, logs=None):
        self.announced.append((self.params["epochs"], self.params["steps"]))

    def on_train_batch_end(self, batch, logs=None):
        self.counts["train"] += 1

    def on_test_batch_end(self, batch, logs=None):
        self.counts["test"] += 1

    def on_predict_batch_end(self, batch, logs=None):
        self.counts["predict"] += 1


def make_model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(1)]).compile("sgd", "mse")


def run_all(epochs=4, steps=None, validation_steps=None, **arguments):
    """fit, evaluate and predict on 10 rows in batches of 2."""
    x, y, seen = np.ones((10, 3)), np.ones((10, 1)), Steps()
    model = make_model()
    arguments = {"batch_size": 2, "verbose": 0, "callbacks": [seen], **arguments}
    arrays = {"validation_data": (x, y), "validation_steps": validation_steps}
    model.fit(x, y, epochs=epochs, steps_per_epoch=steps, **arrays, **arguments)
    validated = seen.counts["test"]
    model.evaluate(x, y, steps=steps, **arguments)
    rows = len(model.predict(x, steps=steps, **arguments))
    return (*seen.announced, seen.counts["train"], validated, seen.counts["test"] - validated, rows)


def test_limits_of_debugging_runs():
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (None, None)
    assert run_all() == ((4, 5), 20, 20, 5, 10)
    config.set_max_epochs(np.int64(2))
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, None)
    with pytest.warns(UserWarning, match="Limiting epochs to 2"):
        assert run_all() == ((2, 5), 10, 10, 5, 10)
    assert run_all(epochs=2) == ((2, 5), 10, 10, 5, 10)  # not more than the limit: no warning
    config.set_max_epochs(0)
    config.set_max_steps_per_epoch(3)
    with pytest.warns(UserWarning, match="Limiting .* to 3") as warned:
        assert run_all(epochs=1) == ((1, 3), 3, 3, 3, 6)
    assert [str(w.message).split()[1] for w in warned] == ["steps_per_epoch", "validation_steps", "steps", "steps"]
    assert run_all(epochs=1, steps=2, validation_steps=3) == ((1, 2), 2, 3, 2, 4)
    assert len(make_model().predict_on_batch(np.ones((10, 3)))) == 10
    with pytest.warns(UserWarning, match="Limiting"):  # as with steps_per_epoch: the batches hold all rows
        assert run_all(epochs=1, batch_size=None)[-1] == 10
    with pytest.warns(UserWarning, match="Limiting validation_steps"):
        make_model().fit(np.ones((10, 3)), np.ones((10, 1)), 2, validation_split=0.6, steps_per_epoch=2, verbose=0)
    config.set_max_steps_per_epoch(None)
    assert config.max_steps_per_epoch() is None
    assert run_all() == ((4, 5), 20, 20, 5, 10)


@pytest.mark.parametrize("text, expected", [("3", 3), ("0", 0), ("", None), (" 2 ", 2)])
def test_limits_in_the_environment(monkeypatch, text, expected):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", text)
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", text)
    config._limits.clear()
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (expected, expected)
    config.set_max_epochs(7)  # goes before the environment
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (7, expected)


def test_bad_limits(monkeypatch):
    for value in (-1, 1.5, True, "3"):
        with pytest.raises(ValueError, match=r"`max_epochs` must be a whole number.*Received"):
            config.set_max_epochs(value)
        with pytest.raises(ValueError, match=r"`max_steps_per_epoch` must be a whole number.*Received"):
            config.set_max_steps_per_epoch(value)
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "few")
    config._limits.clear()
    with pytest.raises(ValueError, match="`KERAS_MAX_EPOCHS` must be a whole number.*'few'"):
        make_model().fit(np.ones((2, 3)), np.ones((2, 1)))


def test_no_code_from_files():
    with pytest.raises(NotImplementedError, match="never runs code"):
        config.enable_unsafe_deserialization()
