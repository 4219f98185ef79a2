"""Endless batches of changed images from files: from a folder, or from a table of file names."""

import os

import numpy as np

from minikeras import config
from minikeras.messages import inform, warn
from minikeras.preprocessing.iterators import Iterator, subset_limits
from minikeras.utils.image_dataset import list_files, subfolders
from minikeras.utils.images import MODES, img_to_array, load_img, readable
from minikeras.utils.read_ahead import ELEMENTS


class FileIterator(Iterator):
    """What the iterators over files share: reading images, and making labels of classes.

    In `fit`, `evaluate` and `predict` a thread reads the next batches while the model works.
    """

    batches_ahead = ELEMENTS
    _targets = None  # columns of a table
    _sample_weight = None

    def set_processing_attrs(
        self,
        image_data_generator,
        target_size,
        color_mode,
        data_format,
        save_to_dir,
        save_prefix,
        save_format,
        subset,
        interpolation,
        keep_aspect_ratio,
    ):
        """Keep the arguments that say how a file becomes an image."""
        if color_mode not in MODES:
            raise ValueError(f"`color_mode` must be 'grayscale', 'rgb' or 'rgba'. Received: color_mode={color_mode!r}")
        if subset is not None:
            subset_limits(subset, image_data_generator, 1)
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.color_mode = color_mode
        self.data_format = config.standardize_data_format(data_format)
        channels = ({"grayscale": 1, "rgb": 3, "rgba": 4}[color_mode],)
        last = self.data_format == "channels_last"
        self.image_shape = self.target_size + channels if last else channels + self.target_size
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.subset = subset
        self.interpolation = interpolation
        self.keep_aspect_ratio = keep_aspect_ratio

    @property
    def filepaths(self):
        """Paths of all images."""
        return self._filepaths

    @property
    def labels(self):
        """Class numbers of all images, or their targets."""
        return self.classes if self._targets is None else self._targets

    @property
    def sample_weight(self):
        """Weights of all images, or None."""
        return self._sample_weight

    def _get_batches_of_transformed_samples(self, index_array):
        images = np.empty((len(index_array), *self.image_shape), self.dtype)
        for i, row in enumerate(index_array):
            with load_img(
                self._filepaths[row], self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio
            ) as image:
                images[i] = self._transformed(img_to_array(image, self.data_format))
        self._save(images, index_array, 10**7)
        if self.class_mode is None:
            return images
        labels = self._labels_of(images, index_array)
        return (images, labels) if self._sample_weight is None else (images, labels, self._sample_weight[index_array])

    def _labels_of(self, images, index_array):
        if self.class_mode == "input":
            return images.copy()
        if self.class_mode == "multi_output":
            return [column[index_array] for column in self._targets]
        if self.class_mode == "raw":
            return self._targets[index_array]
        numbers = [self.classes[row] for row in index_array]
        if self.class_mode != "categorical":
            return np.array(numbers, self.dtype)
        labels = np.zeros((len(images), len(self.class_indices)), self.dtype)
        for row, number in zip(labels, numbers):
            row[number] = 1  # an image may have several
        return labels


