"""Grad-CAM, saliency and feature maps of models of many forms: nested, of one output, with layers that prepare."""

import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization
from tests.checks import settings

RNG = np.random.default_rng(0)
STEP = 1e-5


@pytest.fixture(autouse=True)
def float64():
    keras.utils.clear_session()
    keras.utils.set_random_seed(2)
    with settings("float64"):
        yield


def conv(name, filters=3):
    return layers.Conv2D(filters, 2, activation="tanh", name=name)


def nested():
    deep = keras.Sequential([conv("conv"), layers.BatchNormalization()], name="deep")
    inner = keras.Sequential([conv("conv"), deep, layers.ReLU(name="last")], name="inner")
    model = keras.Sequential([inner, layers.Flatten(), layers.Dense(3, name="scores")], name="outer")
    model.build((None, 6, 5, 2))
    return model


def scores_by_differences(model, image):
    """The derivative of each output by each pixel: (classes, height, width, channels)."""
    steps = STEP * np.eye(image.size).reshape(-1, *image.shape)
    high, low = (model.predict(image + sign * steps, verbose=0) for sign in (1, -1))
    return ((high - low) / (2 * STEP)).T.reshape(-1, *image.shape)


def test_models_in_models_in_models():
    model, image = nested(), RNG.random((6, 5, 2))
    expected = np.abs(scores_by_differences(model, image)).max(axis=-1)
    for c in range(3):
        np.testing.assert_allclose(visualization.saliency(model, image, c), expected[c], rtol=1e-6)
    deepest = visualization.grad_cam(model, image, 0)
    assert deepest.shape == (4, 3)
    np.testing.assert_array_equal(deepest, visualization.grad_cam(model, image, 0, "inner/deep/conv"))
    conv_layer = model.layers[0].layers[1].layers[0]
    np.testing.assert_array_equal(deepest, visualization.grad_cam(model, image, 0, conv_layer))
    assert visualization.grad_cam(model, image, 0, "inner/conv").shape == (5, 4)
    at_the_end = visualization.grad_cam(model, image, 0, "last")
    assert at_the_end.any()
    for whole in ("inner", 0, model.layers[0]):  # a model stands for its last layer
        np.testing.assert_array_equal(visualization.grad_cam(model, image, 0, whole), at_the_end)
    with pytest.raises(ValueError, match="'conv', of which there are 2: give one of inner/conv, inner/deep/conv"):
        visualization.grad_cam(model, image, 0, "conv")
    with pytest.raises(ValueError, match="Received: 'con'. Layers: inner/conv, inner/deep/conv, inner/deep/batch"):
        visualization.grad_cam(model, image, 0, "con")
    with pytest.raises(ValueError, match=r"Received 'scores', which puts out \(None, 3\)"):
        visualization.grad_cam(model, image, 0, "scores")


def test_a_name_is_not_looked_for_inside_of_names():
    model = nested()
    with pytest.raises(ValueError, match="Received: 'deep/conv'"):
        visualization.grad_cam(model, RNG.random((6, 5, 2)), 0, "deep/conv")


@pytest.mark.parametrize(("activation", "rest"), [("sigmoid", ()), (None, ()), (None, ("sigmoid",))])
def test_one_output_has_two_classes(activation, rest):
    is_probability = "sigmoid" in (activation, *rest)
    model = keras.Sequential([
        conv("conv"), layers.Flatten(), layers.Dense(1, activation=activation), *map(layers.Activation, rest)
    ])  # fmt: skip
    model.build((None, 6, 5, 2))
    image = RNG.random((6, 5, 2))
    output = model.predict(image[None], verbose=0)[0, 0]
    logit = np.log(output / (1 - output)) if is_probability else output
    scores = scores_by_differences(model, image)[0] / (output * (1 - output) if is_probability else 1)
    np.testing.assert_allclose(visualization.saliency(model, image), np.abs(scores).max(axis=-1), rtol=1e-6)
    first, second = (visualization.grad_cam(model, image, c) for c in (0, 1))
    assert first.any()
    assert second.any()
    assert not (first * second).any()  # what speaks for one speaks against the other
    hidden = model.layers[0](image[None])[0]
    weights = model.layers[2].kernel.value.reshape(hidden.shape).mean(axis=(0, 1))
    np.testing.assert_allclose(second - first, hidden @ weights, rtol=1e-9)
    for bias, expected in ((-logit - 1, first), (-logit + 1, second)):  # by default the class that is predicted
        model.layers[2].bias.assign([bias])
        np.testing.assert_allclose(visualization.grad_cam(model, image), expected, rtol=1e-9)
        pytest.importorskip("matplotlib")
        title = visualization.plot_grad_cam(model, image, class_names=["no", "yes"]).axes[1].get_title()
        assert title == f"Grad-CAM: {['no', 'yes'][expected is second]}\nconv"
    with pytest.raises(ValueError, match="less than 2, the model's number of classes. Received: 2"):
        visualization.saliency(model, image, 2)


