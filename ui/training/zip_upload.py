"""An uploaded ZIP of labelled pictures becomes a folder on this machine. No name in it decides where a file goes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterable
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import IO

from camcore import CamcoreError
from ui import zip_pictures
from ui.words import file_stem
from ui.zip_pictures import PackedPicture

_LAYOUT = "Pack one folder for each class, with the pictures in it: cat/1.jpg, dog/1.jpg, …"


KEPT = 5
"""Uploads that are kept without a training that needs them."""


def make_room(home: Path, used: Collection[Path]) -> None:
    """Delete the oldest uploads in ``home`` beyond KEPT; those that are ``used`` stay."""
    try:
        folders = [one for one in home.iterdir() if one.is_dir() and not one.is_symlink() and one not in used]
        for old in sorted(folders, key=lambda one: one.stat().st_mtime, reverse=True)[KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError:  # nothing was uploaded yet, or nothing can be deleted
        return


def unpack(archive: IO[bytes], name: str, into: Path) -> Path:
    """Write the pictures of a ZIP file to a new folder ``into/<name>``, one folder for each class; returns it.

    A class is a picture's first folder below those that all pictures share. Raises CamcoreError where it is no ZIP
    file, holds no labelled pictures, is too large unpacked, or cannot be written; then nothing stays.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=".unpacking-", ignore_cleanup_errors=True) as part:
            if not _write(zip_pictures.read(archive, name), Path(part)):
                raise CamcoreError(f"“{name}” holds no pictures in class folders. {_LAYOUT}")
            return _move_into_place(Path(part), into, file_stem(PurePosixPath(name).stem))
    except OSError as error:
        raise CamcoreError(
            f"“{name}” cannot be unpacked into '{into}': {error.strerror or error}. Free space or allow writing "
            "there, or set CAMCORE_HOME to another folder and start again."
        ) from error


def _write(pictures: Iterable[PackedPicture], folder: Path) -> int:
    """Write the labelled pictures under names of our own; returns how many."""
    written = 0
    for picture in pictures:
        if picture.label:
            written += 1
            (folder / picture.label).mkdir(exist_ok=True)
            (folder / picture.label / f"{written:05d}").write_bytes(picture.data)
    return written


def _move_into_place(part: Path, into: Path, stem: str) -> Path:
    """Move the finished folder to a name that is free."""
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    target = next(into / name for name in names if not (into / name).exists())
    target.mkdir()
    for folder in part.iterdir():
        shutil.move(folder, target / folder.name)
    return target
