"""A layer of your own: four methods, and a check of its derivative that fits on three lines.

The layer is PReLU (He et al. 2015, Delving Deep into Rectifiers): f(x) = x where x > 0, else alpha x, with one learned
alpha a feature. (minikeras has it, as `layers.PReLU`: compare.)
"""

import numpy as np

import minikeras as keras
from minikeras import layers


class PReLU(keras.Layer):
    def build(self, input_shape):
        self.alpha = self.add_weight((input_shape[-1],), "zeros", name="alpha")

    def call(self, inputs, training=False):
        self.inputs = inputs  # backward needs them
        return np.where(inputs > 0, inputs, self.alpha * inputs)

    def backward(self, doutputs):
        per_feature = (doutputs * np.minimum(self.inputs, 0)).reshape(-1, len(self.alpha))
        self.alpha.grad = per_feature.sum(axis=0)
        return doutputs * np.where(self.inputs > 0, 1, self.alpha)

    def compute_output_shape(self, input_shape):
        return input_shape


# The derivative along a random direction, beside the difference of two nearby losses.
rng = np.random.default_rng(0)
layer = PReLU(dtype="float64")
layer.build_once((None, 5))
layer.set_weights([rng.normal(size=5)])
x, direction, doutputs = rng.normal(size=(3, 4, 5))
layer(x)
derivative = np.sum(layer.backward(doutputs.copy()) * direction)
difference = np.sum((layer(x + 1e-6 * direction) - layer(x - 1e-6 * direction)) * doutputs) / 2e-6
print(f"derivative {derivative:.9f}, difference {difference:.9f}")
assert abs(derivative - difference) < 1e-7

# It trains like any other layer.
keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
model = keras.Sequential(
    [
        layers.Conv2D(16, 3, input_shape=(8, 8, 1)),
        PReLU(name="prelu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=15, verbose=2)
accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
alpha = model.get_layer("prelu").alpha.numpy()
print(f"test accuracy {accuracy:.3f}; alpha went from 0 to {alpha.min():.2f} ... {alpha.max():.2f}")
assert accuracy > 0.92
assert np.abs(alpha).max() > 0.01
