"""The report of an audit, ``report.html``: one file that stands on its own, of figures, groups, failures and limits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

import camcore.report.html
from camcore.audits import report_words
from camcore.audits.averages import mean_maps
from camcore.audits.figures import ClassFigures, accuracy, class_figures, confusion, mistakes, surest_answers
from camcore.audits.filters import Filters
from camcore.audits.groups import Group, failing_groups, read_groups
from camcore.audits.report_pictures import map_url, overlay_url, patch_url
from camcore.audits.store import Audit, open_audit
from camcore.audits.summary import MATRIX, calibration, command
from camcore.checks import checked
from camcore.evaluation.measures import Calibration
from camcore.files import write_whole
from camcore.heatmaps.arguments import a_path
from camcore.metrics.intervals import Rate
from camcore.render.colour import css_gradient
from camcore.reviews.listing import list_reviews
from camcore.text import counted, percent, readable

NAME = "report.html"

CLASSES, GROUPS, PATCHES, WORST, ERRORS, MISTAKES = 24, 24, 6, 8, 20, 20
"""The most of each that a report shows: rows, groups, patches of a group, mistakes with their map, ... ."""


@checked(folder=a_path)
def write_report(folder: str | os.PathLike[str]) -> Path:
    """Write the report of an audit with its groups into its folder.

    Raises CamcoreError where there is no audit, its groups are not there yet, or the file cannot be written.
    """
    audit = open_audit(folder)
    return write_whole(audit.folder / NAME, to_html(audit, read_groups(audit.folder)))


def to_html(audit: Audit, groups: Sequence[Group]) -> bytes:
    """The report as HTML in UTF-8. Text from outside (names of files, classes and networks) is escaped."""
    manifest = audit.manifest
    classes = class_figures(audit)
    right = accuracy(audit)
    labelled = right.n > 0
    failing = failing_groups(groups)
    shown = _shown(groups)
    parts = {
        "title": f"Audit of {readable(manifest.network.name)}",
        "byline": f"{counted(manifest.total, 'picture')} in {manifest.pictures}",
        "notes": audit.notes,
        "answer": report_words.answer(right, manifest.failed),
        "labelled": labelled,
        "tiles": list(_tiles(audit, right, groups)),
        "classes": [_class_row(one) for one in _worst_first(classes)[:CLASSES]],
        "more_classes": max(0, len(classes) - CLASSES),
        "matrix": _matrix(audit) if labelled else None,
        "mistakes": _mistakes(audit) if labelled else [],
        "calibration": _calibration(calibration(audit)),
        "failing": [_failing_row(one) for one in failing[:GROUPS]],
        "clearly": report_words.clearly_failing(failing),
        "groups": [_card(audit, one) for one in shown],
        "not_shown": report_words.not_shown(groups, shown),
        "worst": list(_worst(audit)) if labelled else [],
        "averages": _averages(audit),
        "errors": audit.table(["path", "error"], Filters(failed=True), limit=ERRORS).to_pylist(),
        "failed": manifest.failed,
        "reviews": list_reviews(audit.folder),
        "gradient": css_gradient(),
        "limits": report_words.limits(manifest, labelled),
        "facts": report_words.facts(manifest),
        "command": command(manifest, audit.folder),
    }
    return _template().render(parts).encode("utf-8")


def _shown(groups: Sequence[Group]) -> list[Group]:
    """The groups of classes with enough pictures; where these are many, those that fail clearly, then the largest."""
    divided = [one for one in groups if report_words.divided(one)]
    if len(divided) <= GROUPS:
        return divided
    return sorted(divided, key=lambda one: (not one.clearly_failing, -one.size))[:GROUPS]


def _tiles(audit: Audit, right: Rate, groups: Sequence[Group]) -> Iterator[tuple[str, str, str]]:
    """The figures at the top: value, name, and what stands beneath."""
    if right.n:
        between = f"{percent(right.low)} to {percent(right.high)} with 95 % confidence"
        yield percent(right.value), "right", f"{right.count:,} of {right.n:,}; {between}"
    else:
        counts = surest_answers(audit, 10)
        total = max(1, int(counts.sum()))
        yield percent(counts[9] / total), "said with 90 % or more", "nobody says the true classes"
        yield percent(counts[:5].sum() / total), "said with less than 50 %", f"of {total:,} answers"
    failing = sum(one.clearly_failing for one in groups)
    if right.n:
        yield f"{failing:,}", "failing groups" if failing != 1 else "failing group", "clearly below their class"
    yield f"{audit.manifest.failed:,}", "errors", "pictures that could not be used"


def _worst_first(classes: Sequence[ClassFigures]) -> list[ClassFigures]:
    """All classes in their order where they fit; of more those found least often, or said most often."""
    if len(classes) <= CLASSES:
        return list(classes)
    return sorted(classes, key=lambda one: (one.found.high if one.found.n else 2.0, -one.said))


def _class_row(one: ClassFigures) -> dict[str, object]:
    return {
        "name": readable(one.name),
        "found": report_words.interval(one.found),
        "found_bar": _bar(one.found),
        "precision": report_words.interval(one.precision),
        "precision_bar": _bar(one.precision),
        "said": f"{one.said:,}",
        "probability": percent(one.probability),
    }


def _bar(one: Rate) -> dict[str, str] | None:
    """A rate and its interval as shares of a bar's width."""
    if not one.n:
        return None
    return {
        "value": f"{100 * one.value:.1f}",
        "low": f"{100 * one.low:.1f}",
        "span": f"{100 * (one.high - one.low):.1f}",
    }


