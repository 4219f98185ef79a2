"""Every loss with every option, and random targets and predictions for it: rows for the tests of losses."""

import numpy as np

# (class, arguments, kind of targets, kind of predictions)
CASES = [
    ("MeanSquaredError", {}, "numbers", "numbers"),
    ("MeanAbsoluteError", {}, "numbers", "numbers"),
    ("MeanAbsolutePercentageError", {}, "numbers", "numbers"),
    ("MeanAbsolutePercentageError", {}, "counts", "numbers"),  # targets of 0 among them
    ("MeanSquaredLogarithmicError", {}, "counts", "numbers"),
    ("Huber", {}, "numbers", "numbers"),
    ("Huber", {"delta": 0.3}, "numbers", "numbers"),
    ("Huber", {"delta": 5}, "numbers", "numbers"),
    ("LogCosh", {}, "numbers", "numbers"),
    ("CosineSimilarity", {}, "numbers", "numbers"),
    ("CosineSimilarity", {"axis": 1}, "numbers", "numbers"),
    ("CosineSimilarity", {"axis": (-2, -1)}, "numbers", "numbers"),
    ("Hinge", {}, "signs", "numbers"),
    ("Hinge", {}, "binary", "numbers"),
    ("Hinge", {}, "numbers", "numbers"),
    ("SquaredHinge", {}, "signs", "numbers"),
    ("SquaredHinge", {}, "binary", "numbers"),
    ("SquaredHinge", {}, "numbers", "numbers"),
    ("CategoricalHinge", {}, "one-hot", "numbers"),
    ("CategoricalHinge", {}, "soft", "numbers"),
    ("KLDivergence", {}, "soft", "shares"),
    ("KLDivergence", {}, "one-hot", "shares"),
    ("Poisson", {}, "counts", "shares"),
    ("BinaryCrossentropy", {}, "binary", "shares"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary", "shares"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary", "numbers"),
    ("BinaryCrossentropy", {"axis": 1}, "binary", "shares"),
    ("BinaryCrossentropy", {"axis": 1, "from_logits": True, "label_smoothing": 0.2}, "soft", "numbers"),
    ("BinaryFocalCrossentropy", {}, "binary", "shares"),
    ("BinaryFocalCrossentropy", {"gamma": 1.0, "label_smoothing": 0.1}, "binary", "shares"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 3.5, "axis": 1}, "binary", "numbers"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.7, "gamma": 0}, "binary", "shares"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "from_logits": True}, "binary", "numbers"),
    ("CategoricalCrossentropy", {}, "soft", "shares"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one-hot", "shares"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot", "numbers"),
    ("CategoricalCrossentropy", {"axis": 1}, "soft", "shares"),
    ("CategoricalCrossentropy", {"axis": -2, "from_logits": True, "label_smoothing": 0.2}, "one-hot", "numbers"),
    ("CategoricalFocalCrossentropy", {}, "soft", "shares"),
    ("CategoricalFocalCrossentropy", {"alpha": 0.6, "gamma": 1.0, "label_smoothing": 0.1}, "one-hot", "shares"),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 0.5}, "one-hot", "numbers"),
    ("CategoricalFocalCrossentropy", {"axis": 1, "from_logits": True}, "soft", "numbers"),
    ("CategoricalFocalCrossentropy", {"axis": 1, "gamma": 0, "label_smoothing": 0.2}, "one-hot", "shares"),
    ("SparseCategoricalCrossentropy", {}, "labels", "shares"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels", "numbers"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "labels", "shares"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, "labels with -1", "numbers"),
    ("SparseCategoricalCrossentropy", {"axis": 1}, "labels", "shares"),
    ("SparseCategoricalCrossentropy", {"axis": 1, "from_logits": True}, "labels", "numbers"),
    ("SparseCategoricalCrossentropy", {"axis": 1, "ignore_class": 0, "from_logits": True}, "labels", "numbers"),
    ("CategoricalGeneralizedCrossEntropy", {}, "labels", "shares"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.1}, "labels", "shares"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, "labels", "shares"),
    ("Dice", {}, "binary", "shares"),
    ("Dice", {"axis": -1}, "soft", "shares"),
    ("Dice", {"axis": (1, -1)}, "binary", "shares"),
    ("Tversky", {}, "binary", "shares"),
    ("Tversky", {"alpha": 0.2, "beta": 0.9, "axis": -1}, "soft", "shares"),
    ("Tversky", {"alpha": 1, "beta": 0, "axis": [1, -1]}, "binary", "shares"),
    ("Circle", {}, "labels of rows", "vectors"),
    ("Circle", {"gamma": 8, "margin": 0.2}, "labels of rows", "vectors"),
    ("Circle", {"gamma": 2.5, "remove_diagonal": False}, "labels of rows", "vectors"),
    ("Circle", {"gamma": 1.5, "margin": -0.3}, "labels of rows", "vectors"),
]
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(CASES)]


def make_targets(kind, shape, rng, axis=-1, dtype="float32"):
    """Targets of a kind for predictions of ``shape`` whose classes lie on ``axis``."""
    if kind == "numbers":
        return rng.standard_normal(shape).astype(dtype)
    if kind == "counts":
        return rng.integers(0, 5, shape).astype(dtype)
    if kind in ("binary", "signs"):
        return rng.integers(0, 2, shape).astype(dtype) * (1 + (kind == "signs")) - (kind == "signs")
    if kind == "labels of rows":
        return rng.integers(0, 3, shape[0])
    axis = axis if isinstance(axis, int) else -1
    shape = list(shape)
    classes = shape.pop(axis)
    labels = rng.integers(-1 if kind == "labels with -1" else 0, classes, shape)
    if kind.startswith("labels"):
        return labels
    if kind == "one-hot":
        return np.moveaxis(np.eye(classes, dtype=dtype)[labels], -1, axis)
    soft = rng.random((*shape, classes)).astype(dtype)
    return np.moveaxis(soft / soft.sum(-1, keepdims=True), -1, axis)


def make_predictions(kind, shape, rng, dtype="float32"):
    """Predictions of a kind."""
    if kind == "shares":
        return rng.uniform(0.05, 0.95, shape).astype(dtype)  # rows do not sum to 1: losses that need it normalize them
    y = rng.standard_normal(shape)
    if kind == "vectors":
        return (y / np.linalg.norm(y, axis=-1, keepdims=True)).astype(dtype)
    return (3 * y).astype(dtype)


def fits(name, arguments, shape):
    """Keras' Circle takes rows only; some axes need a rank of 3."""
    axis = arguments.get("axis", -1)
    if name == "Circle":
        return len(shape) == 2
    return len(shape) > 2 or axis in (-1, None) or (axis == 1 and not name.startswith("Sparse"))
