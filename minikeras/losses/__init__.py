"""Losses: how far predictions are from targets, each value with its derivative beside it.

`call` gives one loss for each sample (each pixel or step, where there are several); calling the object weights these
and reduces them to the number that training minimizes; `gradient` is the derivative of that number by the predictions.
"""

from minikeras.losses.base import Loss, LossFunctionWrapper
from minikeras.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from minikeras.losses.regression import (
    MeanAbsoluteError,
    MeanSquaredError,
    mean_absolute_error,
    mean_squared_error,
)
from minikeras.registry import resolve
from minikeras.registry import serialize as _serialize

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "get_for_model",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_resolved_by_shape = ("crossentropy", "ce")  # names that `get_for_model` knows and `get` does not

_functions = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
}
_table = {cls.__name__: cls for cls in _functions.values()}
_table |= {function.__name__: cls for function, cls in _functions.items()}
_table |= {
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "scce": SparseCategoricalCrossentropy,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
}


def get(identifier):
    """Return a `Loss` for a name, a config, a class, a function of (y_true, y_pred), a `Loss` or None (None).

    Functions of this module have a gradient; other functions can evaluate but not train.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, dict) and isinstance(identifier.get("config"), str):  # a function's, as Keras writes it
        identifier = identifier["config"]
    found = resolve(identifier, _table, "loss", Loss)
    if found is None or isinstance(found, Loss):
        return found
    return _functions[found]() if is_loss_function(found) else LossFunctionWrapper(found)


def get_for_model(identifier, y_true_shape, y_pred_shape):
    """Return `get`'s loss; ``"crossentropy"`` and ``"ce"`` are resolved by the shapes, as in Keras.

    Args:
        identifier: what `get` accepts, or ``"crossentropy"`` or ``"ce"``.
        y_true_shape: the targets' shape, with the batch axis.
        y_pred_shape: the model's output shape, with the batch axis.
    """
    if depends_on_shape(identifier):
        identifier = f"{kind_of_targets(y_true_shape, y_pred_shape)}_crossentropy"
    return get(identifier)


def depends_on_shape(identifier):
    """Return whether it is a name that only `get_for_model` can resolve."""
    return isinstance(identifier, str) and identifier.lower() in _resolved_by_shape


def kind_of_targets(y_true_shape, y_pred_shape):
    """Return ``"binary"``, ``"sparse_categorical"`` or ``"categorical"``, as Keras tells them apart."""
    if y_pred_shape[-1] == 1:
        return "binary"
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return "sparse_categorical"
    return "categorical"


def serialize(loss):
    """Return the config of a loss, or of a function of this module."""
    return serialize_function(loss) if is_loss_function(loss) else _serialize(loss)


def deserialize(config):
    """Return the loss that `serialize` gave the config of."""
    return get(config)


def is_loss_function(function):
    """Return whether it is one of this module's functions."""
    return any(function is known for known in _functions)


def serialize_function(function):
    """Return a function's config as Keras writes it."""
    return {
        "module": "builtins",
        "class_name": "function",
        "config": getattr(function, "keras_name", function.__name__),
        "registered_name": "function",
    }
