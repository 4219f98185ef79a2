"""A callback: code of your own at set points of the training. This one looks at the weights and stops in good time."""

import numpy as np

import minikeras as keras
from minikeras import layers


class WatchWeights(keras.callbacks.Callback):
    """Keeps the norm of the hidden layer's kernel after each epoch, and stops once the validation is good enough."""

    def __init__(self, good_enough):
        super().__init__()
        self.good_enough = good_enough

    def on_train_begin(self, logs=None):
        self.norms = []

    def on_epoch_end(self, epoch, logs=None):
        kernel = self.model.get_layer("hidden").kernel.numpy()
        self.norms.append(float(np.linalg.norm(kernel)))
        print(f"epoch {epoch}: val_accuracy {logs['val_accuracy']:.3f}, norm of the hidden kernel {self.norms[-1]:.2f}")
        if logs["val_accuracy"] >= self.good_enough:
            self.model.stop_training = True


keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
model = keras.Sequential(
    [
        layers.Input((8, 8, 1)),
        layers.Flatten(),
        layers.Dense(64, activation="relu", name="hidden"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
watch = WatchWeights(good_enough=0.95)
history = model.fit(x_train, y_train, validation_split=0.1, epochs=100, verbose=0, callbacks=[watch])

print(f"stopped after {len(history.epoch)} epochs")
assert len(history.epoch) == len(watch.norms) < 100
assert history.history["val_accuracy"][-1] >= 0.95 > history.history["val_accuracy"][0]
