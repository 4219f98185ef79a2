"""Sequential: layers put on and taken off, shapes in all four ways, weights, copies, several threads."""

import copy
import pickle
import threading

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


def dense(**arguments):
    return keras.Sequential([
        keras.Input((4,)), layers.Dense(5, activation="relu", name="first"), layers.BatchNormalization(name="norm"),
        layers.Dense(2, name="last"),
    ], **arguments)  # fmt: skip


def nested():
    inner = keras.Sequential([layers.Dense(3, name="a"), layers.BatchNormalization(name="b")], name="inner")
    outer = keras.Sequential([inner, layers.ReLU(name="c")], name="outer")
    stack = [layers.Dense(4, name="d"), outer, layers.Dense(2, name="e")]
    return keras.Sequential([keras.Input((4,)), *stack], name="model")


def by_hand(model, x):
    """What the layers make of x, one after the other."""
    for layer in model.layers:
        x = by_hand(layer, x) if isinstance(layer, keras.Sequential) else layer(x)
    return x


def changed(model, *names):
    """Train a step; return the names of the layers whose weights have changed, of all that are named."""
    found = {name: find(model, name) for name in names}
    before = {name: layer.get_weights() for name, layer in found.items()}
    model.train_on_batch(X, Y)
    return {
        name for name, layer in found.items()
        if any((a != b).any() for a, b in zip(before[name], layer.get_weights()))
    }  # fmt: skip


def find(model, name):
    for layer in model.layers:
        if layer.name == name:
            return layer
        if isinstance(layer, keras.Sequential) and (inner := find(layer, name)):
            return inner
    return None


class TestStack:
    def test_list_and_add_are_the_same(self):
        one = dense()
        other = keras.Sequential()
        other.add(keras.Input((4,)))
        for layer in (layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(2)):
            other.add(layer)
        assert other.built
        other.set_weights(one.get_weights())
        np.testing.assert_array_equal(one.predict(X, verbose=0), other.predict(X, verbose=0))

    def test_layers_are_those_added_without_the_input(self):
        stack = [layers.Dense(3), layers.ReLU()]
        model = keras.Sequential([keras.Input((4,)), *stack])
        assert all(a is b for a, b in zip(model.layers, stack))
        assert len(model.layers) == 2
        model.layers.clear()
        assert len(model.layers) == 2, "the list is the caller's own"

    def test_the_list_given_is_not_changed(self):
        given = [layers.Dense(3, input_shape=(4,))]
        model = keras.Sequential(given)
        model.add(layers.Dense(2))
        assert len(given) == 1

    def test_pop(self):
        model = dense()
        last = model.layers[-1]
        assert model.pop() is last
        assert model.built
        assert model.output_shape == (None, 5)
        assert model.predict(X, verbose=0).shape == (12, 5)
        model.add(layers.Dense(3))
        assert model.predict(X, verbose=0).shape == (12, 3)
        while model.layers:
            model.pop()
        with pytest.raises(TypeError, match="no layers in the model to pop"):
            model.pop()

    def test_pop_and_train_again(self):
        model = dense().compile("adam", "mse")
        model.fit(X, Y, verbose=0)
        model.pop()
        model.add(layers.Dense(1))
        model.compile("adam", "mse").fit(X, Y[:, :1], verbose=0)
        assert model.predict(X, verbose=0).shape == (12, 1)

    def test_the_shape_of_the_first_batch_is_kept(self):
        model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
        model(X)
        model.pop()
        assert model.built
        model.add(layers.Dense(5))
        assert model.output_shape == (None, 5)
        with pytest.raises(ValueError, match="already"):
            model.build((None, 7))

    def test_get_layer(self):
        model = dense()
        assert model.get_layer("norm") is model.layers[1]
        assert model.get_layer(index=0) is model.layers[0]
        assert model.get_layer(index=-1) is model.layers[-1]
        with pytest.raises(ValueError, match="No such layer: 'nothing'. Existing layers: first, norm, last"):
            model.get_layer("nothing")
        with pytest.raises(ValueError, match="`index` must be less than .* 3. Received: 3"):
            model.get_layer(index=3)
        for arguments in ({}, {"name": "first", "index": 0}):
            with pytest.raises(ValueError, match="either `name` or `index`"):
                model.get_layer(**arguments)

    @pytest.mark.parametrize("wrong", ["dense", 3, None, np.zeros(3), lambda x: x, keras.losses.MeanSquaredError()])
    def test_wrong_types(self, wrong):
        with pytest.raises(TypeError, match="made of layers. Received: "):
            keras.Sequential([wrong])
        with pytest.raises(TypeError, match="made of layers. Received: "):
            dense().add(wrong)

    def test_a_class_for_an_object(self):
        with pytest.raises(TypeError, match="the class, and not an object"):
            keras.Sequential([layers.Flatten])

    @pytest.mark.parametrize("wrong", ["dense", 3, layers.Dense(2), {"a": layers.Dense(2)}])
    def test_wrong_list(self, wrong):
        with pytest.raises(TypeError, match="`layers` must be a list of layers"):
            keras.Sequential(wrong)

    def test_duplicates(self):
        with pytest.raises(ValueError, match="second layer named 'same'.*another `name`"):
            keras.Sequential([layers.Dense(2, name="same"), layers.ReLU(name="same")])
        layer = layers.Dense(2)
        with pytest.raises(ValueError, match="in the model already"):
            keras.Sequential([layer, layer])
        shared = layers.Dense(4)
        with pytest.raises(ValueError, match="occurs twice"):
            keras.Sequential([keras.Input((4,)), shared, keras.Sequential([shared])])

    def test_input_comes_first_and_once(self):
        with pytest.raises(ValueError, match="must come first"):
            keras.Sequential([layers.Dense(2), keras.Input((2,))])
        with pytest.raises(ValueError, match="must come first"):
            keras.Sequential([keras.Input((2,)), keras.Input((2,))])

    def test_names(self):
        first, second = keras.Sequential(), keras.Sequential()
        assert first.name != second.name
        assert dense(name="mine").name == "mine"
        assert dense(name="mine").weights[0].path == "mine/first/kernel"

    def test_no_layers(self):
        with pytest.raises(ValueError, match="no layers yet"):
            keras.Sequential().compile("adam", "mse", input_shape=(3,))


