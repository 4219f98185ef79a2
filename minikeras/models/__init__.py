"""Models: chains of layers that can be trained.

`model` has what all of them are, `sequential` the usual one, `functional` what ``Model(inputs, outputs)`` is made of.
"""

from minikeras.models.cloning import clone_model, model_from_json
from minikeras.models.model import Functional, Model
from minikeras.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def save_model(model, filepath, overwrite=True, zipped=None, **kwargs):
    """Refused: only weights are saved. Arguments: as of Keras."""
    raise NotImplementedError(
        f"Files of whole models are not supported yet. Received: filepath={str(filepath)!r}. "
        "model.save_weights('model.weights.h5') saves the weights, model.to_json() the architecture"
    )


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """Refused: only weights are loaded. Arguments: as of Keras."""
    raise NotImplementedError(
        f"Files of whole models are not supported yet. Received: filepath={str(filepath)!r}. Make the model anew (or "
        "with keras.models.model_from_json) and call model.load_weights('model.weights.h5')"
    )
