"""Writing your own callbacks, and learning rate schedules."""
import keras
import numpy as np

keras.utils.set_random_seed(3)

(x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data(version="small")
print(x_train.shape, y_train.shape)
y_train, y_test = y_train / 100000, y_test / 100000


# Define the Keras model to add callbacks to
def get_model():
    normalizer = keras.layers.Normalization()
    normalizer.adapt(x_train)
    model = keras.Sequential([keras.Input((8,)), normalizer])
    model.add(keras.layers.Dense(16, activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=0.01),
        loss="mean_squared_error",
        metrics=["mean_absolute_error"],
    )
    return model


class CustomCallback(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")
        print("Starting training; got log keys: {}".format(list((logs or {}).keys())))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append("epoch end")
        print(
            "The average loss for epoch {} is {:7.2f} and mean absolute error is {:7.2f}.".format(
                epoch, logs["loss"], logs["mean_absolute_error"]
            )
        )

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append("batch end")

    def on_test_end(self, logs=None):
        self.calls.append("test end")


class EarlyStoppingAtMinLoss(keras.callbacks.Callback):
    """Stop training when the loss is at its min, i.e. the loss stops decreasing."""

    def __init__(self, patience=0):
        super().__init__()
        self.patience = patience
        self.best_weights = None

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = np.inf

    def on_epoch_end(self, epoch, logs=None):
        current = logs.get("loss")
        if np.less(current, self.best):
            self.best = current
            self.wait = 0
            self.best_weights = self.model.get_weights()
        else:
            self.wait += 1
            if self.wait >= self.patience:
                self.stopped_epoch = epoch
                self.model.stop_training = True
                print("Restoring model weights from the end of the best epoch.")
                self.model.set_weights(self.best_weights)

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")


class CustomLearningRateScheduler(keras.callbacks.Callback):
    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule
        self.rates = []

    def on_epoch_begin(self, epoch, logs=None):
        # Get the current learning rate from model's optimizer.
        lr = self.model.optimizer.learning_rate
        scheduled_lr = self.schedule(epoch, float(lr))
        self.model.optimizer.learning_rate = scheduled_lr
        self.rates.append(float(self.model.optimizer.learning_rate))
        print(f"\nEpoch {epoch}: Learning rate is {self.rates[-1]}.")


def lr_schedule(epoch, lr):
    return {0: 0.02, 3: 0.01, 12: 0.003}.get(epoch, lr)


custom, rates = CustomCallback(), CustomLearningRateScheduler(lr_schedule)
model = get_model()
model.fit(x_train, y_train, batch_size=16, epochs=15, verbose=0, validation_split=0.2, callbacks=[custom, rates])

history = model.fit(
    x_train, y_train, batch_size=16, epochs=60, verbose=0, callbacks=[EarlyStoppingAtMinLoss(patience=3)]
)
error = model.evaluate(x_test, y_test, verbose=0)[1]
print(f"test error: {error:.3f}, that of the mean: {np.abs(y_test - y_train.mean()).mean():.3f}")

assert custom.calls[:2] == ["train begin", "batch end"]
assert custom.calls.count("epoch end") == custom.calls.count("test end") == 15
assert np.allclose(rates.rates, [0.02] * 3 + [0.01] * 9 + [0.003] * 3)
assert len(history.epoch) < 60
assert error < 0.6 * np.abs(y_test - y_train.mean()).mean()
