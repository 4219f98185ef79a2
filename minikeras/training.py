"""The training step, and the loops around it: fit, evaluate, predict, and the same for single batches."""

import threading
import warnings

import numpy as np

from minikeras import callbacks as callbacks_module
from minikeras import checks, data, losses, optimizers
from minikeras import metrics as metrics_module
from minikeras.kernels import threads
from minikeras.layers.base import standardize_shape


class Trainer:
    """What compiled models can do; `Sequential` is one."""

    def _init_training(self):
        self._compiled = False
        self._lock = threading.RLock()  # layers reuse their arrays: one batch at a time
        self.optimizer = None
        self.loss = None
        self.history = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False

    def compile(
        self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None, run_eagerly=False,
        steps_per_execution=1, jit_compile="auto", auto_scale_loss=True, input_shape=None, learning_rate=None,
    ):  # fmt: skip
        """Choose optimizer, loss and metrics, build the model if its input shape is given, and return the model.

        Args:
            optimizer: name or `Optimizer`.
            loss: name, `Loss` or function; ``"cce"``, ``"scce"``, ``"bce"``, ``"mse"`` are short names.
            loss_weights: a number that scales the loss (a Sequential model has one).
            metrics: list of names, `Metric` objects or functions.
            weighted_metrics: the same; these take sample weights into account.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: accepted for Keras' sake, without effect.
            input_shape: shape of one sample, without the batch axis: every layer is built now, and what does not fit is
                reported.
            learning_rate: sets the optimizer's.

        Raises:
            ValueError: an unknown name, or a layer that does not fit its input.
        """
        new_optimizer = optimizers.get(optimizer)
        if learning_rate is not None:
            new_optimizer.learning_rate = learning_rate
        new_loss = losses.get(loss)
        checks.check_metrics(metrics, "metrics")
        checks.check_metrics(weighted_metrics, "weighted_metrics")
        if loss_weights is not None:
            loss_weights = checks.single_number(loss_weights, "loss_weights")
        if input_shape is not None:
            self.build((None, *standardize_shape(input_shape)))
        self.optimizer, self.loss, self._loss_weight = new_optimizer, new_loss, loss_weights
        self._metric_arguments = (_as_list(metrics), _as_list(weighted_metrics))
        self._metrics = None  # [(metric, whether it takes sample weights)]: "accuracy" needs to see the targets' shape
        self._loss_tracker = metrics_module.Mean(name="loss")
        self._compiled = True
        if self.built:
            checks.warn_of_last_layer(self, new_loss)
        return self

    # The training step.

    def train_step(self, x, y, sample_weight=None):
        """Forward, loss, backward, update."""
        outputs = self.stack.forward(x, training=True)
        loss = self._total_loss(y, outputs, sample_weight)
        if self._fused_activation():
            gradient, logits = self.loss.logits_gradient(y, outputs, sample_weight), True
        else:
            gradient, logits = self.loss.weighted_gradient(y, outputs, sample_weight), False
        if self._loss_weight is not None:
            gradient *= self._loss_weight
        self.stack.backward(gradient, logits)
        weights = self.trainable_weights
        for weight in weights:
            if weight.regularizer is not None:
                weight.grad += weight.regularizer.gradient(weight.value)
        self._update_metrics(loss, y, outputs, sample_weight)
        self.optimizer.step(weights)
        return loss

    def test_step(self, x, y, sample_weight=None):
        """Forward and loss."""
        outputs = self.stack.forward(x)
        loss = self._total_loss(y, outputs, sample_weight)
        self._update_metrics(loss, y, outputs, sample_weight)
        return loss

    def _total_loss(self, y, outputs, sample_weight):
        loss = self.loss(y, outputs, sample_weight)
        if self._loss_weight is not None:
            loss = loss * self._loss_weight
        return loss + sum(self.losses)

    def _fused_activation(self):
        """Whether the derivatives of the loss and of the last activation are taken together: softmax and cross-entropy
        make probability - target, which never vanishes as their product does."""
        wanted = self.loss.fuses_with
        return wanted is not None and checks.last_activation(self.stack.layers) == wanted

    # Metrics.

    def _build_metrics(self, y):
        if self._metrics is None:
            plain, weighted = self._metric_arguments
            shape = self.output_shape
            y_shape = () if y is None else (None, *np.shape(y)[1:])
            self._metrics = [(metrics_module.get_for_model(m, y_shape, shape), False) for m in plain]
            self._metrics += [(metrics_module.get_for_model(m, y_shape, shape), True) for m in weighted]
            self._metric_keys = _unique_names(self._metrics)

    def _update_metrics(self, loss, y, outputs, sample_weight):
        self._loss_tracker.update_state(loss, sample_weight=len(outputs))
        for metric, is_weighted in self._metrics:
            metric.update_state(y, outputs, sample_weight if is_weighted else None)

    def reset_metrics(self):
        """Set the running loss and metrics back to their start."""
        self._loss_tracker.reset_state()
        for metric, _ in self._metrics or ():
            metric.reset_state()

    @property
    def metrics(self):
        """The loss tracker and the metrics."""
        return [self._loss_tracker, *(metric for metric, _ in self._metrics or ())] if self._compiled else []

    @property
    def metrics_names(self):
        return [metric.name for metric in self.metrics]

    def _results(self):
        """Return {"loss": ..., metric: ...} of the batches since `reset_metrics`."""
        values = [self._loss_tracker.result()] + [metric.result() for metric, _ in self._metrics]
        return {key: float(value) for key, value in zip(("loss", *self._metric_keys), values)}

    # Single batches.

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Take one training step. Returns the loss, or [loss, *metrics], or a dict of them."""
        if class_weight is not None and sample_weight is not None:
            raise ValueError("`class_weight` and `sample_weight` cannot both be given: multiply them into sample_weight")
        return self._on_batch(self.train_step, x, y, sample_weight, class_weight, return_dict, "train_on_batch")

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluate one batch. Returns the loss, or [loss, *metrics], or a dict of them."""
        return self._on_batch(self.test_step, x, y, sample_weight, None, return_dict, "test_on_batch")

    def predict_on_batch(self, x):
        """Return the outputs for one batch."""
        return self.predict(x, batch_size=max(1, len(x)), verbose=0)

    def _on_batch(self, step, x, y, sample_weight, class_weight, return_dict, method):
        checks.check_compiled(self, method)
        x, y, sample_weight = data.standardize(x, y, sample_weight)
        with self._lock, threads.single_threaded_blas():
            self._prepare(x, y, training=step == self.train_step)
            if class_weight is not None:
                data.check_class_weight(y, class_weight)
                sample_weight = data.class_weights_of(y, class_weight)
            self.reset_metrics()
            loss = step(self._cast(x), y, sample_weight)
            if not np.isfinite(loss):
                checks.warn_of_loss(self, loss, 0, x)
        results = self._results()
        if return_dict:
            return results
        return list(results.values()) if len(results) > 1 else results["loss"]

    # Loops.

    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
        validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0, steps_per_epoch=None,
        validation_steps=None, validation_batch_size=None, validation_freq=1,
    ):  # fmt: skip
        """Train for a number of epochs and return the `History`.

        Args:
            x: array (samples, ...) or nested list; or a generator or `PyDataset` of batches (x, y) or
                (x, y, sample_weight).
            y: targets, an array of as many rows; not with a generator or data set.
            batch_size: rows a step, 32 by default; not with a generator or data set.
            epochs: number of the last epoch; ``initial_epoch`` of them count as done.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line an epoch; ``"auto"`` is 1.
            callbacks: list of `Callback`s.
            validation_split: share of the rows, taken from the end before shuffling, to validate on.
            validation_data: (x, y), (x, y, sample_weight), a generator or a data set to validate on.
            shuffle: whether the rows come in a new order each epoch; ``"batch"`` shuffles whole batches.
            class_weight: dict from class to the weight of its samples in the loss.
            sample_weight: array (samples,) or of the loss's shape.
            steps_per_epoch: number of batches that count as an epoch.
            validation_steps, validation_batch_size: likewise for validation.
            validation_freq: validate every so many epochs, or after the epochs in a list.

        Raises:
            RuntimeError: the model is not compiled. ValueError, TypeError: data or arguments that cannot be used, before
                a weight is changed.
        """
        checks.check_compiled(self, "fit")
        checks.check_fit_arguments(
            batch_size, epochs, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size, validation_freq,
            verbose, shuffle,
        )  # fmt: skip
        if class_weight is not None and sample_weight is not None:
            raise ValueError("`class_weight` and `sample_weight` cannot both be given: multiply them into sample_weight")
        batches, validation = self._make_batches(x, y, sample_weight, batch_size, shuffle, validation_split)
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = self._make_validation_batches(validation_data, size)
        elif validation is not None and validation_batch_size:
            validation.batch_size = validation_batch_size
            validation.num_batches = -(-len(validation.arrays[0]) // validation_batch_size)
        epoch_iterator = data.Epochs(batches, steps_per_epoch)
        with self._lock, threads.single_threaded_blas():
            self._prepare(*batches.sample(), training=True)
            if validation is not None:
                self._prepare(*validation.sample(), training=False)
            if class_weight is not None:
                data.check_class_weight(batches.sample()[1], class_weight)
            callback_list = self._make_callbacks(
                callbacks, verbose, epochs, epoch_iterator.num_batches, validation is not None
            )
            self._fit(epoch_iterator, validation, callback_list, class_weight, epochs, initial_epoch,
                      validation_steps, validation_freq)  # fmt: skip
        return self.history

    def _fit(self, batches, validation, callbacks, class_weight, epochs, initial_epoch, validation_steps, validation_freq):
        self.stop_training = False
        self._warned_of_loss = False
        logs = {}
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            for step, batch in batches:
                callbacks.on_train_batch_begin(step)
                self._train_batch(batch, step, class_weight)
                callbacks.on_train_batch_end(step, _sorted(self._results()))
                if self.stop_training:
                    break
            if batches.ran_out and not self._loss_tracker.count:
                break
            logs = _sorted(self._results())
            if validation is not None and _is_due(epoch, validation_freq):
                results = self._evaluate(data.Epochs(validation, validation_steps), callbacks)
                logs.update({f"val_{key}": value for key, value in _sorted(results).items()})
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training or batches.ran_out:
                break
        callbacks.on_train_end(logs)

    def _train_batch(self, batch, step, class_weight):
        x, y, sample_weight = self._check_batch(batch)
        if class_weight is not None:
            sample_weight = data.class_weights_of(y, class_weight)
        loss = self.train_step(self._cast(x), y, sample_weight)
        if not self._warned_of_loss and not np.isfinite(loss):
            self._warned_of_loss = True
            checks.warn_of_loss(self, loss, step, x)

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
        return_dict=False,
    ):  # fmt: skip
        """Return the loss, or [loss, *metrics], or a dict of them, over all batches. Arguments as in `fit`."""
        checks.check_compiled(self, "evaluate")
        checks.check_loop_arguments(batch_size, steps, verbose)
        batches, _ = self._make_batches(x, y, sample_weight, batch_size, False, 0.0)
        with self._lock, threads.single_threaded_blas():
            self._prepare(*batches.sample(), training=False)
            epoch_iterator = data.Epochs(batches, steps)
            callback_list = self._make_callbacks(callbacks, verbose, 1, epoch_iterator.num_batches, None)
            results = self._evaluate(epoch_iterator, callback_list)
        if return_dict:
            return _sorted(results)
        return list(results.values()) if len(results) > 1 else results["loss"]

    def _evaluate(self, batches, callbacks):
        self.reset_metrics()
        self.stop_evaluating = False
        callbacks.on_test_begin()
        for step, batch in batches:
            callbacks.on_test_batch_begin(step)
            x, y, sample_weight = self._check_batch(batch)
            self.test_step(self._cast(x), y, sample_weight)
            callbacks.on_test_batch_end(step, _sorted(self._results()))
            if self.stop_evaluating:
                break
        results = self._results()
        callbacks.on_test_end(_sorted(results))
        return results

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Return the outputs for all samples, an array (samples, ...) of the caller's own.

        Args:
            x: array (samples, ...), nested list, generator or `PyDataset`.
            batch_size: rows at a time, 32 by default.
            verbose, callbacks: as in `fit`.
            steps: number of batches, for generators without end.
        """
        checks.check_built(self, "predict")
        checks.check_loop_arguments(batch_size, steps, verbose)
        batches = self._make_batches(x, None, None, batch_size, False, 0.0, for_predict=True)[0]
        with self._lock, threads.single_threaded_blas():
            if isinstance(batches, data.ArrayBatches):
                checks.check_input(self, batches.arrays[0])
                if batches.num_batches == 1 and verbose == 0 and not callbacks:  # nothing to show, nothing to join
                    return np.array(self.stack.forward(self._cast(batches.arrays[0])))
            epoch_iterator = data.Epochs(batches, steps)
            callback_list = self._make_callbacks(callbacks, verbose, 1, epoch_iterator.num_batches, None)
            self.stop_predicting = False
            outputs = []
            callback_list.on_predict_begin()
            for step, (inputs, _, _) in epoch_iterator:
                callback_list.on_predict_batch_begin(step)
                if not isinstance(batches, data.ArrayBatches):
                    inputs = data.standardize(inputs, None, None)[0]
                    checks.check_input(self, inputs)
                outputs.append(np.array(self.stack.forward(self._cast(inputs))))
                callback_list.on_predict_batch_end(step, {"outputs": outputs[-1]})
                if self.stop_predicting:
                    break
            callback_list.on_predict_end()
        return np.concatenate(outputs)

    # Data and callbacks.

    def _prepare(self, x, y, training):
        """Build the model from the data if need be, and check the data against it."""
        if not self.built:
            self.build((None, *np.shape(x)[1:]))
            checks.warn_of_last_layer(self, self.loss)
        checks.check_input(self, x)
        checks.check_targets(self, y)
        self._build_metrics(y)
        if training:
            checks.check_trainable(self)
            checks.warn_of_raw_images(self, x)
            if not self.optimizer.built:
                self.optimizer.build(self.trainable_weights)

    def _cast(self, x):
        return x if x.dtype == self.dtype else x.astype(self.dtype)

    def _check_batch(self, batch):
        """Check a batch that was not checked as part of an array; return it as arrays."""
        if isinstance(batch, data.Checked):
            return batch
        x, y, sample_weight = data.standardize(*batch)
        checks.check_input(self, x)
        checks.check_targets(self, y)
        return x, y, sample_weight

    def _make_batches(self, x, y, sample_weight, batch_size, shuffle, validation_split, for_predict=False):
        """Return batches for training and, with a validation split, for validation (else None)."""
        if x is None:
            raise ValueError("`x` is required. Received: x=None")
        if data.is_dataset(x) or data.is_generator(x):
            for name, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
                if value is not None:
                    raise ValueError(f"`{name}` cannot be given when `x` yields batches: let it yield (x, y, sample_weight)")
            if validation_split:
                raise ValueError("`validation_split` needs arrays: give validation_data when `x` yields batches")
            return (data.DatasetBatches(x, shuffle) if data.is_dataset(x) else data.GeneratorBatches(x)), None
        x, y, sample_weight = data.standardize(x, y, sample_weight)
        if not for_predict:
            checks.check_loss(self)
            checks.check_has_targets(self.loss.name, y)
        size = batch_size or 32
        if not validation_split:
            return data.ArrayBatches(x, y, sample_weight, size, shuffle), None
        train, held_out = data.split_validation(x, y, sample_weight, validation_split)
        return data.ArrayBatches(*train, size, shuffle), data.ArrayBatches(*held_out, size)

    def _make_validation_batches(self, validation_data, batch_size):
        if isinstance(validation_data, (tuple, list)):
            return self._make_batches(*data.unpack(validation_data), batch_size, False, 0.0)[0]
        return self._make_batches(validation_data, None, None, None, False, 0.0)[0]

    def _make_callbacks(self, callbacks, verbose, epochs, steps, validates):
        if isinstance(callbacks, callbacks_module.CallbackList):
            return callbacks
        keys = []
        if validates is not None:
            keys = ["loss", *self._metric_keys]
            keys += [f"val_{key}" for key in keys] if validates else []
        return callbacks_module.CallbackList(
            callbacks, add_history=validates is not None, add_progbar=verbose != 0, model=self, verbose=verbose,
            epochs=epochs, steps=steps, metrics=keys,
        )  # fmt: skip


def _is_due(epoch, frequency):
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency


def _sorted(results):
    """Keras' logs come in alphabetical order."""
    return dict(sorted(results.items()))


def _as_list(metrics_argument):
    if metrics_argument is None:
        return []
    return list(metrics_argument) if isinstance(metrics_argument, (list, tuple)) else [metrics_argument]


def _unique_names(pairs):
    """Names for the logs: of equal ones the second gets a suffix, as in Keras."""
    keys = []
    for metric, is_weighted in pairs:
        key = metric.name
        if key in keys and is_weighted:
            key = f"weighted_{key}"
        count = 1
        while key in keys:
            key = f"{metric.name}_{count}"
            count += 1
        keys.append(key)
    return keys
