"""Losses: derivatives against central differences, reductions and weights, checks of targets, names and configs."""

import json
import types
import warnings

import numpy as np
import pytest
from loss_cases import CASES, IDS, fits, make_predictions, make_targets

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


def directional_error(function, gradient, x, rng, eps=1e-5):
    """Relative difference of a derivative in a random direction and its central difference."""
    direction = rng.standard_normal(x.shape)
    numeric = (function(x + eps * direction) - function(x - eps * direction)) / (2 * eps)
    analytic = (gradient * direction).sum()
    return abs(numeric - analytic) / max(abs(numeric), abs(analytic), 1e-2)


def weights_and_mask(losses_shape, batch, rng):
    """Weights below, at and above 0, with and without a mask."""
    weights = rng.uniform(-1, 2, losses_shape or (batch,))
    weights.flat[0] = 0
    mask = rng.random(weights.shape) < 0.6
    mask.flat[-1] = True
    return [(None, None), (weights, None), (weights, mask), (None, mask), (2.5, mask), (None, ~mask & mask)]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (3, 2, 4), (2, 3, 2, 4)], ids=str)
@pytest.mark.parametrize("name, arguments, kind, predictions", CASES, ids=IDS)
def test_gradient_is_the_derivative(name, arguments, kind, predictions, shape, reduction):
    if not fits(name, arguments, shape):
        pytest.skip("no such axis")
    rng = np.random.default_rng(0)
    loss = getattr(losses, name)(reduction=reduction, **arguments)
    y_true = make_targets(kind, shape, rng, arguments.get("axis", -1), "float64")
    y_pred = make_predictions(predictions, shape, rng, "float64")
    if name == "Circle":
        y_pred *= 0.9  # at length 1 the distance from itself is 0, and has a kink there
    losses_shape = np.shape(getattr(losses, name)(reduction=None, **arguments)(y_true, y_pred))
    for weights, mask in weights_and_mask(losses_shape, shape[0], rng):
        folded = loss.apply_mask(y_true, y_pred, weights, mask)
        gradient = loss.weighted_gradient(y_true, y_pred, folded)
        assert gradient.shape == shape
        assert gradient.dtype == "float64"
        assert directional_error(lambda y, w=folded: np.sum(loss(y_true, y, w)), gradient, y_pred, rng) <= 1e-6
        if folded is None:
            np.testing.assert_array_equal(loss.gradient(y_true, y_pred), gradient)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4)])
@pytest.mark.parametrize("name, arguments, kind", [
    case[:3] for case in CASES if getattr(losses, case[0])(**case[1]).fuses_with
], ids=str)  # fmt: skip
def test_logits_gradient_is_the_derivative_through_the_activation(name, arguments, kind, shape, reduction):
    if not fits(name, arguments, shape):
        pytest.skip("no such axis")
    rng = np.random.default_rng(1)
    loss = getattr(losses, name)(reduction=reduction, **arguments)
    activation = {"softmax": softmax, "sigmoid": sigmoid}[loss.fuses_with]
    y_true, logits = make_targets(kind, shape, rng, -1, "float64"), rng.standard_normal(shape)
    losses_shape = np.shape(getattr(losses, name)(reduction=None, **arguments)(y_true, activation(logits)))
    for weights, mask in weights_and_mask(losses_shape, shape[0], rng):
        folded = loss.apply_mask(y_true, activation(logits), weights, mask)
        gradient = loss.logits_gradient(y_true, activation(logits), folded)
        assert gradient.shape == shape
        error = directional_error(
            lambda z, w=folded: np.sum(loss(y_true, activation(z), w)), gradient, logits, rng
        )
        assert error <= 1e-6


def test_from_logits_does_not_fuse():
    for cls in (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy, losses.BinaryCrossentropy):
        assert cls(from_logits=True).fuses_with is None
    for cls in (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy):
        assert cls(axis=1).fuses_with is None  # softmax works along the last axis


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