def test_softmax_of_its_own_is_looked_through():
    keras.utils.set_random_seed(5)
    inside, beside, activation, logits = (
        keras.Sequential([conv(f"conv_{i}"), layers.Flatten(), layers.Dense(3, name=f"scores_{i}", **given), *rest])
        for i, (given, rest) in enumerate([
            ({"activation": "softmax"}, []), ({}, [layers.Softmax()]), ({}, [layers.Activation("softmax")]), ({}, []),
        ])
    )  # fmt: skip
    image = RNG.random((6, 5, 2))
    inside.build((None, 6, 5, 2))
    inside.layers[-1].bias.assign([40, 0, 0])  # probabilities of 1 and 0, whose derivatives vanish
    expected = visualization.saliency(inside, image, 1)
    assert expected.max() > 1e-2
    for model in (beside, activation, logits):
        model.build((None, 6, 5, 2))
        model.set_weights(inside.get_weights())
        np.testing.assert_allclose(visualization.saliency(model, image, 1), expected, rtol=1e-12)
        np.testing.assert_allclose(visualization.grad_cam(model, image), visualization.grad_cam(inside, image))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_layers_that_prepare_the_images(data_format):
    given = {"data_format": data_format}
    first = data_format == "channels_first"
    model = keras.Sequential([
        layers.Rescaling(1 / 127.5, -1), layers.Resizing(8, 8, **given), layers.RandomCrop(6, 6, **given),
        layers.RandomRotation(0.2, **given), layers.RandomBrightness(0.2, **given),
        layers.Normalization(axis=1 if first else -1, mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
        layers.Conv2D(4, 2, activation="tanh", name="conv", **given),
        layers.BatchNormalization(axis=1 if first else -1), layers.Flatten(**given), layers.Dropout(0.5),
        layers.Dense(3),
    ])  # fmt: skip
    shape = (3, 9, 7) if first else (9, 7, 3)
    model.build((None, *shape))
    image = RNG.integers(0, 256, shape).astype("uint8")
    # Predictions are rounded to nothing, as the type is float64; pixels of 0 to 255 take a wider step.
    steps = 1e-3 * np.eye(image.size).reshape(-1, *shape)
    high, low = (model.predict(image + sign * steps, verbose=0)[:, 1] for sign in (1, -1))
    expected = np.abs((high - low) / 2e-3).reshape(shape).max(axis=0 if first else -1)
    result = visualization.saliency(model, image, 1)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-9)
    assert result.any()
    assert visualization.grad_cam(model, image).shape == (5, 5)
    pytest.importorskip("matplotlib")
    left, right = visualization.plot_grad_cam(model, image).axes
    pixels = image.transpose(1, 2, 0) if first else image
    np.testing.assert_array_equal(left.get_images()[0].get_array(), pixels / 255)
    heat = visualization.grad_cam(model, image)
    np.testing.assert_allclose(right.get_images()[1].get_alpha(), 0.7 * heat / heat.max())
    maps = visualization.plot_feature_maps(model, image, "conv").axes[0].get_images()[0].get_array()
    prepared = image[None]
    for layer in model.layers[:7]:
        prepared = layer(prepared, training=False)
    np.testing.assert_allclose(maps, prepared[0, 0] if first else prepared[0, ..., 0])


def test_nothing_speaks_for_it():
    """A map of zeros is drawn, without a division by 0."""
    pytest.importorskip("matplotlib")
    model = keras.Sequential([conv("conv"), layers.Flatten(), layers.Dense(2, kernel_initializer="zeros")])
    model.build((None, 6, 5, 1))
    figure = visualization.plot_grad_cam(model, np.zeros((6, 5)))
    assert not figure.axes[1].get_images()[1].get_array().any()
    assert not visualization.plot_saliency(model, np.zeros((6, 5))).axes[1].get_images()[0].get_array().any()


def test_pyplot_is_left_alone():
    pytest.importorskip("matplotlib")
    code = """
import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import minikeras as keras
from minikeras import layers, visualization as v
before, own = dict(matplotlib.rcParams), plt.figure()
model = keras.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2, "softmax")])
flat = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
x, y = np.random.default_rng(0).random((3, 6, 6, 1)), [0, 1, 0]
figures = [
    v.plot_history({"loss": [2, 1]}), v.plot_predictions(model, x, y), v.plot_confusion_matrix(y, y),
    v.plot_filters(model.layers[0]), v.plot_feature_maps(model, x[0]), v.plot_grad_cam(model, x[0]),
    v.plot_saliency(model, x[0]), v.plot_decision_boundary(flat, x[:, 0, :2, 0], y),
]
assert {type(figure) for figure in figures} == {matplotlib.figure.Figure}
assert plt.get_fignums() == [own.number] and plt.gcf() is own and not own.axes
assert matplotlib.get_backend().lower() == "svg" and dict(matplotlib.rcParams) == before
"""
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr
