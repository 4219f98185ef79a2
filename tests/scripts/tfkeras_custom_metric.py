"""A custom metric with state of its own, metrics that are functions, and sample weights, as in the guide to training."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(5)


@keras.utils.register_keras_serializable()
class CategoricalTruePositives(keras.metrics.Metric):
    """How many predictions were right."""

    def __init__(self, name="categorical_true_positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.true_positives = self.add_weight(name="ctp", shape=(), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = np.argmax(y_pred, axis=1).reshape(-1, 1)
        values = (np.asarray(y_true).astype("int32") == y_pred).astype("float32")
        if sample_weight is not None:
            values = values * np.asarray(sample_weight, "float32").reshape(-1, 1)
        self.true_positives.assign_add(np.sum(values))

    def result(self):
        return self.true_positives

    def reset_state(self):
        # The state of the metric will be reset at the start of each epoch.
        self.true_positives.assign(0)


def mean_confidence(y_true, y_pred):
    return np.max(y_pred, axis=-1)


def get_uncompiled_model():
    return keras.Sequential(
        [
            keras.Input(shape=(784,), name="digits"),
            layers.Dense(64, activation="relu", name="dense_1"),
            layers.Dense(64, activation="relu", name="dense_2"),
            layers.Dense(10, activation="softmax", name="predictions"),
        ]
    )


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.reshape(-1, 784).astype("float32") / 255
x_test = x_test.reshape(-1, 784).astype("float32") / 255
y_train, y_test = y_train.reshape(-1, 1), y_test.reshape(-1, 1)

model = get_uncompiled_model()
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy", CategoricalTruePositives(), mean_confidence],
    weighted_metrics=[CategoricalTruePositives(name="weighted_positives")],
    run_eagerly=True,  # the metrics use NumPy
)

# The digit 5 counts twice.
sample_weight = np.ones(len(y_train))
sample_weight[y_train[:, 0] == 5] = 2.0
history = model.fit(x_train, y_train, sample_weight=sample_weight, batch_size=64, epochs=3, verbose=2)
print(sorted(history.history))
last = {name: float(values[-1]) for name, values in history.history.items()}
assert abs(last["categorical_true_positives"] - last["accuracy"] * len(x_train)) < 0.5
assert last["categorical_true_positives"] < last["weighted_positives"] <= sample_weight.sum()

results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
predictions = model.predict(x_test, verbose=0)
right = int((predictions.argmax(axis=1) == y_test[:, 0]).sum())
print("Right:", right, "of", len(x_test))
assert float(results["categorical_true_positives"]) == float(results["weighted_positives"]) == right
assert abs(results["mean_confidence"] - predictions.max(axis=1).mean()) < 1e-4

# A metric can be used by itself, too, and is made again from its config.
metric = keras.metrics.deserialize(keras.metrics.serialize(CategoricalTruePositives(name="again")))
for start in range(0, len(x_test), 100):
    metric.update_state(y_test[start : start + 100], predictions[start : start + 100])
assert metric.name == "again" and float(metric.result()) == right
metric.reset_state()
assert float(metric.result()) == 0
assert results["accuracy"] > 0.85
