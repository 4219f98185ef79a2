"""Save and load models: checkpoints, weights, architecture."""
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

(train_images, train_labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
train_labels = train_labels[:1000]
test_labels = test_labels[:1000]
train_images = train_images[:1000].reshape(-1, 28 * 28) / 255.0
test_images = test_images[:1000].reshape(-1, 28 * 28) / 255.0


# Define a simple sequential model
def create_model():
    model = keras.Sequential([
        keras.Input(shape=(784,)),
        layers.Dense(128, activation="relu", name="hidden"),
        layers.Dropout(0.2, name="dropout"),
        layers.Dense(10, name="logits"),
    ])
    model.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )
    return model


model = create_model()
model.summary()

# Create a callback that saves the model's weights every epoch, and one that keeps the best
os.makedirs("training_1", exist_ok=True)
callbacks = [
    keras.callbacks.ModelCheckpoint("training_1/cp-{epoch:04d}.weights.h5", save_weights_only=True, verbose=1),
    keras.callbacks.ModelCheckpoint(
        "training_1/best.weights.h5", monitor="val_sparse_categorical_accuracy", mode="max", save_best_only=True,
        save_weights_only=True,
    ),
    keras.callbacks.CSVLogger("training_1/log.csv"),
]
history = model.fit(
    train_images, train_labels, epochs=6, validation_data=(test_images, test_labels), callbacks=callbacks, verbose=0
)
print(sorted(os.listdir("training_1")))

# Loads the weights into an untrained model
model = create_model()
loss, untrained = model.evaluate(test_images, test_labels, verbose=2)
print(f"Untrained model, accuracy: {100 * untrained:5.2f}%")
model.load_weights("training_1/best.weights.h5")
loss, acc = model.evaluate(test_images, test_labels, verbose=2)
print(f"Restored model, accuracy: {100 * acc:5.2f}%")

# The architecture alone: JSON, config, a clone
json_string = model.to_json()
restored = keras.models.model_from_json(json_string)
restored.set_weights(model.get_weights())
clone = keras.models.clone_model(model)
clone.set_weights(model.get_weights())
rebuilt = keras.Sequential.from_config(model.get_config())
predictions = model.predict(test_images, verbose=0)

assert untrained < 0.4 and acc > 0.85
assert np.isclose(acc, max(history.history["val_sparse_categorical_accuracy"]))
assert len(os.listdir("training_1")) == 8
assert np.allclose(restored.predict(test_images, verbose=0), predictions, atol=1e-5)
assert np.allclose(clone.predict(test_images, verbose=0), predictions, atol=1e-5)
assert not np.allclose(rebuilt.predict(test_images, verbose=0), predictions, atol=1e-5)
assert [layer.name for layer in rebuilt.layers] == ["hidden", "dropout", "logits"]
assert rebuilt.get_layer("hidden").kernel.shape == (784, 128)
