"""The one place where HDF5 files are opened for reading. A file may come from anybody, so nothing in it is believed.

Members are looked up by the names that a model expects, one step at a time, and only through hard links: a soft or
external one would lead elsewhere. An array is read only after its shape and type are known to be the expected ones, so
a file cannot make us allocate more than the model itself takes. Compressed arrays are refused: HDF5 unpacks a block
before it looks at the size, and a thousandth of it is enough to fill the memory. (Keras compresses nothing.)
"""

import contextlib
import io
import math
import os

import numpy as np

MAX_MEMBERS = 10_000  # of a group; a model has fewer layers
SIGNATURE = b"\x89HDF\r\n\x1a\n"


class FileFormatError(OSError):
    """A file that is damaged, that is not of the format expected, or that holds what is not allowed there."""


@contextlib.contextmanager
def open_file(path):
    """Open an HDF5 file and yield its root, a `Group`.

    Raises:
        FileNotFoundError: with the absolute path and similar names beside it.
        FileFormatError: it is no HDF5 file, or not all of it.
    """
    path = os.path.abspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"`filepath` must be a file's path. Received that of a folder: {path!r}")
    if not os.path.exists(path):
        raise FileNotFoundError(_not_found(path))
    if not os.path.isfile(path):
        raise FileFormatError(f"{path!r} is not a regular file")
    with open(path, "rb") as file:  # what is checked and what h5py reads is then one and the same file
        _check_signature(file, path)
        import h5py

        root = None
        try:
            with reporting(path, "/"):
                root = h5py.File(file, "r")
            yield Group(root, path)
        finally:
            if root is not None:
                root.close()


@contextlib.contextmanager
def reporting(path, place):
    """Turn whatever HDF5 raises on a damaged file into a `FileFormatError`."""
    try:
        yield
    except (FileFormatError, MemoryError):
        raise
    except Exception as error:
        raise FileFormatError(f"{path!r} is damaged: {place!r} cannot be read ({error})") from error


class Group:
    """A group of an open file.

    Attributes:
        file: path of the file.
        place: path of the group in it.
    """

    def __init__(self, group, file, place=""):
        self._group = group
        self.file = file
        self.place = place

    def names(self):
        """Return the names of the members."""
        with reporting(self.file, self.place):
            if len(self._group) > MAX_MEMBERS:
                raise self._refusal("/", f"it has {len(self._group)} members, more than {MAX_MEMBERS}")
            return list(self._group)

    def groups(self):
        """Return the names of those members that are groups, without following links."""
        import h5py

        links = self._group.id.links
        with reporting(self.file, self.place):
            return [
                name
                for name in self.names()
                if links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD
                and self._group.get(name, getclass=True) is h5py.Group
            ]

    def has(self, name):
        """Return whether there is a member of that name, without following it."""
        with reporting(self.file, self.place):
            return self._group.id.links.exists(name.encode())

    def has_attribute(self, name):
        with reporting(self.file, self.place):
            return name in self._group.attrs

    def text_attribute(self, name):
        """Return the attribute of that name if it is a short string, else None."""
        with reporting(self.file, self.place):
            if name not in self._group.attrs or self._group.attrs.get_id(name).get_storage_size() > 1024:
                return None
            value = self._group.attrs[name]
            return value if isinstance(value, str) else None

    def group(self, name):
        """Return the group of that name, or None if there is none."""
        import h5py

        member = self._member(name, h5py.Group)
        return member and Group(member, self.file, f"{self.place}/{name}")

    def shape(self, name):
        """Return the shape of the array of that name, or None if there is none. It is not read."""
        array = self._array(name)
        return None if array is None else array.shape

    def read(self, name, shape, dtype):
        """Return the array of that name, which must have the shape given, as ``dtype``."""
        array = self._array(name)
        if array is None or array.shape != tuple(shape):
            raise self._refusal(name, f"it must be an array of shape {tuple(shape)}")
        value = np.empty(array.shape, array.dtype)
        with reporting(self.file, f"{self.place}/{name}"):
            if value.size:
                array.read_direct(value)
        with np.errstate(all="ignore"):  # float64 beyond float32's range becomes infinite, as in Keras
            return value.astype(dtype)

    def _member(self, name, expected):
        """Return the h5py object of that name, or None."""
        import h5py

        with reporting(self.file, f"{self.place}/{name}"):
            if not self.has(name):
                return None
            links = self._group.id.links
            if links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
                raise self._refusal(name, "it is a link to another place, and those are not followed")
            member = self._group[name]
            if not isinstance(member, expected):
                raise self._refusal(
                    name, f"it must be a {expected.__name__.lower()}, and is a {type(member).__name__.lower()}"
                )
            return member

    def _array(self, name):
        """Return the h5py data set of that name if it is harmless to read, or None if there is none."""
        import h5py

        array = self._member(name, h5py.Dataset)
        if array is None:
            return None
        with reporting(self.file, f"{self.place}/{name}"):
            plan = array.id.get_create_plist()
            if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
                raise self._refusal(name, "its numbers lie in other files")
            if plan.get_nfilters():
                raise self._refusal(name, "it is compressed. Rewrite the file without: h5repack -f NONE old.h5 new.h5")
            if array.shape is None or array.dtype.kind not in "fiu":
                raise self._refusal(name, f"it must be an array of floats or integers, and has type {array.dtype}")
            if array.chunks and math.prod(array.chunks) > max(1 << 20, math.prod(array.shape)):
                raise self._refusal(name, f"its shape is {array.shape}, and it is stored in blocks of {array.chunks}")
            return array

    def _refusal(self, name, reason):
        place = f"{self.place}/{name}" if name != "/" else self.place or "/"
        return FileFormatError(f"{self.file!r} cannot be used because of {place!r}: {reason}")


