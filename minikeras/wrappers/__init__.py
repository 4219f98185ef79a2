"""Models as estimators of scikit-learn, which is an optional extra: ``pip install 'minikeras[sklearn]'``."""

from minikeras.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
