"""Looking into models: derivatives against differences, what is drawn, and that the model stays as it is."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization

FORMATS = ["channels_last", "channels_first"]


def make_model(data_format="channels_last", activation="softmax", channels=2):
    keras.utils.set_random_seed(4)
    axis = -1 if data_format == "channels_last" else 1
    with_format = {"data_format": data_format, "dtype": "float64"}
    model = keras.Sequential([
        layers.RandomFlip(**with_format),
        layers.Conv2D(4, 3, activation="tanh", name="first", **with_format),
        layers.BatchNormalization(axis=axis, dtype="float64"),
        layers.SpatialDropout2D(0.5, **with_format),
        layers.SpectralNormalization(layers.Conv2D(3, 2, name="inside", **with_format), dtype="float64"),
        layers.Conv2D(5, 2, activation="swish", activity_regularizer="l2", name="second", **with_format),
        layers.Flatten(dtype="float64"), layers.GaussianNoise(1.0, dtype="float64"),
        layers.Dense(3, activation=activation, dtype="float64", name="scores"),
    ])  # fmt: skip
    model.build((None, 8, 7, channels) if axis == -1 else (None, channels, 8, 7))
    generator = np.random.default_rng(2)
    for weight in model.layers[2].weights:
        weight.assign(generator.uniform(0.5, 1.5, weight.shape))
    image = generator.random(model.input_shape[1:])
    return model, image


def logits_model(model):
    """The same weights, without the last activation."""
    config = model.get_config()
    config["layers"][-1]["config"]["activation"] = "linear"
    other = keras.Sequential.from_config(config)
    other.set_weights(model.get_weights())
    return other


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("class_index", [0, 2])
def test_saliency_against_differences(data_format, class_index):
    model, image = make_model(data_format)
    score = logits_model(model)
    step, steps = 1e-5, np.eye(image.size).reshape(-1, *image.shape)
    high, low = (score.predict(image + sign * step * steps, verbose=0)[:, class_index] for sign in (1, -1))
    gradient = ((high - low) / (2 * step)).reshape(image.shape)
    expected = np.abs(gradient).max(axis=-1 if data_format == "channels_last" else 0)
    result = visualization.saliency(model, image, class_index)
    assert result.shape == (8, 7)
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(visualization.saliency(model, image[None], np.int64(class_index)), result)
    np.testing.assert_allclose(visualization.saliency(score, image, class_index), result)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("layer", "place"), [(None, 5), ("first", 1), (2, 2), (-4, 5)])
def test_grad_cam_against_a_direct_computation(data_format, layer, place):
    """The layers behind ``place`` as a function of their inputs, and its derivative by differences."""
    model, image = make_model(data_format)
    score = logits_model(model)
    hidden = image[None]
    for each in score.layers[: place + 1]:
        hidden = each(hidden, training=False)

    def rest(values):
        for each in score.layers[place + 1 :]:
            values = each(values, training=False)
        return values

    step, steps = 1e-5, np.eye(hidden.size).reshape(-1, *hidden.shape[1:])
    high, low = (rest(hidden + sign * step * steps) for sign in (1, -1))
    gradients = ((high - low) / (2 * step)).T.reshape(-1, *hidden.shape[1:])
    maps, results = hidden[0], []
    for index, gradient in enumerate(gradients):
        if data_format == "channels_first":
            gradient = gradient.transpose(1, 2, 0)
        expected = np.zeros(gradient.shape[:2])
        for k in range(gradient.shape[2]):
            expected += gradient[..., k].mean() * (maps[k] if data_format == "channels_first" else maps[..., k])
        expected = np.where(expected > 0, expected, 0)
        results.append(visualization.grad_cam(model, image, index, model.layers[layer] if layer == 2 else layer))
        np.testing.assert_allclose(results[-1], expected, rtol=1e-6, atol=1e-9)
    assert np.any(results)
    best = model.predict(image[None], verbose=0)[0].argmax()
    np.testing.assert_array_equal(visualization.grad_cam(model, image, layer=place), results[best])


def test_models_in_models_and_recurrent_layers():
    keras.utils.set_random_seed(3)
    inner = keras.Sequential([layers.Conv2D(3, 3, name="deep"), layers.ReLU()])
    model = keras.Sequential([inner, layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.build((None, 5, 5, 1))
    image = np.random.default_rng(0).random((5, 5))
    kernel, dense = inner.layers[0].kernel.value[:, :, 0], model.layers[-1].kernel.value[:, 0]
    assert visualization.grad_cam(model, image, 0, "deep").shape == (3, 3)
    hidden = inner(image[None, ..., None])
    gradient = dense.reshape(3, 3, 3) * (hidden[0] > 0)
    expected = np.zeros((5, 5))
    for row, column in np.ndindex(3, 3):
        expected[row : row + 3, column : column + 3] += kernel @ gradient[row, column]
    np.testing.assert_allclose(visualization.saliency(model, image), np.abs(expected), rtol=1e-4, atol=1e-6)
    rows = keras.Sequential([layers.LSTM(4, dropout=0.5, recurrent_dropout=0.5, dtype="float64"), layers.Dense(2)])
    rows.build((None, 5, 4))
    first = visualization.saliency(rows, image[:, :4], 1)
    step, steps = 1e-3, np.eye(20).reshape(-1, 5, 4)
    high, low = (rows.predict(image[:, :4] + sign * step * steps, verbose=0)[:, 1] for sign in (1, -1))
    np.testing.assert_allclose(first, np.abs((high - low) / (2 * step)).reshape(5, 4), rtol=1e-3, atol=1e-4)


def state_of(model):
    held = [layer for layer in model.stack.layers for layer in layer.all_layers()]
    grads = [weight._grads[0].copy() if 0 in weight._grads else None for weight in model.weights]
    flags = [(layer.trainable, layer.activity_regularizer, "call" in vars(layer)) for layer in held]
    return [weight.numpy() for weight in model.weights], grads, flags, [weight.grad_is_set for weight in model.weights]


@pytest.mark.parametrize("data_format", FORMATS)
def test_the_model_stays_as_it_is(data_format):
    pytest.importorskip("matplotlib")
    model, image = make_model(data_format)
    model.compile("sgd", "scce")
    model.train_on_batch(np.stack([image] * 3), np.array([0, 1, 2]))
    before, copied = state_of(model), image.copy()
    for function in (
        visualization.grad_cam, visualization.saliency, visualization.plot_grad_cam, visualization.plot_saliency,
        visualization.plot_feature_maps,
    ):  # fmt: skip
        function(model, image)
    visualization.plot_filters(model.get_layer("first"))
    for ours, theirs in zip(before[:2], state_of(model)[:2]):
        for one, other in zip(ours, theirs):
            np.testing.assert_array_equal(one, other)
    assert before[2:] == state_of(model)[2:]
    np.testing.assert_array_equal(image, copied)


def bad(model=None, **changes):
    return {"model": model or make_model()[0], "image": np.zeros((8, 7, 2)), **changes}


def flat_model():
    model = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    model.build((None, 8, 7, 2))
    return model


def built(*stack, shape=(None, 8, 7, 2)):
    model = keras.Sequential(list(stack))
    model.build(shape)
    return model


class Underived(keras.Layer):
    def call(self, inputs, training=False):
        return inputs * 2


@pytest.mark.parametrize(("arguments", "error", "message"), [
    (lambda: bad(image=np.zeros((7, 8, 2))), ValueError, r"expects inputs of shape \(None, 8, 7, 2\)"),
    (lambda: bad(image=np.zeros((2, 8, 7, 2))), ValueError, r"one image of shape \(8, 7, 2\). Received .*image\[0\]"),
    (lambda: bad(image=np.full((8, 7, 2), np.inf)), ValueError, "`image` must hold finite numbers"),
    (lambda: bad(class_index=3), ValueError, "less than 3, the model's number of classes. Received: 3"),
    (lambda: bad(class_index=-1), ValueError, "`class_index` .*Received: -1"),
    (lambda: bad(class_index=1.0), ValueError, "`class_index` .*Received: 1.0"),
    (lambda: bad(class_index=True), ValueError, "`class_index` .*Received: True"),
    (lambda: bad(layer="third"), ValueError, "Received: 'third'. Layers: .*first"),
    (lambda: bad(layer="scores"), ValueError, r"'scores', which puts out \(None, 3\)"),
    (lambda: bad(layer=20), ValueError, "`index` must be less"),
    (lambda: bad(layer=layers.Conv2D(1, 1)), ValueError, "`layer` must be a layer of model"),
    (lambda: bad(flat_model()), ValueError, "has no two-dimensional convolution. Name a `layer`"),
    (lambda: bad(built(layers.Conv2D(2, 1))), ValueError, r"puts out \(None, 8, 7, 2\), where a class has no score"),
    (lambda: bad(keras.Sequential([layers.Conv2D(2, 3)])), ValueError, "The model is not built"),
    (lambda: bad(built(layers.Conv2D(2, 1), Underived(), layers.Flatten())), NotImplementedError, "has no `backward"),
    (lambda: bad(built(layers.Dense(2), shape=(None, 4))), ValueError, r"takes no images.* but \(None, 4\)"),
    (lambda: bad("a model"), TypeError, "`model` must be a model"),
])  # fmt: skip
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        visualization.grad_cam(**arguments())


def test_saliency_needs_derivatives():
    model = built(layers.Embedding(4, 2), layers.Flatten(), layers.Dense(2), shape=(None, 3, 3))
    with pytest.raises(ValueError, match="takes integers, of which there are no derivatives"):
        visualization.saliency(model, np.zeros((3, 3), int))


# Pictures.


def heading(figure):
    return figure.texts[0].get_text()


def drawn(axes):
    return [np.array(image.get_array()) for image in axes.get_images()]


@pytest.mark.parametrize("data_format", FORMATS)
def test_plots_of_attribution(data_format, tmp_path):
    pytest.importorskip("matplotlib")
    model, image = make_model(data_format, channels=3)
    names = ["ant", "bee", "cow"]
    figure = visualization.plot_grad_cam(model, image, 1, "first", names, tmp_path / "a.png")
    left, right = figure.axes
    colours = image if data_format == "channels_last" else image.transpose(1, 2, 0)
    assert (left.get_title(), right.get_title()) == ("image", "Grad-CAM: bee\nfirst")
    np.testing.assert_array_equal(drawn(left)[0], colours)
    np.testing.assert_array_equal(drawn(right)[0], colours)
    np.testing.assert_array_equal(drawn(right)[1], visualization.grad_cam(model, image, 1, "first"))
    assert right.get_images()[1].get_extent() == [-0.5, 6.5, 7.5, -0.5]
    figure = visualization.plot_saliency(model, image, class_names=names)
    best = model.predict(image[None], verbose=0)[0].argmax()
    assert figure.axes[1].get_title() == f"saliency: {names[best]}"
    np.testing.assert_array_equal(drawn(figure.axes[1])[0], visualization.saliency(model, image, int(best)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    two_channels, image = make_model(data_format)  # no colours
    axis = -1 if data_format == "channels_last" else 0
    shown = drawn(visualization.plot_saliency(two_channels, image).axes[0])[0]
    np.testing.assert_allclose(shown, image.mean(axis=axis))


@pytest.mark.parametrize("data_format", FORMATS)
def test_feature_maps(data_format):
    pytest.importorskip("matplotlib")
    model, image = make_model(data_format)
    hidden = model.layers[1](image[None])[0]
    hidden = hidden if data_format == "channels_first" else hidden.transpose(2, 0, 1)
    figure = visualization.plot_feature_maps(model, image, max_maps=3, columns=2)
    assert heading(figure) == f"first: output {hidden.transpose(1, 2, 0).shape}, the first 3"
    tiles = [axes for axes in figure.axes if axes.get_images()]
    assert [axes.get_title() for axes in tiles] == ["0", "1", "2"]
    for axes, one in zip(tiles, hidden):
        np.testing.assert_allclose(drawn(axes)[0], one)
        assert axes.get_images()[0].get_clim() == (hidden[:3].min(), hidden[:3].max())
    assert len({round(axes.get_position().y0, 3) for axes in tiles}) == 2


def test_feature_maps_of_sequences_and_volumes():
    pytest.importorskip("matplotlib")
    generator = np.random.default_rng(0)
    sequences = built(layers.Conv1D(6, 3, data_format="channels_first", name="steps"), shape=(None, 1, 9))
    steps = generator.random(9)
    expected = sequences(steps[None, None])[0]
    figure = visualization.plot_feature_maps(sequences, steps, max_maps=4)
    assert heading(figure) == "steps: output (7, 6), the first 4"
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("step", "channel")
    np.testing.assert_allclose(drawn(figure.axes[0])[0], expected[:4])
    volumes = built(layers.Conv3D(2, 2, name="slices"), shape=(None, 19, 4, 5, 1))
    expected = volumes(volume := generator.random((1, 19, 4, 5, 1)))[0]
    figure = visualization.plot_feature_maps(volumes, volume[0, ..., 0])
    tiles = [axes for axes in figure.axes if axes.get_images()]
    assert len(tiles) == 2 * 16  # of 18 slices
    for (c, z), axes in zip(np.ndindex(2, 16), tiles, strict=True):
        np.testing.assert_allclose(drawn(axes)[0], expected[z, :, :, c])
    assert [axes.get_title() for axes in tiles[:3]] == ["slice 0", "1", "2"]
    assert [tiles[0].get_ylabel(), tiles[16].get_ylabel()] == ["channel 0", "1"]
    states = built(layers.LSTM(3, return_sequences=True), layers.GRU(2, name="last"), shape=(None, 4, 5))
    values = generator.random((4, 5))
    figure = visualization.plot_feature_maps(states, values, 0)
    np.testing.assert_allclose(drawn(figure.axes[0])[0], states.layers[0](values[None])[0].T, rtol=1e-6)
    with pytest.raises(ValueError, match=r"must put out \(batch, steps, channels\).*Received 'last'.*\(None, 2\)"):
        visualization.plot_feature_maps(states, values, "last")
    with pytest.raises(ValueError, match="has no convolution. Name a `layer`"):
        visualization.plot_feature_maps(states, values)
    with pytest.raises(ValueError, match=r"takes no images, sequences or volumes, but \(None, 4\)"):
        visualization.plot_feature_maps(built(layers.Dense(2), shape=(None, 4)), np.zeros(4))


def plotted(layer, shape, **options):
    """The figure of a layer's kernels, its axes with pictures, and the kernel."""
    layer.build((None, *shape))
    figure = visualization.plot_filters(layer, **options)
    return figure, [axes for axes in figure.axes if axes.get_images()], layer.weights[0].numpy()


