"""Uploaded pictures, single ones and in ZIP files, become a folder that can be audited."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from camcore import CamcoreError
from camcore.pictures.file_kinds import begins_as_picture
from camcore.pictures.picture import MAX_BYTES
from ui import zip_pictures
from ui.words import file_stem
from ui.zip_pictures import MAX_PICTURES, MAX_TOTAL, PackedPicture

ENDINGS = ("zip", "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")


@dataclass(frozen=True)
class Received:
    """The number of pictures that arrived, and of the classes that their folders name."""

    pictures: int
    classes: int


def receive(files: Iterable[tuple[str, IO[bytes]]], folder: Path) -> Received:
    """Write the pictures of these files, (name, content) each, into a new ``folder``.

    Where all of them lie in folders of a ZIP file, these are their classes; else they have none. Raises CamcoreError
    where there is no picture, there are too many, or they cannot be written.
    """
    try:
        with _kept_if_whole(folder):
            written, labels = _write(files, folder)
            if "" in labels:
                _put_together(folder, labels)
                labels = set()
    except OSError as error:
        raise CamcoreError(
            f"The pictures cannot be kept on this machine: {error.strerror or error}. Ask whoever runs this app to "
            "free space, or give the path of a folder."
        ) from error
    return Received(written, len(labels))


@contextmanager
def _kept_if_whole(folder: Path) -> Iterator[None]:
    """Make a folder that goes again where the block does not end well."""
    folder.mkdir(parents=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write(files: Iterable[tuple[str, IO[bytes]]], folder: Path) -> tuple[int, set[str]]:
    """Write the pictures into a folder for each label; how many there are, and the labels."""
    written = total = 0
    labels: set[str] = set()
    end = time.monotonic() + zip_pictures.MAX_SECONDS
    for one in (picture for name, content in files for picture in _pictures(name, content, end)):
        written, total = written + 1, total + len(one.data)
        if written > MAX_PICTURES or total > MAX_TOTAL:
            raise CamcoreError(
                f"These are more than {MAX_PICTURES:,} pictures or {MAX_TOTAL >> 30} GB, the most that is taken at "
                "once. Put the folder on this machine and give its path instead."
            )
        labels.add(one.label)
        (folder / one.label).mkdir(exist_ok=True)
        (folder / one.label / f"{written:05d}_{file_stem(one.name)}").write_bytes(one.data)
    if not written:
        raise CamcoreError(
            "None of these files is a picture that can be opened. An audit takes JPEG, PNG, WebP, GIF, BMP and TIFF, "
            "and ZIP files of these. Choose other files."
        )
    return written, labels


def _pictures(name: str, content: IO[bytes], end: float) -> Iterator[PackedPicture]:
    """The pictures in an uploaded file; none where it is something else."""
    start = content.read(16)
    content.seek(0)
    if begins_as_picture(start):
        data = content.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            yield PackedPicture("", name, data)
    elif start.startswith(b"PK") or name.lower().endswith(".zip"):
        yield from zip_pictures.read(content, name, end)


def _put_together(folder: Path, labels: Iterable[str]) -> None:
    """Take the pictures out of their class folders."""
    for label in filter(None, labels):
        for file in (folder / label).iterdir():
            file.rename(folder / file.name)
        (folder / label).rmdir()
