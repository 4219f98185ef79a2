"""Layers that move numbers beside Keras'."""

import numpy as np
import pytest
from checks import relative_error

from minikeras import layers

CASES = {
    "Flatten": [((4, 5, 3), {}), ((5,), {}), ((4, 3), {})],
    "Reshape": [
        ((4, 3), {"target_shape": (2, 6)}),
        ((12,), {"target_shape": (2, -1, 3)}),
        ((2, 3), {"target_shape": [-1]}),
        ((1, 1), {"target_shape": ()}),
    ],
    "Permute": [((4, 3), {"dims": (2, 1)}), ((2, 3, 4), {"dims": [3, 1, 2]}), ((2, 3, 4), {"dims": (1, 2, 3)})],
    "RepeatVector": [((4,), {"n": 3}), ((1,), {"n": 1}), ((3,), {"n": 7})],
    "Identity": [((4,), {}), ((2, 3, 4), {}), ((1, 1), {})],
    "ZeroPadding1D": [((3, 2), {}), ((3, 2), {"padding": (2, 0)}), ((1, 2), {"padding": 3})],
    "ZeroPadding2D": [
        ((3, 4, 2), {}),
        ((3, 4, 2), {"padding": (1, 2)}),
        ((3, 4, 2), {"padding": ((1, 0), (2, 3))}),
        ((1, 1, 1), {"padding": [2, (1, 0)]}),
    ],
    "ZeroPadding3D": [
        ((3, 4, 2, 2), {}),
        ((3, 4, 2, 2), {"padding": (1, 2, 0)}),
        ((3, 4, 2, 2), {"padding": ((1, 0), (2, 3), (0, 1))}),
        ((1, 1, 1, 1), {"padding": 2}),
    ],
    "Cropping1D": [((5, 2), {}), ((5, 2), {"cropping": (3, 0)}), ((5, 2), {"cropping": 2}), ((1, 1), {"cropping": 0})],
    "Cropping2D": [
        ((5, 6, 2), {}),
        ((5, 6, 2), {"cropping": 2}),
        ((5, 6, 2), {"cropping": (1, 2)}),
        ((5, 6, 2), {"cropping": ((1, 0), (2, 3))}),
        ((5, 6, 2), {"cropping": ((0, 1), (0, 0))}),
    ],
    "Cropping3D": [
        ((5, 6, 4, 2), {}),
        ((5, 6, 4, 2), {"cropping": 1}),
        ((5, 6, 4, 2), {"cropping": (2, 1, 0)}),
        ((5, 6, 4, 2), {"cropping": ((1, 0), (2, 3), (0, 2))}),
    ],
    "UpSampling1D": [((3, 2), {}), ((3, 2), {"size": 3}), ((1, 1), {"size": 4}), ((3, 2), {"size": 1})],
    "UpSampling2D": [
        ((3, 4, 2), {}),
        ((3, 4, 2), {"size": (3, 1)}),
        ((3, 4, 2), {"size": 2, "interpolation": "bilinear"}),
        ((5, 2, 1), {"size": [1, 4], "interpolation": "BILINEAR"}),
        ((1, 1, 3), {"size": (3, 5), "interpolation": "bilinear"}),
    ],
    "UpSampling3D": [((3, 4, 2, 2), {}), ((3, 4, 2, 2), {"size": (3, 1, 2)}), ((1, 1, 1, 1), {"size": 3})],
}


@pytest.mark.parametrize("interpolation, method", [("bicubic", "cubic"), ("lanczos3",) * 2, ("lanczos5",) * 2])
@pytest.mark.parametrize("shape, size", [((5, 7, 2), (2, 3)), ((1, 4, 3), (4, 1))])
def test_interpolation_as_other_backends_have_it(keras, interpolation, method, shape, size):
    """PyTorch's resize has no Lanczos and another cubic kernel, but Keras' scale_and_translate has all of them."""
    import torch

    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, *shape)).astype("float32")
    ours = layers.UpSampling2D(size, interpolation=interpolation)
    tensor = torch.tensor(x, requires_grad=True)
    new_shape = (2, *ours.compute_output_shape(x.shape)[1:])
    y = keras.ops.image.scale_and_translate(
        tensor, new_shape, np.array(size, "float32"), np.zeros(2, "float32"), (1, 2), method, antialias=False
    )
    assert relative_error(ours(x, training=True), y.detach().numpy()) <= 1e-5
    dy = rng.standard_normal(new_shape).astype("float32")
    (dx,) = torch.autograd.grad(y, tensor, torch.tensor(dy))
    assert relative_error(ours.backward(dy.copy()), dx.numpy()) <= 1e-5
    theirs = keras.layers.UpSampling2D(size, interpolation=interpolation)
    assert layers.UpSampling2D.from_config(theirs.get_config()).interpolation == interpolation


@pytest.mark.parametrize("name", CASES)
def test_masks_pass_where_they_do_in_keras(keras, name):
    arguments = CASES[name][0][1]
    theirs = getattr(keras.layers, name)(**arguments)
    assert getattr(layers, name)(**arguments).supports_masking == theirs.supports_masking


def test_shapes_that_are_not_known(keras):
    for name, arguments, shape in (
        ("Flatten", {}, (None, None, 3)), ("Reshape", {"target_shape": (-1, 3)}, (None, None, 3)),
        ("Permute", {"dims": (2, 1)}, (None, None, 3)), ("ZeroPadding1D", {}, (None, None, 3)),
        ("ZeroPadding2D", {}, (None, None, 4, 3)), ("Cropping1D", {}, (None, None, 3)),
        ("Cropping2D", {"cropping": 1}, (None, 5, None, 3)), ("Cropping3D", {}, (None, 5, None, 4, 1)),
        ("UpSampling1D", {}, (None, None, 3)), ("UpSampling2D", {}, (None, 5, None, 3)),
        ("UpSampling3D", {}, (None, 5, None, 4, 1)), ("ZeroPadding3D", {}, (None, 5, None, 4, 1)),
    ):  # fmt: skip
        ours, theirs = (getattr(module, name)(**arguments) for module in (layers, keras.layers))
        assert tuple(ours.compute_output_shape(shape)) == tuple(theirs.compute_output_shape(shape))
