"""Small tools around training: data sets, images, one-hot rows, files, seeds, configs, the progress bar."""

from minikeras.backend import clear_session, is_keras_tensor, standardize_dtype
from minikeras.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from minikeras.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minikeras.utils.dataset import PyDataset, Sequence, pack_x_y_sample_weight, split_dataset, unpack_x_y_sample_weight
from minikeras.utils.files import get_file
from minikeras.utils.image_dataset import image_dataset_from_directory
from minikeras.utils.images import array_to_img, img_to_array, load_img, save_img
from minikeras.utils.model_plot import plot_model
from minikeras.utils.named_values import Config
from minikeras.utils.numeric import normalize, to_categorical
from minikeras.utils.progbar import Progbar
from minikeras.utils.random import set_random_seed
from minikeras.utils.sequences import pad_sequences
from minikeras.utils.serialization import deserialize_keras_object, serialize_keras_object
from minikeras.utils.terminal_images import image_to_ascii, show_image_terminal
from minikeras.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "Config", "CustomObjectScope", "Progbar", "PyDataset", "Sequence", "array_to_img", "clear_session",
    "custom_object_scope", "deserialize_keras_object", "disable_interactive_logging", "enable_interactive_logging",
    "get_custom_objects", "get_file", "get_registered_name", "get_registered_object",
    "image_dataset_from_directory", "image_to_ascii", "img_to_array", "is_interactive_logging_enabled",
    "is_keras_tensor", "load_img", "normalize", "pack_x_y_sample_weight", "pad_sequences", "plot_model",
    "register_keras_serializable", "save_img", "serialize_keras_object", "set_random_seed", "show_image_terminal",
    "split_dataset", "standardize_dtype", "timeseries_dataset_from_array", "to_categorical",
    "unpack_x_y_sample_weight",
]  # fmt: skip
