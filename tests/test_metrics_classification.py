"""Metrics of classification against slow counts of their own; hard numbers; arguments. See parity/ for Keras'."""

import numpy as np
import pytest

from minikeras import metrics
from minikeras.metrics.confusion import OUTCOMES, count_outcomes, evenly_spaced


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def slow_counts(y_true, y_pred, thresholds, weights):
    counts = dict.fromkeys(OUTCOMES, 0.0) | {name: np.zeros(len(thresholds)) for name in OUTCOMES}
    for t, y, w in zip(y_true.ravel(), y_pred.ravel(), weights.ravel()):
        for i, threshold in enumerate(thresholds):
            name = ("true" if t == (y > threshold) else "false") + ("_positives" if y > threshold else "_negatives")
            counts[name][i] += w
    return counts


@pytest.mark.parametrize("thresholds", [[0.5], [0.7, 0.2, 0.2, 0.9], [0.0, 1.0], [-1e-7, 0.3, 1 + 1e-7], [-1e10]])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by_label", [False, True])
def test_counts(rng, thresholds, weighted, by_label):
    y_true = rng.integers(0, 2, (40, 3)).astype(bool)
    y_pred = rng.choice([0, 0.1, 0.2, 0.5, 0.7, 0.8, 1, np.nan, np.inf, -np.inf], (40, 3))
    weights = rng.random((40, 3)) if weighted else None
    counts = count_outcomes(y_true, y_pred, np.array(thresholds), False, weights, by_label)
    weights = np.ones((40, 3)) if weights is None else weights
    for label in range(3) if by_label else [slice(None)]:
        expected = slow_counts(y_true[:, label], y_pred[:, label], thresholds, weights[:, label])
        for name in OUTCOMES:
            found = counts[name][:, label] if by_label else counts[name]
            np.testing.assert_allclose(found, expected[name], rtol=1e-12)


@pytest.mark.parametrize("thresholds", [[0, 0.25, 0.5, 0.75, 1], [-1e-7, 0.25, 0.5, 0.75, 1 + 1e-7]])
def test_counts_at_even_thresholds(rng, thresholds):
    assert evenly_spaced(thresholds)
    y_true, y_pred = rng.integers(0, 2, 200).astype(bool), rng.integers(0, 17, 200) / 16
    counts = count_outcomes(y_true, y_pred, np.array(thresholds), True)
    expected = slow_counts(y_true, y_pred, thresholds, np.ones(200))
    for name in OUTCOMES:
        np.testing.assert_array_equal(counts[name], expected[name])


def test_even_thresholds():
    assert not evenly_spaced([0.0, 1.0])
    assert not evenly_spaced([0.0, 0.5, 0.9])
    assert not evenly_spaced([0.0, 0.501, 1.0])
    assert evenly_spaced([i / 199 for i in range(200)])


def test_nan_is_above_no_threshold():
    for metric in (metrics.TruePositives(), metrics.TruePositives([0, 0.5, 1]), metrics.Recall(top_k=1)):
        assert np.max(metric(np.ones((2, 2)), np.full((2, 2), np.nan))) <= 0.5


def test_area_is_the_share_of_pairs_in_order(rng):
    scores = rng.integers(1, 20, 60) / 20
    labels = rng.integers(0, 2, 60)
    positive, negative = scores[labels == 1][:, None], scores[labels == 0]
    expected = np.mean((positive > negative) + 0.5 * (positive == negative))
    metric = metrics.AUC(thresholds=np.arange(1, 20) / 20 - 0.025, dtype="float64")
    assert metric(labels, scores) == pytest.approx(expected, rel=1e-12)
    low, high = (metrics.AUC(summation_method=m)(labels, scores) for m in ("minoring", "majoring"))
    assert low < expected < high


def test_precision_between_two_thresholds(rng):
    """The counts change linearly, so the area is an integral that can be added up."""
    scores, labels = rng.random(50), rng.integers(0, 2, 50)
    metric = metrics.AUC(curve="PR", num_thresholds=6, dtype="float64")
    area = 0.0
    value = metric(labels, scores)
    tp, fp = metric.true_positives.numpy(), metric.false_positives.numpy()
    for i in range(5):
        share = (np.arange(20000) + 0.5) / 20000
        hits, misses = tp[i + 1] + share * (tp[i] - tp[i + 1]), fp[i + 1] + share * (fp[i] - fp[i + 1])
        precision = np.divide(hits, hits + misses, out=np.zeros_like(hits), where=hits + misses > 0)
        area += precision.mean() * (tp[i] - tp[i + 1]) / labels.sum()
    assert value == pytest.approx(area, rel=1e-6)


