"""LeNet-5 from start to end: build, train, evaluate, predict, save and load."""

import os
import tempfile

import numpy as np

import minikeras as keras
from minikeras import layers

keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data(size=28)


def lenet():
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )


model = lenet()
model.summary()
model.compile(keras.optimizers.Adam(learning_rate=0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train,
    y_train,
    validation_split=0.1,
    epochs=12,
    callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
probabilities = model.predict(x_test[:3], verbose=0)
print("digits:", y_test[:3], "read as:", probabilities.argmax(axis=1), "with", probabilities.max(axis=1).round(3))

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "lenet.weights.h5")
    model.save_weights(path)
    copy = lenet()
    copy.load_weights(path)

print(f"test accuracy: {accuracy:.4f}")
assert accuracy > 0.95
assert np.array_equal(copy.predict(x_test, verbose=0), model.predict(x_test, verbose=0))
assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
