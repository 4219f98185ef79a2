"""Losses: derivatives against central differences, reductions and weights, checks of targets, names and configs."""

import json
import types
import warnings

import numpy as np
import pytest

from minikeras import config, losses

DENSE = types.SimpleNamespace(name="dense_2")
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


@pytest.fixture
def float64():
    before = config.floatx()
    config.set_floatx("float64")
    yield
    config.set_floatx(before)


def probabilities(rng, shape):
    y = rng.uniform(0.05, 1, shape)
    return y / y.sum(-1, keepdims=True)


def targets(loss, rng, shape):
    if isinstance(loss, losses.SparseCategoricalCrossentropy):
        return rng.integers(0, shape[-1], shape[:-1])
    return rng.uniform(0, 1, shape)  # categorical ones too: the derivatives hold for rows of any sum


CONFIGURATIONS = [
    (losses.MeanSquaredError, {}),
    (losses.MeanAbsoluteError, {}),
    (losses.BinaryCrossentropy, {}),
    (losses.BinaryCrossentropy, {"label_smoothing": 0.2}),
    (losses.BinaryCrossentropy, {"from_logits": True}),
    (losses.BinaryCrossentropy, {"from_logits": True, "label_smoothing": 0.2}),
    (losses.CategoricalCrossentropy, {}),
    (losses.CategoricalCrossentropy, {"label_smoothing": 0.2}),
    (losses.CategoricalCrossentropy, {"from_logits": True}),
    (losses.SparseCategoricalCrossentropy, {}),
    (losses.SparseCategoricalCrossentropy, {"from_logits": True}),
    (losses.SparseCategoricalCrossentropy, {"ignore_class": 1}),
    (losses.SparseCategoricalCrossentropy, {"ignore_class": 1, "from_logits": True}),
]


def directional_error(function, gradient, x, rng, eps=1e-5):
    """Relative difference of a derivative in a random direction and its central difference."""
    direction = rng.standard_normal(x.shape)
    numeric = (function(x + eps * direction) - function(x - eps * direction)) / (2 * eps)
    analytic = (gradient * direction).sum()
    return abs(numeric - analytic) / max(abs(numeric), abs(analytic), 1e-3)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (3, 2, 4), (2, 3, 2, 4)])
@pytest.mark.parametrize("cls, arguments", CONFIGURATIONS)
def test_gradient_is_the_derivative(cls, arguments, shape, reduction, weighted):
    rng = np.random.default_rng(0)
    loss = cls(reduction=reduction, **arguments)
    y_true = targets(loss, rng, shape)
    y_pred = rng.standard_normal(shape) if loss.fuses_with is None else rng.uniform(0.2, 0.8, shape)
    weights = rng.uniform(0.5, 2, shape[0]) if weighted else None
    gradient = loss.weighted_gradient(y_true, y_pred, weights)
    assert gradient.shape == shape
    error = directional_error(lambda y: np.sum(loss(y_true, y, weights)), gradient, y_pred, rng)
    assert error <= 1e-7
    if not weighted:
        np.testing.assert_array_equal(loss.gradient(y_true, y_pred), gradient)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4)])
@pytest.mark.parametrize("cls, arguments", [c for c in CONFIGURATIONS if c[0](**c[1]).fuses_with])
def test_logits_gradient_is_the_derivative_through_the_activation(cls, arguments, shape, reduction, weighted):
    rng = np.random.default_rng(1)
    loss = cls(reduction=reduction, **arguments)
    activation = {"softmax": softmax, "sigmoid": sigmoid}[loss.fuses_with]
    y_true, logits = targets(loss, rng, shape), rng.standard_normal(shape)
    weights = rng.uniform(0.5, 2, shape[0]) if weighted else None
    gradient = loss.logits_gradient(y_true, activation(logits), weights)
    assert gradient.shape == shape
    error = directional_error(lambda z: np.sum(loss(y_true, activation(z), weights)), gradient, logits, rng)
    assert error <= 1e-7


