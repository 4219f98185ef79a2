"""Bad input: every row of the table of what users get wrong, with the error or warning that it must meet.

An error has the right type, and names the argument, what was received, what is expected and how to mend it, without
dumping data. It comes before a weight, a moving average or the optimizer has changed. What looks similar and is right
is accepted without a word: see `test_good_data` and what follows it. Rows about weight files: `test_saving.py`; about
indices: `layers/test_embedding.py`.
"""

import warnings

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, losses, optimizers

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
IMAGES = np.random.default_rng(1).random((6, 8, 8, 1)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])
ONE_HOT = np.eye(3)[LABELS]


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(2)


def holding(array, value, *index):
    array = array.copy()
    array[index] = value
    return array


class Batches(keras.utils.PyDataset):
    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def network(loss="scce", units=3, activation="softmax", **arguments):
    """A dense network for X, with moving averages that a step in training mode would change."""
    model = keras.Sequential([
        layers.Dense(5, activation="relu", name="first"), layers.BatchNormalization(),
        layers.Dense(units, activation=activation, name="last"),
    ])  # fmt: skip
    defaults = {"optimizer": "adam", "loss": loss, "metrics": ["accuracy"], "input_shape": (4,)}
    return model.compile(**{**defaults, **arguments})


def convolutional(flat=True, input_shape=(8, 8, 1), loss="scce"):
    model = keras.Sequential([layers.Conv2D(2, 3, name="first")])
    if flat:
        model.add(layers.Flatten())
    model.add(layers.Dense(3, activation="softmax", name="last"))
    return model.compile("adam", loss, input_shape=input_shape)


def state(model):
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


def refused(run, error, words, model=None):
    """Check that ``run()`` raises the right error with all ``words`` in it, and leaves the model as it is."""
    before = state(model) if model is not None and model.built else None
    with pytest.raises(error) as caught:
        run()
    assert caught.type is error
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert len(message) < 1000  # the list of all metrics is the longest
    if before is not None:
        after = state(model)
        assert model.optimizer.iterations == 0
        assert all(np.array_equal(a, b) for a, b in zip(before, after[: len(before)]))


def test_refused_notices_a_change():
    model = network()
    with pytest.raises(AssertionError):
        refused(lambda: (model.train_on_batch(X, LABELS), int("x")), ValueError, [], model)


# Data, through every door by which it can come in.

TARGET_DOORS = {
    "fit": lambda model, x, y: model.fit(x, y, verbose=0),
    "fit with a split": lambda model, x, y: model.fit(x, y, validation_split=0.3, verbose=0),
    "generator": lambda model, x, y: model.fit((batch for batch in [(x, y)]), verbose=0),
    "data set": lambda model, x, y: model.fit(Batches((x, y)), verbose=0),
    "validation data": lambda model, x, y: model.fit(*good_data(model), validation_data=(x, y), verbose=0),
    "validation generator": lambda model, x, y: model.fit(
        *good_data(model), validation_data=(batch for batch in [(x, y)]), verbose=0
    ),
    "validation data set": lambda model, x, y: model.fit(
        *good_data(model), validation_data=Batches((x, y)), verbose=0
    ),
    "evaluate": lambda model, x, y: model.evaluate(x, y, verbose=0),
    "train_on_batch": lambda model, x, y: model.train_on_batch(x, y),
    "test_on_batch": lambda model, x, y: model.test_on_batch(x, y),
}
INPUT_DOORS = {
    **TARGET_DOORS,
    "predict": lambda model, x, y: model.predict(x, verbose=0),
    "predict a generator": lambda model, x, y: model.predict((batch for batch in [(x,)]), verbose=0),
    "predict_on_batch": lambda model, x, y: model.predict_on_batch(x),
    "call": lambda model, x, y: model(x),
}


def good_data(model):
    """Data that the model can be trained with, to be validated on others."""
    shape = model.output_shape[1:]
    if isinstance(model.loss, losses.SparseCategoricalCrossentropy):
        y = np.zeros((6, *shape[:-1]), int)
    else:
        y = np.broadcast_to(np.eye(1, shape[-1]), (6, *shape))
    return np.ones((6, *model.input_shape[1:]), "float32"), y


