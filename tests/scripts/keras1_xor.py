"""XOR with a hidden layer: Keras 1 on four rows of data."""
from __future__ import print_function

import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Activation
from keras.optimizers import SGD

np.random.seed(0)

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0], [1], [1], [0]])

model = Sequential()
model.add(Dense(8, input_dim=2, init='uniform'))
model.add(Activation('tanh'))
model.add(Dense(output_dim=1))
model.add(Activation('sigmoid'))

sgd = SGD(lr=0.5, momentum=0.9, nesterov=True)
model.compile(loss='binary_crossentropy', optimizer=sgd)

model.fit(X, y, verbose=0, batch_size=4, nb_epoch=500)
print(model.predict_proba(X, verbose=0))
print(model.predict_classes(X, verbose=0))

loss = model.evaluate(X, y, verbose=0)
print('loss:', loss)
assert loss < 0.1
assert model.predict_classes(X, verbose=0).tolist() == y.tolist()
