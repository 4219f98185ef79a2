"""Normalization beside Keras'."""

CASES = {
    "BatchNormalization": [
        ((4,), {}),
        ((3, 4, 5), {"momentum": 0.7, "epsilon": 0.01}),
        ((3, 4, 5), {"axis": 1}),
        ((3, 4), {"center": False}),
        ((3, 4), {"scale": False, "beta_initializer": "ones"}),
        ((3, 4), {"trainable": False}),
    ],
}
