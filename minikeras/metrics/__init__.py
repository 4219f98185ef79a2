"""Metrics: numbers about predictions, gathered over the batches of an epoch.

`update_state` takes in one batch, `result` is the value over all batches since `reset_state`. Most are the mean of a
function of (y_true, y_pred) over the samples.
"""

from minikeras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    kind_of_targets,
    mean_absolute_error,
    mean_squared_error,
    serialize_function,
    sparse_categorical_crossentropy,
)
from minikeras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from minikeras.metrics.accuracy import accuracy as _accuracy
from minikeras.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from minikeras.metrics.crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from minikeras.metrics.regression import MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError
from minikeras.registry import resolve, to_snake_case
from minikeras.registry import serialize as _serialize

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Sum",
    "TopKCategoricalAccuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "get_for_model",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]

RESOLVED_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")  # names for which `get_for_model` reads the shapes

_classes = (
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, Mean,
    MeanAbsoluteError, MeanMetricWrapper, MeanSquaredError, RootMeanSquaredError, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, Sum, TopKCategoricalAccuracy,
)  # fmt: skip
_table = {cls.__name__: cls for cls in _classes}
_table |= {to_snake_case(cls.__name__): cls for cls in _classes if cls is not MeanMetricWrapper}
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
_functions = {
    function.__name__: function
    for function in (
        _accuracy, binary_accuracy, binary_crossentropy, categorical_accuracy, categorical_crossentropy,
        mean_absolute_error, mean_squared_error, sparse_categorical_accuracy, sparse_categorical_crossentropy,
        sparse_top_k_categorical_accuracy, top_k_categorical_accuracy,
    )
}  # fmt: skip


def get(identifier):
    """Return a `Metric` for a name, a config, a class or a `Metric`; a function of (y_true, y_pred) or None as it is.

    Raises:
        ValueError: an unknown name.
    """
    return resolve(identifier, _table, "metric", Metric)


def get_for_model(identifier, y_true_shape, y_pred_shape):
    """Return the `Metric` that stands for ``identifier`` in ``compile(metrics=[identifier])``, named as it is given.

    ``"accuracy"`` and ``"acc"``, ``"crossentropy"`` and ``"ce"`` are resolved by the shapes.

    Args:
        identifier: what `get` accepts, or one of those names.
        y_true_shape: the targets' shape, with the batch axis.
        y_pred_shape: the model's output shape, with the batch axis.
    """
    known = identifier
    if isinstance(identifier, str) and identifier.lower() in RESOLVED_BY_SHAPE:
        family = "accuracy" if identifier.lower() in ("accuracy", "acc") else "crossentropy"
        known = f"{kind_of_targets(y_true_shape, y_pred_shape)}_{family}"
    metric = get(known)
    if not isinstance(metric, Metric):
        name = getattr(metric, "name", None) or getattr(metric, "__name__", type(metric).__name__)
        metric = MeanMetricWrapper(metric, name=to_snake_case(name))
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def get_function(name):
    """Return a metric function by name, as configs of `MeanMetricWrapper` have it."""
    return resolve(name, _functions, "metric function", type(None))


def serialize(metric):
    """Return the config of a metric, or of a function."""
    return _serialize(metric) if isinstance(metric, Metric) else serialize_function(metric)


def deserialize(config):
    """Return the metric, or the function, that `serialize` gave the config of."""
    return get_function(config["config"]) if isinstance(config.get("config"), str) else get(config)