@pytest.mark.parametrize("name, arguments, kind, predictions", CASES, ids=IDS)
def test_inputs_stay_and_so_does_float32(name, arguments, kind, predictions):
    rng, shape = np.random.default_rng(2), (4, 3) if name == "Circle" else (4, 2, 3)
    y_true = make_targets(kind, shape, rng, arguments.get("axis", -1))
    y_pred = make_predictions(predictions, shape, rng)
    copies = y_true.copy(), y_pred.copy()
    loss, each = (getattr(losses, name)(reduction=reduction, **arguments) for reduction in ("mean", None))
    assert isinstance(loss(y_true, y_pred), float)
    found = each(y_true, y_pred)
    weights = np.arange(found.size).reshape(found.shape)
    assert found.dtype == each(y_true, y_pred, weights).dtype == "float32"
    assert loss.gradient(y_true, y_pred).dtype == "float32"
    assert loss.weighted_gradient(y_true, y_pred, weights).dtype == "float32"
    if loss.fuses_with:
        assert loss.logits_gradient(y_true, y_pred, weights).dtype == "float32"
    np.testing.assert_array_equal(y_true, copies[0])
    np.testing.assert_array_equal(y_pred, copies[1])


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


@pytest.mark.parametrize("row", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 0.0]])
def test_what_is_ignored_may_be_no_probabilities(row):
    """A row that does not count has gradient 0, whatever its predictions are, as in Keras."""
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    y_true, y_pred = np.array([0, 1]), np.array([row, [0.25, 0.75]], "float32")
    assert loss(y_true, y_pred) == pytest.approx(-np.log(0.75))
    np.testing.assert_allclose(loss.weighted_gradient(y_true, y_pred), [[0, 0], [1, -1 / 3]], rtol=1e-6)


def test_ignored_class_does_not_count():
    p = probabilities(np.random.default_rng(4), (4, 3))
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss([0, -1, 2, -1], p) == pytest.approx(loss([0, 2], p[[0, 2]]))
    gradient = loss.gradient([0, -1, 2, -1], p)
    np.testing.assert_array_equal(gradient[[1, 3]], 0)
    assert loss([-1] * 4, p) == 0
    assert loss.gradient([-1] * 4, p).any() == np.False_


@pytest.mark.parametrize("name, arguments, kind, predictions", CASES, ids=IDS)
def test_infinities_pass_without_warnings(name, arguments, kind, predictions):
    bad = np.array([[np.inf, -np.inf, np.nan, 3e38], [3e38] * 4, [0] * 4, [-1, -0.5, 2, 1]], "float32")
    axis = arguments.get("axis", -1)
    if name != "Circle":
        bad = np.stack([bad, bad], axis=1)
    y_true = make_targets(kind, bad.shape, np.random.default_rng(3), axis)
    for loss in (getattr(losses, name)(**arguments), getattr(losses, name)(reduction=None, **arguments)):
        loss(y_true, bad), loss.gradient(y_true, bad), loss.weighted_gradient(y_true, bad, np.ones(len(bad)))


# Hard numbers: nothing may become NaN or infinite, nor be reported by NumPy.

HARD = {
    "numbers": [
        [1e4, -1e4, 0, 1], [-1e4, 1e4, 0, 0], [1e4] * 4, [-1e4] * 4, [0] * 4, [88, -104, 1e-30, -1e-30],
        [1e6, 1e6 + 1, 1e6 - 1, 1e6],
    ],
    "shares": [
        [0, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1e-12, 1, 1e-12, 1e-38], [1e-7, 1 - 1e-7, 1e-7, 1], [0.25] * 4,
        [0, 0, 0, 1],
    ],
    "vectors": [[0, 0, 0, 0], [1, 0, 0, 0], [-1, 0, 0, 0], [1, 0, 0, 0], [1e4, -1e4, 0, 0], [1e6] * 4, [0, 0, 0, 1]],
}  # fmt: skip


@pytest.mark.parametrize("floatx", ["float32", "float64"])
@pytest.mark.parametrize("rows", [7, 1])
@pytest.mark.parametrize("classes", [4, 1])
@pytest.mark.parametrize("name, arguments, kind, predictions", CASES, ids=IDS)
def test_hard_numbers(name, arguments, kind, predictions, classes, rows, floatx):
    axis = arguments.get("axis", -1)
    hard = np.array(HARD[predictions], floatx)
    if classes == 1:
        hard = hard[:, 1:2] if predictions == "numbers" or not name.startswith("Categorical") else hard[:, :1] * 0 + 1
        if name.startswith("Sparse") and predictions == "shares":
            hard = np.ones_like(hard)  # a row of zeros is no distribution
    for start in range(0, 7, rows):
        y_pred = hard[start : start + rows]
        if name != "Circle":
            y_pred = np.stack([y_pred, y_pred[:, ::-1]], axis=-1 if axis == 1 else 1)
        for seed in range(3):
            y_true = make_targets(kind, y_pred.shape, np.random.default_rng(seed), axis)
            if arguments.get("ignore_class") == 2 and seed == 2:
                y_true[...] = 2
            check_finite(name, arguments, y_true, y_pred, floatx)


