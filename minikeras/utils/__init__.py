"""Small tools around training: labels to one-hot rows, seeds, splits, the progress bar, datasets, images."""

from minikeras.registry import register_keras_serializable
from minikeras.utils.dataset import PyDataset, Sequence, pack_x_y_sample_weight, split_dataset, unpack_x_y_sample_weight
from minikeras.utils.image_dataset import image_dataset_from_directory
from minikeras.utils.images import array_to_img, img_to_array, load_img, save_img
from minikeras.utils.numeric import normalize, to_categorical
from minikeras.utils.progbar import Progbar
from minikeras.utils.random import set_random_seed
from minikeras.utils.sequences import pad_sequences
from minikeras.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
