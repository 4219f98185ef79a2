"""BackupAndRestore beside Keras': interrupted and resumed alike, and each resumes what the other has begun."""

import json

import pytest

import minikeras
from tests.parity.test_callbacks_runs import assert_same_history, assert_same_model, fit, make


class Stopped(Exception):
    pass


def interrupt(k, epoch, batch=None):
    """A callback that ends the process, as it were, at the beginning of an epoch or after a batch of it."""

    class Interrupt(k.callbacks.Callback):
        epoch = None

        def on_epoch_begin(self, number, logs=None):
            self.epoch = number
            if batch is None and number == epoch:
                raise Stopped

        def on_train_batch_end(self, number, logs=None):
            if (self.epoch, number) == (epoch, batch):
                raise Stopped

    return Interrupt()


def begin(k, folder, *where, **arguments):
    """Train until the interruption, in the folder of that library or another's."""
    model = make(k, "Adam")
    with pytest.raises(Stopped):
        fit(model, [k.callbacks.BackupAndRestore(str(folder), **arguments), interrupt(k, *where)])
    return model


def resume(k, folder, **arguments):
    model = make(k, "Adam")
    fit(model, [k.callbacks.BackupAndRestore(str(folder), **arguments)])
    return model


@pytest.mark.parametrize(
    "where, arguments",
    [
        ((3,), {}),
        ((0, 2), {}),
        ((2, 1), {"double_checkpoint": True}),
        ((1,), {"delete_checkpoint": False}),
        ((2, 2), {"save_freq": 3, "delete_checkpoint": False}),
    ],
)
def test_interrupted_and_resumed(keras, where, arguments, tmp_path):
    models, files = [], []
    for k in (minikeras, keras):
        folder = tmp_path / k.__name__
        begin(k, folder, *where, **arguments)
        files.append(sorted(path.name for path in folder.iterdir()) if folder.exists() else [])
        models.append(resume(k, folder, **arguments))
        files.append(sorted(path.name for path in folder.iterdir()) if folder.exists() else [])
    assert files[:2] == files[2:]
    assert_same_history(*(model.history for model in models))
    assert_same_model(*models)


def test_a_whole_training_and_one_in_two_parts_are_the_same(tmp_path):
    whole = make(minikeras, "Adam")
    fit(whole, [])
    begin(minikeras, tmp_path, 3)
    resumed = resume(minikeras, tmp_path)
    assert resumed.history.epoch == [3, 4]
    assert resumed.history.history["loss"] == whole.history.history["loss"][3:]
    assert_same_model(resumed, whole)


@pytest.mark.parametrize("ours_first", [True, False])
def test_each_resumes_what_the_other_has_begun(keras, ours_first, tmp_path):
    first, second = (minikeras, keras) if ours_first else (keras, minikeras)
    begin(first, tmp_path / "crossed", 2)
    begin(second, tmp_path / "same", 2)
    models = [resume(second, tmp_path / name) for name in ("crossed", "same")]
    assert models[0].history.epoch == [2, 3, 4]
    assert_same_history(*(model.history for model in models))
    assert_same_model(*models)


def test_metadata(keras, tmp_path):
    stored = []
    for k in (minikeras, keras):
        begin(k, tmp_path / k.__name__, 3, 1)
        stored.append(json.loads((tmp_path / k.__name__ / "training_metadata.json").read_text()))
    assert {name: stored[0][name] for name in stored[1]} == stored[1]


def test_a_training_that_is_complete_leaves_the_next_one_alone(tmp_path):
    """Keras goes on from the epoch that was once restored in each later fit."""
    begin(minikeras, tmp_path, 3)
    model = resume(minikeras, tmp_path)
    assert fit(model, [], epochs=2).epoch == [0, 1]
    assert fit(model, [minikeras.callbacks.BackupAndRestore(tmp_path)], epochs=2).epoch == [0, 1]
    assert not tmp_path.exists()