def check_finite(name, arguments, y_true, y_pred, floatx):
    with np.errstate(all="raise"):
        each = getattr(losses, name)(reduction=None, dtype=floatx, **arguments)
        shape = np.shape(each(y_true, y_pred)) or y_pred.shape[:1]
        for reduction in ("mean", "sum", "mean_with_sample_weight", None):
            loss = getattr(losses, name)(reduction=reduction, dtype=floatx, **arguments)
            for weights, mask in ((None, None), (0.0, None), (np.zeros(shape), None), (None, np.zeros(shape, bool))):
                folded = loss.apply_mask(y_true, y_pred, weights, mask)
                value, gradient = loss(y_true, y_pred, folded), loss.weighted_gradient(y_true, y_pred, folded)
                assert np.isfinite(value).all()
                assert np.isfinite(gradient).all()
                if folded is not None:
                    assert not np.any(value)
                    assert not gradient.any()
                if loss.fuses_with:
                    assert np.isfinite(loss.logits_gradient(y_true, y_pred, folded)).all()


@pytest.mark.usefixtures("float64")
def test_vectors_shorter_than_epsilon():
    y_true, y_pred = np.array([[1.0, 2, 2], [1e-9, 0, 0]]), np.array([[2e-8, -1e-8, 3e-8], [1, 1, 1]])
    loss, rng = losses.CosineSimilarity(), np.random.default_rng(9)
    assert directional_error(lambda y: loss(y_true, y), loss.gradient(y_true, y_pred), y_pred, rng, 1e-10) <= 1e-6
    np.testing.assert_allclose(loss.gradient(y_true, np.zeros((2, 3)))[0] * 2, [-1e7 / 3, -2e7 / 3, -2e7 / 3])


def test_apply_mask():
    mask = np.array([[True, False], [True, True]])
    apply_mask = losses.base.apply_mask
    assert apply_mask(None, None, "sum", "float32") is None
    weights = np.ones(2)
    assert apply_mask(weights, None, "sum", "float32") is weights
    np.testing.assert_allclose(apply_mask(None, mask, "mean", "float64"), [[4 / 3, 0], [4 / 3, 4 / 3]])
    np.testing.assert_allclose(apply_mask([1, 3], mask, "sum", "float64"), [[1, 0], [3, 3]])  # one a sample
    np.testing.assert_array_equal(apply_mask(None, ~mask & mask, "mean", "float64"), np.zeros((2, 2)))
    np.testing.assert_allclose(apply_mask(None, mask.astype(int) * 7, "mean", "float64")[0], [4 / 3, 0])


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
    with pytest.raises(NotImplementedError, match="subclass `losses.Loss` with `call.*attribute `gradient`"):
        loss.weighted_gradient([[1, 2]], [[0, 0]])


def cubic(y_true, y_pred, mean=lambda losses: losses.mean(-1), scale=1.0):
    return mean(scale * abs(y_pred - y_true) ** 3)