# What a file looks like, for the errors.


def _not_found(path):
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        return f"No such file: {path!r}. There is no folder {folder!r} either"
    close = get_close_matches(name, os.listdir(folder), n=3, cutoff=0.6)
    beside = f"Similar names beside it: {', '.join(map(repr, close))}" if close else "No similar name is beside it"
    return f"No such file: {path!r}. {beside}"


def _check_signature(file, path):
    """Compare the file's size with what its first block says of it."""
    head = file.read(512)
    actual = file.seek(0, io.SEEK_END)
    if not head.startswith(SIGNATURE):
        raise FileFormatError(f"{path!r} ({actual} bytes) is no HDF5 file: {describe(head)}")
    expected = _stored_size(head)
    if expected is None or expected > actual:
        size = "a complete header" if expected is None else f"{expected} bytes"
        raise FileFormatError(
            f"{path!r} is truncated: expected {size}, found {actual} bytes. Was it copied or downloaded in full?"
        )
    file.seek(0)


def _stored_size(head):
    """Return the size that an HDF5 file says it has; None if its header is not complete.

    The header's versions 0 to 3: HDF5 file format specification, section II.A.
    """
    version = head[8] if len(head) > 8 else 0
    width_at, base_at, end_at = {0: (13, 24, 40), 1: (13, 28, 44)}.get(version, (9, 12, 28))
    width = head[width_at] if len(head) > width_at else 8
    end_at += (width - 8) * (end_at - base_at) // 8  # the places are those for addresses of 8 bytes
    if len(head) < end_at + width:
        return None
    base, end = (int.from_bytes(head[at : at + width], "little") for at in (base_at, end_at))
    return base + end


def describe(head):
    """Return what a file that begins with the bytes ``head`` looks like, and what to do about it."""
    text = head.lstrip().lower()
    if not head:
        return "it is empty"
    if head.startswith(b"PK\x03\x04"):
        if b"data.pkl" in head:
            return "it looks like a file of PyTorch's (a zip archive with a pickle)"
        if b"metadata.json" in head or b"config.json" in head:
            return "it looks like a whole model, a .keras file (a zip archive), not its weights alone"
        return "it looks like a zip archive"
    if head.startswith(b"version https://git-lfs"):
        return "it is a git-lfs pointer, not the file itself: run `git lfs pull`"
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "it is a web page: the download of it failed, or the address is not that of the file"
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return "it looks like a pickle, of PyTorch's for example; such files can run code when they are loaded"
    if head.startswith(b"\x93NUMPY"):
        return "it is a NumPy array (.npy)"
    if head.startswith(b"\x1f\x8b"):
        return "it is compressed with gzip: unpack it first"
    if not head.strip(b"\0"):
        return "it begins with zeros: was it copied or downloaded in full?"
    beginning = head.decode("utf-8", errors="replace")
    if all((c.isprintable() and c != "\ufffd") or c in "\r\n\t" for c in beginning[:-3]):  # the end may be cut
        return f"it looks like text that begins with {beginning[:40]!r}"
    return f"it begins with the bytes {head[:8].hex(' ')}"
