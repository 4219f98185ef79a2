"""Going on with a training that was interrupted: its state is kept in a folder until it is complete."""

import os

from minikeras.callbacks.base import Callback
from minikeras.messages import warn

_LARGEST = 65_536  # bytes of a file of metadata that are read


class BackupAndRestore(Callback):
    """Back the training up in a folder, and go on from there when `fit` is called again after an interruption.

    Weights, the optimizer's state and the number of epochs done are kept; the backup is removed when `fit` ends::

        model.fit(x, y, epochs=100, callbacks=[BackupAndRestore("backup")])  # the same call again resumes

    Args:
        backup_dir: path of a folder that nothing else uses. It is made if it is missing.
        save_freq: ``"epoch"`` to save after each epoch, or a number of batches. A training that was interrupted in an
            epoch goes on at the beginning of that epoch.
        double_checkpoint: whether to keep the backup before the last one, too, in case the last cannot be read.
        delete_checkpoint: whether to remove the backup when the training is complete.

    The folder holds Keras' files, ``latest.weights.h5`` and ``training_metadata.json`` (and both with ``.bkp``), each
    written whole or not at all. The metadata come first and tell of the weights that are about to be written and of
    those that are there, so they are right whenever the process ends.

    Raises:
        OSError: when `fit` begins: the folder cannot be written to, or the backup in it cannot be read.
        ValueError: the backup is that of another model.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        if not backup_dir or not isinstance(backup_dir, (str, os.PathLike)):
            raise ValueError(f"`backup_dir` must be the path of a folder. Received: backup_dir={backup_dir!r}")
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"`save_freq` must be 'epoch' or a positive number of batches. Received: {save_freq!r}")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._weights_path = os.path.join(self.backup_dir, "latest.weights.h5")
        self._metadata_path = os.path.join(self.backup_dir, "training_metadata.json")
        self._epoch = 0
        self._batches_since_saving = 0
        self._saved = None  # metadata of the weights in the folder

    def on_train_begin(self, logs=None):
        self._saved = None
        self.model._initial_epoch = None
        self._make_folder()
        if not os.path.exists(self._weights_path):
            return
        try:
            self._restore()
        except OSError as error:
            if not os.path.exists(f"{self._weights_path}.bkp"):
                raise type(error)(
                    f"The backup in {self.backup_dir!r} cannot be used: {error}. Remove the folder to begin anew; "
                    "double_checkpoint=True keeps the backup before the last one for such cases"
                ) from error
            warn(f"The last backup in {self.backup_dir!r} cannot be used, so the one before it is: {error}")
            _copy(f"{self._metadata_path}.bkp", self._metadata_path)
            _copy(f"{self._weights_path}.bkp", self._weights_path)
            self._restore()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += 1
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._epoch, batch)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs=None):
        self.release()
        if not self.delete_checkpoint:
            return
        for path in (self._weights_path, self._metadata_path):
            for name in (path, f"{path}.bkp"):
                if os.path.exists(name):
                    os.remove(name)
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
            os.rmdir(self.backup_dir)

    def release(self):
        self.model._initial_epoch = None  # the next `fit` begins where it says

    def _make_folder(self):
        try:
            os.makedirs(self.backup_dir, exist_ok=True)
        except OSError as error:
            raise type(error)(f"`backup_dir` {self.backup_dir!r} cannot be made: {error}") from error
        if not os.access(self.backup_dir, os.W_OK | os.X_OK):
            raise PermissionError(
                f"`backup_dir` {self.backup_dir!r} is protected against writing: change its permissions or choose "
                "another folder"
            )

    def _save(self, epoch, batch):
        import json

        from minikeras.saving.atomic import replacing

        if self.double_checkpoint and os.path.exists(self._weights_path):
            _copy(self._metadata_path, f"{self._metadata_path}.bkp")
            _copy(self._weights_path, f"{self._weights_path}.bkp")
        now = {"epoch": epoch, "batch": batch, "iterations": self._count_iterations()}
        with replacing(self._metadata_path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump(now if self._saved is None else {**now, "previous": self._saved}, file)
        self.model.save_weights(self._weights_path, overwrite=True)
        self._saved = now

    def _restore(self):
        metadata = _read(self._metadata_path)
        self.model.load_weights(self._weights_path)
        previous = metadata.pop("previous", {})
        if self._count_iterations() == previous.get("iterations") != metadata.get("iterations"):
            metadata = previous  # the process ended before the weights were written
        self._saved = metadata
        self.model._initial_epoch = metadata["epoch"]

    def _count_iterations(self):
        """Return how many steps the optimizer has taken, which tells of which moment the weights are."""
        return int(self.model.optimizer.variables[0].value)


def _read(path):
    """Return the metadata in a file, all of it checked.

    Raises:
        FileFormatError: the file is damaged or another one. FileNotFoundError: it is missing.
    """
    import json

    from minikeras.saving import FileFormatError

    with open(path, "rb") as file:
        text = file.read(_LARGEST)
    try:
        metadata = json.loads(text)
        for entry in (metadata, metadata.get("previous", {"epoch": 0, "iterations": 0})):
            numbers = [entry["epoch"], entry.get("batch", 0), entry.get("iterations", 0)]
            if any(type(number) is not int or number < 0 for number in numbers):
                raise ValueError(f"{numbers} must be non-negative integers")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f'{path!r} is damaged, or not the metadata of a backup, as {{"epoch": 3, "batch": 0}}: it begins with '
            f"{text[:40]!r} ({error})"
        ) from error
    return metadata


def _copy(source, target):
    import shutil

    from minikeras.saving.atomic import replacing

    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
