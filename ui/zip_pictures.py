"""The pictures in an uploaded ZIP file, read within budgets; no name in it decides where a file goes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from camcore import CamcoreError
from camcore.pictures.file_kinds import begins_as_picture
from camcore.pictures.picture import MAX_BYTES

UPLOAD_MB = 200
MAX_PICTURES = 20_000
MAX_TOTAL = 2 << 30
"""Bytes after unpacking: a small archive may hold any number of them."""


@dataclass(frozen=True)
class PackedPicture:
    """A picture's bytes. ``label``: its first folder below those that all files share, made harmless; empty without.

    ``name``: of the file, as it stands in the archive.
    """

    label: str
    name: str
    data: bytes


def read(archive: IO[bytes], name: str) -> Iterator[PackedPicture]:
    """The pictures of a ZIP file called ``name``, one after the other.

    Files that are no pictures, hidden ones and those larger than a picture may be are left out. Raises CamcoreError
    where it is no ZIP file, or holds too much.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            read_bytes = count = 0
            for label, entry in _labelled(opened.infolist()):
                with opened.open(entry) as file:
                    data = file.read(MAX_BYTES + 1)  # its own word on its size need not be true
                if len(data) > MAX_BYTES or not begins_as_picture(data[:16]):
                    continue
                count, read_bytes = count + 1, read_bytes + len(data)
                if count > MAX_PICTURES or read_bytes > MAX_TOTAL:
                    raise CamcoreError(
                        f"The ZIP file holds more than {MAX_PICTURES:,} pictures or {MAX_TOTAL >> 30} GB, the most "
                        "that is unpacked from an upload. Put the folder on this machine and give its path instead."
                    )
                yield PackedPicture(label, PurePosixPath(entry.filename).name, data)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise CamcoreError(
            f"“{name}” is not a ZIP file that can be unpacked: {error}. It may be damaged or locked by a password. "
            "Pack it again as a plain ZIP file."
        ) from error


def _labelled(entries: Iterable[zipfile.ZipInfo]) -> list[tuple[str, zipfile.ZipInfo]]:
    """(label, entry) of all files that may be pictures."""
    files = []
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        if not entry.is_dir() and not hidden and 0 < entry.file_size <= MAX_BYTES:
            files.append((parts[:-1], entry))
    while files and all(parts and parts[0] == files[0][0][0] for parts, _ in files):
        files = [(parts[1:], entry) for parts, entry in files]
    return [(_harmless(parts[0]) if parts else "", entry) for parts, entry in files]


def _harmless(folder: str) -> str:
    return re.sub(r"[^\w .,'’()&+-]", "_", folder).strip(" .") or "_"
