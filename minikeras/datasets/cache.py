"""The folder of downloaded data sets: a file is either there and whole, or not there."""

import os

import numpy as np

TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18
OFFLINE = (
    "What needs no network: datasets.digits, and datasets.synthetic, as synthetic.images(), which are never used by "
    "themselves in place of another data set"
)
_MEND = "Delete the file to download it anew, or put a good copy in its place"


class DownloadError(OSError):
    """A file that cannot be downloaded; the message says how to place it by hand."""


class HashError(DownloadError, ValueError):
    """A downloaded file is not the one that was expected."""


def folder():
    """Return the cache folder: the environment variable MINIKERAS_HOME, or ``~/.minikeras``."""
    return os.path.abspath(os.path.expanduser(os.environ.get("MINIKERAS_HOME") or os.path.join("~", ".minikeras")))


def fetch(name, url, size=None, digest=None, instead=""):
    """Return the path of a file of the cache, downloading it if it is not there.

    Args:
        name: of the file in the cache folder, or an absolute path.
        url: where to download it from.
        size, digest: what the downloaded file must have: bytes, and SHA-256 or MD5 in hexadecimal. A file that is there
            already is not held to them: its reader checks the content, so that a copy from elsewhere will do.
        instead: for the error, what else one may place by hand.

    Raises:
        DownloadError: no network, a server's error, or a wrong file. Nothing is left behind. The message says where to
            place the file by hand, and what there is without a network.
    """
    path = os.path.join(folder(), name)
    if not os.path.exists(path):
        hint = f"{instead} (the folder is set with the environment variable MINIKERAS_HOME). {OFFLINE}"
        download(url, path, size, digest, hint)
    return path


def download(url, path, size=None, digest=None, hint=""):
    """Save what ``url`` serves as ``path``, whole or not at all; its folder is made.

    Args:
        size, digest: as in `fetch`; None for any.
        hint: what the error says after the path where to save the file by hand.

    Raises:
        HashError: another digest. DownloadError: everything else that can go wrong.
    """
    from http.client import HTTPException

    part = f"{path}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(url, part, size, digest)
        os.replace(part, path)
        _sync_folder(os.path.dirname(path))
    except (OSError, HTTPException, ValueError) as error:  # ValueError: an address that is none
        if hasattr(error, "close"):
            error.close()  # a server's error is its response too, with the connection
        kind = HashError if isinstance(error, HashError) else DownloadError
        raise kind(
            f"Could not download {url}: {str(error) or type(error).__name__}. To place the file by hand, download it "
            f"with another program or on another machine and save it as {path}{hint}"
        ) from error
    finally:
        if os.path.exists(part):
            os.remove(part)


def _write(url, path, size, digest):
    """Write what ``url`` serves to ``path`` and check it; OSError if it is not what it should be."""
    from urllib.request import urlopen

    from tqdm import tqdm

    received, hasher = 0, hasher_for(digest)
    with urlopen(url, timeout=TIMEOUT) as response, open(path, "wb") as file:
        expected = size if size is not None else _declared_size(response)
        with tqdm(total=expected, unit="B", unit_scale=True, desc=os.path.basename(url)) as bar:
            while chunk := response.read(CHUNK):
                received += len(chunk)
                if expected is not None and received > expected:
                    break  # it is not the file, and may never end
                file.write(chunk)
                hasher.update(chunk)
                bar.update(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    if expected is not None and received != expected:
        raise OSError(f"expected {expected} bytes, received {'more' if received > expected else received}")
    if digest is not None and hasher.hexdigest() != digest.lower():
        name = {"sha256": "SHA-256", "md5": "MD5"}[hasher.name]
        raise HashError(f"the {name} of the file received is {hasher.hexdigest()}, expected {digest}")


def _declared_size(response):
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def hasher_for(digest):
    """Return what computes digests of this one's kind: MD5 for 32 digits, else SHA-256."""
    import hashlib

    if digest is not None and len(digest) == 32:
        return hashlib.md5(usedforsecurity=False)
    return hashlib.sha256()


def matches(path, digest):
    """Whether a file has the given SHA-256 or MD5."""
    hasher = hasher_for(digest)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest() == digest.lower()


def _sync_folder(path):
    """Make a rename in ``path`` survive a power failure, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(path, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_npz(path, shapes, dtype=np.uint8, reader=np.load):
    """Return arrays of an .npz file as a dict, after checking that they have the given ``shapes``.

    Args:
        shapes: dict from names to shapes; None stands for any size.
        dtype: type of all arrays; None for any type of numbers.
        reader: `numpy.load`, or what takes its place.

    Raises:
        ValueError: the file is damaged, or holds other arrays.
    """
    import zipfile
    import zlib

    try:
        with open(path, "rb") as file, reader(file, allow_pickle=False) as archive:
            missing = [name for name in shapes if name not in archive]
            arrays = {name: archive[name] for name in shapes if not missing}
    except (AttributeError, TypeError, ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged or no .npz file ({error}). {_MEND}") from error
    if missing:
        raise ValueError(f"{path} has no array {missing[0]!r}; expected {', '.join(shapes)}. {_MEND}")
    for name, shape in shapes.items():
        array = arrays[name]
        fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape))
        if not fits or (array.dtype.kind not in "iufO" if dtype is None else array.dtype != dtype):
            wanted = "numbers" if dtype is None else np.dtype(dtype).name
            raise ValueError(
                f"Array {name!r} of {path} must be {wanted} of shape {shape}. Received {array.dtype} of shape "
                f"{array.shape}. {_MEND}"
            )
    return arrays


def damaged(path, reason):
    """Return the error for a file of the cache that is not what it should be."""
    return ValueError(f"{path} is damaged or another file ({reason}). {_MEND}")
