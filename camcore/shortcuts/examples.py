"""Pictures that a group's patches turned, before and after: some of a trial to look at, kept beside the audit."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np

from camcore.errors import PictureError
from camcore.files import write_whole
from camcore.pictures.picture import open_picture
from camcore.render.encode import to_jpeg
from camcore.shortcuts.trial import Turned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FOLDER = "trials"
MOST = 3
"""Examples of a trial that are kept."""
_QUALITY = 90
_ENDS = ("before", "after")


def differing(turned: Iterable[Turned], chosen: Sequence[Turned] = ()) -> list[Turned]:
    """The first few turned pictures after those chosen before, none of them twice."""
    kept = list(chosen)
    for one in turned:
        if len(kept) == MOST:
            break
        if not any(np.array_equal(one.before, other.before) for other in kept):
            kept.append(one)
    return kept


def write_examples(folder: Path, key: str, examples: Sequence[Turned]) -> None:
    """Keep examples of the trial of a group, by its key, in place of earlier ones.

    Raises CamcoreError where that is not possible.
    """
    home = folder / FOLDER / key
    shutil.rmtree(home, ignore_errors=True)
    for number, one in enumerate(examples, 1):
        for end, pixels in zip(_ENDS, (one.before, one.after), strict=True):
            write_whole(home / f"{number}-{end}.jpg", to_jpeg(pixels, _QUALITY))


def read_examples(folder: Path, key: str) -> tuple[Turned, ...]:
    """The examples of the trial of a group; those that are gone or damaged are left out."""
    found = []
    for number in range(1, MOST + 1):
        files = [folder / FOLDER / key / f"{number}-{end}.jpg" for end in _ENDS]
        try:
            found.append(Turned(*(open_picture(file).rgb for file in files)))
        except PictureError:
            continue
    return tuple(found)
