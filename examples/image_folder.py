"""Images in folders named after their classes: read in batches by a thread, while the model trains on the last one."""

import os
import sys
import tempfile

import minikeras as keras
from minikeras import layers

try:
    import PIL  # noqa: F401
except ImportError:
    print("skipped: reading images needs Pillow, pip install 'minikeras[image]'")
    sys.exit()

CLASSES = ["ring", "bar"]
EPOCHS = 6


def write_images(folder):
    """Make `ring/0.png` and so on; the labels are nowhere but in the folders' names."""
    (x, y), _ = keras.datasets.synthetic.images(600, size=32, shapes=CLASSES, channels=3, contrast=0.6)
    for i, (image, label) in enumerate(zip(x, y)):
        os.makedirs(os.path.join(folder, CLASSES[label]), exist_ok=True)
        keras.utils.save_img(os.path.join(folder, CLASSES[label], f"{i}.png"), image * 255, scale=False)


def convolution(filters, size, strides=1):
    convolve = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)
    return convolve, layers.BatchNormalization(momentum=0.9), layers.ReLU()


keras.utils.set_random_seed(1)
with tempfile.TemporaryDirectory() as folder:
    write_images(folder)
    train, test = keras.utils.image_dataset_from_directory(
        folder, image_size=(24, 24), validation_split=0.2, subset="both", seed=1,
        on_error="skip",  # leaves out, with a warning, what cannot be read, as half a file or a page of HTML
    )  # fmt: skip
    print("classes:", train.class_names)
    model = keras.Sequential([
        layers.Rescaling(1 / 255), *convolution(16, 5, strides=2), *convolution(32, 3), layers.MaxPooling2D(2),
        *convolution(32, 3), layers.GlobalMaxPooling2D(), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    schedule = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS * len(train))
    model.compile(keras.optimizers.Adam(schedule), "scce", metrics=["accuracy"], input_shape=(24, 24, 3))
    model.fit(train, validation_data=test, epochs=EPOCHS)
    loss, accuracy = model.evaluate(test, verbose=0)

print(f"accuracy on {len(test.file_paths)} images that were not trained on: {accuracy:.3f}")
assert train.class_names == sorted(CLASSES)
assert len(test.file_paths) == 120
assert accuracy > 0.9
