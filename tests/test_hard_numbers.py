"""Whole training steps on hard numbers: the loss, every gradient, the metrics and the weights after it are finite.

Without an error of NumPy's, not even of underflow. Layers and losses by themselves: tests/layers/test_hard_numbers.py,
tests/test_losses.py.
"""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((6, 4)).astype("float32")
IMAGES = RNG.standard_normal((6, 5, 5, 2)).astype("float32")
TOKENS = RNG.integers(1, 9, (6, 5))
LABELS = np.arange(6) % 3
SIGNS = np.array([[1e4, -1e4, 1e4, -1e4]] * 6, "float32") * np.array([[1], [-1]] * 3, "float32")


def dense(units=3, activation="softmax", *others):
    return [*others, layers.Dense(units, activation=activation)]


def convolutional(*others):
    return [
        layers.Conv2D(3, 3, padding="same", activation="relu"), *others, layers.MaxPooling2D(2, padding="same"),
        layers.Flatten(), layers.Dense(3, activation="softmax"),
    ]  # fmt: skip


def recurrent(cls=layers.LSTM, **arguments):
    return [
        layers.Embedding(9, 4, mask_zero=True), layers.Bidirectional(cls(3, return_sequences=True)), cls(2),
        layers.Dense(3, activation="softmax"),
    ]  # fmt: skip


def normalized():
    return dense(3, "softmax", layers.BatchNormalization(), layers.LayerNormalization(), layers.UnitNormalization())


# name -> (layers, loss, x, y, more of train_on_batch, what the weights are multiplied with)
CASES = {
    "logits of +-1e4, softmax": (dense(), "scce", SIGNS, LABELS, {}, 1e4),
    "logits of +-1e4, categorical": (dense(), "cce", SIGNS, np.eye(3)[LABELS], {}, 1e4),
    "logits of +-1e4, sigmoid": (dense(1, "sigmoid"), "bce", SIGNS, LABELS > 1, {}, 1e4),
    "logits of +-1e4, focal": (dense(1, "sigmoid"), "binary_focal_crossentropy", SIGNS, LABELS > 1, {}, 1e4),
    "logits of +-1e4, from_logits": (
        dense(3, None), keras.losses.SparseCategoricalCrossentropy(from_logits=True), SIGNS, LABELS, {}, 1e4
    ),
    "probabilities of 0 and 1": (
        dense(3, None, layers.Dense(3, activation="softmax"), layers.Activation("hard_sigmoid")), "kl_divergence",
        SIGNS, np.eye(3)[LABELS], {}, 1e4,
    ),
    "probabilities of 0 and 1, not fused": (
        [layers.Dense(3), layers.Softmax(), layers.Reshape((3,))], "scce", SIGNS, LABELS, {}, 1e4
    ),
    "batch of one": (convolutional(layers.BatchNormalization()), "scce", IMAGES[:1], LABELS[:1], {}, 1),
    "batch of one vector": (normalized(), "scce", VECTORS[:1], LABELS[:1], {}, 1),
    "variance 0": (normalized(), "scce", np.full((6, 4), 7.3, "float32"), LABELS, {}, 1),
    "variance 0 in images": (
        convolutional(layers.BatchNormalization(), layers.GroupNormalization(3)), "scce", np.zeros_like(IMAGES), LABELS,
        {}, 1,
    ),
    "mean 1e6": (normalized(), "scce", VECTORS + 1e6, LABELS, {}, 1),
    "mean 1e6, regression": (dense(1, None), "mse", VECTORS + 1e6, 1e6 * LABELS, {}, 1),
    "all masked": (recurrent(), "scce", 0 * TOKENS, LABELS, {}, 1),
    "all masked, means": (
        dense(3, "softmax", layers.Embedding(9, 4, mask_zero=True), layers.GlobalAveragePooling1D()), "scce",
        0 * TOKENS, LABELS, {}, 1,
    ),
    "all masked, outputs of steps": (
        dense(3, "softmax", layers.Embedding(9, 4, mask_zero=True)), "scce", 0 * TOKENS, TOKENS % 3, {}, 1
    ),
    "all sample weights 0": (
        convolutional(), "scce", IMAGES, LABELS, {"sample_weight": np.zeros(6)}, 1
    ),
    "all class weights 0": (dense(), "scce", VECTORS, LABELS, {"class_weight": dict.fromkeys(range(3), 0.0)}, 1),
    "all weights of layers 0": (
        convolutional(layers.BatchNormalization(), layers.LayerNormalization()), "scce", IMAGES, LABELS, {}, 0
    ),
    "one class": (dense(1), "scce", VECTORS, 0 * LABELS, {}, 1),
    "one class, one-hot": (dense(1), "cce", VECTORS, np.ones((6, 1)), {}, 1),
    "one pixel": (
        convolutional(layers.BatchNormalization(), layers.DepthwiseConv2D(1)), "scce", IMAGES[:, :1, :1], LABELS, {}, 1
    ),
    "one step": (recurrent(), "scce", TOKENS[:, :1], LABELS, {}, 1),
    "one masked step": (recurrent(layers.GRU), "scce", 0 * TOKENS[:, :1], LABELS, {}, 1),
    "+-1e4 in steps": (
        dense(3, "softmax", layers.GRU(3, return_sequences=True), layers.SimpleRNN(2)), "scce", SIGNS[..., None],
        LABELS, {}, 1,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*(always 1.0|crossentropy|probabilities|add up|raw images):UserWarning")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_step(name, optimizer):
    stack, loss, x, y, more, factor = CASES[name]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([layer.twin() for layer in stack])
    metrics = ["accuracy"] if y.dtype.kind != "f" or y.ndim > 1 else ["mae"]
    model.compile(optimizer, loss, metrics=metrics, learning_rate=1e-20 if "1e6, reg" in name else 1e-3)
    model.build(x.shape)
    for weight in model.trainable_weights:
        weight.assign(np.float32(factor) * weight.value)
    with np.errstate(all="raise"):
        results = [model.train_on_batch(x, y, **more), model.test_on_batch(x, y), model.train_on_batch(x, y, **more)]
    assert np.isfinite(results).all()
    for weight in model.trainable_weights:
        assert np.isfinite(weight.grad).all(), weight.path
    assert all(np.isfinite(value).all() for value in model.get_weights())
    assert np.isfinite(model.predict(x, verbose=0)).all()