def _matrix(audit: Audit) -> dict[str, object] | None:
    table = confusion(audit)
    if not 0 < len(table.classes) <= MATRIX:
        return None
    totals = np.maximum(table.counts.sum(axis=1, keepdims=True), 1)
    rows = [
        (readable(name), [(f"{count:,}", f"{100 * share:.0f}", row == column) for column, (count, share) in cells])
        for row, (name, cells) in enumerate(
            (name, list(enumerate(zip(counts, shares, strict=True))))
            for name, counts, shares in zip(
                table.classes, table.counts.tolist(), (table.counts / totals).tolist(), strict=True
            )
        )
    ]
    return {"classes": [readable(name) for name in table.classes], "rows": rows}


def _mistakes(audit: Audit) -> list[dict[str, str]]:
    return [
        {
            "label": readable(one.label),
            "said": readable(one.said),
            "count": f"{one.count:,} of {one.of:,}",
            "share": percent(one.count / one.of),
        }
        for one in mistakes(audit, MISTAKES)
    ]


def _calibration(told: Calibration | None) -> dict[str, object] | None:
    if told is None:
        return None
    columns = (told.confidence, told.observed, told.low, told.high)
    bins = []
    for count, *shares in zip(told.count.tolist(), *columns, strict=True):
        if count:
            x, y, low, high = shares
            bins.append(
                {
                    "x": f"{100 * x:.1f}",
                    "y": f"{100 - 100 * y:.1f}",
                    "low": f"{100 - 100 * low:.1f}",
                    "high": f"{100 - 100 * high:.1f}",
                    "text": f"said with {percent(x)}, right in {percent(y)}, {counted(count, 'picture')}",
                }
            )
    return {"bins": bins, "text": report_words.calibration(told)}


def _failing_row(one: Group) -> dict[str, object]:
    assert one.accuracy is not None
    assert one.class_accuracy is not None
    return {
        "name": report_words.group_name(one),
        "size": f"{one.size:,}",
        "accuracy": report_words.interval(one.accuracy),
        "bar": _bar(one.accuracy),
        "of_class": percent(one.class_accuracy.value),
        "clearly": one.clearly_failing,
    }


def _card(audit: Audit, one: Group) -> dict[str, object]:
    cut = [(patch.path, patch_url(audit.manifest, patch)) for patch in one.patches[:PATCHES]]
    return {
        "name": report_words.group_name(one),
        "size": report_words.size(one),
        "accuracy": report_words.beside_class(one),
        "clearly": one.clearly_failing,
        "map": map_url(one.mean_map),
        "patches": [{"path": path, "src": src} for path, src in cut if src],
        "channels": report_words.channels(one),
        "stability": report_words.stability(one),
    }


def _worst(audit: Audit) -> Iterator[dict[str, str]]:
    """The wrong answers of the highest probability, with their maps."""
    columns = ["path", "label", "predicted", "probability"]
    rows = audit.table(columns, Filters(right=False), "surest", WORST).to_pylist()
    for row, values in zip(rows, audit.maps([row["path"] for row in rows]), strict=True):
        yield {
            "path": row["path"],
            "src": overlay_url(audit.manifest, row["path"], values),
            "said": readable(row["predicted"]),
            "label": readable(row["label"]),
            "probability": percent(row["probability"]),
        }


def _averages(audit: Audit) -> list[dict[str, str]]:
    """The mean maps, each with the class that was said, and how many answers of which kind."""
    words = {True: "right", False: "wrong", None: "pictures"}
    return [
        {
            "src": map_url(one.values),
            "caption": "all classes" if one.label is None else readable(one.label),
            "note": f"{words[one.right]}: {one.count:,}",
        }
        for one in mean_maps(audit)
    ]


@cache
def _template() -> Template:
    loader = FileSystemLoader([Path(__file__).parent, Path(camcore.report.html.__file__).parent])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("audit.html.j2")
