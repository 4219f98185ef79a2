"""Preprocessing layers: numbers, categories, sizes of images. The random ones are in test_augmentation.py."""

import numpy as np
import pytest
from checks import check_layer, settings

import minikeras as keras
from minikeras import layers
from minikeras.models import Sequential

CONFIGURATIONS = {
    "normalization": (layers.Normalization, (4, 3), {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 5.0, 6.0]}),
    "normalization invert": (layers.Normalization, (4, 3), {"mean": 1.0, "variance": 2.0, "invert": True}),
    "normalization of weights": (layers.Normalization, (4, 3), {"axis": (1, 2)}),
    "normalization of one": (layers.Normalization, (4, 3), {"axis": None}),
    "resizing": (layers.Resizing, (4, 5, 3), {"height": 7, "width": 3}),
    "resizing nearest": (layers.Resizing, (4, 5, 3), {"height": 7, "width": 3, "interpolation": "nearest"}),
    "resizing bicubic": (layers.Resizing, (4, 5, 3), {"height": 7, "width": 3, "interpolation": "bicubic"}),
    "resizing lanczos3": (layers.Resizing, (4, 5, 3), {"height": 7, "width": 3, "interpolation": "lanczos3"}),
    "resizing antialias": (layers.Resizing, (8, 5, 2), {"height": 3, "width": 3, "antialias": True}),
    "resizing crop": (layers.Resizing, (9, 5, 2), {"height": 3, "width": 3, "crop_to_aspect_ratio": True}),
    "resizing pad": (
        layers.Resizing, (9, 4, 2), {"height": 3, "width": 3, "pad_to_aspect_ratio": True, "fill_value": 2.0},
    ),
    "resizing channels first": (
        layers.Resizing, (2, 4, 5), {"height": 7, "width": 3, "data_format": "channels_first"},
    ),
    "resizing to itself": (layers.Resizing, (4, 5, 3), {"height": 4, "width": 5}),
    "auto contrast": (layers.AutoContrast, (4, 5, 3), {"value_range": (-1, 3)}),
    "equalization of one value": (layers.Equalization, (1, 1, 3), {}),
    "center crop": (layers.CenterCrop, (6, 5, 3), {"height": 3, "width": 4}),
    "center crop of a small image": (layers.CenterCrop, (3, 7, 2), {"height": 5, "width": 4}),
    "center crop channels first": (
        layers.CenterCrop, (3, 6, 5), {"height": 3, "width": 4, "data_format": "channels_first"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("cls, input_shape, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_layer(cls, input_shape, arguments):
    if cls is not layers.Equalization:
        check_layer(lambda: cls(**arguments), input_shape)
    check_layer(lambda: cls(**arguments), input_shape, batch=1)


def test_resizing_integers_past_their_limits():
    x = np.repeat([0, 0, 255, 255], 4).reshape(1, 4, 4, 1).astype("uint8")
    y = layers.Resizing(9, 9, interpolation="bicubic")(x)
    assert y.dtype == "uint8"
    assert (np.diff(y[0, :, 0, 0].astype(int)) >= 0).all()  # what overshoots is cut off, not wrapped around


def test_flat_channels():
    x = np.full((2, 3, 4, 2), 7.0, "float32")
    x[0, 1, 1, 0] = 9
    for layer in (layers.AutoContrast(), layers.Equalization()):
        with np.errstate(all="raise"):
            y = layer(x, training=True)
            dx = layer.backward(np.ones_like(x))
        np.testing.assert_array_equal(y[..., 1], 7)  # a channel of one value stays as it is
        np.testing.assert_array_equal(np.unique(y[0, ..., 0]), [0, 255])
        np.testing.assert_array_equal(dx[1, ..., 1], 1)
    np.testing.assert_array_equal(layers.Equalization()(x, training=False), x)


def test_equalization_evens_out():
    x = np.random.default_rng(0).exponential(20, (1, 100, 100, 1)).clip(0, 255)
    y = layers.Equalization()(x)
    np.testing.assert_allclose(np.quantile(y, [0.2, 0.4, 0.6, 0.8]), [51, 102, 153, 204], atol=8)
    assert layers.Equalization().needs_input_gradient


def test_posterization_by_hand():
    x = np.array([0.0, 1, 127, 128, 255]).reshape(1, 1, 5, 1)
    y = layers.RandomPosterization((1, 1))(x)
    np.testing.assert_array_equal(y.ravel(), [0, 0, 0, 128, 128])
    y = layers.RandomPosterization((8, 8))(x)
    np.testing.assert_array_equal(y, x)
    layer = layers.RandomPosterization((2, 2), value_range=(0, 1))
    np.testing.assert_allclose(layer(x / 255).ravel(), np.array([0, 0, 64, 128, 192]) / 255, rtol=1e-6)
    np.testing.assert_array_equal(layer.backward(np.ones_like(x)), 0)


def test_pipeline():
    x = np.random.default_rng(0).random((3, 4, 5, 2))
    below = layers.Dense(3, "tanh", name="below")
    layer = check_layer(
        lambda: layers.Pipeline([layers.Dense(3, "tanh", name="below"), layers.Resizing(3, 3), layers.Dense(2)]),
        (4, 5, 2), config_round_trip=False,
    )  # fmt: skip
    assert len(layer.trainable_weights) == 4
    pipeline = layers.Pipeline([below, layers.RandomFlip("vertical", seed=1)])
    np.testing.assert_array_equal(pipeline(x, training=False), below(x))
    assert np.abs(pipeline(x) - below(x)).max() > 0  # a direct call is one in training
    again = layers.deserialize(layers.serialize(pipeline))
    assert [type(inner) for inner in again.layers] == [layers.Dense, layers.RandomFlip]
    model = Sequential([keras.Input((4, 5, 2)), pipeline, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = below.get_weights()
    model.fit(x, np.ones((3, 1)), verbose=0)
    assert np.abs(below.get_weights()[0] - before[0]).max() > 0
    assert below.needs_input_gradient is False
    with pytest.raises(ValueError, match="`layers`"):
        layers.Pipeline([1])


def test_normalization_follows_its_weights():
    x = np.random.default_rng(0).normal(5, 3, (50, 4)).astype("float32")
    layer = layers.Normalization()
    assert layer.mean is None
    assert layer.variance is None
    layer.adapt(x)
    np.testing.assert_allclose(layer(x).mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(layer(x).std(0), 1, rtol=1e-5)
    np.testing.assert_allclose(layer.mean.numpy(), x.mean(0, keepdims=True), rtol=1e-5)
    other = layers.Normalization()
    other.build_once((None, 4))
    np.testing.assert_array_equal(other(x), x)
    other.set_weights(layer.get_weights())
    np.testing.assert_array_equal(other(x), layer(x))
    layer.adapt(x + 1)
    np.testing.assert_allclose(layer(x + 1), other(x), atol=1e-5)


def test_normalization_in_a_model(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(1e3, 50, (64, 4)).astype("float32")
    y = (x[:, :1] - 1e3) / 50
    layer = layers.Normalization()
    layer.adapt(x)
    model = Sequential([layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    assert model.fit(x, y, epochs=100, verbose=0).history["loss"][-1] < 0.05
    np.testing.assert_allclose(layer.get_weights()[0], x.mean(0), rtol=1e-5)  # no optimizer has touched them
    assert model.count_params() == 5 + 9
    model.save_weights(tmp_path / "model.weights.h5")
    other = Sequential([keras.Input((4,)), layers.Normalization(), layers.Dense(1)])
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


def test_normalization_adapts_exactly():
    """To data that float32 sums would get wrong, whole or in unequal batches."""
    rng = np.random.default_rng(0)
    x = (1e6 + rng.standard_normal((3000, 50))).astype("float32")
    for data in (x, iter([x[:1], x[1:7], x[7:]]), x.astype("float64")):
        layer = layers.Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(layer.get_weights()[0], x.mean(0, dtype="float64"), rtol=1e-7)
        np.testing.assert_allclose(layer.get_weights()[1], x.var(0, dtype="float64"), rtol=1e-5)


def test_adapting_to_other_kinds_of_data():
    x = np.arange(24.0).reshape(8, 3)

    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return x[4 * index : 4 * index + 4], np.zeros(4)

    class Frame:  # as of pandas
        def __array__(self, dtype=None, copy=None):
            return x

    for data in (Data(), Frame(), [x[:4], x[4:]], x.astype(int), x > -1):
        layer = layers.Normalization()
        layer.adapt(data)
        assert layer.get_weights()[0].shape == (3,)
        bins = layers.Discretization(num_bins=2)
        bins.adapt(data)
        assert len(bins.bin_boundaries) == 1
    bins = layers.Discretization(num_bins=2)
    bins.adapt(iter([x, x + 1e6]), steps=1)
    assert bins.bin_boundaries[0] < 24


def test_normalization_of_constant_columns():
    layer = layers.Normalization()
    layer.adapt(np.full((5, 2), 3.0))
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(layer(np.full((2, 2), 3.0)), 0)
        assert np.isfinite(layer(np.full((2, 2), 4.0))).all()


def test_normalization_keeps_a_mask():
    assert layers.Normalization.supports_masking


def test_category_encoding():
    x = np.array([[0, 1], [0, 0], [1, 2], [3, 1]])
    multi = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1]]
    np.testing.assert_array_equal(layers.CategoryEncoding(4)(x), multi)
    np.testing.assert_array_equal(layers.CategoryEncoding(4, output_mode="binary")(x), multi)
    counts = layers.CategoryEncoding(4, output_mode="count")
    np.testing.assert_array_equal(counts(x), [[1, 1, 0, 0], [2, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1]])
    np.testing.assert_array_equal(layers.CategoryEncoding(4, "one_hot")([3, 0]), np.eye(4)[[3, 0]])
    np.testing.assert_array_equal(counts(x[:2].astype("float32")), counts(x[:2]))  # an earlier batch leaves no trace
    model = Sequential([keras.Input((2,)), layers.CategoryEncoding(4), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((4, 3)), verbose=0)
    np.testing.assert_array_equal(model.layers[0].backward(np.ones((4, 4))), np.zeros((4, 2)))


def test_discretization():
    x = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    layer = layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    np.testing.assert_array_equal(layer(x), [[0, 2, 3, 1], [1, 3, 2, 1]])
    np.testing.assert_array_equal(layer(x.astype(int)), [[0, 2, 3, 1], [1, 3, 2, 1]])
    learned = layers.Discretization(num_bins=4, epsilon=0.01)
    learned.adapt(x)
    np.testing.assert_array_equal(learned(x), [[0, 2, 3, 2], [1, 3, 3, 1]])
    again = layers.deserialize(layers.serialize(learned))
    np.testing.assert_array_equal(again(x), learned(x))
    counts = layers.Discretization([0.0, 1.0], output_mode="count")
    np.testing.assert_array_equal(counts(x), [[1, 1, 2], [0, 2, 2]])
    model = Sequential([keras.Input((4,)), layers.Discretization([0.0, 1.0], output_mode="multi_hot"), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((2, 2)), verbose=0)


def test_quantiles():
    x = np.random.default_rng(0).random(5000)
    layer = layers.Discretization(num_bins=5)
    layer.adapt(np.array_split(x, 7))
    np.testing.assert_allclose(layer.bin_boundaries, [0.2, 0.4, 0.6, 0.8], atol=0.03)


def test_images_of_any_size():
    for layer in (layers.Resizing(4, 3), layers.CenterCrop(4, 3), layers.RandomCrop(4, 3)):
        assert layer.compute_output_shape((None, None, None, 2)) == (None, 4, 3, 2)
        with settings("float32", "channels_first"):
            other = type(layer)(4, 3)
        assert other.compute_output_shape((None, 2, None, None)) == (None, 2, 4, 3)


@pytest.mark.parametrize("make, message", [
    (lambda: layers.Normalization(mean=1.0), "variance"),
    (lambda: layers.Normalization(mean=[1.0], variance=1.0), "shape"),
    (lambda: layers.Normalization(mean=[[1.0]], variance=[[1.0]]), "axes"),
    (lambda: layers.Normalization(mean=1.0, variance=-1.0), "variance"),
    (lambda: layers.Normalization(axis=1.5), "axis"), (lambda: layers.Normalization(axis=(0, True)), "axis"),
    (lambda: layers.Normalization(axis=2).build((None, 3)), "axis"),
    (lambda: layers.Normalization(axis=-3).build((None, 3)), "axis"),
    (lambda: layers.Normalization(axis=0).build((None, 3)), "sizes"),
    (lambda: layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0]).build((None, 3)), "broadcast"),
    (lambda: layers.Normalization(mean=1.0, variance=2.0).adapt(np.ones((2, 2))), "do not adapt"),
    (lambda: layers.Normalization().adapt(np.array([[1.0, np.nan]])), "NaN"),
    (lambda: layers.Normalization().adapt([]), "no batches"),
    (lambda: layers.Normalization().adapt(np.ones((0, 2))), "empty"),
    (lambda: layers.Normalization().adapt([np.ones((2, 2)), np.ones((2, 3))]), "built for"),
    (lambda: layers.CategoryEncoding(), "num_tokens"), (lambda: layers.CategoryEncoding(0), "num_tokens"),
    (lambda: layers.CategoryEncoding(3, "hot"), "output_mode"),
    (lambda: layers.CategoryEncoding(3)(np.ones((1, 2)), count_weights=np.ones((1, 2))), "output_mode"),
    (lambda: layers.CategoryEncoding(3, "count")(np.ones((1, 2)), count_weights=np.ones(2)), r"\(1, 2\).*\(2,\)"),
    (lambda: layers.Rescaling([1.0, 2.0])(np.ones((2, 4, 4, 1))), r"`scale` of shape \(2,\).*\(None, 4, 4, 1\)"),
    (lambda: layers.Rescaling(1, [[[1.0, 2.0]]])(np.ones((2, 2))), r"`offset` of shape \(1, 1, 2\)"),
    (lambda: layers.CategoryEncoding(3, sparse=True), "sparse"),
    (lambda: layers.CategoryEncoding(3)(np.array([[0, 3]])), r"Received 3 at \(0, 1\)"),
    (lambda: layers.CategoryEncoding(3)(np.array([[-1, 2]])), r"Received -1 at \(0, 0\)"),
    (lambda: layers.Discretization(), "bin_boundaries"), (lambda: layers.Discretization([1.0], 3), "bin_boundaries"),
    (lambda: layers.Discretization([1.0, 0.0]), "increasing"), (lambda: layers.Discretization(["a"]), "increasing"),
    (lambda: layers.Discretization(num_bins=0), "num_bins"),
    (lambda: layers.Discretization(num_bins=2, epsilon=0), "epsilon"),
    (lambda: layers.Discretization(num_bins=2, output_mode="x"), "output_mode"),
    (lambda: layers.Discretization([1.0], output_mode="one_hot", sparse=True), "sparse"),
    (lambda: layers.Discretization(num_bins=2)(np.ones((2, 2))), "adapt"),
    (lambda: layers.Discretization([1.0]).adapt(np.ones(3)), "num_bins"),
    (lambda: layers.Discretization(num_bins=2).adapt([np.array([np.inf])]), "infinite"),
    (lambda: layers.Resizing(0, 3), "height"), (lambda: layers.Resizing(3, 2.5), "width"),
    (lambda: layers.Resizing(3, 3, "linear"), "interpolation"),
    (lambda: layers.Resizing(3, 3, fill_mode="reflect"), "fill_mode"),
    (lambda: layers.Resizing(3, 3, fill_value="0"), "fill_value"),
    (lambda: layers.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "Only one"),
    (lambda: layers.Resizing(3, 3, data_format="last"), "data_format"),
    (lambda: layers.Resizing(3, 3).compute_output_shape((None, 4, 4)), "rank 4"),
    (lambda: layers.CenterCrop(3, None), "width"), (lambda: layers.RandomCrop(True, 3), "height"),
])  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("data", ["text", {"a": 1}, 3, [["a", "b"]], np.array(["a"])])
def test_bad_data(data):
    for layer in (layers.Normalization(), layers.Discretization(num_bins=3)):
        with pytest.raises(TypeError, match="`data`"):
            layer.adapt(data)
        assert not layer.built


@pytest.mark.parametrize("layer, shape", [
    (layers.CategoryEncoding(4), (3,)), (layers.Discretization([1.0]), (3,)), (layers.Normalization(), (3,)),
    (layers.Rescaling(0.5), (3,)), (layers.Resizing(3, 2), (4, 4, 1)), (layers.CenterCrop(3, 2), (4, 4, 1)),
    (layers.RandomCrop(3, 2), (4, 4, 1)), (layers.RandomFlip(), (4, 4, 1)), (layers.RandAugment(), (4, 4, 3)),
    (layers.ContrastLimitedAdaptiveHistogramEqualization(), (4, 4, 1)), (layers.Equalization(), (4, 4, 1)),
    (layers.Pipeline([layers.MixUp()]), (4, 4, 1)),
])  # fmt: skip
def test_model_of_tensors(layer, shape):
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    x = np.random.default_rng(0).integers(0, 4, (2, *shape))
    np.testing.assert_allclose(model.predict(x, verbose=0), layer(x.astype("float32"), training=False))
