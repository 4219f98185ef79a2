"""Fine-tuning: what LeNet-5 has learned from MNIST's digits helps it to tell shapes apart, of which it sees only 1,000.

Its convolutions are frozen and get a new top: only that is trained. Beside it stands the same with random convolutions.
Then all is trained, at a small learning rate, so that the new task does not wipe out what was learned before.
"""

import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.applications import LeNet5

SHAPES = ["ring", "triangle", "cross", "bar", "moon"]
FINE = 3e-4  # a third of Adam's usual learning rate


def light_on_dark(images):
    """MNIST is light ink on a dark ground: images with a light ground are turned round."""
    ground = np.median(images, axis=(1, 2, 3), keepdims=True)
    return np.where(ground > 0.5, 1 - images, images)


def with_new_top(base):
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            base,
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(len(SHAPES), activation="softmax"),
        ]
    )


def train(model, learning_rate, epochs):
    """Train and return the test accuracy. To compile anew is needed after `trainable` has changed, as in Keras."""
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=epochs, verbose=0)
    return model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]


(x_train, y_train), (x_test, y_test) = keras.datasets.synthetic.images(
    1000, 1000, size=28, shapes=SHAPES, contrast=0.6, seed=0
)
x_train, x_test = light_on_dark(x_train), light_on_dark(x_test)

accuracies = {}
for weights in (None, "mnist"):
    keras.utils.set_random_seed(1)
    base = LeNet5(include_top=False, weights=weights, input_shape=(28, 28, 1))
    base.trainable = False
    model = with_new_top(base)
    before = base.get_weights()
    accuracies[weights] = train(model, learning_rate=1e-3, epochs=12)
    assert all(np.array_equal(old, new) for old, new in zip(before, base.get_weights(), strict=True))
    assert len(model.trainable_weights) == 4  # of the two dense layers
    print(f"convolutions {weights or 'random'}, frozen: {accuracies[weights]:.1%} of the test images right")

base.trainable = True
accuracies["all"] = train(model, FINE, epochs=6)
assert not any(np.array_equal(old, new) for old, new in zip(before, base.get_weights(), strict=True))
print(f"convolutions mnist, unfrozen: {accuracies['all']:.1%}")

assert accuracies["mnist"] > accuracies[None] + 0.2
assert accuracies["all"] > accuracies["mnist"] > 0.85