class TestShapes:
    """The four ways in which a model gets to know the shape of its inputs."""

    def body(self, **first):
        return [layers.Conv2D(2, 3, **first), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(3)]

    @pytest.mark.parametrize("shape", [(8, 8, 1), [8, 8, 1], (np.int64(8), 8, 1)])
    def test_compile(self, shape):
        model = keras.Sequential(self.body())
        assert not model.built
        assert model.compile("sgd", "mse", input_shape=shape) is model
        self.check(model)

    @pytest.mark.parametrize("shape", [(8, 8, 1), [8, 8, 1]])
    def test_input(self, shape):
        self.check(keras.Sequential([keras.Input(shape), *self.body()]))
        self.check(keras.Sequential([layers.InputLayer(shape=shape), *self.body()]))

    def test_first_layer(self):
        self.check(keras.Sequential(self.body(input_shape=(8, 8, 1))))
        self.check(keras.Sequential(self.body(batch_input_shape=(None, 8, 8, 1))))

    def test_build(self):
        model = keras.Sequential(self.body())
        model.build((None, 8, 8, 1))
        self.check(model)
        model.build((5, 8, 8, 1))  # the same again
        with pytest.raises(ValueError, match=r"\(None, 8, 8, 1\) already. Received input_shape=\(None, 9, 8, 1\)"):
            model.build((None, 9, 8, 1))

    @pytest.mark.parametrize("method", ["fit", "train_on_batch", "evaluate", "test_on_batch", "call"])
    def test_first_batch(self, method):
        model = keras.Sequential(self.body()).compile("sgd", "mse")
        assert not model.built
        x, y = np.zeros((5, 8, 8, 1)), np.zeros((5, 3))
        {
            "fit": lambda: model.fit(x, y, verbose=0), "evaluate": lambda: model.evaluate(x, y, verbose=0),
            "train_on_batch": lambda: model.train_on_batch(x, y), "test_on_batch": lambda: model.test_on_batch(x, y),
            "call": lambda: model(x),
        }[method]()  # fmt: skip
        self.check(model)

    def check(self, model):
        assert model.built
        assert model.input_shape == (None, 8, 8, 1)
        assert model.output_shape == (None, 3)
        shapes = [layer.output_shape for layer in model.layers]
        assert shapes == [(None, 6, 6, 2), (None, 3, 3, 2), (None, 18), (None, 3)]
        assert model.layers[1].input_shape == (None, 6, 6, 2)
        assert model.count_params() == 20 + 57

    def test_not_known(self):
        model = keras.Sequential(self.body())
        for attribute in ("input_shape", "output_shape"):
            with pytest.raises(AttributeError, match="no defined input shape yet"):
                getattr(model, attribute)
            with pytest.raises(AttributeError, match="no defined shapes yet"):
                getattr(model.layers[0], attribute)
        with pytest.raises(ValueError, match=r"not built.*model\.build"):
            model.count_params()
        assert model.weights == []

    @pytest.mark.parametrize("wrong", [8, "8", (8, 8, 0), (8, -1, 1), (8.0, 8, 1), (True, 8, 1), {8}])
    def test_wrong(self, wrong):
        for build in (
            lambda: keras.Sequential(self.body()).compile("sgd", "mse", input_shape=wrong),
            lambda: keras.Sequential([keras.Input(wrong), *self.body()]),
            lambda: keras.Sequential(self.body(input_shape=wrong)),
        ):
            with pytest.raises(ValueError, match="shape` must"):
                build()

    def test_compile_against_the_input(self):
        model = keras.Sequential([keras.Input((8, 8, 1)), *self.body()])
        model.compile("sgd", "mse", input_shape=(8, 8, 1))
        with pytest.raises(ValueError, match=r"Received input_shape=\(None, 9, 9, 1\)"):
            model.compile("sgd", "mse", input_shape=(9, 9, 1))

    def test_a_shape_that_does_not_fit_can_be_corrected(self):
        """Nothing is built for a shape that does not fit, so that the next one has a fresh start."""
        model = keras.Sequential([layers.Conv2D(2, 3), layers.Conv2D(2, 5), layers.Flatten(), layers.Dense(3)])
        with pytest.raises(ValueError, match="conv2d"):
            model.compile("sgd", "mse", input_shape=(6, 6, 3))
        model.compile("sgd", "mse", input_shape=(8, 8, 1))
        assert model(np.zeros((2, 8, 8, 1))).shape == (2, 3)

    def test_a_layer_that_does_not_fit_is_not_added(self):
        model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
        with pytest.raises(ValueError, match="too_large"):
            model.add(layers.MaxPooling2D(9, name="too_large"))
        assert len(model.layers) == 1
        assert model(np.zeros((1, 8, 8, 1))).shape == (1, 6, 6, 2)
        model.add(layers.MaxPooling2D(6))
        assert model.output_shape == (None, 1, 1, 2)

    def test_batch_size(self):
        model = keras.Sequential([keras.Input((4,), batch_size=6), layers.Dense(2)])
        assert model.input_shape == (6, 4)
        assert model.output_shape == (6, 2)

    def test_sizes_that_may_vary(self):
        model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])
        assert model.layers[0].output_shape == (None, None, None, 4)
        for size in (5, 9, 7):
            assert model.predict(np.zeros((2, size, size + 1, 3)), verbose=0).shape == (2, 4)

    def test_learning_rate(self):
        model = keras.Sequential(self.body()).compile("sgd", "mse", learning_rate=0.25, input_shape=(8, 8, 1))
        assert model.optimizer.learning_rate == 0.25


