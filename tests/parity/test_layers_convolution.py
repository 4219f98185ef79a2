"""Convolutions beside Keras'."""

import inspect

import numpy as np
import pytest
from checks import settings
from parity_layers import check_parity

from minikeras import layers

RELU_SLOPE = {"activation": "leaky_relu", "kernel_initializer": "he_normal"}
PENALTIES = {"kernel_regularizer": "l2", "bias_regularizer": "l2", "kernel_constraint": "non_neg"}
DEPTHWISE = {"depthwise_initializer": "he_uniform", "depthwise_regularizer": "l2", "depthwise_constraint": "unit_norm"}
POINTWISE = {"pointwise_initializer": "ones", "pointwise_regularizer": "l2", "pointwise_constraint": "non_neg"}

CASES = {
    "Conv1D": [
        ((9, 3), {"filters": 4, "kernel_size": 3}),
        ((9, 2), {"filters": 4, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "relu"}),
        ((9, 4), {"filters": 6, "kernel_size": 2, "dilation_rate": 3, "padding": "causal", "groups": 2}),
        ((8, 2), {"filters": 3, "kernel_size": 3, "strides": 3, "padding": "causal", "use_bias": False}),
        ((1, 3), {"filters": 2, "kernel_size": 5, "padding": "same", "activation": "tanh", **PENALTIES}),
        ((6, 3), {"filters": 4, "kernel_size": 3, "activation": "softmax"}),
    ],
    "Conv2D": [
        ((6, 7, 3), {"filters": 4, "kernel_size": 3}),
        ((6, 7, 2), {"filters": 4, "kernel_size": (2, 4), "padding": "same", "activation": "tanh"}),
        ((7, 8, 2), {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False}),
        ((8, 7, 2), {"filters": 3, "kernel_size": 5, "strides": (1, 2), "padding": "same"}),
        ((9, 8, 2), {"filters": 3, "kernel_size": 3, "dilation_rate": 2}),
        ((6, 6, 4), {"filters": 6, "kernel_size": 3, "dilation_rate": (2, 1), "padding": "same", "groups": 2}),
        ((5, 5, 4), {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "softmax"}),
        ((4, 4, 4), {"filters": 4, "kernel_size": 1, "strides": 2, **RELU_SLOPE}),
        ((12, 12, 1), {"filters": 6, "kernel_size": 5, "padding": "same", "activation": "relu"}),
    ],
    "Conv3D": [
        ((4, 5, 6, 2), {"filters": 3, "kernel_size": 3}),
        ((4, 5, 6, 2), {"filters": 3, "kernel_size": (1, 2, 3), "strides": (2, 1, 3), "padding": "same"}),
        ((5, 6, 5, 4), {"filters": 4, "kernel_size": 2, "dilation_rate": (2, 3, 1), "groups": 2, "activation": "selu"}),
        ((3, 3, 3, 1), {"filters": 2, "kernel_size": 4, "padding": "same", "use_bias": False, **PENALTIES}),
    ],
    "Conv1DTranspose": [
        ((5, 3), {"filters": 4, "kernel_size": 3}),
        ((5, 3), {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"}),
        ((5, 3), {"filters": 2, "kernel_size": 4, "strides": 3, "output_padding": 2}),
        ((6, 2), {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "same", "use_bias": False}),
        ((1, 2), {"filters": 3, "kernel_size": 2, "strides": 5, "activation": "softmax", **PENALTIES}),
    ],
    "Conv2DTranspose": [
        ((4, 5, 3), {"filters": 4, "kernel_size": 3}),
        ((4, 5, 3), {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"}),
        ((4, 5, 2), {"filters": 3, "kernel_size": (2, 5), "strides": (3, 2), "output_padding": (1, 0)}),
        ((4, 5, 2), {"filters": 3, "kernel_size": (4, 3), "strides": 2, "padding": "same", "output_padding": 1}),
        ((4, 5, 2), {"filters": 3, "kernel_size": (4, 3), "strides": 2, "padding": "same", "output_padding": 0}),
        ((4, 5, 2), {"filters": 3, "kernel_size": 2, "strides": (3, 5), "padding": "same"}),
        ((4, 5, 2), {"filters": 3, "kernel_size": 3, "dilation_rate": (2, 3), "use_bias": False}),
        ((4, 4, 2), {"filters": 4, "kernel_size": 1, "strides": 2, "padding": "same", **RELU_SLOPE}),
        ((3, 3, 3), {"filters": 3, "kernel_size": 2, "padding": "same", "output_padding": 0, "activation": "softmax"}),
    ],
    "Conv3DTranspose": [
        ((2, 3, 4, 2), {"filters": 3, "kernel_size": 3}),
        ((2, 3, 4, 2), {"filters": 3, "kernel_size": (3, 2, 1), "strides": (2, 3, 2), "padding": "same"}),
        ((2, 3, 2, 2), {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": (0, 2, 1), **PENALTIES}),
        ((2, 3, 2, 2), {"filters": 2, "kernel_size": 2, "dilation_rate": (1, 2, 1), "use_bias": False}),
    ],
    "DepthwiseConv1D": [
        ((9, 3), {"kernel_size": 3}),
        ((9, 3), {"kernel_size": 4, "strides": 2, "padding": "same", "depth_multiplier": 2, "activation": "relu"}),
        ((9, 3), {"kernel_size": 2, "dilation_rate": 3, "use_bias": False}),
        ((9, 3), {"kernel_size": 3, "dilation_rate": 2, "strides": 3, "depth_multiplier": 3, **DEPTHWISE}),
        ((1, 3), {"kernel_size": 3, "padding": "same", "activation": "tanh"}),
        ((5, 3), {"kernel_size": 2, "padding": "same", "activation": "softmax"}),
    ],
    "DepthwiseConv2D": [
        ((6, 7, 3), {"kernel_size": 3}),
        ((6, 7, 3), {"kernel_size": (2, 3), "padding": "same", "depth_multiplier": 2, "activation": "tanh"}),
        ((7, 8, 2), {"kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False}),
        ((7, 8, 2), {"kernel_size": 2, "strides": (1, 3), "depth_multiplier": 3, "bias_regularizer": "l2"}),
        ((8, 9, 2), {"kernel_size": 3, "strides": 2, "dilation_rate": (3, 2), "padding": "same", **DEPTHWISE}),
        ((5, 5, 5), {"kernel_size": 1, "activation": "softmax"}),
    ],
    "SeparableConv1D": [
        ((9, 3), {"filters": 4, "kernel_size": 3}),
        ((9, 3), {"filters": 5, "kernel_size": 4, "strides": 2, "padding": "same", "depth_multiplier": 2}),
        ((9, 3), {"filters": 2, "kernel_size": 2, "dilation_rate": 3, "use_bias": False, "activation": "relu"}),
        ((1, 2), {"filters": 3, "kernel_size": 3, "padding": "same", **DEPTHWISE, **POINTWISE}),
    ],
    "SeparableConv2D": [
        ((6, 7, 3), {"filters": 4, "kernel_size": 3}),
        ((6, 7, 3), {"filters": 4, "kernel_size": (2, 3), "strides": (2, 1), "padding": "same", "depth_multiplier": 2}),
        ((8, 7, 2), {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "use_bias": False, "activation": "silu"}),
        ((5, 5, 5), {"filters": 5, "kernel_size": 1, "activation": "softmax", **DEPTHWISE, **POINTWISE}),
    ],
}


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_sizes_of_transposed_convolutions(keras, padding, size):
    """Every output_padding, which decides how the padding is split between both sides."""
    for strides in (1, 2, 3, 5):
        for output_padding in (None, *range(strides)):
            for steps in (1, 4):
                arguments = {"filters": 2, "kernel_size": size, "strides": strides, "padding": padding}
                arguments["output_padding"] = output_padding
                if layers.Conv1DTranspose(**arguments).make_window((steps,))[1] == (0,):
                    continue  # an empty output, which we refuse
                check_parity(keras, "Conv1DTranspose", (steps, 3), arguments, batch=3)


@pytest.mark.parametrize("name", ["DepthwiseConv1D", "SeparableConv1D"])
@pytest.mark.parametrize("arguments", [
    {"kernel_size": 3}, {"kernel_size": 4, "strides": 2, "depth_multiplier": 2}, {"kernel_size": 2, "dilation_rate": 3},
])  # fmt: skip
def test_causal_padding(keras, name, arguments):
    """Keras 3 has it in Conv1D only: there as here it is zeros in front and then no padding."""
    arguments = arguments | ({"filters": 4} if name == "SeparableConv1D" else {})
    x = np.random.default_rng(0).standard_normal((3, 9, 2)).astype("float32")
    ours, theirs = getattr(layers, name)(**arguments, padding="causal"), getattr(keras.layers, name)(**arguments)
    in_front = (arguments["kernel_size"] - 1) * arguments.get("dilation_rate", 1)
    padded = np.pad(x, ((0, 0), (in_front, 0), (0, 0)))
    expected = theirs(padded)
    ours.build_once((None, 9, 2))
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x), expected.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_other_names(keras):
    """Keras' aliases are ours; those that took other arguments in Keras 1 stand for the class."""
    for name, cls in inspect.getmembers(keras.layers, inspect.isclass):
        if name != cls.__name__ and cls.__name__ in CASES:
            alias = getattr(layers, name)
            assert getattr(alias, "present", alias) is getattr(layers, cls.__name__)
            assert inspect.signature(alias) == inspect.signature(getattr(layers, cls.__name__))


def test_image_data_format_is_the_default(keras):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        with settings("float32", "channels_first"):
            for name, cases in CASES.items():
                shape, arguments = cases[0]
                check_parity(keras, name, (shape[-1], *shape[:-1]), arguments)
    finally:
        keras.config.set_image_data_format(before)
