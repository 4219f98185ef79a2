"""Metrics of regression: R2, correlations and similarity, by their definitions and with hard numbers."""

import numpy as np
import pytest

from minikeras import metrics


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def slow_r2(t, y, w):
    mean = np.average(t, axis=0, weights=w)
    w = w[:, None]
    return 1 - (w * (t - y) ** 2).sum(axis=0) / (w * (t - mean) ** 2).sum(axis=0)


@pytest.mark.parametrize("offset", [0, 1e5])
def test_r2(rng, offset):
    t = rng.standard_normal((30, 3)) * [1, 2, 5] + offset
    y, w = t + rng.standard_normal((30, 3)), rng.random(30)
    expected = slow_r2(t, y, w)
    tolerance = 1e-4 if offset else 1e-5  # what squares of 1e5 leave of double precision
    scores = metrics.R2Score(class_aggregation=None, dtype="float64")
    assert scores.result() == 0
    for part in (slice(0, 7), slice(7, 30)):
        scores.update_state(t[part], y[part], w[part])
    np.testing.assert_allclose(scores.result(), expected, rtol=tolerance)
    mean = metrics.R2Score(dtype="float64")(t, y, w)
    assert mean == pytest.approx(expected.mean(), rel=tolerance)
    variances = [np.average((t[:, i] - np.average(t[:, i], weights=w)) ** 2, weights=w) for i in range(3)]
    weighted = metrics.R2Score("variance_weighted_average", dtype="float64")(t, y, w)
    assert weighted == pytest.approx(np.average(expected, weights=variances), rel=tolerance)
    adjusted = metrics.R2Score(num_regressors=4, dtype="float64")(t, y, w)
    assert adjusted == pytest.approx(1 - (1 - expected.mean()) * 89 / 85, rel=tolerance)


def test_r2_of_targets_that_do_not_vary():
    for value in (0.0, 0.1, 1e6, 1 / 3):
        t = np.full((7, 1), value)
        assert metrics.R2Score()(t, t) == 0
        assert metrics.R2Score(dtype="float64")(t, t + 1) == 0  # where 7 * 0.1 is not 0.7
        assert metrics.R2Score()(t, t + 1) == 0
        assert metrics.R2Score("variance_weighted_average")(t, t + 1) == 0
    assert metrics.R2Score()(np.eye(3)[:, :1], np.eye(3)[:, :1], np.zeros(3)) == 0


def test_r2_arguments():
    with pytest.raises(ValueError, match="`class_aggregation` must be.*'mean'"):
        metrics.R2Score("mean")
    with pytest.raises(ValueError, match="`num_regressors` must be an integer >= 0. Received: num_regressors=-1"):
        metrics.R2Score(num_regressors=-1)
    with pytest.raises(ValueError, match=r"shape \(batch, outputs\)"):
        metrics.R2Score().update_state(np.ones(3), np.ones(3))
    metric = metrics.R2Score()
    metric.update_state(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="has seen 3 outputs"):
        metric.update_state(np.ones((2, 1)), np.ones((2, 1)))


def test_r2_warns_once():
    metric = metrics.R2Score(num_regressors=9)
    metric.update_state([[1.0], [2.0]], [[1.0], [2.0]])
    with pytest.warns(UserWarning, match="2 samples and num_regressors=9"):
        assert metric.result() == 1
    assert metric.result() == 1
    metric.reset_state()
    assert metric.result() == 0


@pytest.mark.parametrize("offset", [0, 1e3])
def test_correlations(rng, offset):
    t = rng.standard_normal((4, 9)) + offset
    y = t * 2 + rng.standard_normal((4, 9))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(t, y)]
    np.testing.assert_allclose(metrics.pearson_correlation(t, y), expected, rtol=1e-6)
    assert metrics.PearsonCorrelation()(t, y) == pytest.approx(np.mean(expected), rel=1e-6)
    along = metrics.pearson_correlation(t, y, axis=0)
    np.testing.assert_allclose(along, [np.corrcoef(a, b)[0, 1] for a, b in zip(t.T, y.T)], rtol=1e-6)
    whole = metrics.pearson_correlation(t, y, axis=(0, 1))
    assert float(whole) == pytest.approx(np.corrcoef(t.ravel(), y.ravel())[0, 1], rel=1e-6)
    t_mean, y_mean = t.mean(-1), y.mean(-1)
    covariance = np.mean((t - t_mean[:, None]) * (y - y_mean[:, None]), axis=-1)
    concordance = 2 * covariance / (t.var(-1) + y.var(-1) + (t_mean - y_mean) ** 2)
    np.testing.assert_allclose(metrics.concordance_correlation(t, y), concordance, rtol=1e-6)


def test_correlation_of_a_constant_is_zero(rng):
    for constant in (0.0, 0.1, 1e6):
        rows = np.stack([np.full(5, constant), rng.standard_normal(5)]).astype("float32")
        with np.errstate(all="raise"):
            np.testing.assert_allclose(metrics.pearson_correlation(rows, rows), [0, 1], rtol=1e-6)
            np.testing.assert_allclose(metrics.pearson_correlation(rows, rows[::-1]), [0, 0])
            assert metrics.concordance_correlation(rows, rows)[0] == 0
            same = np.full((1, 7), constant)
            assert metrics.pearson_correlation(same, same) == 0  # the mean of seven 0.1 is not 0.1
    assert metrics.PearsonCorrelation()(rows, rows) == pytest.approx(0.5)


def test_cosine_similarity():
    t, y = np.array([[0.0, 1], [1, 1], [0, 0]]), np.array([[1.0, 0], [1, 1], [1, 1]])
    assert metrics.CosineSimilarity()(t, y) == pytest.approx(1 / 3)
    assert metrics.CosineSimilarity(axis=0)(t[:2], y[:2]) == pytest.approx((2**-0.5 + 2**-0.5) / 2)
    assert metrics.CosineSimilarity(axis=0).get_config()["axis"] == 0
    assert metrics.deserialize(metrics.serialize(metrics.CosineSimilarity(axis=0))).axis == 0


def test_targets_of_rank_one():
    assert metrics.R2Score()([1.0, 4, 3], [[2.0], [4], [4]]) == pytest.approx(4 / 7)
    assert metrics.MeanAbsolutePercentageError()([1.0, 4], [[2.0], [5]]) == pytest.approx(62.5)