def lenet(**arguments):
    return keras.Sequential([
        layers.Conv2D(filters=6, kernel_size=5, strides=1, padding="valid", activation="relu", **arguments),
        layers.AveragePooling2D(pool_size=2, strides=2, **arguments),
        layers.Conv2D(16, 5, activation="relu", **arguments),
        layers.AveragePooling2D(pool_size=2, strides=2, **arguments),
        layers.Flatten(**arguments),
        layers.Dense(120, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


class TestChannelsFirst:
    def test_set_for_all(self):
        keras.config.set_image_data_format("channels_first")
        try:
            self.check(lenet())
        finally:
            keras.config.set_image_data_format("channels_last")

    def test_on_the_layers(self):
        self.check(lenet(data_format="channels_first"))

    def check(self, model):
        assert model.compile(optimizer="sgd", loss="cce", learning_rate=0.01, input_shape=[1, 32, 32]) is model
        assert [layer.output_shape for layer in model.layers[:5]] == [
            (None, 6, 28, 28), (None, 6, 14, 14), (None, 16, 10, 10), (None, 16, 5, 5), (None, 400)
        ]  # fmt: skip
        x = RNG.random((4, 1, 32, 32))
        last = lenet(data_format="channels_last").compile("sgd", "cce", input_shape=[32, 32, 1])
        last.set_weights(model.get_weights())
        np.testing.assert_allclose(model(x), last(x.transpose(0, 2, 3, 1)), atol=1e-5)
        losses = [model.train_on_batch(x, np.eye(10)[:4]) for _ in range(20)]
        assert losses[-1] < losses[0]

    def test_without_either(self):
        """Rows 28 and 31."""
        with pytest.raises(ValueError, match="channels_first") as caught:
            lenet().compile(optimizer="sgd", loss="cce", learning_rate=0.01, input_shape=[1, 32, 32])
        assert "data_format" in str(caught.value)
        assert "transpose" in str(caught.value)


class TestCall:
    @pytest.mark.parametrize("build", [dense, nested])
    def test_is_its_layers_one_after_the_other(self, build):
        model = build()
        np.testing.assert_allclose(model(X), by_hand(model, X), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model(X), model.predict(X, verbose=0))

    def test_training(self):
        model = dense()
        assert not np.allclose(model(X), model(X, training=True))

    @pytest.mark.parametrize(
        "run", [lambda m, x: m(x), lambda m, x: m.predict(x, verbose=0), lambda m, x: m.predict_on_batch(x)]
    )
    def test_results_are_the_callers_own(self, run):
        for model in (dense(), keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)]), nested()):
            first = run(model, X)
            kept = first.copy()
            other = run(model, -X)
            np.testing.assert_array_equal(first, kept)
            assert not np.shares_memory(first, other)
            first[...] = 7
            np.testing.assert_array_equal(run(model, -X), other)
            assert not np.shares_memory(run(model, X), X)

    def test_inputs_are_not_changed(self):
        for model in (dense(), nested(), keras.Sequential([keras.Input((4,)), layers.ReLU(), layers.Softmax()])):
            x = X.copy()
            model(x), model.predict(x, verbose=0), model(x, training=True)
            model.compile("adam", "mse")
            np.testing.assert_array_equal(x, X)

    @pytest.mark.parametrize(
        "x", [X.tolist(), X.astype("float64"), (X * 10).astype("int8"), np.asfortranarray(X), X[::-1]]
    )
    def test_other_arrays(self, x):
        model = dense()
        np.testing.assert_allclose(model(x), model(np.ascontiguousarray(x, "float32")), atol=1e-6)

    def test_wrong_shape(self):
        with pytest.raises(ValueError, match=r"\(None, 4\).*\(12, 3\)"):
            dense()(X[:, :3])

    def test_several_threads(self):
        """One model, many callers: each gets the outputs for its own inputs."""
        model = keras.Sequential([
            keras.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
            layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(3, activation="softmax"),
        ])  # fmt: skip
        inputs = [RNG.random((n, 12, 12, 1)).astype("float32") for n in (1, 3, 40, 8)]
        expected = [model.predict(x, verbose=0) for x in inputs]
        wrong = []

        def work(x, right):
            for _ in range(25):
                for outputs in (model.predict(x, verbose=0), model(x), model.predict(x, batch_size=7, verbose=0)):
                    if not np.allclose(outputs, right, atol=1e-6):
                        wrong.append(len(x))

        workers = [threading.Thread(target=work, args=pair) for pair in zip(inputs, expected)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert not wrong


class TestWeights:
    def test_order(self):
        assert [w.path for w in dense(name="m").weights] == [
            "m/first/kernel", "m/first/bias", "m/norm/gamma", "m/norm/beta", "m/norm/moving_mean",
            "m/norm/moving_variance", "m/last/kernel", "m/last/bias",
        ]  # fmt: skip
        assert [w.path for w in nested().weights][2:5] == [
            "model/outer/inner/a/kernel", "model/outer/inner/a/bias", "model/outer/inner/b/gamma"
        ]  # fmt: skip

    @pytest.mark.parametrize("build", [dense, nested])
    def test_kinds(self, build):
        model = build()
        kinds = model.trainable_weights, model.non_trainable_weights
        assert {w.name for w in kinds[1]} == {"moving_mean", "moving_variance"}
        assert sorted(map(id, kinds[0] + kinds[1])) == sorted(map(id, model.weights))
        assert list(map(id, model.variables)) == list(map(id, model.weights))
        assert list(map(id, model.trainable_variables)) == list(map(id, kinds[0]))
        assert model.count_params() == sum(w.size for w in model.get_weights())

    def test_get_and_set(self):
        model, other = nested(), nested()
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(model(X), other(X))
        copies = model.get_weights()
        copies[0][...] = 0
        assert model.get_weights()[0].any(), "copies are the caller's own"
        other.set_weights([w.tolist() for w in model.get_weights()])
        np.testing.assert_array_equal(model(X), other(X))

    def test_all_is_checked_before_any_is_set(self):
        model = dense()
        before = model.get_weights()
        for spoil in (
            [np.zeros_like(w) for w in before[:-1]],
            [*(np.zeros_like(w) for w in before[:-1]), np.zeros(3)],
            [],
        ):
            with pytest.raises(ValueError, match="`weights`|'bias'|last/bias"):
                model.set_weights(spoil)
            for a, b in zip(before, model.get_weights()):
                np.testing.assert_array_equal(a, b)

    def test_set_weights_of_one_layer(self):
        model = dense().compile("sgd", "mse", learning_rate=1e-9)
        model.train_on_batch(X, Y)  # the optimizer lays the weights side by side
        model.layers[-1].set_weights([np.zeros((5, 2)), np.array([3.0, 4.0])])
        np.testing.assert_array_equal(model(X), np.broadcast_to(np.float32([3, 4]), (12, 2)))
        model.train_on_batch(X, Y)
        np.testing.assert_allclose(model.layers[-1].get_weights()[1], [3, 4], atol=1e-6)


class TestTrainable:
    def test_a_layer(self):
        model = dense()
        model.get_layer("first").trainable = False
        assert [w.path.split("/")[1] for w in model.trainable_weights] == ["norm", "norm", "last", "last"]
        assert len(model.non_trainable_weights) == 4
        model.compile("adam", "mse")
        assert changed(model, "first", "norm", "last") == {"norm", "last"}

    def test_after_compile(self):
        """Freezing takes effect at the next step, thawing after the next compile at the latest."""
        model = dense().compile("sgd", "mse")
        assert changed(model, "first", "norm", "last") == {"first", "norm", "last"}
        model.get_layer("last").trainable = False
        model.compile("sgd", "mse")
        assert changed(model, "first", "norm", "last") == {"first", "norm"}
        model.get_layer("last").trainable = True
        model.compile("sgd", "mse")
        assert changed(model, "first", "norm", "last") == {"first", "norm", "last"}

    def test_after_compile_without_compiling_again(self):
        model = dense().compile("adam", "mse")
        model.train_on_batch(X, Y)
        model.get_layer("last").trainable = False
        assert changed(model, "first", "norm", "last") == {"first", "norm"}

    def test_frozen_batch_normalization(self):
        """It uses and keeps its moving statistics."""
        model = dense()
        model.get_layer("norm").trainable = False
        np.testing.assert_array_equal(model(X), model(X, training=True))
        model.compile("sgd", "mse")
        assert changed(model, "first", "norm", "last") == {"first", "last"}

    @pytest.mark.parametrize("name, frozen", [("outer", "ab"), ("inner", "ab"), ("a", "a"), ("d", "d"), ("e", "e")])
    def test_nested(self, name, frozen):
        model = nested()
        find(model, name).trainable = False
        model.compile("sgd", "mse")
        assert changed(model, *"abde") == set("abde") - set(frozen)

    def test_the_whole_model(self):
        model = nested()
        model.trainable = False
        assert model.trainable_weights == []
        assert len(model.non_trainable_weights) == len(model.weights)
        assert not find(model, "a").trainable
        model.compile("sgd", "mse")
        with pytest.warns(UserWarning, match="no trainable weights"):
            names = changed(model, *"abde")
        assert names == set()
        model.trainable = True
        assert len(model.trainable_weights) == 8

    def test_transfer(self):
        """The layers of a trained model at the bottom of another one, frozen."""
        base = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="one"), layers.Dense(3, name="two")])
        base.trainable = False
        before = base.get_weights()
        model = keras.Sequential([keras.Input((4,)), base, layers.Dense(2, name="head")])
        model.compile("adam", "mse").fit(X, Y, epochs=2, verbose=0)
        assert all((a == b).all() for a, b in zip(before, base.get_weights()))
        np.testing.assert_allclose(model(X), model.get_layer("head")(base(X)), rtol=1e-5, atol=1e-6)


