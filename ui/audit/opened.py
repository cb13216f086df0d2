"""Audits that are open: read once for everybody, and again when they have grown."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from numpy import int64
from numpy.typing import NDArray

from camcore.audits import figures
from camcore.audits.database import GROUPS
from camcore.audits.figures import ClassFigures, Mistake
from camcore.audits.groups import Group
from camcore.audits.manifest import NAME, Manifest
from camcore.audits.schema import PARTS
from camcore.audits.store import Audit, open_audit
from camcore.cache import ByteLRU
from camcore.errors import CamcoreError
from camcore.evaluation.measures import Confusion
from camcore.metrics.intervals import Rate
from ui import words
from ui.jobs.work import Update, Updates, Work
from ui.quality_charts import MANY

_ROW_BYTES = 400


@dataclass(frozen=True, eq=False)
class OpenAudit:
    """An audit with the figures that stand on top of its page.

    ``accuracy``: without pictures where there are no labels. ``confusion``: None with more than MANY classes.
    ``surest``: a histogram of the probabilities of the answers. ``groups``: of evidence, by their number in the column
    of that name. ``notes``: what readers should know. ``key`` tells it from all others, and from itself when
    it has grown.
    """

    audit: Audit
    key: Hashable
    failed: int
    accuracy: Rate
    classes: tuple[ClassFigures, ...]
    mistakes: tuple[Mistake, ...]
    confusion: Confusion | None
    surest: NDArray[int64]
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def manifest(self) -> Manifest:
        """What is the same for all pictures."""
        return self.audit.manifest

    @property
    def answered(self) -> int:
        """Pictures with an answer."""
        return self.audit.rows - self.failed


_audits: ByteLRU[OpenAudit] = ByteLRU(1 << 30, lambda one: _ROW_BYTES * one.audit.rows, 4)


def opening(root: Path) -> Work[OpenAudit]:
    """Opens the audit in a folder and counts its answers."""
    key = (root, *(_modified(root / name) for name in (NAME, PARTS, GROUPS)))

    def steps(_: object, __: object) -> Updates[OpenAudit]:
        yield Update(1.0, _audits.get(key) or _audits.put(key, _open(root, key)))

    return Work(None, ("audit", *key), "Opening the audit", steps, expected=2.0)


def is_audit(root: Path) -> bool:
    """Says whether an audit lies in a folder."""
    return os.path.isfile(root / NAME)


def group_name(one: Group) -> str:
    """The name of a group of evidence."""
    return f"{words.label(one.label)} {one.number}"


def _open(root: Path, key: Hashable) -> OpenAudit:
    audit = open_audit(root)
    classes = figures.class_figures(audit)
    answered = audit.count()
    return OpenAudit(
        audit,
        key,
        audit.rows - answered,
        figures.accuracy(audit),
        classes,
        figures.mistakes(audit),
        figures.confusion(audit) if len(classes) <= MANY and audit.manifest.labelled else None,
        figures.surest_answers(audit),
        *_groups(audit),
    )


def _groups(audit: Audit) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The groups, and the notes of the audit with what is wrong with them."""
    try:
        return audit.groups(), audit.notes
    except CamcoreError as error:
        return (), (*audit.notes, str(error))


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0
