"""``keras.Model(inputs, outputs)``: chains of layers; what is no chain is refused, and nothing is changed by it."""

import copy
import json
import pickle

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(1)


def chain(**arguments):
    inputs = keras.Input((4,), name="in")
    x = layers.Dense(5, activation="tanh", name="a")(inputs)
    x = layers.BatchNormalization(name="b")(x)
    return keras.Model(inputs, layers.Dense(2, name="c")(x), **arguments)


def sequential():
    stack = [layers.Dense(5, activation="tanh", name="a"), layers.BatchNormalization(name="b"),
             layers.Dense(2, name="c")]  # fmt: skip
    return keras.Sequential([keras.Input((4,), name="in"), *stack])


class TestChains:
    def test_trains_like_a_sequential(self):
        one, other = chain(), sequential()
        other.set_weights(one.get_weights())
        for model in (one, other):
            model.compile("adam", "mse", metrics=["mae"])
        options = {"batch_size": 5, "epochs": 3, "shuffle": False, "verbose": 0}
        assert one.fit(X, Y, **options).history == other.fit(X, Y, **options).history
        for a, b in zip(one.get_weights(), other.get_weights()):
            np.testing.assert_array_equal(a, b)
        assert one.evaluate(X, Y, verbose=0) == other.evaluate(X, Y, verbose=0)

    def test_what_it_is(self):
        model = chain(name="mine")
        assert isinstance(model, keras.Model)
        assert type(model).__name__ == "Functional"
        assert model.name == "mine"
        assert [layer.name for layer in model.layers] == ["in", "a", "b", "c"]
        assert model.built
        assert model.input_shape == (None, 4)
        assert model.output_shape == (None, 2)
        assert model.input is model.inputs[0]
        assert model.output is model.outputs[0]
        assert model.get_layer("a").output.shape == (None, 5)
        assert [w.path for w in model.weights][:2] == ["a/kernel", "a/bias"]
        assert model.get_layer(index=1).input is model.input

    def test_names_are_counted(self):
        assert chain().name != chain().name
        assert chain().name.startswith("functional")

    def test_lists_of_one(self):
        inputs = keras.Input((4,))
        model = keras.Model([inputs], (layers.Dense(2)([inputs]),))
        assert model.input == [inputs]
        assert model.output == model.outputs
        assert model(X).shape == (12, 2)
        assert model.get_config()["input_layers"] == [[model.layers[0].name, 0, 0]]
        model = keras.Model(inputs, [layers.Dense(2)(inputs)])
        assert (model.input, model.output) == (inputs, model.outputs)
        assert [type(model.get_config()[key][0]) for key in ("input_layers", "output_layers")] == [str, list]

    def test_parts_share_their_weights(self):
        model = sequential().compile("adam", "mse")
        lower = keras.Model(model.inputs, model.get_layer("b").output)
        upper = keras.Model(model.get_layer("b").output, model.output)
        np.testing.assert_allclose(upper(lower(X)), model(X), rtol=1e-5, atol=1e-6)
        model.fit(X, Y, epochs=2, verbose=0)
        np.testing.assert_allclose(upper(lower(X)), model(X), rtol=1e-5, atol=1e-6)
        assert lower.weights + upper.weights == model.weights
        assert upper.layers[0].name.endswith("CLONE")
        upper.compile("sgd", "mse").fit(lower.predict(X, verbose=0), Y, verbose=0)
        np.testing.assert_allclose(upper(lower(X)), model(X), rtol=1e-5, atol=1e-6)

    def test_a_new_head(self):
        base = sequential()
        base.trainable = False
        model = keras.Model(base.inputs, layers.Dense(1, name="head")(base.layers[-2].output))
        before = base.get_weights()
        model.compile("adam", "mse").fit(X, Y[:, :1], epochs=2, verbose=0)
        for a, b in zip(before, base.get_weights()):
            np.testing.assert_array_equal(a, b)
        assert [w.path for w in model.trainable_weights] == ["head/kernel", "head/bias"]

    def test_models_in_models(self):
        inputs = keras.Input((4,))
        inner = sequential()
        model = keras.Model(inputs, layers.Dense(3)(inner(inputs)))
        outer = keras.Sequential([model, layers.ReLU()])
        np.testing.assert_allclose(outer(X), np.maximum(model(X), 0))
        np.testing.assert_allclose(model(X), model.layers[-1](inner(X)), rtol=1e-5, atol=1e-6)
        assert keras.Model(model.input, inner.output).layers[-1] is inner
        assert inner.input is model.input, "as a layer of the outer one"
        before = inner.get_weights()
        outer.compile("sgd", "mse").fit(X, np.ones((12, 3)), verbose=0)
        assert any((a != b).any() for a, b in zip(before, inner.get_weights()))

    def test_the_first_call_counts(self):
        layer, first, second = layers.Dense(3), keras.Input((4,)), keras.Input((4,))
        one, two = layer(first), layer(second)
        assert layer.output is one
        assert keras.Model(second, two).weights == keras.Model(first, one).weights

    def test_fixed_batch_and_type(self):
        inputs = keras.Input(batch_shape=(6, 4), dtype="float64")
        model = keras.Model(inputs, layers.Dense(2, dtype="float64")(inputs))
        assert model.input_shape == (6, 4)
        assert model.output_shape == (6, 2)
        assert model.inputs[0].dtype == model.outputs[0].dtype == model.dtype == "float64"
        assert model(X[:6]).dtype == np.float64

    def test_integers(self):
        inputs = keras.Input((3,), dtype="int32")
        model = keras.Model(inputs, layers.Flatten()(layers.Embedding(5, 2)(inputs)))
        assert model.predict(np.array([[0, 4, 2]]), verbose=0).shape == (1, 6)

    def test_masks_go_through(self):
        inputs = keras.Input((5,))
        x = layers.Embedding(4, 3, mask_zero=True)(inputs)
        model = keras.Model(inputs, layers.LSTM(2)(x))
        short = model.layers[2](model.layers[1](np.array([[1, 2]])))
        np.testing.assert_allclose(model(np.array([[1, 2, 0, 0, 0]])), short, rtol=1e-5)

    def test_stateful(self):
        inputs = keras.Input(batch_shape=(2, 3, 4))
        recurrent = layers.GRU(3, stateful=True)
        model = keras.Model(inputs, recurrent(inputs))
        x = RNG.normal(size=(2, 3, 4)).astype("float32")
        first, second = model(x), model(x)
        assert (first != second).any()
        recurrent.reset_state()
        np.testing.assert_array_equal(model(x), first)

    def test_paths_of_layers_in_layers(self):
        inputs, built = keras.Input((3, 4)), layers.Dense(2, name="old")
        built.build_once((None, 5))
        x = layers.TimeDistributed(built, name="each")(layers.LSTM(5, name="l", return_sequences=True)(inputs))
        assert [w.path for w in keras.Model(inputs, x).weights] == [
            "l/lstm_cell/kernel", "l/lstm_cell/recurrent_kernel", "l/lstm_cell/bias", "old/kernel", "old/bias"
        ]  # fmt: skip

    def test_weights_file(self, tmp_path):
        pytest.importorskip("h5py")
        model, other = chain(), chain()
        model.save_weights(tmp_path / "m.weights.h5")
        other.load_weights(tmp_path / "m.weights.h5")
        np.testing.assert_array_equal(model(X), other(X))


