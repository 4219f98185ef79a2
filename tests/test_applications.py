"""Networks known by name: their shapes, arguments and files."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, trained_models
from minikeras.applications import LeNet5, SmallCIFAR, lenet5, pretrained, small_cifar

NETWORKS = {"LeNet5": LeNet5, "SmallCIFAR": SmallCIFAR}
MODULES = {"LeNet5": lenet5, "SmallCIFAR": small_cifar}
NAMES = {"LeNet5": "mnist", "SmallCIFAR": "cifar10"}  # of the pretrained weights
FILES = {"LeNet5": "lenet5_mnist", "SmallCIFAR": "small_cifar_cifar10"}
IMAGES = {"LeNet5": (28, 28, 1), "SmallCIFAR": (32, 32, 3)}
TOPS = {"LeNet5": -4, "SmallCIFAR": -2}  # where they begin
FEATURES = {"LeNet5": (5, 5, 16), "SmallCIFAR": (4, 4, small_cifar.STAGES[-1][0])}
FOLDER = pathlib.Path(trained_models.__file__).parent


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def trained(name, tmp_path, monkeypatch):
    """A network with weights that lie where the trained ones do, which these tests do not need."""
    pytest.importorskip("h5py")
    monkeypatch.setattr(trained_models, "__file__", str(tmp_path / "__init__.py"))
    model = stirred(NETWORKS[name](weights=None))
    model.save_weights(tmp_path / f"{FILES[name]}.weights.h5")
    return model


def stirred(model):
    """The model with no weight at its initial value, batch normalization's zeros and ones among them."""
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0, 0.1, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def images(name, count=3):
    shape = IMAGES[name]
    if keras.config.image_data_format() == "channels_first":
        shape = (shape[2], *shape[:2])
    return np.random.default_rng(1).random((count, *shape), dtype=np.float32)


def assert_same(one, other, **tolerance):
    assert len(one) == len(other)
    for a, b in zip(one, other):
        np.testing.assert_allclose(a, b, **tolerance)


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

    @pytest.mark.parametrize("size", [(28, 40), (40, 31), (None, 40), (None, None)])
    def test_others_are_padded(self, size):
        model = LeNet5(weights=None, include_top=False, input_shape=(*size, 1))
        assert model.layers[0].output_shape == (None, *size, 6)

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


