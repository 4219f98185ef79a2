"""BackupAndRestore: what survives an interruption at any moment, and what damaged folders lead to."""

import json
import os
import shutil

import numpy as np
import pytest

import minikeras
from minikeras.callbacks import BackupAndRestore, CallbackList
from minikeras.saving import FileFormatError

X = np.linspace(-1, 1, 12).reshape(6, 2)
Y = X[:, :1] + 0.5
WEIGHTS, METADATA = "latest.weights.h5", "training_metadata.json"


class Stopped(Exception):
    pass


def make(units=3):
    minikeras.utils.set_random_seed(0)
    model = minikeras.Sequential([minikeras.layers.Dense(units, activation="tanh"), minikeras.layers.Dense(1)])
    return model.compile("adam", "mse", input_shape=(2,))


def train(model, callbacks, epochs=4, stop_after=None, batches=2):
    """A custom training loop; it is interrupted after ``stop_after`` batches in all."""
    losses, done = [], 0
    with CallbackList(callbacks, model=model, epochs=epochs, steps=batches) as run:
        run.on_train_begin()
        for epoch in range(model._initial_epoch or 0, epochs):
            run.on_epoch_begin(epoch)
            for batch in range(batches):
                run.on_train_batch_begin(batch)
                losses.append(model.train_on_batch(X[batch * 3 : batch * 3 + 3], Y[batch * 3 : batch * 3 + 3]))
                run.on_train_batch_end(batch, {"loss": losses[-1]})
                done += 1
                if done == stop_after:
                    raise Stopped
            run.on_epoch_end(epoch, {"loss": losses[-1]})
        run.on_train_end()
    return losses


def interrupted(folder, stop_after=5, **arguments):
    model = make()
    with pytest.raises(Stopped):
        train(model, BackupAndRestore(folder, **arguments), stop_after=stop_after)
    assert model._initial_epoch is None
    return model


def test_resuming_is_as_if_nothing_had_happened(tmp_path):
    folder = tmp_path / "new" / "backup"
    expected = train(make(), [BackupAndRestore(tmp_path / "other")])
    interrupted(folder)
    assert sorted(os.listdir(folder)) == [WEIGHTS, METADATA]
    model = make()
    assert train(model, [BackupAndRestore(folder)]) == expected[4:]
    assert not folder.exists()
    assert model._initial_epoch is None
    assert len(train(make(), [BackupAndRestore(folder)])) == 8


def test_interrupted_twice(tmp_path):
    expected = train(make(), [])
    interrupted(tmp_path, 3)
    with pytest.raises(Stopped):
        train(make(), BackupAndRestore(tmp_path), stop_after=5)
    assert train(make(), BackupAndRestore(tmp_path)) == expected[6:]


def test_the_backup_can_stay(tmp_path):
    train(make(), BackupAndRestore(tmp_path, delete_checkpoint=False))
    assert train(make(), BackupAndRestore(tmp_path)) == []


