"""Dense, Activation and InputLayer beside Keras'."""

from parity_layers import make_both

from minikeras import layers

CASES = {
    "Dense": [
        ((4,), {"units": 3}),
        ((4,), {"units": 3, "use_bias": False, "activation": "sigmoid", "kernel_regularizer": "l2"}),
        ((5, 4), {"units": 2, "activation": "softmax", "bias_constraint": "non_neg"}),
        ((2, 3, 4), {"units": 6, "activation": "silu", "bias_initializer": "ones", "trainable": False}),
    ],
    "Activation": [((3, 4), {"activation": name}) for name in ("relu", "softmax", "silu", "linear")],
}

ELSEWHERE = {"InputLayer"}


def test_input_layer(keras):
    last = {"shape": (None, 2), "batch_size": 5, "dtype": "float64"}
    whole = {"shape": (7,), "dtype": "int32"}
    for arguments in (whole, {"shape": (3, 4)}, {"batch_shape": (2, 3)}, last):
        ours, theirs = make_both(keras, "InputLayer", arguments)
        assert layers.serialize(ours) == keras.layers.serialize(theirs)
        assert layers.deserialize(keras.layers.serialize(theirs)).batch_shape == theirs.batch_shape
        assert keras.layers.deserialize(layers.serialize(ours)).batch_shape == ours.batch_shape