class TestNested:
    def test_trains_like_a_flat_one(self):
        flat = keras.Sequential([
            keras.Input((4,)), layers.Dense(4), layers.Dense(3), layers.BatchNormalization(), layers.ReLU(),
            layers.Dense(2),
        ])  # fmt: skip
        deep = nested()
        deep.set_weights(flat.get_weights())
        for model in (flat, deep):
            model.compile("adam", "mse").fit(X, Y, epochs=3, batch_size=5, shuffle=False, verbose=0)
        for a, b in zip(flat.get_weights(), deep.get_weights()):
            np.testing.assert_array_equal(a, b)

    def test_shapes(self):
        outer = nested().get_layer("outer")
        assert outer.input_shape == (None, 4)
        assert outer.output_shape == (None, 3)
        assert [layer.name for layer in outer.layers] == ["inner", "c"]

    def test_a_part_runs_by_itself(self):
        model = nested()
        features = model.get_layer("outer")(model.get_layer("d")(X))
        np.testing.assert_allclose(model.get_layer("e")(features), model(X), rtol=1e-5, atol=1e-6)

    def test_built_before(self):
        inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
        kernel = inner.get_weights()[0]
        model = keras.Sequential([inner, layers.Dense(2)])
        assert model.input_shape == (None, 4)
        np.testing.assert_array_equal(model.get_weights()[0], kernel)
        other = keras.Sequential([keras.Input((5,)), layers.ReLU()])
        with pytest.raises(ValueError, match="shape"):
            other.add(inner)


