"""`model.inspect`: the numbers of a training step, derivatives beside differences, and a model that stays as it was."""

import pickle

import numpy as np
import pytest

import minikeras as keras
from minikeras import config, layers, regularizers
from minikeras.kernels import threads
from tests.checks import settings

EPSILON = 1e-5


@pytest.fixture(autouse=True)
def float64():
    keras.utils.clear_session()  # names of layers begin anew
    keras.utils.set_random_seed(5)
    with settings("float64"):
        yield


class Scale(layers.Layer):
    """A custom layer, whose gradients the inspection cannot compute in another way than a step does."""

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs, training=False):
        self.inputs = inputs
        return inputs * self.scale * (2 if training else 1)

    def backward(self, doutputs):
        self.scale.grad = (doutputs * self.inputs).reshape(-1, len(self.scale)).sum(0)
        return doutputs * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape


def compiled(stack, loss="mse", **arguments):
    model = keras.Sequential(stack, name="model")
    model.compile(keras.optimizers.SGD(1.0), loss, **arguments)
    return model


def convolutional():
    inner = keras.Sequential([layers.Dense(5, activation="tanh"), layers.BatchNormalization()], name="inner")
    return compiled([
        layers.Input((6, 6, 2)), layers.Conv2D(3, 3, kernel_regularizer=regularizers.L2(0.1)), layers.ELU(),
        layers.MaxPooling2D(), layers.Flatten(), inner, layers.GaussianDropout(0.4), layers.Dense(4, "softmax"),
    ], "sparse_categorical_crossentropy")  # fmt: skip


def recurrent():
    cells = layers.LSTM(3, dropout=0.3, recurrent_dropout=0.2, return_sequences=True)
    return compiled([
        layers.Input((4, 2)), layers.Masking(), layers.Bidirectional(cells),
        layers.TimeDistributed(layers.Dropout(0.5)), layers.TimeDistributed(layers.BatchNormalization()),
        layers.GRU(3, activity_regularizer=regularizers.L2(0.3)),
        layers.Dense(4, "softmax"),
    ], "sparse_categorical_crossentropy", loss_weights=3)  # fmt: skip


def spectral():
    return compiled([
        layers.Input((4, 2)), layers.SpectralNormalization(layers.Dense(3)), Scale(), layers.GaussianNoise(0.3),
        layers.Flatten(), layers.Dense(4, activation="sigmoid", activity_regularizer=regularizers.L1(0.2)),
        layers.Dense(4, "softmax"),
    ], "sparse_categorical_crossentropy")  # fmt: skip


MODELS = [convolutional, recurrent, spectral]


def batch_for(model):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, *model.input_shape[1:]))
    if len(model.input_shape) == 3:
        x[2, 3:] = 0  # masked steps
    return x, np.arange(6) % 4, rng.random(6)


def trained(model):
    """Moving averages and random numbers that are not those at the start."""
    model.fit(*batch_for(model)[:2], epochs=2, verbose=0)
    return model


def weights_by_name(model, inspection):
    """(name of the layer, name of the weight, weight) of all weights, by their paths."""
    found = {}
    for weight in model.weights:
        (match,) = [
            (name, key) for name, record in inspection.items() for key in record.weights
            if weight.path == f"model/{name}/{key}"
        ]  # fmt: skip
        found[match] = weight
    assert len(found) == sum(len(record.weights) for record in inspection.values())
    return found


@pytest.mark.parametrize("make", MODELS)
def test_gradients_are_those_of_a_training_step(make):
    model = trained(make())
    x, y, sample_weight = batch_for(model)
    seen = model.inspect(x, y, training=True, sample_weight=sample_weight)
    before = {key: weight.numpy() for key, weight in weights_by_name(model, seen).items()}
    spectral_kernels = [id(layer.kernel) for layer in model.layers if isinstance(layer, layers.SpectralNormalization)]
    loss = model.train_on_batch(x, y, sample_weight)
    assert seen.loss == pytest.approx(loss, rel=1e-12)
    for (name, key), weight in weights_by_name(model, seen).items():
        np.testing.assert_array_equal(seen[name].weights[key], before[name, key])
        assert (key in seen[name].gradients) == any(weight is other for other in model.trainable_weights)
        if key in seen[name].gradients and id(weight) not in spectral_kernels:
            step = before[name, key] - weight.value  # SGD of learning rate 1
            np.testing.assert_allclose(seen[name].gradients[key], step, rtol=1e-9, atol=1e-12)
            assert np.abs(step).max() > 1e-9


