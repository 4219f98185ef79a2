"""Images in folders named after their classes, as batches for `fit`."""

import os

import numpy as np

from minikeras import config
from minikeras.messages import inform
from minikeras.utils.images import MODES, load_img, pillow, readable
from minikeras.utils.read_ahead import ELEMENTS, read_ahead
from minikeras.utils.resizing import INTERPOLATIONS, crop, pad, resized
from minikeras.utils.stream import Array, Stream

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
SINGLE = 32  # images that are read ahead where there are no batches


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    format="tf",
    verbose=True,
    *,
    on_error="raise",
):
    """Return batches (images, labels) of a folder of image files; a thread reads two batches ahead, or 32 images.

    Args:
        directory: path of a folder with a folder of images for each class.
        labels: ``"inferred"`` from the folders' names, None for images only, or a list of integers, one for each file
            in the order of the sorted paths.
        label_mode: ``"int"``, ``"categorical"`` (one-hot rows), ``"binary"`` or None for images only.
        class_names: list of folder names, if they are not to be numbered in alphabetical order, or not all.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``: 1, 3 or 4 channels.
        batch_size: images in a batch (the last may have fewer); None for single images.
        image_size: (height, width) that all images are scaled to.
        shuffle: whether the order is drawn anew for each pass; otherwise that of the sorted paths.
        seed: integer; by default drawn. Two calls that split the same files need the same one.
        validation_split: fraction of the files, from the end of the shuffled order, that are for validation.
        subset: ``"training"``, ``"validation"`` or ``"both"`` (a list of two data sets) if there is a split.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"area"``, ``"lanczos3"``, ``"lanczos5"``,
            ``"gaussian"`` or ``"mitchellcubic"``, none of them with antialiasing.
        follow_links: whether to enter folders that are links.
        crop_to_aspect_ratio: whether to cut the longer side of an image at both ends instead of distorting it.
        pad_to_aspect_ratio: whether to put black bars beside the shorter side instead.
        data_format: order of the images' axes, by default `config.image_data_format`.
        format: ``"tf"`` or ``"grain"``. Both give the same data set, which needs neither.
        verbose: whether to print how many files were found.
        on_error: ``"raise"`` for an OSError with the path of a file that cannot be read, when its turn comes;
            ``"skip"`` to read all files once before, and leave those out, with a warning that names them. Batches,
            labels, ``file_paths`` and the length are then those of the others. (Keras raises.)

    Returns:
        A `Stream`: iterable, with a length, `take`, `map`, `cache`, `shuffle` and so on, and the attributes
        ``class_names`` and ``file_paths``. Images are float32 of shape (batch, height, width, channels), values 0 to
        255; labels int32 of shape (batch,), or float32 of shape (batch, classes) or (batch, 1) for ``"binary"``.

    Raises:
        ImportError: Pillow is not installed. ValueError: a bad argument, or a folder without images. FileNotFoundError,
            NotADirectoryError, PermissionError: the folder, or one in it, cannot be read.
    """
    interpolation = str(interpolation).lower()
    _check(labels, label_mode, class_names, color_mode, image_size, interpolation, format, batch_size)
    _check_split(validation_split, subset, shuffle, seed)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True")
    data_format = config.standardize_data_format(data_format)
    pillow("image_dataset_from_directory")
    if labels is None or label_mode is None:
        labels = label_mode = None
    if seed is None:
        seed = int(config.make_generator().integers(10**6))
    paths, labels, names = _index(directory, labels, class_names, follow_links, verbose)
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(f"`label_mode`='binary' needs exactly 2 classes. Received {len(names)}: {names[:10]}")
    if label_mode in ("binary", "categorical") and not set(labels) <= set(range(len(names))):
        raise ValueError(
            f"`labels` must be 0 to {len(names) - 1}, one number a class, with label_mode={label_mode!r}. Received: "
            f"{names[:10]}"
        )
    if shuffle:
        _shuffle(seed, paths, labels)
    image_size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None

    def make(subset, shuffle):
        files, numbers = _split(paths, labels, validation_split, subset)
        rows = readable(files, on_error, color_mode)
        files, numbers = ([values[i] for i in rows] if values is not None else None for values in (files, numbers))
        if not files:
            hint = ", in folders named after their classes: for a folder without such labels=None" * (names == [])
            raise ValueError(
                f"No {f'{subset} ' if subset else ''}images found in {os.fspath(directory)!r}: files that end in "
                f"{', '.join(FORMATS)}{hint}"
            )

        def read(path):
            return read_image(path, color_mode, image_size, interpolation, aspect, data_format)

        targets = None if label_mode is None else _targets(numbers, label_mode, len(names))
        stream = _stream(files, targets, read, batch_size, seed if shuffle else None)
        stream.class_names = names
        stream.file_paths = files
        return stream

    if subset == "both":
        return [make("training", shuffle), make("validation", False)]
    return make(subset, shuffle)


