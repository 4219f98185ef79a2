"""Numbers that tell whether a training is healthy: how large activations, gradients, weights and updates are.

An update should be about a thousandth of its weight; gradients that shrink or grow from layer to layer vanish or
explode.
"""

import numpy as np

from minikeras.callbacks.base import Callback

FIELDS = [
    ("epoch", int), ("step", int), ("minimum", float), ("maximum", float), ("mean", float), ("std", float),
    ("zeros", float), ("nonfinite", int), ("ratio", float),
]  # fmt: skip
KINDS = ("output", "output_gradient", "weight", "gradient", "update")


class TensorStats(Callback):
    """Keep minimum, maximum, mean, standard deviation and more of all tensors, every so many batches.

        stats = TensorStats(every=50)
        model.fit(x, y, callbacks=[stats])
        stats["dense/kernel/update"]["ratio"]         # an array, one number a batch that was looked at
        stats.to_csv("stats.csv")

    Args:
        every: batches 0, ``every``, 2 ``every``, ... since the beginning of `fit` are looked at.
        kinds: which tensors, some of ``"output"``, ``"output_gradient"`` (dL/doutput), ``"weight"``, ``"gradient"``
            (dL/dweight) and ``"update"`` (what the step added to the weight); by default all.
        layers: list of the names of layers, by default all; ``"inner/dense"`` in a model inside of the model.

    Attributes:
        names: list of what there are numbers of: ``"dense/output"``, ``"dense/output_gradient"``, ``"dense/kernel"``,
            ``"dense/kernel/gradient"``, ``"dense/kernel/update"``.

    ``stats[name]`` is an array with the fields ``epoch``, ``step`` (batches since the beginning of `fit`), ``minimum``,
    ``maximum``, ``mean``, ``std`` (of the finite numbers; NaN if there are none), ``zeros`` (share), ``nonfinite``
    (number of NaN and infinities) and ``ratio``: the length of an update divided by that of the weight before it, NaN
    for what is no update. Weights are those before the step, gradients those before the optimizer clips them.

    A batch that is looked at takes twice the time and more, since copies of the layers compute it once more; training
    is the same to the bit. Each `fit` begins anew.

    Raises:
        ValueError, TypeError: arguments that cannot be used; at the beginning of `fit`, a layer that the model does not
            have.
    """

    def __init__(self, every=100, kinds=KINDS, layers=None):
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1:
            raise ValueError(f"`every` must be a positive number of batches. Received: every={every!r}")
        if isinstance(kinds, str):
            kinds = (kinds,)
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise ValueError(f"`kinds` must be some of {', '.join(map(repr, KINDS))}. Received: kinds={kinds!r}")
        if isinstance(layers, str):
            raise TypeError(f"`layers` must be a list of names. Received: layers={layers!r}. Write layers=[{layers!r}]")
        self.every = int(every)
        self.kinds = tuple(kinds)
        self.layers = None if layers is None else list(layers)
        self._rows = {}  # name -> list of rows
        self._watched = None  # the model, while this callback waits for a batch of it
        self._start()

    # What was seen.

    @property
    def names(self):
        return list(self._rows)

    def __getitem__(self, name):
        if name not in self._rows:
            known = ", ".join(self._rows) or "none, as no batch was looked at"
            raise KeyError(f"No such tensor: {name!r}. Existing tensors: {known}")
        return np.array(self._rows[name], dtype=FIELDS)

    def to_csv(self, path):
        """Write everything to a file, whole or not at all: a line for each tensor and batch, in the order of time."""
        import csv

        from minikeras.saving import atomic

        rows = [(row[1], i, name, row) for i, (name, rows) in enumerate(self._rows.items()) for row in rows]
        with atomic.replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["name", *(field for field, _ in FIELDS)])
            writer.writerows([name, *row] for _, _, name, row in sorted(rows, key=lambda item: item[:2]))

    # Looking.

    def on_train_begin(self, logs=None):
        self._start()
        if self.layers is not None and self.model.built:
            from minikeras.inspection import layer_names

            known = layer_names(self.model)
            unknown = [name for name in self.layers if name not in known]
            if unknown:
                raise ValueError(
                    f"`layers` holds {unknown[0]!r}, which is no layer of model {self.model.name!r}. Its layers: "
                    f"{', '.join(known)}"
                )

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self._step % self.every == 0:
            self._watched = self.model
            self.model._watchers = (*self.model._watchers, self._look)

    def on_train_batch_end(self, batch, logs=None):
        if self._watched is not None:
            self.release()
            self._keep_updates()
        self._step += 1

    def on_train_end(self, logs=None):
        self.release()

    def release(self):
        if self._watched is not None:
            others = [watcher for watcher in self._watched._watchers if watcher != self._look]
            self._watched._watchers, self._watched = tuple(others), None

    def _start(self):
        self._rows, self._step, self._epoch, self._before = {}, 0, 0, []

    def _look(self, x, y, sample_weight):
        """Called with the batch, right before its training step."""
        from minikeras import inspection

        model = self.model
        chosen = [
            (name, layer) for name, layer in zip(inspection.layer_names(model), model.stack.layers)
            if self.layers is None or name in self.layers
        ]  # fmt: skip
        named = [
            (f"{name}/{key}", weight)
            for name, layer in chosen
            for key, weight in inspection.named_weights(layer).items()
        ]
        self._before = []
        if "update" in self.kinds:
            self._before = [(name, weight, weight.numpy()) for name, weight in named]
        if set(self.kinds) & {"output", "output_gradient", "gradient"}:
            seen = inspection.look(model, x, y, sample_weight, training=True)
            for name, _ in chosen:
                self._keep_record(name, seen[name])
        elif "weight" in self.kinds:
            for name, weight in named:
                self._keep(name, weight.value)

    def _keep_record(self, name, record):
        if "output" in self.kinds:
            self._keep(f"{name}/output", record.output)
        if "output_gradient" in self.kinds and record.output_gradient is not None:
            self._keep(f"{name}/output_gradient", record.output_gradient)
        for key, weight in record.weights.items():
            if "weight" in self.kinds:
                self._keep(f"{name}/{key}", weight)
            if "gradient" in self.kinds and key in record.gradients:
                self._keep(f"{name}/{key}/gradient", record.gradients[key])

    def _keep_updates(self):
        for name, weight, before in self._before:
            with np.errstate(all="ignore"):  # weights that are no longer finite are what is looked for
                is_float = before.dtype.kind == "f"
                update = np.subtract(weight.value, before, dtype=before.dtype if is_float else np.float64)
                lengths = [np.linalg.norm(array.ravel().astype(np.float64)) for array in (update, before)]
                ratio = float(np.divide(*lengths)) if lengths[1] else np.nan
            self._keep(f"{name}/update", update, ratio)
        self._before = []

    def _keep(self, name, array, ratio=np.nan):
        from minikeras.inspection import statistics

        self._rows.setdefault(name, []).append((self._epoch, self._step, *statistics(array), ratio))
