"""Curves, distributions and pictures of a run for TensorBoard (``pip install 'minikeras[tensorboard]'`` to look at
them).

What is written: `event_file.py`.
"""

import os
import time

import numpy as np

from minikeras.callbacks.base import Callback
from minikeras.callbacks.event_file import EventFile
from minikeras.callbacks.learning_rate import learning_rates
from minikeras.layers import Embedding
from minikeras.messages import warn
from minikeras.registry import accepts_old_spellings


class TensorBoard(Callback):
    """Write a run's logs, and weights on request, to event files for TensorBoard.

    ``tensorboard --logdir logs`` shows them. Writing takes no package; the viewer is an optional extra: ``pip install
    'minikeras[tensorboard]'``.

    Args:
        log_dir: path of a folder. Training goes to ``train`` in it, validation to ``validation``.
        histogram_freq: after every so many epochs the distribution of each weight is written; 0 for never.
        write_graph: whether to write the layers.
        write_images: whether to write the weights as pictures, along with the distributions.
        write_steps_per_second: whether to write how many batches a second are trained.
        update_freq: ``"epoch"``; or a number of batches after which the logs are written besides, with ``"batch"``
            for 1.
        profile_batch: must be 0: nothing is profiled.
        embeddings_freq: after every so many epochs the weights are saved and the `Embedding` layers' vectors written
            for the projector; 0 for never.
        embeddings_metadata: path of a file with a label for each vector, or a dict of layers' names to such paths.

    Tags and steps are those of Keras: ``epoch_loss`` by epoch, ``batch_loss`` by batch,
    ``evaluation_loss_vs_iterations``, ``epoch_learning_rate``, ``sequential/dense/kernel/histogram`` and ``.../image``.
    Of a metric that is an array each entry is a curve: ``epoch_f1_score/0``.

    Raises:
        ValueError: ``profile_batch`` or ``update_freq`` that cannot be used, or the name of a layer that is no
            `Embedding`. OSError: when a run begins, if ``log_dir`` cannot be written to.
    """

    @accepts_old_spellings
    def __init__(
        self,
        log_dir="logs",
        histogram_freq=0,
        write_graph=True,
        write_images=False,
        write_steps_per_second=False,
        update_freq="epoch",
        profile_batch=0,
        embeddings_freq=0,
        embeddings_metadata=None,
    ):
        super().__init__()
        if profile_batch:
            raise ValueError(
                f"`profile_batch` must be 0: profiling is not available. Received: profile_batch={profile_batch!r}. "
                "Python's own profiler works: python -m cProfile script.py"
            )
        if update_freq not in ("batch", "epoch") and (
            isinstance(update_freq, bool) or not isinstance(update_freq, int) or update_freq < 1
        ):
            raise ValueError(
                f"`update_freq` must be 'batch', 'epoch' or a positive number of batches. Received: {update_freq!r}"
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._files = {}  # name of the folder -> event file
        self._in_fit = False

    def _file(self, name):
        if name not in self._files:
            self._files[name] = EventFile(os.path.join(self.log_dir, name))
        return self._files[name]

    def on_train_begin(self, logs=None):
        self.release()
        self._in_fit = True
        self._batch = 0
        file = self._file("train")
        if self.write_graph and hasattr(self.model, "to_json"):
            try:
                file.keras_model("keras", self.model.to_json(), 0)
            except Exception as error:  # what is no JSON is no reason not to train
                warn(f"The graph of the model is not written to TensorBoard: {error}")
        if self.embeddings_freq:
            self._describe_embeddings()
        file.flush()

    def on_train_end(self, logs=None):
        self.release()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start = time.perf_counter()
        self._epoch_first_batch = self._batch

    def on_train_batch_begin(self, batch, logs=None):
        self._batch += 1
        self._batch_start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if self.update_freq == "epoch" or self._batch % self.update_freq:
            return
        if self.write_steps_per_second:
            self._file("train").scalar("batch_steps_per_second", _rate(1, self._batch_start), self._batch)
        for name, value in (logs or {}).items():
            self._file("train").scalar(f"batch_{name}", value, self._batch)

    def on_epoch_end(self, epoch, logs=None):
        for name, value in self._epoch_values(logs or {}).items():
            if name.startswith("val_"):
                self._file("validation").scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
            else:
                self._file("train").scalar(f"epoch_{name}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)
        self._flush()

    def _epoch_values(self, logs):
        if not logs:
            return {}
        values = {**logs, **learning_rates(self.model.optimizer)}
        if self.write_steps_per_second:
            values["steps_per_second"] = _rate(self._batch - self._epoch_first_batch, self._epoch_start)
        return values

    def on_test_end(self, logs=None):
        optimizer = self.model.optimizer
        for name, value in (logs or {}).items():
            self._file("validation").scalar(f"evaluation_{name}_vs_iterations", value, int(optimizer.iterations))
        if self._in_fit:
            self._flush()
        else:
            self.release()

    def release(self):
        self._in_fit = False
        for file in self._files.values():
            file.close()
        self._files = {}  # the next run has files of its own

    def _flush(self):
        for file in self._files.values():
            file.flush()

    def _write_weights(self, epoch):
        file = self._file("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                file.histogram(f"{weight.path}/histogram", weight.value, epoch)
                images = _as_images(weight.value)
                if self.write_images and images is not None:
                    file.images(f"{weight.path}/image", images, epoch)

    # Embeddings: the projector is told by a file in the log's folder where it finds vectors and labels.

    def _embeddings(self):
        return [layer for layer in self.model.layers if isinstance(layer, Embedding)]

    def _describe_embeddings(self):
        from json import dumps

        labels, layers = self.embeddings_metadata, self._embeddings()
        unknown = set(labels) - {layer.name for layer in layers} if isinstance(labels, dict) else ()
        if unknown:
            raise ValueError(
                f"`embeddings_metadata` holds names of layers that are no Embedding of the model: {sorted(unknown)}. "
                f"Its Embedding layers: {[layer.name for layer in layers]}"
            )
        lines = []
        for layer in layers:
            label = labels.get(layer.name) if isinstance(labels, dict) else labels
            lines += ["embeddings {", f"  tensor_name: {dumps(layer.name)}"]
            lines += [f"  metadata_path: {dumps(os.fspath(label))}"] if label else []
            lines += [f"  tensor_path: {dumps(f'train/{layer.name}.tsv')}", "}"]
        path = os.path.join(self.log_dir, "projector_config.pbtxt")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def _write_embeddings(self, epoch):
        folder = os.path.join(self.log_dir, "train")
        self.model.save_weights(os.path.join(folder, f"keras_embedding.ckpt-{epoch}.weights.h5"))
        for layer in self._embeddings():
            np.savetxt(os.path.join(folder, f"{layer.name}.tsv"), layer.embeddings.value, "%.8g", delimiter="\t")


def _rate(steps, start):
    return steps / max(time.perf_counter() - start, 1e-9)


def _as_images(weight):
    """Return a weight as a batch of images (images, height, width, channels) as Keras does, or None."""
    weight = np.squeeze(weight)
    if weight.ndim == 1:
        weight = weight[None, :, None, None]
    elif weight.ndim == 2:
        weight = (weight.T if weight.shape[0] > weight.shape[1] else weight)[None, :, :, None]
    elif weight.ndim == 3:
        from minikeras import config

        last = config.image_data_format() == "channels_last"
        weight = (weight.transpose(2, 0, 1) if last else weight)[..., None]
    return weight if weight.ndim == 4 and weight.shape[-1] in (1, 3, 4) and weight.size else None
