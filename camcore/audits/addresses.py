"""Files at a path or an fsspec address (``s3://…``, ``gs://…``, ``https://…``): listed, and opened as pictures."""

from __future__ import annotations

import io
import os
import posixpath
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from camcore.errors import CamcoreError, PictureError
from camcore.files import opened_plain
from camcore.pictures.picture import MAX_BYTES, Picture, open_picture

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


def is_remote(address: str) -> bool:
    """Tell an address with a protocol from a path."""
    return "://" in address


def open_below(base: str, path: str) -> Picture:
    """The picture at ``path``, which lies below ``base`` unless it says otherwise. Raises PictureError."""
    if not is_remote(path) and (not is_remote(base) or os.path.isabs(path)):
        return open_picture(Path(base) / path)
    try:
        files, place = _file_system(path) if is_remote(path) else _file_system(base)
        if not is_remote(path):
            place = f"{place.rstrip('/')}/{path}"
        with files.open(place, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except Exception as error:  # each store has errors of its own kind
        raise PictureError(
            f"'{path}' cannot be read from its address ({_line(error)}). It is not there, or may not be read. Check "
            "the address and the rights."
        ) from error
    return open_picture(content, name=posixpath.basename(path))


def files_below(address: str, suffixes: Collection[str]) -> tuple[list[str], int]:
    """The files below an address whose names have one of the suffixes, sorted, and the number of others.

    Raises CamcoreError where it cannot be listed.
    """
    files, root = _opened_system(address)
    try:
        found = [str(name) for name in files.find(root)]
    except Exception as error:  # each store has errors of its own kind
        raise _unreadable(address, error) from error
    inner = [posixpath.relpath(name, root) for name in found]
    visible = [name for name in inner if not any(part.startswith(".") for part in name.split("/"))]
    names = sorted(name for name in visible if posixpath.splitext(name)[1].lower() in suffixes)
    return names, len(visible) - len(names)


def opened(given: str) -> AbstractContextManager[IO[bytes]]:
    """A file at a path or an address, for reading. Raises OSError, and CamcoreError for a bad address."""
    if not is_remote(given):
        return opened_plain(Path(given).expanduser())
    files, place = _opened_system(given)
    try:
        return io.BytesIO(files.cat_file(place))
    except Exception as error:  # each store has errors of its own kind
        raise _unreadable(given, error) from error


def _opened_system(address: str) -> tuple[AbstractFileSystem, str]:
    try:
        return _file_system(address)
    except Exception as error:  # a protocol that nobody knows, a library that is not installed, no login
        raise _unreadable(address, error) from error


def _file_system(address: str) -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs

    return url_to_fs(address)


def _unreadable(address: str, error: Exception) -> CamcoreError:
    return CamcoreError(
        f"The address '{address}' cannot be read ({_line(error)}). It is opened by fsspec, which needs a library for "
        "some protocols (s3fs for s3://, gcsfs for gs://), a login, and the right to read. Correct it, or copy the "
        "pictures here."
    )


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(".: ")
