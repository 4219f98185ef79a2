"""Layers beside Keras': signatures, configs, weights, outputs, and the gradients that PyTorch's autograd finds."""

import inspect

import numpy as np
import pytest
from checks import relative_error, settings

from minikeras import layers

TOLERANCE = 1e-5  # float32

RELU_SLOPE = {"activation": "leaky_relu", "kernel_initializer": "he_normal"}
CASES = {
    "Dense": [
        ((4,), {"units": 3}),
        ((4,), {"units": 3, "use_bias": False, "activation": "sigmoid", "kernel_regularizer": "l2"}),
        ((5, 4), {"units": 2, "activation": "softmax", "bias_constraint": "non_neg"}),
        ((2, 3, 4), {"units": 6, "activation": "silu", "bias_initializer": "ones", "trainable": False}),
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
    "MaxPooling2D": [
        ((6, 8, 2), {}),
        ((7, 7, 2), {"pool_size": 3, "strides": 2}),
        ((7, 8, 2), {"pool_size": 2, "padding": "same"}),
        ((6, 7, 2), {"pool_size": (3, 2), "strides": 1, "padding": "same"}),
        ((7, 8, 2), {"pool_size": 2, "strides": 3}),
    ],
    "AveragePooling2D": [
        ((6, 8, 2), {"pool_size": 2}),
        ((7, 7, 2), {"pool_size": 3, "strides": 2}),
        ((7, 8, 2), {"pool_size": 2, "padding": "same"}),
        ((6, 7, 2), {"pool_size": 3, "strides": 1, "padding": "same"}),
        ((7, 8, 2), {"pool_size": (1, 2), "strides": (2, 3)}),
    ],
    "GlobalMaxPooling2D": [((4, 5, 3), {}), ((4, 5, 3), {"keepdims": True}), ((1, 1, 3), {})],
    "GlobalAveragePooling2D": [((4, 5, 3), {}), ((4, 5, 3), {"keepdims": True}), ((1, 1, 3), {})],
    "Flatten": [((4, 5, 3), {}), ((5,), {}), ((4, 3), {})],
    "Reshape": [
        ((4, 3), {"target_shape": (2, 6)}),
        ((12,), {"target_shape": (2, -1, 3)}),
        ((2, 3), {"target_shape": [-1]}),
    ],
    "ZeroPadding2D": [((3, 4, 2), {}), ((3, 4, 2), {"padding": (1, 2)}), ((3, 4, 2), {"padding": ((1, 0), (2, 3))})],
    "Activation": [((3, 4), {"activation": name}) for name in ("relu", "softmax", "silu", "linear")],
    "ReLU": [
        ((5, 6), {}),
        ((5, 6), {"max_value": 0.5, "negative_slope": 0.1}),
        ((5, 6), {"threshold": 0.3, "negative_slope": 0.2}),
        ((5, 6), {"max_value": 1.0, "threshold": 0.3}),
        ((5, 6), {"max_value": 6}),
    ],
    "LeakyReLU": [((5, 6), {}), ((5, 6), {"negative_slope": 0.1}), ((5, 6), {"negative_slope": 0.0})],
    "Softmax": [((4,), {}), ((3, 4), {"axis": 1}), ((3, 4), {"axis": -1}), ((3, 4, 5), {"axis": -2})],
    "BatchNormalization": [
        ((4,), {}),
        ((3, 4, 5), {"momentum": 0.7, "epsilon": 0.01}),
        ((3, 4, 5), {"axis": 1}),
        ((3, 4), {"center": False}),
        ((3, 4), {"scale": False, "beta_initializer": "ones"}),
        ((3, 4), {"trainable": False}),
    ],
    "Dropout": [
        ((5,), {"rate": 0.3, "seed": 1}),
        ((5, 4), {"rate": 0.0}),
        ((5, 4), {"rate": 0.2, "noise_shape": (None, 1, 4)}),
    ],
    "Rescaling": [((3, 4), {"scale": 0.5}), ((3, 4), {"scale": 2.0, "offset": -1.0}), ((3, 2), {"scale": [0.5, 2.0]})],
}
ROWS = [(name, shape, arguments) for name, cases in CASES.items() for shape, arguments in cases]
IDS = [f"{name}-{i}" for name, cases in CASES.items() for i in range(len(cases))]

# What only one of the two has, and why.
OTHER_ARGUMENTS = {
    "Dense": {"lora_rank", "lora_alpha", "quantization_config"},  # fine-tuning and quantization of large models
    "InputLayer": {"input_tensor", "kwargs"},  # symbolic tensors
}
OTHER_CONFIG = {
    "Dense": {
        "quantization_config",  # None in Keras' configs unless quantized
        "activity_regularizer",  # an argument, and None in ours; Keras leaves it out of Dense's config only
    }
}


def have_data_format(name):
    return "data_format" in inspect.signature(getattr(layers, name)).parameters


def make_both(keras, name, arguments):
    ours = getattr(layers, name)(**arguments, name="twin")
    theirs = getattr(keras.layers, name)(**arguments, name="twin")
    return ours, theirs


def compare(keras, name, shape, arguments, batch=4, training=True, x=None):
    import torch

    rng = np.random.default_rng(0)
    ours, theirs = make_both(keras, name, arguments)
    x = rng.standard_normal((batch, *shape)).astype("float32") if x is None else x
    assert tuple(ours.compute_output_shape((None, *shape))) == tuple(theirs.compute_output_shape((None, *shape)))
    ours.build_once((None, *shape))
    theirs.build((None, *shape))
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    assert [w.name for w in ours.trainable_weights] == [w.name for w in theirs.trainable_weights]
    assert [w.name for w in ours.non_trainable_weights] == [w.name for w in theirs.non_trainable_weights]
    weights = [rng.uniform(0.5, 1.5, w.shape).astype("float32") for w in ours.weights]
    if name in ("Dense", "Conv2D"):
        weights = [w * rng.choice([-1, 1], w.shape).astype("float32") for w in weights]
    theirs.set_weights(weights)
    ours.set_weights(theirs.get_weights())

    tensor = torch.tensor(x, requires_grad=True)
    y = theirs(tensor, training=training)
    assert relative_error(ours(x, training=training), y.detach().numpy()) <= TOLERANCE
    dy = rng.standard_normal(y.shape).astype("float32")
    variables = [w.value for w in theirs.trainable_weights]
    dx, *dweights = torch.autograd.grad(y, [tensor, *variables], torch.tensor(dy))
    assert relative_error(ours.backward(dy.copy()), dx.numpy()) <= TOLERANCE
    for w, dw in zip(ours.trainable_weights, dweights):
        assert relative_error(w.grad, dw.numpy(), floor=0.1) <= TOLERANCE, w.name  # some are 0 but for rounding
    for a, b in zip(ours.get_weights(), theirs.get_weights()):  # moving statistics
        assert relative_error(a, b) <= TOLERANCE
    theirs.set_weights(ours.get_weights())
    assert relative_error(ours(x), theirs(x).detach().numpy()) <= TOLERANCE


@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_outputs_and_gradients(keras, name, shape, arguments):
    if name == "Dropout":  # the masks differ; in inference nothing is dropped
        return compare(keras, name, shape, arguments, training=False)
    compare(keras, name, shape, arguments)
    compare(keras, name, shape, arguments, batch=1)
    if have_data_format(name):
        first = (shape[-1], *shape[:-1])
        compare(keras, name, first, {**arguments, "data_format": "channels_first"})


@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_config(keras, name, shape, arguments):
    ours, theirs = make_both(keras, name, arguments)
    skipped = OTHER_CONFIG.get(name, ())
    ours_config, theirs_config = layers.serialize(ours), keras.layers.serialize(theirs)
    for key in skipped:
        assert ours_config["config"].get(key) is None
        assert theirs_config["config"].get(key) is None
    theirs_config.pop("build_config", None)
    _assert_equal_configs(ours_config, theirs_config, skipped)
    ours_again = layers.deserialize(keras.layers.serialize(theirs))
    theirs_again = keras.layers.deserialize(layers.serialize(ours))
    assert layers.serialize(ours_again) == layers.serialize(ours)
    assert theirs_again.get_config() == theirs.get_config()


def _assert_equal_configs(ours, theirs, skipped):
    def clean(serialized):
        config = {key: value for key, value in serialized["config"].items() if key not in skipped}
        return {**serialized, "config": config}

    assert clean(ours) == clean(theirs)


@pytest.mark.parametrize("name", [*CASES, "InputLayer"])
def test_signature(keras, name):
    def arguments(cls):
        parameters = inspect.signature(cls).parameters.values()
        return [(p.name, p.default, p.kind) for p in parameters if p.name not in OTHER_ARGUMENTS.get(name, ())]

    assert arguments(getattr(layers, name)) == arguments(getattr(keras.layers, name))


def test_input_layer(keras):
    last = {"shape": (None, 2), "batch_size": 5, "dtype": "float64"}
    for arguments in ({"shape": (3, 4)}, {"batch_shape": (2, 3)}, last):
        ours, theirs = make_both(keras, "InputLayer", arguments)
        assert layers.serialize(ours) == keras.layers.serialize(theirs)
        assert layers.deserialize(keras.layers.serialize(theirs)).batch_shape == theirs.batch_shape
        assert keras.layers.deserialize(layers.serialize(ours)).batch_shape == ours.batch_shape


def test_all_layers_are_compared():
    classes = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    assert classes - {"Layer", "InputLayer"} == set(CASES)


@pytest.mark.parametrize("name", ["MaxPooling2D", "GlobalMaxPooling2D"])
@pytest.mark.parametrize("arguments", [{}, {"pool_size": 3, "strides": 1}, {"pool_size": 3, "strides": 2}])
def test_equal_elements(keras, name, arguments):
    """Ties: the first of a window; all of them evenly in global pooling."""
    x = np.random.default_rng(1).integers(0, 2, (3, 7, 6, 2)).astype("float32")
    compare(keras, name, x.shape[1:], arguments if name == "MaxPooling2D" else {}, x=x)


def test_rescaling_by_channel_with_channels_first(keras):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        with settings("float32", "channels_first"):
            compare(keras, "Rescaling", (3, 4, 5), {"scale": [0.5, 1.0, 2.0]})
            compare(keras, "Conv2D", (3, 6, 5), {"filters": 2, "kernel_size": 3})
            compare(keras, "Flatten", (3, 6, 5), {})
    finally:
        keras.config.set_image_data_format(before)


def test_dropout_statistics(keras):
    """Keras' masks come from other random numbers: the same share, scale and pattern of repetition."""
    x = np.ones((50, 40, 30), "float32")
    for arguments in ({"rate": 0.3}, {"rate": 0.6, "noise_shape": (None, 1, 30)}):
        ours, theirs = make_both(keras, "Dropout", {**arguments, "seed": 1})
        a, b = ours(x, training=True), theirs(x, training=True).numpy()
        np.testing.assert_allclose(np.unique(a), np.unique(b), rtol=1e-6)
        assert abs((a == 0).mean() - (b == 0).mean()) <= 0.05
        assert (a.std(axis=1) == 0).all() == (b.std(axis=1) == 0).all()