class TestWeights:
    def test_none_is_random(self, name):
        one, other = NETWORKS[name](weights=None), NETWORKS[name](weights=None)
        assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])

    def test_by_path(self, name, tmp_path):
        pytest.importorskip("h5py")
        model = stirred(NETWORKS[name](weights=None))
        path = tmp_path / "own.weights.h5"
        model.save_weights(path)
        for weights in (path, str(path)):
            same = NETWORKS[name](weights=weights)
            assert_same(same.get_weights(), model.get_weights(), rtol=0)
        with pytest.raises(ValueError, match="shape"):
            NETWORKS[name](weights=path, classes=7)
        with pytest.raises(FileNotFoundError, match=r"other.weights.h5.*own.weights.h5"):
            NETWORKS[name](weights=tmp_path / "other.weights.h5")

    def test_by_name(self, name, trained):
        for model in (NETWORKS[name](), NETWORKS[name](weights=NAMES[name]), NETWORKS[name](True, NAMES[name])):
            assert_same(model.get_weights(), trained.get_weights(), rtol=0)
            assert model.layers[-1].activation.__name__ == "softmax"
        logits = NETWORKS[name](classifier_activation=None).predict(images(name), verbose=0)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        expected = trained.predict(images(name), verbose=0)
        np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), expected, rtol=1e-5)

    def test_a_folder_of_that_name_changes_nothing(self, name, trained, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / NAMES[name]).mkdir()
        assert_same(NETWORKS[name]().get_weights(), trained.get_weights(), rtol=0)

    def test_missing(self, name, tmp_path, monkeypatch):
        monkeypatch.setattr(trained_models, "__file__", str(tmp_path / "__init__.py"))
        expected = rf"'{NAMES[name]}' of {name}.*{FILES[name]}.*[Rr]einstall.*weights=None"
        with pytest.raises(FileNotFoundError, match=expected):
            NETWORKS[name]()

    def test_in_float64(self, name, trained):
        keras.config.set_floatx("float64")
        try:
            model = NETWORKS[name]()
        finally:
            keras.config.set_floatx("float32")
        assert model.get_weights()[0].dtype == np.float64
        assert_same(model.get_weights(), trained.get_weights(), rtol=0)

    def test_channels_first(self, name, trained, channels_first):
        """The same file, though Flatten and batch normalization meet another order of axes."""
        x = images(name)
        model = NETWORKS[name]()
        assert model.input_shape == (None, *x.shape[1:])
        expected = trained.predict(np.moveaxis(x, 1, -1), verbose=0)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-6)

    def test_of_another_network(self, name, trained, tmp_path):
        other = next(NETWORKS[other] for other in NETWORKS if other != name)
        path = tmp_path / f"{FILES[name]}.weights.h5"
        for include_top in (True, False):
            with pytest.raises(ValueError, match="does not fit"):
                other(include_top=include_top, weights=path)

    def test_of_a_longer_network(self, name, tmp_path):
        """Only the features are taken out of a file that holds more."""
        pytest.importorskip("h5py")
        model = NETWORKS[name](weights=None)
        model.add(layers.Dense(3))
        model.save_weights(tmp_path / "longer.weights.h5")
        with pytest.raises(ValueError, match="left over"):
            NETWORKS[name](weights=tmp_path / "longer.weights.h5")
        features = NETWORKS[name](weights=tmp_path / "longer.weights.h5", include_top=False)
        assert_same(features.get_weights(), model.get_weights()[: len(features.weights)], rtol=0)

    def test_compiled_before_it_was_saved(self, name, tmp_path):
        pytest.importorskip("h5py")
        model = NETWORKS[name](weights=None)
        model.compile("adam", "scce")
        model.train_on_batch(images(name), np.arange(3))
        model.save_weights(tmp_path / "compiled.weights.h5")
        assert_same(
            NETWORKS[name](weights=tmp_path / "compiled.weights.h5").get_weights(), model.get_weights(), rtol=0
        )


class TestFeatures:
    """include_top=False"""

    def test_are_those_of_the_whole_network(self, name, trained):
        features = NETWORKS[name](include_top=False)
        assert isinstance(features, keras.Sequential)
        assert features.name == trained.name
        assert features.output_shape == (None, *FEATURES[name])
        assert len(features.layers) == len(trained.layers) + TOPS[name]
        inside = keras.Model(trained.inputs, trained.layers[TOPS[name] - 1].output)
        x = images(name)
        np.testing.assert_array_equal(features.predict(x, verbose=0), inside.predict(x, verbose=0))

    @pytest.mark.parametrize("pooling, reduce", [("avg", np.mean), ("max", np.max)])
    def test_pooled(self, name, trained, pooling, reduce):
        x = images(name)
        maps = NETWORKS[name](include_top=False).predict(x, verbose=0)
        model = NETWORKS[name](include_top=False, pooling=pooling)
        assert model.output_shape == (None, FEATURES[name][-1])
        np.testing.assert_allclose(model.predict(x, verbose=0), reduce(maps, axis=(1, 2)), rtol=1e-5, atol=1e-6)

    def test_pooled_channels_first(self, name, trained, channels_first):
        assert NETWORKS[name](include_top=False, pooling="avg").output_shape == (None, FEATURES[name][-1])

    def test_from_files_with_and_without_a_top(self, name, trained, tmp_path):
        features = NETWORKS[name](include_top=False)
        features.save_weights(tmp_path / "features.weights.h5")
        for file in ("features", FILES[name]):
            same = NETWORKS[name](include_top=False, weights=tmp_path / f"{file}.weights.h5", pooling="max")
            assert_same(same.get_weights(), features.get_weights(), rtol=0)
        with pytest.raises(ValueError, match=r"dense is missing"):
            NETWORKS[name](weights=tmp_path / "features.weights.h5")

    def test_other_shapes(self, name, trained):
        channels = IMAGES[name][2]
        expected = NETWORKS[name](include_top=False).get_weights()
        for shape in ((40, 24, channels), (None, None, channels), (None, 30, channels)):
            model = NETWORKS[name](include_top=False, input_shape=shape, pooling="avg")
            assert model.input_shape == (None, *shape)
            assert_same(model.get_weights(), expected, rtol=0)
            outputs = model.predict(np.ones((2, 40, shape[1] or 24, channels)), verbose=0)
            assert outputs.shape == (2, FEATURES[name][-1])

    def test_what_belongs_to_the_top_is_ignored(self, name, trained):
        model = NETWORKS[name](include_top=False, classes=3, classifier_activation="sigmoid")
        assert model.output_shape == (None, *FEATURES[name])

    def test_new_classes(self, name, trained):
        """Fine-tuning: frozen features, a Dense layer of one's own."""
        features = NETWORKS[name](include_top=False, pooling="avg")
        features.trainable = False
        model = keras.Sequential([features, layers.Dense(3, activation="softmax")])
        model.compile("adam", "scce")
        before = [weight.copy() for weight in features.get_weights()]
        dense = model.layers[-1].get_weights()[0].copy()
        model.fit(images(name), np.arange(3), epochs=2, verbose=0)
        assert_same(features.get_weights(), before, rtol=0)
        assert not np.array_equal(model.layers[-1].get_weights()[0], dense)