def test_from_logits_does_not_fuse():
    for cls in (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy, losses.BinaryCrossentropy):
        assert cls(from_logits=True).fuses_with is None


def test_fused_gradient_does_not_vanish():
    p = softmax(np.array([[20.0, 0.0]], "float32"))
    assert np.abs(losses.get("scce").gradient([1], p)).max() * p[0, 1] <= 1e-6  # where Keras' own stops learning
    np.testing.assert_allclose(losses.get("scce").logits_gradient([1], p), [[1, -1]], atol=1e-6)
    np.testing.assert_allclose(losses.get("cce").logits_gradient([[0, 1]], p), [[1, -1]], atol=1e-6)
    np.testing.assert_allclose(losses.get("bce").logits_gradient([[0.0]], np.ones((1, 1))), [[1]])


@pytest.mark.parametrize("name", ["scce", "cce", "bce"])
def test_gradient_is_zero_where_clipped(name):
    loss = losses.get(name)
    y_pred = np.array([[0.0, 1.0, 0.0]])
    y_true = [0] if name == "scce" else [[1, 0, 0]]
    np.testing.assert_array_equal(loss.gradient(y_true, y_pred), np.zeros((1, 3)))


def test_inputs_are_not_changed():
    for cls, arguments in CONFIGURATIONS:
        rng, loss = np.random.default_rng(2), cls(**arguments)
        y_true, y_pred = targets(loss, rng, (4, 3)).astype("float32"), probabilities(rng, (4, 3)).astype("float32")
        if isinstance(loss, losses.SparseCategoricalCrossentropy):
            y_true = y_true.astype(int)
        copies = y_true.copy(), y_pred.copy()
        loss(y_true, y_pred), loss.weighted_gradient(y_true, y_pred, np.ones(4)), loss.gradient(y_true, y_pred)
        if loss.fuses_with:
            loss.logits_gradient(y_true, y_pred)
        np.testing.assert_array_equal(y_true, copies[0])
        np.testing.assert_array_equal(y_pred, copies[1])


@pytest.mark.parametrize("cls, arguments", CONFIGURATIONS)
def test_dtype_stays_float32(cls, arguments):
    rng, loss = np.random.default_rng(3), cls(**arguments)
    y_true, y_pred = targets(loss, rng, (4, 3)), probabilities(rng, (4, 3)).astype("float32")
    assert isinstance(loss(y_true, y_pred), float)
    assert cls(**arguments, reduction=None)(y_true, y_pred, np.ones(4)).dtype == "float32"
    assert loss.weighted_gradient(y_true, y_pred, np.arange(4)).dtype == "float32"
    if loss.fuses_with:
        assert loss.logits_gradient(y_true, y_pred, np.arange(4)).dtype == "float32"


def test_ranks_are_matched():
    y = np.array([1.0, 2.0, 3.0])
    for name in ("mse", "mae", "bce"):
        loss = losses.get(name)
        for t, p in ((y / 4, y[:, None] / 5), (y[:, None] / 4, y / 5)):
            assert loss(t, p) == pytest.approx(loss(y[:, None] / 4, y[:, None] / 5))
            assert loss.gradient(t, p).shape == p.shape
            assert loss.weighted_gradient(t, p, [1, 2, 3]).shape == p.shape
    assert losses.get("scce")([[0], [1]], np.eye(2)) == losses.get("scce")([0, 1], np.eye(2))


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(3, 1\)"):
        losses.mean_squared_error(np.ones((3, 2)), np.ones((3, 1)))
    with pytest.raises(ValueError, match="one label for each row"):
        losses.sparse_categorical_crossentropy(np.ones(3), np.ones((4, 2)))
    with pytest.raises(ValueError, match="`sample_weight` of shape \\(2,\\) does not fit losses of shape \\(3,\\)"):
        losses.get("mse")(np.ones((3, 1)), np.ones((3, 1)), sample_weight=[1, 2])


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range_are_refused_without_a_model(label):
    with pytest.raises(ValueError, match=rf"label {label}.*0\.\.2"):
        losses.get("scce")([0, label], np.ones((2, 3)) / 3)


