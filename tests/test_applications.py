"""Networks known by name: their shapes, arguments and files."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.applications import LeNet5


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


class TestLeNet5:
    def test_is_the_network_of_the_paper(self):
        model = LeNet5()
        assert model.name == "lenet5"
        assert model.built
        assert model.input_shape == (None, 28, 28, 1)
        assert model.output_shape == (None, 10)
        assert model.count_params() == 61706
        shapes = [layer.output_shape[1:] for layer in model.layers]
        assert shapes == [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,), (10,)]
        assert [type(layer) for layer in model.layers[:5]] == [
            layers.Conv2D, layers.AveragePooling2D, layers.Conv2D, layers.AveragePooling2D, layers.Flatten,
        ]  # fmt: skip
        assert [model.layers[i].activation.__name__ for i in (0, 2, 5, 6, 7)] == ["tanh"] * 4 + ["softmax"]

    def test_32_pixels_need_no_padding(self):
        model = LeNet5(input_shape=[32, 32, 1])
        assert model.layers[0].output_shape == (None, 28, 28, 6)
        assert model.count_params() == 61706

    def test_arguments(self):
        model = LeNet5(
            input_shape=(20, 24, 3),
            classes=4,
            activation="relu",
            pooling="max",
            classifier_activation=None,
            name="small",
        )
        assert model.name == "small"
        assert isinstance(model.layers[1], layers.MaxPooling2D)
        assert model.layers[0].activation.__name__ == "relu"
        outputs = model.predict(np.random.default_rng(0).random((3, 20, 24, 3)), verbose=0)
        assert outputs.shape == (3, 4)
        assert outputs.min() < 0  # logits

    def test_channels_first(self, channels_first):
        model = LeNet5(input_shape=(1, 32, 32))
        assert model.layers[0].output_shape == (None, 6, 28, 28)
        assert model.count_params() == 61706

    def test_smallest_images(self):
        assert LeNet5(input_shape=(12, 12, 1)).layers[3].output_shape == (None, 1, 1, 16)

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ({"input_shape": (8, 8, 1)}, r"at least 12 x 12 pixels.*\(8, 8, 1\).*load_data\(size=28\)"),
            ({"input_shape": (1, 28, 28)}, r"\(height, width, channels\).*Received: input_shape=\(1, 28, 28\)"),
            ({"input_shape": (28, 28)}, r"\(height, width, channels\).*Received: input_shape=\(28, 28\)"),
            ({"input_shape": (None, 28, 1)}, "`input_shape`.*None"),
            ({"input_shape": 28}, "`input_shape`.*28"),
            ({"classes": 0}, "`classes` must be a positive integer.*0"),
            ({"classes": 2.5}, "`classes` must be a positive integer.*2.5"),
            ({"pooling": "avg"}, "`pooling` must be one of.*'average'.*'avg'"),
            ({"pooling": None}, "`pooling` must be one of.*None"),
            ({"activation": "tan"}, "'tan'.*Did you mean 'tanh'"),
            ({"weights": "mnist"}, "without pretrained weights.*'mnist'"),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            LeNet5(**arguments)

    def test_weights_from_a_file(self, tmp_path):
        pytest.importorskip("h5py")
        model = LeNet5()
        path = tmp_path / "lenet.weights.h5"
        model.save_weights(path)
        for weights in (path, str(path)):
            same = LeNet5(weights=weights)
            for one, other in zip(model.get_weights(), same.get_weights()):
                np.testing.assert_array_equal(one, other)
        with pytest.raises(ValueError, match="shape"):
            LeNet5(weights=path, classes=7)
        with pytest.raises(FileNotFoundError):
            LeNet5(weights=tmp_path / "other.weights.h5")
