"""A detailed example of how to use data generators with Keras: batches are made while the model trains."""
import numpy as np
import keras
from keras.models import Sequential
from keras.layers import Conv1D, Dense, Dropout, GlobalMaxPooling1D, MaxPooling1D


class DataGenerator(keras.utils.Sequence):
    'Generates data for Keras'
    def __init__(self, list_IDs, labels, batch_size=32, dim=(64,), n_channels=1, n_classes=3, shuffle=True):
        'Initialization'
        super().__init__()
        self.dim = dim
        self.batch_size = batch_size
        self.labels = labels
        self.list_IDs = list_IDs
        self.n_channels = n_channels
        self.n_classes = n_classes
        self.shuffle = shuffle
        self.on_epoch_end()

    def __len__(self):
        'Denotes the number of batches per epoch'
        return int(np.floor(len(self.list_IDs) / self.batch_size))

    def __getitem__(self, index):
        'Generate one batch of data'
        indexes = self.indexes[index * self.batch_size:(index + 1) * self.batch_size]
        list_IDs_temp = [self.list_IDs[k] for k in indexes]
        X, y = self.__data_generation(list_IDs_temp)
        return X, y

    def on_epoch_end(self):
        'Updates indexes after each epoch'
        self.indexes = np.arange(len(self.list_IDs))
        if self.shuffle is True:
            np.random.shuffle(self.indexes)

    def __data_generation(self, list_IDs_temp):
        'Generates data containing batch_size samples'
        X = np.empty((self.batch_size, *self.dim, self.n_channels))
        y = np.empty((self.batch_size), dtype=int)
        for i, ID in enumerate(list_IDs_temp):
            wave = (3, 5, 9)[self.labels[ID]]
            time = np.arange(self.dim[0]) / self.dim[0] + int(ID[3:]) % 97 / 97
            X[i, :, 0] = np.sin(2 * np.pi * wave * time) + np.random.normal(0, 0.3, self.dim)
            y[i] = self.labels[ID]
        return X, keras.utils.to_categorical(y, num_classes=self.n_classes)


# Parameters
params = {'dim': (64,), 'batch_size': 32, 'n_classes': 3, 'n_channels': 1, 'shuffle': True}

# Datasets
partition = {'train': ['id-%d' % i for i in range(480)], 'validation': ['id-%d' % i for i in range(480, 640)]}
labels = {'id-%d' % i: i % 3 for i in range(640)}

# Generators
training_generator = DataGenerator(partition['train'], labels, **params)
validation_generator = DataGenerator(partition['validation'], labels, **params)

# Design model
model = Sequential()
model.add(Conv1D(16, 7, activation='relu', input_shape=(64, 1)))
model.add(MaxPooling1D(2))
model.add(Conv1D(16, 7, activation='relu'))
model.add(GlobalMaxPooling1D())
model.add(Dropout(0.2))
model.add(Dense(3, activation='softmax'))
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['acc'])

# Train model on dataset
history = model.fit_generator(generator=training_generator, validation_data=validation_generator,
                              use_multiprocessing=False, workers=2, epochs=12)
print(history.history['val_acc'])
loss, acc = model.evaluate_generator(validation_generator)
print('accuracy: %.3f' % acc)
assert len(training_generator) == 15
assert acc > 0.85
