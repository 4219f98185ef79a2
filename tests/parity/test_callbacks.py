"""Callbacks beside Keras': the same scripted runs must lead to the same decisions, files and printed lines."""

import inspect

import numpy as np
import pytest

from minikeras import callbacks, metrics
from minikeras.callbacks.base import HOOKS
from tests.test_callbacks import FakeModel, play


def run(module, make, epochs, model=None, verbose=0, batches=2, **params):
    """Play ``epochs`` to the callbacks that ``make(module)`` returns; return the model and the callbacks."""
    model = model or FakeModel()
    made = make(module)
    params = {"verbose": verbose, "epochs": len(epochs), "steps": batches, **params}
    run = module.CallbackList(made, add_history=True, add_progbar=verbose != 0, model=model, **params)
    play(run, model, epochs, batches)
    return model, made


def both(keras, make, epochs, capsys, **arguments):
    """Run ours and Keras', compare history, weights and output; return both lists of callbacks."""
    ours, our_callbacks = run(callbacks, make, epochs, **arguments)
    our_output = capsys.readouterr().out
    theirs, their_callbacks = run(keras.callbacks, make, epochs, **arguments)
    assert ours.history.epoch == theirs.history.epoch
    assert ours.history.history == theirs.history.history
    assert list(ours.history.history) == list(theirs.history.history)
    assert ours.history.params == theirs.history.params
    assert ours.weights == theirs.weights
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate
    assert our_output == capsys.readouterr().out
    return our_callbacks, their_callbacks


def script(seed, length=12, names=("loss", "val_loss")):
    """Logs that go down and up again, with steps large against single precision, which Keras compares in."""
    rng = np.random.Generator(np.random.PCG64(seed))
    trend = np.abs(np.arange(length) - length / 2)
    return [{name: float(value) for name in names} for value in np.round(trend + rng.normal(size=length), 2)]


def test_hooks(keras):
    theirs = keras.callbacks.Callback
    assert set(HOOKS) == {name for name in dir(theirs) if name.startswith("on_")}
    for name in HOOKS:
        assert inspect.signature(getattr(callbacks.Callback, name)) == inspect.signature(getattr(theirs, name))


def test_what_hooks_are_given(keras):
    events = []

    def recorder(name):
        return lambda *args, **kwargs: events.append((name, args, kwargs))

    def make(module):
        return [module.LambdaCallback(**{name: recorder(name) for name in HOOKS if "batch" not in name[:8]})]

    epochs = [{"loss": np.float32(0.5), "accuracy": np.array(0.25), "text": "x", "val_loss": 1}] * 2
    run(callbacks, make, epochs)
    ours = events.copy()
    events.clear()
    run(keras.callbacks, make, epochs)
    assert ours == events
    assert [list(args[-1]) for name, args, _ in ours if name == "on_epoch_end"] == [
        ["accuracy", "loss", "text", "val_loss"]
    ] * 2


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"patience": 2, "restore_best_weights": True},
        {"patience": 3, "min_delta": 0.5, "mode": "min"},
        {"patience": 1, "monitor": "loss", "mode": "max", "restore_best_weights": True},
        {"patience": 2, "baseline": 1.0, "restore_best_weights": True},
        {"patience": 1, "start_from_epoch": 5, "restore_best_weights": True},
        {"patience": 30, "restore_best_weights": True},
    ],
)
def test_early_stopping(keras, arguments, seed, capsys):
    (ours,), (theirs,) = both(
        keras, lambda module: [module.EarlyStopping(verbose=1, **arguments)], script(seed), capsys
    )
    for name in ("stopped_epoch", "best_epoch", "best", "wait"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5, "cooldown": 2},
        {"patience": 1, "factor": 0.5, "min_lr": 0.02, "verbose": 1},
        {"patience": 2, "monitor": "loss", "mode": "max", "min_delta": 1.0, "verbose": 1},
    ],
)
def test_reduce_lr_on_plateau(keras, arguments, seed, capsys):
    both(keras, lambda module: [module.ReduceLROnPlateau(**arguments)], script(seed, 20), capsys)


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate * 0.9, lambda epoch: 1.0 / (epoch + 1)])
def test_learning_rate_scheduler(keras, schedule, capsys):
    both(keras, lambda module: [module.LearningRateScheduler(schedule, verbose=1)], script(0), capsys)


