"""The layer contract: custom layers, weights, names, configs, buffers."""

import copy
import pickle
import re

import numpy as np
import pytest
from checks import check_layer, settings

from minikeras import config, layers, registry
from minikeras.layers import Layer
from minikeras.models import Sequential


class Scale(Layer):
    """The example of minikeras/layers/base.py."""

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs, training=False):
        self.inputs = inputs
        return inputs * self.scale

    def backward(self, doutputs):
        self.scale.grad = (doutputs * self.inputs).reshape(-1, len(self.scale)).sum(0)
        return doutputs * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape


class Polynomial(Layer):
    """sum_i c_i x^i: weights in a list, no compute_output_shape, a `call` without `training`, an argument."""

    def __init__(self, degree, **kwargs):
        super().__init__(**kwargs)
        self.degree = degree

    def build(self, input_shape):
        self.coefficients = [self.add_weight((), "ones", name=f"c{i}") for i in range(self.degree + 1)]

    def call(self, x):
        self.x = x
        return sum(c.value * x**i for i, c in enumerate(self.coefficients))

    def backward(self, dy):
        for i, c in enumerate(self.coefficients):
            c.grad = np.sum(dy * self.x**i)
        return dy * sum(i * c.value * self.x ** (i - 1) for i, c in enumerate(self.coefficients) if i)


class NoBackward(Layer):
    def call(self, inputs):
        return inputs * 2


def test_custom_layers():
    check_layer(Scale, (3, 4), config_round_trip=False)
    check_layer(lambda: Polynomial(3), (2, 3), config_round_trip=False)


def test_weights_in_a_list():
    layer = Polynomial(2, name="poly")
    layer.build_once((None, 3))
    assert [w.path for w in layer.weights] == ["poly/c0", "poly/c1", "poly/c2"]
    assert layer.count_params() == 3
    layer.set_weights([1.0, 2.0, 3.0])
    np.testing.assert_allclose(layer(np.array([[2.0]])), [[17]])


def test_custom_layers_in_a_model_train():
    config.set_random_seed(0)
    model = Sequential([Scale(), layers.Dense(4, activation="tanh"), Polynomial(2), layers.Dense(1)])
    model.compile("sgd", "mse", input_shape=(3,), learning_rate=0.05)
    x = np.random.default_rng(0).standard_normal((64, 3)).astype("float32")
    y = x[:, :1] * x[:, 1:2]
    before = model.get_weights()
    losses = [model.train_on_batch(x, y) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]
    assert all((a != b).any() for a, b in zip(before, model.get_weights()) if a.ndim)