class TestCopies:
    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
    @pytest.mark.parametrize("build", [chain, sequential])
    def test_pickle_and_deepcopy(self, duplicate, build):
        model = build().compile("adam", "mse")
        model.train_on_batch(X, Y)
        part = keras.Model(model.inputs, model.get_layer("a").output)
        twin, twin_part = duplicate([model, part])
        assert twin.to_json() == model.to_json()
        assert twin_part.weights == twin.get_layer("a").weights, "shared, as before"
        assert not {id(w) for w in twin.weights} & {id(w) for w in model.weights}
        np.testing.assert_array_equal(twin_part(X), part(X))
        again = keras.Model(twin.inputs, twin.get_layer("b").output)
        assert again.layers[-1] is twin.get_layer("b")
        for each in (model, twin):
            each.train_on_batch(X, Y)
        np.testing.assert_array_equal(model(X), twin(X))

    def test_config(self):
        model = chain(trainable=False)
        config = json.loads(json.dumps(model.get_config()))
        assert not keras.Model.from_config(config).trainable
        twin = type(model).from_config(config)
        assert twin.get_config() == model.get_config()
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(model(X), twin(X))

    def test_subclass(self):
        @keras.utils.register_keras_serializable()
        class Short(keras.Model):
            def summary(self, **arguments):
                return "short"

        base = chain()
        model = Short(base.input, base.output, name="m")
        assert model.summary() == "short"
        twin = keras.models.model_from_json(model.to_json())
        assert type(twin) is Short
        assert type(keras.models.clone_model(model)) is Short


