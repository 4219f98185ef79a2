"""Training beside Keras': the same weights and batches give the same histories, results, logs and order of events."""

import numpy as np
import pytest

import minikeras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype("float32")
NUMBERS = (X[:, :2] * X[:, 1:3] + 0.1 * RNG.normal(size=(50, 2))).astype("float32")
CLASSES = np.argmax(X[:, :3] + 0.3 * RNG.normal(size=(50, 3)), axis=1)
BINARY = (X[:, 0] > 0.3).astype("float32")
WEIGHTS = RNG.random(50).astype("float32") * 2
IMAGES = RNG.random((50, 8, 8, 2)).astype("float32")


def dense(k, units=3, activation="softmax", **arguments):
    return k.Sequential([
        k.layers.Input((6,)), k.layers.Dense(8, activation="tanh", **arguments),
        k.layers.Dense(units, activation=activation, **arguments),
    ])  # fmt: skip


def lenet(k):
    return k.Sequential([
        k.layers.Input((28, 28, 1)),
        k.layers.Conv2D(6, 5, padding="same", activation="tanh"), k.layers.AveragePooling2D(2),
        k.layers.Conv2D(16, 5, activation="tanh"), k.layers.AveragePooling2D(2),
        k.layers.Flatten(), k.layers.Dense(120, activation="tanh"), k.layers.Dense(84, activation="tanh"),
        k.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def normalized(k):
    return k.Sequential([
        k.layers.Input((8, 8, 2)), k.layers.Conv2D(4, 3, use_bias=False),
        k.layers.BatchNormalization(momentum=0.8), k.layers.ReLU(), k.layers.MaxPooling2D(2),
        k.layers.GlobalAveragePooling2D(), k.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def regularized(k):
    model = dense(k, kernel_regularizer=k.regularizers.L2(0.02), bias_regularizer="l1")
    model.layers[1].trainable = False  # its penalty does not count, then
    return model


def pair(keras, make, *arguments, **compile_arguments):
    """The same compiled model twice, with the same weights: ours and Keras'."""
    models = []
    for k in (minikeras, keras):
        model = make(k)
        model.compile(*(a(k) if callable(a) else a for a in arguments),
                      **{name: v(k) if callable(v) else v for name, v in compile_arguments.items()})  # fmt: skip
        models.append(model)
    models[0].set_weights(models[1].get_weights())
    return models


def assert_same_history(ours, theirs, tolerance=1e-3):
    assert list(ours.history) == list(theirs.history)
    assert ours.epoch == theirs.epoch
    for name, values in theirs.history.items():
        assert ours.history[name] == pytest.approx(values, abs=tolerance), name


def assert_same_weights(ours, theirs, tolerance=1e-4):
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=tolerance)


def both(models, run):
    """Run the same on both models and compare the histories and the weights."""
    ours, theirs = (run(model) for model in models)
    assert_same_history(ours, theirs)
    assert_same_weights(*models)
    return ours


def test_five_epochs_of_lenet(keras):
    (x, y), _ = minikeras.datasets.digits.load_data(size=28)
    models = pair(keras, lenet, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ours, theirs = (
        model.fit(x, y, validation_split=0.1, epochs=5, shuffle=False, verbose=0) for model in models
    )
    assert_same_history(ours, theirs)
    assert list(ours.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert ours.history["val_accuracy"][-1] > 0.93


CASES = {
    "regression": (lambda k: dense(k, 2, None), lambda k: k.optimizers.SGD(0.05, momentum=0.9), "mse", ["mae"],
                   NUMBERS, {}),
    "nesterov": (lambda k: dense(k, 2, None), lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "mae",
                 ["mse"],
                 NUMBERS, {"batch_size": 7}),
    "sample_weight": (lambda k: dense(k, 1, "sigmoid"), "adam", "binary_crossentropy", ["accuracy"], BINARY,
                      {"sample_weight": WEIGHTS}),
    "class_weight": (lambda k: dense(k, 1, "sigmoid"), "rmsprop", "binary_crossentropy", ["accuracy"], BINARY[:, None],
                     {"class_weight": {0: 0.5, 1: 3.0}}),
    "class_weight, one-hot": (dense, "adagrad", "categorical_crossentropy", ["accuracy"], np.eye(3)[CLASSES],
                              {"class_weight": {0: 2.0, 1: 0.0, 2: 1.0}}),
    "sparse": (dense, "adamw", "sparse_categorical_crossentropy", ["accuracy", "sparse_categorical_crossentropy"],
               CLASSES[:, None], {"batch_size": 50}),
    "logits": (lambda k: dense(k, 3, None), "adam",
               lambda k: k.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), ["acc"],
               np.eye(3)[CLASSES], {}),
    "regularizers": (regularized, "sgd", "sparse_categorical_crossentropy", ["accuracy"], CLASSES, {}),
    "steps": (dense, "adam", "sparse_categorical_crossentropy", None, CLASSES,
              {"batch_size": 10, "steps_per_epoch": 2, "epochs": 5, "validation_steps": 1, "validation_batch_size": 8}),
    "steps without batch_size": (dense, "adam", "sparse_categorical_crossentropy", None, CLASSES,
                                 {"steps_per_epoch": 4, "validation_steps": 2}),
    "initial_epoch": (dense, "adam", "sparse_categorical_crossentropy", None, CLASSES, {"initial_epoch": 2,
            "epochs": 4}),
    "validation_freq": (dense, "adam", "sparse_categorical_crossentropy", None, CLASSES,
                        {"validation_freq": 2, "epochs": 5}),
    "validation_freq list": (dense, "adam", "sparse_categorical_crossentropy", None, CLASSES,
                             {"validation_freq": [1, 4], "epochs": 5}),
}  # fmt: skip


@pytest.mark.parametrize("make, optimizer, loss, metrics, y, arguments", CASES.values(), ids=CASES)
def test_history(keras, make, optimizer, loss, metrics, y, arguments):
    models = pair(keras, make, optimizer, loss, metrics=metrics)
    arguments = {"epochs": 3, "shuffle": False, "verbose": 0, "validation_split": 0.3, **arguments}
    history = both(models, lambda model: model.fit(X, y, **arguments))
    assert history.history["loss"][0] != history.history["loss"][-1]


def test_batch_normalization(keras):
    models = pair(keras, normalized, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    both(models, lambda model: model.fit(
        IMAGES, CLASSES, epochs=4, batch_size=16, shuffle=False, verbose=0, validation_data=(IMAGES[::2], CLASSES[::2])
    ))  # fmt: skip


def test_validation_data_goes_before_the_split(keras):
    models = pair(keras, dense, "adam", "sparse_categorical_crossentropy")
    both(models, lambda model: model.fit(
        X, CLASSES, epochs=2, shuffle=False, verbose=0, validation_split=0.5,
        validation_data=(X[:9], CLASSES[:9], WEIGHTS[:9]),
    ))  # fmt: skip


METRICS = [
    {"metrics": ["accuracy", "accuracy"]},
    {"metrics": ["accuracy"], "weighted_metrics": ["accuracy", "accuracy", "mse"]},
    {"metrics": [lambda k: k.metrics.MeanSquaredError(name="m"), "mae"]},
    {"weighted_metrics": [lambda k: k.metrics.CategoricalAccuracy()], "loss_weights": 0.3},
    {"metrics": ["mse", "mean_squared_error", "categorical_accuracy"], "weighted_metrics": ["acc", "mse"]},
]


@pytest.mark.parametrize("arguments", METRICS)
def test_names_and_values_of_metrics(keras, arguments):
    def resolve(name):
        return lambda k: [m(k) if callable(m) else m for m in arguments[name]] if "metrics" in name else arguments[name]

    models = pair(keras, dense, "adam", "categorical_crossentropy", **{name: resolve(name) for name in arguments})
    y = np.eye(3)[CLASSES]
    both(models, lambda model: model.fit(
        X, y, sample_weight=WEIGHTS, validation_data=(X, y, WEIGHTS), epochs=2, shuffle=False, verbose=0
    ))  # fmt: skip


def generator(batches, endless=False):
    while True:
        yield from batches
        if not endless:
            return


def batches_of(size, weights=False):
    return [
        (X[i : i + size], CLASSES[i : i + size], *([WEIGHTS[i : i + size]] if weights else []))
        for i in range(0, len(X), size)
    ]


def dataset_class(k):
    class Batches(k.utils.PyDataset):
        def __init__(self, batches):
            super().__init__()
            self.batches = batches

        def __len__(self):
            return len(self.batches)

        def __getitem__(self, index):
            return self.batches[index]

    return Batches


@pytest.mark.parametrize("weights", [False, True])
def test_generators(keras, weights):
    models = pair(keras, dense, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = batches_of(12, weights)
    history = both(models, lambda model: model.fit(
        generator(batches, endless=True), steps_per_epoch=3, epochs=4, shuffle=False, verbose=0,
        validation_data=(X, CLASSES),
    ))  # fmt: skip
    assert len(history.epoch) == 4
    ours, theirs = (model.evaluate(generator(batches, True), steps=4, verbose=0) for model in models)
    assert ours == pytest.approx(theirs, rel=1e-4)
    ours, theirs = (model.predict(generator([b[:1] for b in batches], True), steps=4, verbose=0) for model in models)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.filterwarnings("ignore:The data ran out", "ignore:Your input ran out")
def test_an_epoch_ends_where_the_data_do(keras):
    models = pair(keras, dense, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    both(models, lambda model: model.fit(
        X, CLASSES, batch_size=20, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0
    ))  # fmt: skip
    assert models[0].optimizer.iterations == 2 + 1 + 2 + 1
    ours, theirs = (model.evaluate(X, CLASSES, batch_size=20, steps=5, verbose=0) for model in models)
    assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("weights", [False, True])
def test_data_sets(keras, weights):
    models = pair(keras, dense, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    arguments = {"epochs": 3, "shuffle": False, "verbose": 0}
    if not weights:
        arguments["class_weight"] = {0: 1.0, 1: 2.0, 2: 0.5}
    ours, theirs = (
        model.fit(dataset(batches_of(12, weights)), validation_data=dataset(batches_of(9, weights)), **arguments)
        for model, dataset in zip(models, map(dataset_class, (minikeras, keras)))
    )
    assert_same_history(ours, theirs)
    assert_same_weights(*models)


@pytest.mark.parametrize("metrics", [None, ["accuracy", "mse"]])
def test_evaluate_and_single_batches(keras, metrics):
    models = pair(keras, dense, "adam", "categorical_crossentropy", metrics=metrics,
                  weighted_metrics=metrics and ["mae"])
    y = np.eye(3)[CLASSES]
    runs = [
        lambda m: m.evaluate(X, y, verbose=0),
        lambda m: m.evaluate(X, y, batch_size=7, sample_weight=WEIGHTS, verbose=0),
        lambda m: m.evaluate(X, y, batch_size=7, steps=2, verbose=0),
        lambda m: m.evaluate(X, y, return_dict=True, verbose=0),
        lambda m: m.train_on_batch(X, y),
        lambda m: m.train_on_batch(X[:20], y[:20], sample_weight=WEIGHTS[:20]),
        lambda m: m.train_on_batch(X[:20], y[:20], class_weight={0: 2.0, 1: 1.0, 2: 0.1}, return_dict=True),
        lambda m: m.test_on_batch(X, y),
        lambda m: m.test_on_batch(X[:3], y[:3], sample_weight=WEIGHTS[:3], return_dict=True),
    ]
    for run in runs:
        ours, theirs = (run(model) for model in models)
        assert type(ours) is (float if metrics is None and not isinstance(theirs, dict) else type(theirs))
        if isinstance(ours, dict):
            assert list(ours) == list(theirs)
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)
    assert_same_weights(*models)


@pytest.mark.parametrize("x", [X, X.astype("float64"), (X * 10).astype("int64"), np.abs(X * 9).astype("uint8")])
def test_predict(keras, x):
    models = pair(keras, dense, "adam", "mse")
    for arguments in ({}, {"batch_size": 7}, {"batch_size": 7, "steps": 3}, {"steps": 3}):
        ours, theirs = (model.predict(x, verbose=0, **arguments) for model in models)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(*(model.predict_on_batch(x[:9]) for model in models), atol=1e-5)


def recorder(k):
    class Recorder(k.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.events = []

    for hook in (name for name in dir(k.callbacks.Callback) if name.startswith("on_")):
        if hook in ("on_batch_begin", "on_batch_end"):
            continue

        def record(self, *arguments, logs=None, hook=hook):
            *number, logs = arguments if len(arguments) > ("epoch" in hook or "batch" in hook) else (*arguments, logs)
            self.events.append((hook, *number, None if logs is None else list(logs)))

        setattr(Recorder, hook, record)
    return Recorder()


@pytest.mark.parametrize("run", [
    lambda m, c: m.fit(X, CLASSES, epochs=2, batch_size=20, validation_split=0.4, verbose=0, callbacks=c),
    lambda m, c: m.fit(X, CLASSES, epochs=3, batch_size=25, validation_data=(X, CLASSES), validation_freq=2, verbose=0,
                       callbacks=c),
    lambda m, c: m.fit(X, CLASSES, epochs=4, batch_size=13, steps_per_epoch=2, initial_epoch=1, verbose=0, callbacks=c),
    lambda m, c: m.fit(generator(batches_of(20), True), steps_per_epoch=2, epochs=2, shuffle=False, verbose=0,
                       callbacks=c),
    lambda m, c: m.fit(X, CLASSES, epochs=0, verbose=0, callbacks=c),
    lambda m, c: m.evaluate(X, CLASSES, batch_size=20, verbose=0, callbacks=c),
    lambda m, c: m.predict(X, batch_size=20, verbose=0, callbacks=c),
])  # fmt: skip
def test_events_and_their_logs(keras, run):
    models = pair(keras, dense, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    recorders = recorder(minikeras), recorder(keras)
    for model, callback in zip(models, recorders):
        run(model, [callback])
    assert recorders[0].events == recorders[1].events
    assert {key: recorders[0].params[key] for key in ("verbose", "epochs", "steps")} == recorders[1].params


def test_stop_training_within_an_epoch(keras):
    def stopping(k):
        class Stop(k.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if self.model.optimizer.iterations == 5:
                    self.model.stop_training = True

        return Stop()

    models = pair(keras, dense, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ours, theirs = (
        model.fit(X, CLASSES, epochs=9, batch_size=20, shuffle=False, verbose=0, validation_data=(X, CLASSES),
                  callbacks=[stopping(k)])
        for model, k in zip(models, (minikeras, keras))
    )  # fmt: skip
    assert_same_history(ours, theirs)
    assert len(ours.epoch) == 2


OPTIMIZERS = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.5, "centered": True}), ("Adagrad", {"learning_rate": 0.05}),
    ("Adam", {}), ("Adam", {"amsgrad": True, "clipnorm": 0.1}), ("AdamW", {"global_clipnorm": 0.5}),
    ("Adam", {"clipvalue": 0.01}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=str)
def test_weights_after_ten_steps_of_a_model(keras, name, arguments):
    models = pair(keras, normalized, lambda k: getattr(k.optimizers, name)(**arguments), "categorical_crossentropy")
    targets = np.eye(3, dtype="float32")[CLASSES]
    start = models[0].get_weights()
    for step in range(10):
        rows = slice(5 * step, 5 * step + 5)
        ours, theirs = (model.train_on_batch(IMAGES[rows], targets[rows]) for model in models)
        assert ours == pytest.approx(float(theirs), rel=1e-4)
    assert_same_weights(*models, tolerance=2e-5)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(start, models[0].get_weights()))
