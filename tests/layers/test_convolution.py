"""Conv2D. The arithmetic itself is tested in tests/kernels/test_convolution.py."""

import numpy as np
import oracles
import pytest
from checks import assert_equal, check_layer, settings

from minikeras import activations, layers

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


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", sorted(activations._table))
def test_activation(name, data_format):
    """Sizes that are all equal leave no shape to tell the axes apart by."""
    for shape in ((4, 4, 4), (5, 6, 3)):
        check_layer(
            lambda: layers.Conv2D(4, 3, padding="same", activation=name, data_format=data_format),
            shape if data_format == "channels_last" else first(shape),
        )


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


def test_inputs_that_do_not_fit():
    layer = layers.Conv2D(4, 3, groups=2, name="conv")
    cases = ((2, 2, 5, 4), "empty output"), ((2, 5, 5, 3), "groups=2"), ((5, 5, 4), r"x\[\.\.\., None\]")
    for shape, message in cases:
        with pytest.raises(ValueError, match=message):
            layer(np.zeros(shape, "float32"))
    layer(np.zeros((1, 5, 5, 4), "float32"))
    with pytest.raises(ValueError, match="'conv'.*expects 4 channels.*Received 6"):
        layer(np.zeros((1, 5, 5, 6), "float32"))
