"""Regression: a number in place of a class. The last layer has no activation, the loss is the squared error."""

import numpy as np

import minikeras as keras
from minikeras import layers

NOISE = 0.1
rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, size=(1000, 1))
y = np.sin(x) + NOISE * rng.normal(size=x.shape)

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        layers.Input((1,)),
        layers.Dense(32, activation="tanh"),
        layers.Dense(32, activation="tanh"),
        layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(learning_rate=0.003), "mse", metrics=["mae"])
history = model.fit(x[:800], y[:800], validation_data=(x[800:], y[800:]), epochs=200, verbose=0)
error, absolute_error = model.evaluate(x[800:], y[800:], verbose=0)

curve = np.linspace(-3, 3, 101)[:, None]
distance = np.abs(model.predict(curve, verbose=0) - np.sin(curve)).max()
print(f"root mean squared error {error**0.5:.3f} (the noise is {NOISE}), mean absolute error {absolute_error:.3f}")
print(f"largest distance from the sine {distance:.3f}")
assert error**0.5 < 1.3 * NOISE
assert distance < 2 * NOISE