BAD_TARGETS = [
    ("row 2: lengths", {}, LABELS[:5], ValueError, ["`x`", "`y`", "6 in x", "5 in y", "cut"]),
    ("row 3: label too large", {}, [0, 1, 3, 0, 1, 2], ValueError,
     ["`y`", "label 3", "row 2", "0..2", "3 units", "'last'", "at least 4 units"]),
    ("row 3: bytes", {}, np.array([0, 1, 2, 200, 1, 2], "uint8"), ValueError,
     ["label 200", "row 3", "0..2", "3 units"]),
    ("row 4: negative label", {}, [0, 1, -1, 0, 1, 2], ValueError, ["`y`", "label -1", "row 2", "0..2", "recode"]),
    ("row 5: labels from 1", {}, LABELS + 1, ValueError, ["`y`", "label 3", "labels start at 1; subtract 1"]),
    ("row 6: fractions", {}, [0, 1.5, 2, 0, 1, 2], ValueError, ["`y`", "float64", "1.5", "row 1", "whole", "Round"]),
    ("row 7: one-hot, sparse loss", {}, ONE_HOT, ValueError,
     ["`y`", "(6, 3)", "(None, 3)", "use categorical_crossentropy or argmax"]),
    ("row 8: labels, categorical loss", {"loss": "cce"}, LABELS, ValueError,
     ["`y`", "(6,)", "(None, 3)", "use sparse_categorical_crossentropy or to_categorical"]),
    ("row 8: column of labels", {"loss": "cce"}, LABELS[:, None], ValueError,
     ["(6, 1)", "(None, 3)", "to_categorical"]),
    ("row 9: other width", {"loss": "cce"}, np.eye(5)[LABELS], ValueError,
     ["`y`", "width 5", "width 3", "'last'", "5 units"]),
    ("row 12: NaN", {"loss": "mse"}, np.where(ONE_HOT == 1, np.nan, 0), ValueError,
     ["`y`", "6 values", "NaN", "(0, 0)", "Remove"]),
    ("row 12: infinity", {"loss": "mse"}, holding(ONE_HOT, np.inf, 4, 0), ValueError,
     ["`y`", "infinite", "(4, 0)"]),
    ("row 14: strings", {}, ["a", "b", "c", "a", "b", "c"], TypeError, ["`y`", "<U1", "'a'"]),
    ("row 18: missing", {}, None, ValueError, ["`y` is required because loss=", "None", "Give"]),
    ("row 34: -1 and 1", {"loss": "bce", "units": 1, "activation": "sigmoid"}, LABELS - 1.0, ValueError,
     ["`y`", "[0, 1]", "-1.0 to 1.0", "recode"]),
    ("row 34: 0, 1, 2", {"loss": "bce", "units": 1, "activation": "sigmoid"}, LABELS, ValueError,
     ["[0, 1]", "0 to 2", "sparse_categorical_crossentropy"]),
    ("row 49: two columns", {"loss": "mse", "units": 1, "activation": None}, ONE_HOT[:, :2], ValueError,
     ["`y`", "(6, 2)", "(None, 1)", "broadcast", "2 units"]),
    ("row 49: one column", {"loss": "mae", "units": 2, "activation": None}, LABELS, ValueError,
     ["`y`", "(6,)", "(None, 2)", "broadcast", "1 unit"]),
    ("row 49: binary", {"loss": "bce", "units": 1, "activation": "sigmoid"}, ONE_HOT[:, :2], ValueError,
     ["(6, 2)", "(None, 1)"]),
]  # fmt: skip


@pytest.mark.parametrize("door", TARGET_DOORS)
@pytest.mark.parametrize("arguments, y, error, words", [row[1:] for row in BAD_TARGETS],
                         ids=[r[0] for r in BAD_TARGETS])
def test_targets(arguments, y, error, words, door):
    model = network(**arguments)
    refused(lambda: TARGET_DOORS[door](model, X, y), error, words, model)


@pytest.mark.parametrize("door", TARGET_DOORS)
@pytest.mark.parametrize("loss, y", [("scce", LABELS), ("cce", ONE_HOT), ("mse", LABELS[:, None])])
def test_row_33_flatten_forgotten(loss, y, door):
    model = convolutional(flat=False, loss=loss)
    words = ["`y`", "'last'", "(None, 6, 6, 3)", "(6,", "Flatten or GlobalAveragePooling2D"]
    refused(lambda: TARGET_DOORS[door](model, IMAGES, y), ValueError, words, model)


RAGGED = [[1.0, 2, 3, 4], [1.0, 2, 3, 4], [1.0, 2, 3], [1.0, 2, 3, 4], [1.0, 2, 3, 4], [1.0, 2, 3, 4]]
BAD_INPUTS = [
    ("row 1: wrong last dimension", (4,), np.ones((6, 5)), ValueError,
     ["'first'", "expects", "(None, 4)", "(6, 5)", "size 5 in place of 4", "input_shape=(5,)"]),
    ("row 1: images", (8, 8, 1), np.ones((6, 8, 8, 3)), ValueError,
     ["'first'", "(None, 8, 8, 1)", "(6, 8, 8, 3)", "size 3 in place of 1"]),
    ("row 11: NaN", (4,), holding(X, np.nan, slice(2, 4), 1), ValueError,
     ["`x`", "2 values", "(2, 1)", "NaN", "Remove"]),
    ("row 11: infinity", (4,), holding(X, -np.inf, 5, 3), ValueError, ["`x`", "-inf", "(5, 3)", "infinite"]),
    ("row 11: both infinities", (8, 8, 1), holding(holding(IMAGES, np.inf, 0), -np.inf, 1), ValueError,
     ["128 values", "(0, 0, 0, 0)"]),
    ("row 13: ragged list", (4,), RAGGED, ValueError, ["`x`", "object", "row 2", "length 3", "length 4", "pad"]),
    ("row 13: ragged array", (4,), np.array(RAGGED, dtype=object), ValueError, ["`x`", "object", "row 2", "pad"]),
    ("row 13: objects", (4,), np.array([[{}] * 4] * 6), ValueError, ["`x`", "object", "{}", "numbers", "astype"]),
    ("row 14: strings", (4,), [["a", "b", "c", "d"]] * 6, TypeError, ["`x`", "<U1", "'a'", "numbers"]),
    ("row 14: bytes", (4,), np.array([[b"1", b"2", b"3", b"4"]] * 6), TypeError, ["`x`", "|S1", "b'1'", "numbers"]),
    ("row 14: dates", (4,), np.zeros((6, 4), "datetime64[D]"), TypeError, ["`x`", "datetime64[D]", "1970"]),
    ("row 15: complex", (4,), X * 1j, TypeError, ["`x`", "complex64", "np.abs"]),
    ("row 17: empty", (4,), X[:0], ValueError, ["`x`", "0 samples", "(0, 4)", "at least one"]),
    ("row 30: rank 3", (8, 8, 1), IMAGES[..., 0], ValueError,
     ["'first'", "(batch, height, width, channels)", "(6, 8, 8)", "add a channel axis: x[..., None]"]),
    ("row 31: channels first", (8, 8, 3), np.ones((6, 3, 8, 8)), ValueError,
     ["'first'", "(6, 3, 8, 8)", "looks like channels_first", "transpose(0, 2, 3, 1)", "data_format"]),
    ("row 31: one channel", (8, 8, 1), np.ones((6, 1, 8, 8)), ValueError, ["looks like channels_first", "transpose"]),
    ("row 52: one sample", (4,), X[0], ValueError, ["(4,)", "(None, 4)", "add a batch axis: x[None]"]),
    ("row 52: one image", (8, 8, 1), IMAGES[0], ValueError, ["(8, 8, 1)", "add a batch axis: x[None]"]),
    ("row 52: one number", (4,), 3.0, ValueError, ["batch axis", "3.0"]),
]  # fmt: skip


