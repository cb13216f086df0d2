"""The look through a folder of labelled pictures: counted at once, then every picture opened once."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from camcore import CamcoreError
from camcore.training.folders import Skipped, class_names, opened, read_folder
from ui.jobs.work import Update, Updates, Work
from ui.picture_folders import class_signature, root_of

MAX_FILES = 200_000


@dataclass(frozen=True, eq=False)
class Survey:
    """The content of a folder, as far as it is known. ``damaged``: of the ``checked`` pictures."""

    counts: dict[str, int]
    others: int = 0
    checked: int = 0
    damaged: tuple[Skipped, ...] = ()

    @property
    def total(self) -> int:
        """The number of pictures."""
        return sum(self.counts.values())

    @property
    def usable(self) -> dict[str, int]:
        """The number of pictures of each class that have not turned out to be damaged."""
        lost = Counter(skipped.file.parent.name for skipped in self.damaged)
        return {name: count - lost[name] for name, count in self.counts.items()}


def survey_work(path: str) -> Work[Survey]:
    """Counts a folder's pictures, then opens every one; another work where the folder has changed."""
    root = root_of(path)

    def steps(_: object, __: object) -> Updates[Survey]:
        class_names(root)  # which tells why a folder cannot be read
        _refuse_vast(root)
        data = read_folder(root, least=1)
        survey = Survey(data.counts, len(data.skipped))
        yield Update(value=survey)
        for index, picture in opened(data):
            bad: tuple[Skipped, ...] = ()
            if isinstance(picture, Skipped):
                # Named under its class, however deep it lies there.
                bad = (replace(picture, file=root / data.classes[data.labels[index]] / picture.file.name),)
            survey = replace(survey, checked=index + 1, damaged=survey.damaged + bad)
            yield Update(survey.checked / survey.total, survey)

    def size(survey: Survey) -> int:
        return 128 * len(survey.counts) + 512 * len(survey.damaged)

    return Work(None, ("survey", root, class_signature(root)), "Counting the pictures", steps, size)


def _refuse_vast(root: Path) -> None:
    """CamcoreError for a folder such as the root of the disk, which would be walked for minutes."""
    files = 0
    for _, _, names in os.walk(root):
        files += len(names)
        if files > MAX_FILES:
            raise CamcoreError(
                f"'{root}' holds more than {MAX_FILES:,} files, too many to be looked through here. It may be a "
                "folder above the one that is meant. Give the folder that holds the class folders; or train on it "
                "with the command line."
            )
