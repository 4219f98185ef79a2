"""Transfer learning and fine-tuning: a convolutional base learns one task, is frozen, and serves another."""

import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = np.expand_dims(x_train.astype("float32") / 255, -1)
x_test = np.expand_dims(x_test.astype("float32") / 255, -1)

# The base learns to tell the digits from 0 to 4.
conv_base = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.Conv2D(8, 3, strides=2, activation="relu", name="block1_conv1"),
        layers.BatchNormalization(name="block1_norm"),
        layers.Conv2D(16, 3, strides=2, activation="relu", name="block2_conv1"),
        layers.MaxPooling2D(2, name="block2_pool"),
    ],
    name="conv_base",
)
source = keras.Sequential([conv_base, layers.Flatten(), layers.Dense(5, activation="softmax")])
source.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
source.fit(x_train[y_train < 5], y_train[y_train < 5], batch_size=32, epochs=3, verbose=2)

# Only 100 images of the other digits are labelled. The base is frozen.
few, labels = x_train[y_train >= 5][:100], y_train[y_train >= 5][:100] - 5
conv_base.trainable = False
print("Trainable weights after freezing the base:", len(conv_base.trainable_weights))
assert len(conv_base.trainable_weights) == 0 and len(conv_base.weights) == 8

model = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.RandomTranslation(0.05, 0.05),
        conv_base,
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(5, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary(show_trainable=True)
before = [weight.copy() for weight in conv_base.get_weights()]
model.fit(few, labels, batch_size=20, epochs=15, verbose=0)
assert all(np.array_equal(old, new) for old, new in zip(before, conv_base.get_weights()))
other, other_labels = x_test[y_test >= 5], y_test[y_test >= 5] - 5
frozen_accuracy = model.evaluate(other, other_labels, verbose=0)[1]
print(f"Accuracy with the frozen base: {frozen_accuracy:.3f}")

# Fine-tuning: all but the first block is trained, slowly.
conv_base.trainable = True
set_trainable = False
for layer in conv_base.layers:
    if layer.name == "block2_conv1":
        set_trainable = True
    layer.trainable = set_trainable
model.compile(optimizer=keras.optimizers.RMSprop(1e-4), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(few, labels, batch_size=20, epochs=5, verbose=0, validation_data=(other, other_labels))
changed = [not np.array_equal(old, new) for old, new in zip(before, conv_base.get_weights())]
print("Changed:", changed)
assert changed == [False] * 6 + [True] * 2
accuracy = history.history["val_accuracy"][-1]
print(f"Accuracy after fine-tuning: {accuracy:.3f}")
assert accuracy > 0.75