@pytest.mark.parametrize("door", INPUT_DOORS)
@pytest.mark.parametrize("shape, x, error, words", [row[1:] for row in BAD_INPUTS], ids=[row[0] for row in BAD_INPUTS])
def test_inputs(shape, x, error, words, door):
    model = network() if len(shape) == 1 else convolutional(input_shape=shape)
    words = ["`inputs`" if word == "`x`" and door == "call" else word for word in words]
    y = np.zeros(len(x) if hasattr(x, "__len__") else 0, int)
    refused(lambda: INPUT_DOORS[door](model, x, y), error, words, model)


@pytest.mark.parametrize("door", ["fit", "generator", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("weights, words", [
    (np.ones(5), ["`sample_weight`", "6 in x", "5 in sample_weight", "cut"]),
    (np.ones((6, 3)), ["`sample_weight`", "(6, 3)", "shape (6,)"]),
    (np.full(6, np.nan), ["`sample_weight`", "6 values", "NaN"]),
])  # fmt: skip
def test_sample_weights(weights, words, door):
    model = network()
    run = {
        "fit": lambda: model.fit(X, LABELS, sample_weight=weights, verbose=0),
        "generator": lambda: model.fit(iter([(X, LABELS, weights)]), verbose=0),
        "evaluate": lambda: model.evaluate(X, LABELS, sample_weight=weights, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(X, LABELS, sample_weight=weights),
        "test_on_batch": lambda: model.test_on_batch(X, LABELS, sample_weight=weights),
    }[door]
    refused(run, ValueError, words, model)


def test_a_bad_batch_later_on_is_refused_before_its_own_step():
    model = network()
    with pytest.raises(ValueError, match="label 3"):
        model.fit(iter([(X, LABELS), (X, LABELS + 1)]), verbose=0)
    assert model.optimizer.iterations == 1
    model.fit(X, LABELS, verbose=0)


# The same without a model that is built: the first batch says what the input shape is.


def unbuilt():
    return keras.Sequential([
        layers.Conv2D(2, 3, name="first"), layers.Flatten(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


@pytest.mark.parametrize("x, words", [
    (IMAGES[..., 0], ["(batch, height, width, channels)", "(None, 8, 8)", "add a channel axis: x[..., None]"]),
    (np.ones((6, 3, 8, 8)), ["(None, 3, 8, 8)", "looks like channels_first", "transpose", "data_format"]),
    (np.ones((6, 2, 2, 1)), ["input (2, 2)", "kernel_size (3, 3)", "padding 'valid'", "(0, 0)"]),
], ids=["row 30", "row 31", "row 28"])  # fmt: skip
def test_first_batch(x, words):
    model = unbuilt().compile("adam", "scce")
    refused(lambda: model.fit(x, LABELS, verbose=0), ValueError, ["'first'", *words])
    assert not model.built
    model.fit(IMAGES, LABELS, verbose=0)


# Models, arguments and names: what is refused when it is written down.


def compiled(**arguments):
    return network().compile(**{"optimizer": "adam", "loss": "scce", **arguments})


def fit(**arguments):
    return network().fit(X, LABELS, **{"verbose": 0, **arguments})


def conv(**arguments):
    return layers.Conv2D(**{"filters": 2, "kernel_size": 3, **arguments})


BAD_ARGUMENTS = [
    ("row 19: fit", lambda: keras.Sequential([layers.Dense(1)]).fit(X, LABELS), RuntimeError,
     ["`fit`", "call compile()"]),
    ("row 19: evaluate", lambda: keras.Sequential([layers.Dense(1)]).evaluate(X, LABELS), RuntimeError,
     ["call compile()"]),
    ("row 19: train_on_batch", lambda: keras.Sequential([layers.Dense(1)]).train_on_batch(X, LABELS), RuntimeError,
     ["call compile()", "model.compile("]),
    ("row 20: predict", lambda: unbuilt().predict(IMAGES), ValueError,
     ["`predict`", "not built", "model.build((None, 28"]),
    ("row 20: predict_on_batch", lambda: unbuilt().predict_on_batch(IMAGES), ValueError, ["not built", "model.build("]),
    ("row 20: save", lambda: unbuilt().save_weights("x.weights.h5"), ValueError, ["`save_weights`", "model.build("]),
    ("row 20: summary", lambda: unbuilt().summary(), ValueError, ["`summary`", "model.build("]),
    ("row 20: count_params", lambda: unbuilt().count_params(), ValueError, ["`count_params`", "model.build("]),
    ("row 20: no layers", lambda: keras.Sequential().compile("sgd", "mse").fit(X, LABELS), ValueError,
     ["no layers", "add"]),
    ("row 21: loss", lambda: compiled(loss="sparse_categorical_crossentopy"), ValueError,
     ["loss", "'sparse_categorical_crossentopy'", "Did you mean 'sparse_categorical_crossentropy'", "mse"]),
    ("row 21: type", lambda: compiled(loss=3), TypeError, ["loss", "3", "name"]),
    ("row 22: optimizer", lambda: compiled(optimizer="adm"), ValueError,
     ["optimizer", "'adm'", "Did you mean 'adam'", "sgd"]),
    ("row 22: type", lambda: compiled(optimizer=0.1), TypeError, ["optimizer", "0.1", "name"]),
    ("row 23: activation", lambda: layers.Dense(3, activation="rleu"), ValueError,
     ["activation", "'rleu'", "Did you mean 'relu'", "softmax"]),
    ("row 23: layer", lambda: layers.Activation("softmaks"), ValueError, ["'softmaks'", "Did you mean 'softmax'"]),
    ("row 24: metric", lambda: compiled(metrics=["acuracy"]), ValueError,
     ["metric", "'acuracy'", "Did you mean", "mse"]),
    ("row 24: weighted", lambda: compiled(weighted_metrics=["auc!"]), ValueError, ["metric", "'auc!'", "mse"]),
    ("row 24: None", lambda: compiled(metrics=[None]), ValueError, ["`metrics`", "None", "['accuracy']"]),
    ("row 25: initializer", lambda: layers.Dense(3, kernel_initializer="glorot_unifrom"), ValueError,
     ["initializer", "'glorot_unifrom'", "Did you mean 'glorot_uniform'", "zeros"]),
    ("row 28: convolution", lambda: compiled_images(conv(name="c")), ValueError,
     ["'c'", "input (2, 2)", "kernel_size (3, 3)", "strides (1, 1)", "padding 'valid'", "(0, 0)", "padding='same'"]),
    ("row 28: dilation", lambda: compiled_images(conv(name="c", dilation_rate=4), size=8), ValueError,
     ["'c'", "input (8, 8)", "dilation_rate (4, 4)", "(0, 0)"]),
    ("row 28: channels first", lambda: compiled_images(layers.Conv2D(6, 5, name="c"), input_shape=[1, 32, 32]),
     ValueError,
     ["'c'", "looks like channels_first", "transpose(0, 2, 3, 1)", "set_image_data_format"]),
    ("row 29: pooling", lambda: compiled_images(layers.MaxPooling2D(3, name="p")), ValueError,
     ["'p'", "input (2, 2)", "pool_size (3, 3)", "strides (3, 3)", "padding 'valid'", "(0, 0)"]),
    ("row 30: rank", lambda: compiled_images(conv(name="c"), input_shape=(28, 28)), ValueError,
     ["'c'", "(batch, height, width, channels)", "(None, 28, 28)", "add a channel axis: x[..., None]"]),
    ("row 32: data_format", lambda: conv(data_format="channel_last"), ValueError,
     ["`data_format`", "'channel_last'", "'channels_last'", "'channels_first'"]),
    ("row 32: padding", lambda: conv(padding="full"), ValueError, ["`padding`", "'full'", "'valid'", "'same'"]),
    ("row 32: pooling", lambda: layers.AveragePooling2D(2, padding="casual"), ValueError,
     ["`padding`", "'casual'", "'same'"]),
    ("row 32: setting", lambda: keras.config.set_image_data_format("NHWC"), ValueError, ["`data_format`", "'NHWC'"]),
    *[(f"row 26: {name}={value!r}", make, ValueError, [f"`{name}`", repr(value), "positive integer"])
      for value in (0, -3, 2.5, 2.0, True, None, "3")
      for name, make in (("units", lambda value=value: layers.Dense(value)),
                         ("filters", lambda value=value: layers.Conv2D(value, 3)))],
    *[(f"row 27: rate={value!r}", lambda value=value: layers.Dropout(value), ValueError,
       ["`rate`", repr(value), "[0, 1)"])
      for value in (1, 1.0, -0.1, 1.5, True, "0.5", None, float("nan"))],
    *[(f"row 43: split={value!r}", lambda value=value: fit(validation_split=value), ValueError,
       ["`validation_split`", repr(value), "between 0 and 1"])
      for value in (1, 1.0, -0.1, 1.5, True, "0.1", float("nan"))],
    *[(f"row 43: split={value!r}", lambda value=value: fit(validation_split=value), ValueError,
       ["`validation_split`", repr(value), "6 samples", *counts, "validation_data"])
      for value, counts in ((0.9, ["0 for training", "6 for validation"]),
                            (1e-17, ["6 for training", "0 for validation"]))],
    ("row 43: split of a generator", lambda: network().fit(iter([(X, LABELS)]), validation_split=0.2), ValueError,
     ["`validation_split`", "0.2", "arrays", "validation_data"]),
    *[(f"row 44: {name}={value!r}", lambda name=name, value=value: fit(**{name: value}), ValueError,
       [f"`{name}`", repr(value), "positive integer"])
      for name in ("batch_size", "validation_batch_size", "steps_per_epoch", "validation_steps", "validation_freq")
      for value in (0, -1, 2.0, True, "32")],
    *[(f"row 44: {method} {value!r}",
       lambda method=method, value=value: getattr(network(), method)(X, batch_size=value), ValueError,
       ["`batch_size`", repr(value), "positive integer"])
      for method in ("predict", "evaluate") for value in (0, -1, 2.0, True)],
    *[(f"row 45: {name}={value!r}", lambda name=name, value=value: fit(**{name: value}), ValueError,
       [f"`{name}`", repr(value), "integer of at least 0"])
      for name in ("epochs", "initial_epoch") for value in (-1, 2.0, 0.5, True, None, "3")],
    *[(f"row 46: {value!r}", lambda make=make, value=value: make(value), ValueError,
       ["`learning_rate`", repr(value), "positive"])
      for make in (optimizers.SGD, optimizers.Adam, lambda value: compiled(learning_rate=value))
      for value in (0, -0.1, float("nan"), float("inf"), "0.01", True)],
    *[(f"row 46: set to {value!r}", lambda value=value: setattr(network().optimizer, "learning_rate", value),
       ValueError, ["`learning_rate`", repr(value), "positive"])
      for value in (-0.1, float("nan"), float("inf"), "0.01", True)],  # a schedule may come to 0
    *[(f"row 47: {value!r}", lambda cls=cls, value=value: cls(label_smoothing=value), ValueError,
       ["`label_smoothing`", repr(value), "[0, 1)"])
      for cls in (losses.CategoricalCrossentropy, losses.BinaryCrossentropy)
      for value in (1, 1.5, -0.1, "0.1", True, None, float("nan"))],
    ("row 48: no dict", lambda: fit(class_weight=[1, 2, 3]), ValueError, ["`class_weight`", "[1, 2, 3]", "dict"]),
    ("row 48: negative", lambda: fit(class_weight={0: 1, 1: -1, 2: 1}), ValueError,
     ["`class_weight`", "-1", "class 1"]),
    ("row 48: names", lambda: fit(class_weight={"cat": 1}), ValueError, ["`class_weight`", "'cat'", "0, 1, 2"]),
    ("row 48: with sample_weight", lambda: fit(class_weight={0: 1}, sample_weight=np.ones(6)), ValueError,
     ["`class_weight`", "`sample_weight`", "multiply"]),
    ("row 51: placeholder", lambda: fit(callbacks=[keras.callbacks.ModelCheckpoint(
        "{epoch}-{val_acc}.weights.h5", save_weights_only=True)]), ValueError,
     ["{val_acc}", "Available keys", "accuracy"]),
    ("row 53: too large", lambda: keras.utils.to_categorical([0, 3], num_classes=3), ValueError,
     ["`x`", "3", "num_classes=3", "index (1,)"]),
    ("row 53: negative", lambda: keras.utils.to_categorical([0, -1]), ValueError, ["`x`", "-1", "num_classes"]),
    ("x missing", lambda: network().fit(), ValueError, ["`x`", "None", "array"]),
    ("y with a generator", lambda: network().fit(iter([(X, LABELS)]), LABELS), ValueError, ["`y`", "(x, y"]),
    ("batch of four", lambda: network().fit(iter([(X, LABELS, X, X)])), ValueError,
     ["tuple of 4", "(x, y, sample_weight)"]),
    ("empty generator", lambda: network().fit(iter([])), ValueError, ["`x`", "0 samples"]),
    ("empty data set", lambda: network().fit(Batches()), ValueError, ["0 batches"]),
    ("shuffle", lambda: fit(shuffle="yes"), ValueError, ["`shuffle`", "'yes'", "'batch'"]),
    ("verbose", lambda: fit(verbose=3), ValueError, ["`verbose`", "3"]),
    ("callbacks", lambda: fit(callbacks=[keras.callbacks.EarlyStopping]), TypeError,
     ["`callbacks`", "EarlyStopping()"]),
    ("loss weights", lambda: compiled(loss_weights=[1, 2]), ValueError, ["`loss_weights`", "[1, 2]", "one output"]),
    ("reduction none", lambda: compiled(loss=losses.MeanSquaredError(reduction="none")), ValueError,
     ["reduction='none'", "one number", "sum_over_batch_size"]),
    ("no loss", lambda: compiled(loss=None).fit(X, LABELS), ValueError, ["loss=None", "compile()"]),
]  # fmt: skip


def compiled_images(layer, size=2, input_shape=None):
    return keras.Sequential([layer]).compile("sgd", "mse", input_shape=input_shape or (size, size, 1))


@pytest.mark.parametrize("run, error, words", [row[1:] for row in BAD_ARGUMENTS], ids=[row[0] for row in BAD_ARGUMENTS])
def test_arguments(run, error, words):
    refused(run, error, words)


@pytest.mark.parametrize("arguments", [
    {"loss": "mess"}, {"optimizer": "adm"}, {"metrics": ["acuracy"]}, {"learning_rate": -1}, {"input_shape": (5,)},
    {"loss_weights": "x"}, {"loss": losses.MeanSquaredError(reduction=None)},
])  # fmt: skip
def test_a_failed_compile_leaves_the_model_as_it_was(arguments):
    model = network()
    optimizer, loss = model.optimizer, model.loss
    with pytest.raises(ValueError):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    assert model.optimizer is optimizer
    assert model.loss is loss
    assert set(model.fit(X, LABELS, verbose=0).history) == {"loss", "accuracy"}


def test_row_50_monitor_that_no_log_has():
    model = network()
    with pytest.raises(ValueError, match=r"'val_acc', which is not logged. Available keys: accuracy, loss"):
        model.fit(X, LABELS, epochs=2, verbose=0, callbacks=[keras.callbacks.EarlyStopping("val_acc")])
    assert model.optimizer.iterations == 1  # at the end of the first epoch
    with pytest.raises(ValueError,
                       match=r"'val_accu', which is not logged. Available keys: .*val_loss.* 'val_accuracy'"):
        model.fit(
            X, LABELS, validation_split=0.5, verbose=0,
            callbacks=[keras.callbacks.ReduceLROnPlateau("val_accu", mode="max")]
        )


def test_row_51_is_met_before_training(tmp_path):
    model = network()
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}-{los}.weights.h5", save_weights_only=True)
    refused(lambda: model.fit(X, LABELS, verbose=0, callbacks=[checkpoint]), ValueError, ["{los}", "loss"], model)


# Warnings: of what may be meant, but rarely is. Once, and at the user's own line.


def warned(run, words):
    """Check that ``run()`` warns once, with all ``words``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run()
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 1, messages
    assert [word for word in words if word not in messages[0]] == [], messages[0]
    assert caught[0].category is UserWarning
    assert caught[0].filename == __file__
    return result


@pytest.mark.parametrize("door", TARGET_DOORS)
def test_row_10_rows_that_do_not_sum_to_1(door):
    y = holding(ONE_HOT, 0.5, 1)
    model = network("cce")
    warned(lambda: TARGET_DOORS[door](model, X, y), ["`y`", "Row 1", "1.5", "normalize", "binary_crossentropy"])
    model.fit(X, y, epochs=2, verbose=0)


@pytest.mark.parametrize("loss, activation", [
    ("scce", None), ("bce", "relu"), ("cce", "tanh"), ("scce", "linear"), ("cce", "selu"), ("bce", "relu6"),
])  # fmt: skip
def test_row_35_crossentropy_of_an_unbounded_layer(loss, activation):
    units = 1 if loss == "bce" else 3
    warned(
        lambda: network(loss, units, activation),
        ["'last'", repr(activation or "linear"), "from_logits=True", "softmax", "crossentropy"],
    )
    model = keras.Sequential([layers.Dense(units, activation=activation, name="last")]).compile("sgd", loss)
    warned(lambda: model.fit(X, {"scce": LABELS, "cce": ONE_HOT, "bce": LABELS > 1}[loss], verbose=0), ["'last'"])
    ending = keras.Sequential([layers.Dense(3, activation="softmax"), layers.ReLU(name="end")])
    warned(lambda: ending.compile("sgd", "scce", input_shape=(4,)), ["'end'", "re_lu"])


def test_row_36_softmax_over_one_unit():
    model = warned(lambda: network("bce", 1), ["'last'", "always 1.0; use sigmoid", "two units"])
    model.fit(X, LABELS > 1, verbose=0)  # said already


@pytest.mark.parametrize("method", ["fit", "train_on_batch"])
def test_row_48_class_weight_without_a_class(method):
    model = network()
    arguments = {"class_weight": {0: 1.0, 1: 2.0}, **({"verbose": 0, "epochs": 2} if method == "fit" else {})}
    words = ["`class_weight`", "[2]", "weight 1", "[0, 1]", "add"]
    warned(lambda: getattr(model, method)(X, LABELS, **arguments), words)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_row_54_raw_images(dtype):
    raw = (IMAGES * 255).astype("uint8").astype(dtype)
    model = convolutional()
    words = ["`x`", "from ", "to 25", "divide by 255 or add Rescaling(1/255)"]
    warned(lambda: model.fit(raw, LABELS, verbose=0), words)
    model.fit(raw, LABELS, verbose=0)  # once
    model = convolutional()
    warned(lambda: model.train_on_batch(raw, LABELS), ["raw images"])
    flattened = keras.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")]).compile("sgd", "scce")
    warned(lambda: flattened.fit(raw[..., 0], LABELS, verbose=0), ["raw images"])


def exploding(rate=1e30, **arguments):
    model = keras.Sequential([layers.Dense(5, name="first"), layers.Dense(1, name="last")])
    return model.compile(optimizers.SGD(rate), "mse", input_shape=(4,), **arguments)


@pytest.mark.parametrize("method", ["fit", "train_on_batch"])
def test_row_55_loss_becomes_infinite(method):
    model = exploding()

    def run():
        if method == "fit":
            return model.fit(X, LABELS, epochs=6, batch_size=3, shuffle=False, verbose=0)
        for _ in range(6):
            model.train_on_batch(X, LABELS)

    warned(run, ["The loss became ", "at batch 1" if method == "fit" else "at batch 0", "first non-finite tensor: ",
                 "learning rate 1e+30", "lower the learning rate"])  # fmt: skip


def test_row_55_names_the_first_tensor():
    model = exploding(0.1)
    model.layers[1].kernel.assign(np.full((5, 1), 3e38, "float32"))
    warned(lambda: model.train_on_batch(X * 10, LABELS), ["nan", "output of layer 'last'"])
    model = exploding(0.1)
    model.layers[0].bias.assign(np.full(5, np.nan, "float32"))
    warned(lambda: model.train_on_batch(X, LABELS), ["nan", "'sequential", "/first/bias'"])
    model = exploding(0.1)
    warned(lambda: model.train_on_batch(X, LABELS * 1e30), ["inf", "the loss itself"])


def test_data_that_run_out():
    model = network()
    history = warned(
        lambda: model.fit(iter([(X, LABELS)] * 2), epochs=3, verbose=0), ["ended", "1 of 3 epochs", "while True"]
    )
    assert history.epoch == [0]
    warned(lambda: model.fit(iter([(X, LABELS)] * 3), epochs=2, steps_per_epoch=2, verbose=0),
           ["ran out after 1 of the 2"])
    warned(lambda: model.fit(X, LABELS, batch_size=2, steps_per_epoch=4, verbose=0), ["ran out after 3 of the 4"])
    warned(
        lambda: model.fit(X, LABELS, epochs=2, validation_data=iter([(X, LABELS)]), verbose=0),
        ["nothing (left) to evaluate"]
    )


# What is like bad input, and is not: accepted without a word, for warnings are errors here.

GOOD = [
    ("row 16: lists", {}, X.tolist(), LABELS.tolist()),
    ("row 16: tuples", {}, tuple(map(tuple, X.tolist())), tuple(LABELS.tolist())),
    ("lists of arrays", {}, list(X), list(LABELS)),
    ("float64", {}, X.astype("float64"), LABELS),
    ("float16", {}, X.astype("float16"), LABELS.astype("int8")),
    ("integers", {}, (X * 10).astype(int), LABELS),
    ("booleans", {}, X > 0, LABELS),
    ("transposed", {}, np.asfortranarray(X), LABELS),
    ("read-only", {}, np.broadcast_to(X[:1], (6, 4)), LABELS),
    ("one sample", {}, X[:1], LABELS[:1]),
    ("large values", {}, X * 1e20, LABELS),
    ("row 3: column of labels", {}, X, LABELS[:, None]),
    ("row 3: bytes", {}, X, LABELS.astype("uint8")),
    ("row 3: not all classes", {}, X, LABELS * 0),
    ("row 5: class 0 is absent", {}, X, np.array([1, 2, 1, 2, 1, 2])),
    ("row 6: whole floats", {}, X, LABELS.astype("float32")),
    ("row 7: one-hot", {"loss": "cce"}, X, ONE_HOT),
    ("row 7: integers", {"loss": "cce"}, X, ONE_HOT.astype(int)),
    ("row 10: soft labels", {"loss": "cce"}, X, ONE_HOT * 0.7 + 0.1),
    ("row 10: thirds", {"loss": "cce"}, X, np.full((6, 3), 1 / 3, "float16")),
    ("row 34: booleans", {"loss": "bce", "units": 1, "activation": "sigmoid"}, X, LABELS > 1),
    ("row 34: probabilities", {"loss": "bce", "units": 1, "activation": "sigmoid"}, X, LABELS[:, None] / 2),
    ("row 34: several at once", {"loss": "bce", "activation": "sigmoid"}, X, np.maximum(ONE_HOT[:, ::-1], ONE_HOT)),
    ("row 35: logits", {"loss": losses.SparseCategoricalCrossentropy(from_logits=True), "activation": None}, X, LABELS),
    ("row 35: regression", {"loss": "mse", "activation": None}, X, ONE_HOT * 100),
    ("row 36: one linear unit", {"loss": "mae", "units": 1, "activation": None}, X, LABELS),
    ("row 49: column", {"loss": "mse", "units": 1, "activation": None}, X, LABELS[:, None].astype("float64")),
    ("accuracy of one-hot", {"loss": "mse", "activation": None}, X, ONE_HOT),
]  # fmt: skip


@pytest.mark.parametrize("door", INPUT_DOORS)
@pytest.mark.parametrize("arguments, x, y", [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_good_data(arguments, x, y, door):
    if door == "fit with a split" and len(x) == 1:
        pytest.skip("one sample cannot be split")
    model = network(**arguments)
    result = INPUT_DOORS[door](model, x, y)
    trains = door in ("fit", "fit with a split", "generator", "data set", "train_on_batch") or "validation" in door
    assert (model.optimizer.iterations > 0) == trains
    if door in ("predict", "predict a generator", "predict_on_batch", "call"):
        assert result.shape == (len(x), *model.output_shape[1:])


@pytest.mark.parametrize("run", [
    lambda: fit(validation_split=0.5), lambda: fit(validation_split=0), lambda: fit(validation_split=np.float32(0.2)),
    lambda: fit(batch_size=np.int64(2)), lambda: fit(batch_size=100), lambda: fit(epochs=0),
    lambda: fit(epochs=2, initial_epoch=5), lambda: fit(epochs=np.int32(2)), lambda: fit(validation_freq=[1, 5]),
    lambda: fit(class_weight={0: 1, 1: 2.5, 2: np.float32(0.5)}), lambda: fit(class_weight={0: 0, 1: 1, 2: 1, 7: 3}),
    lambda: fit(class_weight={np.int64(0): 1, 1.0: 1, 2: 1}), lambda: fit(sample_weight=[1, 2, 3, 4, 5, 6]),
    lambda: fit(sample_weight=np.zeros((6, 1))), lambda: fit(shuffle="batch"), lambda: fit(shuffle=False),
    lambda: compiled(learning_rate=np.float32(0.1)), lambda: compiled(learning_rate=1),
    lambda: compiled(loss_weights=[2]),
    lambda: compiled(metrics="accuracy"), lambda: compiled(metrics=[keras.metrics.MeanSquaredError()]),
    lambda: compiled(loss="Sparse_Categorical_Crossentropy"), lambda: compiled(optimizer="ADAM"),
    lambda: layers.Dense(np.int64(3)), lambda: layers.Dropout(0), lambda: layers.Conv2D(2, (3, 2), padding="SAME"),
    lambda: losses.CategoricalCrossentropy(label_smoothing=0), lambda: keras.utils.to_categorical([0.0, 2.0], 3),
    lambda: compiled_images(layers.Conv2D(2, 2)), lambda: compiled_images(layers.MaxPooling2D(3, padding="same")),
    lambda: compiled_images(layers.Conv2D(2, 3, data_format="channels_first"), input_shape=(1, 32, 32)),
    lambda: compiled_images(layers.Conv2D(2, 1), input_shape=(1, 28, 1)),
    lambda: fit(callbacks=keras.callbacks.EarlyStopping("loss")), lambda: fit(validation_data=[X, LABELS]),
    lambda: fit(validation_data=(X, LABELS, np.ones(6))), lambda: fit(validation_data=(X.tolist(), LABELS.tolist())),
])  # fmt: skip
def test_good_arguments(run):
    run()


@pytest.mark.parametrize("x", [
    IMAGES, IMAGES * 2 - 1, (IMAGES * 16).astype("uint8"), IMAGES * 255 - 128, (IMAGES * 4000).astype(int),
    IMAGES * 200,
], ids=["0..1", "-1..1", "0..16", "centred", "12 bits", "temperatures"])  # fmt: skip
def test_row_54_images_that_are_no_bytes(x):
    convolutional().fit(x, LABELS, verbose=0)


@pytest.mark.parametrize("layer", [layers.Rescaling(1 / 255), layers.BatchNormalization()])
def test_row_54_raw_images_that_are_rescaled_too_late(layer):
    model = keras.Sequential([layers.Conv2D(2, 3), layer, layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "scce")
    warned(lambda: model.train_on_batch((IMAGES * 255).astype("uint8"), LABELS), ["raw images"])


@pytest.mark.parametrize("first", [
    layers.Rescaling(1 / 255), layers.BatchNormalization(), layers.Lambda(lambda x: x / 255),
    keras.Sequential([layers.RandomFlip(), layers.RandomZoom(0.1), layers.RandomContrast(0.1),
                      layers.Rescaling(1 / 255)]),
])  # fmt: skip
def test_row_54_raw_images_that_the_model_rescales(first):
    model = keras.Sequential([first, layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3, activation="softmax")])
    raw = (IMAGES * 255).astype("uint8")
    model.compile("adam", "scce").fit(raw, LABELS, validation_split=0.5, verbose=0)
    model.train_on_batch(raw, LABELS)


@pytest.mark.parametrize("loss, last", [
    ("scce", [layers.Dense(3), layers.Softmax()]), ("scce", [layers.Dense(3), layers.Activation("softmax")]),
    ("bce", [layers.Dense(1), layers.Activation("sigmoid")]), ("bce", [layers.Dense(1, activation="hard_sigmoid")]),
    ("scce", [layers.Dense(3, activation="softmax"), layers.Dropout(0.1)]),
    ("scce", [keras.Sequential([layers.Dense(3, activation="softmax")])]),
])  # fmt: skip
def test_row_35_probabilities_by_other_means(loss, last):
    model = keras.Sequential([layers.Dense(4), *last])
    model.compile("sgd", loss, input_shape=(4,)).fit(X, LABELS > 1 if loss == "bce" else LABELS, verbose=0)


def test_row_33_labels_for_each_pixel():
    model = convolutional(flat=False)
    model.fit(IMAGES, np.zeros((6, 6, 6), int), verbose=0)
    model.fit(IMAGES, np.zeros((6, 6, 6, 1), int), sample_weight=np.ones((6, 6, 6)), verbose=0)


def test_row_1_sizes_that_may_vary():
    model = keras.Sequential([layers.Input((None, None, 1)), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()])
    model.compile("sgd", "mse")
    for size in (8, 5):
        model.fit(np.ones((6, size, size, 1)), ONE_HOT, verbose=0)
    words = ["(None, None, None, 1)", "(6, 8, 8, 2)", "axis 3"]
    refused(lambda: model.predict(np.ones((6, 8, 8, 2))), ValueError, words)


def test_finite_numbers_whose_sum_is_not():
    with np.errstate(over="ignore"):
        x = np.full((6, 4), 3e38, "float32")
        assert np.isinf(x.sum())
    network("mse", 3, None).predict(x, verbose=0)
