"""TensorStats: the numbers beside NumPy's, a training that stays the same to the bit, and little to pay in between."""

import csv

import numpy as np
import pytest

import minikeras as keras
from minikeras import inspection, layers
from minikeras.callbacks import Callback, TensorStats

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 5)).astype("float32"), RNG.integers(0, 3, 24)


@pytest.fixture(autouse=True)
def names():
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)


def make(optimizer="sgd", dropout=0.4):
    hidden = [layers.Dense(4, "relu", name="hidden"), layers.BatchNormalization(name="norm")]
    rest = [layers.Dropout(dropout, name="dropout"), layers.Dense(3, "softmax", name="last")]
    model = keras.Sequential([layers.Input((5,)), keras.Sequential(hidden, name="inner"), *rest], name="model")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, *callbacks, **arguments):
    arguments = {"batch_size": 8, "epochs": 2, "verbose": 0, "shuffle": False, **arguments}
    return model.fit(X, Y, callbacks=list(callbacks), **arguments)


def check_row(row, array):
    assert row["minimum"] == array.min()
    assert row["maximum"] == array.max()
    assert row["mean"] == pytest.approx(array.astype(float).mean(), abs=1e-12)
    assert row["std"] == pytest.approx(array.astype(float).std(), rel=1e-9, abs=1e-12)
    assert row["zeros"] == pytest.approx((array == 0).mean(), abs=1e-15)
    assert row["nonfinite"] == 0