class TestRefused:
    """What is no chain: by name, and before anything is changed."""

    def test_several_inputs_or_outputs(self):
        one, two = keras.Input((4,)), keras.Input((4,))
        out = layers.Dense(2)(one)
        for arguments, name in (
            (([one, two], out), "inputs"), ((one, [out, out]), "outputs"), ((one, {"y": out}), "outputs"),
            (({"x": one}, out), "inputs"), (([], out), "inputs"),
        ):  # fmt: skip
            with pytest.raises(NotImplementedError, match=f"`{name}` must be one tensor.*without branches"):
                keras.Model(*arguments)

    def test_no_tensors(self):
        inputs = keras.Input((4,))
        outputs = layers.Dense(2)(inputs)
        for arguments, name in (((X, outputs), "inputs"), ((inputs, "y"), "outputs"), ((inputs, X), "outputs")):
            with pytest.raises(ValueError, match=f"`{name}` must be what keras.Input"):
                keras.Model(*arguments)
        with pytest.raises(ValueError, match="not made from"):
            keras.Model(keras.Input((4,)), outputs)
        with pytest.raises(ValueError, match="no layer"):
            keras.Model(inputs, inputs)

    def test_a_layer_twice(self):
        inputs, layer = keras.Input((4,)), layers.Dense(4, name="again")
        with pytest.raises(NotImplementedError, match="'again' occurs twice"):
            keras.Model(inputs, layer(layer(inputs)))
        with pytest.raises(ValueError, match="two layers named 'same'"):
            keras.Model(inputs, layers.Dense(2, name="same")(layers.Dense(2, name="same")(inputs)))

    @pytest.mark.parametrize("several", [list, tuple, lambda pair: dict(zip("ab", pair))])
    def test_a_layer_of_several_tensors(self, several):
        layer = layers.Dense(2, name="join")
        with pytest.raises(NotImplementedError, match=r"'join' \(Dense\) was called on 2 tensors"):
            layer(several([keras.Input((4,)), keras.Input((4,))]))
        assert not layer.built

    def test_arithmetic(self):
        x = keras.Input((4,), name="x")
        for operate in (
            lambda: x + 1, lambda: 1 - x, lambda: x * x, lambda: x / 2, lambda: -x, lambda: x @ x, lambda: x[:, 0],
            lambda: x**2, lambda: abs(x), lambda: x > 0, lambda: list(x),
        ):  # fmt: skip
            with pytest.raises(NotImplementedError, match="name=x> is (not supported|symbolic)"):
                operate()
        for operate in (lambda: np.exp(x), lambda: float(x), lambda: int(x)):
            with pytest.raises(ValueError, match="has no values"):
                operate()
        with pytest.raises(TypeError, match="neither true nor false"):
            bool(x)

    @pytest.mark.parametrize(
        "layer, value", [(layers.Dropout, True), (layers.Dense, True), (layers.RandomFlip, False)], ids=str
    )
    def test_training_of_one_layer(self, layer, value):
        made = layer(2, name="one") if layer is layers.Dense else layer(*[0.5][: layer is layers.Dropout], name="one")
        inputs = keras.Input((4, 4, 1))
        with pytest.raises(NotImplementedError, match=f"'one' .* training={value}"):
            made(inputs, training=value)
        assert not made.built
        made(inputs, training=not value)

    def test_mask_of_one_layer(self):
        with pytest.raises(NotImplementedError, match="'soft' .* mask"):
            layers.Softmax(name="soft")(keras.Input((4,)), mask=np.ones(4, bool))

    def test_models_with_code(self):
        class Subclass(keras.Model):
            def __init__(self):
                super().__init__()

        class Called(keras.Sequential):
            def call(self, inputs, training=None):
                return inputs

        class Stepped(keras.Sequential):
            def train_step(self, data):
                return {}

        class Loss(Stepped):
            def compute_loss(self, **arguments):
                return 0

        class Inherits(Stepped):
            pass

        for cls, words in (
            (Subclass, "Subclass was made without"), (Called, "Called overrides `call`"),
            (Inherits, "Stepped overrides `train_step"),
            (Stepped, "Stepped overrides `train_step"), (Loss, "Loss overrides `compute_loss"),
        ):  # fmt: skip
            with pytest.raises(NotImplementedError, match=words):
                cls()

    def test_a_step_of_ones_own(self):
        seen = []

        class Counting(keras.Sequential):
            def train_step(self, x, y, sample_weight=None):
                seen.append(len(x))
                return super().train_step(x, y, sample_weight)

        Counting([layers.Dense(2)]).compile("sgd", "mse").fit(X, Y, batch_size=5, verbose=0)
        assert seen == [5, 5, 2]

    def test_files_and_formats(self, tmp_path):
        for refuse in (
            lambda: chain().save(tmp_path / "m.keras"), lambda: keras.models.save_model(chain(), tmp_path / "m.keras"),
            lambda: keras.models.load_model(tmp_path / "m.keras"), lambda: chain().export(tmp_path / "m"),
            lambda: chain().save_weights(tmp_path / "m.weights.h5", max_shard_size=1),
        ):  # fmt: skip
            with pytest.raises(NotImplementedError):
                refuse()
        assert not list(tmp_path.iterdir())

    def test_another_shape(self):
        model = chain()
        model.build((7, 4))
        with pytest.raises(ValueError, match=r"\(None, 4\) already.*\(None, 5\)"):
            model.build((None, 5))


