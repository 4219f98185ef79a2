"""Writing a file whole or not at all: under another name beside it, and renamed when it is safely on the disk."""

import contextlib
import os
import stat


@contextlib.contextmanager
def replacing(path):
    """Yield the path of a temporary file in the same folder, to be written in the ``with`` block.

    It takes the place of ``path`` at the end of the block. If anything fails, it is removed and ``path`` is as it was.

    Raises:
        FileNotFoundError: the folder does not exist. IsADirectoryError: ``path`` is one. PermissionError: ``path`` is
            protected against writing.
    """
    path = os.path.realpath(path)  # a link stays, and what it points to is replaced
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no folder {folder!r} to save {path!r} in: make it first, with os.makedirs")
    if os.path.isdir(path):
        raise IsADirectoryError(f"`filepath` must be a file's path. Received that of a folder: {path!r}")
    exists = os.path.exists(path)
    if exists and not os.access(path, os.W_OK):
        raise PermissionError(f"{path!r} is protected against writing: change its permissions or choose another name")
    temporary = os.path.join(folder, f".{os.urandom(8).hex()}.tmp")
    try:
        yield temporary
        if exists:
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder):
    """Make the renaming last through a power failure, where folders can be synchronized (not on Windows)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