class TestInputTensor:
    def test_of_input(self, name, trained):
        inputs = keras.Input(IMAGES[name], name="pixels")
        model = NETWORKS[name](input_tensor=inputs)
        assert isinstance(model, keras.Model)
        assert model.input is inputs
        assert model.name == trained.name
        x = images(name)
        np.testing.assert_array_equal(model.predict(x, verbose=0), trained.predict(x, verbose=0))

    @pytest.mark.parametrize("include_top", [True, False])
    def test_of_a_layer(self, name, trained, include_top):
        """What comes before is a part of the model, and shifts no weight in the file, not even another Conv2D."""
        pixels = keras.Input((*IMAGES[name][:2], 2))
        before = layers.Conv2D(IMAGES[name][2], 1)
        model = NETWORKS[name](include_top=include_top, input_tensor=before(pixels))
        assert model.input is pixels
        assert model.layers[1] is before
        plain = NETWORKS[name](include_top=include_top)
        assert_same(model.get_weights()[2:], plain.get_weights(), rtol=0)
        x = np.random.default_rng(0).random((3, *IMAGES[name][:2], 2), dtype=np.float32)
        expected = plain.predict(before(x), verbose=0)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
        last = model.layers[-1].output
        assert keras.Model(model.inputs, last).predict(x, verbose=0).shape == expected.shape

    def test_of_another_size(self, name, trained):
        inputs = keras.Input((40, 44, IMAGES[name][2]))
        model = NETWORKS[name](include_top=False, input_tensor=inputs)
        assert_same(model.get_weights(), NETWORKS[name](include_top=False).get_weights(), rtol=0)
        assert NETWORKS[name](include_top=False, weights=None, input_tensor=inputs, input_shape=inputs.shape[1:]).built

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ({"input_tensor": np.zeros((1, 28, 28, 1))}, "`input_tensor` must be what keras.Input.*array"),
            ({"input_tensor": "x"}, "`input_tensor` must be what keras.Input.*'x'"),
            ({"shape": (28, 28)}, r"\(height, width, channels\).*Received: input_shape=\(28, 28\)"),
            ({"shape": (6, 6, 1)}, "at least"),
            ({"shape": (40, 40, 1), "input_shape": (28, 28, 1)}, r"that of `input_tensor`, \(40, .*\(28, 28, 1\)"),
            ({"shape": (40, 40, 1), "input_shape": 28}, r"that of `input_tensor`.*28"),
        ],
    )
    def test_bad(self, name, arguments, message):
        arguments = dict(arguments)
        if "shape" in arguments:
            arguments["input_tensor"] = keras.Input(arguments.pop("shape"))
        with pytest.raises(ValueError, match=message):
            NETWORKS[name](weights=None, **arguments)

    def test_that_the_weights_are_not_for(self, name, trained):
        with pytest.raises(ValueError, match=r"`include_top=True`.*`input_shape` should be"):
            NETWORKS[name](input_tensor=keras.Input((40, 40, IMAGES[name][2])))


