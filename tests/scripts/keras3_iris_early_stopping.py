"""Three kinds of flowers: one-hot labels, early stopping, a confusion matrix, and the curve of learning."""
import numpy as np
import keras
from keras.callbacks import EarlyStopping
from keras.layers import Dense, Input
from keras.models import Sequential
from keras.utils import to_categorical

keras.utils.set_random_seed(9)

# four lengths in cm of 50 flowers of each kind
names = ["setosa", "versicolor", "virginica"]
means = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
y = np.repeat(np.arange(3), 50)
X = means[y] + np.random.normal(size=(150, 4)) * [0.4, 0.3, 0.3, 0.2]

# shuffle, split, encode
order = np.random.permutation(len(X))
X, Y = X[order], to_categorical(y[order])
X_train, X_test, Y_train, Y_test = X[:110], X[110:], Y[:110], Y[110:]

model = Sequential()
model.add(Input(shape=(4,)))
model.add(Dense(16, activation="relu", kernel_initializer="he_uniform"))
model.add(Dense(3, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(learning_rate=0.02), metrics=["accuracy"])

stop = EarlyStopping(monitor="val_loss", min_delta=1e-3, patience=8, verbose=1, mode="auto", restore_best_weights=True)
history = model.fit(X_train, Y_train, validation_split=0.2, epochs=300, batch_size=8, callbacks=[stop], verbose=0)
print("epochs:", len(history.history["loss"]))

predicted = np.argmax(model.predict(X_test, verbose=0), axis=-1)
actual = np.argmax(Y_test, axis=1)
confusion = np.zeros((3, 3), int)
np.add.at(confusion, (actual, predicted), 1)
print(confusion)
for i, layer in enumerate(model.layers):
    weights, biases = layer.get_weights()
    print(i, layer.name, weights.shape, biases.shape)

try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    print("no matplotlib: no curve")
else:
    plt.plot(history.history["loss"], label="train")
    plt.plot(history.history["val_loss"], label="validation")
    plt.legend(loc="upper right")
    plt.savefig("loss.png")
    plt.close()

accuracy = model.evaluate(X_test, Y_test, verbose=0)[1]
print(f"accuracy: {accuracy:.3f}")
assert len(history.history["loss"]) < 300
assert accuracy > 0.85
assert abs(np.trace(confusion) / len(X_test) - accuracy) < 1e-6
