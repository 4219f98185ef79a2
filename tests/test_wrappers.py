"""Estimators of scikit-learn: its own checks, and what it does with them."""

import pickle

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, wrappers

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

QUIET = {"verbose": 0}


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(1)


def make_model(X, y, loss, units=(10,), activation="softmax", learning_rate=0.001):
    keras.utils.set_random_seed(1)  # so that two fits give the same model
    stack = [layers.Dense(n, activation="relu") for n in units]
    model = keras.Sequential([keras.Input((X.shape[1],)), *stack, layers.Dense(y.shape[1], activation=activation)])
    return model.compile("rmsprop", loss, learning_rate=learning_rate)


def classifier(**arguments):
    model_kwargs = {"loss": "categorical_crossentropy", "learning_rate": 0.02}
    return wrappers.SKLearnClassifier(make_model, **{
        "model_kwargs": model_kwargs, "fit_kwargs": {"epochs": 20, **QUIET}, **arguments
    })  # fmt: skip


def regressor(**arguments):
    model_kwargs = {"loss": "mse", "activation": None, "learning_rate": 0.02}
    return wrappers.SKLearnRegressor(make_model, **{
        "model_kwargs": model_kwargs, "fit_kwargs": {"epochs": 20, **QUIET}, **arguments
    })  # fmt: skip


def clouds(labels, n=60):
    """Points around a centre for each label."""
    rng = np.random.default_rng(0)
    numbers = np.arange(n) % len(labels)
    centres = 3 * rng.normal(size=(len(labels), 4))
    return centres[numbers] + rng.normal(size=(n, 4)), np.array(labels)[numbers]


def line(n=60):
    X = np.random.default_rng(0).normal(size=(n, 3))
    return X, X @ [1.0, -2.0, 0.5] + 3


TWO_COLUMNS = "decision_function of two classes has two columns, as the model has outputs"
EXPECTED_FAILURES = {
    "SKLearnClassifier": {"check_classifiers_train": TWO_COLUMNS, "check_classifiers_classes": TWO_COLUMNS}
}  # a few of those that Keras lists


