"""Networks known by name beside Keras: their files, their arguments as VGG16 has them, their errors, their labels."""

import inspect

import numpy as np
import pytest

import minikeras
from minikeras.applications import LeNet5, SmallCIFAR, lenet5, pretrained, small_cifar

NETWORKS = {"LeNet5": LeNet5, "SmallCIFAR": SmallCIFAR}
MODULES = {"LeNet5": lenet5, "SmallCIFAR": small_cifar}
CASES = {
    "LeNet5": (LeNet5, {}, (28, 28, 1)),
    "LeNet5 of the paper": (LeNet5, {"activation": "tanh", "subsampling": "average"}, (28, 28, 1)),
    "LeNet5, 32 pixels": (LeNet5, {"input_shape": (32, 33, 1)}, (32, 33, 1)),
    "LeNet5, features": (LeNet5, {"include_top": False}, (28, 28, 1)),
    "SmallCIFAR": (SmallCIFAR, {}, (32, 32, 3)),
    "SmallCIFAR, logits": (SmallCIFAR, {"classes": 7, "classifier_activation": None}, (32, 32, 3)),
    "SmallCIFAR, features": (SmallCIFAR, {"include_top": False, "pooling": "avg"}, (32, 32, 3)),
    "SmallCIFAR, any size": (SmallCIFAR, {"include_top": False, "input_shape": (None, None, 3)}, (24, 40, 3)),
}


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture(params=CASES)
def case(request):
    """A network with random weights, also in what batch normalization remembers, and images for it."""
    network, arguments, shape = CASES[request.param]
    model = network(weights=None, **arguments)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0, 0.1, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model, rng.random((4, *shape), dtype=np.float32)


def assert_close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_keras_makes_the_network_and_loads_its_file(keras, case, tmp_path):
    model, x = case
    path = tmp_path / "ours.weights.h5"
    model.save_weights(path)
    copy = keras.Sequential.from_config(model.get_config())
    assert copy.count_params() == model.count_params()
    before = [np.array(weight) for weight in copy.get_weights()]
    copy.load_weights(path)
    assert any(not np.array_equal(old, new) for old, new in zip(before, copy.get_weights()))
    assert_close(model.predict(x, verbose=0), copy.predict(x, verbose=0))


@pytest.mark.parametrize("case", [name for name in CASES if "logits" not in name], indirect=True)
def test_keras_writes_the_file(keras, case, tmp_path, request):
    model, x = case
    copy = keras.Sequential.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    path = tmp_path / "theirs.weights.h5"
    copy.save_weights(path)
    network, arguments, _ = CASES[request.node.callspec.params["case"]]
    read = network(weights=path, **arguments)
    assert_close(read.predict(x, verbose=0), copy.predict(x, verbose=0))