def test_ignored_class_does_not_count():
    p = probabilities(np.random.default_rng(4), (4, 3))
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss([0, -1, 2, -1], p) == pytest.approx(loss([0, 2], p[[0, 2]]))
    gradient = loss.gradient([0, -1, 2, -1], p)
    np.testing.assert_array_equal(gradient[[1, 3]], 0)
    assert loss([-1] * 4, p) == 0
    assert loss.gradient([-1] * 4, p).any() == np.False_


def test_infinities_pass_without_warnings():
    for name in ("mse", "mae", "cce", "bce"):
        loss = losses.get(name)
        bad = np.array([[np.inf, -np.inf, np.nan, 3e38]], "float32")
        loss([[0, 1, 0, 0]], bad), loss.gradient([[0, 1, 0, 0]], bad)
    for from_logits in (False, True):
        loss = losses.SparseCategoricalCrossentropy(from_logits)
        assert np.isnan(loss([1], np.zeros((1, 4)))) or from_logits
        loss.gradient([1], bad), loss.gradient([1], np.zeros((1, 4)))


# Custom losses.


class Huber(losses.Loss):
    def call(self, y_true, y_pred):
        error = abs(y_true - y_pred)
        return np.where(error < 1, error**2 / 2, error - 0.5).mean(-1)

    def gradient(self, y_true, y_pred):
        return np.clip(y_pred - y_true, -1, 1) / y_pred.size


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("reduction", ["mean", "mean_with_sample_weight"])
def test_custom_loss(reduction):
    rng = np.random.default_rng(5)
    y_true, y_pred, weights = rng.standard_normal((6, 2)) * 2, rng.standard_normal((6, 2)), rng.uniform(0, 2, 6)
    loss = Huber(reduction=reduction)
    gradient = loss.weighted_gradient(y_true, y_pred, weights)
    assert directional_error(lambda y: loss(y_true, y, weights), gradient, y_pred, rng) <= 1e-7
    assert loss.name.startswith("huber")
    assert Huber(name="h").get_config() == {"name": "h", "reduction": "sum_over_batch_size"}
    assert losses.get(Huber).weighted_gradient(np.arange(3), np.ones((3, 1))).shape == (3, 1)


def test_custom_gradient_of_another_shape_is_refused():
    class Wrong(Huber):
        def gradient(self, y_true, y_pred):
            return np.ones(3)

    with pytest.raises(ValueError, match=r"must return y_pred's shape \(3, 2\). Received: \(3,\)"):
        Wrong().weighted_gradient(np.ones((3, 2)), np.ones((3, 2)))


def test_function_evaluates_but_has_no_gradient():
    loss = losses.get(lambda y_true, y_pred: abs(y_true - y_pred).max(-1))
    assert loss([[1, 2]], [[0, 0]]) == 2
    with pytest.raises(NotImplementedError, match="subclass `losses.Loss` with `call"):
        loss.weighted_gradient([[1, 2]], [[0, 0]])


def test_custom_loss_warns_once_of_broadcasting():
    loss = Huber(name="h")
    with pytest.warns(UserWarning, match=r"\(4, 2\).*\(None, 1\).*broadcast"):
        loss.check_targets(np.ones((4, 2)), (None, 1), DENSE)
    loss.check_targets(np.ones((4, 2)), (None, 1), DENSE)
    Huber().check_targets(np.ones((4, 1)), (None, 10), DENSE)


# Arguments, names and configs.


@pytest.mark.parametrize("value", [1, 1.0, -0.1, 2, "0.1", None, True, float("nan")])
@pytest.mark.parametrize("cls", [losses.CategoricalCrossentropy, losses.BinaryCrossentropy])
def test_label_smoothing_must_be_below_1(cls, value):  # row 47
    with pytest.raises(ValueError, match="`label_smoothing` must be a number in"):
        cls(label_smoothing=value)