def double():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="float64"), layers.Dense(2, dtype="float64")])


class TestFloat64:
    def test_all_of_it(self):
        keras.config.set_floatx("float64")
        try:
            model = nested()
        finally:
            keras.config.set_floatx("float32")
        assert {w.dtype for w in model.weights} == {"float64"}
        x = RNG.normal(size=(3, 4))
        assert model(x).dtype == model.predict(x, verbose=0).dtype == np.float64
        assert (model(x) != model(x.astype("float32"))).any(), "inputs are not rounded"
        model.compile("adam", "mse").fit(X, Y, verbose=0)

    def test_by_layer(self):
        model = double()
        assert model.predict(X, verbose=0).dtype == np.float64
        np.testing.assert_allclose(model(X), by_hand(model, X.astype("float64")), rtol=1e-14)
        model.compile("sgd", "mse").fit(X, Y, verbose=0)


def compiled(build):
    return build().compile("adam", keras.losses.MeanSquaredError(), metrics=["mae"])


class TestCopies:
    @pytest.mark.parametrize("build", [dense, nested, double])
    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
    @pytest.mark.parametrize("steps", [None, 0, 3])
    def test_train_on_alike_and_apart(self, build, duplicate, steps):
        model = build() if steps is None else compiled(build)
        for _ in range(steps or 0):
            model.train_on_batch(X, Y)
        twin = duplicate(model)
        np.testing.assert_array_equal(model(X), twin(X))
        assert [w.path for w in model.weights] == [w.path for w in twin.weights]
        before = model.get_weights()
        if steps is None:
            twin.compile("sgd", "mse")
        twin.train_on_batch(X, Y)
        for a, b in zip(before, model.get_weights()):
            np.testing.assert_array_equal(a, b)
        if steps is not None:
            model.train_on_batch(X, Y)
            for a, b in zip(twin.get_weights(), model.get_weights()):
                np.testing.assert_array_equal(a, b)
            assert twin.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)

    def test_not_built(self):
        model = keras.Sequential([layers.Dense(3)])
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert twin(X).shape == (12, 3)
        assert not model.built

    def test_config(self):
        model = nested()
        twin = keras.Sequential.from_config(model.get_config())
        assert twin.get_config() == model.get_config()
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(model(X), twin(X))


def test_asking_for_a_shape_does_not_build():
    model = keras.Sequential([layers.Dense(3)])
    assert model.compute_output_shape((None, 8)) == (None, 3)
    model.build((None, 10))
    assert model.layers[0].kernel.shape == (10, 3)
