"""Layers that move numbers beside Keras'."""

CASES = {
    "Flatten": [((4, 5, 3), {}), ((5,), {}), ((4, 3), {})],
    "Reshape": [
        ((4, 3), {"target_shape": (2, 6)}),
        ((12,), {"target_shape": (2, -1, 3)}),
        ((2, 3), {"target_shape": [-1]}),
    ],
    "ZeroPadding2D": [((3, 4, 2), {}), ((3, 4, 2), {"padding": (1, 2)}), ((3, 4, 2), {"padding": ((1, 0), (2, 3))})],
}
