"""What TensorBoard would show of the same run in both. Keras' callback needs TensorFlow, which no extra installs."""

import os
import subprocess
import sys

import numpy as np
import pytest

RUN = """
import sys
import numpy as np
if sys.argv[1] == "keras":
    import keras
else:
    import minikeras as keras
rng = np.random.default_rng(0)
x, y = rng.normal(size=(20, 6, 6, 1)).astype("float32"), rng.integers(0, 3, 20)
model = keras.Sequential([
    keras.layers.Input((6, 6, 1)), keras.layers.Conv2D(4, 3, name="c"), keras.layers.Flatten(name="f"),
    keras.layers.Dense(3, activation="softmax", name="d"),
], name="net")
model.set_weights([0.3 * np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(model.get_weights())])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
board = keras.callbacks.TensorBoard(sys.argv[2], histogram_freq=2, update_freq=2, write_steps_per_second=True)
model.fit(x, y, batch_size=5, epochs=3, verbose=0, shuffle=False, validation_data=(x[:7], y[:7]), callbacks=[board])
"""


def read(folder):
    """Return {(run, tag, step): [arrays]}."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    from tensorboard.util import tensor_util

    found = {}
    for path in sorted(folder.glob("*/*tfevents*")):
        for event in loader.LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                key = path.parent.name, value.tag, event.step
                found.setdefault(key, []).append(tensor_util.make_ndarray(value.tensor))
    return found


def test_events(tmp_path):
    pytest.importorskip("tensorflow", reason="Keras' TensorBoard needs TensorFlow")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    for which in ("keras", "minikeras"):
        command = [sys.executable, "-c", RUN, which, str(tmp_path / which)]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    theirs, ours = read(tmp_path / "keras"), read(tmp_path / "minikeras")
    assert ours.keys() == theirs.keys() != set()
    for key, arrays in theirs.items():
        assert len(ours[key]) == len(arrays), key
        for mine, other in zip(ours[key], arrays):
            assert (mine.dtype, mine.shape) == (other.dtype, other.shape), key
            if mine.dtype.kind == "f" and "second" not in key[1]:
                np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5, err_msg=str(key))