def test_only_its_own_files_are_removed(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    train(make(), BackupAndRestore(tmp_path, double_checkpoint=True))
    assert os.listdir(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize("save_freq, batches_lost, epoch", [(1, 0, 2), (2, 1, 1), (3, 2, 1), (100, None, None)])
def test_saving_every_few_batches(save_freq, batches_lost, epoch, tmp_path):
    """The weights are those of the last save; the epoch they come from is repeated, as in Keras."""
    interrupted(tmp_path, 5, save_freq=save_freq)
    if batches_lost is None:
        assert os.listdir(tmp_path) == []
        return
    model = make()
    backup = BackupAndRestore(tmp_path, save_freq=save_freq)
    CallbackList(backup, model=model).on_train_begin()
    assert model._initial_epoch == epoch
    expected = make()
    for step in range(5 - batches_lost):
        at = step % 2 * 3
        expected.train_on_batch(X[at : at + 3], Y[at : at + 3])
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_epoch_that_is_resumed_is_saved_under_its_own_number(tmp_path):
    interrupted(tmp_path, 7, save_freq=1)
    with pytest.raises(Stopped):
        train(make(), BackupAndRestore(tmp_path, save_freq=1), stop_after=1)
    assert json.loads((tmp_path / METADATA).read_text())["epoch"] == 3


def test_nothing_is_left_of_an_earlier_training(tmp_path):
    """Nobody was told, in a loop without `with`, that the training before has ended by an exception."""
    model = make()
    model._initial_epoch = 3
    assert len(train(model, BackupAndRestore(tmp_path))) == 8


# The process ends, or the disk is full, while a backup is written.


def fail(*args, **kwargs):
    raise OSError("No space left on device")


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("failing", ["save_weights", "metadata"])
def test_a_backup_that_cannot_be_written_leaves_the_last_one(failing, double, tmp_path, monkeypatch):
    expected = train(make(), [])
    model = make()

    class Full(minikeras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:  # after two backups
                monkeypatch.setattr(*((model, "save_weights", fail) if failing != "metadata" else (json, "dump", fail)))

    with pytest.raises(OSError, match="No space"):
        train(model, [Full(), BackupAndRestore(tmp_path, double_checkpoint=double)])
    monkeypatch.undo()
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]
    assert train(make(), BackupAndRestore(tmp_path, double_checkpoint=double)) == expected[4:]


def test_the_first_backup_after_resuming_fails(tmp_path):
    """The metadata tell of the weights that are there, too."""
    expected = train(make(), [])
    interrupted(tmp_path)
    model = make()
    model.save_weights = fail
    with pytest.raises(OSError, match="No space"):
        train(model, BackupAndRestore(tmp_path))
    assert json.loads((tmp_path / METADATA).read_text())["epoch"] == 3
    assert train(make(), BackupAndRestore(tmp_path)) == expected[4:]


def test_the_first_backup_fails(tmp_path):
    """There are metadata then, and no weights."""
    expected = train(make(), [])
    model = make()
    model.save_weights = fail
    with pytest.raises(OSError, match="No space"):
        train(model, BackupAndRestore(tmp_path))
    assert os.listdir(tmp_path) == [METADATA]
    assert train(make(), BackupAndRestore(tmp_path)) == expected


# Damaged folders.

DAMAGE = {
    "truncated weights": (WEIGHTS, lambda data: data[:-100]),
    "empty weights": (WEIGHTS, lambda data: b""),
    "truncated metadata": (METADATA, lambda data: data[:10]),
    "metadata of another kind": (METADATA, lambda data: b'["epoch"]'),
    "a string for an epoch": (METADATA, lambda data: b'{"epoch": "3"}'),
    "a negative epoch": (METADATA, lambda data: b'{"epoch": -1}'),
    "previous metadata of another kind": (METADATA, lambda data: b'{"epoch": 3, "previous": 3}'),
    "no text": (METADATA, lambda data: b"\xff\xfe"),
    "deeply nested": (METADATA, lambda data: b"[" * 60_000),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files(damage, tmp_path):
    name, change = DAMAGE[damage]
    interrupted(tmp_path, double_checkpoint=True)
    (tmp_path / name).write_bytes(change((tmp_path / name).read_bytes()))
    copy = tmp_path.parent / "without"
    shutil.copytree(tmp_path, copy)
    for file in copy.glob("*.bkp"):
        file.unlink()
    model = make()
    before = model.get_weights()
    with pytest.raises(FileFormatError, match="cannot be used: .*Remove the folder to begin anew; double_checkpoint"):
        train(model, BackupAndRestore(copy))
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    shutil.rmtree(copy)

    expected = train(make(), [])
    with pytest.warns(UserWarning, match="The last backup .* cannot be used, so the one before it is"):
        assert train(make(), BackupAndRestore(tmp_path, double_checkpoint=True)) == expected[2:]


def test_missing_metadata(tmp_path):
    interrupted(tmp_path)
    (tmp_path / METADATA).unlink()
    with pytest.raises(FileNotFoundError, match="cannot be used: .*training_metadata.json"):
        train(make(), BackupAndRestore(tmp_path))


def test_the_backup_of_another_model(tmp_path):
    interrupted(tmp_path)
    with pytest.raises(ValueError, match="does not fit model"):
        train(make(units=4), BackupAndRestore(tmp_path))


def test_folders_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "backup"):
        with pytest.raises(OSError, match="`backup_dir` .* cannot be made"):
            train(make(), BackupAndRestore(path))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="protected against writing"):
        train(make(), BackupAndRestore(tmp_path))


@pytest.mark.parametrize("wrong", ["", None, 3])
def test_backup_dir(wrong):
    with pytest.raises(ValueError, match="`backup_dir` must be the path of a folder"):
        BackupAndRestore(wrong)


@pytest.mark.parametrize("wrong", ["batch", 0, -1, 2.5, True, False])
def test_save_freq(wrong):
    with pytest.raises(ValueError, match="`save_freq` must be 'epoch' or a positive number of batches"):
        BackupAndRestore("backup", save_freq=wrong)


def test_fit_goes_on(tmp_path):
    """`fit` begins where the interrupted one has ended, and the next one at its own beginning."""

    class Interrupt(minikeras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Stopped

    options = {"epochs": 4, "verbose": 0, "shuffle": False}
    whole = make().fit(X, Y, **options)
    with pytest.raises(Stopped):
        make().fit(X, Y, callbacks=[BackupAndRestore(tmp_path), Interrupt()], **options)
    model = make()
    resumed = model.fit(X, Y, callbacks=BackupAndRestore(tmp_path), **options)
    assert resumed.epoch == [2, 3]
    assert resumed.history["loss"] == whole.history["loss"][2:]
    assert model.fit(X, Y, **options).epoch == [0, 1, 2, 3]
