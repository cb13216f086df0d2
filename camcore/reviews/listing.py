"""The reviews of an audit: each with its result in words, or why it cannot be read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from camcore.checks import checked
from camcore.errors import CamcoreError
from camcore.heatmaps.arguments import a_path
from camcore.reviews.record import Record
from camcore.reviews.sealed import FOLDER, read_record
from camcore.reviews.words import sentence


@dataclass(frozen=True)
class Listed:
    """A review in its file. ``record``: None where it is damaged or cannot be checked; ``text`` says so, then."""

    file: Path
    record: Record | None
    text: str

    @property
    def about(self) -> str:
        """Its reviewer and day; the name of its file where it cannot be read."""
        return (
            self.file.name
            if self.record is None
            else f"{self.record.header.reviewer}, {self.record.header.started[:10]}"
        )

    @property
    def finished(self) -> bool:
        """It has a result."""
        return self.record is not None and self.record.result is not None


@checked(folder=a_path)
def list_reviews(folder: str | os.PathLike[str]) -> tuple[Listed, ...]:
    """The reviews beside an audit, the newest first; seals and results are checked.

    >>> review = camcore.start_review(out, "Ada")
    >>> [one.text for one in camcore.list_reviews(out)]
    ['Just begun.']
    """
    try:
        files = sorted((Path(folder).expanduser() / FOLDER).glob("*.json"), reverse=True)
    except OSError:
        return ()
    return tuple(map(_listed, files))


def _listed(file: Path) -> Listed:
    try:
        record = read_record(file)
    except CamcoreError as error:
        return Listed(file, None, str(error))
    return Listed(file, record, sentence(record))