MEANS = {  # a function may return a loss for each sample, for each step, for each number, or for the batch
    "steps": (lambda losses: losses.mean(-1), 4),
    "samples": (lambda losses: losses.mean((1, 2)), 12),
    "numbers": (lambda losses: losses, 1),
    "batch": (lambda losses: losses.mean(), 60),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("of", MEANS)
def test_function_with_a_gradient(of, reduction):
    mean, count = MEANS[of]

    def fn(y_true, y_pred, scale=1.0):
        return cubic(y_true, y_pred, mean, scale)

    fn.gradient = lambda y_true, y_pred, scale=1.0: 3 * scale * (y_pred - y_true) * abs(y_pred - y_true) / count
    rng = np.random.default_rng(7)
    y_true, y_pred = rng.standard_normal((5, 3, 4)), rng.standard_normal((5, 3, 4))
    for loss in (losses.get(fn), losses.LossFunctionWrapper(fn, scale=1.7)):
        loss.reduction = reduction
        for weights in (None, rng.uniform(-1, 2, 5), 3.0):
            gradient = loss.weighted_gradient(y_true, y_pred, weights)
            error = directional_error(
                lambda y, loss=loss, w=weights: np.sum(loss(y_true, y, w)), gradient, y_pred, rng
            )
            assert error <= 1e-6
    assert losses.get(fn).name == "fn"


def test_functions_with_wrong_shapes_are_refused():
    def fn(y_true, y_pred):
        return np.zeros(2)

    fn.gradient = lambda y_true, y_pred: np.zeros(3)
    with pytest.raises(ValueError, match=r"`gradient` of the loss function 'fn' must return y_pred's shape \(3, 4\)"):
        losses.get(fn).gradient(np.ones((3, 4)), np.ones((3, 4)))
    fn.gradient = lambda y_true, y_pred: y_pred
    with pytest.raises(ValueError, match=r"'fn' must return losses of shape \(3,\), one for each sample. .* \(2,\)"):
        losses.get(fn).gradient(np.ones((3, 4)), np.ones((3, 4)))


def test_gradient_of_a_function_is_not_overwritten():
    kept = np.ones((3, 2), "float32")

    def fn(y_true, y_pred):
        return y_pred.mean(-1)

    fn.gradient = lambda y_true, y_pred: kept
    losses.get(fn).weighted_gradient(kept, kept, [1, 2, 3])
    np.testing.assert_array_equal(kept, 1)


def test_function_wrapper_config():
    loss = losses.LossFunctionWrapper(cubic, "sum", scale=2.0)
    assert loss.get_config() == {
        "name": "cubic", "reduction": "sum", "scale": 2.0,
        "fn": {"module": "builtins", "class_name": "function", "config": "cubic", "registered_name": "function"},
    }  # fmt: skip
    assert losses.serialize(losses.get(cubic))["class_name"] == "LossFunctionWrapper"
    assert losses.deserialize("cubic", custom_objects={"cubic": cubic}).fn is cubic


@pytest.mark.parametrize("parent", [losses.MeanSquaredError, losses.Circle, Huber])
def test_another_call_needs_another_gradient(parent):
    class Other(parent):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    class Whole(Other):
        def gradient(self, y_true, y_pred):
            return np.full_like(y_pred, 7)

    y = np.eye(3)
    for method in (Other().gradient, Other().weighted_gradient):
        with pytest.raises(NotImplementedError, match="has no gradient"):
            method([0, 1, 0] if parent is losses.Circle else y, y)
    assert (Whole().gradient(y, y) == 7).all()

    class Renamed(parent):
        pass

    class Gradient(losses.Loss):
        def gradient(self, y_true, y_pred):
            return y_pred

    class Both(Gradient):
        def call(self, y_true, y_pred):
            return np.square(y_pred).mean(-1)

    assert Both().gradient(y, y) is y  # the first `call` of a family replaces none

    Renamed().gradient([0, 1, 0] if parent is losses.Circle else y, y)


def test_custom_loss_warns_once_of_broadcasting():
    loss = Huber(name="h")
    with pytest.warns(UserWarning, match=r"\(4, 2\).*\(None, 1\).*broadcast"):
        loss.check_targets(np.ones((4, 2)), (None, 1), DENSE)
    loss.check_targets(np.ones((4, 2)), (None, 1), DENSE)
    Huber().check_targets(np.ones((4, 1)), (None, 10), DENSE)


# Arguments, names and configs.


@pytest.mark.parametrize("value", [1, 1.0, -0.1, 2, "0.1", None, True, float("nan")])
@pytest.mark.parametrize("cls", [
    losses.CategoricalCrossentropy, losses.BinaryCrossentropy, losses.CategoricalFocalCrossentropy,
    losses.BinaryFocalCrossentropy,
])  # fmt: skip
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


@pytest.mark.parametrize("make, words", [
    (lambda: losses.Huber(delta=0), "`delta` must be a positive number"),
    (lambda: losses.Huber(delta=float("nan")), "`delta` must be a positive number.*nan"),
    (lambda: losses.BinaryFocalCrossentropy(gamma=-1), "`gamma` must be a finite number, at least 0.*gamma=-1"),
    (lambda: losses.BinaryFocalCrossentropy(alpha="auto"), "`alpha` must be a finite number.*'auto'"),
    (lambda: losses.CategoricalFocalCrossentropy(alpha=[0.1, None]), "`alpha` must be a finite number.*None"),
    (lambda: losses.Tversky(beta=True), "`beta` must be a finite number.*True"),
    (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1), "`q` must be a number between 0 and 1.*q=1"),
    (lambda: losses.Dice(axis=3)(np.ones((2, 2)), np.ones((2, 2))), r"`axis` must be in -2\.\.1 .*axis=3"),
    *[(lambda f=f, y=y: f(y, np.ones((2, 2)), axis=None), "`axis` must be an integer") for f, y in (
        (losses.categorical_crossentropy, np.eye(2)), (losses.categorical_focal_crossentropy, np.eye(2)),
        (losses.sparse_categorical_crossentropy, [0, 1]))],
])  # fmt: skip
def test_bad_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_alpha_of_each_class():
    rng = np.random.default_rng(8)
    y_true, y_pred, alpha = np.eye(3)[[0, 1, 2, 0]], probabilities(rng, (4, 3)), [0.2, 0.5, 0.9]
    loss = losses.CategoricalFocalCrossentropy(alpha, reduction=None)
    each = [losses.CategoricalFocalCrossentropy(a, reduction=None)(y_true, y_pred) for a in alpha]
    np.testing.assert_allclose(loss(y_true, y_pred), np.choose([0, 1, 2, 0], each), rtol=1e-6)
    assert losses.CategoricalFocalCrossentropy(np.array(alpha)).get_config()["alpha"] == alpha


