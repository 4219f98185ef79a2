"""compile, fit, evaluate, predict and the single batches: what they do, return, and leave behind.

That the numbers are Keras': `parity/test_training.py`. What they refuse: `test_bad_inputs.py`.
"""

import math
import os
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, losses, metrics, optimizers
from minikeras.legacy import warning

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
LABELS = np.argmax(X[:, :3], axis=1)
NUMBERS = X[:, :1] * X[:, 1:2]


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(7)


def classifier(**arguments):
    model = keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(3, activation="softmax")])
    defaults = {"optimizer": "adam", "loss": "scce", "metrics": ["accuracy"], "input_shape": (4,)}
    return model.compile(**{**defaults, **arguments})


def regressor(units=1, **arguments):
    model = keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(units)])
    return model.compile(**{"optimizer": optimizers.SGD(0.1), "loss": "mse", "input_shape": (4,), **arguments})


class Recorder(keras.callbacks.Callback):
    """Writes down the events, short: ("epoch_begin", 0)."""

    def __init__(self):
        super().__init__()
        self.events = []


for _hook in (name for name in dir(keras.callbacks.Callback) if name.startswith("on_")):
    if _hook not in ("on_batch_begin", "on_batch_end"):

        def _record(self, *arguments, logs=None, hook=_hook):
            self.events.append((hook[3:], *(a for a in arguments if isinstance(a, int))))

        setattr(Recorder, _hook, _record)


