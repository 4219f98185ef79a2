'''An implementation of sequence to sequence learning for performing addition

Input: "5+61"
Output: "66"
'''

from __future__ import print_function
from keras.models import Sequential
from keras import layers
from keras.optimizers import Adam
import numpy as np


class CharacterTable(object):
    """Given a set of characters: encode them to a one-hot integer representation, and back."""

    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.char_indices = dict((c, i) for i, c in enumerate(self.chars))
        self.indices_char = dict((i, c) for i, c in enumerate(self.chars))

    def encode(self, C, num_rows):
        x = np.zeros((num_rows, len(self.chars)))
        for i, c in enumerate(C):
            x[i, self.char_indices[c]] = 1
        return x

    def decode(self, x, calc_argmax=True):
        if calc_argmax:
            x = x.argmax(axis=-1)
        return ''.join(self.indices_char[i] for i in x)


# Parameters for the model and dataset.
DIGITS = 1
REVERSE = True
MAXLEN = DIGITS + 1 + DIGITS
chars = '0123456789+ '
ctable = CharacterTable(chars)

questions = ['%d+%d' % (a, b) for a in range(10) for b in range(10)]
expected = [str(a + b).ljust(DIGITS + 1) for a in range(10) for b in range(10)]
if REVERSE:
    questions = [question[::-1] for question in questions]
print('Total addition questions:', len(questions))

x = np.array([ctable.encode(question, MAXLEN) for question in questions], dtype=bool)
y = np.array([ctable.encode(answer, DIGITS + 1) for answer in expected], dtype=bool)

print('Build model...')
RNN = layers.LSTM  # Try replacing GRU, or SimpleRNN.
HIDDEN_SIZE = 48
LAYERS = 1

model = Sequential()
model.add(RNN(HIDDEN_SIZE, input_shape=(MAXLEN, len(chars))))
model.add(layers.RepeatVector(DIGITS + 1))
for _ in range(LAYERS):
    model.add(RNN(HIDDEN_SIZE, return_sequences=True))
# Apply a dense layer to the every temporal slice of an input.
model.add(layers.TimeDistributed(layers.Dense(len(chars), activation='softmax')))
model.compile(loss='categorical_crossentropy', optimizer=Adam(lr=0.01), metrics=['accuracy'])
model.summary()

for iteration in range(1, 5):
    print()
    print('-' * 50)
    print('Iteration', iteration)
    model.fit(x, y, batch_size=20, epochs=40, verbose=0)
    # Select samples at random so we can visualize errors.
    for i in range(5):
        ind = np.random.randint(0, len(x))
        rowx, rowy = x[np.array([ind])], y[np.array([ind])]
        preds = np.argmax(model.predict(rowx, verbose=0), axis=-1)
        q = ctable.decode(rowx[0])
        correct = ctable.decode(rowy[0])
        guess = ctable.decode(preds[0], calc_argmax=False)
        print('Q', q[::-1] if REVERSE else q, 'T', correct, 'ok ' if correct == guess else 'no ', guess)

loss, accuracy = model.evaluate(x, y, verbose=0)
print('Accuracy:', accuracy)
assert accuracy > 0.85
