"""Activation layers beside Keras'."""

CASES = {
    "ReLU": [
        ((5, 6), {}),
        ((5, 6), {"max_value": 0.5, "negative_slope": 0.1}),
        ((5, 6), {"threshold": 0.3, "negative_slope": 0.2}),
        ((5, 6), {"max_value": 1.0, "threshold": 0.3}),
        ((5, 6), {"max_value": 6}),
    ],
    "LeakyReLU": [((5, 6), {}), ((5, 6), {"negative_slope": 0.1}), ((5, 6), {"negative_slope": 0.0})],
    "Softmax": [((4,), {}), ((3, 4), {"axis": 1}), ((3, 4), {"axis": -1}), ((3, 4, 5), {"axis": -2})],
}
