"""Endless batches of changed images. Each iterator is a `PyDataset` too: by index, of one epoch, as `fit` takes it."""

import os
import threading

import numpy as np

from minikeras import config
from minikeras.messages import warn
from minikeras.utils.dataset import PyDataset
from minikeras.utils.images import array_to_img


def new_random():
    """A source of the numbers that NumPy's global generator would give Keras, but not that one."""
    return np.random.RandomState(config.make_generator().integers(2**32, dtype=np.uint32))


class Iterator(PyDataset):
    """Batches of row numbers, which a subclass turns into data in `_get_batches_of_transformed_samples`.

    Args:
        n: number of samples.
        batch_size: samples in a batch; the last of an epoch may have fewer.
        shuffle: whether to draw a new order for each epoch.
        seed: integer for the numbers that Keras would draw; by default they follow `set_random_seed`.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n, batch_size, shuffle, seed, **kwargs):
        super().__init__(**kwargs)
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}")
        self.n = n
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.random = new_random()
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array = None
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def _reseed(self):
        if self.seed is not None:
            self.random = np.random.RandomState(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def _set_index_array(self):
        self.index_array = self.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def __getitem__(self, idx):
        if idx >= len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index {idx}")
        with self.lock:
            self._reseed()
            if self.index_array is None:
                self._set_index_array()
            rows = self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)]
            return self._get_batches_of_transformed_samples(rows)

    def __len__(self):
        return -(-self.n // self.batch_size)

    def on_epoch_end(self):
        self._set_index_array()

    def reset(self):
        """Start over with the first batch."""
        self.batch_index = 0

    def _flow_index(self):
        self.reset()
        while True:
            self._reseed()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size
            self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return self._get_batches_of_transformed_samples(next(self.index_generator))

    next = __next__

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError(f"{type(self).__name__} has no `_get_batches_of_transformed_samples(index_array)`")

    def _transformed(self, x):
        """One image, changed and standardized."""
        generator = self.image_data_generator
        if generator is None:
            return x
        x = generator.apply_transform(x, generator.get_random_transform(x.shape, self.random))
        return generator.standardize(x)

    def _save(self, images, index_array, numbers):
        """Write the images to the folder, if there is one, under names that do not repeat soon."""
        for image, row in zip(images, index_array if self.save_to_dir else ()):
            name = f"{self.save_prefix}_{row}_{self.random.randint(numbers)}.{self.save_format}"
            array_to_img(image, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))


class NumpyArrayIterator(Iterator):
    """Batches from arrays; made by `ImageDataGenerator.flow`."""

    def __init__(
        self,
        x,
        y,
        image_data_generator,
        batch_size=32,
        shuffle=False,
        sample_weight=None,
        seed=None,
        data_format=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        ignore_class_split=False,
        dtype=None,
    ):
        self.dtype = dtype or config.floatx()
        self.data_format = config.standardize_data_format(data_format)
        others = []
        if isinstance(x, (tuple, list)) and len(x) == 2 and np.ndim(x[0]) == 4:  # images, and arrays beside them
            x, others = x
            others = [np.asarray(other) for other in (others if isinstance(others, list) else [others])]
        arrays = {"x": x, "y": y, "sample_weight": sample_weight, **{f"x[1][{i}]": a for i, a in enumerate(others)}}
        for name, array in arrays.items():
            if array is not None and len(array) != len(x):
                raise ValueError(f"`x` and `{name}` must have as many rows. Received: {len(x)} and {len(array)}")
        rows = slice(None)
        if subset is not None:
            cut = subset_limits(subset, image_data_generator, len(x))
            rows = slice(*cut)
            edge = cut[1] if subset == "validation" else cut[0]
            if y is not None and not ignore_class_split:
                if not np.array_equal(np.unique(np.asarray(y)[:edge]), np.unique(np.asarray(y)[edge:])):
                    raise ValueError(
                        "The training and the validation part of `y` do not have the same classes. Shuffle x and y "
                        "before, or pass ignore_class_split=True"
                    )
        self.x, self.y, self.sample_weight = (None if a is None else np.asarray(a)[rows] for a in (x, y, sample_weight))
        self.x = self.x.astype(self.dtype, copy=False)
        self.x_misc = [other[rows] for other in others]
        if self.x.ndim != 4:
            hint = ": add a channel axis, x[..., None]" if self.x.ndim == 3 else ""
            raise ValueError(
                f"`x` must have 4 axes, (samples, height, width, channels). Received shape: {self.x.shape}{hint}"
            )
        axis = 3 if self.data_format == "channels_last" else 1
        if self.x.shape[axis] not in (1, 3, 4):
            warn(f"`x` has {self.x.shape[axis]} channels (axis {axis} of shape {self.x.shape}): images have 1, 3 or 4")
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array):
        images = np.empty((len(index_array), *self.x.shape[1:]), self.dtype)
        for i, row in enumerate(index_array):
            images[i] = self._transformed(self.x[row].copy())
        self._save(images, index_array, 10**4)
        x = [images, *(other[index_array] for other in self.x_misc)] if self.x_misc else images
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def subset_limits(subset, generator, n):
    """The first row of a subset, and the one after its last."""
    if subset not in ("training", "validation"):
        raise ValueError(f"`subset` must be 'training' or 'validation'. Received: subset={subset!r}")
    cut = int(n * generator._validation_split)
    return (0, cut) if subset == "validation" else (cut, n)
