"""Image classification with augmentation and rescaling inside of the model."""
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(812)

num_classes = 10
(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
print(f"x_train shape: {x_train.shape} - y_train shape: {y_train.shape}")

data_augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(0.05, 0.05),
        layers.RandomContrast(0.1),
    ],
    name="data_augmentation",
)


def make_model(input_shape, num_classes):
    inputs = keras.Input(shape=input_shape)
    x = data_augmentation(inputs)
    x = layers.Rescaling(1.0 / 255)(x)
    x = layers.Conv2D(16, 3, strides=2, padding="same")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Activation("relu")(x)
    for size in [32, 32]:
        x = layers.SeparableConv2D(size, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.1)(x)
    outputs = layers.Dense(num_classes, activation=None, name="logits")(x)
    return keras.Model(inputs, outputs)


model = make_model(input_shape=(32, 32, 3), num_classes=num_classes)
model.summary(expand_nested=True)

model.compile(
    optimizer=keras.optimizers.Adam(5e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3),
    keras.callbacks.EarlyStopping(monitor="val_acc", patience=8, restore_best_weights=True),
]
model.fit(x_train, y_train, batch_size=64, epochs=8, callbacks=callbacks, validation_data=(x_test, y_test))

score = model.evaluate(x_test, y_test, verbose=0)
print("Test accuracy:", score[1])

# augmentation acts in training only
images = x_test[:8].astype("float32")
assert np.allclose(data_augmentation(images, training=False), images)
assert not np.allclose(data_augmentation(images, training=True), images)

# feature maps of the first convolution
features = keras.Model(model.inputs, model.layers[3].output)
print("Feature maps:", features.predict(images, verbose=0).shape)
assert features.predict(images, verbose=0).shape == (8, 16, 16, 16)

probabilities = keras.layers.Softmax()(model.predict(images, verbose=0))
print("Predicted:", np.argmax(probabilities, axis=-1), "true:", y_test[:8, 0])
assert score[1] > 0.7