@parametrize_with_checks(
    [
        classifier(fit_kwargs={"epochs": 40, **QUIET}),
        regressor(fit_kwargs=QUIET),
        wrappers.SKLearnTransformer(make_model, model_kwargs={"loss": "mse", "activation": None}, fit_kwargs=QUIET),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("labels", [[0, 1, 2], [3, -1], ["cat", "dog", "emu"], [True, False], [2.0, 7.0, 5.0]])
def test_labels_of_any_kind(labels):
    X, y = clouds(labels)
    estimator = classifier().fit(X, y)
    assert estimator.classes_.tolist() == sorted(labels)
    assert (estimator.classes_.dtype, estimator.predict(X).dtype) == (y.dtype, y.dtype)
    assert estimator.predict(X).shape == (len(X),)
    assert estimator.score(X, y) > 0.95
    largest = estimator.decision_function(X).argmax(axis=1)
    np.testing.assert_array_equal(estimator.classes_[largest], estimator.predict(X))


def test_regressor():
    X, y = line()
    estimator = regressor(fit_kwargs={"epochs": 100, **QUIET}).fit(X, y)
    assert estimator.score(X, y) > 0.9
    assert estimator.predict(X).shape == (60,)
    np.testing.assert_array_equal(estimator.predict(X), estimator.model_.predict(X, verbose=0)[:, 0])
    assert (estimator.epoch_, len(estimator.history_.history["loss"]), regressor().epoch_) == (100, 100, 0)


def test_transformer_in_a_pipeline():
    X, y = line()
    model_kwargs = {"loss": "mse", "activation": None}
    features = wrappers.SKLearnTransformer(make_model, model_kwargs=model_kwargs, fit_kwargs=QUIET)
    assert features.fit_transform(X, y).shape == (60, 1)
    np.testing.assert_array_equal(features.transform(X), features.model_.predict(X, verbose=0))


def test_arguments_of_fit():
    X, y = clouds([0, 1])
    estimator = classifier(fit_kwargs={"epochs": 3, "batch_size": 60, **QUIET})
    assert len(estimator.fit(X, y, epochs=2).history_.epoch) == 2  # those of fit go first
    assert estimator.fit_kwargs == {"epochs": 3, "batch_size": 60, **QUIET}
    assert len(estimator.fit(X, y).history_.epoch) == 3
    assert len(classifier(fit_kwargs=None).fit(X, y, verbose=0).history_.epoch) == 1
    weights = (np.arange(60) % 2).astype(float)  # only the second class counts
    estimator = classifier().fit(X, y, sample_weight=weights)
    assert estimator.predict(X).mean() > 0.7
    assert 0.3 < classifier().fit(X, y).predict(X).mean() < 0.7


def compiled():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    return model.compile("sgd", "mse")


def test_a_model_is_cloned():
    X, y = line()
    model = compiled()
    before = model.get_weights()
    estimator = wrappers.SKLearnRegressor(model, fit_kwargs={"epochs": 2, **QUIET}).fit(X, y)
    assert estimator.model_ is not model
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    first = estimator.model_
    assert estimator.fit(X, y).model_ is not first


def test_warm_start():
    X, y = line()
    model = compiled()
    estimator = wrappers.SKLearnRegressor(model, warm_start=True, fit_kwargs={"epochs": 2, **QUIET})
    losses = [estimator.fit(X, y).history_.history["loss"][0] for _ in range(3)]
    assert estimator.model_ is model
    assert losses[0] > losses[1] > losses[2]
    estimator = regressor(warm_start=True)
    first = estimator.fit(X, y).model_
    assert estimator.fit(X, y).model_ is first
    assert clone(estimator).fit(X, y).model_ is not first


def test_clone():
    for estimator in (classifier(), wrappers.SKLearnClassifier(compiled(), warm_start=True, fit_kwargs={"epochs": 7})):
        twin = clone(estimator)
        assert type(twin) is wrappers.SKLearnClassifier
        for name in ("warm_start", "model_kwargs", "fit_kwargs"):  # Keras loses the last one
            assert getattr(twin, name) == getattr(estimator, name)
        assert (twin.model is estimator.model) == (estimator.model is make_model)
        assert twin.fit_kwargs is not estimator.fit_kwargs
    np.testing.assert_array_equal(twin.model.get_weights()[0], estimator.model.get_weights()[0])
    twin.set_params(fit_kwargs={"epochs": 1}, warm_start=False)
    assert twin.get_params()["fit_kwargs"] == {"epochs": 1}
    assert sorted(twin.get_params(deep=False)) == ["fit_kwargs", "model", "model_kwargs", "warm_start"]


def test_cross_validation_and_search():
    X, y = clouds(["a", "b", "c"])
    pipeline = make_pipeline(StandardScaler(), classifier())
    assert cross_val_score(pipeline, 1000 * X, y, cv=3).min() > 0.8
    rates = [{"loss": "categorical_crossentropy", "learning_rate": rate} for rate in (1e-9, 0.03)]
    search = GridSearchCV(classifier(), {"model_kwargs": rates, "fit_kwargs": [{"epochs": 15, **QUIET}]}, cv=2)
    search.fit(X, y)
    assert search.best_params_["model_kwargs"]["learning_rate"] == 0.03
    assert search.best_estimator_.epoch_ == 15
    assert search.score(X, y) > 0.9


def test_pickle():
    X, y = clouds(["a", "b"])
    estimator = classifier().fit(X, y)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))


def test_metadata_routing():
    X, y = clouds([0, 1])
    weights = (np.arange(60) % 2).astype(float)
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        classifier().set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = classifier().set_fit_request(sample_weight="importance")
        make_pipeline(StandardScaler(), asking).fit(X, y, importance=weights)
        assert asking.predict(StandardScaler().fit_transform(X)).mean() > 0.7
        assert clone(asking).get_metadata_routing().fit.requests == {"sample_weight": "importance"}


def uncompiled(X, y):
    return keras.Sequential([keras.Input((3,)), layers.Dense(1)])


def without_loss(X, y):
    return uncompiled(X, y).compile("sgd")


@pytest.mark.parametrize("model", [uncompiled, uncompiled(None, None), without_loss, lambda X, y: None])
def test_models_that_cannot_be_trained(model):
    with pytest.raises(RuntimeError, match=r"`model` must be a compiled model.*model\.compile"):
        wrappers.SKLearnRegressor(model).fit(*line())


def test_targets_that_are_no_labels():
    X, y = line()
    with pytest.raises(ValueError, match="`y` must hold one label a sample.*'continuous'.*SKLearnRegressor"):
        classifier().fit(X, y)
    with pytest.raises(ValueError, match="`y` must hold at least two classes.*only one class, 3"):
        classifier().fit(X, np.full(60, 3))
    with pytest.raises(ValueError, match="Unknown label type"):
        regressor().fit(X, np.array([{}] * 60))
    with pytest.raises(sklearn.exceptions.NotFittedError):
        classifier().predict(X)
