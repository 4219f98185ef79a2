"""Evaluating the moving average of the weights instead of the weights."""

from minikeras.callbacks.base import Callback


class SwapEMAWeights(Callback):
    """Put the moving average of the weights into the model while it is evaluated, or between epochs.

    The average is that of an optimizer with ``use_ema=True`` (Polyak averaging). Weights and average trade places, so
    that no memory is taken; neither may be changed by other callbacks meanwhile.

    Args:
        swap_on_epoch: whether the average is in the model from the end of an epoch to the beginning of the next, for
            callbacks that stand after this one::

                model.fit(x, y, callbacks=[SwapEMAWeights(swap_on_epoch=True), ModelCheckpoint(...)])

    A callback that ends the training, as EarlyStopping, stands before it: the average of the last epoch is then what
    remains in the model.

    Raises:
        ValueError: the optimizer keeps no average, or has taken no step yet.

    Reference: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._ema_weights_in_model = False

    def on_train_begin(self, logs=None):
        self._averages()  # what is missing is reported before the first step

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._put(False)

    def on_epoch_end(self, epoch, logs=None):
        if not self.swap_on_epoch:
            return
        self._put(True)
        # At the end of the training the average replaces the weights: it must not be the weights then.
        if epoch == (self.params or {}).get("epochs", 0) - 1 or self.model.stop_training:
            for variable, average in self._averages():
                average[...] = variable.value

    def on_test_begin(self, logs=None):
        self._put(True)

    def on_test_end(self, logs=None):
        self._put(False)

    def on_predict_begin(self, logs=None):
        self._put(True)

    def on_predict_end(self, logs=None):
        self._put(False)

    def release(self):
        self._put(False)

    def _put(self, wanted):
        """Have the average in the model, or the weights."""
        if self._ema_weights_in_model == wanted:
            return
        for variable, average in self._averages():
            weights = variable.numpy()
            variable.assign(average)
            average[...] = weights
        self._ema_weights_in_model = wanted

    def _averages(self):
        """Return pairs of a weight and the array of its moving average."""
        optimizer = self.model.optimizer
        weights = self.model.trainable_weights
        optimizers = [one for one in getattr(optimizer, "optimizers", [optimizer]) if getattr(one, "use_ema", False)]
        if not optimizers:
            raise ValueError(
                "SwapEMAWeights needs an optimizer that keeps a moving average of the weights: pass it use_ema=True. "
                f"Received: {optimizer!r}"
            )
        pairs = []
        for one in optimizers:
            known = [weight for weight in weights if one.knows(weight)]
            pairs += zip(known, one.moving_averages(known))
        if not pairs:
            raise ValueError(
                f"SwapEMAWeights needs the moving average of the weights, and optimizer {optimizer.name!r} has none "
                "yet: call fit() first"
            )
        return pairs
