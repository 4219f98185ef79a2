"""`get_file`: downloads that are kept, checked and unpacked."""

import contextlib
import os

from minikeras.messages import inform, warn

_LENGTHS = {"md5": 32, "sha256": 64}


def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
):
    """Return the path of a file of the cache, downloading it if it is not there.

    A file is either there and whole, or not there; so is the folder of an archive.

    Args:
        fname: name of the file in the cache, or of the folder of an archive; by default that in ``origin``.
        origin: address, as ``https://...`` or ``file:///...``.
        untar: older name of ``extract`` for tar archives.
        md5_hash: older name of ``file_hash`` for MD5.
        file_hash: SHA-256 or MD5 of the file, in hexadecimal. A file of the cache that has another one is downloaded
            anew.
        cache_subdir: folder in the cache, or an absolute path.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` to tell by the length.
        extract: whether to unpack the archive, and return the path of its folder.
        archive_format: ``"tar"`` (also compressed), ``"zip"``, a list of them, ``"auto"`` for both, or None.
        cache_dir: folder of the cache; by default `$MINIKERAS_HOME` or ``~/.minikeras``. (Keras has its own,
            ``~/.keras``.)
        force_download: whether to download it in any case.

    Raises:
        DownloadError: an OSError; the file cannot be downloaded. The message says where to put it by hand.
        ValueError: a bad argument, a file with another hash, or a damaged archive.

    Members of an archive that would lie outside of the folder are left out with a warning; links become copies.
    """
    from minikeras.datasets import cache

    if origin is None:
        raise ValueError("`origin` is required: the address to download from. Received: origin=None")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    _check_hash(file_hash, hash_algorithm)
    formats = _formats("tar" if untar else archive_format)
    name = _file_name(fname, origin)
    folder = os.path.join(os.path.abspath(os.path.expanduser(cache_dir or cache.folder())), cache_subdir)
    path = unpacked = os.path.join(folder, name)
    if extract or untar:
        if fname and "." in name:
            unpacked = os.path.join(folder, name[: name.index(".")] + "_extracted")
        else:
            path += "_archive"
    download = force_download or not os.path.exists(path)
    if not download and file_hash is not None and not cache.matches(path, file_hash):
        inform(f"{path} has another {hash_algorithm} hash than {file_hash}, so it is downloaded anew.")
        download = True
    if download:
        inform(f"Downloading data from {origin}")
        cache.download(origin, path, digest=file_hash, hint=" (the folder is set with `cache_dir`)")
    if not (extract or untar):
        return path
    if (download or not os.path.isdir(unpacked)) and not _unpack(path, unpacked, formats):
        warn(f"{path} could not be unpacked: it is no archive of archive_format={archive_format!r}")
    return unpacked


def _check_hash(file_hash, algorithm):
    if algorithm != "auto" and algorithm not in _LENGTHS:
        raise ValueError(f"`hash_algorithm` must be 'auto', 'sha256' or 'md5'. Received: {algorithm!r}")
    if file_hash is None:
        return
    lengths = _LENGTHS.values() if algorithm == "auto" else [_LENGTHS[algorithm]]
    if not isinstance(file_hash, str) or len(file_hash) not in lengths:
        raise ValueError(
            "`file_hash` must be a SHA-256 (64 hexadecimal digits) or an MD5 (32). Received: "
            f"file_hash={file_hash!r}, hash_algorithm={algorithm!r}"
        )


def _formats(archive_format):
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format or []
    formats = [formats] if isinstance(formats, str) else list(formats)
    for one in formats:
        if one not in ("tar", "zip"):
            raise ValueError(f"`archive_format` must be made of 'tar' and 'zip'. Received: {archive_format!r}")
    return formats


def _file_name(fname, origin):
    from urllib.parse import unquote, urlsplit

    name = os.fspath(fname) if fname else os.path.basename(unquote(urlsplit(origin).path))
    if not name:
        raise ValueError(f"`origin` has no file name: pass one as `fname`. Received: origin={origin!r}")
    if os.path.basename(name) != name or name in (".", ".."):
        raise ValueError(
            "`fname` must be a name without a folder; choose that with `cache_dir` and `cache_subdir`. Received: "
            f"fname={name!r}"
        )
    return name


def _unpack(path, folder, formats):
    """Unpack an archive, whole or not at all. Returns whether it is one of the given formats."""
    import shutil
    import tarfile
    import tempfile
    import zipfile
    import zlib

    kinds = {"tar": (tarfile.is_tarfile, _tar_members), "zip": (zipfile.is_zipfile, _zip_members)}
    members = next((read for is_one, read in map(kinds.get, formats) if is_one(path)), None)
    if members is None:
        return False
    beside = tempfile.mkdtemp(dir=os.path.dirname(folder))
    try:
        os.chmod(beside, 0o755)
        for name, content in members(path):
            _write(beside, name, content)
        if os.path.isdir(folder):
            shutil.rmtree(folder)
        os.replace(beside, folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ValueError(
            f"{path} is damaged ({error}): delete it, or pass force_download=True, to download it anew"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True


def _tar_members(path):
    """Yield (name, open file, or None for a folder) of each member that is one. A link is read as what it links to."""
    import tarfile

    with tarfile.open(path) as archive:
        for member in archive:
            content = None
            if member.isreg() or member.issym() or member.islnk():
                with contextlib.suppress(KeyError, RecursionError):  # links to what is not there, or in a circle
                    content = archive.extractfile(member)
            if content is None and not member.isdir():
                warn(f"{member.name!r} is no file of the archive, and is left out")
            else:
                yield member.name, content


def _zip_members(path):
    import zipfile

    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            yield member.filename, None if member.is_dir() else archive.open(member)


def _write(folder, name, content):
    """Write a member; there are no links in ``folder``, so only the name can lead out of it."""
    import shutil

    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if name[:1] in ("/", "\\") or ".." in parts or any(":" in part for part in parts):
        warn(f"{name!r} would lie outside of the folder, and is left out")
        return
    target = os.path.join(folder, *parts)
    if content is None:
        os.makedirs(target, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with content, open(target, "wb") as file:
        shutil.copyfileobj(content, file)