def test_filters():
    pytest.importorskip("matplotlib")
    figure, axes, kernel = plotted(layers.Conv2D(5, (2, 3), name="conv"), (8, 8, 1), max_filters=4)
    assert heading(figure) == "conv: kernel (2, 3, 1, 5), the first 4"
    assert [each.get_title() for each in axes] == ["0", "1", "2", "3"]
    for i, each in enumerate(axes):
        np.testing.assert_array_equal(drawn(each)[0], kernel[:, :, 0, i])
        assert each.get_images()[0].get_interpolation() == "nearest"
        largest = np.abs(kernel[..., :4]).max()
        assert each.get_images()[0].get_clim() == (-largest, largest)
    figure, axes, kernel = plotted(layers.Conv2D(2, 3), (8, 8, 3))
    for i, each in enumerate(axes):
        np.testing.assert_allclose(drawn(each)[0], 0.5 + 0.5 * kernel[..., i] / np.abs(kernel).max(), rtol=1e-5)
    figure, axes, kernel = plotted(layers.Conv2D(2, 3), (8, 8, 4))
    for (i, c), each in zip(np.ndindex(2, 4), axes, strict=True):
        np.testing.assert_array_equal(drawn(each)[0], kernel[:, :, c, i])
    assert [axes[0].get_ylabel(), axes[4].get_ylabel()] == ["filter 0", "1"]
    assert [each.get_title() for each in axes[:4]] == ["channel 0", "1", "2", "3"]
    _, axes, kernel = plotted(layers.Conv2DTranspose(2, 3), (8, 8, 4))
    for (i, c), each in zip(np.ndindex(2, 4), axes, strict=True):
        np.testing.assert_array_equal(drawn(each)[0], kernel[:, :, i, c])
    _, axes, kernel = plotted(layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3))
    for (c, i), each in zip(np.ndindex(3, 2), axes, strict=True):
        np.testing.assert_array_equal(drawn(each)[0], kernel[:, :, c, i])
    _, axes, kernel = plotted(layers.Conv2D(1, 2, kernel_initializer="zeros"), (8, 8, 20))
    assert len(axes) == 16
    assert axes[0].get_images()[0].get_clim() == (-1, 1)