class TestArguments:
    def test_are_taken(self, name):
        model = NETWORKS[name](
            weights=None, input_shape=[20, 24, 2], classes=4, classifier_activation=None, name="small"
        )
        assert (model.name, model.input_shape) == ("small", (None, 20, 24, 2))
        outputs = stirred(model).predict(np.random.default_rng(0).normal(size=(9, 20, 24, 2)), verbose=0)
        assert outputs.shape == (9, 4)
        assert not np.allclose(outputs.sum(axis=1), 1)  # logits

    def test_channels_first(self, name, channels_first):
        x = images(name)
        model = NETWORKS[name](weights=None)
        assert model.input_shape == (None, *x.shape[1:])
        assert NETWORKS[name](weights=None, input_shape=(2, 40, 30)).input_shape == (None, 2, 40, 30)
        with pytest.raises(ValueError, match=r"\(channels, height, width\).*Received: input_shape=\(40, 40, 1\)"):
            NETWORKS[name](weights=None, input_shape=(40, 40, 1))

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ({"input_shape": (6, 40, 1)}, r"at least \d+ x \d+ pixels.*\(6, 40, 1\).*Resizing"),
            ({"input_shape": (40, 6, 1)}, r"at least \d+ x \d+ pixels.*\(40, 6, 1\)"),
            ({"input_shape": (3, 32, 32)}, r"\(height, width, channels\).*Received: input_shape=\(3, 32, 32\)"),
            ({"input_shape": (28, 28)}, r"\(height, width, channels\).*as \(\d+, .*Received: input_shape=\(28, 28\)"),
            ({"input_shape": (None, 28, 1)}, r"without None if `include_top`.*\(None, 28, 1\)"),
            ({"input_shape": (28, 28, None), "include_top": False}, "`input_shape`.*positive integer.*None"),
            ({"input_shape": (28, 28.0, 1)}, "`input_shape`.*positive integer.*28.0"),
            ({"input_shape": 28}, r"`input_shape` must be \(height.*28"),
            ({"classes": 0}, "`classes` must be a positive integer.*0"),
            ({"classes": 2.5}, "`classes` must be a positive integer.*2.5"),
            ({"pooling": "average"}, "`pooling` must be None, 'avg' or 'max'.*'average'"),
            ({"pooling": ["avg"]}, "`pooling` must be None, 'avg' or 'max'.*avg"),
            ({"classifier_activation": "softmex"}, "'softmex'.*Did you mean 'softmax'"),
            ({"weights": "imagenet"}, "`weights` must be None.*(mnist|cifar10).*path.*'imagenet'"),
            ({"weights": ""}, "`weights` must be None.*''"),
            ({"weights": 5}, "`weights` must be None.*5"),
            ({"weights": ["mnist"]}, r"`weights` must be None.*\['mnist'\]"),
            ({"weights": "."}, r"must end in `.weights.h5`.*'.'"),
        ],
    )
    def test_bad(self, name, arguments, message):
        with pytest.raises(ValueError, match=message):
            NETWORKS[name](**{"weights": None, **arguments})

    @pytest.mark.parametrize("value", ["mnist", None, 1])
    def test_include_top_is_the_first(self, name, value):
        with pytest.raises(TypeError, match=f"`include_top` must be True or False.*{value}"):
            NETWORKS[name](value)

    def test_that_the_named_weights_are_not_for(self, name, trained):
        shape = IMAGES[name]
        for arguments, message in (
            ({"classes": 7}, r"`include_top=True`, `classes` should be 10\. Received: classes=7"),
            ({"input_shape": (40, 40, shape[2])}, r"`input_shape` should be .*Received: input_shape=\(40, 40"),
            ({"classifier_activation": "sigmoid"}, "Only `None` and `softmax`.*'sigmoid'"),
            ({"include_top": False, "input_shape": (40, 40, 2)}, rf"must have {shape[2]} channels?, as.*\(40, 40, 2\)"),
        ):
            with pytest.raises(ValueError, match=message):
                NETWORKS[name](**arguments)
        assert NETWORKS[name](input_shape=list(shape), classes=10, classifier_activation="linear").built

    def test_activation_of_a_files_top(self, name, trained, tmp_path):
        path = tmp_path / f"{FILES[name]}.weights.h5"
        with pytest.raises(ValueError, match="Only `None` and `softmax`"):
            NETWORKS[name](weights=path, classifier_activation="relu")

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ({"activation": "tan"}, "'tan'.*Did you mean 'tanh'"),
            ({"subsampling": "avg"}, "`subsampling` must be one of.*'average'.*'avg'"),
            ({"subsampling": None}, "`subsampling` must be one of.*None"),
            ({"weights": "mnist", "activation": "tanh"}, "'mnist' are for activation='relu'.*'tanh'.*weights=None"),
            ({"weights": "mnist", "subsampling": "average"}, "subsampling='max'.*'average'"),
        ],
    )
    @pytest.mark.parametrize("name", ["LeNet5"])
    def test_bad_variants(self, trained, arguments, message):
        with pytest.raises(ValueError, match=message):
            LeNet5(**{"weights": None, **arguments})

    @pytest.mark.parametrize("name", ["LeNet5"])
    def test_the_variant_by_its_function(self, trained):
        assert LeNet5(activation=keras.activations.relu).built