def test_label_smoothing_moves_targets_towards_equal_shares():
    rng = np.random.default_rng(6)
    p = probabilities(rng, (5, 4))
    one_hot = np.eye(4)[rng.integers(0, 4, 5)]
    smoothed = losses.CategoricalCrossentropy(label_smoothing=0.2)(one_hot, p)
    assert smoothed == pytest.approx(losses.CategoricalCrossentropy()(0.8 * one_hot + 0.2 / 4, p))
    smoothed = losses.BinaryCrossentropy(label_smoothing=0.2)(one_hot, p)
    assert smoothed == pytest.approx(losses.BinaryCrossentropy()(0.8 * one_hot + 0.2 / 2, p))


@pytest.mark.parametrize("cls", [
    losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy, losses.BinaryCrossentropy, losses.Dice
])  # fmt: skip
@pytest.mark.parametrize("axis", [True, 1.0, "1", [1.0]])
def test_axes_are_integers(cls, axis):
    with pytest.raises(ValueError, match="`axis` must be an integer"):
        cls(axis=axis)


def test_bad_reduction_and_dtype():
    with pytest.raises(ValueError, match="`reduction` must be one of"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ValueError, match="`dtype` must be"):
        losses.MeanSquaredError(dtype="int32")


@pytest.mark.parametrize("name, cls", [
    ("mse", losses.MeanSquaredError), ("MSE", losses.MeanSquaredError),
    ("mean_squared_error", losses.MeanSquaredError), ("MeanSquaredError", losses.MeanSquaredError),
    ("mae", losses.MeanAbsoluteError), ("MAE", losses.MeanAbsoluteError),
    ("bce", losses.BinaryCrossentropy), ("BCE", losses.BinaryCrossentropy),
    ("binary_crossentropy", losses.BinaryCrossentropy), ("cce", losses.CategoricalCrossentropy),
    ("categorical_crossentropy", losses.CategoricalCrossentropy), ("scce", losses.SparseCategoricalCrossentropy),
    ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
])  # fmt: skip
def test_names(name, cls):
    assert type(losses.get(name)) is cls


def test_get():
    loss = losses.BinaryCrossentropy()
    assert losses.get(None) is None
    assert losses.get(loss) is loss
    assert type(losses.get(losses.MeanAbsoluteError)) is losses.MeanAbsoluteError
    assert type(losses.get(losses.mean_squared_error)) is losses.MeanSquaredError
    with pytest.raises(ValueError, match="Unknown loss: 'sparse_crossentropy'. Did you mean .*Known names: "):  # row 21
        losses.get("sparse_crossentropy")


@pytest.mark.parametrize("y_true, y_pred, cls", [
    ((None, 1), (None, 1), losses.BinaryCrossentropy), ((None,), (None, 1), losses.BinaryCrossentropy),
    ((None,), (None, 10), losses.SparseCategoricalCrossentropy),
    ((None, 1), (None, 10), losses.SparseCategoricalCrossentropy),
    ((None, 10), (None, 10), losses.CategoricalCrossentropy),
])  # fmt: skip
def test_crossentropy_is_resolved_by_shapes(y_true, y_pred, cls):
    assert type(losses.get_for_model("crossentropy", y_true, y_pred)) is cls
    assert type(losses.get_for_model("CE", y_true, y_pred)) is cls
    assert type(losses.get_for_model("mse", y_true, y_pred)) is losses.MeanSquaredError


@pytest.mark.parametrize("cls, arguments", CONFIGURATIONS)
def test_config_round_trip(cls, arguments):
    loss = cls(**arguments, reduction="sum", name="mine")
    written = json.loads(json.dumps(losses.serialize(loss)))
    again = losses.deserialize(written)
    assert type(again) is cls
    assert again.get_config() == loss.get_config()
    assert again.fuses_with == loss.fuses_with


def test_function_config():
    written = losses.serialize(losses.mean_squared_error)
    assert written["config"] == "mean_squared_error"
    assert type(losses.deserialize(written)) is losses.MeanSquaredError


# Targets that do not fit: the rows are those of the contract on bad input.

LABELS = np.array([3, 0, 9, 1])
ONE_HOT = np.eye(10)[LABELS]


