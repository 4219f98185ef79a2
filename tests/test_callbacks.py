"""Callbacks on a scripted run: a fake model and the logs of each epoch, without any arithmetic."""

import io
import re
import sys
import types

import numpy as np
import pytest

import minikeras
from minikeras import callbacks
from minikeras.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from minikeras.callbacks.base import HOOKS


class FakeModel:
    """What callbacks need of a model. Its one weight is the number of the batch it has seen."""

    def __init__(self, learning_rate=0.1):
        self.stop_training = False
        self.optimizer = types.SimpleNamespace(learning_rate=learning_rate)
        self.metrics = [
            types.SimpleNamespace(name="accuracy", _direction="up"),
            types.SimpleNamespace(name="mae", _direction="down"),
            types.SimpleNamespace(name="mine"),
        ]
        self.weights = [np.zeros(1)]

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = [w.copy() for w in weights]

    def save_weights(self, filepath, overwrite=True):
        with open(filepath, "w") as file:
            file.write(str(self.weights[0][0]))


def fit(model, callbacks, epochs, batches=2, validation_batches=0, initial_epoch=0, **params):
    """Run the callbacks; ``epochs`` is a list of logs."""
    params = {"verbose": 0, "epochs": len(epochs), "steps": batches, **params}
    with CallbackList(callbacks, add_history=True, add_progbar=params["verbose"] != 0, model=model, **params) as run:
        play(run, model, epochs, batches, validation_batches, initial_epoch)
    return model.history


def play(run, model, epochs, batches=2, validation_batches=0, initial_epoch=0):
    """Call the hooks of a list of callbacks as `Sequential.fit` does."""
    model.stop_training = False
    run.on_train_begin()
    logs = {}
    for epoch, logs in enumerate(epochs, initial_epoch):
        run.on_epoch_begin(epoch)
        for batch in range(batches):
            run.on_train_batch_begin(batch)
            model.weights[0] = model.weights[0] + 1
            training_logs = {name: value for name, value in logs.items() if not name.startswith("val_")}
            run.on_train_batch_end(batch, training_logs)
            if model.stop_training:
                break
        if validation_batches:
            run.on_test_begin()
            for batch in range(validation_batches):
                run.on_test_batch_begin(batch)
                run.on_test_batch_end(batch, {"loss": 9.0})
            run.on_test_end({"loss": 9.0})
        run.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    run.on_train_end(logs)


def val_losses(*values):
    return [{"loss": 1.0, "val_loss": value} for value in values]


# CallbackList and the base class


class Recorder(Callback):
    """Records each hook that is called, with its positional argument."""

    def __init__(self):
        super().__init__()
        self.events = []


def _recording(name):
    def hook(self, *args, logs=None):
        self.events.append((name, args[0] if len(args) == 1 and not isinstance(args[0], dict) else None))

    return hook


for _name in HOOKS:
    if not _name.startswith(("on_batch", "on_epoch")):
        setattr(Recorder, _name, _recording(_name))


def test_order_of_events():
    recorder = Recorder()
    fit(FakeModel(), [recorder], [{"loss": 1.0}], batches=2, validation_batches=1)
    assert [name for name, _ in recorder.events] == [
        "on_train_begin",
        *["on_train_batch_begin", "on_train_batch_end"] * 2,
        "on_test_begin",
        "on_test_batch_begin",
        "on_test_batch_end",
        "on_test_end",
        "on_train_end",
    ]
    assert recorder.events[3] == ("on_train_batch_begin", 1)


def test_predict_hooks():
    recorder = Recorder()
    run = CallbackList([recorder], model=FakeModel())
    run.on_predict_begin()
    run.on_predict_batch_begin(0)
    run.on_predict_batch_end(0, {"outputs": 1})
    run.on_predict_end()
    assert [name for name, _ in recorder.events] == [
        "on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end", "on_predict_end",
    ]  # fmt: skip


def test_callbacks_get_model_params_and_logs():
    seen = {}

    class Look(Callback):
        def on_train_begin(self, logs=None):
            seen["begin"] = logs
            seen["params"] = self.params

        def on_batch_begin(self, batch, logs=None):
            seen["batch_begin"] = logs

        def on_batch_end(self, batch, logs=None):
            seen["batch_end"] = logs

        def on_epoch_end(self, epoch, logs=None):
            seen["epoch_end"] = logs
            logs["mine"] = 5.0
            self.model.stop_training = True

    model = FakeModel()
    history = fit(model, [Look()], [{"loss": np.float32(0.5), "accuracy": np.array(1)}] * 3)
    assert seen["begin"] == {}
    assert seen["batch_begin"] == {}
    assert seen["batch_end"] == {"loss": 0.5, "accuracy": 1}
    assert seen["params"] == {"verbose": 0, "epochs": 3, "steps": 2}
    assert list(seen["epoch_end"]) == ["accuracy", "loss", "mine"]
    assert all(type(value) is float for value in seen["epoch_end"].values())
    assert history.history == {"accuracy": [1.0], "loss": [0.5], "mine": [5.0]}
    assert history.epoch == [0]