def test_features_of_a_file_of_the_whole_network(keras, name, tmp_path):
    """Keras, too, takes the first layers of a larger file."""
    NETWORKS[name](weights=None).save_weights(tmp_path / "whole.weights.h5")
    features = NETWORKS[name](include_top=False, weights=tmp_path / "whole.weights.h5", pooling="max")
    copy = keras.Sequential.from_config(features.get_config())
    copy.load_weights(tmp_path / "whole.weights.h5")
    for ours, theirs in zip(features.get_weights(), copy.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_input_tensor(keras, name, tmp_path):
    """A `Model` whose config Keras understands."""
    shape = CASES[name][2]
    model = NETWORKS[name](
        weights=None, input_tensor=minikeras.layers.Rescaling(1 / 255)(minikeras.Input(shape)), include_top=False
    )
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype(np.float32)
    assert_close(model.predict(x, verbose=0), copy.predict(x, verbose=0))


@pytest.mark.parametrize("name", NETWORKS)
def test_signature(keras, name):
    """VGG16's arguments, in its order and with its defaults but for those that name the network."""
    theirs = inspect.signature(keras.applications.VGG16).parameters
    ours = inspect.signature(NETWORKS[name]).parameters
    own = {"LeNet5": ["activation", "subsampling"], "SmallCIFAR": []}[name]
    assert [argument for argument in ours if argument not in own] == list(theirs)
    assert list(ours)[: len(theirs) - 1] == list(theirs)[:-1]
    for argument, parameter in theirs.items():
        assert ours[argument].kind == parameter.kind
        if argument not in ("weights", "classes", "name"):
            assert ours[argument].default == parameter.default
    for function in ("preprocess_input", "decode_predictions"):
        assert inspect.signature(getattr(MODULES[name], function)) == inspect.signature(
            getattr(keras.applications.vgg16, function)
        )


# What Keras refuses with a ValueError is one here. NAMED stands for each one's pretrained weights.
# VGG16 says so at once, or takes seconds to make the top first: then a smaller network with the same checks is asked.
NAMED = object()
REFUSED = [
    {"weights": "nope"},
    {"weights": NAMED, "classes": 7},
    {"weights": NAMED, "input_shape": (100, 100, 3)},
    {"weights": NAMED, "input_shape": (64, 64, 2), "include_top": False},
    {"weights": NAMED, "classifier_activation": "sigmoid", "keras": "MobileNet"},
    {"weights": None, "input_shape": (4, 4, 3), "include_top": False},
    {"weights": None, "input_shape": (64, 64), "include_top": False},
    {"weights": None, "input_shape": (None, 64, 3)},
    {"weights": None, "classes": 0, "keras": "MobileNet"},
    {"weights": None, "input_tensor": "x"},
    {"weights": None, "classifier_activation": "nope", "keras": "MobileNet"},
]


@pytest.mark.parametrize("arguments", REFUSED, ids=str)
def test_what_keras_refuses(keras, name, arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(minikeras.trained_models, "__file__", str(tmp_path / "__init__.py"))
    (pretrained_name,) = MODULES[name].NETWORK.files
    NETWORKS[name](weights=None).save_weights(tmp_path / MODULES[name].NETWORK.files[pretrained_name])

    arguments = dict(arguments)
    theirs = getattr(keras.applications, arguments.pop("keras", "VGG16"))
    for network, weights in ((theirs, "imagenet"), (NETWORKS[name], pretrained_name)):
        with pytest.raises(ValueError):
            network(**{**arguments, "weights": weights if arguments["weights"] is NAMED else arguments["weights"]})


def test_decode_predictions(keras, monkeypatch):
    labels = [f"label {i}" for i in range(1000)]
    table = {str(i): (str(i), label) for i, label in enumerate(labels)}
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", table)
    network = pretrained.Network("Large", {}, (224, 224, 3), 32, labels)
    preds = np.random.default_rng(0).random((3, 1000), dtype=np.float32)
    for top in (1, 5, 1000):
        assert network.decode(preds, top) == keras.applications.vgg16.decode_predictions(preds, top)


def test_preprocess_input_returns_keras_types(keras, name):
    shape = CASES[name][2]
    for dtype in (np.uint8, np.float32):
        x = np.full((2, *shape), 255, dtype)
        theirs = keras.applications.vgg16.preprocess_input(np.repeat(x, 3 // shape[-1], axis=-1))
        assert MODULES[name].preprocess_input(x).dtype == theirs.dtype


def test_shipped_files_in_keras(keras, name):
    """What is installed as trained weights predicts in Keras what it predicts here."""
    model = NETWORKS[name]()
    copy = keras.Sequential.from_config(model.get_config())
    copy.load_weights(MODULES[name].NETWORK.find_weights(*MODULES[name].NETWORK.files))
    x = np.random.default_rng(0).integers(0, 256, (8, *CASES[name][2]), dtype=np.uint8)
    x = MODULES[name].preprocess_input(x)
    np.testing.assert_allclose(model.predict(x, verbose=0), copy.predict(x, verbose=0), rtol=0, atol=1e-5)
