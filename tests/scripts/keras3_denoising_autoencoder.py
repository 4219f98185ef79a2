"""Convolutional autoencoder for image denoising."""
import numpy as np
import keras
from keras import layers
from keras.datasets import mnist
from keras.models import Model

keras.utils.set_random_seed(1)


def preprocess(array):
    """Normalizes the supplied array and reshapes it."""
    array = array.astype("float32") / 255.0
    array = np.reshape(array, (len(array), 28, 28, 1))
    return array


def noise(array):
    """Adds random noise to each image in the supplied array."""
    noise_factor = 0.4
    noisy_array = array + noise_factor * np.random.normal(loc=0.0, scale=1.0, size=array.shape)
    return np.clip(noisy_array, 0.0, 1.0)


(train_data, _), (test_data, _) = mnist.load_data()
train_data = preprocess(train_data)
test_data = preprocess(test_data)
noisy_train_data = noise(train_data)
noisy_test_data = noise(test_data)

input = layers.Input(shape=(28, 28, 1))

# Encoder
x = layers.Conv2D(16, (3, 3), activation="relu", padding="same")(input)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(16, (3, 3), activation="relu", padding="same")(x)
encoded = layers.MaxPooling2D((2, 2), padding="same")(x)

# Decoder
x = layers.Conv2DTranspose(16, (3, 3), strides=2, activation="relu", padding="same")(encoded)
x = layers.UpSampling2D(2)(x)
x = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

# Autoencoder
autoencoder = Model(input, x)
autoencoder.compile(optimizer=keras.optimizers.Adam(0.005), loss="binary_crossentropy")
autoencoder.summary()

history = autoencoder.fit(
    x=noisy_train_data,
    y=train_data,
    epochs=4,
    batch_size=64,
    shuffle=True,
    validation_data=(noisy_test_data, test_data),
)

predictions = autoencoder.predict(noisy_test_data)
before = np.mean((noisy_test_data - test_data) ** 2)
after = np.mean((predictions - test_data) ** 2)
print(f"error before: {before:.4f}, after: {after:.4f}")

encoder = Model(input, encoded)
codes = encoder.predict(noisy_test_data)
print("codes:", codes.shape)
assert codes.shape == (len(test_data), 7, 7, 16)
assert after < 0.4 * before
assert history.history["val_loss"][-1] < history.history["val_loss"][0]
