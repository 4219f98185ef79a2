"""Models beside Keras: what can be asked of them, copies, training of chains, and what is kept from being called."""

import inspect

import numpy as np
import pytest

import minikeras
from minikeras import registry

from .test_models import functional, models_in_functional, nested, nested_built, not_built, recurrent

X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(12, 2)).astype("float32")

LEFT_OUT = {
    "there is one type a layer, and no tensor to convert": "autocast dtype_policy",
    "how Keras traces, compiles and runs a step": "make_predict_function make_test_function make_train_function "
    "predict_function test_function train_function supports_jit symbolic_call compute_output_spec "
    "call_signature_parameters rematerialized_call input_spec operations output_names",
    "hooks of a step; an override is refused": "compute_loss compute_metrics predict_step",
    "functions without state, for JAX": "stateless_call stateless_compute_loss",
    "trees of the state": "get_state_tree set_state_tree",
    "8-bit numbers": "get_quantization_layer_structure quantization_mode quantize quantized_build quantized_call",
    "hooks of Keras' own files": "load_own_variables save_own_variables",
    "older spellings and what nobody reads": "add_metric add_variable path torch_params",
}  # public attributes of Keras' models that ours have not, by the reason

OTHER_ARGUMENTS = {
    "add_weight": {"args", "autocast", "aggregation", "overwrite_with_gradient", "shape"},  # of distributed training
    "train_step": None, "test_step": None,  # (x, y, sample_weight) for (data)
    "compile": {"input_shape", "learning_rate"},  # ours
}  # fmt: skip


@pytest.fixture(autouse=True)
def _names(keras):
    keras.backend.clear_session()
    registry.reset_auto_names()


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


@pytest.mark.parametrize("build", [nested, functional])
def test_every_public_attribute(keras, build):
    """It is here, too, or in the list with a reason."""
    import torch

    missing = public(build(keras)) - public(torch.nn.Module()) - public(build(minikeras))
    listed = {name for names in LEFT_OUT.values() for name in names.split()}
    assert missing <= listed
    if build is nested:
        assert listed - missing <= {"operations", "output_names"}, "of Functional only"


def test_signatures(keras):
    ours, theirs = nested(minikeras), nested(keras)
    for name in sorted(public(ours) & public(theirs)):
        pair = [getattr(type(model), name, None) for model in (ours, theirs)]
        other = OTHER_ARGUMENTS.get(name, set())
        if all(map(inspect.isfunction, pair)) and other is not None:
            a, b = ([p.replace(annotation=p.empty) for p in inspect.signature(f).parameters.values()] for f in pair)
            a, b = ([(p.name, p.default) for p in ps if p.kind is not p.VAR_KEYWORD] for ps in (a, b))
            assert [p for p in a if p[0] not in other] == [p for p in b if p[0] not in other], name


@pytest.mark.parametrize("is_compiled", [False, True])
def test_what_scripts_read(keras, is_compiled):
    read = []
    for k in (minikeras, keras):
        model = nested(k)
        if is_compiled:
            arguments = {"run_eagerly": True, "jit_compile": False}
            model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"], **arguments)
            model.train_on_batch(X, np.zeros((12, 3), "float32"))
        names = "run_eagerly jit_compile steps_per_execution compute_dtype variable_dtype input_dtype"
        found = {name: getattr(model, name) for name in names.split()}
        found["metrics"] = [metric.name for metric in model.metrics]
        found["results"] = sorted(model.get_metrics_result())
        read.append(found)
    # Keras 3 puts all metrics into one, "compile_metrics"; here it is as in Keras 2, where the names fit the results.
    assert read[0].pop("metrics") == (["loss", "mae", "mse"] if is_compiled else [])
    assert read[1].pop("metrics") == (["loss", "compile_metrics"] if is_compiled else [])
    assert read[0] == read[1]


