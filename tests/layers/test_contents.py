"""Layers inside of layers, masks, and penalties of outputs."""

import numpy as np
import pytest
from checks import check_layer, settings

from minikeras import Sequential, Variable, layers
from minikeras.layers import Layer


class Block(Layer):
    """Two dense layers with a sum around them: y = x + outer(inner(x))."""

    def __init__(self, units=4, rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate
        self.inner = layers.Dense(units, activation="tanh", kernel_regularizer="l2", name="inner")
        self.rest = [layers.Dense(3, name="outer"), layers.Dropout(rate)]

    def call(self, inputs, training=False):
        x = self.inner(inputs, training=training)
        for layer in self.rest:
            x = layer(x, training=training)
        return inputs + x

    def backward(self, doutputs):
        dx = doutputs
        for layer in [*self.rest[::-1], self.inner]:
            dx = layer.run_backward(dx.copy())
        return doutputs + dx

    def compute_output_shape(self, input_shape):
        return input_shape


def test_derivatives():
    check_layer(lambda: Block(), (3,), config_round_trip=False)


def test_weights_are_tracked():
    block = Block(name="block")
    model = Sequential([block, layers.Dense(1, name="last")], name="model")
    model.build((None, 3))
    assert [w.path for w in model.weights] == [
        "model/block/inner/kernel", "model/block/inner/bias", "model/block/outer/kernel", "model/block/outer/bias",
        "model/last/kernel", "model/last/bias",
    ]  # fmt: skip
    assert model.count_params() == 12 + 4 + 12 + 3 + 3 + 1
    assert model.losses == [pytest.approx(0.01 * np.sum(block.inner.kernel.value**2), rel=1e-6)]
    block.trainable = False
    assert [w.path for w in model.trainable_weights] == ["model/last/kernel", "model/last/bias"]
    assert [w.name for w in model.non_trainable_weights] == ["kernel", "bias"] * 2
    assert not block.inner.trainable
    assert not any(layer.trainable for layer in block.rest)


def test_they_are_trained_and_saved(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    model = Sequential([Block(rate=0.1), layers.Dense(1)]).compile("adam", "mse", input_shape=(3,))
    before = model.get_weights()
    model.fit(x, y, epochs=2, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))
    model.save_weights(tmp_path / "m.weights.h5")
    other = Sequential([Block(rate=0.1), layers.Dense(1)]).compile("adam", "mse", input_shape=(3,))
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    small = Sequential([layers.Dense(3), layers.Dense(1)]).compile("adam", "mse", input_shape=(3,))
    with pytest.raises(ValueError, match="layers/block is left over: 4 weights"):
        small.load_weights(tmp_path / "m.weights.h5")


def test_layers_and_variables_in_dicts_and_nested_lists(tmp_path):
    class Nested(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.branches = {"a": layers.Dense(2, name="a"), "b": [[layers.Dense(2, name="b")]]}
            self.scale = Variable(np.ones(2, "float32"), name="scale")

        def call(self, inputs, training=False):
            (self.b,), self.a = self.branches["b"][0], self.branches["a"]
            self.total = self.a(inputs) + self.b(inputs)
            return self.total * self.scale

        def backward(self, doutputs):
            self.scale.grad = (doutputs * self.total).sum(axis=0)
            d = doutputs * self.scale
            return self.a.run_backward(d.copy()) + self.b.run_backward(d.copy())

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 2)

    def make():
        return Sequential([Nested(name="nested")]).compile("sgd", "mse", input_shape=(3,))

    model, x = make(), np.random.default_rng(0).random((8, 3), "float32")
    paths = ["nested/scale", *(f"nested/{name}/{weight}" for name in "ab" for weight in ("kernel", "bias"))]
    assert [weight.path.split("/", 1)[-1] for weight in model.weights] == paths
    assert model.weights[0] is model.layers[0].scale
    places = [place for place, _ in model.layers[0].sublayers]
    model.layers[0].built = False
    assert [place for place, _ in model.layers[0].sublayers] == places
    model.layers[0].built = True
    before = model.get_weights()
    model.train_on_batch(x, x[:, :2] + 1)
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))
    model.save_weights(tmp_path / "nested.weights.h5")
    other = make()
    other.load_weights(tmp_path / "nested.weights.h5")
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_variables_are_weights_in_the_order_in_which_they_were_made():
    class Line(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.start = self.alias = Variable([1.0])
            self.counts = [Variable(0.0, trainable=False)]

        def build(self, input_shape):
            self.kernel = self.add_weight((2,), name="kernel")
            self.end = Variable(3.0)

        def call(self, inputs):
            return inputs * self.start + self.end

    layer = Line()
    np.testing.assert_array_equal(layer(np.ones((1, 2))), [[4, 4]])
    expected = [layer.start, layer.kernel, layer.end, *layer.counts]
    assert [id(weight) for weight in layer.weights] == [id(weight) for weight in expected]
    assert len(layer.trainable_weights) == 3
    tied = Line()
    tied.other = layer.kernel  # of another layer, which trains it
    tied(np.ones((1, 2)))
    assert len(tied.weights) == 4


def test_layers_that_come_too_late():
    block, x = Block(units=3), np.ones((4, 3), "float32")
    model = Sequential([block]).compile("sgd", "mse", input_shape=(3,))
    model.train_on_batch(x, x)
    block.rest.append(layers.Dense(3, name="late"))
    with pytest.raises(ValueError, match=r"given layers after it was built, \['late'\]"):
        model.fit(x, x, verbose=0)


def test_build_by_hand():
    """As Keras' guides do it. The first call must not make the weights again."""

    class Outer(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = [layers.Dense(2), layers.BatchNormalization(), layers.Dropout(0.5)]

        def build(self, input_shape):
            for layer in self.inner:
                layer.build(input_shape)
                input_shape = layer.compute_output_shape(input_shape)
            super().build(input_shape)

        def call(self, inputs, training=False):
            for layer in self.inner:
                inputs = layer(inputs)
            return inputs

    for layer, count in ((Outer(), 18), (layers.Dense(2), 10), (layers.LSTM(2), 56), (layers.Dropout(0.5), 0)):
        layer.build((None, 3, 4) if count == 56 else (None, 4))
        assert layer.built
        weights = layer.weights
        layer(np.ones((2, 3, 4) if count == 56 else (2, 4)))
        layer.build((None, 4))
        assert list(map(id, layer.weights)) == list(map(id, weights))
        assert layer.count_params() == count
    dense = layers.Dense(2)
    with pytest.raises(ValueError, match="rank|axis|shape"):
        dense.build((None, None))
    dense.build((None, 4))
    assert len(dense.weights) == 2


def test_an_inner_layer_that_is_not_built():
    class Lazy(Layer):
        def __init__(self):
            super().__init__(name="lazy")
            self.inner = layers.Dense(3, name="dense_in")

        def call(self, inputs):
            return inputs

    for shape in ((None, 3), (None, None, 3)):
        with pytest.raises(ValueError, match="'lazy'.*'dense_in'.*`inner`"):
            Sequential([Lazy()]).build(shape)


def test_a_model_inside_of_a_layer():
    class Twice(Layer):
        def __init__(self):
            super().__init__(name="twice")
            self.body = Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3)], name="body")

        def call(self, inputs, training=False):
            return self.body(inputs, training=training) * 2

        def backward(self, doutputs):
            return self.body.run_backward(doutputs * 2)

    check_layer(lambda: Twice(), (3,), config_round_trip=False)
    model = Sequential([Twice(), layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
    assert len(model.weights) == 6


# Masks.


class MakeMask(Layer):
    """Steps of zeros do not count."""

    def call(self, inputs):
        return inputs

    def backward(self, doutputs):
        return doutputs

    def compute_mask(self, inputs, previous_mask):
        return inputs.any(axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape


class TakeMask(MakeMask):
    """Remembers the mask it was given."""

    supports_masking = True

    def call(self, inputs, mask=None):
        self.seen = mask
        return inputs

    def compute_mask(self, inputs, previous_mask):
        return previous_mask


@pytest.fixture
def x():
    x = np.random.default_rng(0).standard_normal((6, 4, 3)).astype("float32")
    x[0, 2:] = x[1] = x[4, 3] = 0
    return x


def test_masks_pass_through_layers(x):
    taker = TakeMask()
    model = Sequential([MakeMask(), layers.Dropout(0.2), layers.Activation("relu"), taker])
    model.build((None, 4, 3))
    model.predict(x, verbose=0)
    np.testing.assert_array_equal(taker.seen, x.any(axis=-1))
    assert taker(x) is not None
    assert taker.seen is None


def test_a_mask_passes_through_shares_of_the_batch(monkeypatch, x):
    from minikeras import stack

    taker = TakeMask()
    model = Sequential([MakeMask(), layers.Activation("relu"), layers.Activation("tanh"), taker])
    model.build((None, 4, 3))
    monkeypatch.setattr(stack, "HEAVY", 0)
    with threads_set_to(2):
        model.predict(x, verbose=0)
    np.testing.assert_array_equal(taker.seen, x.any(axis=-1))


def threads_set_to(number):
    import contextlib

    from minikeras.kernels import threads

    @contextlib.contextmanager
    def setting():
        before = threads.num_threads()
        threads.set_num_threads(number)
        try:
            yield
        finally:
            threads.set_num_threads(before)

    return setting()


def test_a_mask_is_destroyed_with_a_warning(x):
    class Plain(Layer):
        def call(self, inputs):
            return inputs

    taker = TakeMask()
    model = Sequential([MakeMask(), Plain(name="plain"), taker])
    model.build((None, 4, 3))
    with pytest.warns(UserWarning, match="'plain'.*does not support masking"):
        model.predict(x, verbose=0)
    assert taker.seen is None
    model.predict(x, verbose=0)  # once


def test_masked_outputs_do_not_count(x):
    """The loss and its derivative are those of the steps that count."""
    y = np.random.default_rng(1).standard_normal((6, 4, 2)).astype("float32")
    model = Sequential([MakeMask(), layers.Dense(2)]).compile("sgd", "mse", metrics=["mae"], input_shape=(4, 3))
    mask = x.any(axis=-1)
    error = model.predict(x, verbose=0) - y
    logs = model.evaluate(x, y, batch_size=6, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx((error**2).mean(axis=-1)[mask].mean(), rel=1e-5)
    assert logs["mae"] == pytest.approx(abs(error).mean(axis=-1)[mask].mean(), rel=1e-5)
    before = model.layers[1].bias.numpy()
    model.train_on_batch(x, y)
    expected = 2 * error[mask].mean(axis=0) / 2
    np.testing.assert_allclose((before - model.layers[1].bias.value) / 0.01, expected, rtol=1e-3)


def test_everything_masked():
    model = Sequential([MakeMask(), layers.Dense(2)]).compile("sgd", "mse", metrics=["mae"], input_shape=(4, 3))
    before = model.get_weights()
    assert model.train_on_batch(np.zeros((2, 4, 3)), np.ones((2, 4, 2))) == [0.0, 0.0]
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


# Activity regularizers.


@pytest.mark.parametrize("last", [False, True])
def test_activity_regularizer(last):
    """Its penalty is in the loss, and its derivative in the gradients: by central differences."""
    with settings():
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((5, 3)), rng.integers(0, 2, 5)
        first = layers.Dense(4, activation="tanh", activity_regularizer=None if last else "l2")
        second = layers.Dense(2, activation="softmax", activity_regularizer="l2" if last else None)
        model = Sequential([first, second]).compile("sgd", "scce", input_shape=(3,))

        def loss():
            return model.test_on_batch(x, y)

        outputs = np.tanh(x @ first.kernel.value + first.bias.value)
        regularized = model.predict(x, verbose=0) if last else outputs
        plain = model.loss(y, model.predict(x, verbose=0))
        assert loss() == pytest.approx(plain + 0.01 * np.sum(regularized**2) / 5, rel=1e-12)
        model.optimizer.learning_rate = 1e-9
        model.train_on_batch(x, y)
        for weight in model.trainable_weights:
            direction = rng.standard_normal(weight.shape)
            values = []
            for sign in (1, -1):
                weight.assign_add(sign * 1e-5 * direction)
                values.append(loss())
                weight.assign_sub(sign * 1e-5 * direction)
            numeric = (values[0] - values[1]) / 2e-5
            assert np.sum(weight.grad * direction) == pytest.approx(numeric, rel=1e-6, abs=1e-9)


def test_activity_regularizer_in_a_config():
    layer = layers.Flatten(activity_regularizer="l1")
    assert layers.deserialize(layers.serialize(layer)).activity_regularizer.l1 == pytest.approx(0.01)
    assert "activity_regularizer" not in layers.Flatten().get_config()


def test_add_loss():
    class Penalty(MakeMask):
        def call(self, inputs, training=False):
            self.add_loss(np.abs(inputs).mean())
            return inputs

        def backward(self, doutputs):
            return doutputs

        def compute_mask(self, inputs, previous_mask):
            return None

    model = Sequential([Penalty(), layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    x, y = np.full((4, 3), 2.0), np.zeros((4, 1))
    plain = np.mean(model.predict(x, verbose=0) ** 2)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(plain + 2, rel=1e-5)
    assert model.losses == [2.0]


def test_a_layer_called_twice_in_a_step_is_refused():
    """It remembers the last call alone, so that the gradient of the first would be wrong."""

    class Twice(layers.Layer):
        def __init__(self, times):
            super().__init__()
            self.inner, self.times = layers.Dense(3), times

        def build(self, input_shape):
            self.inner.build(input_shape)

        def call(self, inputs, training=False):
            for _ in range(self.times):
                inputs = self.inner(inputs, training=training)
            return inputs

        def backward(self, doutputs):
            return self.inner.run_backward(doutputs)

        def compute_output_shape(self, input_shape):
            return input_shape

    x, y = np.ones((4, 3)), np.ones((4, 3))
    for times in (1, 2):
        model = Sequential([Twice(times)]).compile("sgd", "mse", input_shape=(3,))
        assert model.predict(x, verbose=0).shape == (4, 3)
        if times == 1:
            model.fit(x, y, epochs=3, verbose=0)
            continue
        with pytest.raises(ValueError, match="called 2 times in one step.*a layer for each call"):
            model.fit(x, y, verbose=0)
