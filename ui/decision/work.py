"""The answer for a network in the background: what is kept of it is read, and its weights hashed for an audit."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.groups import NAME as GROUPS
from camcore.audits.manifest import NAME as MANIFEST
from camcore.errors import CamcoreError
from camcore.evaluation.average_maps import AVERAGES
from camcore.evaluation.record import REPORT
from camcore.evaluation.table import PREDICTIONS
from camcore.models import listing
from camcore.models.description import JSON_NAME
from camcore.models.saved import SavedNetwork
from camcore.release.kept import NAME as CHECK
from camcore.reviews.sealed import FOLDER as REVIEWS
from camcore.shortcuts.judgements import NAME as JUDGEMENTS
from ui.jobs.work import Update, Updates, Work

if TYPE_CHECKING:
    from camcore.decision.decide import Decision
    from camcore.network import Network
    from camcore.report.document import AuditItem, ReportItem
    from ui.model_picker import Model

_AUDIT = (MANIFEST, GROUPS, JUDGEMENTS, CHECK)
_BESIDE = (JSON_NAME, PREDICTIONS, REPORT, AVERAGES)


@dataclass(frozen=True, eq=False)
class Answered:
    """An answer, and the entry of a report that it is shown as, without its notes. ``key`` tells it from all others."""

    decision: Decision
    entry: AuditItem
    key: Hashable


def is_audit(root: Path) -> bool:
    """Says whether an audit lies in a folder."""
    return os.path.isfile(root / MANIFEST)


def verdicts(items: Iterable[ReportItem], name: str) -> tuple[tuple[str, str], ...]:
    """The verdicts on maps of networks of this name in a report: the hash over the weights, and the level."""
    from camcore.report.document import Item

    return tuple(
        (one.network.weights_sha256, one.verdict.level)
        for item in items
        if isinstance(item, Item)
        for one in item.findings
        if one.network.name == name and one.verdict is not None
    )


def answering(model: Model, root: Path | None, known: Sequence[tuple[str, str]]) -> Work[Answered]:
    """Reads what is kept of a network. ``known``: as ``verdicts`` gives it. Without an audit it need not be loaded."""
    needed = root is not None or bool(known)
    key = ("decision", model.key, root, tuple(known), tuple(_stamps(model.key.name, root)))

    def steps(network: Network | None, _: object) -> Updates[Answered]:
        from camcore.audits.store import open_audit
        from camcore.decision.decide import decide
        from camcore.decision.report import entry
        from camcore.models.pickling import weights_hash

        row = listing.find(model.key.name)
        assert row is not None, "it was chosen from the list"
        weights = "" if network is None else weights_hash(network)
        levels = [level for sha256, level in known if sha256 == weights]
        try:
            made = decide(row, None if root is None else open_audit(root), weights, levels)
        except CamcoreError as error:  # what else is kept of the network still counts
            made = decide(row, None, weights, levels)
            made = replace(made, notes=(str(error), *made.notes))
        yield Update(1.0, Answered(made, entry(replace(made, notes=())), key))

    title = f"Reading what is kept of {model.key.title}"
    return Work(model.key if needed else None, key, title, steps, _size, expected=4.0 if needed else 1.0)


def _size(one: Answered) -> int:
    return one.entry.nbytes


def _stamps(name: str, root: Path | None) -> Iterator[int]:
    """Numbers that change when a file changes that the answer is read from."""
    row = listing.find(name)
    files = [row.folder / one for one in _BESIDE] if isinstance(row, SavedNetwork) else []
    if root is not None:
        files += [*(root / one for one in _AUDIT), *sorted((root / REVIEWS).glob("*.json"))]
    for file in files:
        try:
            yield file.stat().st_mtime_ns
        except (OSError, ValueError):
            yield 0