class TestNothingIsHalfChanged:
    def test_by_a_call_that_fails(self):
        inner = keras.Sequential([layers.Dense(3), layers.Reshape((2, 2))])
        for layer, shape in ((inner, (4,)), (layers.MaxPooling2D(9), (4, 4, 1)), (layers.Conv2D(2, 9), (4, 4, 1))):
            before = set(vars(layer))
            with pytest.raises(ValueError):
                layer(keras.Input(shape))
            assert not layer.built
            assert layer.weights == []
            assert set(vars(layer)) == before
            with pytest.raises(AttributeError, match="no outputs yet|no defined input shape"):
                _ = layer.output
        layers.Conv2D(2, 9)(keras.Input((9, 9, 1)))

    def test_by_a_model_that_is_not_made(self):
        inputs = keras.Input((4,))
        dense = layers.Dense(2)
        outputs = dense(inputs)
        with pytest.raises(NotImplementedError):
            keras.Model([inputs, inputs], outputs)
        assert dense.output is outputs
        assert keras.Model(inputs, outputs)(X).shape == (12, 2)

    def test_by_a_sequential_that_does_not_fit(self):
        built, new = layers.Dense(3), layers.Dense(2)
        built.build_once((None, 4))
        path = built.kernel.path
        model = keras.Sequential([built, new, layers.Reshape((7,))])
        with pytest.raises(ValueError):
            model.build((None, 4))
        assert not new.built
        assert not model.built
        assert [layer.name for layer in model._layers] == [built.name, new.name, model.layers[-1].name]
        model.pop()
        model.build((None, 4))
        assert built.kernel.path == path, "as it was when it was built"
        assert new.kernel.path == f"{model.name}/{new.name}/kernel"
        assert keras.Model(model.inputs, built.output)(X).shape == (12, 3)


class TestConfigsThatAreNoChains:
    def config(self):
        return json.loads(json.dumps(chain().get_config()))

    def test_refused(self):
        def shared(c):
            c["layers"][1]["inbound_nodes"] *= 2

        def several(c):
            c["layers"][3]["inbound_nodes"][0]["args"] *= 2

        def listed(c):
            c["layers"][3]["inbound_nodes"][0]["args"] = [c["layers"][3]["inbound_nodes"][0]["args"]]

        def extra(c):
            c["layers"][3]["inbound_nodes"][0]["kwargs"] = {"initial_state": 3}

        def backwards(c):
            c["layers"].reverse()

        def two(c):
            c["output_layers"] = [["b", 0, 0], ["c", 0, 0]]

        def named(c):
            c["input_layers"] = {"x": ["in", 0, 0]}

        def training(c):
            c["layers"][2]["inbound_nodes"][0]["kwargs"] = {"training": True}

        def second_call(c):
            c["layers"][3]["inbound_nodes"][0]["args"][0]["config"]["keras_history"][1] = 1

        spoilers = (second_call, shared, several, listed, extra, backwards, two, named, training)
        for spoil in spoilers:
            config = self.config()
            spoil(config)
            with pytest.raises(NotImplementedError, match="'[abc]'|must be one tensor"):
                keras.Model.from_config(config)

    @pytest.mark.parametrize("key", ["layers", "input_layers", "output_layers"])
    def test_missing(self, key):
        config = self.config()
        del config[key]
        with pytest.raises(ValueError, match=f"has the key '{key}'"):
            keras.Model.from_config(config)