class Seen(layers.Layer):
    """Passes its inputs on, and keeps the first column of each batch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.training, self.inference = [], []

    def call(self, inputs, training=False):
        (self.training if training else self.inference).append((inputs[:, 0]).astype(int).tolist())
        return inputs

    def backward(self, doutputs):
        return doutputs

    def compute_output_shape(self, input_shape):
        return input_shape


NUMBERED = np.arange(10, dtype="float32")[:, None]  # samples that tell which one they are


def watched():
    seen = Seen()
    model = keras.Sequential([layers.Input((1,)), seen, layers.Dense(1, kernel_initializer="zeros")])
    return model.compile(optimizers.SGD(1e-4), "mse"), seen


# What is trained on what, and when.


def test_chaining():
    model = keras.Sequential([layers.Dense(3, activation="softmax")])
    assert model.compile("adam", "scce", input_shape=[4]) is model
    history = model.compile("adam", "scce", metrics=["accuracy"]).fit(X, LABELS, epochs=2, verbose=0)
    assert isinstance(history, keras.callbacks.History)
    assert history is model.history
    assert list(history.history) == ["accuracy", "loss"]
    assert history.epoch == [0, 1]
    assert all(type(value) is float for values in history.history.values() for value in values)


def test_every_row_once_an_epoch():
    model, seen = watched()
    model.fit(NUMBERED, NUMBERED, batch_size=4, epochs=2, verbose=0)
    assert [len(batch) for batch in seen.training] == [4, 4, 2] * 2
    epochs = [sum(seen.training[:3], []), sum(seen.training[3:], [])]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1] != list(range(10))


def test_without_shuffling():
    model, seen = watched()
    model.fit(NUMBERED, NUMBERED, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert seen.training == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] * 2


def test_validation_split_takes_the_last_rows_before_shuffling():
    model, seen = watched()
    model.fit(NUMBERED, NUMBERED, batch_size=4, validation_split=0.3, validation_batch_size=2, epochs=2, verbose=0)
    assert sorted(sum(seen.training, [])) == sorted(list(range(7)) * 2)
    assert seen.inference == [[7, 8], [9]] * 2


def test_validation_data_go_before_the_split():
    model, seen = watched()
    model.fit(NUMBERED, NUMBERED, validation_split=0.3, validation_data=(NUMBERED[:2], NUMBERED[:2]), verbose=0)
    assert sorted(seen.training[0]) == list(range(10))
    assert seen.inference == [[0, 1]]


def test_validation_starts_at_the_beginning_each_time():
    model, seen = watched()
    model.fit(NUMBERED, NUMBERED, validation_data=(NUMBERED, NUMBERED), batch_size=3, validation_steps=2, epochs=2,
              verbose=0)  # fmt: skip
    assert seen.inference == [[0, 1, 2], [3, 4, 5]] * 2


@pytest.mark.parametrize("frequency, epochs", [(1, [1, 2, 3, 4]), (2, [2, 4]), ([1, 4], [1, 4]), ({3}, [3]), (9, [])])
def test_validation_freq(frequency, epochs):
    validated = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: "val_loss" in logs and validated.append(epoch + 1)
    )
    history = classifier().fit(
        X, LABELS, validation_data=(X, LABELS), validation_freq=frequency, epochs=4, verbose=0, callbacks=[callback]
    )
    assert validated == epochs
    assert len(history.history.get("val_loss", [])) == len(epochs)


def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped():
    model, seen = watched()
    model.fit(NUMBERED, NUMBERED, batch_size=2, steps_per_epoch=2, epochs=2, shuffle=False, verbose=0)
    assert seen.training == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_initial_epoch():
    recorder = Recorder()
    history = classifier().fit(X, LABELS, initial_epoch=2, epochs=4, verbose=0, callbacks=[recorder])
    assert history.epoch == [2, 3]
    assert [event for event in recorder.events if event[0] == "epoch_begin"] == [("epoch_begin", 2), ("epoch_begin", 3)]


def test_the_loss_is_the_mean_over_the_samples_not_over_the_batches():
    model, seen = watched()
    model.stop_training = True  # of an earlier run: has no effect
    history = model.compile(optimizers.SGD(1e-30), "mse", metrics=["mae"]).fit(
        NUMBERED, NUMBERED, batch_size=4, verbose=0
    )
    assert history.history["loss"][0] == pytest.approx(np.mean(NUMBERED**2))
    assert history.history["mae"][0] == pytest.approx(4.5)


def test_generators_and_data_sets():
    batches = [(X[i : i + 10], LABELS[i : i + 10]) for i in range(0, 40, 10)]

    def endless():
        while True:
            yield from batches

    class Dataset(keras.utils.PyDataset):
        ended = 0

        def __len__(self):
            return 4

        def __getitem__(self, index):
            return batches[index]

        def on_epoch_end(self):
            self.ended += 1

    expected = classifier()
    start = expected.get_weights()
    history = expected.fit(X, LABELS, batch_size=10, epochs=3, shuffle=False, verbose=0).history
    dataset = Dataset()
    for x, arguments in ((endless(), {"steps_per_epoch": 4}), (dataset, {"shuffle": False}), (batches * 3, None)):
        model = classifier()
        model.set_weights(start)
        if arguments is None:
            found = model.fit(iter(x), verbose=0).history
            assert found["loss"][0] == pytest.approx(np.mean(history["loss"]))
        else:
            assert model.fit(x, epochs=3, verbose=0, **arguments).history == history
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), expected.get_weights()))
    assert dataset.ended == 3


# Weights of samples and classes.


def test_sample_weight_counts_as_repetition():
    weights = np.tile([0.0, 1.0, 3.0, 2.0], 10)
    repeated = np.repeat(np.arange(40), weights.astype(int))
    one, other = regressor(), regressor()
    other.set_weights(one.get_weights())
    loss = one.train_on_batch(X, NUMBERS, sample_weight=weights)
    expected = other.train_on_batch(X[repeated], NUMBERS[repeated]) * len(repeated) / 40  # divided by n, as in Keras
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weight", [0, 1, 2])
def test_one_weight_for_all_samples(weight):
    one, other = regressor(), regressor(learning_rate=0.1 * weight or 1e-30)
    other.set_weights(one.get_weights())
    one.fit(X, NUMBERS, sample_weight=np.full(40, weight), shuffle=False, verbose=0)
    other.fit(X, NUMBERS, shuffle=False, verbose=0)
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_class_weight_is_a_sample_weight():
    one, other = (classifier(weighted_metrics=["sparse_categorical_crossentropy"]) for _ in range(2))
    other.set_weights(one.get_weights())
    table = {0: 0.2, 1: 1.0, 2: 5.0}
    arguments = {"epochs": 3, "shuffle": False, "verbose": 0}
    a = one.fit(X, LABELS, class_weight=table, **arguments).history
    b = other.fit(X, LABELS, sample_weight=np.array([table[label] for label in LABELS]), **arguments).history
    assert a == b
    assert a["accuracy"] != classifier().fit(X, LABELS, **arguments).history["accuracy"]


def test_samples_without_weight_are_not_learned():
    model = classifier(learning_rate=0.02)
    wrong = np.where(np.arange(40) < 20, LABELS, (LABELS + 1) % 3)
    history = model.fit(
        X, wrong, sample_weight=np.arange(40) < 20, epochs=80, verbose=0, validation_data=(X[:20], LABELS[:20])
    )
    assert history.history["val_accuracy"][-1] == 1.0


# What is learned.


def test_regression():
    history = regressor(optimizer=optimizers.Adam(0.02)).fit(X, NUMBERS, epochs=150, verbose=0).history
    assert history["loss"][-1] < 0.05 * history["loss"][0]


def test_binary_classification():
    y = X[:, 0] > X[:, 1]
    model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "bce", metrics=["accuracy"], learning_rate=0.02)
    assert model.fit(X, y, epochs=60, verbose=0).history["accuracy"][-1] > 0.95
    assert np.mean((model.predict(X, verbose=0)[:, 0] > 0.5) == y) > 0.95


@pytest.mark.parametrize("loss, activation, target, slope", [
    ("scce", "softmax", [1], [1.0, -1.0]), ("cce", "softmax", [[0, 1]], [1.0, -1.0]), ("bce", "sigmoid", [[0]], [1.0]),
])  # fmt: skip
@pytest.mark.parametrize("separate", [False, True])
def test_a_confidently_wrong_model_still_learns(loss, activation, target, slope, separate):
    gap = [[25.0, 0.0]] if len(slope) == 2 else [[25.0]]
    dense = layers.Dense(len(slope), use_bias=False, activation=None if separate else activation)
    model = keras.Sequential([dense, layers.Activation(activation)] if separate else [dense])
    model.compile(optimizers.SGD(1.0), loss, input_shape=(1,))
    dense.set_weights([np.array(gap, "float32")])
    model.train_on_batch(np.ones((1, 1)), np.array(target))
    np.testing.assert_allclose(dense.kernel.grad, [slope], atol=1e-6)  # through the probabilities it would be 0
    np.testing.assert_allclose(dense.kernel.value, np.array(gap) - slope, atol=1e-5)


def test_learning_rate_of_compile():
    model = keras.Sequential([layers.Dense(1)])
    assert model.compile("sgd", "mse", learning_rate=0.25).optimizer.learning_rate == 0.25
    assert model.compile(optimizers.Adam(0.5), "mse", learning_rate=0.125).optimizer.learning_rate == 0.125
    assert model.compile("sgd", "mse").optimizer.learning_rate == pytest.approx(0.01)


def test_loss_weights():
    one, other = regressor(), regressor(loss_weights=0.5)
    other.set_weights(one.get_weights())
    assert other.train_on_batch(X, NUMBERS) == pytest.approx(one.train_on_batch(X, NUMBERS) / 2)
    ratio = [p.grad / q.grad for p, q in zip(one.trainable_weights, other.trainable_weights)]
    assert all(np.allclose(r, 2) for r in ratio)


def test_penalties_are_in_the_loss_and_in_the_gradient():
    model = keras.Sequential([layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5), use_bias=False)])
    model.compile(optimizers.SGD(0.1), "mse", metrics=["mse"], input_shape=(4,))
    kernel = model.layers[0].kernel.numpy()
    loss, mse = model.test_on_batch(X * 0, np.zeros((40, 2)))
    assert mse == 0
    assert loss == pytest.approx(0.5 * np.sum(kernel**2), rel=1e-5)
    model.train_on_batch(X * 0, np.zeros((40, 2)))
    np.testing.assert_allclose(model.layers[0].kernel.value, kernel * (1 - 0.1 * 2 * 0.5), rtol=1e-5)
    model.layers[0].trainable = False
    assert model.compile("sgd", "mse").test_on_batch(X * 0, np.zeros((40, 2))) == 0


def test_frozen_layers_stay():
    model = keras.Sequential([
        layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    for layer in model.layers[:2]:
        layer.trainable = False
    model.compile("adam", "scce", input_shape=(4,))
    before = model.get_weights()
    model.fit(X, LABELS, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before[:6], model.get_weights()))
    assert not np.array_equal(before[6], model.get_weights()[6])
    for layer in model.layers[:2]:
        layer.trainable = True
    model.layers[2].trainable = False
    before = model.get_weights()
    model.compile("adam", "scce").fit(X, LABELS, epochs=2, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before[:6], model.get_weights()))
    assert all(np.array_equal(a, b) for a, b in zip(before[6:], model.get_weights()[6:]))


def test_nothing_to_train():
    model = classifier()
    model.trainable = False
    with pytest.warns(UserWarning, match="no trainable weights.*trainable = True"):
        model.compile("adam", "scce").fit(X, LABELS, verbose=0)


def adversarial():
    """A generator and a discriminator that was frozen after it was compiled, as scripts for Keras 1 and 2 do."""
    generator = keras.Sequential([layers.Input((3,)), layers.Dense(4, "relu"), layers.BatchNormalization()])
    dense = layers.Dense(5, "relu")
    dense.trainable = False
    stack = [dense, layers.BatchNormalization(), layers.Dense(1, "sigmoid")]
    discriminator = keras.Sequential([layers.Input((4,)), *stack]).compile("adam", "bce")
    discriminator.trainable = False
    return generator, discriminator, keras.Sequential([generator, discriminator]).compile("adam", "bce")


def test_a_model_frozen_after_compile_is_trained_as_it_was_compiled(monkeypatch):
    monkeypatch.setattr(warning, "_said", set())
    generator, discriminator, combined = adversarial()
    x, y = X[:8], np.ones((8, 1))
    before = discriminator.get_weights()
    with pytest.warns(DeprecationWarning, match="frozen after it was compiled.*set `trainable = True` before"):
        discriminator.train_on_batch(x, y)
    after = discriminator.get_weights()
    assert [not np.array_equal(*pair) for pair in zip(before, after)] == [False] * 2 + [True] * 6
    assert not any(layer.trainable for layer in discriminator.all_layers())
    combined.train_on_batch(x[:, :3], y)
    assert all(np.array_equal(*pair) for pair in zip(after, discriminator.get_weights()))
    discriminator.train_on_batch(x, y)  # warned of once
    assert discriminator.optimizer.iterations == 2
    with pytest.raises(ValueError):
        discriminator.train_on_batch(x[:, :3], y)
    assert not any(layer.trainable for layer in discriminator.all_layers())
    with pytest.warns(UserWarning, match="no trainable weights"):  # fit does as Keras 3 does
        discriminator.fit(x, y, verbose=0)
    discriminator.trainable, discriminator.layers[0].trainable = True, False
    discriminator.train_on_batch(x, y)
    discriminator.trainable = False
    with pytest.warns(UserWarning, match="no trainable weights"):  # not frozen afterwards, but before
        discriminator.compile("adam", "bce").train_on_batch(x, y)


def test_an_optimizer_for_two_models():
    generator, discriminator, combined = adversarial()
    discriminator.trainable = True
    discriminator.compile("adam", "bce")
    combined.compile(discriminator.optimizer, "bce")
    discriminator.train_on_batch(np.ones((2, 4)), np.ones((2, 1)))
    discriminator.trainable = False
    combined.train_on_batch(np.ones((2, 3)), np.ones((2, 1)))
    discriminator.trainable = True
    with pytest.raises(ValueError, match="give each model an optimizer of its own"):
        discriminator.train_on_batch(np.ones((2, 4)), np.ones((2, 1)))


def test_nested_models():
    inner = keras.Sequential([layers.Dense(6, activation="tanh"), layers.Dropout(0.1)], name="inner")
    nested = keras.Sequential([inner, keras.Sequential([layers.Dense(3, activation="softmax")])])
    last = layers.Dense(3, activation="softmax")
    flat = keras.Sequential([layers.Dense(6, activation="tanh"), layers.Dropout(0.1), last])
    histories = []
    for model in (nested, flat):
        model.compile("adam", "scce", metrics=["accuracy"], input_shape=(4,))
        model.set_weights(nested.get_weights())
        if model is nested:
            start = model.get_weights()
        model.set_weights(start)
        keras.utils.set_random_seed(1)
        histories.append(model.fit(X, LABELS, epochs=3, verbose=0).history)
    assert histories[0] == histories[1]
    inner.trainable = False
    before = inner.get_weights()
    nested.compile("adam", "scce").fit(X, LABELS, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, inner.get_weights()))


# Parts that users write.


class Scale(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs):
        self.inputs = inputs
        return inputs * self.scale

    def backward(self, doutputs):
        self.scale.grad = (doutputs * self.inputs).reshape(-1, len(self.scale)).sum(0)
        return doutputs * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape


class Huber(losses.Loss):
    def call(self, y_true, y_pred):
        error = abs(y_true - y_pred)
        return np.where(error < 1, error**2 / 2, error - 0.5).mean(-1)

    def gradient(self, y_true, y_pred):
        return np.clip(y_pred - y_true, -1, 1) / y_pred.size


class Largest(metrics.Metric):
    def __init__(self, name="largest", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.value = self.add_variable((), "zeros", name="value")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(max(self.value.value, np.max(y_pred)))

    def result(self):
        return float(self.value.value)


def bias_of(y_true, y_pred):
    return (y_pred - y_true).mean(axis=-1)


def test_custom_layer_loss_and_metrics():
    model = keras.Sequential([layers.Dense(4, activation="tanh"), Scale(), layers.Dense(1)])
    model.compile(optimizers.SGD(0.1), Huber(), metrics=[Largest(), bias_of, "mse"], input_shape=(4,))
    history = model.fit(X, NUMBERS, epochs=30, verbose=0, validation_data=(X, NUMBERS)).history
    assert list(history)[:4] == ["bias_of", "largest", "loss", "mse"]
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    outputs = model.predict(X, verbose=0)
    assert history["val_largest"][-1] == pytest.approx(max(0, outputs.max()), rel=1e-5)
    assert history["val_bias_of"][-1] == pytest.approx(np.mean(outputs - NUMBERS), abs=1e-6)
    assert not np.array_equal(model.layers[1].scale.value, np.ones(4))


def test_the_gradient_of_a_step_is_that_of_the_loss():
    """Central differences of what `test_on_batch` reports, in float64: nothing on the way is forgotten."""
    keras.config.set_floatx("float64")
    try:
        model = keras.Sequential([
            layers.Dense(5, activation="tanh", kernel_regularizer="l2"), Scale(),
            keras.Sequential([layers.Dense(4, activation="relu")]), layers.Dense(3, activation="softmax"),
        ])  # fmt: skip
        loss = losses.SparseCategoricalCrossentropy()
        model.compile(optimizers.SGD(1e-300), loss, loss_weights=0.7, input_shape=(4,))
        weights = np.linspace(0, 2, 40)
        x = X.astype("float64")
        model.train_on_batch(x, LABELS, sample_weight=weights)
        for weight in model.trainable_weights:
            direction = np.random.default_rng(1).normal(size=weight.shape)
            slope, start = np.sum(weight.grad * direction), weight.numpy()
            ends = []
            for eps in (1e-5, -1e-5):
                weight.assign(start + eps * direction)
                ends.append(model.test_on_batch(x, LABELS, sample_weight=weights))
            weight.assign(start)
            assert abs((ends[0] - ends[1]) / 2e-5 - slope) <= 1e-6 * max(1, abs(slope)), weight.path
    finally:
        keras.config.set_floatx("float32")


def test_a_layer_without_backward():
    class Forward(layers.Layer):
        def call(self, inputs):
            return inputs

    model = keras.Sequential([layers.Dense(4), Forward(name="forward"), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse", input_shape=(4,))
    before = model.get_weights()
    for train in (lambda: model.fit(X, NUMBERS, verbose=0), lambda: model.train_on_batch(X, NUMBERS)):
        with pytest.raises(NotImplementedError, match=r"'forward' \(Forward\) has no `backward\(self, doutputs\)`"):
            train()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    model.evaluate(X, NUMBERS, verbose=0)
    first = keras.Sequential([Forward(), layers.Dense(1)]).compile("sgd", "mse", input_shape=(4,))
    with pytest.raises(NotImplementedError, match="Forward"):
        first.fit(X, NUMBERS, verbose=0)


def test_a_function_as_loss_evaluates_and_does_not_train():
    def squares(y_true, y_pred):
        return ((y_true - y_pred) ** 2).mean(axis=-1)

    model = keras.Sequential([layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", squares, metrics=["mse"], input_shape=(4,))
    before = model.get_weights()
    assert np.ptp(model.evaluate(X, NUMBERS, verbose=0)) < 1e-6
    for train in (lambda: model.fit(X, NUMBERS, verbose=0), lambda: model.train_on_batch(X, NUMBERS)):
        with pytest.raises(NotImplementedError, match=r"'squares' has no gradient.*subclass `losses.Loss`"):
            train()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


# What is returned.


def test_single_batches():
    model = classifier()
    result = model.train_on_batch(X, LABELS)
    assert isinstance(result, list)
    assert [type(value) for value in result] == [float, float]
    assert model.optimizer.iterations == 1
    before = model.get_weights()
    expected = model.evaluate(X, LABELS, verbose=0)
    assert model.test_on_batch(X, LABELS) == pytest.approx(expected)
    assert model.test_on_batch(X, LABELS) == pytest.approx(expected)  # metrics start anew
    assert list(model.test_on_batch(X, LABELS, return_dict=True)) == ["accuracy", "loss"]
    assert model.evaluate(X, LABELS, return_dict=True, verbose=0) == dict(
        zip(("accuracy", "loss"), expected[::-1])
    )
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert type(classifier(metrics=None).train_on_batch(X, LABELS)) is float
    assert type(classifier(metrics=None).evaluate(X, LABELS, verbose=0)) is float


def test_evaluate_does_not_depend_on_the_batches():
    model = classifier(metrics=["accuracy", "scce"])
    expected = model.evaluate(X, LABELS, batch_size=40, verbose=0)
    for size in (1, 7, 32, 100):
        assert model.evaluate(X, LABELS, batch_size=size, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_predict_returns_what_is_the_callers_own():
    model = classifier()
    first = model.predict(X, verbose=0)
    kept = first.copy()
    one, single, called = model.predict(X[:5], verbose=0), model.predict_on_batch(X[:5]), model(X[:5])
    model.predict(X[5:20], verbose=0)
    model.train_on_batch(X, LABELS)
    assert np.array_equal(first, kept)
    for outputs in (one, single, called):
        np.testing.assert_allclose(outputs, kept[:5], rtol=1e-6)
    one[...] = 0  # may be written to
    for identity in (layers.Flatten(), layers.Dropout(0.5), layers.Activation("linear")):
        model = keras.Sequential([layers.Input((4,)), identity])
        for outputs in (model.predict(X, verbose=0), model.predict_on_batch(X), model(X)):
            assert np.array_equal(outputs, X)
            assert not np.shares_memory(outputs, X)


def test_predict_does_not_depend_on_the_batches():
    model = keras.Sequential([
        layers.Conv2D(3, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(2),
        layers.Dropout(0.5), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    x = np.random.default_rng(0).random((9, 8, 8, 1), dtype="float32")
    model.compile("sgd", "mse", input_shape=(8, 8, 1)).fit(x, np.ones((9, 2)), verbose=0)
    expected = model.predict(x, verbose=0)
    batches = [x[:4], x[4:5], x[5:]]
    for outputs in (
        model.predict(x, batch_size=2, verbose=0), model.predict(x, batch_size=1, verbose=0),
        model.predict(iter(batches), verbose=0), model.predict(((b,) for b in batches), steps=3, verbose=0),
        model.predict(x.astype("float64"), verbose=0), model.predict(x.tolist(), verbose=0),
        model.predict(x[::-1], verbose=0)[::-1],
    ):  # fmt: skip
        assert outputs.dtype == "float32"
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(iter(batches), steps=2, verbose=0), expected[:5], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape, rows, recurrent", [
    ((1,), (7,), False), ((3,), (7, 3, 1), False), ((4, 1), (7, 4), True), ((None, 1), (7, 4), True),
])  # fmt: skip
def test_a_last_axis_of_one_is_added_or_taken_away(shape, rows, recurrent):
    """As in Keras: the columns of a table are often given as vectors."""
    model = keras.Sequential([keras.Input(shape), *([layers.SimpleRNN(2)] if recurrent else []), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=rows)
    full = x[..., None] if len(rows) == len(shape) else x[..., 0]
    expected = model.predict(full, verbose=0)
    for batch_size in (7, 2):
        np.testing.assert_allclose(model.predict(x, batch_size=batch_size, verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(model(x), expected, rtol=1e-6)
    y = np.ones(7)
    loss = model.evaluate(full, y, verbose=0)
    assert model.evaluate(x, y, verbose=0) == model.test_on_batch(x, y) == pytest.approx(loss)
    assert model.fit(x, y, epochs=3, batch_size=7, verbose=0).history["loss"][-1] < loss
    model.fit(iter([(x, y)]), verbose=0)


@pytest.mark.parametrize("shape, rows, words", [
    ((4, 1), (4, 1), "batch axis"), ((None, 1), (4, 1), "batch axis"), ((8, 1), (7, 4), "(7, 4)"),
    ((4, 2), (7, 4), "(7, 4)"), ((4,), (7, 4, 2), "(7, 4, 2)"), ((4,), (7, 3, 1), "(7, 3, 1)"),
    ((8, 8, 1), (7, 8, 8), "x[..., None]"),
])  # fmt: skip
def test_other_missing_axes_are_errors(shape, rows, words):
    model = keras.Sequential([keras.Input(shape), layers.Dense(1)])
    with pytest.raises(ValueError, match=re.escape(words)):
        model.predict(np.zeros(rows), verbose=0)


def test_names_of_metrics():
    model = classifier(metrics=["accuracy", "acc", "accuracy", metrics.Mean], weighted_metrics=None)
    with pytest.raises(ValueError, match="metric 'mean'"):  # a Mean of values takes no targets
        model.train_on_batch(X, LABELS)
    model = classifier(metrics=["accuracy", "acc", "accuracy"], weighted_metrics=["accuracy", "accuracy"])
    result = model.train_on_batch(X, LABELS, sample_weight=LABELS == 1, return_dict=True)
    assert list(result) == ["acc", "accuracy", "accuracy_1", "loss", "weighted_accuracy", "weighted_accuracy_1"]
    assert result["acc"] == result["accuracy"] == result["accuracy_1"]
    assert result["weighted_accuracy"] == result["weighted_accuracy_1"] != result["accuracy"]
    assert model.metrics_names == ["loss", "accuracy", "acc", "accuracy", "accuracy", "accuracy"]


# Callbacks.


def test_order_of_events():
    recorder = Recorder()
    classifier().fit(
        X, LABELS, batch_size=20, epochs=2, validation_data=(X[:5], LABELS[:5]), validation_freq=2, verbose=0,
        callbacks=[recorder],
    )  # fmt: skip
    batch = [("train_batch_begin", 0), ("train_batch_end", 0), ("train_batch_begin", 1), ("train_batch_end", 1)]
    assert recorder.events == [
        ("train_begin",),
        ("epoch_begin", 0), *batch, ("epoch_end", 0),
        ("epoch_begin", 1), *batch,
        ("test_begin",), ("test_batch_begin", 0), ("test_batch_end", 0), ("test_end",), ("epoch_end", 1),
        ("train_end",),
    ]  # fmt: skip


def test_stop_training_within_a_batch():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.stop_training = batch == 2

    recorder = Recorder()
    model = classifier()
    history = model.fit(X, LABELS, batch_size=4, epochs=5, verbose=0, callbacks=[Stop(), recorder])
    assert model.optimizer.iterations == 3  # the batch that has begun is finished
    assert recorder.events[-3:] == [("train_batch_end", 2), ("epoch_end", 0), ("train_end",)]
    assert len(history.history["loss"]) == 1
    assert len(model.fit(X, LABELS, epochs=2, verbose=0).epoch) == 2  # the next run starts afresh


def test_stop_evaluating_and_predicting():
    model = classifier()
    stop = keras.callbacks.LambdaCallback(
        on_test_batch_end=lambda batch, logs: setattr(model, "stop_evaluating", True),
        on_predict_batch_end=lambda batch, logs: setattr(model, "stop_predicting", batch == 1),
    )
    loss = model.evaluate(X, LABELS, batch_size=5, verbose=0, callbacks=[stop])
    assert loss == pytest.approx(model.evaluate(X[:5], LABELS[:5], verbose=0))
    assert len(model.predict(X, batch_size=5, verbose=0, callbacks=[stop])) == 10


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end", "on_test_batch_end", "on_epoch_end"])
def test_an_interrupt_leaves_the_model_usable(error, hook, tmp_path):
    def stop(*arguments, **named):
        raise error

    released = []

    class Released(keras.callbacks.Callback):
        def release(self):
            released.append(True)

    model = classifier()
    logger = keras.callbacks.CSVLogger(tmp_path / "log")
    callbacks = [keras.callbacks.LambdaCallback(**{hook: stop}), Released(), logger]
    with pytest.raises(error):
        model.fit(X, LABELS, epochs=2, validation_split=0.5, verbose=0, callbacks=callbacks)
    assert released == [True]
    assert logger.csv_file is None
    before = model.evaluate(X, LABELS, verbose=0)[0]
    assert len(model.fit(X, LABELS, epochs=30, verbose=0).epoch) == 30
    assert model.evaluate(X, LABELS, verbose=0)[0] < before


def test_callbacks_may_use_the_model():
    model = classifier()
    results = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            results.append((self.model.predict(X[:3], verbose=0).shape, logs["loss"]))

        def on_train_batch_end(self, batch, logs=None):
            self.model.predict(X[:2], verbose=0)

    history = model.fit(X, LABELS, epochs=2, verbose=0, callbacks=Look())
    assert results == [((3, 3), loss) for loss in history.history["loss"]]


def test_verbose(capsys):
    model = classifier()
    model.fit(X, LABELS, verbose=0, validation_split=0.5)
    model.evaluate(X, LABELS, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")
    model.fit(X, LABELS, epochs=2, verbose=2, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert len(lines) == 4
    assert [name in lines[3] for name in (" accuracy: ", " loss: ", " val_accuracy: ", " val_loss: ")] == [True] * 4


# The same again.

RUN = """
import hashlib
import numpy as np
import minikeras as keras
from minikeras import layers