def test_filters_of_other_axes():
    pytest.importorskip("matplotlib")
    _, (axes,), kernel = plotted(layers.Conv1D(5, 3), (8, 1))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "filter")
    np.testing.assert_array_equal(drawn(axes)[0], kernel[:, 0].T)
    _, axes, kernel = plotted(layers.Conv1DTranspose(4, 3), (8, 20))
    assert len(axes) == 4
    for i, each in enumerate(axes):
        np.testing.assert_array_equal(drawn(each)[0], kernel[:, i, :16].T)
    _, (axes,), kernel = plotted(layers.DepthwiseConv1D(3, depth_multiplier=2), (8, 4))
    np.testing.assert_array_equal(drawn(axes)[0], kernel.reshape(3, 8).T)
    figure, axes, kernel = plotted(layers.Conv3D(2, (2, 3, 4), name="volume"), (8, 8, 8, 3))
    assert heading(figure) == "volume: kernel (2, 3, 4, 3, 2)\nchannel/slice"
    for (i, c, z), each in zip(np.ndindex(2, 3, 2), axes, strict=True):
        np.testing.assert_array_equal(drawn(each)[0], kernel[z, :, :, c, i])
    assert [each.get_title() for each in axes[:6]] == ["0/0", "0/1", "1/0", "1/1", "2/0", "2/1"]
    _, axes, kernel = plotted(layers.Conv3DTranspose(2, 2), (8, 8, 8, 3))
    for (i, c, z), each in zip(np.ndindex(2, 3, 2), axes, strict=True):
        np.testing.assert_array_equal(drawn(each)[0], kernel[z, :, :, i, c])
    _, (axes,), kernel = plotted(layers.Conv2D(5, 1), (8, 8, 3))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("filter", "channel")
    np.testing.assert_array_equal(drawn(axes)[0], kernel[0, 0])


