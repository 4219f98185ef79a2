"""Networks known by name: their shapes, arguments and files."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.applications import LeNet5, SmallCIFAR

NETWORKS = {"LeNet5": LeNet5, "SmallCIFAR": SmallCIFAR}
IMAGES = {"LeNet5": (28, 28, 1), "SmallCIFAR": (32, 32, 3)}


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def shapes_of(model):
    return [layer.output_shape[1:] for layer in model.layers]


class TestLeNet5:
    def test_is_the_network_of_the_paper(self):
        model = LeNet5(weights=None, activation="tanh", subsampling="average")
        assert isinstance(model, keras.Sequential)
        assert model.name == "lenet5"
        assert model.built
        assert model.input_shape == (None, 28, 28, 1)
        assert model.output_shape == (None, 10)
        assert model.count_params() == 61706
        assert shapes_of(model) == [
            (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,), (10,),
        ]  # fmt: skip
        assert [type(layer) for layer in model.layers[:5]] == [
            layers.Conv2D, layers.AveragePooling2D, layers.Conv2D, layers.AveragePooling2D, layers.Flatten,
        ]  # fmt: skip
        assert [model.layers[i].activation.__name__ for i in (0, 2, 5, 6, 7)] == ["tanh"] * 4 + ["softmax"]

    def test_default_variant(self):
        model = LeNet5(weights=None)
        assert model.count_params() == 61706
        assert [type(model.layers[i]) for i in (1, 3)] == [layers.MaxPooling2D] * 2
        assert [model.layers[i].activation.__name__ for i in (0, 2, 5, 6, 7)] == ["relu"] * 4 + ["softmax"]

    def test_32_pixels_need_no_padding(self):
        model = LeNet5(weights=None, input_shape=[32, 32, 1])
        assert model.layers[0].output_shape == (None, 28, 28, 6)
        assert model.count_params() == 61706

    def test_smallest_images(self):
        assert LeNet5(weights=None, input_shape=(12, 12, 1)).layers[3].output_shape == (None, 1, 1, 16)


def test_small_cifar_is_a_plain_stack():
    model = SmallCIFAR(weights=None)
    assert isinstance(model, keras.Sequential)
    assert (model.name, model.input_shape, model.output_shape) == ("small_cifar", (None, 32, 32, 3), (None, 10))
    kinds = [type(layer) for layer in model.layers]
    assert kinds[:3] == [layers.Conv2D, layers.BatchNormalization, layers.ReLU]
    assert kinds[-2:] == [layers.GlobalAveragePooling2D, layers.Dense]
    for layer, following in zip(model.layers, kinds[1:]):
        if isinstance(layer, layers.Conv2D):
            assert (layer.kernel_size, layer.use_bias) == ((3, 3), False)
            assert following in (layers.MaxPooling2D, layers.BatchNormalization)
    assert model.count_params() <= 500_000


def test_weights_from_a_file(name, tmp_path):
    pytest.importorskip("h5py")
    network = NETWORKS[name]
    model = network(weights=None)
    path = tmp_path / "own.weights.h5"
    model.save_weights(path)
    for weights in (path, str(path)):
        for one, other in zip(model.get_weights(), network(weights=weights).get_weights()):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="shape"):
        network(weights=path, classes=7)
    with pytest.raises(FileNotFoundError, match="own.weights.h5"):
        network(weights=tmp_path / "other.weights.h5")
