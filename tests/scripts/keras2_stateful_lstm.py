'''How to use a stateful LSTM model: the output depends on what was seen many batches ago.'''
import numpy as np
from keras import backend as K
from keras.models import Sequential
from keras.layers import Dense, LSTM

tsteps = 2
batch_size = 10
epochs = 60

# each row is a sequence of its own; a 1 at the start of some says what their sum over time is
rng = np.random.RandomState(0)
signal = rng.choice([-1., 1.], size=(batch_size, 1))
print('Generating Data...')
x = np.zeros((8, batch_size, tsteps, 1), dtype='float32')
x[0, :, 0] = signal
y = np.repeat(signal[None], 8, axis=0)

print('Creating Model...')
model = Sequential()
model.add(LSTM(8, batch_input_shape=(batch_size, tsteps, 1), return_sequences=True, stateful=True))
model.add(LSTM(8, stateful=True))
model.add(Dense(1))
model.compile(loss='mse', optimizer='rmsprop')
K.set_value(model.optimizer.lr, 0.01)
print('Learning rate: %.3f' % K.get_value(model.optimizer.lr))

print('Training')
for i in range(epochs):
    # Note that the last state for sample i in a batch will be used as initial state for sample i in the next batch.
    model.fit(x.reshape(-1, tsteps, 1), y.reshape(-1, 1), batch_size=batch_size, epochs=1, verbose=0, shuffle=False)
    model.reset_states()

print('Predicting')
predicted = model.predict(x.reshape(-1, tsteps, 1), batch_size=batch_size).reshape(8, batch_size)
error = np.mean((predicted[-1] - signal[:, 0]) ** 2)
print('Error at the end of the sequence: %.3f' % error)

# without its state the model knows nothing
model.reset_states()
forgetful = model.predict(x[-1], batch_size=batch_size)
print('Without the state: %.3f' % np.mean((forgetful - signal) ** 2))
assert error < 0.2
assert np.ptp(forgetful) < 1e-6
