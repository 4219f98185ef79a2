"""Metrics: states over batches, functions, names and configs. Values are compared with Keras' in parity/."""

import json

import numpy as np
import pytest

from minikeras import losses, metrics

Y_TRUE = np.array([0, 2, 1, 2])
Y_PRED = np.array([[0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]], "float32")
ONE_HOT = np.eye(3)[Y_TRUE]


def test_mean_and_sum():
    mean = metrics.Mean()
    assert mean.result() == 0
    assert mean([1, 3, 5, 7]) == 4
    assert mean(14.0) == 6  # a scalar counts as one sample
    mean.reset_state()
    assert mean([1, 3, 5, 7], sample_weight=[1, 1, 0, 0]) == 2
    assert mean(8.0, sample_weight=2) == 5
    assert mean([]) == 5
    mean.reset_state()
    assert mean([[1, 3], [5, 7]], sample_weight=[3, 1]) == 3  # of the rows' means, 2 and 6
    assert mean([[9, 1]], sample_weight=[[2, 0]]) == pytest.approx((3 * 2 + 6 + 9) / 5)
    total = metrics.Sum()
    assert total([1, 3]) == 4
    assert total([[1, 3], [5, 7]], sample_weight=[1, 0]) == 8
    total.reset_state()
    assert total.result() == 0


def test_state_lasts_over_batches():
    whole, parts = metrics.SparseCategoricalAccuracy(), metrics.SparseCategoricalAccuracy()
    assert whole(Y_TRUE, Y_PRED) == 0.5
    parts.update_state(Y_TRUE[:3], Y_PRED[:3])
    parts.update_state(Y_TRUE[3:], Y_PRED[3:])
    assert parts.result() == whole.result()
    assert isinstance(parts.result(), float)
    parts.reset_state()
    assert parts(Y_TRUE[:1], Y_PRED[:1]) == 1


def test_many_samples_are_counted_exactly():
    metric = metrics.Mean()
    for variable in metric.variables:
        variable.assign(2.0**25)  # where float32 can no longer count
    metric.update_state(1.0)
    assert [float(variable) for variable in metric.variables] == [2**25 + 1, 2**25 + 1]


@pytest.mark.parametrize("metric, y_true, y_pred, expected", [
    (metrics.Accuracy(), [1, 2, 3], [1, 2, 4], 2 / 3),
    (metrics.BinaryAccuracy(), [0, 1, 1], [[0.2], [0.5], [0.6]], 2 / 3),
    (metrics.BinaryAccuracy(threshold=0.1), [0, 1, 1], [[0.2], [0.5], [0.6]], 2 / 3),
    (metrics.CategoricalAccuracy(), ONE_HOT, Y_PRED, 0.5),
    (metrics.SparseCategoricalAccuracy(), Y_TRUE[:, None], Y_PRED, 0.5),
    (metrics.SparseCategoricalAccuracy(), Y_TRUE.astype(float), Y_PRED, 0.5),
    (metrics.TopKCategoricalAccuracy(k=1), ONE_HOT, Y_PRED, 0.5),
    (metrics.TopKCategoricalAccuracy(k=2), [[0, 1, 0]], [[0.1, 0.1, 0.8]], 1),  # a tie for the second place
    (metrics.SparseTopKCategoricalAccuracy(k=2), Y_TRUE, Y_PRED, 1),
    (metrics.SparseTopKCategoricalAccuracy(k=5), Y_TRUE, Y_PRED, 1),
    (metrics.RootMeanSquaredError(), [[0, 0]], [[3, 4]], 12.5**0.5),
    (metrics.MeanAbsoluteError(), [0, 0], [[3], [4]], 3.5),
])  # fmt: skip
def test_values(metric, y_true, y_pred, expected):
    assert metric(y_true, y_pred) == pytest.approx(expected, rel=1e-6)


def test_nan_is_never_in_the_top():
    nan = np.full((1, 3), np.nan, "float32")
    assert metrics.sparse_top_k_categorical_accuracy([0], nan, k=2) == 0