class TestPreprocessInput:
    def test_lenet5(self):
        x = np.arange(2 * 4 * 5).reshape(2, 4, 5).astype(np.uint8) * 6
        before = x.copy()
        outputs = lenet5.preprocess_input(x)
        assert outputs.dtype == np.float32
        np.testing.assert_array_equal(outputs, (x / 255)[..., None].astype(np.float32))
        np.testing.assert_array_equal(lenet5.preprocess_input(x[..., None]), outputs)
        np.testing.assert_array_equal(lenet5.preprocess_input(x.tolist()), outputs)
        first = lenet5.preprocess_input(x, data_format="channels_first")
        assert first.shape == (2, 1, 4, 5)
        np.testing.assert_array_equal(lenet5.preprocess_input(x[:, None], "channels_first"), first)
        np.testing.assert_array_equal(x, before)
        assert lenet5.preprocess_input(np.array([[[0, 255]]])).ravel().tolist() == [0, 1]

    def test_small_cifar(self):
        x = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
        outputs = small_cifar.preprocess_input(x)
        assert outputs.dtype == np.float32
        expected = (x - np.array(small_cifar.MEAN)) / small_cifar.STD
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(small_cifar.preprocess_input(x[0]), outputs[0])
        first = small_cifar.preprocess_input(np.moveaxis(x, -1, 1), "channels_first")
        np.testing.assert_array_equal(first, np.moveaxis(outputs, -1, 1))
        np.testing.assert_array_equal(
            small_cifar.preprocess_input(np.moveaxis(x[1], -1, 0), "channels_first"), first[1]
        )

    def test_leaves_floats_as_they_are(self, name):
        x = images(name) * 255
        before = x.copy()
        outputs = MODULES[name].preprocess_input(x)
        np.testing.assert_array_equal(x, before)
        assert not np.shares_memory(outputs, x)

    def test_data_format_of_config(self, name, channels_first):
        x = images(name) * 255
        outputs = MODULES[name].preprocess_input(x)
        last = MODULES[name].preprocess_input(np.moveaxis(x, 1, -1), data_format="channels_last")
        np.testing.assert_array_equal(outputs, np.moveaxis(last, -1, 1))

    def test_float64(self, name):
        keras.config.set_floatx("float64")
        try:
            assert MODULES[name].preprocess_input(images(name) * 255).dtype == np.float64
        finally:
            keras.config.set_floatx("float32")

    def test_no_images(self, name):
        assert MODULES[name].preprocess_input(images(name)[:0]).shape == (0, *IMAGES[name])

    def test_scaled_before(self, name):
        with pytest.warns(UserWarning, match="looks scaled already.*0 to 255") as caught:
            MODULES[name].preprocess_input(images(name))
        assert caught[0].filename == __file__
        MODULES[name].preprocess_input(np.zeros((2, *IMAGES[name])))
        MODULES[name].preprocess_input(np.ones((2, *IMAGES[name]), np.uint8))

    @pytest.mark.parametrize(
        "x, error, message",
        [
            (np.full((2, 8, 8, 1), -1), ValueError, "pixels from 0 to 255.*-1 to -1.*clip"),
            (np.full((2, 8, 8, 3), 256), ValueError, "pixels from 0 to 255.*256"),
            (np.full((2, 8, 8, 3), np.nan), ValueError, "pixels from 0 to 255.*nan"),
            (np.full((2, 8, 8, 3), np.inf), ValueError, "pixels from 0 to 255.*inf"),
            ([[1, 2], [3]], ValueError, "`x` must be images of one size"),
            ([["a"]], TypeError, "numbers from 0 to 255.*dtype <U1"),
            (np.ones((2, 8, 8, 1), complex), TypeError, "complex"),
            (np.ones((2, 8, 8, 1), bool), TypeError, "bool"),
            (np.ones((2, 2, 8, 8, 1), int), ValueError, r"`x` must be images.*\(2, 2, 8, 8, 1\)"),
            (np.ones((2, 8, 8, 2), int), ValueError, r"`x` must be images.*\(2, 8, 8, 2\)"),
            (np.ones(8, int), ValueError, r"`x` must be images.*\(8,\)"),
            (5, ValueError, r"`x` must be images.*\(\)"),
            (None, TypeError, "object"),
        ],
    )
    def test_bad(self, name, x, error, message):
        with pytest.raises(error, match=message):
            MODULES[name].preprocess_input(x)

    def test_bad_shapes_and_what_mends_them(self):
        one = np.ones((8, 8), int)
        for x in (one, one[..., None]):
            with pytest.raises(ValueError, match=r"\(batch, height, width, channels\) with 1 channel.*x\[None\]"):
                lenet5.preprocess_input(x)
        with pytest.raises(ValueError, match="look like channels_first: pass data_format='channels_first'"):
            lenet5.preprocess_input(one[None, None])
        with pytest.raises(ValueError, match="look like channels_last: pass data_format='channels_last'"):
            small_cifar.preprocess_input(np.ones((2, 8, 8, 3), int), "channels_first")
        with pytest.raises(ValueError, match=r"with 3 channels. Received: shape \(8, 8\)$"):
            small_cifar.preprocess_input(one)

    def test_symbolic(self, name):
        with pytest.raises(TypeError, match="`x` must be an array.*KerasTensor.*Rescaling"):
            MODULES[name].preprocess_input(keras.Input(IMAGES[name]))

    def test_bad_data_format(self, name):
        with pytest.raises(ValueError, match="`data_format` must be one of.*'last'"):
            MODULES[name].preprocess_input(images(name), data_format="last")


