"""The training step, and the loops around it: fit, evaluate, predict, and the same for single batches."""

import math

import numpy as np

from minikeras import callbacks as callbacks_module
from minikeras import checks, config, data, losses
from minikeras.compilation import Compiled
from minikeras.kernels import threads
from minikeras.losses.base import quiet
from minikeras.messages import warn
from minikeras.registry import accepts_old_spellings


class Trainer(Compiled):
    """What compiled models can do; `Sequential` is one."""

    _watchers = ()  # functions of (x, y, sample_weight) that callbacks want called before a training step of `fit`

    def _init_training(self):
        self._init_compiled()
        self.history = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self._initial_epoch = None  # where a callback that has restored a training lets it go on
        self._warned_of_raw_images = False

    # The training step. What is not finite is reported as a whole, not by NumPy's warnings.

    @threads.one_at_a_time
    @quiet()
    def train_step(self, x, y, sample_weight=None):
        """Forward, loss, backward, update."""
        outputs = self.stack.forward(x, training=True)
        loss_weight = self.loss.apply_mask(y, outputs, sample_weight, self.stack.mask)
        loss = self._total_loss(y, outputs, loss_weight)
        if self._fused_activation():
            gradient, logits = self.loss.logits_gradient(y, outputs, loss_weight), True
        else:
            gradient, logits = self.loss.weighted_gradient(y, outputs, loss_weight), False
        if self._loss_weight is not None:
            gradient *= self._loss_weight
        self.stack.backward(gradient, logits)
        weights = self.trainable_weights
        for weight in weights:
            if weight.regularizer is not None:
                weight.grad += weight.regularizer.gradient(weight.value)
        self._results.update(loss, y, outputs, sample_weight, self.stack.mask)
        if not self._warned_of_loss and not math.isfinite(loss):
            self._warned_of_loss = True
            checks.warn_of_loss(self, loss, self._step, x)
        self.optimizer.step(weights)
        return loss

    @threads.one_at_a_time
    @quiet()
    def test_step(self, x, y, sample_weight=None):
        """Forward and loss."""
        outputs = self.stack.forward(x)
        loss_weight = self.loss.apply_mask(y, outputs, sample_weight, self.stack.mask)
        loss = self._total_loss(y, outputs, loss_weight)
        self._results.update(loss, y, outputs, sample_weight, self.stack.mask)
        return loss

    def _total_loss(self, y, outputs, sample_weight):
        loss = self.loss(y, outputs, sample_weight)
        if self._loss_weight is not None:
            loss = loss * self._loss_weight
        return loss + sum(self.losses)

    def _fused_activation(self):
        """Whether the derivatives of the loss and of the last activation are taken together: softmax and cross-entropy
        make probability - target, which never vanishes as their product does."""
        wanted = self.loss.fuses_with if self.loss.has_logits_gradient else None
        last = self.stack.layers[-1]
        return (
            wanted is not None
            and checks.last_activation(self.stack.layers) == wanted
            and last.activity_regularizer is None  # it adds to the derivative by the outputs
        )

    # Single batches.

    @accepts_old_spellings
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Take one training step. Returns the loss, or [loss, *metrics], or a dict of them.

        A model that was frozen as a whole after `compile`, as the discriminator in an adversarial network is in scripts
        for Keras 1 and 2, is trained as it was compiled, with a warning.
        """
        frozen = self._frozen_since()
        for layer in frozen:
            layer._trainable = True
        try:
            return self._on_batch(self.train_step, x, y, sample_weight, class_weight, return_dict, "train_on_batch")
        finally:
            for layer in frozen:
                layer._trainable = False

    @accepts_old_spellings
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluate one batch. Returns the loss, or [loss, *metrics], or a dict of them."""
        return self._on_batch(self.test_step, x, y, sample_weight, None, return_dict, "test_on_batch")

    def predict_on_batch(self, x):
        """Return the outputs for one batch."""
        x = data.to_array(x)
        return self.predict(x, batch_size=max(1, len(x)), verbose=0, steps=1)

    @threads.one_at_a_time
    def _on_batch(self, step, x, y, sample_weight, class_weight, return_dict, method):
        checks.check_compiled(self, method)
        x, y, sample_weight = data.standardize(x, y, sample_weight)
        with threads.single_threaded_blas():
            self._prepare(x, y, sample_weight, training=step == self.train_step)
            if class_weight is not None:
                data.check_class_weight(y, class_weight, sample_weight)
                sample_weight = data.class_weights_of(y, class_weight)
            self.reset_metrics()
            step(self._cast(x), y, sample_weight)
            return self._results.returned(return_dict)

    # Loops.

    @accepts_old_spellings
    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
        validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
        steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1,
    ):  # fmt: skip
        """Train for a number of epochs and return the `History`.

        Args:
            x: array (samples, ...) or nested list; or a generator or `PyDataset` of batches (x, y) or
                (x, y, sample_weight).
            y: targets, an array of as many rows; not with a generator or data set.
            batch_size: rows a step, by default 32 (with ``steps_per_epoch``, as many as make so many batches); not with
                a generator or data set.
            epochs: number of the last epoch; ``initial_epoch`` of them count as done.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line an epoch; ``"auto"`` is 1.
            callbacks: list of `Callback`s.
            validation_split: share of the rows, taken from the end before shuffling, to validate on.
            validation_data: (x, y), (x, y, sample_weight), a generator or a data set to validate on; goes before
                ``validation_split``.
            shuffle: whether the rows come in a new order each epoch; ``"batch"`` shuffles whole batches.
            class_weight: dict from class to the weight of its samples in the loss.
            sample_weight: array (samples,) or of the loss's shape.
            steps_per_epoch: number of batches that count as an epoch; the next one goes on where it stopped.
            validation_steps, validation_batch_size: likewise for validation.
            validation_freq: validate every so many epochs, or after the epochs in a list.

        Raises:
            RuntimeError: the model is not compiled. ValueError, TypeError: data or arguments that cannot be used,
                before a weight is changed.
        """
        checks.check_compiled(self, "fit")
        checks.check_fit_arguments(
            batch_size, epochs, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size,
            validation_freq, verbose, shuffle,
        )  # fmt: skip
        epochs = _limited(epochs, config.max_epochs(), "epochs")
        steps_per_epoch = _limited(steps_per_epoch, config.max_steps_per_epoch(), "steps_per_epoch")
        batches = data.make_batches(x, y, sample_weight, batch_size, steps_per_epoch, shuffle)
        with threads.single_threaded_blas():
            x, y, sample_weight = batches.sample()
            self._prepare(x, y, sample_weight, training=True)
            if class_weight is not None:
                data.check_class_weight(y, class_weight, sample_weight)
            validation, size = None, validation_batch_size or batch_size
            if validation_data is not None or validation_split:
                validation_steps = _limited(validation_steps, config.max_steps_per_epoch(), "validation_steps")
            if validation_data is not None:
                validation = data.make_validation_batches(validation_data, size, validation_steps)
                self._prepare(*validation.sample(), training=False)
            elif validation_split:
                train, last = data.split_validation(batches, validation_split)
                batches = data.ArrayBatches(train, batch_size, steps_per_epoch, shuffle)
                validation = data.ArrayBatches(last, size, validation_steps)
            epochs_of_batches = data.Epochs(batches, steps_per_epoch)
            steps = epochs_of_batches.num_batches
            with self._make_callbacks(callbacks, verbose, epochs, steps, validation is not None) as callback_list:
                self._fit(epochs_of_batches, validation, callback_list, class_weight, epochs, initial_epoch,
                          validation_steps, validation_freq)  # fmt: skip
        return self.history

    def _fit(
        self, batches, validation, callbacks, class_weight, epochs, initial_epoch, validation_steps, validation_freq
    ):
        self.stop_training = False
        self._warned_of_loss = False
        logs = {}
        callbacks.on_train_begin()
        for epoch in range(self._initial_epoch or initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            for self._step, batch in batches:
                callbacks.on_train_batch_begin(self._step)
                self._train_batch(batch, class_weight)
                callbacks.on_train_batch_end(self._step, self._results.logs())
                if self.stop_training:
                    break
            if batches.ran_out and not self._results.loss.count:
                break
            logs = self._results.logs()
            if validation is not None and _is_due(epoch, validation_freq):
                self._evaluate(data.Epochs(validation, validation_steps), callbacks)
                if self._results.loss.count:  # else the data ran out
                    logs.update({f"val_{key}": value for key, value in self._results.logs().items()})
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training or batches.ran_out:
                break
        if epochs and self.optimizer.use_ema:
            self.optimizer.finalize_variable_values(self.trainable_weights)
        if batches.ran_out and batches.steps is None and not self.stop_training and epoch + 1 < epochs:
            warn(
                f"The generator has ended, so training ends after {epoch + 1} of {epochs} epochs. Let it go on (`while "
                "True:`) and give steps_per_epoch, or use a PyDataset"
            )
        callbacks.on_train_end(logs)

    def _train_batch(self, batch, class_weight):
        x, y, sample_weight = self._check_batch(batch)
        if class_weight is not None:
            sample_weight = data.class_weights_of(y, class_weight, sample_weight)
        for watcher in self._watchers:
            watcher(x, y, sample_weight)
        self.train_step(self._cast(x), y, sample_weight)

    @accepts_old_spellings
    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
        return_dict=False,
    ):  # fmt: skip
        """Return the loss, or [loss, *metrics], or a dict of them, over all batches. Arguments as in `fit`."""
        checks.check_compiled(self, "evaluate")
        checks.check_loop_arguments(batch_size, steps, verbose)
        steps = _limited(steps, config.max_steps_per_epoch(), "steps")
        batches = data.make_batches(x, y, sample_weight, batch_size, steps)
        with threads.single_threaded_blas():
            self._prepare(*batches.sample(), training=False)
            epoch = data.Epochs(batches, steps)
            with self._make_callbacks(callbacks, verbose, 1, epoch.num_batches, None) as callback_list:
                self._evaluate(epoch, callback_list)
            return self._results.returned(return_dict)

    def _evaluate(self, batches, callbacks):
        self.reset_metrics()
        self.stop_evaluating = False
        callbacks.on_test_begin()
        for step, batch in batches:
            callbacks.on_test_batch_begin(step)
            x, y, sample_weight = self._check_batch(batch)
            self.test_step(self._cast(x), y, sample_weight)
            callbacks.on_test_batch_end(step, self._results.logs())
            if self.stop_evaluating:
                break
        if not self._results.loss.count:
            warn(
                "There is nothing (left) to evaluate: the generator yields no more batches. Let it go on (`while "
                "True:`) and give the number of steps, or use arrays or a PyDataset"
            )
        callbacks.on_test_end(self._results.logs())

    @accepts_old_spellings
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
        steps = _limited(steps, config.max_steps_per_epoch(), "steps")
        batches = data.make_batches(x, None, None, batch_size, steps)
        with threads.single_threaded_blas():
            checks.check_input(self, batches.sample()[0])
            if batches.num_batches == 1 and verbose == 0 and not callbacks and isinstance(batches, data.ArrayBatches):
                return self._run(batches.arrays[0])  # nothing to show, nothing to join
            epoch = data.Epochs(batches, steps)
            with self._make_callbacks(callbacks, verbose, 1, epoch.num_batches, None) as callback_list:
                return self._predict(epoch, callback_list)

    def _predict(self, batches, callbacks):
        self.stop_predicting = False
        outputs = []
        callbacks.on_predict_begin()
        for step, batch in batches:
            callbacks.on_predict_batch_begin(step)
            x = batch[0]
            if not isinstance(batch, data.Checked):
                x = data.standardize(x)[0]
                checks.check_input(self, x)
            outputs.append(self._run(x))
            callbacks.on_predict_batch_end(step, {"outputs": outputs[-1]})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        return np.concatenate(outputs)

    # Data and callbacks.

    @threads.one_at_a_time
    def _prepare(self, x, y, sample_weight, training):
        """Build the model from the data if need be, and check the data against it."""
        is_new = not self.built or losses.depends_on_shape(self.loss)
        if not self.built:
            self.build((None, *np.shape(x)[1:]))
        if losses.depends_on_shape(self.loss) and y is not None:
            self.loss = losses.get_for_model(self.loss, np.shape(y), self.output_shape)
        if is_new:
            checks.warn_of_last_layer(self, self.loss)
        checks.check_batch(self, x, y, sample_weight)
        self._results.build(y, self.output_shape)
        self._step = 0
        if training:
            checks.check_trainable(self)
            checks.warn_of_raw_images(self, x)
            self._prepare_optimizer()

    def _prepare_optimizer(self):
        """Let the optimizer know the weights; after `compile`, anew if it knows others from before."""
        weights = self.trainable_weights
        unknown = [weight for weight in weights if not self.optimizer.knows(weight)]
        if not self.optimizer.built or (unknown and self._is_newly_compiled):
            self.optimizer.build(weights)
        elif unknown:
            raise ValueError(
                f"Weight {unknown[0].path!r} was not trainable, or not there, when the model was compiled: compile it "
                "again after changing `trainable` or the layers, and give each model an optimizer of its own"
            )
        self._is_newly_compiled = False

    @threads.one_at_a_time
    @quiet()
    def _run(self, x, training=False, mask=None):
        """Return the outputs for checked inputs, the caller's own."""
        return np.array(self.stack.forward(self._cast(x), training, mask))

    def _cast(self, x):
        missing = len(self.input_shape) - x.ndim
        if missing:  # a vector for a column, or the other way round
            x = x[..., None] if missing > 0 else x[..., 0]
        if x.dtype == self.dtype or not self.stack.casts_inputs:
            return x
        with quiet():
            return x.astype(self.dtype)

    def _check_batch(self, batch):
        """Check a batch that was not checked as part of an array; return it as arrays."""
        if not isinstance(batch, data.Checked):
            batch = data.standardize(*batch)
            checks.check_batch(self, *batch)
        return batch

    def _make_callbacks(self, callbacks, verbose, epochs, steps, validates):
        if isinstance(callbacks, callbacks_module.CallbackList):
            return callbacks
        keys = []
        if validates is not None:
            keys = self._results.keys + [f"val_{key}" for key in self._results.keys if validates]
        return callbacks_module.CallbackList(
            callbacks, add_history=validates is not None, add_progbar=verbose != 0, model=self, verbose=verbose,
            epochs=epochs, steps=steps, metrics=keys,
        )  # fmt: skip


def _is_due(epoch, frequency):
    return epoch + 1 in frequency if isinstance(frequency, (list, tuple, set)) else (epoch + 1) % frequency == 0


def _limited(number, limit, name):
    """Return ``number`` cut down to the limit of a debugging run. No number stands for as many as there are."""
    if not limit or (number is not None and number <= limit):
        return number
    warn(f"Limiting {name} to {limit}, as set in keras.config or the environment")
    return limit
