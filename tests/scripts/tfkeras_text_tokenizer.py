"""Sarcasm in headlines: Tokenizer, padding, Embedding and a bidirectional LSTM."""
import random

import numpy as np
from tensorflow.keras.preprocessing.text import Tokenizer
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Bidirectional, Dense, Dropout, Embedding, LSTM

vocab_size = 100
embedding_dim = 16
max_length = 10
trunc_type = 'post'
padding_type = 'post'
oov_tok = "<OOV>"
training_size = 480

random.seed(3)
who = ['Local man', 'Area woman', 'The mayor', 'A scientist', 'Every neighbour', 'The president']
verbs = ['says', 'finds', 'hopes', 'reports', 'denies']
plain = ['rain tomorrow', 'new budget, finally', 'the missing keys', 'a better vaccine', 'higher taxes']
silly = ['entire planet is soup', 'own shadow is rude', 'moon owes him money', 'dog is the boss', 'sofa won!']
sentences, labels = [], []
for i in range(600):
    labels.append(i % 2)
    sentences.append(' '.join([random.choice(who), random.choice(verbs), random.choice(silly if i % 2 else plain)]))

training_sentences = sentences[0:training_size]
testing_sentences = sentences[training_size:]
training_labels = np.array(labels[0:training_size])
testing_labels = np.array(labels[training_size:])

tokenizer = Tokenizer(num_words=vocab_size, oov_token=oov_tok)
tokenizer.fit_on_texts(training_sentences)
word_index = tokenizer.word_index
print(len(word_index), 'words; the most frequent:', list(word_index)[:5])

training_sequences = tokenizer.texts_to_sequences(training_sentences)
training_padded = pad_sequences(training_sequences, maxlen=max_length, padding=padding_type, truncating=trunc_type)
testing_sequences = tokenizer.texts_to_sequences(testing_sentences)
testing_padded = pad_sequences(testing_sequences, maxlen=max_length, padding=padding_type, truncating=trunc_type)
print(training_padded[0], tokenizer.sequences_to_texts(training_padded[:1]))

model = Sequential([
    Embedding(vocab_size, embedding_dim, input_length=max_length, mask_zero=True),
    Bidirectional(LSTM(16)),
    Dropout(0.2),
    Dense(24, activation='relu'),
    Dense(1, activation='sigmoid')
])
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

num_epochs = 8
history = model.fit(training_padded, training_labels, epochs=num_epochs,
                    validation_data=(testing_padded, testing_labels), verbose=2)
model.summary()

sentence = ["the mayor says moon is soup", "a scientist reports higher taxes tomorrow"]
sequences = tokenizer.texts_to_sequences(sentence)
padded = pad_sequences(sequences, maxlen=max_length, padding=padding_type, truncating=trunc_type)
print(model.predict(padded))

assert word_index[oov_tok] == 1
assert history.history['val_accuracy'][-1] > 0.95
assert (model.predict(padded)[:, 0] > 0.5).tolist() == [True, False]
