"""Callbacks in `fit` beside Keras': the same model, weights and data lead to the same logs, files and weights."""

import csv
import json

import numpy as np
import pytest

import minikeras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype("float32")
Y = (X[:, :2] * X[:, 1:3] + 0.1 * RNG.normal(size=(30, 2))).astype("float32")
START = [RNG.normal(size=shape).astype("float32") * 0.3 for shape in ((4, 5), (5,), (5, 2), (2,))]
TOLERANCE = 1e-4


def make(k, optimizer="SGD", **arguments):
    model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(2)])
    model.set_weights(START)
    model.compile(getattr(k.optimizers, optimizer)(**{"learning_rate": 0.1, **arguments}), "mse", metrics=["mae"])
    return model


def fit(model, callbacks, epochs=5, **arguments):
    arguments = {"batch_size": 8, "shuffle": False, "validation_data": (X[:9], Y[:9]), **arguments}
    return model.fit(X, Y, epochs=epochs, callbacks=callbacks, verbose=0, **arguments)


def assert_close(a, b):
    np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)


def assert_same_history(ours, theirs):
    assert list(ours.history) == list(theirs.history)
    assert ours.epoch == theirs.epoch
    for name, values in theirs.history.items():
        assert_close(ours.history[name], values)


def assert_same_model(ours, theirs):
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(a, b)
    for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        assert_close(a.numpy(), b.numpy())


def both(keras, make_callbacks, optimizer="SGD", optimizer_arguments=None, **arguments):
    """Train both with what ``make_callbacks(keras module)`` returns, compare; return our and their model."""
    models = [make(k, optimizer, **(optimizer_arguments or {})) for k in (minikeras, keras)]
    histories = [fit(model, make_callbacks(k), **arguments) for model, k in zip(models, (minikeras, keras))]
    assert_same_history(*histories)
    assert_same_model(*models)
    return models


@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 1},
        {"patience": 1, "restore_best_weights": True, "monitor": "val_mae"},
        {"patience": 2, "restore_best_weights": True, "start_from_epoch": 2, "min_delta": 0.01},
        {"patience": 1, "baseline": 0.01, "restore_best_weights": True},
    ],
)
def test_early_stopping(keras, arguments):
    ours, _ = both(keras, lambda k: [k.callbacks.EarlyStopping(**arguments)], "Adam", epochs=12)
    assert len(ours.history.epoch) < 12


@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 1, "min_delta": 0.05},
        {"patience": 1, "min_lr": 0.04, "factor": 0.5, "min_delta": 0.1, "monitor": "mae", "cooldown": 1},
    ],
)
def test_reduce_lr_on_plateau(keras, arguments):
    ours, _ = both(keras, lambda k: [k.callbacks.ReduceLROnPlateau(**arguments)], epochs=8)
    assert len(set(ours.history.history["learning_rate"])) > 1


def test_schedule_that_pauses_training(keras):
    rates = [0.1, 0.0, 0.05]
    ours, _ = both(keras, lambda k: [k.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])], epochs=3)
    assert_close(ours.history.history["learning_rate"], rates)


def test_schedule_of_several_optimizers(keras):
    def make_both(k):
        model = make(k)
        sgd, adam = k.optimizers.SGD(0.1, name="sgd"), k.optimizers.Adam(0.01, name="adam")
        chosen = {model.layers[0].kernel.path: adam}
        model.compile(
            k.optimizers.MultiOptimizer(lambda variable: chosen.get(variable.path, sgd)), "mse", metrics=["mae"]
        )
        return model

    histories = []
    for k in (minikeras, keras):
        model = make_both(k)
        model.optimizer.build(model.trainable_variables)  # a function tells of its optimizers when it is asked
        histories.append(
            fit(model, [
                k.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
                k.callbacks.ReduceLROnPlateau(patience=1, min_delta=0.1),
            ])
        )  # fmt: skip
    assert "learning_rate_adam" in histories[0].history
    assert_same_history(*histories)