@pytest.mark.parametrize("row, loss, y, output_shape, words", [
    (3, "scce", [1, 0, 10, 12], (None, 10), ["label 10", "row 2", "0..9", "10 units", "'dense_2'", "at least 13"]),
    (3, "scce", [[1], [10]], (None, 10), ["label 10", "row 1"]),
    (3, "scce", [2, 10], (None, 10), ["label 10", "0..9"]),
    (3, "scce", [[[0, 1], [2, 5]]], (None, 2, 2, 5), ["label 5", "row 0"]),
    (4, "scce", [1, -2, 3], (None, 10), ["negative label -2", "row 1"]),
    (4, "scce", [1.0, -1.0, 12], (None, 10), ["negative label -1", "row 1"]),
    (5, "scce", [3, 1, 2], (None, 3), ["labels start at 1; subtract 1"]),
    (5, "scce", np.uint8([3, 1, 2]), (None, 3), ["labels start at 1; subtract 1"]),
    (6, "scce", [1.0, 0.5], (None, 10), ["float64", "0.5", "row 1"]),
    (6, "scce", [1.0, np.nan], (None, 10), ["float64", "nan", "row 1"]),
    (7, "scce", ONE_HOT, (None, 10), ["(4, 10)", "(None, 10)", "use categorical_crossentropy or argmax"]),
    (7, "scce", ONE_HOT, (None, 5), ["(4, 10)", "(None, 5)", "use categorical_crossentropy or argmax"]),
    (8, "cce", LABELS, (None, 10), ["(4,)", "(None, 10)", "use sparse_categorical_crossentropy or to_categorical"]),
    (8, "cce", LABELS[:, None], (None, 10), ["(4, 1)", "use sparse_categorical_crossentropy or to_categorical"]),
    (8, "cce", np.ones((2, 4, 4), int), (None, 4, 4, 3), ["(2, 4, 4)", "use sparse_categorical_crossentropy"]),
    (9, "cce", ONE_HOT, (None, 5), ["width 10", "width 5", "'dense_2'"]),
    (33, "scce", LABELS, (None, 4, 4, 10), ["(None, 4, 4, 10)", "(4,)", "Flatten or GlobalAveragePooling2D"]),
    (33, "scce", LABELS[:, None], (None, 4, 4, 10), ["(4, 1)", "Flatten or GlobalAveragePooling2D"]),
    (33, "scce", LABELS, (None, 7, 10), ["Flatten or GlobalAveragePooling1D"]),
    (33, "scce", LABELS[:, None], (None, 7, 10), ["Flatten or GlobalAveragePooling1D"]),
    (33, "scce", ONE_HOT, (None, 4, 4, 10), ["Flatten or GlobalAveragePooling2D"]),
    (33, "cce", ONE_HOT, (None, 4, 4, 10), ["(4, 10)", "Flatten or GlobalAveragePooling2D"]),
    (33, "cce", LABELS, (None, 4, 4, 10), ["(4,)", "Flatten or GlobalAveragePooling2D"]),
    (33, "mse", LABELS, (None, 4, 4, 1), ["(4,)", "Flatten or GlobalAveragePooling2D"]),
    (33, "bce", LABELS[:, None] > 2, (None, 4, 4, 1), ["(4, 1)", "Flatten or GlobalAveragePooling2D"]),
    (34, "bce", [[-1], [1]], (None, 1), ["[0, 1]", "from -1 to 1"]),
    (34, "bce", [0, 255], (None, 1), ["[0, 1]", "from 0 to 255"]),
    (49, "mse", np.ones((4, 2)), (None, 1), ["(4, 2)", "(None, 1)", "2 units"]),
    (49, "mae", np.ones((4, 1)), (None, 2), ["(4, 1)", "(None, 2)", "1 unit,"]),
    (49, "mse", np.ones(4), (None, 2), ["(4,)", "(None, 2)"]),
    (49, "bce", ONE_HOT, (None, 1), ["(4, 10)", "(None, 1)", "broadcast"]),
    (49, "mse", np.ones((4, 5, 5, 1)), (None, 5, 5, 3), ["(4, 5, 5, 1)", "(None, 5, 5, 3)"]),
    (0, "scce", np.ones((2, 5, 5)), (None, 4, 4, 10), ["(2, 5, 5)", "Expected shape (2, 4, 4)"]),
])  # fmt: skip
def test_targets_are_refused(row, loss, y, output_shape, words):
    with pytest.raises(ValueError) as error:
        losses.get(loss).check_targets(np.asarray(y), output_shape, DENSE)
    message = str(error.value)
    assert "`y`" in message
    assert all(word in message for word in words), message
    assert len(message) < 400


