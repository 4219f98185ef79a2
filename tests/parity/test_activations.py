"""Activations beside Keras': names, values and derivatives, far from zero as well."""

import numpy as np
import pytest

from minikeras import activations


@pytest.mark.parametrize("name", [*activations._table, *activations._aliases])
def test_values_and_derivatives(keras, name):
    import torch

    rng = np.random.default_rng(0)
    x = np.concatenate([scale * rng.standard_normal((20, 10)) for scale in (1, 5, 40)]).astype("float32")
    dy = rng.standard_normal(x.shape).astype("float32")
    tensor = torch.tensor(x, requires_grad=True)
    expected = keras.activations.get(name)(tensor)
    (expected_dx,) = torch.autograd.grad(expected, tensor, torch.tensor(dy))
    function = activations.get(name)
    y = function(x)
    with np.errstate(invalid="ignore"):  # exp overflows in both
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-5, atol=1e-30)
        dx = np.full_like(x, np.nan)
        function.gradient(dy, x if function.needs_input else None, y, dx)
        # Derivatives from the outputs alone lose digits where the outputs do, so small ones are compared absolutely.
        np.testing.assert_allclose(dx, expected_dx.numpy(), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", [*activations._table, *activations._aliases])
def test_config(keras, name):
    assert activations.serialize(activations.get(name)) == keras.activations.serialize(keras.activations.get(name))
    assert activations.get(keras.activations.serialize(keras.activations.get(name))) is activations.get(name)


def test_no_activation(keras):
    assert activations.serialize(activations.get(None)) == keras.activations.serialize(keras.activations.get(None))