def test_callbacks_of_ones_own(keras):
    def callbacks(k):
        class Own(k.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                rate = self.model.optimizer.learning_rate
                self.model.optimizer.learning_rate = float(rate) * 0.9 if epoch % 2 else rate * 1.1

            def on_train_batch_end(self, batch, logs=None):
                self.model.optimizer.learning_rate.assign(self.model.optimizer.learning_rate * 0.99)

            def on_epoch_end(self, epoch, logs=None):
                logs["steps"] = int(self.model.optimizer.iterations) + self.params["epochs"]
                logs["rate"] = float(f"{float(self.model.optimizer.learning_rate.numpy()):.6f}")
                self.model.stop_training = epoch == 3

        return [Own()]

    ours, _ = both(keras, callbacks)
    assert ours.history.history["steps"] == [9, 13, 17, 21]


@pytest.mark.parametrize("arguments", [{}, {"validation_data": None}, {"validation_freq": 2}])
def test_csv_logger(keras, arguments, tmp_path):
    paths = {"minikeras": tmp_path / "ours.csv", "keras": tmp_path / "theirs.csv"}
    both(keras, lambda k: [k.callbacks.CSVLogger(paths[k.__name__])], **arguments)
    ours, theirs = ([*csv.reader(path.read_text().splitlines())] for path in paths.values())
    assert ours[0] == theirs[0]
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        assert [value == "NA" for value in mine] == [value == "NA" for value in other]
        assert_close(*([float(value) for value in row if value != "NA"] for row in (mine, other)))


@pytest.mark.parametrize("arguments", [{}, {"save_best_only": True}, {"save_freq": 3}])
def test_model_checkpoint(keras, arguments, tmp_path):
    """Each reads what the other has written, and finds the same in it."""

    def callbacks(k):
        path = tmp_path / k.__name__ / "{epoch}.weights.h5"
        return [k.callbacks.ModelCheckpoint(path, save_weights_only=True, **arguments)]

    both(keras, callbacks, "Adam")
    names = sorted(path.name for path in (tmp_path / "keras").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "minikeras").iterdir())
    for name in names:
        ours, theirs = make(minikeras, "Adam"), make(keras, "Adam")
        ours.load_weights(tmp_path / "keras" / name)
        theirs.optimizer.build(theirs.trainable_variables)
        theirs.load_weights(tmp_path / "minikeras" / name)
        assert_same_model(ours, theirs)


EMA = {"use_ema": True, "ema_momentum": 0.8}


@pytest.mark.filterwarnings("ignore:.*(best model only|which model is best)")
@pytest.mark.parametrize("monitor", ["val_loss", "loss"])
def test_best_of_some_batches(keras, monitor, tmp_path):
    """What is known after epochs only cannot tell the best of batches: all are saved."""
    for k in (minikeras, keras):
        path = tmp_path / k.__name__ / "{epoch}-{batch}.weights.h5"
        arguments = {"monitor": monitor, "mode": "min", "save_freq": 3}
        fit(make(k), [k.callbacks.ModelCheckpoint(path, save_weights_only=True, save_best_only=True, **arguments)])
    names = [sorted(p.name for p in (tmp_path / k.__name__).iterdir()) for k in (minikeras, keras)]
    assert names[0] == names[1] != []


@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_swap_ema_weights(keras, swap_on_epoch, optimizer):
    """Validation is of the average, and so is what other callbacks see after an epoch."""
    seen = {"minikeras": [], "keras": []}

    def callbacks(k):
        def look(epoch, logs):
            seen[k.__name__].append(np.concatenate([w.ravel() for w in model_of(k).get_weights()]))

        swap = k.callbacks.SwapEMAWeights(swap_on_epoch)

        def model_of(_):
            return swap.model

        return [swap, k.callbacks.LambdaCallback(on_epoch_end=look)]

    ours, theirs = both(keras, callbacks, optimizer, EMA)
    assert_close(*seen.values())
    assert_close(ours.evaluate(X, Y, verbose=0), theirs.evaluate(X, Y, verbose=0))


def test_evaluating_the_average(keras):
    """In a custom loop without an end the average is not yet what the model holds."""
    results = []
    for k in (minikeras, keras):
        model = make(k, **EMA)
        for start in range(0, 30, 10):
            model.train_on_batch(X[start : start + 10], Y[start : start + 10])
        swapped = model.evaluate(X, Y, verbose=0, callbacks=[k.callbacks.SwapEMAWeights()])
        results.append([swapped, model.evaluate(X, Y, verbose=0)])
    assert_close(*results)
    assert abs(results[0][0][0] - results[0][1][0]) > 0.001


def test_what_remote_monitor_sends(keras, monkeypatch):
    """Keras hands this to the package requests, ours sends it by itself: tests/test_callbacks_loggers.py."""
    import types
    import urllib.parse
    import urllib.request
    from contextlib import nullcontext
    from io import BytesIO

    module = __import__("keras.src.callbacks.remote_monitor", fromlist=["requests"])
    theirs, ours = [], []
    requests = types.SimpleNamespace(
        post=lambda url, data=None, json=None, headers=None: theirs.append((url, data, json, headers)),
        exceptions=types.SimpleNamespace(RequestException=OSError),
    )
    monkeypatch.setattr(module, "requests", requests)
    monkeypatch.setattr(
        urllib.request, "urlopen", lambda request, timeout: ours.append(request) or nullcontext(BytesIO())
    )
    logs = {"loss": np.float32(0.5), "mae": 0.25, "count": np.array(3), "name": "é & b"}
    for arguments in ({}, {"path": "/x", "field": "f"}, {"send_as_json": True, "headers": {"X-Key": "1"}}):
        for k in (minikeras, keras):
            k.callbacks.RemoteMonitor("http://localhost:1", **arguments).on_epoch_end(3, logs)
    for mine, (url, form, sent, headers) in zip(ours, theirs, strict=True):
        assert mine.full_url == url
        assert headers is None or mine.headers["X-key"] == "1"
        if sent is None:
            assert dict(urllib.parse.parse_qsl(mine.data.decode())) == form
        else:
            assert json.loads(mine.data) == sent
