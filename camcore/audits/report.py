"""The report of an audit: figures, groups, failures and limits as an entry of a report, and ``report.html`` of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from camcore.audits import report_sections, report_words
from camcore.audits.averages import as_csv, mean_maps
from camcore.audits.figures import accuracy, surest_answers
from camcore.audits.groups import Group, read_groups
from camcore.audits.store import Audit, open_audit
from camcore.audits.summary import command, summary
from camcore.checks import checked
from camcore.files import write_whole
from camcore.heatmaps.arguments import a_path
from camcore.metrics.intervals import Rate
from camcore.report.document import AuditItem
from camcore.report.html import audit_to_html
from camcore.report.record import to_json
from camcore.text import counted, percent, readable

NAME = "report.html"


@checked(folder=a_path)
def write_report(folder: str | os.PathLike[str]) -> Path:
    """Write the report of an audit with its groups into its folder.

    Raises CamcoreError where there is no audit, its groups are not there yet, or the file cannot be written.
    """
    audit = open_audit(folder)
    return write_whole(audit.folder / NAME, audit_to_html(report_item(audit, read_groups(audit.folder))))


def report_item(audit: Audit, groups: Sequence[Group]) -> AuditItem:
    """The audit as an entry of a report, which needs neither its folder nor its pictures any more."""
    manifest = audit.manifest
    right = accuracy(audit)
    means = mean_maps(audit)
    return AuditItem(
        title=f"Audit of {readable(manifest.network.name)}",
        source=f"{counted(manifest.total, 'picture')} in {manifest.pictures}",
        answer=report_words.answer(right, manifest.failed),
        numbers=tuple(_numbers(audit, right, groups)),
        sections=tuple(report_sections.sections(audit, groups, means, labelled=right.n > 0)),
        notes=audit.notes,
        command=command(manifest, audit.folder),
        files={"figures.json": to_json(summary(audit, groups)), "average_maps.csv": as_csv(means)},
    )


def _numbers(audit: Audit, right: Rate, groups: Sequence[Group]) -> list[tuple[str, str, str]]:
    """The large figures: value, name, and a note."""
    failed = (f"{audit.manifest.failed:,}", "errors", "unusable pictures")
    if not right.n:
        counts = surest_answers(audit, 10)
        total = max(1, int(counts.sum()))
        return [
            (percent(counts[9] / total), "predicted with 90 % or more", "the true classes are not known"),
            (percent(counts[:5].sum() / total), "predicted with less than 50 %", f"of {total:,} answers"),
            *_suspects(groups),
            failed,
        ]
    failing = sum(one.clearly_failing for one in groups)
    return [
        (percent(right.value), "right", f"95 % interval {percent(right.low)} to {percent(right.high)}"),
        (
            f"{failing:,}",
            "failing group" if failing == 1 else "failing groups",
            "clearly below their class",
        ),
        *_suspects(groups),
        failed,
    ]


def _suspects(groups: Sequence[Group]) -> list[tuple[str, str, str]]:
    """The groups that are suspected of a shortcut; none before they were tried."""
    tried = [one for one in groups if one.verdict is not None and one.verdict.figures is not None]
    if not tried:
        return []
    suspects = sum(one.suspect for one in groups)
    name = "suspected shortcut" if suspects == 1 else "suspected shortcuts"
    return [(f"{suspects:,}", name, f"of {counted(len(tried), 'group')} tried")]
