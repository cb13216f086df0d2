"""The pictures of an audit: a folder, a table or an address becomes a list of paths with their labels.

Nothing is opened here but what has no picture's suffix: a million pictures are listed in seconds. A file that turns
out to be damaged is a row with an error.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits import addresses, tables
from camcore.class_names import classes_called
from camcore.errors import CamcoreError
from camcore.pictures.file_kinds import begins_as_picture
from camcore.text import counted

if TYPE_CHECKING:
    from camcore.audits.manifest import Manifest
    from camcore.pictures.picture import Picture

SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""Files of these names are taken for pictures unseen; of others it counts how they begin."""

NO_LABEL = -1
"""The class index of a picture of which nobody says the class."""

_SHOWN = 8  # names that a message lists


@dataclass(frozen=True, eq=False)
class Listing:
    """The pictures of an audit, in a fixed order.

    ``given``: the folder, table or address as it was given; ``base``: that which ``paths`` lie below. ``labels``: of
    each the class as folder or table name it, None where they do not. ``left_out``: files of a folder that are no
    pictures.
    """

    given: str
    base: str
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.paths)

    def sample(self, limit: int | None, seed: int) -> Listing:
        """A random sample of ``limit`` pictures, the same for a seed; all where there are no more."""
        if limit is None or limit >= len(self):
            return self
        chosen = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False)).tolist()
        return replace(self, paths=tuple(self.paths[i] for i in chosen), labels=tuple(self.labels[i] for i in chosen))

    def sha256(self, classes: Sequence[int]) -> str:
        """A digest of the paths and of the class of each."""
        digest = hashlib.sha256()
        for path, index in zip(self.paths, classes, strict=True):
            digest.update(f"{path}\0{index}\n".encode())
        return digest.hexdigest()


def list_pictures(given: str) -> Listing:
    """The pictures of a folder, of a table (``.csv``, ``.parquet``) with a column ``path``, or at an address.

    A folder of class folders labels them: the first folder below it is the class, whatever lies between. Raises
    CamcoreError where nothing can be read there, a table has no ``path``, or there are no pictures.
    """
    if tables.is_table(given):
        path = given if addresses.is_remote(given) else str(Path(given).expanduser().absolute())
        listing = Listing(given, posixpath.dirname(path), *tables.read_table(given))
        _check_unique(listing)
    elif addresses.is_remote(given):
        names, left_out = addresses.files_below(given, SUFFIXES)
        listing = Listing(given, given.rstrip("/"), tuple(names), _folder_labels(names), left_out)
    else:
        root = Path(given).expanduser().absolute()
        names, left_out = _pictures_below(root)
        listing = Listing(given, str(root), tuple(names), _folder_labels(names), left_out)
    if not len(listing):
        others = f" {counted(listing.left_out, 'file')} there can be opened as no picture." if listing.left_out else ""
        raise CamcoreError(
            f"There are no pictures in '{given}'.{others} An audit needs some: JPEG, PNG, WebP, GIF, BMP or TIFF. Give "
            "a folder with pictures, or with a folder of them for each class."
        )
    return listing


def class_indices(labels: Sequence[str], network: str, listing: Listing) -> NDArray[np.int64]:
    """The class of each picture by the network's ``labels``, NO_LABEL where it has none: int64 (n,).

    Names are matched as ``classes_called`` does; a whole number that is no name is an index. Raises CamcoreError where
    a label is none of the network's classes, or several.
    """
    named = {label: _classes(labels, label) for label in dict.fromkeys(listing.labels) if label is not None}
    wrong = [label for label, classes in named.items() if len(classes) != 1]
    if wrong:
        shown = ", ".join(map(repr, wrong[:_SHOWN])) + (" …" if len(wrong) > _SHOWN else "")
        theirs = ", ".join(map(repr, labels[:_SHOWN])) + (" …" if len(labels) > _SHOWN else "")
        several = any(named[label] for label in wrong)
        raise CamcoreError(
            f"{counted(len(wrong), 'label')} of '{listing.given}' cannot be held against {network}: {shown}. "
            + ("Some mean several of its classes; a table may give their index. " if several else "")
            + f"Its classes are {theirs}. Name the folders, or the label column, as these; name the network's classes "
            "as the folders (--labels FILE); or leave the labels aside (--unlabelled, labelled=False)."
        )
    return np.array([NO_LABEL if label is None else named[label][0] for label in listing.labels], np.int64)


def _classes(labels: Sequence[str], name: str) -> list[int]:
    exact = [index for index, label in enumerate(labels) if label == name]
    found = exact or classes_called(labels, name)
    if not found and name.isdecimal() and len(name) < 10 and int(name) < len(labels):
        return [int(name)]
    return found


def _folder_labels(names: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(name.split("/", 1)[0] if "/" in name else None for name in names)


def _pictures_below(root: Path) -> tuple[list[str], int]:
    """The pictures of a folder, by their paths below it, and how many other files there are."""
    try:
        top = sorted(entry.name for entry in os.scandir(root))
    except OSError as error:
        raise CamcoreError(
            f"'{root}' cannot be read as a folder of pictures: {error.strerror or error}. An audit takes a folder, a "
            "table (.csv or .parquet) with a column path, or an address such as s3://bucket/pictures. Correct the path."
        ) from error
    names: list[str] = []
    left_out = 0
    for path in _files(str(root), top):
        if _is_picture(path):
            names.append(_as_text(os.path.relpath(path, root)).replace(os.sep, "/"))
        else:
            left_out += 1
    return sorted(names), left_out


def _files(root: str, top: Sequence[str]) -> Iterator[str]:
    """The files below a folder; hidden ones and those in hidden folders do not count."""
    for name in top:
        path = os.path.join(root, name)
        if name.startswith("."):
            continue
        if not os.path.isdir(path):
            yield path
            continue
        for folder, inner, files in os.walk(path):
            inner[:] = [one for one in inner if not one.startswith(".")]
            yield from (os.path.join(folder, one) for one in files if not one.startswith("."))


def _is_picture(path: str) -> bool:
    if os.path.splitext(path)[1].lower() in SUFFIXES:
        return True
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return begins_as_picture(file.read(16))
    except OSError:
        return False


def _as_text(path: str) -> str:
    """A path as UTF-8 can write it; bytes of another encoding become ``\\xff``, and the row says that there is none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _check_unique(listing: Listing) -> None:
    seen: set[str] = set()
    for path in listing.paths:
        plain = path if addresses.is_remote(path) else posixpath.normpath(posixpath.join(listing.base, path))
        if plain in seen:
            raise CamcoreError(
                f"'{listing.given}' names {path!r} more than once. A picture that counts twice would distort every "
                "figure. Leave one of its lines."
            )
        seen.add(plain)


def open_row(manifest: Manifest, path: str) -> Picture:
    """The picture of a row of an audit, opened again. Raises PictureError where it is gone."""
    return addresses.open_below(manifest.base, path)