def test_hooks_that_nobody_overrides_are_not_called(monkeypatch):
    def fail(self, batch, logs=None):
        raise AssertionError("an empty hook was called")

    monkeypatch.setattr(Callback, "on_train_batch_end", fail)  # now the default, which nothing overrides
    fit(FakeModel(), [Callback(), EarlyStopping("loss"), LambdaCallback(on_epoch_end=print)], [{"loss": 1.0}])


@pytest.mark.parametrize("hook", ["on_batch_end", "on_train_batch_end"])
def test_hooks_set_on_an_instance_are_called(hook):
    batches = []
    callback = Callback()
    setattr(callback, hook, lambda batch, logs=None: batches.append(batch))
    fit(FakeModel(), callback, [{"loss": 1.0}], batches=3)
    assert batches == [0, 1, 2]


def test_list_adds_history_and_progbar_once():
    history, bar = History(), ProgbarLogger()
    run = CallbackList([history, [bar]], add_history=True, add_progbar=True, model=FakeModel())
    assert run.callbacks == [history, bar]
    assert run.model.history is history
    run = CallbackList(None, add_history=True, add_progbar=True, model=FakeModel())
    assert [type(callback) for callback in run.callbacks] == [History, ProgbarLogger]
    assert CallbackList().callbacks == []


def test_append():
    batches = []
    run = CallbackList(model=FakeModel(), epochs=1)
    callback = LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    run.append(callback)
    run.on_train_batch_end(7, {})
    assert batches == [7]
    assert callback.model is run.model
    assert callback.params == {"epochs": 1}


@pytest.mark.parametrize("wrong", [EarlyStopping, "early_stopping", 3])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(TypeError, match="`callbacks` must hold Callback objects"):
        CallbackList([wrong])


def test_every_callback_is_released_when_the_run_is_interrupted(tmp_path):
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    csv = CSVLogger(tmp_path / "log.csv")
    with pytest.raises(KeyboardInterrupt):
        fit(FakeModel(), [csv, LambdaCallback(on_train_batch_end=interrupt)], [{"loss": 1.0}])
    assert csv.csv_file is None


def test_lambda_callback_checks_its_arguments():
    with pytest.raises(TypeError, match="knows no hook 'on_epoch_finish'.*on_epoch_end"):
        LambdaCallback(on_epoch_finish=print)
    with pytest.raises(TypeError, match="`on_epoch_end` must be a function. Received: 3"):
        LambdaCallback(on_epoch_end=3)


def test_history_goes_on_when_it_is_given_twice():
    history, model = History(), FakeModel()
    fit(model, [history], [{"loss": 1.0}])
    fit(model, [history], [{"loss": 2.0}], initial_epoch=1)
    assert history.history == {"loss": [1.0, 2.0]}
    assert history.epoch == [1]


# EarlyStopping


def test_early_stopping_restores_the_best_weights(capsys):
    model = FakeModel()
    stopping = EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    history = fit(model, [stopping], val_losses(3, 1, 2, 2, 0))
    assert history.epoch == [0, 1, 2, 3]
    assert stopping.stopped_epoch == 3
    assert stopping.best == 1
    assert model.weights[0] == 4  # after two epochs of two batches
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


@pytest.mark.parametrize("min_delta, last_epoch", [(0.2, 4), (0.25, 1), (0.5, 1)])
@pytest.mark.parametrize("mode, values", [("min", (3, 2.75, 2.5, 2, 9)), ("max", (1, 1.25, 1.5, 2, 0))])
def test_small_improvements_do_not_count(mode, values, min_delta, last_epoch):
    stopping = EarlyStopping(mode=mode, min_delta=min_delta, patience=1)
    assert fit(FakeModel(), [stopping], val_losses(*values)).epoch[-1] == last_epoch


def test_early_stopping_can_be_used_again():
    stopping = EarlyStopping(patience=1)
    for _ in range(2):
        assert fit(FakeModel(), [stopping], val_losses(1, 2, 0)).epoch == [0, 1]


