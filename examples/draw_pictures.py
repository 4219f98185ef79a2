"""The README's pictures: LeNet-5 on the embedded digits and a small network on a spiral, drawn into docs/images/.

    python examples/draw_pictures.py [folder]

Takes seconds and downloads nothing. It needs matplotlib: pip install 'minikeras[plot]'.
"""

import os
import pathlib
import sys

import numpy as np

import minikeras as keras
from minikeras import layers, visualization

folder = pathlib.Path(__file__).resolve().parent.parent / "docs" / "images"
if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def save(figure, name):
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=80, metadata={"Software": None})  # which would hold matplotlib's version
    print(f"{path}: {os.path.getsize(path) / 1000:.0f} kB")


# The digits.

keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data(size=28)
model = keras.applications.LeNet5(weights=None)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, validation_split=0.1, epochs=12, verbose=0)
probabilities = model.predict(x_test, verbose=0)
predicted = probabilities.argmax(axis=1)
accuracy = (predicted == y_test).mean()
print(f"test accuracy: {accuracy:.4f}")
assert accuracy > 0.95

save(visualization.plot_history(history), "history")
chosen = np.argsort(predicted == y_test, kind="stable")[:10]  # those misread first
save(visualization.plot_predictions(probabilities[chosen], x_test[chosen], y_test[chosen], columns=5), "predictions")
save(visualization.plot_confusion_matrix(y_test, probabilities), "confusion_matrix")
eight = x_test[np.flatnonzero((y_test == 8) & (predicted == 8))[0]]
save(visualization.plot_feature_maps(model, eight), "feature_maps")
save(visualization.plot_grad_cam(model, eight), "grad_cam")

# The spiral.

x, y = keras.datasets.synthetic.spiral(samples=600, classes=3, seed=1)
model = keras.Sequential([
    layers.Dense(32, activation="tanh"), layers.Dense(32, activation="tanh"), layers.Dense(3, activation="softmax")
])  # fmt: skip
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"], input_shape=(2,))
model.fit(x, y, epochs=100, batch_size=100, verbose=0)
loss, accuracy = model.evaluate(x, y, verbose=0)
print(f"spiral, accuracy on its points: {accuracy:.4f}")
assert accuracy > 0.95
save(visualization.plot_decision_boundary(model, x, y), "decision_boundary")