class TestDecodePredictions:
    def test_best_first(self):
        preds = np.full((2, 10), 0.01, np.float32)
        preds[0, [7, 1]] = 0.6, 0.3
        preds[1, [0, 9]] = 0.2, 0.7
        found = lenet5.decode_predictions(preds, top=2)
        assert [[entry[:2] for entry in row] for row in found] == [[("7", "7"), ("1", "1")], [("9", "9"), ("0", "0")]]
        assert [entry[2] for entry in found[1]] == [preds[1, 9], preds[1, 0]]
        assert isinstance(found[0][0], tuple)
        assert [len(row) for row in lenet5.decode_predictions(preds)] == [5, 5]
        (first, second) = small_cifar.decode_predictions(preds.tolist(), top=1)
        assert [first[0][:2], second[0][:2]] == [("7", "horse"), ("9", "truck")]

    def test_all_labels(self):
        names = "airplane automobile bird cat deer dog frog horse ship truck".split()
        (found,) = small_cifar.decode_predictions(np.linspace(1, 0, 10)[None], top=10)
        assert [entry[:2] for entry in found] == [(str(i), label) for i, label in enumerate(names)]

    def test_equal_scores_go_as_argmax(self, name):
        (found,) = MODULES[name].decode_predictions(np.full((1, 10), 0.1), top=10)
        assert [int(entry[0]) for entry in found] == list(range(10))
        many = pretrained.Network("Many", {}, (8, 8, 1), 8, range(99))  # more than a sort leaves in order by itself
        (found,) = many.decode(np.tile([0, 1, 1], (1, 33)), 66)
        assert [entry[1] for entry in found] == [i for i in range(99) if i % 3]

    def test_whole_numbers(self, name):
        preds = np.arange(10, dtype=np.uint8)[None]
        assert MODULES[name].decode_predictions(preds, top=1)[0][0][0] == "9"

    @pytest.mark.parametrize(
        "preds, top, message",
        [
            (np.zeros(10), 5, r"expects a batch.*\(samples, 10\).*shape \(10,\).*preds\[None\]"),
            (np.zeros((2, 1000)), 5, r"\(samples, 10\).*shape \(2, 1000\)"),
            (np.zeros((2, 10, 1)), 5, r"\(2, 10, 1\)"),
            (np.full((2, 10), "a"), 5, "numbers.*dtype <U1"),
            (np.array([[0.0] * 10, [0.0] * 9 + [np.nan]]), 5, "NaN in row 1"),
            (np.zeros((2, 10)), 0, "`top` must be .*from 1 to 10.*0"),
            (np.zeros((2, 10)), 11, "`top` must be .*from 1 to 10.*11"),
            (np.zeros((2, 10)), -1, "`top` must be.*-1"),
            (np.zeros((2, 10)), 2.0, "`top` must be.*2.0"),
            (np.zeros((2, 10)), True, "`top` must be.*True"),
        ],
    )
    def test_bad(self, name, preds, top, message):
        with pytest.raises(ValueError, match=message):
            MODULES[name].decode_predictions(preds, top=top)

    def test_symbolic(self, name):
        with pytest.raises(TypeError, match="`preds` must be an array.*KerasTensor"):
            MODULES[name].decode_predictions(keras.Input((10,)))


