"""The family of convolutions. The arithmetic itself is tested in tests/kernels."""

import numpy as np
import oracles
import pytest
from checks import assert_equal, check_layer, settings

from minikeras import Sequential, activations, layers
from minikeras.kernels import convolution, depthwise

CONFIGURATIONS = {
    "3x3": ((5, 6, 2), {"filters": 4, "kernel_size": 3}),
    "3x3 same": ((5, 6, 2), {"filters": 4, "kernel_size": 3, "padding": "same"}),
    "5x5 same, one channel": ((8, 7, 1), {"filters": 6, "kernel_size": 5, "padding": "same"}),
    "5x5 one filter": ((7, 7, 3), {"filters": 1, "kernel_size": 5}),
    "2x2 same": ((5, 6, 2), {"filters": 3, "kernel_size": 2, "padding": "same"}),
    "4x4 same": ((5, 6, 2), {"filters": 3, "kernel_size": 4, "padding": "same"}),
    "3x2": ((5, 6, 2), {"filters": 3, "kernel_size": (3, 2)}),
    "1x4 same": ((3, 9, 2), {"filters": 3, "kernel_size": (1, 4), "padding": "same"}),
    "1x1": ((4, 5, 3), {"filters": 2, "kernel_size": 1}),
    "1x1 stride 2": ((4, 5, 3), {"filters": 2, "kernel_size": 1, "strides": 2}),
    "stride 2": ((6, 7, 2), {"filters": 3, "kernel_size": 3, "strides": 2}),
    "stride 2 same": ((6, 7, 2), {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}),
    "stride (1, 3)": ((4, 8, 2), {"filters": 3, "kernel_size": 2, "strides": (1, 3)}),
    "stride larger than kernel": ((7, 8, 2), {"filters": 3, "kernel_size": 2, "strides": 3, "padding": "same"}),
    "stride = kernel": ((6, 6, 2), {"filters": 3, "kernel_size": 3, "strides": 3}),
    "dilation": ((7, 8, 2), {"filters": 3, "kernel_size": 3, "dilation_rate": 2}),
    "dilation (1, 3) same": ((4, 8, 2), {"filters": 3, "kernel_size": 3, "dilation_rate": (1, 3), "padding": "same"}),
    "groups": ((5, 6, 4), {"filters": 6, "kernel_size": 3, "groups": 2}),
    "groups, stride 2": ((5, 6, 6), {"filters": 3, "kernel_size": 3, "groups": 3, "strides": 2}),
    "a group a channel": ((5, 5, 3), {"filters": 6, "kernel_size": 3, "groups": 3, "padding": "same"}),
    "as large as the image": ((4, 5, 2), {"filters": 3, "kernel_size": (4, 5)}),
    "larger than the image, same": ((3, 2, 2), {"filters": 3, "kernel_size": 5, "padding": "same"}),
    "one pixel": ((1, 1, 3), {"filters": 2, "kernel_size": 3, "padding": "same"}),
    "no bias": ((5, 5, 2), {"filters": 3, "kernel_size": 3, "use_bias": False}),
    "tanh": ((5, 5, 2), {"filters": 3, "kernel_size": 3, "activation": "tanh"}),
    "regularized": ((4, 4, 1), {"filters": 2, "kernel_size": 2, "kernel_regularizer": "l2", "bias_regularizer": "l1"}),
    "frozen": ((5, 5, 2), {"filters": 3, "kernel_size": 3, "trainable": False}),
    "square all along": ((4, 4, 4), {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "tanh"}),
}


