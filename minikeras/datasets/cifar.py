"""What CIFAR-10 and CIFAR-100 share: the archive, and rows of labels and of red, green and blue pixels.

Of the forms the data sets come in this is the binary one: the other, for Python, is pickles, which can run any program.
"""

import os
import tempfile

import numpy as np

from minikeras import config
from minikeras.datasets import cache

PIXELS = 3 * 32 * 32


def load(archive, url, size, digest, files, labels):
    """Return the rows of the named files as (images, labels).

    Args:
        archive: name of the archive in the cache. url, size, digest: as in `cache.fetch`.
        files: dict from paths, in the archive and in the cache folder, to numbers of rows.
        labels: number of label bytes before each image.

    Returns:
        images: uint8 array in the order of axes of `config.image_data_format`.
        labels: uint8 array of shape (samples, labels).
    """
    row = labels + PIXELS
    paths = {name: os.path.join(cache.folder(), *name.split("/")) for name in files}
    if not all(os.path.exists(path) for path in paths.values()):
        file = cache.fetch(archive, url, size, digest)
        _unpack(file, {name: count * row for name, count in files.items()})
    parts = []
    for name, count in files.items():
        data = np.fromfile(paths[name], np.uint8)
        if data.size != count * row:
            raise cache.damaged(paths[name], f"it has {data.size} bytes instead of {count * row}")
        parts.append(data.reshape(count, row))
    rows = np.concatenate(parts)
    images = rows[:, labels:].reshape(-1, 3, 32, 32)
    if config.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), rows[:, :labels].copy()


def _unpack(archive, sizes):
    """Write the files of an archive that are wanted, each whole or not at all."""
    import tarfile
    import zlib

    try:
        with tarfile.open(archive) as tar:
            for name, size in sizes.items():
                member = tar.getmember(name)
                if not member.isfile() or member.size != size:
                    raise cache.damaged(archive, f"{name} has {member.size} bytes instead of {size}")
                _write(tar.extractfile(member).read(), os.path.join(cache.folder(), *name.split("/")))
    except (KeyError, EOFError, tarfile.TarError, zlib.error) as error:
        raise cache.damaged(archive, error) from error


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
