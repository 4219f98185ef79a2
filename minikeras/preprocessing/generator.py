"""`ImageDataGenerator`, Keras 1's image augmentation: each image turned, shifted and zoomed at random by itself."""

import numpy as np

from minikeras import config
from minikeras.messages import warn
from minikeras.preprocessing import affine
from minikeras.preprocessing.file_iterators import DataFrameIterator, DirectoryIterator
from minikeras.preprocessing.iterators import NumpyArrayIterator, new_random
from minikeras.registry import accepts_old_spellings


class ImageDataGenerator:
    """Makes batches of changed copies of images, from arrays (`flow`) or files (`flow_from_directory`).

    New code does the same inside of the model, for whole batches at once, with the layers `RandomFlip`,
    `RandomRotation`, `RandomZoom` and their like.

    Each image is transformed (rotation, shifts, shear, zoom, as one map; channel shift, flips, brightness), then
    standardized (``preprocessing_function``, ``rescale``, samplewise, featurewise, whitening).

    Args:
        featurewise_center, featurewise_std_normalization: subtract the mean, divide by the standard deviation of each
            channel over the data set. They need `fit`.
        samplewise_center, samplewise_std_normalization: the same with each image's own mean and deviation.
        zca_whitening, zca_epsilon: decorrelate the pixels, after `fit`; epsilon is added to the singular values.
        rotation_range: largest angle in degrees.
        width_shift_range, height_shift_range: a float below 1 is a fraction of the size, above a number of pixels; an
            integer n stands for -(n - 1) to n - 1 whole pixels; a list holds the possible shifts. (As in Keras 3.15 the
            height's shift moves along the width, and the width's along the height.)
        brightness_range: (low, high) of a factor.
        shear_range: largest angle in degrees.
        zoom_range: (low, high) of a factor, or z for (1 - z, 1 + z). Above 1 the content gets smaller.
        channel_shift_range: largest number added to all values.
        fill_mode, cval: what is shown outside of the image: see `apply_affine_transform`.
        horizontal_flip, vertical_flip: whether to flip half of the images.
        rescale: factor for all values, as 1/255; None for none.
        preprocessing_function: from an image with 3 axes to one of the same shape.
        data_format: order of the axes, by default `config.image_data_format`.
        validation_split: fraction of the images that ``subset="validation"`` gives, those at the beginning.
        interpolation_order: 1 for bilinear, 0 for the nearest pixel.
        dtype: float type of the batches, by default `config.floatx`.
    """

    @accepts_old_spellings
    def __init__(
        self,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        zca_epsilon=1e-6,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        brightness_range=None,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        data_format=None,
        validation_split=0.0,
        interpolation_order=1,
        dtype=None,
    ):
        affine.check_interpolation(fill_mode, interpolation_order)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` must be between 0 and 1. Received: {validation_split!r}")
        if isinstance(zoom_range, (int, float)):
            zoom_range = [1 - zoom_range, 1 + zoom_range]
        pairs = {"zoom_range": zoom_range, "brightness_range": (1, 1) if brightness_range is None else brightness_range}
        for name, pair in pairs.items():
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ValueError(f"`{name}` must be two numbers, (low, high). Received: {name}={pair!r}")
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range
        self.shear_range = shear_range
        self.zoom_range = list(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = config.standardize_data_format(data_format)
        self.interpolation_order = interpolation_order
        self.dtype = dtype or config.floatx()
        self._validation_split = validation_split
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        self.mean = self.std = self.zca_whitening_matrix = None
        self._random = None
        if zca_whitening:
            self._settle("zca_whitening", "featurewise_center", True)
            self._settle("zca_whitening", "featurewise_std_normalization", False)
        if self.featurewise_std_normalization:
            self._settle("featurewise_std_normalization", "featurewise_center", True)
        if samplewise_std_normalization:
            self._settle("samplewise_std_normalization", "samplewise_center", True)

    def _settle(self, name, other, value):
        """Some options need others."""
        if getattr(self, other) != value:
            setattr(self, other, value)
            warn(f"`{name}` sets `{other}` to {value}: pass {other}={value} to say so yourself")

    def flow(
        self,
        x,
        y=None,
        batch_size=32,
        shuffle=True,
        sample_weight=None,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        ignore_class_split=False,
        subset=None,
    ):
        """Return a `NumpyArrayIterator`: endless batches of x, (x, y) or (x, y, sample_weight) from arrays.

        Args:
            x: images of shape (samples, height, width, channels).
            y, sample_weight: arrays with a row for each image, or None.
            batch_size: images in a batch; the last of an epoch may have fewer.
            shuffle: whether to draw a new order for each epoch.
            seed: integer, the same numbers as Keras'; by default it follows `set_random_seed`.
            save_to_dir, save_prefix, save_format: folder to write each image to, and the files' names and type.
            ignore_class_split: allow a validation part without some of the classes.
            subset: ``"training"`` or ``"validation"``, with ``validation_split``.
        """
        arguments = dict(locals())
        del arguments["self"], arguments["x"], arguments["y"]
        return NumpyArrayIterator(x, y, self, data_format=self.data_format, dtype=self.dtype, **arguments)

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
        *,
        on_error="raise",
    ):
        """Return a `DirectoryIterator`: endless batches (images, labels) from a folder with a folder for each class.

        Args:
            directory: path of the folder.
            target_size, color_mode, interpolation, keep_aspect_ratio: as in `utils.load_img`.
            classes: list of the folders' names, if they are not to be numbered in alphabetical order, or not all.
            class_mode: ``"categorical"`` (one-hot rows), ``"binary"`` or ``"sparse"`` (numbers), ``"input"`` (the
                images themselves) or None (no labels).
            follow_links: whether to enter folders that are links.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in `flow`.
            on_error: ``"raise"`` or ``"skip"``: see `utils.image_dataset_from_directory`. (Keras raises.)
        """
        arguments = dict(locals())
        del arguments["self"], arguments["directory"]
        return DirectoryIterator(directory, self, data_format=self.data_format, dtype=self.dtype, **arguments)

    def flow_from_dataframe(
        self,
        dataframe,
        directory=None,
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
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        interpolation="nearest",
        validate_filenames=True,
        *,
        on_error="raise",
        **kwargs,
    ):
        """Return a `DataFrameIterator`: endless batches of image files that a table lists.

        Args:
            dataframe: pandas' `DataFrame`, or anything whose columns are ``dataframe[name]``, as a dict of lists.
            directory: folder that the files' names are relative to; None if they are whole paths.
            x_col, y_col, weight_col: names of the columns: file, label, sample weight. ``y_col`` may be a list for
                ``"raw"`` and ``"multi_output"``.
            classes: list of the labels in the order of their numbers; rows with others are left out.
            class_mode: as in `flow_from_directory`, or ``"raw"`` (the column as it is) or ``"multi_output"`` (a list
                of several).
            validate_filenames: whether to leave out, with a warning, files that are not there or are no images.
            target_size, color_mode, interpolation: as in `utils.load_img`.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in `flow`.
            on_error: ``"raise"`` or ``"skip"``: see `utils.image_dataset_from_directory`. (Keras raises.)
        """
        arguments = dict(locals())
        del arguments["self"], arguments["dataframe"], arguments["directory"], arguments["kwargs"]
        for name in kwargs:
            if name not in ("has_ext", "sort", "drop_duplicates"):
                raise TypeError(f"flow_from_dataframe() got an unexpected keyword argument {name!r}")
            warn(f"`{name}` has no effect any more: leave it out", DeprecationWarning)
        if class_mode == "other":
            warn("`class_mode`='other' is now called 'raw'", DeprecationWarning)
            arguments["class_mode"] = "raw"
        return DataFrameIterator(
            dataframe, directory, self, data_format=self.data_format, dtype=self.dtype, **arguments
        )

    def standardize(self, x):
        """Standardize images, in place where that is possible, and return them."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            x = (x.reshape(-1, self.zca_whitening_matrix.shape[0]) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _fitted(self, name, statistics):
        if statistics is None:
            warn(f"`{name}` has no effect before the generator has seen the data: call `fit(x)`")
        return statistics is not None

    def get_random_transform(self, img_shape, seed=None):
        """Draw the parameters of `apply_transform`, a dict.

        Args:
            img_shape: shape of the image, without a batch axis.
            seed: integer for numbers of its own, the same as Keras'; or a `numpy.random.RandomState` to draw from.
        """
        if isinstance(seed, np.random.RandomState):
            random = seed
        elif seed is not None:
            random = np.random.RandomState(seed)
        else:
            if self._random is None:
                self._random = new_random()
            random = self._random

        def shift(limit, size):
            if not limit:
                return 0
            try:  # a list of shifts, or an integer
                distance = random.choice(limit) * random.choice([-1, 1])
            except ValueError:
                distance = random.uniform(-limit, limit)
            return distance * size if np.max(limit) < 1 else distance

        def symmetric(limit):
            return random.uniform(-limit, limit) if limit else 0

        # in Keras' order: with its seed come its numbers
        theta = symmetric(self.rotation_range)
        tx = shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = symmetric(self.shear_range)
        zx, zy = (1, 1) if self.zoom_range == [1, 1] else random.uniform(*self.zoom_range, 2)
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": (random.random_sample() < 0.5) * self.horizontal_flip,
            "flip_vertical": (random.random_sample() < 0.5) * self.vertical_flip,
            "channel_shift_intensity": symmetric(self.channel_shift_range) if self.channel_shift_range else None,
            "brightness": None if self.brightness_range is None else random.uniform(*self.brightness_range),
        }

    def apply_transform(self, x, transform_parameters):
        """Return an image changed as a dict of `get_random_transform` (or some of its keys) says."""
        p = transform_parameters
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        numbers = {name: p[name] for name in ("theta", "tx", "ty", "shear", "zx", "zy") if name in p}
        x = affine.apply_affine_transform(
            x,
            **numbers,
            row_axis=row,
            col_axis=column,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if p.get("channel_shift_intensity") is not None:
            x = affine.apply_channel_shift(x, p["channel_shift_intensity"], channel)
        if p.get("flip_horizontal"):
            x = affine.flip_axis(x, column)
        if p.get("flip_vertical"):
            x = affine.flip_axis(x, row)
        if p.get("brightness") is not None:
            x = affine.brighten(x, p["brightness"], False, channel)
        return x

    def random_transform(self, x, seed=None):
        """Return an image changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Measure the mean, the deviation and the whitening matrix that the featurewise options need.

        Args:
            x: images of shape (samples, height, width, channels).
            augment: whether to measure changed images, ``rounds`` times as many, rather than the images themselves.
            seed: integer for these changes.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(f"`x` must have 4 axes, (samples, height, width, channels). Received shape: {x.shape}")
        channels = x.shape[self.channel_axis]
        if channels not in (1, 3, 4):
            warn(f"`x` has {channels} channels (axis {self.channel_axis} of shape {x.shape}): images have 1, 3 or 4")
        if self.rescale:
            x *= self.rescale
        if augment:
            random = new_random() if seed is None else np.random.RandomState(seed)
            changed = [self.random_transform(image, random) for _ in range(rounds) for image in x]
            x = np.stack(changed).astype(self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T