class TestShippedFiles:
    """The trained networks themselves."""

    def test_each_belongs_to_a_network(self):
        known = {file for module in MODULES.values() for file in module.NETWORK.files.values()}
        assert known == {f"{stem}.weights.h5" for stem in FILES.values()}
        assert {path.name for path in FOLDER.glob("*.h5")} == known

    def test_is_small_and_described(self, name):
        path = self.find(name)
        assert path.stat().st_size <= 2_000_000
        for ending in ("md", "png"):
            assert (FOLDER / f"{FILES[name]}.{ending}").stat().st_size > 100

    def test_predicts(self, name):
        self.find(name)
        model = NETWORKS[name]()
        assert model.count_params() <= {"LeNet5": 70_000, "SmallCIFAR": 500_000}[name]
        outputs = model.predict(MODULES[name].preprocess_input(images(name) * 255), verbose=0)
        np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
        assert NETWORKS[name](include_top=False, pooling="avg").predict(images(name), verbose=0).any()

    def find(self, name):
        pytest.importorskip("h5py")
        return FOLDER / f"{FILES[name]}.weights.h5"


def test_names_lead_to_the_modules():
    assert keras.applications.lenet5.preprocess_input is lenet5.preprocess_input
    assert keras.applications.small_cifar.decode_predictions is small_cifar.decode_predictions
    assert {*keras.applications.__all__} == {"LeNet5", "SmallCIFAR", "lenet5", "small_cifar"}


def test_are_imported_when_asked_for():
    code = "import sys, minikeras; assert not [m for m in sys.modules if 'applications' in m or 'trained' in m]"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=FOLDER.parent, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


def test_features_make_no_top(name, monkeypatch):
    """Sizes that vary would not fit a Dense layer; nothing of it may be built."""
    monkeypatch.setattr(layers.Dense, "build", None)
    assert NETWORKS[name](include_top=False, weights=None, input_shape=(None, None, 3)).built