STEPS, IMAGE, VOLUME = (7, 2), (4, 5, 3), (3, 4, 3, 2)
OTHERS = {
    "Conv1D": [
        (STEPS, {"filters": 3, "kernel_size": 3}),
        (STEPS, {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "silu"}),
        (STEPS, {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2, "groups": 2}),
        (STEPS, {"filters": 2, "kernel_size": 2, "padding": "causal", "strides": 3}),
        ((1, 3), {"filters": 2, "kernel_size": 5, "padding": "causal"}),
        ((1, 3), {"filters": 2, "kernel_size": 1, "use_bias": False}),
    ],
    "Conv3D": [
        (VOLUME, {"filters": 3, "kernel_size": 2}),
        (VOLUME, {"filters": 4, "kernel_size": (1, 3, 2), "strides": (2, 1, 3), "padding": "same", "groups": 2}),
        (VOLUME, {"filters": 2, "kernel_size": 2, "dilation_rate": (1, 2, 1), "activation": "tanh"}),
        ((1, 1, 1, 3), {"filters": 2, "kernel_size": 3, "padding": "same", "use_bias": False}),
    ],
    "Conv1DTranspose": [
        (STEPS, {"filters": 3, "kernel_size": 3}),
        (STEPS, {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "silu"}),
        (STEPS, {"filters": 3, "kernel_size": 2, "strides": 5, "output_padding": 4}),
        ((1, 3), {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "use_bias": False}),
        ((5, 1), {"filters": 12, "kernel_size": 3, "padding": "same", "output_padding": 0, "activation": "sigmoid"}),
    ],
    "Conv2DTranspose": [
        (IMAGE, {"filters": 2, "kernel_size": 3}),
        (IMAGE, {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"}),
        (IMAGE, {"filters": 2, "kernel_size": (2, 3), "strides": (3, 2), "output_padding": (2, 0)}),
        (IMAGE, {"filters": 1, "kernel_size": 2, "strides": 3, "padding": "same"}),
        (IMAGE, {"filters": 30, "kernel_size": 2, "dilation_rate": (2, 1), "padding": "same"}),
        ((1, 1, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}),
        ((4, 4, 4), {"filters": 4, "kernel_size": 1, "strides": 2, "use_bias": False, "trainable": False}),
    ],
    "Conv3DTranspose": [
        (VOLUME, {"filters": 3, "kernel_size": 2}),
        (VOLUME, {"filters": 2, "kernel_size": (1, 3, 2), "strides": (2, 1, 3), "padding": "same"}),
        ((1, 1, 1, 2), {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": (0, 1, 2)}),
    ],
    "DepthwiseConv1D": [
        (STEPS, {"kernel_size": 3}),
        (STEPS, {"kernel_size": 4, "strides": 2, "padding": "same", "depth_multiplier": 3, "activation": "silu"}),
        (STEPS, {"kernel_size": 3, "dilation_rate": 2, "strides": 3, "padding": "causal", "use_bias": False}),
        ((1, 3), {"kernel_size": 3, "padding": "causal"}),
    ],
    "DepthwiseConv2D": [
        (IMAGE, {"kernel_size": 3}),
        (IMAGE, {"kernel_size": (2, 3), "padding": "same", "depth_multiplier": 2, "activation": "tanh"}),
        (IMAGE, {"kernel_size": 2, "strides": 3, "padding": "same", "depth_multiplier": 2}),
        (IMAGE, {"kernel_size": 2, "strides": (1, 2), "dilation_rate": (2, 1), "use_bias": False}),
        ((1, 1, 3), {"kernel_size": 3, "padding": "same", "activation": "silu"}),
        (IMAGE, {"kernel_size": 1, "trainable": False, "depthwise_regularizer": "l2"}),
    ],
    "SeparableConv1D": [
        (STEPS, {"filters": 3, "kernel_size": 3}),
        (STEPS, {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same", "depth_multiplier": 3}),
        (STEPS, {"filters": 3, "kernel_size": 2, "dilation_rate": 3, "padding": "causal", "activation": "silu"}),
        ((1, 3), {"filters": 2, "kernel_size": 1, "use_bias": False}),
    ],
    "SeparableConv2D": [
        (IMAGE, {"filters": 4, "kernel_size": 3}),
        (IMAGE, {"filters": 2, "kernel_size": (2, 3), "padding": "same", "depth_multiplier": 2, "activation": "tanh"}),
        (IMAGE, {"filters": 1, "kernel_size": 2, "strides": 3, "padding": "same", "use_bias": False}),
        ((1, 1, 3), {"filters": 2, "kernel_size": 3, "padding": "same", "trainable": False}),
    ],
}
ROWS = [(name, shape, arguments) for name, rows in OTHERS.items() for shape, arguments in rows]
IDS = [f"{name}-{i}" for name, rows in OTHERS.items() for i in range(len(rows))]
SMALLEST = {name: {**({} if name.startswith("Depth") else {"filters": 4}), "kernel_size": 3} for name in OTHERS}
RANKS = {name: int(name[name.index("D") - 1]) if "Depth" not in name else int(name[-2]) for name in OTHERS}


def first(shape):
    """(height, width, channels) -> (channels, height, width)"""
    return (shape[-1], *shape[:-1])


@pytest.mark.parametrize("input_shape, arguments", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_configuration(input_shape, arguments):
    layer = check_layer(lambda: layers.Conv2D(**arguments), input_shape)
    check_layer(lambda: layers.Conv2D(**arguments, data_format="channels_first"), first(input_shape))
    check_layer(lambda: layers.Conv2D(**arguments), input_shape, batch=1, config_round_trip=False)
    x = np.random.default_rng(0).standard_normal((2, *input_shape))
    y, _, _ = oracles.convolution(
        x, layer.kernel.value, np.zeros, layer.strides, layer.padding, layer.dilation_rate, layer.groups
    )
    assert_equal(layer(x), layer.activation(y if layer.bias is None else y + layer.bias.value))


@pytest.mark.parametrize("name, input_shape, arguments", ROWS, ids=IDS)
def test_others(name, input_shape, arguments):
    make = getattr(layers, name)
    layer = check_layer(lambda: make(**arguments), input_shape)
    check_layer(lambda: make(**arguments, data_format="channels_first"), first(input_shape))
    check_layer(lambda: make(**arguments), input_shape, batch=1, config_round_trip=False)
    x = np.random.default_rng(0).standard_normal((2, *input_shape))
    assert_equal(layer(x), layer.activation(expected_outputs(layer, x)))


def expected_outputs(layer, x):
    """Logits by definition."""
    window = layer.strides, layer.padding, layer.dilation_rate
    if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
        y, _, _ = oracles.depthwise(x, layer.depthwise_kernel.value, np.zeros, *window)
        y = y @ layer.pointwise_kernel.value.reshape(-1, layer.filters)
    elif isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
        y, _, _ = oracles.depthwise(x, layer.kernel.value, np.zeros, *window)
    elif hasattr(layer, "output_padding"):
        y, _, _ = oracles.transposed_convolution(x, layer.kernel.value, np.zeros, *window, layer.output_padding)
    else:
        y, _, _ = oracles.convolution(x, layer.kernel.value, np.zeros, *window, layer.groups)
    return y if layer.bias is None else y + layer.bias.value


ACTIVATIONS = sorted(set(activations._table) - {"glu"})  # which halves an axis


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name, data_format):
    """Sizes that are all equal leave no shape to tell the axes apart by."""
    for shape in ((4, 4, 4), (5, 6, 3)):
        check_layer(
            lambda: layers.Conv2D(4, 3, padding="same", activation=name, data_format=data_format),
            shape if data_format == "channels_last" else first(shape),
            seed=1,  # away from the kinks of sparsemax
        )


@pytest.mark.parametrize("activation", ["softmax", "silu"])
@pytest.mark.parametrize("name", OTHERS)
def test_activation_of_others(name, activation):
    """Along the outputs' last axis, and with the logits kept, in both data formats."""
    shape = (4,) * (RANKS[name] + 1)
    for data_format in ("channels_last", "channels_first"):
        arguments = {**SMALLEST[name], "padding": "same", "activation": activation, "data_format": data_format}
        layer = check_layer(lambda arguments=arguments: getattr(layers, name)(**arguments), shape)
        if activation == "softmax":
            np.testing.assert_allclose(layer(np.ones((2, *shape))).sum(axis=-1), 1)


def test_both_data_formats_are_the_same_convolution():
    with settings():
        last = layers.Conv2D(4, 3, strides=(1, 2), activation="silu")
        x = np.random.default_rng(0).standard_normal((2, 6, 7, 3))
        y = last(x)
        first_layer = layers.Conv2D(4, 3, strides=(1, 2), activation="silu", data_format="channels_first")
        first_layer.build_once((None, 3, 6, 7))
        first_layer.set_weights(last.get_weights())
        assert_equal(first_layer(x.transpose(0, 3, 1, 2)), y.transpose(0, 3, 1, 2))


def test_softmax_runs_along_the_last_axis_of_the_outputs():
    """As in Keras, also with channels first."""
    for data_format in ("channels_last", "channels_first"):
        y = layers.Conv2D(4, 2, activation="softmax", data_format=data_format)(np.ones((2, 5, 5, 5), "float32"))
        np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-6)


def test_unknown_image_size():
    layer = layers.Conv2D(4, 3, strides=2)
    assert layer.compute_output_shape((None, None, 7, 3)) == (None, None, 3, 4)
    layer.build_once((None, None, None, 3))
    for size in (7, 9, 5):
        assert layer(np.ones((2, size, size, 3), "float32")).shape == (2, (size - 1) // 2, (size - 1) // 2, 4)


@pytest.mark.parametrize("name", OTHERS)
def test_unknown_sizes(name):
    make, rank = getattr(layers, name), RANKS[name]
    for arguments in ({}, {"strides": 2, "padding": "same"}):
        layer = make(**SMALLEST[name], **arguments)
        partly = layer.compute_output_shape((None, *(None,) * (rank - 1), 5, 4))
        known = layer.compute_output_shape((None, *(5,) * rank, 4))
        assert partly == (None, *(None,) * (rank - 1), *known[-2:])
        layer.build_once((None, *(None,) * rank, 4))
        for size in (5, 4, 7):
            x = np.ones((2, *(size,) * rank, 4), "float32")
            assert layer(x).shape == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize("name", OTHERS)
def test_several_tiles(name, monkeypatch):
    """A batch that is computed a few images at a time, in float32 as it is in use."""
    arguments = {**SMALLEST[name], "padding": "same", "activation": "silu"}
    results = []
    x = np.random.default_rng(0).standard_normal((7, *(5,) * RANKS[name], 4)).astype("float32")
    layer = getattr(layers, name)(**arguments)
    for size in (1, 1 << 20):
        monkeypatch.setattr(convolution, "TILE_BYTES", size)
        monkeypatch.setattr(depthwise, "TILE_BYTES", size)
        y = layer(x, training=True)
        dx = layer.backward(x[..., :1] * y).copy()
        results.append([y, dx, *(w.grad.copy() for w in layer.weights)])
    for one, other in zip(*results):
        assert_equal(one, other, 1e-5)


@pytest.mark.parametrize("name", OTHERS)
def test_each_weight_has_its_own_arguments(name):
    kinds = {"initializer": ["ones", "zeros", "he_normal"], "regularizer": ["l1", "l2", "l1_l2"],
             "constraint": ["non_neg", "unit_norm", "max_norm"]}  # fmt: skip
    weights = [argument[: -len("_initializer")] for argument in getattr(layers, name).argument_names()
               if argument.endswith("_initializer")]  # fmt: skip
    arguments = {f"{weight}_{kind}": values[i] for kind, values in kinds.items() for i, weight in enumerate(weights)}
    layer = getattr(layers, name)(**SMALLEST[name], **arguments)
    layer.build_once((None, *(5,) * RANKS[name], 4))
    assert len(layer.weights) == len(weights)
    for weight, described in zip(layer.weights, weights):
        assert weight.regularizer is getattr(layer, f"{described}_regularizer")
        assert weight.constraint is getattr(layer, f"{described}_constraint")
        if arguments[f"{described}_initializer"] != "he_normal":
            assert np.all(weight.value == (arguments[f"{described}_initializer"] == "ones"))


def test_separable_is_depthwise_then_pointwise():
    with settings():
        x = np.random.default_rng(0).standard_normal((2, 6, 7, 3))
        layer = layers.SeparableConv2D(5, 3, strides=2, depth_multiplier=2, bias_initializer="ones")
        y = layer(x)
        between = layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2, use_bias=False)
        between.build_once((None, 6, 7, 3))
        between.set_weights([layer.depthwise_kernel.value])
        after = layers.Conv2D(5, 1)
        after.build_once((None, 2, 3, 6))
        after.set_weights([layer.pointwise_kernel.value, layer.bias.value])
        assert_equal(y, after(between(x)))


def test_depthwise_is_a_convolution_in_groups():
    with settings():
        x = np.random.default_rng(0).standard_normal((2, 6, 7, 3))
        layer = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)
        y = layer(x)
        grouped = layers.Conv2D(6, 3, padding="same", groups=3)
        grouped.build_once((None, 6, 7, 3))
        grouped.set_weights([layer.kernel.value.reshape(3, 3, 1, 6), layer.bias.value])
        assert_equal(y, grouped(x))


@pytest.mark.parametrize("strides, padding, extra", [(1, "same", None), (2, "valid", 1), (3, "same", None)])
def test_transposed_convolution_is_the_transpose(strides, padding, extra):
    """<conv(x), y> = <x, transpose(y)>"""
    with settings():
        rng = np.random.default_rng(0)
        transpose = layers.Conv2DTranspose(2, 4, strides, padding, extra, use_bias=False)
        y = rng.standard_normal((3, 4, 5, 3))
        up = transpose(y)
        x = rng.standard_normal(up.shape)
        down = layers.Conv2D(3, 4, strides, padding, use_bias=False)
        down.build_once((None, *x.shape[1:]))
        down.set_weights(transpose.get_weights())
        np.testing.assert_allclose(np.sum(down(x) * y), np.sum(x * up), rtol=1e-12)


@pytest.mark.parametrize("channels, activation", [(1, "tanh"), (1, "silu"), (4, "silu")])
def test_many_images(channels, activation):
    """A batch of several tiles, in float32 as it is in use."""
    layer = layers.Conv2D(6, 5, padding="same", activation=activation)
    x = np.random.default_rng(0).standard_normal((80, 28, 28, channels)).astype("float32")
    y = layer(x, training=True)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dx, dkernel = layer.backward(dy.copy()).copy(), layer.kernel.grad.copy()
    parts = []
    for i in range(0, 80, 5):
        assert_equal(layer(x[i : i + 5], training=True), y[i : i + 5], 1e-5)
        assert_equal(layer.backward(dy[i : i + 5].copy()), dx[i : i + 5], 1e-5)
        parts.append(layer.kernel.grad.copy())
    assert_equal(sum(parts), dkernel, 1e-4)


@pytest.mark.parametrize("arguments, name", [
    ({"filters": 0}, "filters"), ({"filters": 2.0}, "filters"), ({"filters": True}, "filters"),
    ({"kernel_size": 0}, "kernel_size"), ({"kernel_size": (1, 2, 3)}, "kernel_size"), ({"strides": 0}, "strides"),
    ({"padding": "full"}, "padding"), ({"data_format": "first"}, "data_format"), ({"groups": 3}, "groups"),
    ({"dilation_rate": 0}, "dilation_rate"), ({"strides": 2, "dilation_rate": 2}, "strides"),
    ({"activation": "rellu"}, "relu"),
    ({"kernel_initializer": "glorot"}, "glorot"),
])  # fmt: skip
def test_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=name):
        layers.Conv2D(**{"filters": 4, "kernel_size": 3, **arguments})


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("arguments, words", [
    ({"filters": 0}, "`filters`.*0"), ({"filters": 2.0}, "`filters`.*2.0"), ({"filters": True}, "`filters`.*True"),
    ({"filters": None}, "`filters`.*None"), ({"kernel_size": 0}, "`kernel_size`.*0"),
    ({"kernel_size": (2, 2, 2, 2)}, r"`kernel_size`.*\(2, 2, 2, 2\)"), ({"strides": -1}, "`strides`.*-1"),
    ({"padding": "full"}, "`padding`.*'valid', 'same'.*'full'"), ({"data_format": "channel_last"}, "`data_format`"),
    ({"dilation_rate": 0}, "`dilation_rate`.*0"), ({"depth_multiplier": 0}, "`depth_multiplier`.*0"),
    ({"depth_multiplier": 1.5}, "`depth_multiplier`.*1.5"), ({"output_padding": -1}, "`output_padding`.*-1"),
    ({"output_padding": 2, "strides": 2}, "`output_padding`.*less than `strides`.*2"),
    ({"output_padding": 0.5}, "`output_padding`"), ({"groups": 3}, "`groups`"), ({"activation": "rellu"}, "relu"),
    ({"bias_initializer": "glorot"}, "glorot_uniform"), ({"padding": "causal"}, "causal"),
])  # fmt: skip
def test_bad_arguments_of_others(name, arguments, words):
    make = getattr(layers, name)
    if not set(arguments) <= set(make.argument_names()):
        return
    if arguments == {"padding": "causal"} and RANKS[name] == 1 and "Transpose" not in name:
        assert make(**{**SMALLEST[name], **arguments}).padding == "causal"
        return
    with pytest.raises(ValueError, match=words):
        make(**{**SMALLEST[name], **arguments})


@pytest.mark.parametrize("name", OTHERS)
def test_strides_and_dilation(name):
    """Both at once are possible where channels stay apart, as in Keras."""
    arguments = {**SMALLEST[name], "strides": 2, "dilation_rate": 2}
    if name.startswith("Conv"):
        with pytest.raises(ValueError, match="`strides` and `dilation_rate`"):
            getattr(layers, name)(**arguments)
    else:
        assert getattr(layers, name)(**arguments).dilation_rate == (2,) * RANKS[name]


@pytest.mark.parametrize("name", OTHERS)
def test_inputs_that_do_not_fit_others(name):
    rank, make = RANKS[name], getattr(layers, name)
    axes = {1: "length", 2: "height, width", 3: "depth, height, width"}[rank]
    layer = make(**SMALLEST[name], name="conv")
    with pytest.raises(ValueError, match=rf"'conv'.*\(batch, {axes}, channels\).*\(None, .*x\[\.\.\., None\]"):
        layer(np.zeros((2, *(5,) * rank), "float32"))
    with pytest.raises(ValueError, match="number of channels"):
        layer.compute_output_shape((None, *(5,) * rank, None))
    if "Transpose" not in name:
        with pytest.raises(ValueError, match=r"'conv'.*empty output.*input \(2,.*kernel_size \(3,.*'valid'.*\(0,"):
            layer(np.zeros((2, *(2,) * rank, 4), "float32"))
        with pytest.raises(ValueError, match=r"looks like channels_first.*transpose\(0, 2,.*data_format"):
            layer(np.zeros((2, 1, *(8,) * rank), "float32"))
    else:
        with pytest.raises(ValueError, match=r"'empty'.*empty output.*input \(1,.*kernel_size \(2,.*size \(0,"):
            make(2, 2, padding="same", output_padding=0, name="empty")(np.zeros((2, *(1,) * rank, 4), "float32"))
    layer(np.zeros((1, *(5,) * rank, 4), "float32"))
    with pytest.raises(ValueError, match="'conv'.*expects 4 channels.*Received 6"):
        layer(np.zeros((1, *(5,) * rank, 6), "float32"))
    with pytest.raises(ValueError, match="'conv'.*expects 4 channels.*Received 7.*looks like channels_first"):
        layer(np.zeros((1, 4, *(7,) * rank), "float32"))


@pytest.mark.parametrize("name", ["Conv3D", "Conv3DTranspose"])
def test_volumes_with_channels_first(name):
    x = np.zeros((2, 3, 8, 8, 8), "float32")
    model = Sequential([getattr(layers, name)(**SMALLEST[name], name="conv")])
    with pytest.raises(ValueError, match=r"'conv'.*looks like channels_first.*transpose\(0, 2, 3, 4, 1\)"):
        model.build(x.shape)


def test_inputs_that_do_not_fit():
    layer = layers.Conv2D(4, 3, groups=2, name="conv")
    cases = ((2, 2, 5, 4), "empty output"), ((2, 5, 5, 3), "groups=2"), ((5, 5, 4), r"x\[\.\.\., None\]")
    for shape, message in cases:
        with pytest.raises(ValueError, match=message):
            layer(np.zeros(shape, "float32"))
    layer(np.zeros((1, 5, 5, 4), "float32"))
    with pytest.raises(ValueError, match="'conv'.*expects 4 channels.*Received 6"):
        layer(np.zeros((1, 5, 5, 6), "float32"))