def loss_from(model, first, outputs, x, y):
    """The loss in inference, the layer number ``first - 1`` having these ``outputs``."""
    stack, mask, penalty = list(model.leaves()), None, 0.0
    for i, layer in enumerate(stack):
        before = x
        x = layer(x, training=False, mask=mask) if i >= first else outputs if i == first - 1 else layer(x, mask=mask)
        mask = layer.compute_mask(before, mask)
        if layer.activity_regularizer is not None:
            penalty += layer.activity_regularizer(x) / len(x)
    return model.loss(y, x) * (model._loss_weight or 1) + penalty


@pytest.mark.parametrize("make", MODELS)
def test_gradients_beside_differences(make):
    model = trained(make())
    rng = np.random.default_rng(2)
    x, y, _ = batch_for(model)
    seen = model.inspect(x, y)
    assert seen.loss == pytest.approx(model.evaluate(x, y, batch_size=6, verbose=0), rel=1e-12)
    for (name, key), weight in weights_by_name(model, seen).items():
        assert (key in seen[name].gradients) == any(weight is other for other in model.trainable_weights)
        if key not in seen[name].gradients:
            continue
        direction, value, ends = rng.normal(size=weight.shape), weight.numpy(), []
        for sign in (1, -1):
            weight.assign(value + sign * EPSILON * direction)
            ends.append(model.test_on_batch(x, y))
        weight.assign(value)
        expected = (ends[0] - ends[1]) / (2 * EPSILON)
        assert (seen[name].gradients[key] * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    for i, record in enumerate(seen.values()):
        direction = rng.normal(size=record.output.shape)
        ends = [loss_from(model, i + 1, record.output + s * EPSILON * direction, x, y) for s in (1, -1)]
        expected = (ends[0] - ends[1]) / (2 * EPSILON)
        assert (record.output_gradient * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    direction = rng.normal(size=x.shape) * (x != 0)  # masked steps stay masked
    ends = [model.test_on_batch(x + sign * EPSILON * direction, y) for sign in (1, -1)]
    expected = (ends[0] - ends[1]) / (2 * EPSILON)
    assert (seen.input_gradient * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("make", MODELS)
def test_outputs(make):
    model = trained(make())
    x, y, _ = batch_for(model)
    plain, with_targets = model.inspect(x), model.inspect(x, y)
    assert list(plain) == [name for name in with_targets]
    outputs, mask = x, None
    for layer, record, other in zip(model.leaves(), plain.values(), with_targets.values()):
        before = outputs
        outputs = layer(outputs, training=False, mask=mask)
        mask = layer.compute_mask(before, mask)
        np.testing.assert_allclose(record.output, outputs, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(other.output, outputs, rtol=1e-12, atol=1e-15)
        assert record.layer == type(layer).__name__
        assert record.output_gradient is None
        assert record.gradients == {}
    np.testing.assert_array_equal(plain.inputs, x)
    assert plain.loss is None
    assert plain.input_gradient is None


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("is_fresh", [False, True])
@pytest.mark.parametrize("make", MODELS)
def test_the_model_is_not_changed(make, training, is_fresh):
    """Two trainings, one looked into after each step, are the same to the bit."""
    weights = []
    for looks in (False, True):
        keras.utils.set_random_seed(7)
        model = make() if is_fresh else trained(make())
        x, y, _ = batch_for(model)
        x_before = x.copy()
        for _ in range(3):
            if looks:
                held = {id(weight): weight.numpy() for weight in model.weights}
                grads = {id(weight): weight.grad.copy() for weight in model.weights}
                model.inspect(x, y, training=training)
                model.inspect(x, training=training)
                np.testing.assert_array_equal(x, x_before)
                for weight in model.weights:
                    np.testing.assert_array_equal(weight.value, held[id(weight)])
                    np.testing.assert_array_equal(weight.grad, grads[id(weight)])
            model.train_on_batch(x, y)
        weights.append([*model.get_weights(), config.make_generator().random()])
    for plain, looked_at in zip(*weights):
        np.testing.assert_array_equal(plain, looked_at)


def test_arrays_are_copies():
    model = convolutional()
    x, y, _ = batch_for(model)
    seen, again = model.inspect(x, y), model.inspect(x, y)
    for record in seen.values():
        for _, array in record.arrays():
            array[...] = np.nan
    seen.inputs[...] = np.nan
    assert np.isfinite(x).all()
    assert np.isfinite(model.predict(x, verbose=0)).all()
    assert all(np.isfinite(array).all() for record in again.values() for _, array in record.arrays())
    assert pickle.loads(pickle.dumps(again)).loss == again.loss


def test_no_two_arrays_share_memory():
    model = convolutional()
    seen = model.inspect(*batch_for(model)[:2])
    arrays = [array for record in seen.values() for _, array in record.arrays()]
    arrays += [seen.inputs, seen.input_gradient, *[weight.value for weight in model.weights]]
    assert not any(np.may_share_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


class Block(layers.Layer):
    """A custom layer that holds others, which remember nothing in inference."""

    def build(self, input_shape):
        self.inner = layers.Dense(input_shape[-1], "tanh")
        self.inner.build_once(input_shape)
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs, training=False):
        return self.dropout(self.inner(inputs))

    def backward(self, doutputs):
        return self.inner.run_backward(self.dropout.run_backward(doutputs))

    def compute_output_shape(self, input_shape):
        return input_shape


def test_random_layers_in_inference():
    """What is disturbed in training only is not, deep inside of custom layers, either; the gradients are there."""
    model = compiled([
        layers.Input((6, 6, 3)), layers.RandomFlip(), layers.RandomBrightness(0.5, value_range=(0, 1)),
        layers.Flatten(), layers.Dense(4), Block(name="block"), layers.Dense(2),
    ])  # fmt: skip
    x, y = np.random.default_rng(0).random((3, 6, 6, 3)), np.ones((3, 2))
    seen = model.inspect(x, y)
    np.testing.assert_array_equal(seen["random_flip"].output, x)
    np.testing.assert_array_equal(seen["random_brightness"].output, x)
    assert seen.loss == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-12)
    weight, name = model.get_layer("block").inner.kernel, next(iter(seen["block"].gradients))
    value, direction, ends = weight.numpy(), np.random.default_rng(1).normal(size=weight.shape), []
    for sign in (1, -1):
        weight.assign(value + sign * EPSILON * direction)
        ends.append(model.test_on_batch(x, y))
    expected = (ends[0] - ends[1]) / (2 * EPSILON)
    assert (seen["block"].gradients[name] * direction).sum() == pytest.approx(expected, rel=1e-6)
    assert np.abs(model.inspect(x, y, training=True)["random_brightness"].output - x).max() > 1e-3


def test_saturated_probabilities_have_the_gradient_of_a_step():
    """Derivatives by loss and softmax, one after the other, would vanish."""
    model = compiled([layers.Input((2,)), layers.Dense(2, "softmax")], "sparse_categorical_crossentropy")
    model.layers[0].bias.assign([1000, 0])
    seen = model.inspect(np.ones((1, 2)), np.array([1]))
    np.testing.assert_allclose(seen["dense"].gradients["bias"], [1, -1])


def test_inputs_are_those_of_the_first_layer():
    model = compiled([layers.Input((1,)), layers.Dense(2)])
    seen = model.inspect(np.arange(3))  # a vector of integers for a column of floats
    assert seen.inputs.shape == (3, 1)
    assert seen.inputs.dtype == np.float64
    assert seen.input_gradient is None


def test_shares_make_no_difference():
    model = compiled([layers.Input((200,)), *[layers.Dense(150, "relu") for _ in range(3)], layers.Dense(3)])
    x = np.random.default_rng(0).normal(size=(301, 200))
    y = np.ones((301, 3))
    before = threads.num_threads()
    try:
        threads.set_num_threads(3)
        seen = model.inspect(x, y)
        model.train_on_batch(x, y)
        assert len(model.stack._teams) == 3  # it had shares
        again = model.inspect(x, y)
    finally:
        threads.set_num_threads(before)
    assert seen["dense"].output.shape == again["dense"].output.shape == (301, 150)
    assert again.loss == pytest.approx(model.evaluate(x, y, batch_size=301, verbose=0), rel=1e-10)


def test_names():
    deep = keras.Sequential([layers.Dense(2, name="one")], name="deep")
    inner = keras.Sequential([deep, layers.ReLU()], name="inner")
    model = keras.Sequential([layers.Input((3,)), inner, layers.Dense(2, name="last")])
    seen = model.inspect(np.ones((1, 3)))
    assert list(seen) == ["inner/deep/one", "inner/re_lu", "last"]
    assert list(seen["inner/deep/one"].weights) == ["kernel", "bias"]
    assert len(seen) == 3
    with pytest.raises(KeyError, match="No such layer: 'one'. Existing layers: inner/deep/one"):
        seen["one"]


def test_frozen_layers_have_no_gradients_of_weights():
    model = compiled([layers.Input((3,)), layers.Dense(4, trainable=False), layers.Dense(2)])
    seen = model.inspect(np.ones((2, 3)), np.ones((2, 2)))
    assert seen["dense"].gradients == {}
    assert np.abs(seen["dense"].output_gradient).max() > 0
    assert np.abs(seen.input_gradient).max() > 0
    assert list(seen["dense_1"].gradients) == ["kernel", "bias"]


def test_integers_have_no_gradient():
    model = compiled([layers.Input((3,)), layers.Embedding(5, 4), layers.Flatten(), layers.Dense(1)])
    seen = model.inspect(np.array([[0, 1, 4]]), np.ones((1, 1)))
    assert seen.input_gradient is None
    assert np.abs(seen["embedding"].gradients["embeddings"]).max(axis=1).astype(bool).tolist() == [1, 1, 0, 0, 1]


def test_tables():
    model = compiled([layers.Input((2,)), layers.Dense(2, kernel_initializer="ones", name="first"), layers.ReLU()])
    seen = model.inspect([[1.0, 2.0], [-1.0, -3.0]], [[3.0, 4.0], [0.0, 0.0]])
    lines = [line.split() for line in repr(seen).splitlines()]
    assert lines[0] == ["shape", "minimum", "maximum", "mean", "zeros"]
    assert ["first/output", "2x2", "-4", "3", "-0.5", "0.0%"] in lines
    assert ["re_lu/output", "2x2", "0", "3", "1.5", "50.0%"] in lines
    assert ["first/bias", "2", "0", "0", "0", "100.0%"] in lines
    assert lines[-1] == ["loss:", "0.25"]
    names = [line.split()[0] for line in repr(seen["first"]).splitlines()[1:]]
    assert names == ["output", "output_gradient", "kernel", "kernel/gradient", "bias", "bias/gradient"]
    assert "loss" not in repr(model.inspect([[1.0, 2.0]]))


def test_not_finite_numbers_are_counted():
    model = compiled([layers.Input((2,)), layers.Dense(2, name="first")])
    model.layers[0].bias.assign([np.nan, 1])
    line = next(line for line in repr(model.inspect(np.zeros((3, 2)))).splitlines() if "output" in line)
    assert line.split()[1:] == ["3x2", "1", "1", "1", "0.0%", "3", "not", "finite"]


class Locked(layers.ReLU):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        import threading

        self.lock = threading.Lock()


class WithoutBackward(layers.Layer):
    def call(self, inputs, training=False):
        return inputs


def test_refused():
    model = compiled([layers.Input((2,)), layers.Dense(2)])
    x = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"\(3, 5\)"):
        model.inspect(np.ones((3, 5)))
    with pytest.raises(ValueError, match="3 in x and 2 in y"):
        model.inspect(x, np.ones((2, 2)))
    with pytest.raises(ValueError, match="`sample_weight`.*give `y`"):
        model.inspect(x, sample_weight=np.ones(3))
    with pytest.raises(RuntimeError, match="`inspect`.*compile"):
        keras.Sequential([layers.Input((2,)), layers.Dense(2)]).inspect(x, x)
    with pytest.raises(ValueError, match="`inspect`.*Build it"):
        keras.Sequential([layers.Dense(2)]).inspect(x)
    with pytest.raises(NotImplementedError, match="has no `backward"):
        compiled([layers.Input((2,)), WithoutBackward()]).inspect(x, x)
    assert compiled([layers.Input((2,)), WithoutBackward()]).inspect(x)["without_backward_1"].output.shape == (3, 2)
    with pytest.raises(TypeError, match="'locked'.*__deepcopy__"):
        keras.Sequential([layers.Input((2,)), Locked(name="locked")]).inspect(x)
