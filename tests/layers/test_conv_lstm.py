"""Convolutional LSTMs."""

import numpy as np
import pytest
from checks import check_layer, fixed, settings

from minikeras import Sequential, layers

OPTIONS = [
    {}, {"return_sequences": True}, {"padding": "same", "return_sequences": True}, {"strides": 2, "use_bias": False},
    {"dilation_rate": 2}, {"go_backwards": True, "return_sequences": True}, {"data_format": "channels_first"},
    {"data_format": "channels_first", "return_sequences": True}, {"activation": "silu", "padding": "same"},
    {"recurrent_activation": "hard_sigmoid"}, {"activation": "softmax"}, {"recurrent_activation": "softmax"},
]  # fmt: skip
SHAPES = {1: (3, 5, 2), 2: (3, 5, 4, 2), 3: (2, 4, 3, 4, 2)}


@pytest.mark.parametrize("arguments", OPTIONS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_derivatives(rank, arguments):
    shape = SHAPES[rank]
    if "data_format" in arguments:
        shape = (shape[0], shape[-1], *shape[1:-1])
    check_layer(lambda: getattr(layers, f"ConvLSTM{rank}D")(2, 2, **arguments), shape)


@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "padding": "same"}])
def test_twenty_steps(options):
    check_layer(lambda: layers.ConvLSTM2D(2, 2, return_sequences=True, **options), (20, 3, 3, 1), tolerance=1e-6)


@pytest.mark.parametrize("arguments", [
    {"dropout": 0.3, "seed": 1}, {"recurrent_dropout": 0.4, "seed": 2, "return_sequences": True},
    {"dropout": 0.2, "recurrent_dropout": 0.3, "seed": 3, "padding": "same", "data_format": "channels_first"},
])  # fmt: skip
def test_dropout(arguments):
    check_layer(lambda: fixed(layers.ConvLSTM2D(2, 2, **arguments)), (3, 3, 4, 3), mixes_rows=True)


def test_dropout_statistics():
    """Each gate has a mask of its own, over pixels and channels, and the same at all steps."""
    layer = layers.ConvLSTM1D(2, 2, dropout=0.25, recurrent_dropout=0.5, seed=0)
    x = np.ones((50, 6, 9, 3), "float32")
    layer(x, training=True)
    masks, recurrent = layer.cell.input_masks, layer.cell.recurrent_masks
    assert masks.shape == (4, 50, 9, 3)
    assert recurrent.shape == (4, 50, 8, 2)
    np.testing.assert_allclose(np.unique(masks), [0, 1 / 0.75], rtol=1e-6)
    assert (masks == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert (recurrent == 0).mean() == pytest.approx(0.5, abs=0.03)
    assert len({gate.tobytes() for gate in masks}) == 4
    other = layers.ConvLSTM1D(2, 2, dropout=0.25)
    other(x, training=True)
    assert len(other.cell.input_masks) == 4
    assert other.cell.recurrent_masks is None
    layer(x, training=False)
    assert layer.cell.input_masks is None
    before = masks.copy()
    layer(x, training=True)
    assert (layer.cell.input_masks != before).any()


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 2, 1), (4, 1, 1, 2)])
def test_short_and_narrow(shape):
    check_layer(lambda: layers.ConvLSTM2D(1, 1), shape, batch=1)
    check_layer(lambda: layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True), shape, batch=2)


MASKS = [
    [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], [[0, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1]],
]  # fmt: skip


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"return_sequences": True, "zero_output_for_mask": True},
    {"go_backwards": True, "data_format": "channels_first"},
])  # fmt: skip
def test_derivatives_with_a_mask(mask, options):
    with settings():
        rng = np.random.default_rng(0)
        layer = layers.ConvLSTM1D(2, 2, padding="same", **options)
        x, mask = rng.standard_normal((3, 4, 5, 3)), np.array(mask, bool)
        y = layer(x, training=True, mask=mask)
        dy = rng.standard_normal(y.shape)
        dx = layer.backward(dy.copy())
        gradients = [weight.grad.copy() for weight in layer.trainable_weights]
        for point, gradient in [(x, dx), *zip((w.value for w in layer.trainable_weights), gradients)]:
            direction, sums = rng.standard_normal(point.shape), []
            for step in (1e-5, -1e-5):
                point += step * direction
                sums.append(np.sum(layer(x, training=True, mask=mask) * dy))
                point -= step * direction
            numeric = (sums[0] - sums[1]) / 2e-5
            assert np.sum(gradient * direction) == pytest.approx(numeric, rel=1e-6, abs=1e-8)
        assert (dx[~mask] == 0).all()
        assert (layer(x, mask=np.zeros((3, 4), bool)) == 0).all()