def test_filters_of_separable_convolutions():
    pytest.importorskip("matplotlib")
    for layer, shape in ((layers.SeparableConv2D(5, 3, depth_multiplier=2), (8, 8, 3)),
                         (layers.SeparableConv1D(5, 3, depth_multiplier=2), (8, 3))):  # fmt: skip
        figure, axes, kernel = plotted(layer, shape, max_filters=4)
        kernel = kernel.reshape(*kernel.shape[: layer.rank], 6)[..., :4]
        if layer.rank == 2:
            assert len(axes) == 5
            for i, each in enumerate(axes[:4]):
                np.testing.assert_array_equal(drawn(each)[0], kernel[..., i])
        else:
            np.testing.assert_array_equal(drawn(axes[0])[0], kernel.T)
        matrix = layer.pointwise_kernel.numpy().reshape(6, 5)[:4, :4]
        np.testing.assert_array_equal(drawn(axes[-1])[0], matrix)
        assert (axes[-1].get_xlabel(), axes[-1].get_ylabel()) == ("filter", "depthwise kernel")
        assert axes[-1].get_images()[0].get_clim() == (-np.abs(matrix).max(), np.abs(matrix).max())
        assert [heading(part) for part in figure.subfigs] == [
            f"{layer.name}: depthwise_kernel {layer.depthwise_kernel.shape}, the first 4",
            f"pointwise_kernel {layer.pointwise_kernel.shape}",
        ]


def test_refused_filters():
    with pytest.raises(ValueError, match="is not built, so it has no kernels"):
        visualization.plot_filters(layers.Conv2D(2, 3))
    for layer in (layers.Dense(2), layers.LSTM(2), None):
        with pytest.raises(TypeError, match="`layer` must be a convolution, as .* have no windows. Received"):
            visualization.plot_filters(layer)
    with pytest.raises(ValueError, match="`max_filters` must be a positive integer"):
        visualization.plot_filters(layers.Conv2D(2, 3), max_filters=0)
