"""clone_model and model_from_json: the same layers, weights of their own."""

import json

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.models import clone_model, model_from_json

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(1)


def sequential():
    inner = keras.Sequential([layers.Dense(3, name="x"), layers.BatchNormalization(name="y")], name="inner")
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, name="a"), inner, layers.Dense(2, name="b")])


def functional():
    inputs = keras.Input((4,))
    x = layers.Dense(5, name="a")(inputs)
    inner_inputs = keras.Input((5,))
    inner = keras.Model(inner_inputs, layers.Dense(3, name="x")(inner_inputs), name="inner")
    return keras.Model(inputs, layers.Dense(2, name="b")(inner(x)))


both = pytest.mark.parametrize("build", [sequential, functional])


class TestClone:
    @both
    @pytest.mark.parametrize("recursive", [False, True])
    def test_new_weights(self, build, recursive):
        model = build()
        twin = clone_model(model, recursive=recursive)
        assert type(twin) is type(model)
        assert twin.name == model.name
        assert twin.get_config() == model.get_config()
        assert [w.shape for w in twin.weights] == [w.shape for w in model.weights]
        assert not {id(layer) for layer in twin.all_layers()} & {id(layer) for layer in model.all_layers()}
        kernels = twin.weights[0].numpy(), model.weights[0].numpy()
        assert (kernels[0] != kernels[1]).any(), "newly initialized"
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin(X), model(X))
        before = model.get_weights()
        twin.compile("sgd", "mse").train_on_batch(X, Y)
        for a, b in zip(before, model.get_weights()):
            np.testing.assert_array_equal(a, b)

    def test_not_built(self):
        model = keras.Sequential([layers.Dense(3)])
        twin = clone_model(model)
        assert not twin.built
        assert twin(X).shape == (12, 3)
        assert not model.built
        assert clone_model(keras.Sequential()).layers == []

    @both
    def test_compiled(self, build):
        model = build()
        assert not clone_model(model).compiled
        model.compile(keras.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=["mae"])
        model.train_on_batch(X, Y)
        twin = clone_model(model)
        assert twin.compiled
        assert twin.optimizer is not model.optimizer
        assert twin.optimizer.get_config() == model.optimizer.get_config()
        assert not twin.optimizer.built, "the state is not copied"
        twin.set_weights(model.get_weights())
        assert twin.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)

    def test_trainable(self):
        for build in (sequential, functional):
            model = build()
            model.get_layer("a").trainable = False
            assert [w.trainable for w in model.weights] == [w.trainable for w in clone_model(model).weights]
            assert len(clone_model(model).trainable_weights) == len(model.trainable_weights)
        model.trainable = False
        assert clone_model(model).trainable_weights == []

    @both
    def test_clone_function(self, build):
        seen = []

        def clone(layer):
            seen.append(layer.name)
            return type(layer).from_config({**layer.get_config(), "trainable": False})

        twin = clone_model(build(), clone_function=clone)
        assert seen == ["a", "inner", "b"]
        assert not twin.get_layer("a").trainable
        del seen[:]
        clone_model(build(), clone_function=clone, recursive=True)
        assert [name for name in seen if name != "y"] == ["a", "x", "b"]

    @both
    def test_the_layers_themselves(self, build):
        model = build()
        twin = clone_model(model, clone_function=lambda layer: layer)
        assert twin.weights == model.weights

    def test_call_function(self):
        def call(layer, x):
            x = layer(x)
            return layers.Dropout(0.5)(x) if isinstance(layer, layers.Dense) else x

        twin = clone_model(functional(), call_function=call)
        assert [type(layer).__name__ for layer in twin.layers[1:]] == [
            "Dense", "Dropout", "Functional", "Dense", "Dropout"
        ]  # fmt: skip
        twin = clone_model(functional(), call_function=call, recursive=True)
        assert [type(layer).__name__ for layer in twin.get_layer("inner").layers[1:]] == ["Dense", "Dropout"]

    def test_call_function_and_models_in_models(self):
        """It is not for the Sequential inside, whose layers are not called."""
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.Sequential([layers.Dense(2)], name="inner")(inputs))
        twin = clone_model(model, call_function=lambda layer, x: layers.ReLU()(layer(x)), recursive=True)
        assert [type(layer).__name__ for layer in twin.layers[1:]] == ["Sequential", "ReLU"]
        assert len(twin.layers[1].layers) == 1

    def test_input_tensors(self):
        new = keras.Input((4,), batch_size=3, name="new")
        for given in (new, [new], (new,)):
            twin = clone_model(functional(), input_tensors=given)
            assert twin.layers[0] is new.layer
            assert twin.input_shape == (3, 4)
            model = sequential()
            twin = clone_model(model, input_tensors=given)
            assert twin.input_shape == (3, 4)
            assert twin._layers[0].name == model._layers[0].name
        assert clone_model(sequential(), input_tensors=keras.Input((7,))).weights[0].shape == (7, 5)
        middle = layers.Dense(4)(new)
        assert clone_model(functional(), input_tensors=middle).layers[0].name.endswith("CLONE")
        assert clone_model(sequential(), input_tensors=middle).input_shape == (3, 4)

    def test_subclass_with_arguments_of_its_own(self):
        class Sized(keras.Model):
            def __init__(self, size):
                inputs = keras.Input((4,))
                super().__init__(inputs, layers.Dense(size)(inputs))

        twin = clone_model(Sized(3))
        assert type(twin).__name__ == "Functional"
        assert twin.output_shape == (None, 3)

    def test_lambda(self):
        model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2, gradient=lambda x, dy: dy * 2)])
        np.testing.assert_array_equal(clone_model(model)(X), X * 2)

    def test_errors(self):
        model = sequential()
        with pytest.raises(ValueError, match="unknown arguments: cloning"):
            clone_model(model, cloning=3)
        for wrong in (layers.Dense(2), None, "model"):
            with pytest.raises(ValueError, match="`model` must be"):
                clone_model(wrong)
        with pytest.raises(ValueError, match="`call_function` is not for Sequential"):
            clone_model(model, call_function=lambda layer, x: x)
        for name in ("clone_function", "call_function"):
            with pytest.raises(ValueError, match=f"`{name}` must be a function. Received: 'copy'"):
                clone_model(functional(), **{name: "copy"})
        with pytest.raises(ValueError, match="`clone_function` must return a layer. Received: 3"):
            clone_model(model, clone_function=lambda layer: 3)
        with pytest.raises(ValueError, match="`input_tensors` must be what keras.Input"):
            clone_model(model, input_tensors=X)
        with pytest.raises(NotImplementedError, match="`input_tensors` must be one"):
            clone_model(model, input_tensors=[keras.Input((4,)), keras.Input((4,))])


