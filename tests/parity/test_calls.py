"""Layers and models called directly, without saying whether in training: Keras' own answer to each."""

import numpy as np
import pytest

import minikeras

IMAGES = np.random.default_rng(0).uniform(0, 255, (8, 6, 6, 3)).astype("float32")


def makes_noise(k):
    return k.layers.GaussianNoise(0.5)


def augments(k):
    return k.layers.RandomBrightness((0.4, 0.5))


def model_that_augments(k):
    return k.Sequential([k.layers.Input((6, 6, 3)), augments(k)])


def make_custom(k, layer, passes=False, **default):
    """A layer that calls another one without `training=`, or passes on what it was told; its own default is given."""

    class Outer(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def build(self, input_shape):
            self.built = True

        def compute_output_shape(self, input_shape):
            return input_shape

    given = default.get("training")

    def call_told(self, x, training=given):
        return self.inner(x, training=training) if passes else self.inner(x)

    def call_untold(self, x):
        return self.inner(x)

    return type("Layer", (Outer,), {"call": call_told if default else call_untold})()


CALLED = {
    "noise": makes_noise,
    "augmentation": augments,
    "a pipeline": lambda k: k.layers.Pipeline([makes_noise(k), augments(k)]),
    "a model with noise": lambda k: k.Sequential([k.layers.Input((6, 6, 3)), makes_noise(k)]),
    "a model with augmentation": model_that_augments,
    "a model in a model": lambda k: k.Sequential([k.layers.Input((6, 6, 3)), k.Sequential([augments(k)])]),
    "Model(inputs, outputs)": lambda k: k.Model(inputs := k.Input((6, 6, 3)), augments(k)(inputs)),
}
CUSTOM = {
    f"{inner.__name__} in a custom layer, {default or 'without training'}": (inner, default)
    for inner in (makes_noise, augments, model_that_augments)
    for default in ({}, *({"training": t, "passes": p} for t in (None, True, False) for p in (False, True)))
}
CALLED |= {name: lambda k, a=inner, b=default: make_custom(k, a(k), **b) for name, (inner, default) in CUSTOM.items()}


@pytest.mark.parametrize("training", [None, True, False])
@pytest.mark.parametrize("name", CALLED)
def test_default_of_training(keras, name, training):
    arguments = {} if training is None else {"training": training}
    changed = []
    for k in (minikeras, keras):
        layer = CALLED[name](k)
        outputs = np.asarray(layer(IMAGES, **arguments) if k is minikeras else layer(IMAGES, **arguments).numpy())
        changed.append(not np.array_equal(outputs, IMAGES))
    assert changed[0] == changed[1]


def test_training_given_as_none(keras):
    """An argument that was given counts, even None: layers that are in training by default are not, then."""
    for k in (minikeras, keras):
        for layer, same in ((augments(k), True), (makes_noise(k), True), (model_that_augments(k), False)):
            outputs = layer(IMAGES.copy(), training=None)
            assert np.array_equal(outputs if k is minikeras else outputs.numpy(), IMAGES) == same
