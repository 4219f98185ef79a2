"""Timeseries classification from scratch: one-dimensional convolutions, fed by a PyDataset."""
import keras
import numpy as np

keras.utils.set_random_seed(11)


def make_engine_noise(count):
    """Two kinds of engines; the faulty one knocks once in a while."""
    labels = np.random.randint(0, 2, count)
    series = np.random.normal(0, 0.3, (count, 100)) + np.sin(np.arange(100) / 5 + np.random.uniform(0, 6, (count, 1)))
    for i in np.flatnonzero(labels):
        start = np.random.randint(0, 90)
        series[i, start : start + 6] += [2, -2, 2, -2, 2, -2]
    return series[..., None].astype("float32"), np.where(labels, 1, -1)


x_train, y_train = make_engine_noise(600)
x_test, y_test = make_engine_noise(200)
num_classes = len(np.unique(y_train))
y_train[y_train == -1] = 0
y_test[y_test == -1] = 0


class Series(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y
        self.batch_size = batch_size

    @property
    def num_batches(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, idx):
        low = idx * self.batch_size
        high = min(low + self.batch_size, len(self.x))
        return self.x[low:high], self.y[low:high]


def make_model(input_shape):
    input_layer = keras.layers.Input(input_shape)

    conv1 = keras.layers.Conv1D(filters=16, kernel_size=3, padding="same")(input_layer)
    conv1 = keras.layers.BatchNormalization()(conv1)
    conv1 = keras.layers.ReLU()(conv1)

    conv2 = keras.layers.Conv1D(filters=16, kernel_size=3, padding="causal", dilation_rate=2)(conv1)
    conv2 = keras.layers.BatchNormalization()(conv2)
    conv2 = keras.layers.ReLU()(conv2)

    gap = keras.layers.GlobalMaxPooling1D()(conv2)
    output_layer = keras.layers.Dense(num_classes, activation="softmax")(gap)
    return keras.models.Model(inputs=input_layer, outputs=output_layer)


model = make_model(input_shape=x_train.shape[1:])
model.summary()

model.compile(
    optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=300)),
    loss="sparse_categorical_crossentropy",
    metrics=["sparse_categorical_accuracy"],
)
history = model.fit(
    Series(x_train, y_train, 32, workers=2),
    epochs=12,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, verbose=1)],
    validation_data=Series(x_test, y_test, 50),
    verbose=2,
)
test_loss, test_acc = model.evaluate(x_test, y_test, verbose=0)
print("Test accuracy", test_acc)
print("Test loss", test_loss)

metric = "sparse_categorical_accuracy"
assert {metric, "val_" + metric, "loss", "val_loss"} <= set(history.history)
assert test_acc > 0.85