class TestClone:
    @pytest.mark.parametrize(
        "build", [nested, nested_built, functional, models_in_functional, recurrent, not_built],
        ids=lambda build: build.__name__,
    )  # fmt: skip
    def test_alike(self, keras, build):
        ours, theirs = build(minikeras), build(keras)
        copies = minikeras.models.clone_model(ours), keras.models.clone_model(theirs)
        for name in ("name", "built", "trainable", "compiled"):
            assert getattr(copies[0], name) == getattr(copies[1], name), name
        assert type(copies[0]) is type(ours)
        assert [layer.name for layer in copies[0].layers] == [layer.name for layer in copies[1].layers]
        if build is not recurrent:  # Keras has built the layers inside of Bidirectional before it makes a new one
            assert [w.path for w in copies[0].weights] == [w.path for w in copies[1].weights]
        if copies[0].built:
            assert [t.name for t in copies[0].inputs] == [t.name for t in copies[1].inputs]

    def test_compiled_and_trainable(self, keras):
        found = []
        for k in (minikeras, keras):
            model = functional(k)
            model.trainable = False
            model.compile("adam", "mse", metrics=["mae"])
            copy = k.models.clone_model(model)
            flags = [layer.trainable for layer in copy.layers[1:]]
            found.append((copy.trainable, flags, copy.compiled, copy.optimizer.name, copy.loss))
            assert copy.optimizer is not model.optimizer
        assert str(found[0][:4]) == str(found[1][:4])

    def test_functions_and_inputs(self, keras):
        """Dense layers get another activation, and dropout after them; the inputs have another name and size."""
        found = []
        for k in (minikeras, keras):

            def clone(layer, k=k):
                config = layer.get_config()
                if isinstance(layer, k.layers.Dense):
                    config["activation"] = "tanh"
                return type(layer).from_config(config)

            def call(layer, x, k=k, **arguments):
                x = layer(x, **arguments)
                if isinstance(layer, k.layers.Dense):
                    x = k.layers.Dropout(0.5, name=f"{layer.name}_drop")(x)
                return x

            new = k.Input((10, 10, 1), name="new")
            for model in (
                k.models.clone_model(models_in_functional(k), clone_function=clone),
                k.models.clone_model(models_in_functional(k), clone_function=clone, recursive=True),
                k.models.clone_model(models_in_functional(k), call_function=call, recursive=True),
                k.models.clone_model(functional(k), new, clone, call),
                k.models.clone_model(functional(k), new),
                k.models.clone_model(nested(k), k.Input((9,), name="new")),
                k.models.clone_model(nested_built(k), clone_function=clone, recursive=True),
            ):
                every = list(flat(model))
                found.append([(layer.name, activation_of(layer)) for layer in every] + [model.input_shape])
        half = len(found) // 2
        for ours, theirs in zip(found[:half], found[half:]):
            assert ours == theirs


def flat(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from flat(layer)


def activation_of(layer):
    return getattr(getattr(layer, "activation", None), "__name__", None)


def chain(k):
    inputs = k.Input((6,), name="inputs")
    x = k.layers.Dense(5, activation="tanh", name="a")(inputs)
    x = k.Sequential([k.layers.BatchNormalization(name="n"), k.layers.Dense(4, name="b")], name="inner")(x)
    return k.Model(inputs, k.layers.Dense(2, name="c")(x), name="m")


def test_training(keras):
    """Beside Keras, and as a Sequential of the same layers; a part of the model follows."""
    ours, theirs = chain(minikeras), chain(keras)
    theirs.set_weights(ours.get_weights())
    flat = minikeras.Sequential([minikeras.Input((6,)), *minikeras.models.clone_model(ours).layers[1:]])
    flat.set_weights(ours.get_weights())
    histories = []
    for model in (ours, theirs, flat):
        model.compile("adam", "mse", metrics=["mae"])
        histories.append(model.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0).history)
    assert histories[0] == histories[2]
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_features_after_training(keras):
    found = []
    for k in (minikeras, keras):
        model = k.Sequential([k.Input((6,)), k.layers.Dense(5, name="a"), k.layers.Dense(2, name="b")])
        part = k.Model(model.inputs, model.get_layer("a").output)
        on_top = k.Model(model.inputs, k.layers.Dense(3, name="c")(model.layers[0].output))
        arrays = [np.linspace(-1, 1, w.size, dtype="float32").reshape(w.shape) for w in model.get_weights()]
        model.set_weights(arrays)
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
        assert [id(w) for w in part.weights] == [id(w) for w in model.layers[0].weights]
        assert [id(w) for w in on_top.weights[:2]] == [id(w) for w in model.layers[0].weights]
        found.append(part.predict(X, verbose=0))
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


def test_which_output_a_layer_has(keras):
    """That of its first call, in both."""
    for k in (minikeras, keras):
        one, two = k.layers.Dense(4, name="one"), k.layers.Dense(3, name="two")
        first = k.Sequential([k.Input((6,)), one, two])
        second = k.Sequential([k.Input((6,)), one, two])
        assert [layer.name for layer in k.Model(first.inputs, two.output).layers[1:]] == ["one", "two"]
        with pytest.raises(ValueError):
            k.Model(second.inputs, two.output)
        inner = k.Sequential([k.layers.Dense(2)], name="inner")
        outer = k.Sequential([k.Input((6,)), inner, k.layers.Dense(1)])
        assert k.Model(outer.inputs, outer.get_layer("inner").output).layers[-1] is inner
        assert outer.layers[1].input.shape == (None, 2)