def test_early_stopping_without_validation_in_some_epochs():
    epochs = [{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}] * 3
    history = fit(FakeModel(), [EarlyStopping(patience=1)], epochs, metrics=["loss", "val_loss"])
    assert history.epoch == [0, 1, 2, 3]


def test_nan_is_never_the_best(tmp_path):
    stopping = EarlyStopping(patience=2)
    checkpoint = ModelCheckpoint(tmp_path / "w.weights.h5", save_best_only=True, save_weights_only=True)
    fit(FakeModel(), [stopping, checkpoint], val_losses(float("nan"), 5, 4))
    assert stopping.best == checkpoint.best == 4
    assert (tmp_path / "w.weights.h5").read_text() == "6.0"


@pytest.mark.parametrize(
    "make",
    [
        EarlyStopping,
        ReduceLROnPlateau,
        lambda **kw: ModelCheckpoint("x.weights.h5", save_best_only=True, save_weights_only=True, **kw),
    ],
)
def test_monitor_that_no_log_has(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logs = [{"loss": 1.0, "accuracy": 0.5}] * 2
    with pytest.raises(ValueError, match="monitor='val_loss', which is not logged. Available keys: accuracy.* loss"):
        fit(FakeModel(), [make()], logs)
    with pytest.raises(ValueError, match="validation_data"):
        fit(FakeModel(), [make()], logs)
    with pytest.raises(ValueError, match="'acuracy'.*Did you mean 'accuracy'"):
        fit(FakeModel(), [make(monitor="acuracy", mode="max")], logs)
    with pytest.raises(ValueError, match="monitor='mine' and mode='auto'.*Pass mode='max'"):
        fit(FakeModel(), [make(monitor="mine")], [{"loss": 1.0, "mine": 0.5}])
    assert list(tmp_path.iterdir()) == []


def test_mode_follows_the_metric():
    for monitor, values in (("val_accuracy", (0.1, 0.2, 0.1)), ("mae", (0.2, 0.1, 0.2))):
        stopping = EarlyStopping(monitor)
        assert fit(FakeModel(), [stopping], [{monitor: value} for value in (*values, 0)]).epoch == [0, 1, 2]


def test_unknown_mode_warns():
    with pytest.warns(UserWarning, match="Received: 'maximum'; 'auto' is taken"):
        assert EarlyStopping(mode="maximum").mode == "auto"


# Learning rate


def test_learning_rate_scheduler(capsys):
    model = FakeModel(1.0)
    scheduler = LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate, verbose=1)
    history = fit(model, [scheduler], [{"loss": 1.0}] * 3)
    assert history.history["learning_rate"] == [1.0, 0.5, 0.25]
    assert "\nEpoch 2: LearningRateScheduler setting learning rate to 0.5.\n" in capsys.readouterr().out


def test_schedule_of_the_epoch_alone_and_of_numpy_floats():
    history = fit(FakeModel(), [LearningRateScheduler(lambda epoch: np.float32(epoch + 1))], [{"loss": 1.0}] * 2)
    assert history.history["learning_rate"] == [1.0, 2.0]


def test_a_type_error_in_the_schedule_is_not_hidden():
    with pytest.raises(TypeError, match="unsupported operand"):
        fit(FakeModel(), [LearningRateScheduler(lambda epoch, rate: rate + "x")], [{"loss": 1.0}])


def test_schedule_that_returns_no_float():
    with pytest.raises(ValueError, match="`schedule` must return a float. Received: None for epoch 0"):
        fit(FakeModel(), [LearningRateScheduler(lambda epoch, rate: None)], [{"loss": 1.0}])
    with pytest.raises(TypeError, match="`schedule` must be a function"):
        LearningRateScheduler(0.1)


def test_reduce_on_plateau(capsys):
    model = FakeModel(1.0)
    reduce = ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2, min_lr=0.2, verbose=1)
    history = fit(model, [reduce], val_losses(*[1] * 8))
    assert history.history["learning_rate"] == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2]
    assert capsys.readouterr().out.startswith("\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n")


@pytest.mark.parametrize("factor", [1.0, 0, -0.5])
def test_factor_out_of_range(factor):
    with pytest.raises(ValueError, match="`factor` must lie between 0 and 1"):
        ReduceLROnPlateau(factor=factor)