def test_without_backward():
    layer = NoBackward(name="double")
    np.testing.assert_array_equal(layer(np.ones((1, 2))), [[2, 2]])
    assert layer.compute_output_shape((None, 2)) == (None, 2)
    with pytest.raises(NotImplementedError, match=r"NoBackward has no `backward\(self, doutputs\)`"):
        layer.backward(np.ones((1, 2)))
    model = Sequential([layers.Dense(2), layer, layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    before = model.get_weights()
    with pytest.raises(NotImplementedError, match="NoBackward"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(NotImplementedError, match=r"Layer has no `call"):
        Layer()(np.ones((1, 2)))


def test_backward_is_asked_for_below_the_lowest_trainable_layer_too():
    """No gradient passes there, but it would once a layer below is made trainable."""
    model = Sequential([NoBackward(), layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    with pytest.raises(NotImplementedError, match="NoBackward"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


def test_shapes_are_traced_once_for_each_input_shape():
    calls = []

    class Traced(Layer):
        def call(self, inputs):
            calls.append(inputs.shape)
            return inputs

        def backward(self, doutputs):
            return doutputs

    model = Sequential([Traced(), layers.Dense(1)])
    model.build((None, 3))
    for n in (5, 7, 5):
        model.predict(np.ones((n, 3)), verbose=0)
    assert calls == [(1, 3), (5, 3), (7, 3), (5, 3)]


class Faulty(Layer):
    """A custom layer with faults to order."""

    def __init__(self, fault):
        super().__init__(name="scale")
        self.fault = fault

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs):
        self.inputs = inputs
        return inputs * self.scale

    def backward(self, doutputs):
        if self.fault != "no grad":
            self.scale.grad = (doutputs * self.inputs).sum(axis=0)
        return {"none": None, "shape": doutputs[:, :1]}.get(self.fault, doutputs * self.scale)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 9) if self.fault == "declared" else tuple(input_shape)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("no grad", r"'scale' \(Faulty\): `backward` did not set the gradient of its weight 'scale'"),
        ("none", r"'scale' \(Faulty\): `backward` must return.*\(None, 4\).*None"),
        ("shape", r"'scale' \(Faulty\): `backward` must return.*\(None, 4\).*\(6, 1\)"),
        ("declared", r"'scale' \(Faulty\): `call` returned shape \(6, 4\).*says \(6, 9\)"),
    ],
)
def test_a_custom_layer_that_breaks_its_contract(fault, text):
    ending = [layers.Flatten()] if fault == "declared" else [layers.Dense(1)]
    model = Sequential([layers.Dense(4), Faulty(fault), *ending])
    model.compile("sgd", "mse", input_shape=(3,))
    before = model.get_weights()
    with pytest.raises(ValueError, match=text):
        model.fit(np.ones((6, 3)), np.ones((6, 9 if fault == "declared" else 1)), verbose=0)
    for weight, value in zip(before, model.get_weights()):
        np.testing.assert_array_equal(weight, value)


def test_a_layer_can_be_taken_apart_after_training():
    model = Sequential([layers.Dense(2)]).compile("sgd", "mse", input_shape=(3,))
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    layer = model.layers[0]
    layer(np.ones((4, 3)), training=True)
    np.testing.assert_allclose(layer.backward(np.ones((4, 2), "float32")), np.ones((4, 2)) @ layer.kernel.value.T)


def test_backward_that_returns_a_read_only_array():
    """np.broadcast_to is the natural derivative of a mean; the layer below may overwrite what it is given."""

    class Mean(Layer):
        def call(self, inputs):
            self.shape = inputs.shape
            return inputs.mean(axis=(1, 2))

        def backward(self, dy):
            return np.broadcast_to(dy[:, None, None] / (self.shape[1] * self.shape[2]), self.shape)

    for below in (layers.MaxPooling2D(2), layers.AveragePooling2D(2), layers.Rescaling(2.0), layers.ReLU(),
                  layers.ZeroPadding2D(), layers.Dropout(0.5), layers.BatchNormalization()):  # fmt: skip
        model = Sequential([layers.Conv2D(2, 3), below, Mean()]).compile("sgd", "mse", input_shape=(8, 8, 1))
        model.fit(np.ones((4, 8, 8, 1)), np.ones((4, 2)), verbose=0)


def test_names():
    registry.reset_auto_names()
    assert [layers.Dense(1).name, layers.Dense(1).name, layers.Conv2D(1, 1).name] == ["dense", "dense_1", "conv2d"]
    assert layers.GlobalAveragePooling2D().name == "global_average_pooling2d"
    assert layers.Dense(1, name="mine").name == "mine"
    with pytest.raises(ValueError, match="'a/b'"):
        layers.Dense(1, name="a/b")
    with pytest.raises(TypeError, match="name"):
        layers.Dense(1, name=3)
    with pytest.raises(TypeError, match="unknown arguments: unit.*Known: units"):
        layers.Dense(3, unit=4)


def test_dtype():
    assert layers.Dense(2).dtype == "float32"
    with settings("float64"):
        assert layers.Dense(2).dtype == "float64"
    layer = layers.Dense(2, dtype="float64")
    assert layer(np.ones((1, 2), "float32")).dtype == "float64"
    assert layers.deserialize(layers.serialize(layer)).dtype == "float64"
    with pytest.raises(ValueError, match="`dtype`.*'float16'"):
        layers.Dense(2, dtype="float16")


def test_outputs_are_the_callers_own():
    for layer in (layers.Dense(2), layers.Flatten(), layers.Dropout(0.5), layers.ReLU()):
        x = np.ones((2, 3), "float32")
        first = layer(x)
        kept = first.copy()
        first += 1
        np.testing.assert_array_equal(x, 1)
        np.testing.assert_array_equal(layer(x), kept)


def test_buffers_are_reused():
    layer = layers.Conv2D(4, 3, activation="silu")
    x = np.random.default_rng(0).standard_normal((8, 6, 6, 2)).astype("float32")
    layer.build_once((None, 6, 6, 2))
    for n in (8, 3, 8, 5):
        y = layer.run(x[:n], training=True)
        layer.backward(np.ones_like(y))
        kept = {name: id(array) for name, array in layer._buffers.items()}
        if n == 8:
            first = kept
        assert kept == first


def test_nothing_is_kept_in_inference():
    """Predicting does not hold on to the inputs."""
    import weakref

    for layer in (layers.Dense(2), layers.Conv2D(2, 2), layers.MaxPooling2D(), layers.BatchNormalization(),
                  layers.Flatten(), layers.GlobalMaxPooling2D(), layers.Dropout(0.5), layers.ReLU()):  # fmt: skip
        x = np.ones((2, 4, 4, 3), "float32")
        layer.run(x, training=False) if layer.built else layer(x)
        reference = weakref.ref(x)
        del x
        assert reference() is None, layer.name


def test_set_weights_checks_all_shapes_first():
    layer = layers.Dense(2, name="out")
    layer.build_once((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"'out/bias'.*\(2,\).*\(3,\)"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
    with pytest.raises(ValueError, match=r"2 arrays \(out/kernel, out/bias\).*1 arrays"):
        layer.set_weights([np.zeros((3, 2))])
    for a, b in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(a, b)
    layer.get_weights()[0][...] = 7  # a copy
    np.testing.assert_array_equal(layer.kernel.value, before[0])


def test_count_params_before_build():
    with pytest.raises(ValueError, match="not built"):
        layers.Dense(2).count_params()
    assert layers.Flatten().count_params() == 0


def test_regularization_losses():
    layer = layers.Dense(1, kernel_regularizer="l2", bias_regularizer="l1", bias_initializer="ones")
    layer.build_once((None, 3))
    layer.kernel.assign([[1], [2], [3]])
    np.testing.assert_allclose(layer.losses, [0.14, 0.01], rtol=1e-6)
    layer.trainable = False
    assert layer.losses == []


def test_input_shape_argument():
    for arguments in ({"input_shape": (4,)}, {"batch_input_shape": (None, 4)}, {"input_dim": 4}):
        assert Sequential([layers.Dense(2, **arguments)]).built
    for arguments in ({"input_shape": (4,)}, {"input_dim": 4}):
        assert Sequential([layers.Dense(2, batch_size=3, **arguments)]).input_shape == (3, 4)
    with pytest.raises(ValueError, match=r"`input_shape`.*\(4,\)"):
        layers.Dense(2, input_shape=4)
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        layers.Dense(2, input_shape=(4,), batch_size=0)
    with pytest.raises(TypeError, match="unknown arguments: batch_size"):
        layers.Dense(2, batch_size=3)


def test_a_subclass_that_computes_with_what_backward_returns():
    class Scaled(layers.Dense):
        def call(self, inputs, training=False):
            return super().call(2 * inputs, training=training)

        def backward(self, doutputs):
            return 2 * super().backward(doutputs)

    x = np.ones((4, 3), "float32")
    model = Sequential([Scaled(2), layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    assert model.train_on_batch(x, x[:, :1] + 5) > model.train_on_batch(x, x[:, :1] + 5)


def test_a_first_layer_may_return_no_gradient():
    class First(layers.Dense):
        def backward(self, doutputs):
            super().backward(doutputs)

    x = np.ones((4, 3), "float32")
    model = Sequential([First(2), layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    before = model.get_weights()
    model.train_on_batch(x, x[:, :1] + 5)
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))
    later = Sequential([layers.Dense(3), First(2)]).compile("sgd", "mse", input_shape=(3,))
    with pytest.raises(ValueError, match="must return the gradient of the inputs"):
        later.train_on_batch(x, x[:, :2])


def test_copies_and_pickles():
    layer = layers.Conv2D(2, 3, activation="silu", kernel_regularizer="l2")
    x = np.random.default_rng(0).standard_normal((2, 5, 5, 1)).astype("float32")
    y = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(other(x), y)
        other.kernel.assign(other.kernel.value * 0)
        np.testing.assert_array_equal(layer(x), y)


def test_config_of_custom_layers():
    dtype = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    assert Polynomial(3, name="p").get_config() == {"name": "p", "trainable": True, "dtype": dtype, "degree": 3}

    class Hidden(Layer):
        def __init__(self, size, **kwargs):
            super().__init__(**kwargs)
            self._size = size

    with pytest.raises(NotImplementedError, match=r"Hidden.*\['size'\].*self.size = size"):
        Hidden(3).get_config()

    @registry.register_keras_serializable("tests")
    class Extended(Hidden):
        def get_config(self):
            return {**super().get_config(), "size": self._size}

    layer = Extended(3, name="e")
    assert layer.get_config()["size"] == 3
    again = layers.deserialize(layers.serialize(layer))
    assert (type(again), again._size, again.name) == (Extended, 3, "e")


def test_serialized_layers_are_json():
    import json

    for layer in (layers.Conv2D(2, 3, kernel_regularizer="l1"), layers.BatchNormalization(), layers.Reshape((2, -1)),
                  layers.Rescaling(np.float32(0.5), np.ones(3)), layers.Dense(np.int64(3))):  # fmt: skip
        text = json.dumps(layers.serialize(layer))
        again = layers.deserialize(json.loads(text))
        assert json.dumps(layers.serialize(again)) == text


def test_unknown_layer():
    with pytest.raises(ValueError, match="Did you mean 'Dense'"):
        layers.deserialize({"module": "keras.layers", "class_name": "Dens", "config": {}})


@pytest.mark.parametrize("name", [name for name in layers.__all__ if isinstance(getattr(layers, name), type)])
def test_docstrings_tell_the_shapes(name):
    assert re.search(r"\b[Ss]hapes?\b|as in `|`\w+` on|see `", vars(getattr(layers, name))["__doc__"])


class Nested(Layer):
    """Builds what it holds by `build`, as Keras' layers do."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(2)

    def build(self, input_shape):
        self.inner.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        return self.inner(inputs)


class Twice(Scale):
    def build(self, input_shape):
        super().build(input_shape)
        self.offset = self.add_weight((), "zeros", name="offset")


@pytest.mark.parametrize("make, count", [
    (lambda: layers.Dense(2), 2), (lambda: layers.BatchNormalization(), 4), (lambda: layers.LSTM(2), 3), (Nested, 2),
    (lambda: layers.TimeDistributed(layers.Dense(2)), 2), (lambda: layers.SpectralNormalization(layers.Dense(2)), 3),
    (Scale, 1), (Twice, 2), (lambda: layers.Dropout(0.5), 0),
])  # fmt: skip
def test_build_from_outside(make, count):
    """`build` makes the weights that calls use, once."""
    layer, x = make(), np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")
    layer.build((None, 5, 4))
    assert layer.built
    assert len(layer.weights) == count
    values = [np.random.default_rng(1).uniform(0.5, 1, w.shape).astype("float32") for w in layer.weights]
    layer.set_weights(values)
    layer.build(x.shape)
    layer(x)
    assert len(layer.weights) == count
    for value, weight in zip(values, layer.weights):
        np.testing.assert_array_equal(weight.value, value, err_msg=weight.path)


def test_build_that_fails_leaves_the_layer_unbuilt():
    layer = layers.Conv1D(2, 3)
    with pytest.raises(ValueError, match="channels"):
        layer.build((None, 5, None))
    assert not layer.built
    layer.build((None, 5, 4))
    assert layer(np.ones((1, 5, 4))).shape == (1, 3, 2)
