"""Losses: how far predictions are from targets, each value with its derivative beside it.

`call` gives one loss for each sample (each pixel or step, where there are several); calling the object weights these
and reduces them to the number that training minimizes; `gradient` is the derivative of that number by the predictions.
"""

from minikeras.losses.base import Loss, LossFunctionWrapper, serialize_function
from minikeras.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from minikeras.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from minikeras.losses.hinge import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from minikeras.losses.probabilistic import (
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
)
from minikeras.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minikeras.losses.segmentation import Dice, Tversky, dice, tversky
from minikeras.losses.similarity import Circle, CosineSimilarity, circle, cosine_similarity
from minikeras.registry import resolve
from minikeras.registry import serialize as _serialize

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "get_for_model",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

_resolved_by_shape = ("crossentropy", "ce")  # names that `get_for_model` knows and `get` does not

_functions = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    categorical_hinge: CategoricalHinge,
    circle: Circle,
    cosine_similarity: CosineSimilarity,
    dice: Dice,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
    tversky: Tversky,
}
_classes = {cls.__name__: cls for cls in _functions.values()}
_names = {function.__name__: cls for function, cls in _functions.items()}  # in any case: "MSE" is "mse"
_names |= {
    "bce": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "scce": SparseCategoricalCrossentropy,
    "kld": KLDivergence,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
    "cosine_proximity": CosineSimilarity,  # the rest are names of Keras 1 and 2
    "huber_loss": Huber,
    "kullback_leibler_divergence": KLDivergence,
    "logcosh": LogCosh,
}


def get(identifier):
    """Return a `Loss` for a name, a config, a class, a function of (y_true, y_pred), a `Loss` or None (None).

    Functions of this module have a gradient; others can evaluate, and train if they have the attribute ``gradient``,
    see `LossFunctionWrapper`.

    Raises:
        ValueError: an unknown name.
    """
    return _resolve(identifier, {})


def _resolve(identifier, custom_objects):
    if isinstance(identifier, dict) and isinstance(identifier.get("config"), str):  # a function's, as Keras writes it
        identifier = identifier["config"]
    is_short = isinstance(identifier, str) and identifier not in _classes
    # an error lists the table: for names of functions, those of the classes would say the same again
    found = resolve(identifier, {**(_names if is_short else _classes), **custom_objects}, "loss", Loss)
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


def deserialize(name, custom_objects=None):
    """Return the loss that `serialize` gave the config of.

    Args:
        name: a config, or a name.
        custom_objects: dict of names to losses of one's own.
    """
    return _resolve(name, custom_objects or {})


def is_loss_function(function):
    """Return whether it is one of this module's functions."""
    return any(function is known for known in _functions)

