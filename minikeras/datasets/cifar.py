"""What CIFAR-10 and CIFAR-100 share: the archive, and rows of labels and of red, green and blue pixels.

Of the forms the data sets come in this is the binary one: the other, for Python, is pickles, which can run any program.
"""

import os
import tempfile

import numpy as np

from minikeras import config
from minikeras.datasets import cache

PIXELS = 3 * 32 * 32


def load(archive, url, size, digest, parts, labels):
    """Return the rows of the named files as (images, labels), a pair for each of ``parts``.

    Args:
        archive: name of the archive in the cache. url, size, digest: as in `cache.fetch`.
        parts: dicts from paths, in the archive and in the cache folder, to numbers of rows.
        labels: number of label bytes before each image.

    Returns:
        images: uint8 array in the order of axes of `config.image_data_format`.
        labels: uint8 array of shape (samples, labels).

    Raises:
        DownloadError: a download that failed. ValueError: files that are not what they should be.
    """
    sizes = {name: count * (labels + PIXELS) for files in parts for name, count in files.items()}
    if not all(os.path.exists(_path(name)) for name in sizes):
        folder = os.path.dirname(_path(next(iter(sizes))))
        _unpack(cache.fetch(archive, url, size, digest, f", or what is in it as the folder {folder}"), sizes)
    return tuple(_read(files, labels) for files in parts)


def _path(name):
    return os.path.join(cache.folder(), *name.split("/"))


def _read(files, labels):
    """Return the images and labels of some files, read one after the other into one array."""
    last = config.image_data_format() == "channels_last"
    samples, start = sum(files.values()), 0
    images = np.empty((samples, 32, 32, 3) if last else (samples, 3, 32, 32), np.uint8)
    numbers = np.empty((samples, labels), np.uint8)
    for name, count in files.items():
        data = np.fromfile(_path(name), np.uint8)
        if data.size != count * (labels + PIXELS):
            raise cache.damaged(_path(name), f"it has {data.size} bytes instead of {count * (labels + PIXELS)}")
        rows, place = data.reshape(count, -1), slice(start, start + count)
        planes = rows[:, labels:].reshape(-1, 3, 32, 32)
        images[place] = planes.transpose(0, 2, 3, 1) if last else planes
        numbers[place] = rows[:, :labels]
        start += count
    return images, numbers


def _unpack(archive, sizes):
    """Write the files of an archive that are wanted, each whole or not at all, in one pass: it is compressed."""
    import tarfile
    import zlib

    missing = dict(sizes)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                size = missing.pop(member.name, None)
                if size is None:
                    continue
                if not member.isfile() or member.size != size:
                    raise cache.damaged(archive, f"{member.name} has {member.size} bytes instead of {size}")
                _write(tar.extractfile(member).read(), _path(member.name))
    except (EOFError, tarfile.TarError, zlib.error) as error:
        raise cache.damaged(archive, error) from error
    if missing:
        raise cache.damaged(archive, f"it has no {next(iter(missing))}")


def _write(data, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as file:
        try:
            file.write(data)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            os.remove(file.name)
            raise
