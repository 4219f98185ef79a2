"""Convolutions beside Keras'."""

RELU_SLOPE = {"activation": "leaky_relu", "kernel_initializer": "he_normal"}
CASES = {
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
}