def _stream(files, targets, read, batch_size, seed):
    """Batches of files (or single ones), in a new order for each pass if there is a seed."""
    generator = None if seed is None else config.make_generator(seed)

    def batches(order):
        for start in range(0, len(files), batch_size or 1):
            rows = order[start : start + batch_size] if batch_size else order[start]
            images = np.stack([read(files[i]) for i in rows]) if batch_size else read(files[rows])
            images = images.view(Array)
            yield images if targets is None else (images, targets[rows])

    def make():
        order = np.arange(len(files)) if generator is None else generator.permutation(len(files))
        return read_ahead(batches(order), ELEMENTS if batch_size else SINGLE)

    return Stream(make, -(-len(files) // (batch_size or 1)))


def read_image(path, color_mode="rgb", size=(256, 256), interpolation="bilinear", aspect=None, data_format=None):
    """Return an image file as a float32 array of values 0 to 255, scaled to ``size``.

    Args:
        aspect: ``"crop"``, ``"pad"`` or None for an image that may be distorted.
    """
    image = np.asarray(load_img(path, color_mode), np.float32)
    image = image[..., None] if image.ndim == 2 else image
    if aspect is not None:
        image = crop(image, size) if aspect == "crop" else pad(image, size)
    image = resized(image, size, interpolation)
    return image.transpose(2, 0, 1) if config.standardize_data_format(data_format) == "channels_first" else image


def _targets(numbers, label_mode, classes):
    numbers = np.asarray(numbers, np.int32)
    if label_mode == "binary":
        return numbers[:, None].astype(np.float32).view(Array)
    if label_mode == "categorical":
        return (numbers[:, None] == np.arange(classes)).astype(np.float32).view(Array)
    return numbers.view(Array)


def _index(directory, labels, class_names, follow_links, verbose):
    """Return all paths, their labels (or None) and the classes' names (or None)."""
    if labels == "inferred":
        folders = [name for name in subfolders(directory) if name[0] != "."]
        if class_names is not None:
            missing = [name for name in class_names if name not in folders]
            if missing:
                raise ValueError(
                    f"`class_names` must be names of folders in {directory!r}. Received: {missing[0]!r}, expected some "
                    f"of {folders[:10]}"
                )
            folders = list(class_names)
    else:
        folders = [""]
    paths, numbers = [], []
    for number, folder in enumerate(folders):
        found = list(list_files(os.path.join(directory, folder), FORMATS, follow_links))
        paths += found
        numbers += [number] * len(found)
    if labels == "inferred":
        labels, names = numbers, folders
    elif labels is None:
        names = None
    else:
        if len(labels) != len(paths):
            raise ValueError(
                f"`labels` must have one for each image in {directory!r}. Received: {len(labels)} for {len(paths)}"
            )
        names = [str(label) for label in sorted(set(labels))]
    if verbose:
        inform(f"Found {len(paths)} files" + ("." if names is None else f" belonging to {len(names)} classes."))
    return paths, None if labels is None else list(labels), names


def subfolders(directory):
    """Return the names of the folders in a folder, sorted."""
    return [name for name in sorted(os.listdir(directory)) if os.path.isdir(os.path.join(directory, name))]


def list_files(directory, formats, follow_links=False):
    """Yield the paths of files whose names end in one of ``formats``, sorted by folder and name."""
    walk = os.walk(directory, onerror=_raise, followlinks=follow_links)
    for folder, _, names in sorted(walk, key=lambda entry: entry[0]):
        for name in sorted(names):
            if name.lower().endswith(formats):
                yield os.path.join(folder, name)


def _raise(error):
    """A folder that cannot be read is an error: its class would be empty in silence."""
    raise error


def _shuffle(seed, *lists):
    """Shuffle lists alike, in Keras' order for the same seed: a split is the same in both."""
    for values in lists:
        if values is not None:
            np.random.RandomState(seed).shuffle(values)


def _split(paths, labels, validation_split, subset):
    if not validation_split:
        return paths, labels
    count = int(validation_split * len(paths))
    rows = slice(len(paths) - count) if subset == "training" else slice(len(paths) - count, None)
    inform(f"Using {len(paths[rows])} files for {subset}.")
    return paths[rows], None if labels is None else labels[rows]


def _check(labels, label_mode, class_names, color_mode, image_size, interpolation, format, batch_size):
    given = isinstance(labels, (list, tuple)) and all(isinstance(label, (int, np.integer)) for label in labels)
    if not (given or labels is None or (isinstance(labels, str) and labels == "inferred")):
        raise ValueError(f"`labels` must be 'inferred', None or a list of integers. Received: labels={labels!r:.80}")
    if class_names is not None and (given or labels is None):
        raise ValueError("`class_names` can only be given with labels='inferred': they are names of folders")
    one_of = {
        "label_mode": (label_mode, ("int", "categorical", "binary", None)),
        "color_mode": (color_mode, tuple(MODES)),
        "interpolation": (interpolation, INTERPOLATIONS),
        "format": (format, ("tf", "grain")),
    }
    for name, (value, allowed) in one_of.items():
        if value not in allowed:
            raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={value!r}")
    sizes = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(sizes, (list, tuple)) or len(sizes) != 2 or not all(_positive(size) for size in sizes):
        raise ValueError(f"`image_size` must be (height, width), two positive integers. Received: {image_size!r}")
    if batch_size is not None and not _positive(batch_size):
        raise ValueError(f"`batch_size` must be a positive integer or None. Received: batch_size={batch_size!r}")


def _positive(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value > 0


def _check_split(validation_split, subset, shuffle, seed):
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1. Received: {validation_split!r}")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f"`subset` must be 'training', 'validation' or 'both'. Received: subset={subset!r}")
    if bool(validation_split) != bool(subset):
        raise ValueError(
            "`validation_split` and `subset` go together. Received: "
            f"validation_split={validation_split!r}, subset={subset!r}"
        )
    if validation_split and shuffle and seed is None and subset != "both":
        raise ValueError(
            "A shuffled split needs a `seed`, the same in both calls, or images would be in both parts. Pass seed=..., "
            "shuffle=False or subset='both'"
        )