def test_epsilon_is_the_older_name_of_min_delta():
    with pytest.warns(DeprecationWarning, match="`epsilon` of ReduceLROnPlateau is called `min_delta` now"):
        assert ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    with pytest.raises(TypeError, match="unknown arguments: pacience. Known: monitor, factor, patience"):
        ReduceLROnPlateau(pacience=3)


def test_several_learning_rates(capsys):
    model = FakeModel()
    rates = {"a": 1.0, "b": 0.1, "c": 0.5}
    optimizers = [types.SimpleNamespace(name=name, learning_rate=rate) for name, rate in rates.items()]
    model.optimizer = types.SimpleNamespace(optimizers=optimizers)
    callbacks = [
        LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1),
        ReduceLROnPlateau("loss", 0.5, patience=1, min_lr=0.1, verbose=1),
    ]
    history = fit(model, callbacks, [{"loss": 1.0}] * 2)
    assert history.history["learning_rate_a"] == [0.5, 0.25]
    assert [one.learning_rate for one in optimizers] == [0.125, 0.025, 0.1]  # b is below min_lr already
    lines = capsys.readouterr().out.split("\n")
    assert "Epoch 1: LearningRateScheduler setting b learning rate to 0.05." in lines
    assert "Epoch 2: ReduceLROnPlateau reducing c learning rate to 0.1." in lines


X = np.linspace(-1, 1, 8).reshape(4, 2)


def trained(callback, epochs=3, **arguments):
    """Train a small model; if that raises, its weights must not have changed."""
    model = minikeras.Sequential([minikeras.layers.Dense(1)])
    model.compile(minikeras.optimizers.SGD(**{"learning_rate": 0.5, **arguments}), "mse", input_shape=(2,))
    before = model.get_weights()
    try:
        model.fit(X, X[:, :1], epochs=epochs, verbose=0, callbacks=[callback])
    except Exception:
        for a, b in zip(before, model.get_weights()):
            np.testing.assert_array_equal(a, b)
        raise
    return model


