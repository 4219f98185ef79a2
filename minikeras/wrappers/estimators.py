"""Estimators of scikit-learn around a model: for its pipelines, cross-validation and searches over parameters."""

import numpy as np

from minikeras.models import Model, clone_model


def _base_classes():
    """Import scikit-learn's base classes. Without it the estimators are there to be read about, but cannot be made."""
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    except ImportError:
        names = ("BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin")
        return tuple(type(name, (), {}) for name in names)
    return BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin


BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin = _base_classes()


class SKLBase(BaseEstimator):
    """Abstract: what the estimators share. A subclass may turn targets into what its model learns, and back.

    Args:
        model: compiled model, which is cloned for each fit; or a function of (X, y, **model_kwargs) that returns one.
            ``y`` is what the model is to learn: (samples, 1), for classifiers one-hot rows.
        warm_start: whether a second fit goes on with the model of the first. A model that was given is then trained
            itself, no clone of it.
        model_kwargs: dict of arguments for ``model``, if it is a function.
        fit_kwargs: dict of arguments for the model's `fit`, as ``{"epochs": 5}``. Those of the estimator's own `fit` go
            before them.

    Attributes:
        model_: the trained model.
        history_: the `History` of its training.

    Raises:
        ImportError: scikit-learn is not installed.
    """

    def __init__(self, model, warm_start=False, model_kwargs=None, fit_kwargs=None):
        if BaseEstimator.__module__ == __name__:
            raise ImportError(f"{type(self).__name__} needs scikit-learn: pip install 'minikeras[sklearn]'")
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # each fit begins with other weights
        return tags

    def fit(self, X, y, **kwargs):
        """Train a model on (samples, features) and (samples,) targets; return the estimator.

        Args:
            X: array or data frame.
            y: labels or numbers.
            kwargs: for the model's `fit`.

        Raises:
            ValueError: data that no estimator could use. RuntimeError: the model is not compiled.
        """
        from sklearn.utils.validation import validate_data

        X, y = validate_data(self, X, y)
        y = self._process_target(y)
        model = self._make_model(X, y)
        if not isinstance(model, Model) or not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(
                "`model` must be a compiled model with a loss and an optimizer, or a function that returns one. "
                f"Received: {model!r}: call model.compile(...)"
            )
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def predict(self, X):
        """Return the predictions for (samples, features), in the form of the targets that `fit` was given."""
        return self._reverse_process_target(self._outputs(X))

    @property
    def epoch_(self):
        """How many epochs the last fit has trained."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def set_fit_request(self, **kwargs):
        """Say which of the arguments of `fit` other estimators pass on to it, in scikit-learn's metadata routing.

        Args:
            kwargs: names of arguments, as ``sample_weight=True``; an alias, False or None in place of True.

        Raises:
            RuntimeError: metadata routing is not enabled.
        """
        import sklearn

        if not sklearn.get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "`set_fit_request` needs metadata routing: call sklearn.set_config(enable_metadata_routing=True) first"
            )
        requests = self._get_metadata_request()
        for name, alias in kwargs.items():
            requests.fit.add_request(param=name, alias=alias)
        self._metadata_request = requests
        return self

    def _make_model(self, X, y):
        if self.warm_start and (isinstance(self.model, Model) or hasattr(self, "model_")):
            return getattr(self, "model_", self.model)
        if isinstance(self.model, Model):
            return clone_model(self.model)
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def _outputs(self, X):
        from sklearn.utils.validation import check_is_fitted, validate_data

        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False))

    def _process_target(self, y):
        """(samples,) -> (samples, 1), as the outputs of one unit are."""
        from sklearn.utils.multiclass import type_of_target

        type_of_target(y, raise_unknown=True)
        return y.reshape(-1, 1)

    def _reverse_process_target(self, outputs):
        return outputs.squeeze(1) if outputs.ndim == 2 else outputs


class SKLearnClassifier(ClassifierMixin, SKLBase):
    """A classifier for scikit-learn, of labels of any kind: numbers, strings, truth values.

        def make_model(X, y, units=16):
            model = keras.Sequential([layers.Dense(units, activation="relu"),
                                      layers.Dense(y.shape[1], activation="softmax")])
            return model.compile("adam", "categorical_crossentropy", input_shape=X.shape[1:])

        classifier = SKLearnClassifier(make_model, model_kwargs={"units": 32}, fit_kwargs={"epochs": 20, "verbose": 0})

    The model learns one-hot rows: it ends in as many units as there are classes, two where there are two. Arguments,
    attributes and errors: `SKLBase`.

    Attributes:
        classes_: the labels, sorted; the model's outputs are in their order.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # after the one epoch that is trained unless told otherwise
        return tags

    def decision_function(self, X):
        """Return the model's outputs for (samples, features): (samples, classes)."""
        return self._outputs(X)

    def _process_target(self, y):
        """Labels -> one-hot rows."""
        from sklearn.utils.multiclass import type_of_target

        kind = type_of_target(y, raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"`y` must hold one label a sample: only binary and multiclass targets are supported. Received targets "
                f"of the type {kind!r}. For numbers use SKLearnRegressor. Unknown label type: {kind}"
            )
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError(
                "`y` must hold at least two classes. Received only one class, "
                f"{self.classes_.tolist()[0]!r}: there is nothing to tell apart"
            )
        return np.eye(len(self.classes_))[numbers]

    def _reverse_process_target(self, outputs):
        return self.classes_[outputs.argmax(axis=1)]


class SKLearnRegressor(RegressorMixin, SKLBase):
    """A regressor for scikit-learn. The model ends in one unit. Arguments, attributes and errors: `SKLBase`."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, SKLBase):
    """A model whose outputs are the features for the next step of a pipeline.

    Arguments, attributes and errors: `SKLBase`.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X):
        """Return the model's outputs for (samples, features)."""
        return self._outputs(X)
