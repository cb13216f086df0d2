"""The report of a gate, an entry of a report as an audit's is: the verdict, the rules, pictures with both maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits import report_words
from camcore.audits.joined import LOST, OTHER, SAME, WON
from camcore.audits.report_pictures import overlay
from camcore.release.kinds import MAP, Rule
from camcore.release.summary import command, summary
from camcore.render.encode import to_jpeg
from camcore.report.blocks import Block, Bullets, Command, Facts, Paragraph, Print, Prints, Section, Table, rate_text
from camcore.report.document import AuditItem
from camcore.report.html import audit_to_html
from camcore.report.record import to_json
from camcore.text import counted, percent, readable, with_sign

if TYPE_CHECKING:
    from camcore.audits.paired import PairedRates
    from camcore.files import Json
    from camcore.release.gate import CheckResult
    from camcore.release.versions import Versions

CLASSES, PICTURES, SUSPECTS = 24, 12, 12
"""The most of each that a report shows; pictures of each change."""

_GAP, _GREY = 4, 128  # pixels between the two maps, and their colour

_SUREST = "the new network's surest answers first"
_CHANGES = (
    (LOST, "Right before, wrong now", _SUREST),
    (WON, "Wrong before, right now", _SUREST),
    (OTHER, "Another answer, neither is known to be right", _SUREST),
    (SAME, "The same answer for another reason", "those whose maps are farthest apart first"),
)
_LIMITS = (
    "Intervals hold for pictures drawn as these were. They say nothing about pictures from elsewhere: a shortcut that "
    "none of them shows stays hidden.",
    "A map that moved is another reason, not a wrong one. Whether it is a shortcut, a person has to judge from the "
    "pictures.",
    "Labels and masks are taken as they are.",
)


def to_html(result: CheckResult, masks: str = "") -> bytes:
    """The report as HTML in UTF-8. Text from outside is escaped. ``masks``: their folder, as it was given."""
    return audit_to_html(report_item(result, masks))


def report_item(result: CheckResult, masks: str = "") -> AuditItem:
    """The outcome as an entry of a report, which needs neither audit nor pictures any more."""
    versions = result.versions
    new, old = (readable(audit.manifest.network.name) for audit in (versions.new, versions.old))
    return AuditItem(
        title=f"May a new version of {new} replace it?" if new == old else f"May {new} replace {old}?",
        source=f"{counted(versions.total, 'picture')} in {versions.new.manifest.pictures}, by {result.policy.name}",
        answer=f"{'Passed' if result.passed else 'Refused'}. {result.verdict}",
        numbers=tuple(_numbers(versions)),
        sections=tuple(_sections(result, masks)),
        notes=result.notes,
        command=command(result, masks),
        files={"check.json": to_json(summary(result))},
    )


def _numbers(versions: Versions) -> Iterator[tuple[str, str, str]]:
    """The large figures: value, name, and a note."""
    accuracy = versions.comparison.accuracy
    if accuracy.old.n:
        for name, one in (("old", accuracy.old), ("new", accuracy.new)):
            yield percent(one.value), f"right, {name} network", rate_text(one)
        low, high = _points(accuracy.low), _points(accuracy.high)
        yield _points(accuracy.difference), "points from old to new", f"{low} to {high} with 95 % confidence"
    yield f"{versions.changed:,}", "answers changed", f"of {counted(versions.common, 'picture')} that both answered"
    same = versions.comparison.counts[SAME]
    moved = int((versions.distances(MAP) > Rule("reasons_moved", 0).distance).sum())
    yield f"{moved:,}", "maps moved", f"by more than half, of {same:,} with the same answer"


def _sections(result: CheckResult, masks: str) -> Iterator[Section]:
    """The sections in reading order; those that have nothing to say are left out."""
    versions = result.versions
    yield Section("The rules", (_rules(result),))
    yield from _classes(versions)
    changes = [section for change in _CHANGES if (section := _change(versions, *change)) is not None]
    yield from changes
    if not changes:
        yield Section("What changed", (Paragraph("Nothing: every answer and every map is as it was."),))
    yield from _suspects(versions)
    yield Section("Limits", (Bullets(_LIMITS),))
    yield _making(result, masks)


def _rules(result: CheckResult) -> Table:
    rows = tuple(
        (
            f"{one.rule.name}: {one.subject}",
            one.figure_text,
            one.limit_text,
            " ".join(filter(None, (f"{one.state}.", one.remark.removeprefix("Not examined: ")))),
            "yes" if one.refuses else "",
        )
        for one in result.rules
    )
    return Table(("rule", "figure, 95 % interval", "limit", "outcome", "refuses"), rows, flags=4)


def _classes(versions: Versions) -> Iterator[Section]:
    classes = versions.comparison.classes
    if not classes:
        return
    rows = tuple(
        (readable(one.label), f"{one.found.old.n:,}", one.found.old, one.found.new, _difference(one.found))
        for one in classes[:CLASSES]
    )
    table = Table(("class", "pictures", "found before", "found now", "difference, points"), rows, frozenset((1,)))
    more = len(classes) - CLASSES
    text = Paragraph(f"Those with the most changes; {more:,} more are not shown.", quiet=True)
    yield Section("By class", (text, table) if more > 0 else (table,))


def _difference(found: PairedRates) -> str:
    """The difference from old to new in points, with its interval."""
    value, low, high = (_points(one) for one in (found.difference, found.low, found.high))
    return f"{value} ({low} to {high})"


def _points(difference: float) -> str:
    return with_sign(100 * difference, 1)


def _change(versions: Versions, change: str, title: str, order: str) -> Section | None:
    """The pictures of a change with the maps of both versions; of the same answer only those that moved at all."""
    found = versions.comparison
    rows = found.changed(change, PICTURES).to_pylist()
    if change == SAME:
        rows = [row for row in rows if row["map_distance"] > 0]
    if not rows:
        return None
    paths = [row["path"] for row in rows]
    maps = zip(versions.old.maps(paths), versions.new.maps(paths), strict=True)
    prints = tuple(
        Print(
            _pair(versions, row["path"], *both),
            _caption(row),
            row["path"],
            f"{row['path']} with the old network's map, and with the new one's",
        )
        for row, both in zip(rows, maps, strict=True)
    )
    text = f"{len(rows):,} of {counted(found.counts[change], 'picture')}, {order}. Left the map of the old network."
    return Section(title, (Paragraph(text, quiet=True), Prints(prints)))


def _pair(versions: Versions, path: str, old: NDArray[np.floating], new: NDArray[np.floating]) -> bytes:
    """A picture with both maps side by side as JPEG; empty where it cannot be opened any more."""
    both = ((versions.old.manifest, old), (versions.new.manifest, new))
    drawn = [overlay(manifest, path, values) for manifest, values in both]
    found = [rgb for rgb in drawn if rgb is not None]
    if len(found) < len(both):
        return b""
    gap = np.full((len(found[0]), _GAP, 3), _GREY, np.uint8)
    return to_jpeg(np.concatenate([found[0], gap, found[1]], axis=1))


def _caption(row: dict[str, Json]) -> str:
    old, new = (f"{readable(row[name])} ({percent(row[f'{name}_probability'])})" for name in ("old", "new"))
    texts = [f"{old}, now {new}"]
    if row["label"] is not None:
        texts.append(f"is {readable(row['label'])}")
    if row["change"] == SAME:
        texts.append(f"distance {row['map_distance']:.2f}")
    return "; ".join(texts)


def _suspects(versions: Versions) -> Iterator[Section]:
    """The suspect groups, where any group was tried."""
    if not any(one.tried for one in versions.groups):
        return
    texts = tuple(
        f"{one.name}, {percent(one.share)} of what is called {readable(one.label)}. {' '.join(one.reasons)}"
        for one in versions.suspects[:SUSPECTS]
    )
    none = Paragraph("None of its groups is suspected of a shortcut.")
    yield Section("Suspect groups of the new network", (Bullets(texts) if texts else none,))


def _making(result: CheckResult, masks: str) -> Section:
    blocks: list[Block] = [Facts(tuple(_facts(result)))]
    again = command(result, masks)
    if again:
        blocks += [Paragraph("To make it again:", quiet=True), Command(again)]
    return Section("How this was made", tuple(blocks))


def _facts(result: CheckResult) -> Iterator[tuple[str, str]]:
    """The facts of both audits under the network that they are of; those that both share once."""
    new, old = (dict(report_words.facts(audit.manifest)) for audit in (result.versions.new, result.versions.old))
    yield "Policy", result.policy.name
    yield "Policy's SHA-256", result.policy.sha256
    for name, value in new.items():
        if old.get(name) == value:
            yield name, value
        else:
            yield f"{name}, new", value
            yield f"{name}, old", old.get(name, "–")