class TestJson:
    @both
    def test_round_trip(self, build):
        model = build().compile("adam", "mse", metrics=["mae"])
        twin = model_from_json(model.to_json())
        assert json.loads(twin.to_json()) == json.loads(model.to_json())
        assert model_from_json(model.to_json(indent=2)).to_json() == twin.to_json()
        twin.set_weights(model.get_weights())
        assert twin.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)

    def test_custom_objects(self):
        class Mine(layers.Layer):
            def __init__(self, factor=2, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def call(self, inputs, training=False):
                return inputs * self.factor

            def backward(self, doutputs):
                return doutputs * self.factor

            def compute_output_shape(self, input_shape):
                return input_shape

        def far(y_true, y_pred):
            return np.abs(y_true - y_pred).max(-1)

        model = keras.Sequential([keras.Input((4,)), Mine(3)]).compile("sgd", "mse", metrics=[far])
        text = model.to_json()
        with pytest.raises(ValueError, match="'Mine'"):
            model_from_json(text)
        twin = model_from_json(text, custom_objects={"Mine": Mine, "far": far})
        np.testing.assert_array_equal(twin(X), X * 3)
        assert twin.evaluate(X, X, verbose=0) == model.evaluate(X, X, verbose=0)
        with keras.utils.custom_object_scope({"Mine": Mine, "far": far}):
            assert model_from_json(text).layers[0].factor == 3

    def test_custom_metrics(self):
        class Far(keras.metrics.MeanAbsoluteError):
            pass

        model = keras.Sequential([layers.Dense(4)]).compile("sgd", "mse", weighted_metrics={"dense": [Far(name="f")]})
        twin = model_from_json(model.to_json(), custom_objects={"Far": Far})
        assert set(twin.fit(X, X, verbose=0).history) == {"loss", "f"}
        assert type(twin.metrics[1]) is Far

    def test_code_is_not_run(self):
        model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x)])
        with pytest.raises(ValueError, match="[Ll]ambda"):
            model_from_json(model.to_json())

    @pytest.mark.parametrize("wrong", ["", "{", "3", "null", "[]", '"Sequential"', None, 3, b"\xff"])
    def test_no_json_of_a_model(self, wrong):
        with pytest.raises(ValueError, match="`json_string`"):
            model_from_json(wrong)

    @pytest.mark.parametrize("wrong", [{"class_name": "Dense", "config": {"units": 3}}, {}, {"class_name": "Nothing"}])
    def test_json_of_something_else(self, wrong):
        with pytest.raises(ValueError, match="describes no model|'class_name'|Unknown layer"):
            model_from_json(json.dumps(wrong))
