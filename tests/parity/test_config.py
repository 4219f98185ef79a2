"""The limits of debugging runs do in Keras what they do here."""

import warnings

import numpy as np
import pytest

import minikeras

X, Y = np.arange(30, dtype="float32").reshape(10, 3) / 30, np.ones((10, 1), "float32")


def run(keras, epochs, steps, batch_size, **arguments):
    """The numbers of batches that fit, evaluate and predict go through, and of rows that come out."""
    counts = {"train": [], "test": [], "predict": []}

    def hook(kind):
        return lambda self, batch, logs=None: counts[kind].append(batch)

    hooks = {f"on_{kind}_batch_end": hook(kind) for kind in counts}
    callback = type("Counts", (keras.callbacks.Callback,), hooks)()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    arguments = {"batch_size": batch_size, "verbose": 0, "callbacks": [callback], **arguments}
    keras.config.set_max_epochs(epochs)
    keras.config.set_max_steps_per_epoch(steps)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = model.fit(X, Y, epochs=3, validation_data=(X, Y), **arguments)
            model.evaluate(X, Y, **arguments)
            rows = len(model.predict(X, **arguments))
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)
    return counts, history.epoch, rows


@pytest.mark.parametrize("batch_size", [2, 4, None])
@pytest.mark.parametrize("epochs, steps", [(None, None), (2, None), (0, 0), (None, 2), (1, 4), (5, 2)])
def test_limits(keras, epochs, steps, batch_size):
    assert run(minikeras, epochs, steps, batch_size) == run(keras, epochs, steps, batch_size)


@pytest.mark.parametrize("spelling", ["Channels_First", "CHANNELS_LAST"])
def test_data_format_in_capitals(keras, spelling):
    formats = [module.layers.Flatten(data_format=spelling).data_format for module in (minikeras, keras)]
    assert formats[0] == formats[1] == spelling.lower()
    before = minikeras.config.image_data_format()
    try:
        minikeras.config.set_image_data_format(spelling)
        assert minikeras.config.image_data_format() == spelling.lower()
    finally:
        minikeras.config.set_image_data_format(before)
