"""Regularizers: penalties, their gradients by central differences, configs."""

import numpy as np
import pytest

from minikeras import regularizers

REGULARIZERS = [
    regularizers.L1(0.3), regularizers.L2(0.2), regularizers.L1L2(0.3, 0.2), regularizers.L1L2(l2=0.2),
    regularizers.L1L2(l1=0.3), regularizers.L1L2(),
]  # fmt: skip
ORTHOGONAL = [regularizers.OrthogonalRegularizer(0.3), regularizers.OrthogonalRegularizer(0.3, "columns")]


@pytest.mark.parametrize("regularizer", REGULARIZERS + ORTHOGONAL, ids=repr)
def test_gradient(regularizer):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3) if regularizer in ORTHOGONAL else (4, 3, 2))
    direction = rng.normal(size=x.shape)
    eps = 1e-5
    numeric = (regularizer(x + eps * direction) - regularizer(x - eps * direction)) / (2 * eps)
    analytic = np.vdot(regularizer.gradient(x), direction)
    assert abs(numeric - analytic) <= 1e-7 * max(1, abs(numeric))
    assert regularizer.gradient(x.astype("float32")).dtype == "float32"
    assert np.all(regularizer.gradient(np.zeros((3, 2))) == 0)


def test_orthogonal():
    x = np.array([[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0]])  # cosines 0.8, -0.6, 0
    assert regularizers.OrthogonalRegularizer(0.3)(x) == pytest.approx(0.3 * 1.4 / 3)
    assert regularizers.OrthogonalRegularizer(0.3, "columns")(x.T) == pytest.approx(0.3 * 1.4 / 3)
    with np.errstate(all="raise"):
        for degenerate in (np.ones((1, 3)), np.zeros((3, 2)), np.array([[1e-12, 0], [0, 1e12]], "float32")):
            for regularizer in ORTHOGONAL:
                assert np.isfinite(regularizer(degenerate))
                assert np.isfinite(regularizer.gradient(degenerate)).all()
    assert regularizers.OrthogonalRegularizer()(np.ones((1, 3))) == 0
    assert regularizers.get("orthogonal_regularizer").get_config() == {"factor": 0.01, "mode": "rows"}
    with pytest.raises(ValueError, match=r"matrix.*\(2, 3, 4\)"):
        ORTHOGONAL[0](np.zeros((2, 3, 4)))


@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)
def test_penalty(regularizer):
    x = np.array([[1.0, -2.0], [0.5, 3.0]], "float32")
    penalty = regularizer(x)
    l1, l2 = getattr(regularizer, "l1", 0), getattr(regularizer, "l2", 0)
    assert isinstance(penalty, float)
    assert penalty == pytest.approx(l1 * 6.5 + l2 * 14.25)


@pytest.mark.parametrize("regularizer", REGULARIZERS + ORTHOGONAL, ids=repr)
def test_round_trip(regularizer):
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize("name, expected", [
    ("l1", {"l1": 0.01}), ("L1", {"l1": 0.01}), ("l2", {"l2": 0.01}), ("L2", {"l2": 0.01}),
    ("l1_l2", {"l1": 0.01, "l2": 0.01}), ("L1L2", {"l1": 0.0, "l2": 0.0}),
])
def test_names(name, expected):
    assert regularizers.get(name).get_config() == expected


def test_custom():
    class L4(regularizers.Regularizer):
        def __call__(self, x):
            return float((x**4).sum())

        def gradient(self, x):
            return 4 * x**3

    assert isinstance(regularizers.get(L4), L4)
    assert regularizers.get(None) is None

    def l3(x):
        return float((abs(x) ** 3).sum())

    l3.gradient = lambda x: 3 * x * abs(x)
    assert regularizers.get(l3) is l3
    with pytest.raises(TypeError, match=r"needs a `gradient\(x\)`"):
        regularizers.get(lambda x: x.sum())


@pytest.mark.parametrize("make, words", [
    (lambda: regularizers.L2(-0.1), "`l2`.*-0.1"),
    (lambda: regularizers.L1("0.1"), "`l1`.*'0.1'"),
    (lambda: regularizers.L1(True), "`l1`.*True"),
    (lambda: regularizers.L1L2(l2=float("nan")), "`l2`.*nan"),
    (lambda: regularizers.L1L2(l1=float("inf")), "`l1`.*inf"),
    (lambda: regularizers.get("l3"), "'l3'.*Known names"),
    (lambda: regularizers.OrthogonalRegularizer(-1), "`factor`.*-1"),
    (lambda: regularizers.OrthogonalRegularizer(mode="both"), "`mode`.*'both'"),
])
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