keras.utils.set_random_seed(5)
model = keras.Sequential([
    layers.Conv2D(6, 5, padding="same", activation="tanh"), layers.AveragePooling2D(2), layers.Dropout(0.2),
    layers.Conv2D(16, 5), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2), layers.Flatten(),
    layers.Dense(120, activation="tanh"), layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
])
(x, y), _ = keras.datasets.digits.load_data(size=28)
model.compile("adam", "scce", input_shape=(28, 28, 1), learning_rate=0.002)
history = model.fit(x[:400], y[:400], epochs=2, validation_split=0.2, verbose=0).history
weights = b"".join(w.tobytes() for w in model.get_weights())
print(hashlib.sha256(weights).hexdigest(), *history["loss"], *history["val_loss"])
"""


def run_in_a_fresh_process(threads, code=RUN):
    environment = {**os.environ, "MINIKERAS_NUM_THREADS": str(threads)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_same_seed_gives_the_same_bits_and_other_threads_the_same_numbers():
    one, again, two = (run_in_a_fresh_process(threads) for threads in (1, 1, 2))
    assert one == again
    assert two == run_in_a_fresh_process(2)
    first, second = (np.array(run[1:], float) for run in (one, two))
    assert len(first) == 4
    np.testing.assert_allclose(first, second, rtol=1e-3)
    assert first[1] < first[0]
    assert run_in_a_fresh_process(1, RUN.replace("seed(5)", "seed(6)"))[0] != one[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_in_a_steady_state_allocates_nothing_large(threads, monkeypatch):
    monkeypatch.setattr("minikeras.kernels.threads._num_threads", threads)
    model = keras.Sequential([
        layers.Conv2D(8, 5, padding="same", activation="tanh"), layers.AveragePooling2D(2),
        layers.Conv2D(16, 3, activation="relu"), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2),
        layers.Dropout(0.3), layers.Flatten(), layers.Dense(60, activation="sigmoid"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "scce", metrics=["accuracy"], input_shape=(28, 28, 1))
    x = np.random.default_rng(0).random((128, 28, 28, 1), dtype="float32")
    y = np.arange(128) % 10
    activations = sum(4 * 128 * math.prod(layer.output_shape[1:]) for layer in model.layers)
    for n in (128, 100, 128):
        model.train_on_batch(x[:n], y[:n])
    step, predict = lambda: model.train_on_batch(x, y), lambda: model.predict(x, batch_size=50, verbose=0)
    for run, limit in ((step, activations / 10), (predict, activations / 10)):
        run()
        tracemalloc.start()
        try:
            run()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(4):
                run()
            after, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak - before < limit
        assert after - before < 60_000


@pytest.mark.parametrize(
    ("units", "activation", "y", "name"),
    [
        (1, "sigmoid", np.array([0, 1] * 4), "binary_crossentropy"),
        (3, "softmax", np.arange(8) % 3, "sparse_categorical_crossentropy"),
        (3, "softmax", np.eye(3)[np.arange(8) % 3], "categorical_crossentropy"),
    ],
)
@pytest.mark.parametrize("loss", ["crossentropy", "CE"])
def test_crossentropy_is_resolved_by_the_targets_shape(loss, units, activation, y, name):
    model = keras.Sequential([layers.Dense(units, activation=activation)])
    model.compile("sgd", loss, metrics=["ce"], input_shape=(4,))
    results = model.train_on_batch(np.ones((8, 4)), y, return_dict=True)
    assert model.loss.name == name
    assert results["ce"] == pytest.approx(results["loss"], rel=1e-6)


def test_a_metric_that_does_not_fit_is_named_before_anything_changes():
    model = keras.Sequential([layers.BatchNormalization(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "scce", metrics=["categorical_accuracy"], input_shape=(4,))
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"metric 'categorical_accuracy' .*\(None,\).*\(None, 3\)"):
        model.fit(np.ones((8, 4)), np.arange(8) % 3, verbose=0)
    for weight, value in zip(before, model.get_weights()):
        np.testing.assert_array_equal(weight, value)


# Subclasses of what is built in, and other traps.


def test_the_gradient_of_a_loss_subclass_is_used():
    class Halved(losses.CategoricalCrossentropy):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred) / 2

        def gradient(self, y_true, y_pred):
            return super().gradient(y_true, y_pred) / 2

    targets = np.eye(3)[np.arange(8) % 3]
    moved = []
    for loss in (losses.CategoricalCrossentropy(), Halved()):
        model = keras.Sequential([layers.Dense(3, activation="softmax", kernel_initializer="zeros")])
        model.compile(optimizers.SGD(0.1), loss, input_shape=(4,))
        model.train_on_batch(np.linspace(0, 1, 32).reshape(8, 4), targets)
        moved.append(model.get_weights()[0])
    np.testing.assert_allclose(moved[1], moved[0] / 2, rtol=1e-4, atol=1e-8)


def test_the_backward_of_a_layer_subclass_is_used():
    called = []

    class Tenfold(layers.Dense):
        def call(self, inputs, training=False):
            return super().call(10 * inputs, training)

        def backward(self, doutputs):
            called.append(doutputs.shape)
            return 10 * super().backward(doutputs)

    model = keras.Sequential([layers.Dense(2), Tenfold(3, activation="softmax")])
    model.compile("sgd", "cce", input_shape=(4,)).train_on_batch(np.ones((8, 4)), np.eye(3)[np.arange(8) % 3])
    assert called == [(8, 3)]


def test_a_loss_may_return_the_targets_as_its_gradient():
    class Product(losses.Loss):
        def call(self, y_true, y_pred):
            return (y_true * y_pred).sum(axis=-1)

        def gradient(self, y_true, y_pred):
            return y_true

    y = np.arange(16, dtype="float32").reshape(8, 2)
    model = keras.Sequential([layers.Dense(2), layers.Rescaling(2.0)])
    model.compile("sgd", Product(reduction="sum"), loss_weights=0.5, input_shape=(4,))
    model.fit(np.ones((8, 4)), y, shuffle=False, verbose=0)
    np.testing.assert_array_equal(y, np.arange(16).reshape(8, 2))


def test_no_validation_loss_is_made_up_when_the_data_run_out():
    def few():
        yield X, NUMBERS

    model = keras.Sequential([layers.Dense(1)]).compile("sgd", "mse", input_shape=(4,))
    with pytest.warns(UserWarning, match="nothing .left. to evaluate"):
        history = model.fit(X, NUMBERS, validation_data=few(), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 3
    assert len(history.history["val_loss"]) == 1
    assert history.history["val_loss"][0] > 0


def test_prediction_in_the_thread_that_feeds_training():
    import queue
    import threading

    model = keras.Sequential([layers.Dense(1)]).compile("sgd", "mse", input_shape=(4,))
    batches = queue.Queue(maxsize=1)

    def feed():
        for _ in range(4):
            batches.put((X, model.predict(X, verbose=0)))

    def generator():
        while True:
            yield batches.get(timeout=30)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    model.fit(generator(), steps_per_epoch=3, verbose=0)
    batches.get(timeout=30)
    feeder.join(30)
    assert not feeder.is_alive()


def test_models_that_share_layers_in_two_threads():
    import threading

    base = keras.Sequential([layers.Input((12, 12, 1)), layers.Conv2D(4, 3), layers.MaxPooling2D(2), layers.Flatten()])
    full = keras.Sequential([base, layers.Dense(10, activation="softmax")])
    full.build((None, 12, 12, 1))
    x = np.random.default_rng(0).random((20, 12, 12, 1))
    expected = base.predict(x, verbose=0)
    stop = threading.Event()

    def other():
        while not stop.is_set():
            full.predict(x[::-1], verbose=0)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        for _ in range(50):
            np.testing.assert_array_equal(base.predict(x, verbose=0), expected)
    finally:
        stop.set()
        thread.join()


def test_trainable_changed_after_compile():
    model = keras.Sequential([layers.BatchNormalization(), layers.Dense(3), layers.Dense(1)])
    model.layers[1].trainable = False
    optimizer = optimizers.Adam(0.01)
    model.compile(optimizer, "mse", input_shape=(4,)).fit(X, NUMBERS, verbose=0)
    model.layers[1].trainable = True
    before = model.get_weights()
    with pytest.raises(ValueError, match="compile it again"):
        model.fit(X, NUMBERS, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    model.compile(optimizer, "mse").fit(X, NUMBERS, verbose=0)
    assert not np.array_equal(before[4], model.get_weights()[4])


def test_a_nested_model_that_changes_after_the_outer_one_was_built():
    inner = keras.Sequential([layers.Dense(3), layers.Dense(3)])
    outer = keras.Sequential([inner, layers.Dense(1)]).compile("sgd", "mse", input_shape=(4,))
    inner.pop()
    for run in (lambda: outer.fit(X, NUMBERS, verbose=0), lambda: outer.predict(X, verbose=0), lambda: outer(X)):
        with pytest.raises(ValueError, match="was changed after"):
            run()


def test_the_outputs_type_does_not_depend_on_threads(monkeypatch):
    from minikeras import stack
    from minikeras.kernels import threads

    monkeypatch.setattr(stack, "HEAVY", 0)
    model = keras.Sequential([layers.Dense(3), layers.Dense(2, dtype="float64")])
    model.build((None, 4))
    before = threads.num_threads()
    try:
        for n in (1, 2):
            threads.set_num_threads(n)
            assert model.predict(X, verbose=0).dtype == "float64"
    finally:
        threads.set_num_threads(before)