def test_labels_of_an_area(rng):
    y_true, y_pred = rng.integers(0, 2, (50, 3)), rng.random((50, 3))
    alone = [metrics.AUC()(y_true[:, i], y_pred[:, i]) for i in range(3)]
    late = metrics.AUC(multi_label=True)
    assert late.result() == 0
    assert late.variables == []
    assert late(y_true, y_pred) == pytest.approx(np.mean(alone))
    assert late.true_positives.shape == (200, 3)
    weighted = metrics.AUC(multi_label=True, num_labels=3, label_weights=[1, 0, 3])
    assert weighted(y_true, y_pred) == pytest.approx((alone[0] + 3 * alone[2]) / 4)
    assert metrics.AUC(multi_label=True, label_weights=[0, 0, 0])(y_true, y_pred) == 0
    with pytest.raises(ValueError, match=r"has 3 labels. Received: predictions of shape \(50, 2\)"):
        late.update_state(y_true[:, :2], y_pred[:, :2])
    with pytest.raises(ValueError, match=r"must|needs predictions of shape \(batch, labels\)"):
        late.update_state(y_true[:, 0], y_pred[:, 0])
    with pytest.raises(ValueError, match="`label_weights` needs a weight for each.*Received: 3 weights"):
        weighted.update_state(y_true[:, :2], y_pred[:, :2])


def test_logits(rng):
    y_true, logits = rng.integers(0, 2, 30), rng.choice([-1e4, -3, 0, 2, 1e4], 30)
    with np.errstate(all="raise"):
        probabilities = 1 / (1 + np.exp(-np.clip(logits, -100, 100)))
        assert metrics.AUC(from_logits=True)(y_true, logits) == metrics.AUC()(y_true, probabilities)


def test_the_largest_predictions_are_positive():
    y_true = np.array([[0, 1, 1, 0], [1, 0, 0, 0]])
    y_pred = np.array([[-3.0, -1, -2, -5], [0.2, 0.9, 0.9, 0.9]])
    assert metrics.Precision(top_k=2)(y_true, y_pred) == 0.5
    assert metrics.Recall(top_k=2)(y_true, y_pred) == pytest.approx(2 / 3)
    assert metrics.Recall(top_k=2, class_id=2)(y_true, y_pred) == 1
    assert metrics.Precision(top_k=1, class_id=1)(y_true, y_pred) == 0.5  # of equal ones the first
    assert metrics.Precision(top_k=2, class_id=3)(y_true, y_pred) == 0
    assert metrics.Precision(top_k=3, thresholds=0.5)(y_true, y_pred) == 0
    many = np.random.default_rng(0).choice([0.2, 0.9], (1, 300))
    first = (many == 0.9) & (np.cumsum(many == 0.9) <= 30)
    assert metrics.Precision(top_k=30)(first, many) == 1
    with pytest.raises(ValueError, match=r"`top_k` is 5, but `y_pred` of shape \(2, 4\) has only 4 classes"):
        metrics.Precision(top_k=5).update_state(y_true, y_pred)
    with pytest.raises(ValueError, match=r"`class_id` is 4, but `y_pred` of shape \(2, 4\)"):
        metrics.Recall(class_id=4).update_state(y_true, y_pred)


def test_weights_of_samples_and_of_classes(rng):
    y_true, y_pred, weights = rng.integers(0, 2, (4, 3, 2)), rng.random((4, 3, 2)), rng.random(4)
    for make in (metrics.Precision, metrics.AUC, metrics.TrueNegatives, lambda: metrics.BinaryIoU(dtype="float32")):
        repeated = np.broadcast_to(weights[:, None, None], y_true.shape)
        assert make()(y_true, y_pred, weights) == pytest.approx(make()(y_true, y_pred, repeated))
    each = rng.random((4, 3, 2))
    assert metrics.Recall(class_id=1)(y_true, y_pred, each) == pytest.approx(
        metrics.Recall()(y_true[..., 1], y_pred[..., 1], each[..., 1])
    )
    with pytest.raises(ValueError, match="`sample_weight`"):
        metrics.AUC().update_state(y_true, y_pred, rng.random(5))


def test_ignored_labels_have_no_weight(rng):
    labels, scores, weights = rng.integers(0, 3, (4, 5)), rng.random((4, 5, 3)), rng.random((4, 5))
    expected = metrics.SparseCategoricalCrossentropy()(labels[labels != 1], scores[labels != 1], weights[labels != 1])
    for axis in (-1, 1):
        metric = metrics.SparseCategoricalCrossentropy(ignore_class=1, axis=axis)
        assert metric(labels, np.moveaxis(scores, -1, axis), weights) == pytest.approx(expected)