def test_numbers_are_those_of_the_steps():
    """Beside a training by hand: gradients from the steps of SGD, outputs from the inspection, tested by itself."""
    model, stats, by_hand = make(keras.optimizers.SGD(0.5)), TensorStats(every=2), make(keras.optimizers.SGD(0.5))
    keras.utils.set_random_seed(3)
    by_hand.set_weights(model.get_weights())
    fit(model, stats)
    keras.utils.set_random_seed(3)
    for step in range(6):
        rows = slice(step % 3 * 8, step % 3 * 8 + 8)
        before = [weight.numpy() for weight in by_hand.weights]
        seen = by_hand.inspect(X[rows], Y[rows], training=True)
        by_hand.train_on_batch(X[rows], Y[rows])
        if step % 2:
            continue
        for name, record in seen.items():
            for key, array in record.arrays():
                row = stats[f"{name}/{key}"][step // 2]
                check_row(row, array)
                assert (row["epoch"], row["step"]) == (step // 3, step)
                assert np.isnan(row["ratio"])
        for weight, old, ours in zip(by_hand.weights, before, model.weights):
            update = weight.value - old
            row = stats[ours.path.removeprefix("model/") + "/update"][step // 2]
            check_row(row, update)
            length = np.linalg.norm(old.astype(float))
            ratio = np.linalg.norm(update.astype(float)) / length if length else np.nan
            assert row["ratio"] == pytest.approx(ratio, rel=1e-12, nan_ok=True)
    assert stats["last/kernel/update"].shape == (3,)
    updates, gradients = stats["last/kernel/update"], stats["last/kernel/gradient"]
    np.testing.assert_allclose(updates["mean"], -0.5 * gradients["mean"], rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize("every", [1, 2, 7])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_is_the_same_to_the_bit(every, optimizer):
    results = []
    for callbacks in ([], [TensorStats(every), TensorStats(every, "output")]):
        keras.utils.set_random_seed(11)
        model = make(optimizer)
        history = fit(model, *callbacks, shuffle=True, validation_split=0.25, epochs=3, class_weight={0: 2, 1: 1, 2: 1})
        results.append([*model.get_weights(), *history.history.values(), keras.config.make_generator().random()])
    for plain, watched in zip(*results):
        np.testing.assert_array_equal(plain, watched)


def test_class_weights_count():
    seen = []
    for class_weight in (None, {0: 3, 1: 3, 2: 3}):
        keras.utils.set_random_seed(1)
        stats = TensorStats()
        fit(make(), stats, class_weight=class_weight)
        seen.append(stats[stats.names[-2]])
    assert seen[1]["std"] == pytest.approx(3 * seen[0]["std"], rel=1e-4)


@pytest.mark.parametrize("every, looked_at", [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 2, 4]), (4, [0, 4]), (100, [0])])
def test_other_batches_cost_nothing(monkeypatch, every, looked_at):
    calls, copies = [], []
    look, numpy = inspection.look, keras.Variable.numpy
    monkeypatch.setattr(inspection, "look", lambda *args, **kwargs: calls.append(1) or look(*args, **kwargs))
    monkeypatch.setattr(keras.Variable, "numpy", lambda self: copies.append(1) or numpy(self))
    model, stats = make(), TensorStats(every)
    fit(model, stats)
    assert len(calls) == len(looked_at)
    assert len(copies) == 2 * len(model.weights) * len(looked_at)
    assert stats["dropout/output"]["step"].tolist() == looked_at
    assert stats["dropout/output"]["epoch"].tolist() == [step // 3 for step in looked_at]


def test_each_fit_begins_anew():
    model, stats = make(), TensorStats(2)
    fit(model, stats)
    fit(model, stats, epochs=1)
    assert stats["dropout/output"]["step"].tolist() == [0, 2]


@pytest.mark.parametrize("kinds, expected", [
    ("output", ["dense/output"]),
    (("output_gradient",), ["dense/output_gradient"]),
    (("weight",), ["dense/kernel", "dense/bias"]),
    (("gradient",), ["dense/kernel/gradient", "dense/bias/gradient"]),
    (("update",), ["dense/kernel/update", "dense/bias/update"]),
    (("weight", "update"), ["dense/kernel", "dense/bias", "dense/kernel/update", "dense/bias/update"]),
])  # fmt: skip
def test_choice(monkeypatch, kinds, expected):
    model = keras.Sequential([layers.Input((5,)), layers.Dense(3, name="other"), layers.Dense(2, name="dense")])
    model.compile("sgd", "mse")
    if not {"output", "output_gradient", "gradient"} & {*([kinds] if isinstance(kinds, str) else kinds)}:
        monkeypatch.setattr(inspection, "look", None)  # not needed
    stats = TensorStats(kinds=kinds, layers=["dense"])
    before = model.layers[1].kernel.numpy()
    model.fit(X, np.ones((24, 2)), callbacks=[stats], verbose=0, batch_size=8)
    assert stats.names == expected
    if "dense/kernel" in expected:
        check_row(stats["dense/kernel"][0], before)


def test_statistics():
    array = np.array([[0.0, np.nan, 2.0], [np.inf, 0.0, -np.inf]])
    assert inspection.statistics(array) == pytest.approx((0, 2, 2 / 3, np.sqrt(8) / 3, 1 / 3, 3))
    assert inspection.statistics(np.full(3, np.nan))[4:] == (0.0, 3)
    assert all(np.isnan(number) for number in inspection.statistics(np.full(3, np.nan))[:4])
    assert all(np.isnan(number) for number in inspection.statistics(np.zeros((0, 3)))[:5])
    assert inspection.statistics(np.array([1, 2, 3])) == pytest.approx((1, 3, 2, np.sqrt(2 / 3), 0, 0))
    large = np.full(100_000, 1e4, "float32")  # float32 would lose digits of the sum of squares
    large[::2] += 1
    assert inspection.statistics(large)[2:4] == pytest.approx((10000.5, 0.5), rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*loss.*")
def test_what_explodes_is_counted():
    model, stats = make(keras.optimizers.SGD(1e30)), TensorStats(1)
    fit(model, stats)
    assert stats["last/kernel"]["nonfinite"][0] == 0
    assert stats["last/kernel"]["nonfinite"][-1] == 12


def test_csv(tmp_path):
    model, stats = make(), TensorStats(3)
    fit(model, stats)
    path = tmp_path / "stats.csv"
    path.write_text("old")
    stats.to_csv(path)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == stats.names * 2
    assert [int(row["step"]) for row in rows] == [0] * len(stats.names) + [3] * len(stats.names)
    for row in rows:
        expected = stats[row["name"]][int(row["step"]) // 3]
        assert list(row) == ["name", *expected.dtype.names]
        for field in expected.dtype.names:
            assert float(row[field]) == pytest.approx(expected[field], rel=0, abs=0, nan_ok=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["stats.csv"]
    with pytest.raises(FileNotFoundError, match="no folder"):
        stats.to_csv(tmp_path / "missing" / "stats.csv")


class Countdown(layers.Layer):
    def build(self, input_shape):
        self.left = keras.Variable(np.array([9], np.uint8), name="left", trainable=False)

    def call(self, inputs, training=False):
        if training:
            self.left.assign(self.left.value - 1)
        return inputs

    def backward(self, doutputs):
        return doutputs

    def compute_output_shape(self, input_shape):
        return input_shape


def test_whole_numbers_can_shrink():
    model, stats = keras.Sequential([layers.Input((5,)), Countdown(name="count"), layers.Dense(1)]), TensorStats(2)
    model.compile("sgd", "mse")
    model.fit(X, np.ones((24, 1)), batch_size=8, callbacks=[stats], verbose=0)
    assert stats["count/left"]["mean"].tolist() == [9, 7]
    assert stats["count/left/update"]["mean"].tolist() == [-1, -1]


class Stop(Callback):
    def on_train_batch_begin(self, batch, logs=None):
        raise KeyboardInterrupt


def test_nothing_is_left_in_the_model():
    model, stats = make(), TensorStats(1)
    with pytest.raises(KeyboardInterrupt):
        fit(model, stats, Stop())
    assert model._watchers == ()
    fit(model, stats, TensorStats(1))
    assert model._watchers == ()


@pytest.mark.parametrize("arguments, error, message", [
    ({"every": 0}, ValueError, "`every`.*every=0"),
    ({"every": 2.0}, ValueError, "`every`.*every=2.0"),
    ({"every": True}, ValueError, "`every`.*every=True"),
    ({"kinds": ("outputs",)}, ValueError, "`kinds` must be some of 'output'.*outputs"),
    ({"kinds": ()}, ValueError, "`kinds`"),
    ({"layers": "dense"}, TypeError, r"`layers`.*layers=\['dense'\]"),
])  # fmt: skip
def test_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        TensorStats(**arguments)


def test_unknown_names():
    model, stats = make(), TensorStats(layers=["inner/hidden", "dens"])
    before = model.get_weights()
    with pytest.raises(ValueError, match="'dens', which is no layer of.*inner/hidden, inner/norm"):
        fit(model, stats)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(KeyError, match="none, as no batch"):
        stats["dense/output"]