def test_a_schedule_may_pause_the_training():
    model = trained(LearningRateScheduler(lambda epoch: float(epoch == 0)))
    assert model.history.history["learning_rate"] == [1.0, 0.0, 0.0]
    assert model.history.history["loss"][1] == pytest.approx(model.history.history["loss"][2], rel=1e-5)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_rates_that_no_optimizer_takes(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be"):
        trained(LearningRateScheduler(lambda epoch: rate))


def test_rates_that_are_computed_cannot_be_set():
    schedule = minikeras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    with pytest.raises(TypeError, match="LearningRateSchedule.*not settable"):
        trained(LearningRateScheduler(lambda epoch, rate: rate), learning_rate=schedule)
    reduce = ReduceLROnPlateau("loss", patience=2, min_delta=100.0)
    assert trained(reduce, 2, learning_rate=schedule).history.history["learning_rate"] == [0.25, 0.125]
    model = minikeras.Sequential([minikeras.layers.Dense(1)])
    model.compile(minikeras.optimizers.SGD(schedule), "mse")
    with pytest.raises(TypeError, match="not settable"):  # as in Keras: when it would be reduced
        model.fit(X, X[:, :1], epochs=3, verbose=0, callbacks=[reduce])


# ModelCheckpoint


def test_checkpoint_names_and_folders(tmp_path):
    path = tmp_path / "a" / "b" / "{epoch:02d}-{val_loss:.2f}.weights.h5"
    fit(FakeModel(), [ModelCheckpoint(path, save_weights_only=True)], val_losses(3, 1), metrics=["loss", "val_loss"])
    assert {p.name: p.read_text() for p in path.parent.iterdir()} == {
        "01-3.00.weights.h5": "2.0",
        "02-1.00.weights.h5": "4.0",
    }


def test_checkpoint_of_the_best(tmp_path, capsys):
    path = tmp_path / "best.weights.h5"
    checkpoint = ModelCheckpoint(
        path, save_best_only=True, save_weights_only=True, initial_value_threshold=2.5, verbose=1
    )
    fit(FakeModel(), [checkpoint], val_losses(3, 1, 2))
    assert path.read_text() == "4.0"
    assert capsys.readouterr().out.replace(str(path), "PATH") == (
        "\nEpoch 1: val_loss did not improve from 2.50000\n"
        "\nEpoch 2: val_loss improved from 2.50000 to 1.00000, saving model to PATH\n"
        "\nEpoch 2: finished saving model to PATH\n"
        "\nEpoch 3: val_loss did not improve from 1.00000\n"
    )


def test_checkpoint_every_few_batches(tmp_path):
    path = tmp_path / "{epoch}-{batch}-{loss:.1f}.weights.h5"
    checkpoint = ModelCheckpoint(path, save_weights_only=True, save_freq=3)
    fit(FakeModel(), [checkpoint], [{"loss": 0.5}] * 3, batches=2, metrics=["loss"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2-1-0.5.weights.h5", "3-2-0.5.weights.h5"]


@pytest.mark.parametrize(
    "template, save_freq, message",
    [
        ("{epoch}-{val_acc:.2f}", "epoch", r"placeholder \{val_acc\}.*Available keys: epoch, loss, val_loss"),
        ("{batch}", "epoch", r"placeholder \{batch\}.*Available keys: epoch, loss, val_loss"),
        ("{val_loss}", 5, r"placeholder \{val_loss\}.*Available keys: epoch, batch, loss\."),
        ("{loss:d}", "epoch", "cannot be formatted.*'d'"),
        ("{loss", "epoch", "cannot be formatted"),
        ("{}", "epoch", "cannot be formatted"),
    ],
)
def test_unknown_placeholder_is_reported_before_training(template, save_freq, message, tmp_path):
    model = FakeModel()
    checkpoint = ModelCheckpoint(tmp_path / f"{template}.weights.h5", save_weights_only=True, save_freq=save_freq)
    with pytest.raises(ValueError, match=message):
        fit(model, [checkpoint], val_losses(1), metrics=["loss", "val_loss"])
    assert model.weights[0] == 0


def test_placeholders_for_what_other_callbacks_log(tmp_path):
    class F1(Callback):
        adds_logs = ("f1",)

        def on_epoch_end(self, epoch, logs=None):
            logs["f1"] = 0.25

    path = tmp_path / "{learning_rate:.1f}-{f1}.weights.h5"
    callbacks = [LearningRateScheduler(lambda epoch, rate: rate), F1(), ModelCheckpoint(path, save_weights_only=True)]
    fit(FakeModel(), callbacks, [{"loss": 1.0}], metrics=["loss"])
    assert [p.name for p in tmp_path.iterdir()] == ["0.1-0.25.weights.h5"]


def test_unknown_placeholder_when_the_keys_are_not_known_at_the_start(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "{acc}.weights.h5", save_weights_only=True)
    with pytest.raises(ValueError, match=r"placeholder \{acc\}.*Available keys: epoch, loss"):
        fit(FakeModel(), [checkpoint], [{"loss": 1.0}])


def test_whole_models_need_a_model_that_saves_itself(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "model.keras")
    model = FakeModel()
    with pytest.raises(ValueError, match="save_weights_only=True"):
        fit(model, [checkpoint], [{"loss": 1.0}])
    assert model.weights[0] == 0
    model.save = model.save_weights
    fit(model, [checkpoint], [{"loss": 1.0}])
    assert (tmp_path / "model.keras").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filepath": "x.h5", "save_weights_only": True}, "must end in .weights.h5 .*Received: filepath='x.h5'"),
        ({"filepath": "x.txt"}, "must end in .keras or .h5"),
        ({"filepath": "x.keras", "save_freq": "batch"}, "`save_freq` must be 'epoch' or a positive number"),
        ({"filepath": "x.keras", "save_freq": 0}, "Received: 0"),
    ],
)
def test_checkpoint_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**arguments)


def test_checkpoint_on_a_folder(tmp_path):
    (tmp_path / "x.weights.h5").mkdir()
    with pytest.raises(IsADirectoryError, match="must not be a folder"):
        fit(FakeModel(), [ModelCheckpoint(tmp_path / "x.weights.h5", save_weights_only=True)], [{"loss": 1.0}])


def test_a_failed_save_is_not_taken_for_the_best(tmp_path):
    model = FakeModel()

    def full_disk(filepath, overwrite):
        raise OSError("No space left on device")

    model.save_weights = full_disk
    checkpoint = ModelCheckpoint(tmp_path / "x.weights.h5", save_best_only=True, save_weights_only=True)
    with pytest.raises(OSError, match="No space"):
        fit(model, [checkpoint], val_losses(1))
    assert checkpoint.best is None


# CSVLogger, TerminateOnNaN