def test_rates_while_another_is_high_enough():
    y_true, y_pred = np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8])
    assert metrics.SensitivityAtSpecificity(0.5)(y_true, y_pred) == 0.5
    assert metrics.SpecificityAtSensitivity(0.5)(y_true, y_pred) == pytest.approx(2 / 3)
    assert metrics.PrecisionAtRecall(0.5)(y_true, y_pred) == 0.5
    assert metrics.RecallAtPrecision(0.8)(np.array([0, 0, 1, 1]), np.array([0, 0.5, 0.3, 0.9])) == 0.5
    assert metrics.RecallAtPrecision(0.99)(y_true, y_pred) == 0
    assert metrics.SensitivityAtSpecificity(2 / 3)(y_true, y_pred, np.full(5, 0.1)) == 0.5  # however sums round


def test_f_scores():
    y_true = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0]])
    y_pred = np.array([[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
    f1 = metrics.F1Score(threshold=0.5)
    assert f1.result() == 0
    np.testing.assert_allclose(f1(y_true, y_pred), [0.5, 0.8, 2 / 3], rtol=1e-6)
    assert f1.result().dtype == "float32"
    f1.reset_state()
    np.testing.assert_array_equal(f1.result(), np.zeros(3))
    assert metrics.F1Score("micro", 0.5)(y_true, y_pred) == pytest.approx(2 * 4 / (2 * 4 + 2 + 2))
    assert metrics.F1Score("weighted", 0.5)(y_true, y_pred) == pytest.approx((3 * 0.5 + 2 * 0.8 + 2 / 3) / 6)
    assert metrics.FBetaScore("macro", 2, 0.5)(y_true, y_pred) == pytest.approx(
        np.mean([5 / 3 / (4 + 1 / 3), 5 * 2 / 3 / (4 * 2 / 3 + 1), 5 / 2 / (4 / 2 + 1)])
    )
    assert metrics.F1Score("micro")(np.ones((2, 2)), np.zeros((2, 2))) == 0  # rows of zeros have no largest prediction
    with pytest.raises(ValueError, match="has counted 3 classes"):
        f1.update_state(y_true[:, :2], y_pred[:, :2])
    with pytest.raises(ValueError, match=r"shape \(batch, classes\). Received: shape \(2, 3, 3\)"):
        f1.update_state(np.ones((2, 3, 3)), np.ones((2, 3, 3)))


def test_intersection_over_union(rng):
    y_true, y_pred = rng.integers(0, 4, (3, 5, 5)), rng.integers(0, 3, (3, 5, 5))
    metric = metrics.MeanIoU(num_classes=6)
    value = metric(y_true, y_pred)
    shares = [np.sum((y_true == c) & (y_pred == c)) / np.sum((y_true == c) | (y_pred == c)) for c in range(4)]
    assert value == pytest.approx(np.mean(shares))  # the classes 4 and 5 are nowhere
    assert metric.total_cm.dtype == "int64"
    np.testing.assert_array_equal(metric.total_cm[2, :3], [np.sum((y_true == 2) & (y_pred == c)) for c in range(3)])
    assert metric.total_cm.value.sum() == 75
    assert metrics.IoU(4, [1])(y_true, y_pred) == pytest.approx(shares[1])
    ignoring = metrics.MeanIoU(4, ignore_class=3)
    assert ignoring(y_true, y_pred) == metrics.MeanIoU(4)(y_true[y_true != 3], y_pred[y_true != 3])
    one_hot = np.eye(4)[y_true]
    channels_first = metrics.OneHotMeanIoU(4, axis=1, sparse_y_pred=True)
    assert channels_first(np.moveaxis(one_hot, -1, 1), y_pred) == pytest.approx(np.mean(shares))
    assert metrics.OneHotIoU(4, [0])(one_hot, np.eye(4)[y_pred]) == pytest.approx(shares[0])
    assert metrics.MeanIoU(2)([0.0, np.nan, 1], [0, 0, 1]) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"\(3, 5, 5\) and \(3, 5, 4\)"):
        metric.update_state(y_true, y_pred[..., :4])


def test_pixels_in_weights_of_every_shape(rng):
    y_true, y_pred = rng.integers(0, 2, (3, 4)), rng.integers(0, 2, (3, 4))
    expected = metrics.MeanIoU(2, dtype="float32")(y_true[1:], y_pred[1:])
    for shape in ((3,), (3, 1), (3, 4), (12,), (3, 4, 1)):
        weights = np.ones((3, 4)) * [[0], [1], [1]]
        weights = weights[:, :1].reshape(shape) if np.prod(shape) == 3 else weights.reshape(shape)
        for dtype in (None, "float32"):
            assert metrics.MeanIoU(2, dtype=dtype)(y_true, y_pred, weights) == expected


SMALL = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]}, "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2}, "OneHotMeanIoU": {"num_classes": 2}, "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5}, "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5}, "MeanMetricWrapper": {"fn": metrics.huber},
}  # fmt: skip
CLASSES = [name for name in metrics.__all__ if name[0].isupper() and name not in ("Metric", "Mean", "Sum")]


