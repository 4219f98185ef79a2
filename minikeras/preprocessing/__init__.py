"""Data before training: images, sequences, texts. In Keras 3 most of it is old; new code uses layers and `utils`."""

from minikeras.preprocessing import digits, image, sequence, text
from minikeras.utils.image_dataset import image_dataset_from_directory
from minikeras.utils.timeseries import timeseries_dataset_from_array

__all__ = ["digits", "image", "image_dataset_from_directory", "sequence", "text", "timeseries_dataset_from_array"]
