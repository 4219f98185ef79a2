"""Every layer that draws numbers: in training only, the same from the same seed, others from another one."""

import inspect

import numpy as np
import pytest
from parity_layers import load_tables, make_layer

from minikeras import layers

TABLES = load_tables()
NAMES = [name for name in TABLES["CASES"] if "seed" in inspect.signature(getattr(layers, name)).parameters]
RECURRENT = {name: 1 for name in NAMES if "units" in inspect.signature(getattr(layers, name)).parameters}
RECURRENT |= {name: 3 for name in NAMES if name.startswith("ConvLSTM")}


def inputs_for(name, shape):
    rng = np.random.default_rng(0)
    if name in RECURRENT:
        return rng.standard_normal((8, *shape)).astype("float32")
    return rng.uniform(0, 255 if len(shape) == 3 else 1, (8, *shape)).astype("float32")


@pytest.mark.parametrize("name", NAMES)
def test_seeds_and_inference(name):
    differ = set()
    for shape, arguments in TABLES["CASES"][name]:
        arguments = {**arguments, "dropout": 0.4, "recurrent_dropout": 0.4} if name in RECURRENT else dict(arguments)
        if name == "RandomCrop":  # smaller than the images
            arguments |= {"height": max(1, shape[0] - 2), "width": max(1, shape[1] - 2)}
        x = inputs_for(name, shape)
        made = [make_layer(name, {**arguments, "seed": seed}) for seed in (1, 1, 4)]
        for layer in made:
            layer.build_once(x.shape)
            layer.set_weights(made[0].get_weights())
        first, same, other = (layer(x, training=True).copy() for layer in made)
        np.testing.assert_array_equal(first, same)
        differ.add("seeds" if not np.array_equal(first, other) else None)
        differ.add("steps" if not np.array_equal(made[0](x, training=True), same) else None)
        inferred = [layer(x, training=False).copy() for layer in made]
        np.testing.assert_array_equal(inferred[0], inferred[2])
        if inferred[0].shape == x.shape and name not in RECURRENT:
            np.testing.assert_array_equal(inferred[0], x)
    assert {"seeds", "steps"} <= differ