def test_bad_reduction_and_dtype():
    with pytest.raises(ValueError, match="`reduction` must be one of"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ValueError, match="`dtype` must be"):
        losses.MeanSquaredError(dtype="int32")


@pytest.mark.parametrize("names, cls", [
    ("mse MSE mean_squared_error MeanSquaredError", losses.MeanSquaredError),
    ("mae MAE mean_absolute_error", losses.MeanAbsoluteError),
    ("mape MAPE mean_absolute_percentage_error", losses.MeanAbsolutePercentageError),
    ("msle MSLE mean_squared_logarithmic_error", losses.MeanSquaredLogarithmicError),
    ("bce BCE binary_crossentropy", losses.BinaryCrossentropy),
    ("cce categorical_crossentropy", losses.CategoricalCrossentropy),
    ("scce sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
    ("kld KLD kl_divergence KLDivergence kullback_leibler_divergence", losses.KLDivergence),
    ("cosine_similarity CosineSimilarity cosine_proximity", losses.CosineSimilarity),
    ("log_cosh LogCosh logcosh", losses.LogCosh), ("huber Huber huber_loss", losses.Huber),
    ("categorical_generalized_cross_entropy", losses.CategoricalGeneralizedCrossEntropy),
])  # fmt: skip
def test_names(names, cls):
    for name in names.split():
        assert type(losses.get(name)) is cls


def test_every_function_has_its_class():
    for function, cls in losses._functions.items():
        assert type(losses.get(function)) is type(losses.get(function.__name__)) is type(losses.get(cls)) is cls
        assert type(losses.deserialize(losses.serialize(function))) is cls


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


@pytest.mark.parametrize("name, arguments", [case[:2] for case in CASES], ids=IDS)
def test_config_round_trip(name, arguments):
    loss = getattr(losses, name)(**arguments, reduction="sum", name="mine")
    written = json.loads(json.dumps(losses.serialize(loss)))
    again = losses.deserialize(written)
    assert type(again) is type(loss)
    assert json.dumps(again.get_config()) == json.dumps(loss.get_config())
    if "axis" in loss.get_config():  # a tuple has become a list
        rng = np.random.default_rng(0)
        y_true, y_pred = rng.integers(0, 2, (4, 3, 2)), rng.random((4, 3, 2))
        assert again(y_true, y_pred) == loss(y_true, y_pred)
        np.testing.assert_array_equal(again.gradient(y_true, y_pred), loss.gradient(y_true, y_pred))


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
    (3, "categorical_generalized_cross_entropy", [1, 10], (None, 10), ["label 10", "row 1", "0..9"]),
    (7, "categorical_generalized_cross_entropy", ONE_HOT, (None, 10), ["looks one-hot"]),
    (8, "kld", LABELS, (None, 10), ["(4,)", "to_categorical"]),
    (8, "categorical_hinge", LABELS, (None, 10), ["(4,)", "to_categorical"]),
    (8, "categorical_focal_crossentropy", LABELS, (None, 10), ["(4,)", "to_categorical"]),
    (8, "dice", np.ones((2, 4, 4), int), (None, 4, 4, 3), ["(2, 4, 4)", "to_categorical"]),
    (9, "categorical_hinge", ONE_HOT, (None, 5), ["width 10", "width 5"]),
    (33, "categorical_focal_crossentropy", ONE_HOT, (None, 4, 4, 10), ["Flatten or GlobalAveragePooling2D"]),
    (33, "huber", LABELS, (None, 4, 4, 1), ["(4,)", "Flatten or GlobalAveragePooling2D"]),
    (33, "circle", LABELS, (None, 4, 4, 1), ["(None, 4, 4, 1)", "Flatten or GlobalAveragePooling"]),
    (34, "binary_focal_crossentropy", [[-1], [1]], (None, 1), ["[0, 1]", "from -1 to 1"]),
    (34, "hinge", [[1], [2]], (None, 1), ["-1 and 1", "from 1 to 2", "2 * y - 3"]),
    (34, "squared_hinge", [[-3], [1]], (None, 1), ["-1 and 1", "from -3 to 1"]),
    (34, "dice", np.full((2, 4, 4, 1), 255), (None, 4, 4, 1), ["[0, 1]", "255"]),
    (34, "tversky", np.full((2, 4, 4, 1), -1), (None, 4, 4, 1), ["[0, 1]", "-1"]),
    *[(49, name, np.ones((4, 2)), (None, 1), ["(4, 2)", "(None, 1)"]) for name in (
        "mape", "msle", "huber", "log_cosh", "cosine_similarity", "hinge", "squared_hinge", "poisson",
        "binary_focal_crossentropy")],
    (49, "dice", np.ones((4, 5, 5, 1)), (None, 5, 5, 3), ["(4, 5, 5, 1)", "(None, 5, 5, 3)"]),
    (49, "tversky", np.ones((4, 6, 6, 1)), (None, 5, 5, 1), ["(4, 6, 6, 1)", "(None, 5, 5, 1)"]),
    (6, "circle", [0.5, 1], (None, 3), ["whole numbers", "0.5"]),
    (7, "circle", ONE_HOT, (None, 10), ["(4, 10)", "looks one-hot", "argmax"]),
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
    for name in set(losses._functions) - {losses.circle}:
        with pytest.raises(TypeError, match="`y` must hold numbers.*cat.*np.unique"):
            losses.get(name).check_targets(np.array(["cat", "dog"]), (None, 2), DENSE)


@pytest.mark.parametrize("name", ["cce", "categorical_focal_crossentropy", "kld"])
def test_rows_that_do_not_sum_to_1_warn_once(name):  # row 10
    loss, y = losses.get(name), ONE_HOT.copy()
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
    ("hinge", [[-1], [1]], (None, 1)), ("hinge", [0, 1], (None, 1)), ("squared_hinge", [[True, False]], (None, 2)),
    ("categorical_hinge", ONE_HOT, (None, 10)), ("kld", ONE_HOT / 1, (None, 10)), ("kld", [[0.5]], (None, 1)),
    ("categorical_generalized_cross_entropy", LABELS, (None, 10)), ("poisson", [[7]], (None, 1)),
    ("dice", np.ones((2, 4, 4)), (None, 4, 4, 1)), ("tversky", np.ones((2, 4, 4, 1), bool), (None, 4, 4, 1)),
    ("circle", LABELS, (None, 3)), ("circle", LABELS[:, None] * 1.0, (None, 3)), ("circle", [], (None, 3)),
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


def test_targets_with_the_classes_on_another_axis():
    cce, scce = losses.CategoricalCrossentropy(axis=1), losses.SparseCategoricalCrossentropy(axis=1)
    cce.check_targets(np.moveaxis(np.eye(3)[np.ones((2, 5), int)], -1, 1), (None, 3, 5), DENSE)
    y = np.full((2, 3, 5), 1 / 3)
    y[1] *= 2
    with pytest.warns(UserWarning, match=r"Row 1 sums to 2"):
        cce.check_targets(y, (None, 3, 5), DENSE)
    with pytest.raises(ValueError, match="width 5.*width 3"):
        cce.check_targets(np.ones((2, 5, 3)), (None, 3, 3), DENSE)
    scce.check_targets(np.full((2, 5), 2), (None, 3, 5), DENSE)
    scce.check_targets(np.full((2, 1, 5), 2), (None, 3, 5), DENSE)
    with pytest.raises(ValueError, match=r"label 3 .*0\.\.2"):
        scce.check_targets(np.full((2, 5), 3), (None, 3, 5), DENSE)
    with pytest.raises(ValueError, match=r"\(2, 3\) does not match"):
        scce.check_targets(np.ones((2, 3)), (None, 3, 5), DENSE)