def test_one_step_of_the_cell():
    """What the layer puts out is what its cell does step by step."""
    for data_format, shape in (("channels_last", (2, 3, 5, 4, 1)), ("channels_first", (2, 3, 1, 5, 4))):
        layer = layers.ConvLSTM2D(2, 3, return_sequences=True, data_format=data_format)
        x = np.random.default_rng(0).standard_normal(shape).astype("float32")
        y = layer(x)
        states = [np.zeros_like(y[:, 0])] * 2
        for t in range(3):
            outputs, states = layer.cell(x[:, t], states)
            np.testing.assert_allclose(outputs, y[:, t], rtol=1e-6)
    assert [w.path.split("/")[-1] for w in layer.cell.weights] == ["kernel", "recurrent_kernel", "bias"]
    assert layer.cell.name == "conv_lstm_cell"


def test_extreme_inputs():
    layer = layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True)
    for scale in (1e6, 1e-30, 0):
        x = np.random.default_rng(0).standard_normal((2, 20, 4, 4, 1)).astype("float32") * np.float32(scale)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            y = layer(x, training=True)
            dx = layer.backward(np.ones_like(y))
        assert np.isfinite(y).all()
        assert np.isfinite(dx).all()
        assert all(np.isfinite(w.grad).all() for w in layer.weights)


def test_learns_where_a_point_moves():
    """Whether a point goes left or right cannot be seen in one image."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 128)
    x = np.zeros((128, 3, 7, 1), "float32")
    start = rng.integers(2, 5, 128)
    for t in range(3):
        x[np.arange(128), t, start + t * (2 * y - 1)] = 1
    recurrent = layers.ConvLSTM1D(4, 3, padding="same")
    model = Sequential([recurrent, layers.GlobalMaxPooling1D(), layers.Dense(2, "softmax")])
    model.compile("adam", "scce", metrics=["accuracy"], learning_rate=0.03)
    model.fit(x, y, epochs=25, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] >= 0.98


@pytest.mark.parametrize("arguments, message", [
    ({"filters": 0}, "`filters`"), ({"filters": 2.0}, "`filters`"), ({"kernel_size": (2, 2, 2)}, "`kernel_size`"),
    ({"strides": 0}, "`strides`"), ({"padding": "causal"}, "`padding`"), ({"data_format": "last"}, "data_format"),
    ({"strides": 2, "dilation_rate": 2}, "`strides` and `dilation_rate`"), ({"return_state": True}, "`return_state`"),
    ({"dropout": 1.0}, "`dropout`"),
    ({"activation": "softmax", "data_format": "channels_first"}, "softmax.*channels_last"),
])  # fmt: skip
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.ConvLSTM2D(**{"filters": 2, "kernel_size": 3, **arguments})


def test_wrong_inputs():
    layer = layers.ConvLSTM2D(2, 3, name="film")
    with pytest.raises(ValueError, match=r"'film'.*\(batch, steps, height, width, channels\).*\(None, 5, 5, 1\)"):
        layer.build_once((None, 5, 5, 1))
    with pytest.raises(ValueError, match=r"'film'.*sizes of all axes but batch and steps"):
        layer.build_once((None, 3, None, 5, 1))
    with pytest.raises(ValueError, match=r"'film'.*empty output.*kernel_size \(3, 3\)"):
        layer.build_once((None, 3, 2, 5, 1))
    layer.build_once((None, 3, 5, 5, 1))
    for shape in ((2, 3, 5, 6, 1), (2, 3, 5, 5, 2)):
        with pytest.raises(ValueError, match=r"built for steps of shape \(5, 5, 1\)"):
            layer(np.ones(shape))
    layer(np.ones((2, 7, 5, 5, 1)))  # another number of steps
    with pytest.raises(ValueError, match="stateful"):
        layers.ConvLSTM1D(2, 3, stateful=True).build_once((None, 3, 5, 1))
