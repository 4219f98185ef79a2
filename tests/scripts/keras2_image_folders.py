"""Cats and dogs, the way of "building powerful image classification models using very little data".

```
data/
    train/
        cats/
            cat001.png ...
        dogs/
            dog001.png ...
    validation/
        cats/ ...
        dogs/ ...
```
"""
import os

import numpy as np
from PIL import Image

from keras.preprocessing.image import ImageDataGenerator, img_to_array, load_img
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D
from keras.layers import Activation, Dropout, Flatten, Dense
from keras import backend as K

# dimensions of our images.
img_width, img_height = 32, 32
train_data_dir = 'data/train'
validation_data_dir = 'data/validation'
nb_train_samples = 160
nb_validation_samples = 64
epochs = 10
batch_size = 16

# cats are round, dogs are square
rng = np.random.RandomState(0)
row, col = np.mgrid[:48, :48] - 24
for folder, count in ((train_data_dir, nb_train_samples), (validation_data_dir, nb_validation_samples)):
    for kind in ('cats', 'dogs'):
        os.makedirs(os.path.join(folder, kind))
        for i in range(count // 2):
            size = rng.randint(10, 18)
            shape = row ** 2 + col ** 2 < size ** 2 if kind == 'cats' else (abs(row) < size) & (abs(col) < size)
            pixels = rng.randint(0, 60, (48, 48, 3)) + shape[:, :, None] * rng.randint(80, 190, 3)
            Image.fromarray(pixels.astype('uint8')).save(os.path.join(folder, kind, '%s%03d.png' % (kind[:3], i)))

if K.image_data_format() == 'channels_first':
    input_shape = (3, img_width, img_height)
else:
    input_shape = (img_width, img_height, 3)

model = Sequential()
model.add(Conv2D(16, (3, 3), input_shape=input_shape))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))

model.add(Conv2D(16, (3, 3)))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))

model.add(Flatten())
model.add(Dense(32))
model.add(Activation('relu'))
model.add(Dropout(0.2))
model.add(Dense(1))
model.add(Activation('sigmoid'))

model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

# this is the augmentation configuration we will use for training
train_datagen = ImageDataGenerator(rescale=1. / 255, shear_range=0.1, zoom_range=0.1, horizontal_flip=True)
# this is the augmentation configuration we will use for testing: only rescaling
test_datagen = ImageDataGenerator(rescale=1. / 255)

train_generator = train_datagen.flow_from_directory(
    train_data_dir,
    target_size=(img_width, img_height),
    batch_size=batch_size,
    class_mode='binary')

validation_generator = test_datagen.flow_from_directory(
    validation_data_dir,
    target_size=(img_width, img_height),
    batch_size=batch_size,
    class_mode='binary')

model.fit_generator(
    train_generator,
    steps_per_epoch=nb_train_samples // batch_size,
    epochs=epochs,
    validation_data=validation_generator,
    validation_steps=nb_validation_samples // batch_size)

scores = model.evaluate_generator(validation_generator, steps=nb_validation_samples // batch_size)
print('Validation accuracy:', scores[1])
model.save_weights('first_try.weights.h5')

print(train_generator.class_indices)
image = img_to_array(load_img('data/validation/dogs/dog000.png', target_size=(img_width, img_height))) / 255
print('A dog:', model.predict(np.expand_dims(image, axis=0))[0, 0])
assert train_generator.class_indices == {'cats': 0, 'dogs': 1}
assert scores[1] > 0.85