def test_shapes_that_would_give_nonsense_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 3\), y_pred of shape \(4, 3\). For one-hot targets use"):
        metrics.sparse_categorical_accuracy(ONE_HOT, Y_PRED)
    with pytest.raises(ValueError, match=r"\(4,\), y_pred of shape \(4, 3\). For integer labels use"):
        metrics.categorical_accuracy(Y_TRUE, Y_PRED)
    with pytest.raises(ValueError, match="same shape"):
        metrics.BinaryAccuracy().update_state(ONE_HOT, Y_PRED[:, :1])


@pytest.mark.parametrize("y_true, y_pred, accuracy, crossentropy", [
    ((None, 1), (None, 1), metrics.BinaryAccuracy, metrics.BinaryCrossentropy),
    ((None,), (None, 1), metrics.BinaryAccuracy, metrics.BinaryCrossentropy),
    ((None,), (None, 10), metrics.SparseCategoricalAccuracy, metrics.SparseCategoricalCrossentropy),
    ((None, 1), (None, 10), metrics.SparseCategoricalAccuracy, metrics.SparseCategoricalCrossentropy),
    ((None, 4, 4), (None, 4, 4, 10), metrics.SparseCategoricalAccuracy, metrics.SparseCategoricalCrossentropy),
    ((None, 10), (None, 10), metrics.CategoricalAccuracy, metrics.CategoricalCrossentropy),
])  # fmt: skip
def test_names_resolved_by_shapes(y_true, y_pred, accuracy, crossentropy):
    for name in ("accuracy", "acc", "Accuracy"):
        metric = metrics.get_for_model(name, y_true, y_pred)
        assert type(metric) is accuracy
        assert metric.name == name
    for name in ("crossentropy", "ce"):
        metric = metrics.get_for_model(name, y_true, y_pred)
        assert type(metric) is crossentropy
        assert metric.name == name


def test_get_for_model():
    shapes = (None,), (None, 10)
    assert metrics.get_for_model("mse", *shapes).name == "mse"
    assert type(metrics.get_for_model("mse", *shapes)) is metrics.MeanSquaredError
    metric = metrics.TopKCategoricalAccuracy(name="top5")
    assert metrics.get_for_model(metric, *shapes) is metric
    assert metric.name == "top5"
    wrapped = metrics.get_for_model(metrics.sparse_categorical_accuracy, *shapes)
    assert wrapped.name == "sparse_categorical_accuracy"
    assert wrapped(Y_TRUE, Y_PRED) == 0.5
    assert metrics.get_for_model(metrics.Mean, *shapes).name == "mean"


def test_direction_of_wrapped_functions():
    assert metrics.MeanMetricWrapper(metrics.mean_squared_error)._direction == "down"
    assert metrics.MeanMetricWrapper(metrics.binary_accuracy)._direction is None


def test_custom_functions():
    def largest_error(y_true, y_pred):
        return abs(y_true - y_pred).max()

    metric = metrics.get_for_model(largest_error, (None, 1), (None, 1))
    assert metric.name == "largest_error"
    assert metric(np.array([[1], [2]]), np.array([[1], [4]])) == 2
    assert metrics.get_for_model(lambda t, p: p, (None, 1), (None, 1)).name == "lambda"


def test_get():  # row 24 of the contract on bad input
    assert metrics.get(None) is None
    assert type(metrics.get("top_k_categorical_accuracy")) is metrics.TopKCategoricalAccuracy
    assert type(metrics.get("accuracy")) is metrics.Accuracy
    assert metrics.get(metrics.binary_accuracy) is metrics.binary_accuracy
    with pytest.raises(ValueError, match="Unknown metric: 'acuracy'. Did you mean '[Aa]ccuracy'.*Known names: "):
        metrics.get("acuracy")


def test_custom_metric():
    class Positives(metrics.Metric):
        def __init__(self, name="positives", dtype=None):
            super().__init__(name=name, dtype=dtype)
            self.count = self.add_variable((), "zeros", name="count")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(np.sum(y_pred > 0.5))

        def result(self):
            return float(self.count.value)

    metric = Positives()
    assert metric.variables == [metric.count]
    metric.update_state(None, np.array([0.2, 0.7]))
    assert metric(None, np.array([0.6, 0.7])) == 3
    metric.reset_state()
    assert metric.result() == 0
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state()
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()


