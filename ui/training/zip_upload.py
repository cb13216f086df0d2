"""An uploaded ZIP of labelled pictures becomes a folder on this machine. No name in it decides where a file goes."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import IO

from camcore import CamcoreError
from camcore.pictures.file_kinds import begins_as_picture
from camcore.pictures.picture import MAX_BYTES
from ui.words import file_stem

UPLOAD_MB = 200
MAX_PICTURES = 20_000
MAX_TOTAL = 2 << 30
"""Bytes after unpacking: a small archive may hold any number of them."""

_LAYOUT = "Pack one folder for each class, with the pictures in it: cat/1.jpg, dog/1.jpg, …"


def unpack(archive: IO[bytes], name: str, into: Path) -> Path:
    """Write the pictures of a ZIP file to a new folder ``into/<name>``, one folder for each class; returns it.

    A class is a picture's first folder below those that all pictures share. Files that are no pictures, hidden
    ones and those larger than a picture may be are left out. Raises CamcoreError where it is no ZIP file, holds
    no labelled pictures, is too large unpacked, or cannot be written; then nothing stays.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _by_class(opened.infolist())
            into.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=into, prefix=".unpacking-", ignore_cleanup_errors=True) as part:
                if not _write(opened, entries, Path(part)):
                    raise CamcoreError(f"“{name}” holds no pictures in class folders. {_LAYOUT}")
                return _move_into_place(Path(part), into, file_stem(PurePosixPath(name).stem))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise CamcoreError(
            f"“{name}” is not a ZIP file that can be unpacked: {error}. It may be damaged or locked by a password. "
            "Pack it again as a plain ZIP file."
        ) from error
    except OSError as error:
        raise CamcoreError(
            f"“{name}” cannot be unpacked into '{into}': {error.strerror or error}. Free space or allow writing "
            "there, or set CAMCORE_HOME to another folder and start again."
        ) from error


def _by_class(entries: Iterable[zipfile.ZipInfo]) -> list[tuple[str, zipfile.ZipInfo]]:
    """(class, entry) of all files that may be pictures."""
    files = []
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        if not entry.is_dir() and not hidden and 0 < entry.file_size <= MAX_BYTES:
            files.append((parts[:-1], entry))
    while files and all(parts and parts[0] == files[0][0][0] for parts, _ in files):
        files = [(parts[1:], entry) for parts, entry in files]
    return [(re.sub(r"[^\w .-]", "_", parts[0]).strip(" .") or "_", entry) for parts, entry in files if parts]


def _write(opened: zipfile.ZipFile, entries: list[tuple[str, zipfile.ZipInfo]], folder: Path) -> int:
    """Write the pictures under names of our own; returns how many."""
    written = total = 0
    for label, entry in entries:
        with opened.open(entry) as file:
            data = file.read(MAX_BYTES + 1)  # its own word on its size need not be true
        if len(data) > MAX_BYTES or not begins_as_picture(data[:16]):
            continue
        written, total = written + 1, total + len(data)
        if written > MAX_PICTURES or total > MAX_TOTAL:
            raise CamcoreError(
                f"The ZIP file holds more than {MAX_PICTURES:,} pictures or {MAX_TOTAL >> 30} GB, the most that is "
                "unpacked from an upload. Put the folder on this machine and give its path instead."
            )
        (folder / label).mkdir(exist_ok=True)
        (folder / label / f"{written:05d}").write_bytes(data)
    return written


def _move_into_place(part: Path, into: Path, stem: str) -> Path:
    """Move the finished folder to a name that is free."""
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    target = next(into / name for name in names if not (into / name).exists())
    target.mkdir()
    for folder in part.iterdir():
        shutil.move(folder, target / folder.name)
    return target