def test_strings_are_no_targets():
    for name in ("scce", "cce", "mse", "bce"):
        with pytest.raises(TypeError, match="`y` must hold numbers.*cat.*np.unique"):
            losses.get(name).check_targets(np.array(["cat", "dog"]), (None, 2), DENSE)


def test_rows_that_do_not_sum_to_1_warn_once():  # row 10
    loss, y = losses.get("cce"), ONE_HOT.copy()
    y[2] *= 3
    with pytest.warns(UserWarning, match=r"Row 2 sums to 3\.0"):
        loss.check_targets(y, (None, 10), DENSE)
    loss.check_targets(y, (None, 10), DENSE)


@pytest.mark.parametrize("loss, y, output_shape", [
    ("scce", LABELS, (None, 10)), ("scce", LABELS[:, None], (None, 10)), ("scce", LABELS.astype("float32"), (None, 10)),
    ("scce", LABELS.astype("uint8"), (None, 10)), ("scce", LABELS > 2, (None, 2)),
    ("scce", [2, 1, 3], (None, 10)), ("scce", [], (None, 10)), ("scce", np.ones((2, 4, 4)), (None, 4, 4, 3)),
    ("scce", np.ones((2, 4, 4, 1)), (None, 4, 4, 3)), ("scce", np.ones((2, 4)), (None, 4, 3)),
    ("scce", np.ones((2, 4)), (None, None, 3)), ("scce", np.ones((2, 10)), (None, 10, 10)),
    ("cce", ONE_HOT, (None, 10)), ("cce", ONE_HOT.astype(int), (None, 10)), ("cce", ONE_HOT.astype(bool), (None, 10)),
    ("cce", np.full((4, 10), 0.1, "float16"), (None, 10)), ("cce", np.eye(3)[np.ones((2, 4, 4), int)], (None, 4, 4, 3)),
    ("cce", np.ones(4), (None, 1)),
    ("bce", np.ones(4), (None, 1)), ("bce", np.ones((4, 1), bool), (None, 1)), ("bce", [[0.0], [0.3]], (None, 1)),
    ("bce", np.ones((2, 4, 4)), (None, 4, 4, 1)), ("bce", [[0, 1, 1]], (None, 3)),
    ("mse", np.ones(4), (None, 1)), ("mse", np.ones((4, 1)), (None,)), ("mse", np.ones((4, 3)) * 99, (None, 3)),
    ("mse", np.ones((4, 6, 6, 3)), (None, 6, 6, 3)), ("mae", np.ones((4, 6, 6, 3)), (None, None, None, 3)),
])  # fmt: skip
def test_targets_are_accepted(loss, y, output_shape):
    losses.get(loss).check_targets(np.asarray(y), output_shape, DENSE)


@pytest.mark.parametrize("ignored, y", [(-1, [-1, 0, 2]), (255, np.uint8([255, 0, 2])), (-1, np.uint8([0, 2]))])
def test_ignored_labels_are_accepted(ignored, y):
    loss = losses.SparseCategoricalCrossentropy(ignore_class=ignored)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss.check_targets(np.asarray(y), (None, 3), DENSE)
    with pytest.raises(ValueError, match="label 3"):
        loss.check_targets(np.append(np.asarray(y, int), 3), (None, 3), DENSE)
    with pytest.raises(ValueError, match="start at 1"):
        loss.check_targets(np.array([ignored, 1, 2, 3]), (None, 3), DENSE)
