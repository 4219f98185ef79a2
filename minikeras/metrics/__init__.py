"""Metrics: numbers about predictions, gathered over the batches of an epoch.

`update_state` takes in one batch, `result` is the value over all batches since `reset_state`. Most are the mean of a
function of (y_true, y_pred) over the samples.
"""

from minikeras.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    huber,
    kind_of_targets,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
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
from minikeras.metrics.auc import AUC
from minikeras.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from minikeras.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from minikeras.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from minikeras.metrics.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from minikeras.metrics.f_score import F1Score, FBetaScore
from minikeras.metrics.hinge import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from minikeras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from minikeras.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)
from minikeras.metrics.regression import cosine_similarity as _cosine_similarity
from minikeras.metrics.tradeoffs import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from minikeras.registry import resolve, to_snake_case
from minikeras.registry import serialize as _serialize

_classes = (
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy, CategoricalCrossentropy,
    CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score, FBetaScore, FalseNegatives, FalsePositives,
    Hinge, IoU, KLDivergence, LogCoshError, Mean, MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU,
    MeanMetricWrapper, MeanSquaredError, MeanSquaredLogarithmicError, OneHotIoU, OneHotMeanIoU, PearsonCorrelation,
    Poisson, Precision, PrecisionAtRecall, R2Score, Recall, RecallAtPrecision, RootMeanSquaredError,
    SensitivityAtSpecificity, SparseCategoricalAccuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity, SquaredHinge, Sum, TopKCategoricalAccuracy, TrueNegatives, TruePositives,
)  # fmt: skip
_functions = (
    binary_accuracy, binary_crossentropy, binary_focal_crossentropy, categorical_accuracy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_hinge, concordance_correlation, hinge, huber, kl_divergence, log_cosh,
    mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error,
    pearson_correlation, poisson, sparse_categorical_accuracy, sparse_categorical_crossentropy,
    sparse_top_k_categorical_accuracy, squared_hinge, top_k_categorical_accuracy,
)  # fmt: skip
_other_functions = (_accuracy, _cosine_similarity)  # which Keras does not export, and writes in configs

__all__ = [
    *(cls.__name__ for cls in _classes), "Metric", *(function.__name__ for function in _functions),
    "deserialize", "get", "get_for_model", "serialize",
]  # fmt: skip

RESOLVED_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")  # names for which `get_for_model` reads the shapes

_table = {cls.__name__: cls for cls in _classes}
_table |= {to_snake_case(cls.__name__): cls for cls in _classes if cls is not MeanMetricWrapper}
_table |= {
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "scce": SparseCategoricalCrossentropy,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "MAPE": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError,
}
_function_table = {function.__name__: function for function in (*_functions, *_other_functions)}


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


def serialize(metric):
    """Return the config of a metric, or of a function."""
    return _serialize(metric) if isinstance(metric, Metric) else serialize_function(metric)


def deserialize(config, custom_objects=None):
    """Return the metric, or the function, that `serialize` gave the config of.

    Args:
        config: a dict.
        custom_objects: dict of names to classes and functions that are known beside Keras' own.
    """
    if isinstance(config.get("config"), str):
        return resolve(config["config"], _function_table | (custom_objects or {}), "metric function", type(None))
    return resolve(config, _table | (custom_objects or {}), "metric", Metric)
