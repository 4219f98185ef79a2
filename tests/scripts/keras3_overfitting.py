"""Overfit and underfit: what weight regularization and dropout do on little data."""
import numpy as np
import keras
from keras import layers, regularizers

keras.utils.set_random_seed(2)

(train_data, train_labels), (test_data, test_labels) = keras.datasets.imdb.load_data(num_words=60)


def vectorize_sequences(sequences, dimension=60):
    results = np.zeros((len(sequences), dimension))
    for i, sequence in enumerate(sequences):
        results[i, sequence] = 1.0
    return results


word_index = keras.datasets.imdb.get_word_index()
reverse_word_index = dict([(value, key) for (key, value) in word_index.items()])
print(" ".join([reverse_word_index.get(i - 3, "?") for i in train_data[0]]))

x_train = vectorize_sequences(train_data)[:200]
y_train = np.asarray(train_labels).astype("float32")[:200]
y_train[:30] = 1 - y_train[:30]  # a careless annotator
x_test = vectorize_sequences(test_data)
y_test = np.asarray(test_labels).astype("float32")


def compile_and_fit(model, name):
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, epochs=50, batch_size=20, validation_data=(x_test, y_test), verbose=0)
    print(f"{name:8}", *(f"{key} {values[-1]:.3f}" for key, values in history.history.items()))
    return history.history


def dense(units, **kwargs):
    return layers.Dense(units, activation="elu", **kwargs)


large = compile_and_fit(keras.Sequential([dense(256), dense(256), layers.Dense(1, activation="sigmoid")]), "large")
l2 = compile_and_fit(
    keras.Sequential([
        dense(256, kernel_regularizer=regularizers.l2(0.01)),
        dense(256, kernel_regularizer=regularizers.l1_l2(l1=1e-4, l2=0.01)),
        layers.Dense(1, activation="sigmoid"),
    ]),
    "l2",
)
dropout = compile_and_fit(
    keras.Sequential([
        dense(256), layers.Dropout(0.6), dense(256), layers.Dropout(0.6), layers.Dense(1, activation="sigmoid"),
    ]),
    "dropout",
)

assert large["accuracy"][-1] > 0.98  # the wrong labels learned by heart
assert large["val_loss"][-1] > 2 * min(large["val_loss"])  # ... to the harm of what is to be predicted
assert l2["val_loss"][-1] < large["val_loss"][-1]
assert dropout["val_loss"][-1] < large["val_loss"][-1]