# logarithms of negative numbers, and shares of nothing: NaN as in Keras
NOT_NUMBERS = [("Poisson", -1e4), ("CategoricalCrossentropy", 0.0), ("SparseCategoricalCrossentropy", 0.0)]


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 1e4, -1e4])
@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("name", CLASSES)
def test_one_class_and_one_prediction(name, target, value):
    """Nothing divides by zero, with weights of zero or without, and with a batch of one or none."""
    for size in (3, 1, 0):
        y_pred = np.full((size, 2), value, "float32")
        y_true = np.full((size, 2), target)
        if name.startswith("Sparse") or name == "IoU" or name == "MeanIoU":
            y_true = y_true[:, :1]
        if name == "IoU" or name == "MeanIoU":
            y_pred = y_pred[:, :1]
        if name.startswith("SparseTopK") and not size:
            continue
        for weights in (None, np.zeros(size), np.ones(size), np.float32(0)):
            metric = getattr(metrics, name)(**SMALL.get(name, {}))
            with np.errstate(all="raise"):
                metric.update_state(y_true, y_pred, weights)
                assert np.isfinite(metric.result()).all() or (name, value) in NOT_NUMBERS
                metric.reset_state()
                assert np.isfinite(metric.result()).all()


def test_counts_go_on_where_single_precision_stops():
    metric = metrics.Precision()
    metric.true_positives.assign([2.0**25])
    metric.update_state([1.0], [0.9])
    assert metric.true_positives[0] == 2**25 + 1


@pytest.mark.parametrize("make, words", [
    (lambda: metrics.Precision(thresholds=1.5), "`thresholds` .*thresholds=1.5"),
    (lambda: metrics.Recall(thresholds=[0.1, None]), "`thresholds` "),
    (lambda: metrics.TruePositives(thresholds=[]), "`thresholds` "),
    (lambda: metrics.AUC(thresholds=[-0.1]), "`thresholds` "),
    (lambda: metrics.AUC(num_thresholds=1), "`num_thresholds` must be an integer >= 2. Received: num_thresholds=1"),
    (lambda: metrics.AUC(curve="roc_curve"), "`curve` must be one of 'roc', 'ROC'.*'roc_curve'"),
    (lambda: metrics.AUC(summation_method=None), "`summation_method` .*None"),
    (lambda: metrics.AUC(num_labels=2), "`num_labels` is for `multi_label=True`"),
    (lambda: metrics.AUC(label_weights=[1, -1]), "`label_weights` must be a list of numbers >= 0"),
    (lambda: metrics.AUC(multi_label=True, num_labels=2.5), "`num_labels` must be an integer"),
    (lambda: metrics.Precision(top_k=0), "`top_k` must be an integer >= 1. Received: top_k=0"),
    (lambda: metrics.Precision(class_id=-1), "`class_id` must be an integer >= 0"),
    (lambda: metrics.PrecisionAtRecall(1.1), r"`recall` must be a number in \[0, 1\].*recall=1.1"),
    (lambda: metrics.RecallAtPrecision("high"), "`precision` .*'high'"),
    (lambda: metrics.SensitivityAtSpecificity(0.5, num_thresholds=0), "`num_thresholds` .*=0"),
    (lambda: metrics.SpecificityAtSensitivity(True), "`sensitivity` .*True"),
    (lambda: metrics.F1Score(average="mean"), "`average` must be one of.*'mean'"),
    (lambda: metrics.FBetaScore(beta=0), "`beta` must be a number > 0.*beta=0"),
    (lambda: metrics.F1Score(threshold=0), r"`threshold` must be a number in \(0, 1\].*threshold=0"),
    (lambda: metrics.IoU(2, [2]), r"`target_class_ids` must be a list of classes in 0..1.*\[2\]"),
    (lambda: metrics.IoU(2, []), "`target_class_ids`"),
    (lambda: metrics.MeanIoU(0), "`num_classes` must be an integer >= 1"),
    (lambda: metrics.MeanIoU(2, dtype="int8"), "`dtype`"),
])  # fmt: skip
def test_bad_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_labels_for_one_hot_targets_are_refused():
    for name in ("Precision", "AUC", "F1Score", "TruePositives"):
        with pytest.raises(ValueError, match="same shape"):
            getattr(metrics, name)().update_state(np.array([0, 2]), np.full((2, 3), 0.5))
