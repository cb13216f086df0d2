"""The report of a gate, an HTML file that stands on its own: the verdict, the rules, and pictures with both maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from camcore.audits import report_words
from camcore.audits.joined import LOST, OTHER, SAME, WON
from camcore.audits.sources import open_row
from camcore.errors import PictureError
from camcore.framing import CellGrid, frame_for
from camcore.release.kinds import MAP, Rule
from camcore.release.summary import command
from camcore.render.colour import css_gradient
from camcore.render.overlay import blend
from camcore.report.drawing import jpeg_url, shrink
from camcore.text import MINUS, counted, percent, readable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from camcore.audits.manifest import Manifest
    from camcore.audits.paired import PairedRates
    from camcore.files import Json
    from camcore.metrics.intervals import Rate
    from camcore.release.gate import CheckResult
    from camcore.release.versions import Versions

CLASSES, PICTURES, SUSPECTS = 24, 12, 12
"""The most of each that a report shows; pictures of each change."""
SIDE = 360
"""The long side of a picture in pixels."""
_OPACITY = 0.5

_CHANGES = (
    (LOST, "Right before, wrong now", "the new network's surest answers first"),
    (WON, "Wrong before, right now", "the new network's surest answers first"),
    (OTHER, "Another answer, neither is known to be right", "the new network's surest answers first"),
    (SAME, "The same answer for another reason", "those whose maps are farthest apart first"),
)


def to_html(result: CheckResult, masks: str = "") -> bytes:
    """The report as HTML in UTF-8. Text from outside is escaped. ``masks``: their folder, as it was given."""
    versions = result.versions
    new, old = versions.new.manifest, versions.old.manifest
    found = versions.comparison
    parts = {
        "title": _title(readable(new.network.name), readable(old.network.name)),
        "byline": f"{counted(versions.total, 'picture')} in {new.pictures}, by the policy {result.policy.name}",
        "passed": result.passed,
        "answer": result.verdict,
        "notes": result.notes,
        "tiles": list(_tiles(versions)),
        "rules": [
            {
                "name": one.rule.name,
                "state": one.state,
                "refuses": one.refuses,
                "figure": one.figure_text,
                "limit": one.limit_text,
                "subject": one.subject,
                "remark": one.remark,
            }
            for one in result.rules
        ],
        "classes": [_class_row(one.label, one.found) for one in found.classes[:CLASSES]],
        "more_classes": max(0, len(found.classes) - CLASSES),
        "changes": [one for one in (_change(versions, *change) for change in _CHANGES) if one["pictures"]],
        "suspects": _suspects(versions),
        "gradient": css_gradient(),
        "facts": _facts(result),
        "command": command(result, masks),
    }
    return _template().render(parts).encode("utf-8")


def _title(new: str, old: str) -> str:
    return f"May a new version of {new} replace it?" if new == old else f"May {new} replace {old}?"


def _tiles(versions: Versions) -> Iterator[tuple[str, str, str]]:
    """The figures at the top: value, name, and what stands beneath."""
    accuracy = versions.comparison.accuracy
    if accuracy.old.n:
        for name, one in (("old", accuracy.old), ("new", accuracy.new)):
            yield percent(one.value), f"right, {name} network", _interval(one)
        low, high = _points(accuracy.low), _points(accuracy.high)
        yield _points(accuracy.difference), "points from old to new", f"{low} to {high} with 95 % confidence"
    yield f"{versions.changed:,}", "answers changed", f"of {counted(versions.common, 'picture')} that both answered"
    counts = versions.comparison.counts
    moved = int((versions.distances(MAP) > Rule("reasons_moved", 0).distance).sum())
    yield f"{moved:,}", "maps moved", f"by more than half, of {counts[SAME]:,} with the same answer"


def _difference(found: PairedRates) -> str:
    """The difference from old to new in points, with its interval."""
    value, low, high = (_points(one) for one in (found.difference, found.low, found.high))
    return f"{value} ({low} to {high})"


def _points(difference: float) -> str:
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", MINUS)


def _interval(one: Rate) -> str:
    """A share with its interval: ``95 % (93 % to 96 %)``."""
    return f"{percent(one.value)} ({percent(one.low)} to {percent(one.high)})"


def _class_row(label: str, found: PairedRates) -> dict[str, str]:
    return {
        "name": readable(label),
        "n": f"{found.old.n:,}",
        "old": _interval(found.old),
        "new": _interval(found.new),
        "difference": _difference(found),
    }


def _change(versions: Versions, change: str, title: str, order: str) -> dict[str, Json]:
    """The pictures of a change with the maps of both versions; of the same answer only those that moved at all."""
    found = versions.comparison
    rows = found.changed(change, PICTURES).to_pylist()
    if change == SAME:
        rows = [row for row in rows if row["map_distance"] > 0]
    paths = [row["path"] for row in rows]
    maps = zip(versions.old.maps(paths), versions.new.maps(paths), strict=True)
    pictures = [
        {
            "path": row["path"],
            "old": _overlay(versions.old.manifest, row["path"], one),
            "new": _overlay(versions.new.manifest, row["path"], other),
            "caption": _caption(row),
        }
        for row, (one, other) in zip(rows, maps, strict=True)
    ]
    count = found.counts[change]
    shown = f"{len(pictures):,} of {counted(count, 'picture')}, {order}."
    return {"title": title, "shown": shown, "pictures": pictures}


def _overlay(manifest: Manifest, path: str, values: NDArray[np.floating]) -> str:
    """A picture with its map as a data URL; empty where it cannot be opened any more."""
    try:
        pic = open_row(manifest, path)
    except PictureError:
        return ""
    size = manifest.network.input_size
    frame = frame_for((pic.height, pic.width), size, manifest.framing)
    cells = manifest.cells or CellGrid.uniform(manifest.grid, size)
    return jpeg_url(blend(shrink(pic.rgb, SIDE), frame.to_picture(values, cells, max_side=SIDE), _OPACITY))


def _caption(row: dict[str, Json]) -> str:
    old, new = (f"{readable(row[name])} ({percent(row[f'{name}_probability'])})" for name in ("old", "new"))
    texts = [f"{old}, now {new}"]
    if row["label"] is not None:
        texts.append(f"is {readable(row['label'])}")
    if row["change"] == SAME:
        texts.append(f"distance {row['map_distance']:.2f}")
    return "; ".join(texts)


def _suspects(versions: Versions) -> list[dict[str, str]] | None:
    """The suspect groups; None where no group was tried."""
    if not any(one.tried for one in versions.groups):
        return None
    return [
        {
            "name": one.name,
            "share": f"{percent(one.share)} of what is called {readable(one.label)}",
            "reasons": " ".join(one.reasons),
        }
        for one in versions.suspects[:SUSPECTS]
    ]


def _facts(result: CheckResult) -> Sequence[tuple[str, str]]:
    """The facts of both audits under the network that they are of; those that both share once."""
    new, old = (dict(report_words.facts(audit.manifest)) for audit in (result.versions.new, result.versions.old))
    rows = [("Policy", result.policy.name), ("Policy's SHA-256", result.policy.sha256)]
    for name, value in new.items():
        if old.get(name) == value:
            rows.append((name, value))
        else:
            rows += [(f"{name}, new", value), (f"{name}, old", old.get(name, "–"))]
    return rows


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("check.html.j2")
