"""The estimators for scikit-learn beside Keras': signatures, and results from the same first weights."""

import inspect

import numpy as np
import pytest

from minikeras import wrappers

pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install .[parity]")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
WEIGHTS = [RNG.normal(size=shape).astype("float32") for shape in ((3, 5), (5,), (5, 3), (3,))]
FIT = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0}


def make_model(X, y, keras, loss, activation):
    units = y.shape[1]
    stack = [keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(units, activation=activation)]
    model = keras.Sequential([keras.Input((X.shape[1],)), *stack])
    model.set_weights([w[..., :units] if i > 1 else w for i, w in enumerate(WEIGHTS)])
    model.compile("sgd", loss)
    return model


def both(keras, name, y, loss, activation):
    import minikeras

    for library in (minikeras, keras):
        arguments = {"keras": library, "loss": loss, "activation": activation}
        yield getattr(library.wrappers, name)(make_model, model_kwargs=arguments, fit_kwargs=FIT).fit(X, y)


@pytest.mark.parametrize("name", wrappers.__all__)
def test_signature(keras, name):
    ours, theirs = getattr(wrappers, name), getattr(keras.wrappers, name)
    assert inspect.signature(ours) == inspect.signature(theirs)
    for method, function in inspect.getmembers(theirs, inspect.isfunction):
        if not method.startswith("_"):
            signatures = [inspect.signature(f).parameters.values() for f in (getattr(ours, method), function)]
            assert len({tuple((p.name, p.default) for p in signature) for signature in signatures}) == 1, method


@pytest.mark.parametrize("labels", [["b", "c", "a"], [5, -1], [2.0, 1.0, 3.0]])
def test_classifier(keras, labels):
    y = np.array(labels)[np.arange(40) % len(labels)]
    ours, theirs = both(keras, "SKLearnClassifier", y, "categorical_crossentropy", "softmax")
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-4)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.predict(X).dtype == theirs.predict(X).dtype
    assert ours.score(X, y) == theirs.score(X, y)
    for key, values in theirs.history_.history.items():
        np.testing.assert_allclose(ours.history_.history[key], values, rtol=1e-4)


def test_regressor_and_transformer(keras):
    y = X @ [1.0, -2.0, 0.5]
    ours, theirs = both(keras, "SKLearnRegressor", y, "mse", None)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.score(X, y), theirs.score(X, y), rtol=1e-3)
    ours, theirs = both(keras, "SKLearnTransformer", y, "mse", None)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-4, atol=1e-5)