class DirectoryIterator(FileIterator):
    """Batches from a folder with a folder for each class; made by `ImageDataGenerator.flow_from_directory`.

    Attributes:
        samples, num_classes: numbers of images and of classes.
        class_indices: dict from the folders' names to the classes' numbers.
        classes: class number of each image; with ``on_error="skip"`` of those that can be read, as all here.
        filenames, filepaths: of the images, relative to the folder, and whole.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory,
        image_data_generator,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        data_format=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
        dtype=None,
        *,
        on_error="raise",
    ):
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"`class_mode` must be one of {self.allowed_class_modes}. Received: {class_mode!r}")
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory = directory
        self.class_mode = class_mode
        self.dtype = dtype or config.floatx()
        names = list(classes or subfolders(directory))
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        self._filepaths, numbers = [], []
        for number, name in enumerate(names):
            found = list(list_files(os.path.join(directory, name), self.white_list_formats, follow_links))
            if subset is not None:
                found = found[slice(*subset_limits(subset, image_data_generator, len(found)))]
            self._filepaths += found
            numbers += [number] * len(found)
        rows = readable(self._filepaths, on_error, color_mode)
        self._filepaths, numbers = [self._filepaths[i] for i in rows], [numbers[i] for i in rows]
        self.filenames = [os.path.relpath(path, directory) for path in self._filepaths]
        self.classes = np.array(numbers, "int32")
        self.samples = len(numbers)
        inform(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)


class DataFrameIterator(FileIterator):
    """Batches of the image files that a table lists; made by `ImageDataGenerator.flow_from_dataframe`.

    Its attributes are those of `DirectoryIterator`.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        dataframe,
        directory=None,
        image_data_generator=None,
        x_col="filename",
        y_col="class",
        weight_col=None,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        data_format="channels_last",
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
        dtype="float32",
        validate_filenames=True,
        *,
        on_error="raise",
    ):
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"`class_mode` must be one of {self.allowed_class_modes}. Received: {class_mode!r}")
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory = directory or ""
        self.class_mode = class_mode
        self.dtype = dtype
        names = list(dataframe[x_col])
        odd = next((name for name in names if not isinstance(name, str)), None)
        if odd is not None:
            raise TypeError(f"`x_col`={x_col!r} must hold file names. Received: {odd!r} ({type(odd).__name__})")
        paths = [os.path.join(self.directory, name) for name in names]
        rows = range(len(names))
        if validate_filenames:
            rows = [i for i in rows if paths[i].lower().endswith(self.white_list_formats) and os.path.isfile(paths[i])]
            if len(rows) < len(names):
                bad = next(i for i in range(len(names)) if i not in set(rows))
                warn(
                    f"{len(names) - len(rows)} of the files in `x_col`={x_col!r} are not there or no images, and are "
                    f"left out; the first is {paths[bad]!r}"
                )
        has_classes = class_mode in ("binary", "categorical", "sparse")
        if has_classes:
            values = list(dataframe[y_col])
            _check_labels(values, y_col, class_mode, classes)
            classes, values = _known_labels(values, rows, classes)
            rows = [i for i in rows if values[i] is not None]
            self.class_indices = {name: number for number, name in enumerate(classes)}
        elif classes:
            warn(f"`classes` has no effect with class_mode={class_mode!r}")
        if subset is not None:
            rows = rows[slice(*subset_limits(subset, image_data_generator, len(rows)))]
        rows = [rows[i] for i in readable([paths[i] for i in rows], on_error, color_mode)]
        if has_classes:
            numbers = self.class_indices
            self.classes = [_each(values[i], numbers.__getitem__) for i in rows]
        self.filenames = [names[i] for i in rows]
        self._filepaths = [paths[i] for i in rows]
        if weight_col:
            self._sample_weight = np.asarray(dataframe[weight_col])[rows]
            if self._sample_weight.dtype.kind not in "iufb":
                raise TypeError(f"`weight_col`={weight_col!r} must hold numbers. Received: {self._sample_weight.dtype}")
        if class_mode == "multi_output":
            if not isinstance(y_col, list):
                raise TypeError(f"class_mode='multi_output' needs a list of columns as `y_col`. Received: {y_col!r}")
            self._targets = [np.array(list(dataframe[column]))[rows] for column in y_col]
        elif class_mode == "raw":
            several = isinstance(y_col, list)
            columns = [np.asarray(dataframe[column])[rows] for column in (y_col if several else [y_col])]
            self._targets = np.stack(columns, axis=1) if several else columns[0]
        self.samples = len(rows)
        text = f"Found {self.samples} {'' if validate_filenames else 'non-'}validated image filenames"
        inform(text + (f" belonging to {len(classes)} classes." if has_classes else "."))
        super().__init__(self.samples, batch_size, shuffle, seed)


def _each(label, function):
    return [function(one) for one in label] if isinstance(label, (list, tuple)) else function(label)


def _check_labels(values, y_col, class_mode, classes):
    types = (str, list, tuple) if class_mode == "categorical" else str
    odd = next((value for value in values if not isinstance(value, types)), "")
    if not isinstance(odd, types):
        raise TypeError(
            f"`y_col`={y_col!r} must hold strings with class_mode={class_mode!r}. Received: {odd!r} "
            f"({type(odd).__name__}): convert the column, as df[{y_col!r}].astype(str), or use class_mode='raw'"
        )
    if class_mode == "binary":
        found = sorted(set(classes or values))
        if len(found) != 2:
            raise ValueError(f"class_mode='binary' needs exactly 2 classes. Received {len(found)}: {found[:10]}")


def _known_labels(values, rows, classes):
    """Return the classes' names and all labels, reduced to the known ones; None where there is none."""
    if not classes:
        found = set()
        for i in rows:
            found.update(values[i] if isinstance(values[i], (list, tuple)) else [values[i]])
        return sorted(found), values
    classes = list(dict.fromkeys(classes))

    def known(label):
        if isinstance(label, (list, tuple)):
            return [one for one in label if one in classes] or None
        return label if label in classes else None

    return classes, [known(value) for value in values]