def test_csv_appends(tmp_path):
    path = tmp_path / "new" / "log.csv"
    fit(FakeModel(), [CSVLogger(path, separator=";")], [{"loss": 1.0, "val_loss": 2.0}])
    fit(FakeModel(), [CSVLogger(path, separator=";", append=True)], [{"loss": 0.5}], initial_epoch=1)
    assert path.read_bytes() == b"epoch;loss;val_loss\r\n0;1.0;2.0\r\n1;0.5;NA\r\n"
    fit(FakeModel(), [CSVLogger(path)], [{"loss": 3.0}])
    assert path.read_bytes() == b"epoch,loss,val_loss\r\n0,3.0,NA\r\n"


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), np.float32("nan")])
def test_terminate_on_nan(loss, capsys):
    model = FakeModel()
    fit(model, [TerminateOnNaN()], [{"loss": 1.0}, {"loss": loss}, {"loss": 1.0}])
    assert model.weights[0] == 3
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"
    with pytest.raises(RuntimeError, match="at batch 0"):
        fit(model, [TerminateOnNaN(raise_error=True)], [{"loss": loss}])


# The progress display


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def show(stream, monkeypatch, *args, **kwargs):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        fit(*args, **kwargs)
    return re.sub(r"\b\d+(s|ms|us)\b|\d\d:\d\d", "T", stream.getvalue())


def test_progress_in_a_log(monkeypatch):
    logs = [{"loss": 0.5, "accuracy": 1e-4, "val_loss": 2.0}] * 2
    line = "3/3 - T - T/step - accuracy: 1.0000e-04 - loss: 0.5000 - val_loss: 2.0000\n"
    for verbose in ("auto", 1, 2):
        text = show(io.StringIO(), monkeypatch, FakeModel(), [], logs, batches=3, validation_batches=2, verbose=verbose)
        assert text == f"Epoch 1/2\n{line}Epoch 2/2\n{line}"
    assert show(Terminal(), monkeypatch, FakeModel(), [], logs, batches=3, verbose=2) == text
    assert show(io.StringIO(), monkeypatch, FakeModel(), [], logs, verbose=0) == ""
    assert show(io.StringIO(), monkeypatch, FakeModel(), [], logs[:1], batches=3, verbose=1) == line


@pytest.fixture
def clock(monkeypatch):
    """A clock, tqdm's too, that goes on by one second each time it is looked at."""
    tick = iter(np.arange(0.0, 1e6, 1.0).tolist()).__next__
    monkeypatch.setattr("tqdm.std.time", tick)
    monkeypatch.setattr("minikeras.utils.progbar.time.time", tick)


def test_progress_in_a_terminal(clock, monkeypatch):
    text = show(Terminal(), monkeypatch, FakeModel(), [], [{"loss": 0.5, "val_loss": 2.0}] * 2, batches=3, verbose=1)
    lines = text.split("\n")
    assert len(lines) == 5
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("\r1/3 |")
    assert "loss: 0.5000" in lines[1].split("\r")[2]
    assert re.fullmatch(r"3/3 \|█{20}\| T<T, T/step - loss: 0.5000 - val_loss: 2.0000 *", lines[1].split("\r")[-1])
    assert lines[4] == ""


def test_a_steps_number_that_is_unknown_is_found_in_the_first_epoch(clock, monkeypatch):
    logs = [{"loss": 0.5}] * 2
    text = show(Terminal(), monkeypatch, FakeModel(), [], logs, batches=3, steps=None, verbose=1)
    first, second = text.split("\n")[1], text.split("\n")[3]
    assert "\r2/Unknown T, T/step - loss: 0.5000" in first
    assert first.split("\r")[-1].startswith("3/3 |██")
    assert "2/3 |" in second
    assert "Unknown" not in second


def test_an_interrupt_ends_the_line(clock, monkeypatch):

    def interrupt(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    terminal = Terminal()
    with pytest.raises(KeyboardInterrupt):
        show(terminal, monkeypatch, FakeModel(), [LambdaCallback(on_train_batch_begin=interrupt)], [{}], verbose=1)
    assert terminal.getvalue().endswith("\n")
    assert "1/2 |" in terminal.getvalue()


def test_evaluate_and_predict_show_their_own_bar(capsys):
    run = CallbackList([], add_progbar=True, model=FakeModel(), verbose=1, epochs=1, steps=2)
    run.on_test_begin()
    for batch in range(2):
        run.on_test_batch_end(batch, {"loss": 1.0})
    run.on_test_end({"loss": 2.0})
    run.on_predict_begin()
    for batch in range(2):
        run.on_predict_batch_end(batch, {"outputs": np.zeros(3)})
    run.on_predict_end()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("/step - loss: 2.0000")
    assert lines[1].endswith("/step")


def test_everything_is_exported():
    for name in callbacks.__all__:
        assert getattr(callbacks, name).__doc__