def test_variables_of_a_metric():
    class Pair(metrics.Metric):
        def __init__(self):
            super().__init__(name="pair")
            self.inner = metrics.Mean(name="inner")
            self.several = [metrics.Sum(name="a"), metrics.Sum(name="b")]
            self.named = {"c": metrics.Sum(name="c")}
            self.best = self.add_weight(shape=(2,), initializer="ones", name="best")

        def result(self):
            return {"inner": self.inner.result(), "best": self.best.numpy()}

    metric = Pair()
    paths = ["pair/best", "inner/total", "inner/count", "a/total", "b/total", "c/total"]
    assert [variable.path for variable in metric.variables] == paths
    metric.inner.update_state(3.0)
    np.testing.assert_array_equal(metric.result()["best"], [1, 1])
    assert metric.result()["inner"] == 3
    metric.reset_state()
    assert all((variable.value == 0).all() for variable in metric.variables)
    assert metric.add_variable((), "zeros", "int32").dtype == "int32"


def test_forgotten_init():
    class Forgetful(metrics.Metric):
        def __init__(self):
            pass

    for use in (lambda m: m.add_variable((), "zeros"), lambda m: m.variables, lambda m: m.reset_state()):
        with pytest.raises(RuntimeError, match=r"Forgetful.__init__ must call `super\(\).__init__\(\)`"):
            use(Forgetful())


def test_config_of_a_custom_metric():
    class Above(metrics.MeanMetricWrapper):
        def __init__(self, limit=0.5, name="above", **kwargs):
            super().__init__(lambda t, y: np.greater(y, limit), name=name, **kwargs)

    metric = Above(0.7)
    assert metric.get_config() == {"name": "above", "dtype": "float32"}  # `limit` is kept nowhere
    assert "above" in repr(metric)
    config = {"class_name": "Above", "config": {"limit": 0.2}}
    assert metrics.deserialize(config, {"Above": Above})([0], [0.3]) == 1
    with pytest.raises(ValueError, match="Unknown metric: 'Above'"):
        metrics.deserialize(config)


def test_losses_as_metrics():
    loss = losses.BinaryCrossentropy(from_logits=True, name="bits")
    metric = metrics.get_for_model(loss, (None, 1), (None, 1))
    assert metric.name == "bits"
    assert metric._direction == "down"
    assert metric([[1.0]], [[0.0]]) == pytest.approx(np.log(2))
    again = metrics.deserialize(metrics.serialize(metric))
    assert again([[1.0]], [[0.0]]) == metric.result()


def test_what_is_infinite_passes_without_warnings():
    metric = metrics.MeanSquaredError()
    assert metric(np.float32([[3e38, 0]]), np.float32([[-3e38, 0]])) == np.inf
    assert np.isnan(metrics.Mean()([np.inf, -np.inf]))


@pytest.mark.parametrize("metric", [
    metrics.Mean(name="loss"), metrics.BinaryAccuracy(threshold=0.3), metrics.SparseTopKCategoricalAccuracy(k=3),
    metrics.SparseTopKCategoricalAccuracy(from_sorted_ids=True), metrics.CategoricalCrossentropy(label_smoothing=0.1),
    metrics.MeanMetricWrapper(metrics.binary_accuracy, name="b", threshold=0.2),
    metrics.AUC(thresholds=np.array([0.1, 0.4]), label_weights=np.ones(3), name="auc", curve="pr"),
    metrics.Precision(thresholds=np.array([0.5, 0.2]), name="precision"),
    metrics.IoU(3, (0, 2), name="iou"), metrics.BinaryIoU(name="binary_iou"), metrics.FBetaScore(beta=2),
], ids=lambda metric: metric.name)  # fmt: skip
def test_config_round_trip(metric):
    written = json.loads(json.dumps(metrics.serialize(metric)))
    again = metrics.deserialize(written)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


def test_function_config_round_trip():
    written = metrics.serialize(metrics.top_k_categorical_accuracy)
    assert metrics.deserialize(written) is metrics.top_k_categorical_accuracy


def test_bad_arguments():
    with pytest.raises(ValueError, match="`label_smoothing`"):
        metrics.CategoricalCrossentropy(label_smoothing=1)
    with pytest.raises(ValueError, match="`axis`"):
        metrics.SparseCategoricalCrossentropy(axis=None)
    with pytest.raises(ValueError, match="`dtype`"):
        metrics.Mean(dtype="int8")
