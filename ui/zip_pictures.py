"""The pictures in an uploaded ZIP file, read within budgets; no name in it decides where a file goes."""

from __future__ import annotations

import io
import re
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from camcore import CamcoreError
from camcore.pictures.file_kinds import begins_as_picture
from camcore.pictures.picture import MAX_BYTES

MAX_PICTURES = 20_000
MAX_ENTRIES = 100_000
"""Entries of any kind: each costs time, also where it is no picture."""
MAX_TOTAL = 2 << 30
"""Bytes after unpacking: a small archive may hold any number of them."""
MAX_DEPTH = 32
"""Folders within folders."""
MAX_SECONDS = 120.0
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for gigabytes before they unpack a byte
_MOST_LISTING = 16 << 20  # bytes of an archive's list of entries, with their names
_MOST_NAME = 200  # bytes of a class's name: a file system takes 255
_START = 16  # bytes that tell a picture


@dataclass(frozen=True)
class PackedPicture:
    """A picture's bytes. ``label``: its first folder below those that all files share, made harmless; empty without.

    ``name``: of the file, as it stands in the archive.
    """

    label: str
    name: str
    data: bytes


class _Archive(io.RawIOBase):
    """An uploaded file of which ``zipfile`` reads no more at a time than a list of entries may have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if size > _MOST_LISTING:
            raise _too_much(f"a list of its files of more than {_MOST_LISTING >> 20} MB")
        return self._file.read(size)


def read(archive: IO[bytes], name: str, end: float | None = None) -> Iterator[PackedPicture]:
    """The pictures of a ZIP file called ``name``, one after the other. ``end``: of the time for it, by ``monotonic``.

    Files that are no pictures, hidden ones and those larger than a picture may be are left out; of these only the
    first bytes are unpacked. Raises CamcoreError where it is no ZIP file, or holds too much.
    """
    end = time.monotonic() + MAX_SECONDS if end is None else end
    try:
        with zipfile.ZipFile(_Archive(archive)) as opened:
            total = count = 0
            for label, entry in _labelled(opened.infolist()):
                if time.monotonic() > end:
                    raise _too_much(f"what takes longer than {MAX_SECONDS:.0f} seconds to unpack")
                data = _picture(opened, entry)
                if data is None:
                    continue
                count, total = count + 1, total + len(data)
                if count > MAX_PICTURES or total > MAX_TOTAL:
                    raise _too_much(f"more than {MAX_PICTURES:,} pictures or {MAX_TOTAL >> 30} GB")
                yield PackedPicture(label, _parts(entry)[-1], data)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise CamcoreError(
            f"“{name}” is not a ZIP file that can be unpacked: {error}. It may be damaged or locked by a password. "
            "Pack it again as a plain ZIP file."
        ) from error


def _picture(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a picture; None for anything else, and for one that is too large."""
    if entry.compress_type not in _METHODS:
        raise zipfile.BadZipFile("it is compressed by another method than Deflate")
    with opened.open(entry) as file:
        start = file.read(_START)
        if not begins_as_picture(start):
            return None
        data = start + file.read(MAX_BYTES + 1 - len(start))  # its own word on its size need not be true
    return data if len(data) <= MAX_BYTES else None


def _labelled(entries: Sequence[zipfile.ZipInfo]) -> list[tuple[str, zipfile.ZipInfo]]:
    """(label, entry) of all files that may be pictures."""
    if len(entries) > MAX_ENTRIES:
        raise _too_much(f"{len(entries):,} files")
    files = []
    for entry in entries:
        parts = _parts(entry)
        if len(parts) > MAX_DEPTH:
            raise _too_much(f"folders that lie more than {MAX_DEPTH} deep")
        hidden = not parts or any(part.startswith((".", "__MACOSX")) for part in parts)
        if not entry.is_dir() and not hidden and 0 < entry.file_size <= MAX_BYTES:
            files.append((parts[:-1], entry))
    shared = _shared([folders for folders, _ in files])
    classes = [folders[shared] if len(folders) > shared else "" for folders, _ in files]
    names = _harmless(classes)
    return [(names[folder], entry) for folder, (_, entry) in zip(classes, files, strict=True)]


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The folders of an entry, and its name."""
    pieces = entry.filename.replace("\\", "/").split("/", MAX_DEPTH + 8)
    return tuple(piece for piece in pieces if piece not in ("", "."))


def _shared(paths: Sequence[tuple[str, ...]]) -> int:
    """The number of first folders that all paths share."""
    if not paths:
        return 0
    low, high = min(paths), max(paths)
    return next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))


def _harmless(folders: Sequence[str]) -> dict[str, str]:
    """A name for each class folder that does no harm, and that no other of them has; "" stays."""
    names = {"": ""}
    used: Counter[str] = Counter()
    for folder in dict.fromkeys(filter(None, folders)):
        plain = re.sub(r"[^\w .,'’()&+-]", "_", folder).encode()[:_MOST_NAME].decode(errors="ignore")
        name = plain = plain.strip(" .").lstrip("-") or "_"  # no option of a command
        while used[name.casefold()]:
            used[plain.casefold()] += 1
            name = f"{plain} {used[plain.casefold()]}"
        used[name.casefold()] += 1
        names[folder] = name
    return names


def _too_much(what: str) -> CamcoreError:
    return CamcoreError(
        f"The ZIP file holds {what}, more than is unpacked from an upload. Upload a part of it, or have the folder put "
        "on the machine that this app runs on and named there."
    )