@pytest.mark.parametrize(
    "template, arguments",
    [
        ("{epoch:02d}-{val_loss:.2f}", {}),
        ("best", {"save_best_only": True}),
        ("{epoch}-best", {"save_best_only": True, "monitor": "loss", "mode": "max"}),
        ("{epoch}", {"save_best_only": True, "initial_value_threshold": 1.0}),
        ("{epoch}-{batch}-{loss:.1f}", {"save_freq": 3}),
        ("{epoch}-{batch}", {"save_freq": 5, "save_best_only": True, "monitor": "loss"}),
    ],
)
def test_model_checkpoint(keras, template, arguments, tmp_path, capsys):
    files = {}
    output = {}
    for name, module in (("ours", callbacks), ("theirs", keras.callbacks)):
        path = tmp_path / name / "new" / f"{template}.weights.h5"

        def make(module, path=path):
            return [module.ModelCheckpoint(path, save_weights_only=True, verbose=1, **arguments)]

        run(module, make, script(1))
        files[name] = {p.name: p.read_text() for p in path.parent.iterdir()}
        output[name] = capsys.readouterr().out.replace(str(path.parent), "")
    assert files["ours"] == files["theirs"]
    assert output["ours"] == output["theirs"]


@pytest.mark.parametrize("ending, only", [(".h5", True), (".txt", False)])
def test_paths_that_are_refused(keras, ending, only):
    for module in (callbacks, keras.callbacks):
        with pytest.raises(ValueError, match="must end in"):
            module.ModelCheckpoint(f"x{ending}", save_weights_only=only)


@pytest.mark.parametrize(
    "epochs",
    [
        script(2),
        [{"loss": 1.0, "accuracy": 0.5}] * 2,
        [{"loss": 1.0}, {"loss": 0.1 + 0.2, "val_loss": 1e-12}],
        [{"loss": 1.0, "confusion": np.arange(3), "name": "a, b", "nothing": None}],
        [{}],
    ],
)
@pytest.mark.parametrize("arguments", [{}, {"separator": ";"}, {"append": True}])
def test_csv_logger(keras, epochs, arguments, tmp_path):
    written = []
    for module in (callbacks, keras.callbacks):
        path = tmp_path / f"{len(written)}.csv"
        for _ in range(2):
            run(module, lambda module, path=path: [module.CSVLogger(path, **arguments)], epochs)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_terminate_on_nan(keras, capsys):
    epochs = [{"loss": 1.0}, {"loss": float("inf")}, {"loss": 1.0}]
    both(keras, lambda module: [module.TerminateOnNaN()], epochs, capsys)


def test_a_line_an_epoch(keras, monkeypatch, capsys):
    """verbose=2 prints what Keras prints, to the last digit."""
    now = [0.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    def make(module):
        now[0] = 0.0
        seconds = iter([0.0002, 0.002, 3.0, 400.0])
        clock = module.LambdaCallback(on_epoch_end=lambda *args: now.__setitem__(0, now[0] + next(seconds)))
        return [clock, module.LearningRateScheduler(lambda epoch, rate: 0.01)]

    epochs = [
        {"loss": 2.3456789, "accuracy": 0.5},
        {"loss": 1e-5, "accuracy": 0.0, "val_loss": 0.001},
        {"loss": 12345.678, "accuracy": np.array([0.5, 1.0])},
        {"loss": float("nan")},
    ]
    output = []
    for module in (callbacks, keras.callbacks):
        for steps in (12, None):
            run(module, make, epochs, verbose=2, batches=12, steps=steps)
        run(module, make, epochs[:1], verbose=2, batches=12)
        output.append(capsys.readouterr().out)
    assert output[0] == output[1]
    assert "12/12 - 0s - 17us/step - accuracy: 0.5000 - loss: 2.3457 - learning_rate: 0.0100\n" in output[0]


def test_callbacks_of_keras_run_in_our_list(keras):
    model, _ = run(callbacks, lambda _: [keras.callbacks.EarlyStopping(patience=1)], script(0))
    expected, _ = run(callbacks, lambda module: [module.EarlyStopping(patience=1)], script(0))
    assert model.history.epoch == expected.history.epoch


ARGUMENTS = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]}, "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2}, "OneHotMeanIoU": {"num_classes": 2}, "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5}, "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [name for name in dir(metrics) if isinstance(getattr(metrics, name), type) and name not in
     ("Metric", "MeanMetricWrapper")],
)  # fmt: skip
def test_direction_of_metrics(keras, name):
    """mode="auto" goes by what the metric says."""
    arguments = ARGUMENTS.get(name, {})
    theirs = getattr(getattr(keras.metrics, name)(**arguments), "_direction", None)
    model = FakeModel()
    model.metrics = [getattr(metrics, name)(name="x", **arguments)]
    stopping = callbacks.EarlyStopping("val_x")
    stopping.set_model(model)
    if theirs is None:
        with pytest.raises(ValueError, match="whether higher or lower is better"):
            stopping.get_monitor_value({"val_x": 1.0})
    else:
        stopping.get_monitor_value({"val_x": 1.0})
        assert stopping.is_improvement(2.0, 1.0) == (theirs == "up")
