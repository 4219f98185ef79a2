"""Images before training: `ImageDataGenerator`, and changes of single images. Old; layers do it inside of the model."""

from minikeras.preprocessing.affine import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from minikeras.preprocessing.file_iterators import DataFrameIterator, DirectoryIterator
from minikeras.preprocessing.generator import ImageDataGenerator
from minikeras.preprocessing.iterators import Iterator, NumpyArrayIterator
from minikeras.utils.images import array_to_img, img_to_array, load_img, save_img
from minikeras.utils.resizing import smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]
