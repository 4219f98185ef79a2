"""Settings: what they accept, and what they change."""

import numpy as np
import pytest

from minikeras import config, layers


@pytest.fixture(autouse=True)
def restore():
    before = config.floatx(), config.epsilon(), config.image_data_format()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])


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
    for value in ("first", "Channels_first", 1):
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
