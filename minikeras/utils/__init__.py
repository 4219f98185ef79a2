"""Small tools around training: labels to one-hot rows, seeds, splits, the progress bar, datasets written in Python."""

from minikeras.registry import register_keras_serializable
from minikeras.utils.dataset import PyDataset, Sequence, split_dataset
from minikeras.utils.numeric import normalize, to_categorical
from minikeras.utils.progbar import Progbar
from minikeras.utils.random import set_random_seed

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "normalize",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]
