"""The folder of downloaded data sets: a file is either there and whole, or not there."""

import os

import numpy as np

TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18
_MEND = "Delete the file to download it anew, or put a good copy in its place"


class DownloadError(OSError):
    """A data set that cannot be downloaded; the message says how to place the file by hand."""


def folder():
    """Return the cache folder: the environment variable MINIKERAS_HOME, or ``~/.minikeras``."""
    return os.path.abspath(os.path.expanduser(os.environ.get("MINIKERAS_HOME") or os.path.join("~", ".minikeras")))


def fetch(name, url, size, sha256):
    """Return the path of a file of the cache, downloading it if it is not there.

    Args:
        name: of the file in the cache folder, or an absolute path.
        url: where to download it from.
        size, sha256: what the downloaded file must have. A file that is there already is not held to them: its reader
            checks the content, so that a copy from elsewhere will do.

    Raises:
        DownloadError: no network, a server's error, or a wrong file. Nothing is left behind.
    """
    path = os.path.join(folder(), name)
    if os.path.exists(path):
        return path
    from http.client import HTTPException

    part = f"{path}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _download(url, part, size, sha256)
        os.replace(part, path)
        _sync_folder(os.path.dirname(path))
    except (OSError, HTTPException) as error:
        if hasattr(error, "close"):
            error.close()  # a server's error is its response too, with the connection
        raise DownloadError(
            f"Could not download {url}: {str(error) or type(error).__name__}. To place the file by hand, download it "
            f"with another program or on another machine and save it as {path} (the folder is set with the "
            "environment variable MINIKERAS_HOME)"
        ) from error
    finally:
        if os.path.exists(part):
            os.remove(part)
    return path


def _download(url, path, size, sha256):
    """Write what ``url`` serves to ``path`` and check it; OSError if it is not what it should be."""
    import hashlib
    from urllib.request import urlopen

    from tqdm import tqdm

    digest, received = hashlib.sha256(), 0
    with (
        urlopen(url, timeout=TIMEOUT) as response,
        open(path, "wb") as file,
        tqdm(total=size, unit="B", unit_scale=True, desc=os.path.basename(url)) as bar,
    ):
        while chunk := response.read(CHUNK):
            received += len(chunk)
            if received > size:
                break  # it is not the file, and may never end
            file.write(chunk)
            digest.update(chunk)
            bar.update(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    if received != size:
        raise OSError(f"expected {size} bytes, received {'more' if received > size else received}")
    if digest.hexdigest() != sha256:
        raise OSError(f"the SHA-256 of the file received is {digest.hexdigest()}, expected {sha256}")


def _sync_folder(path):
    """Make a rename in ``path`` survive a power failure, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(path, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_npz(path, shapes):
    """Return the uint8 arrays of an .npz file as a dict, after checking that they have the given ``shapes``.

    Raises:
        ValueError: the file is damaged, or holds other arrays.
    """
    import zipfile
    import zlib

    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [name for name in shapes if name not in archive]
            arrays = {name: archive[name] for name in shapes if not missing}
    except (AttributeError, TypeError, ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged or no .npz file ({error}). {_MEND}") from error
    if missing:
        raise ValueError(f"{path} has no array {missing[0]!r}; expected {', '.join(shapes)}. {_MEND}")
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.uint8:
            raise ValueError(
                f"Array {name!r} of {path} must be uint8 of shape {shape}. Received {array.dtype} of shape "
                f"{array.shape}. {_MEND}"
            )
    return arrays
