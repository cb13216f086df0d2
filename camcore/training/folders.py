"""Labelled pictures in the common layout: one folder for each class, ``root/<class>/**/picture``.

Classes are numbered in the alphabetical order of their folders, so that ``cat`` is 0 and ``dog`` is 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError, PictureError, nearest
from camcore.files import opened_plain
from camcore.pictures.file_kinds import begins_as_picture
from camcore.pictures.picture import Picture, open_picture

# With fewer pictures of a class, nothing can be learned from some and checked on others.
MIN_PER_CLASS = 4


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why, in words."""

    file: Path
    reason: str


@dataclass(frozen=True, eq=False)
class LabelledFolder:
    """Pictures with their classes.

    files: absolute paths, in a fixed order. labels: int64 (n,), an index into classes for each file.
    skipped: what lay in the class folders and is no picture.
    """

    root: Path
    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: NDArray[np.int64]
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counts(self) -> dict[str, int]:
        """The number of pictures of each class."""
        return {name: int((self.labels == index).sum()) for index, name in enumerate(self.classes)}

    def take(self, indices: NDArray[np.int64] | Sequence[int]) -> LabelledFolder:
        """The same folder with some of its pictures, in the order given."""
        chosen = np.asarray(indices, np.int64)
        return replace(self, files=tuple(self.files[i] for i in chosen), labels=self.labels[chosen])


def read_folder(
    path: str | os.PathLike[str], classes: Sequence[str] | None = None, least: int = MIN_PER_CLASS
) -> LabelledFolder:
    """The pictures of a folder that holds one folder for each class; found by how a file begins, not by name.

    classes: which of the class folders, None for all that hold a file; their order is always alphabetical.
    least: the fewest pictures a class may have. Raises CamcoreError where there is no such folder, there are
    fewer than two classes, a named one is missing, or one has too few pictures. Nothing is decoded here: a
    file that turns out to be damaged is left out, and counted, where it is opened.
    """
    root = Path(path).expanduser().absolute()
    present = class_names(root)
    names = sorted(set(present if classes is None else classes))
    for name in names:
        if name not in present:
            near = nearest(name, present)
            raise CamcoreError(
                f"There is no class folder {name!r} in '{root}'. It holds {_listed(present)}. "
                + (f"Did you mean {near!r}?" if near else "Name one of these.")
            )
    files: list[Path] = []
    labels: list[int] = []
    skipped: list[Skipped] = []
    kept: list[str] = []
    for name in names:
        pictures, others = _sorted_out(root / name)
        if not pictures and classes is None:
            continue  # a folder beside the classes, such as one of notes
        skipped += others
        labels += [len(kept)] * len(pictures)
        kept.append(name)
        files += pictures
        if len(pictures) < least:
            raise CamcoreError(
                f"The class {name!r} has {len(pictures)} picture{'s' * (len(pictures) != 1)} in '{root / name}'. Each "
                f"class needs at least {least}: some to learn from, others to check with. Add pictures or leave the "
                "class out."
            )
    if len(kept) < 2:
        raise CamcoreError(
            f"'{root}' has {_listed(kept)}. A classifier tells at least two classes apart. Put the pictures of each "
            f"class into a folder of its own: {root.name}/cat/…, {root.name}/dog/…"
        )
    return LabelledFolder(root, tuple(kept), tuple(files), np.array(labels, np.int64), tuple(skipped))


def class_names(root: Path) -> list[str]:
    """The names of the folders in ``root``, alphabetically. Raises CamcoreError where it cannot be listed."""
    try:
        return sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except (OSError, ValueError) as error:  # ValueError: a name that no system takes
        reason = getattr(error, "strerror", None) or error
        raise CamcoreError(
            f"The folder {str(root)!r} cannot be read: {reason}. Pictures are read from a folder that "
            "holds one folder for each class. Correct the path, or allow reading it."
        ) from error


def split(data: LabelledFolder, share: float, seed: int) -> tuple[LabelledFolder, LabelledFolder]:
    """(the larger part, the held-out ``share`` of every class), drawn by the seed; at least one of each class."""
    rng = np.random.default_rng(seed)
    held: list[NDArray[np.int64]] = []
    for index in range(len(data.classes)):
        members = rng.permutation(np.flatnonzero(data.labels == index))
        held.append(members[: max(1, round(share * len(members)))])
    out = np.sort(np.concatenate(held))
    rest = np.setdiff1d(np.arange(len(data)), out)
    return data.take(rest), data.take(out)


def check_enough(data: LabelledFolder, learned: LabelledFolder, held: LabelledFolder) -> None:
    """CamcoreError where of a class of ``data`` no picture that can be opened is left to learn from or check with."""
    damaged = len(learned.skipped) + len(held.skipped) - 2 * len(data.skipped)
    for what, part in (("learn from", learned), ("check with", held)):
        missing = next((name for name, count in part.counts.items() if not count), None)
        if missing is not None:
            raise CamcoreError(
                f"Too few pictures of {missing!r} in '{data.root}' can be opened: none is left to {what}. "
                f"{damaged} of {len(data)} are damaged. Replace the damaged files, or add pictures."
            )


def balanced_sample(data: LabelledFolder, per_class: int, seed: int) -> LabelledFolder:
    """At most ``per_class`` pictures of each class, drawn by the seed."""
    rng = np.random.default_rng(seed)
    groups = [rng.permutation(np.flatnonzero(data.labels == i))[:per_class] for i in range(len(data.classes))]
    return data.take(np.sort(np.concatenate(groups)))


def opened(data: LabelledFolder) -> Iterator[tuple[int, Picture | Skipped]]:
    """Each picture's index in ``data`` with the picture, or with the reason why it cannot be opened."""
    for index, file in enumerate(data.files):
        try:
            yield index, open_picture(file)
        except PictureError as error:
            yield index, Skipped(file, str(error))


def _sorted_out(folder: Path) -> tuple[list[Path], list[Skipped]]:
    pictures, others = [], []
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            with opened_plain(path) as file:
                start = file.read(16)
        except OSError as error:
            others.append(Skipped(path, f"It cannot be read: {error.strerror or error}."))
            continue
        if begins_as_picture(start):
            pictures.append(path)
        else:
            others.append(Skipped(path, "It is not a picture of a known format."))
    return pictures, others


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "no class folders"
    shown = ", ".join(repr(name) for name in names[:6])
    return f"{'only ' if len(names) == 1 else ''}{shown}{' and more' if len(names) > 6 else ''}"
