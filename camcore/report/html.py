"""A report as one HTML file that stands on its own: pictures inside, nothing fetched, nothing run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from camcore.render.colour import DIVERGING, css_gradient
from camcore.report import wording as telling
from camcore.report.document import Item, Report
from camcore.report.drawing import jpeg_url, map_on, overlay_of, shrink
from camcore.text import percent, readable

# Long sides in pixels: of a picture that stands beside its map, of one among many, of a small one.
SIDE, MANY_SIDE, TILE_SIDE = 1000, 520, 300

REDUCED = f"Pictures are reduced to {SIDE} pixels; the ZIP of the report has them in full."


def to_html(report: Report) -> bytes:
    """The report as HTML, UTF-8. Text from outside (names, labels, comments) is escaped."""
    return (
        _template()
        .render(
            title=telling.called(report),
            byline=telling.byline(report),
            entries=[_entry(item) for item in report.items],
            reduced=REDUCED if any(_is_reduced(item) for item in report.items) else "",
        )
        .encode("utf-8")
    )


def _entry(item: Item) -> dict[str, Any]:
    rgb = item.picture.open().rgb
    several = len(item.findings) > 1
    side = MANY_SIDE if several else SIDE
    photo, small = shrink(rgb, side), shrink(rgb, TILE_SIDE)
    signed = any(one.scale is not None and one.scale.signed for one in item.findings)
    name = telling.picture_name(item)
    return {
        "title": telling.title(item),
        "comment": item.comment.strip(),
        "several": several,
        "photo": {"src": jpeg_url(photo), "alt": f"Photograph: {name}", "caption": name, "note": ""},
        "maps": [
            {
                "src": jpeg_url(overlay_of(photo, one, item.look, side)),
                "alt": telling.alternative(one, item),
                "caption": text if several else telling.where(one),
                "note": "" if one.scale is None else one.scale.mark,
            }
            for one, text in zip(item.findings, telling.names(item.findings), strict=True)
        ],
        "depths": [
            {
                "src": jpeg_url(map_on(small, m, item.look, TILE_SIDE)),
                "alt": f"Map at {m.layer}",
                "caption": f"{m.raw.shape[0]}×{m.raw.shape[1]}",
            }
            for m in item.depths
        ],
        "depth_method": telling.method_title(item.depths[0]) if item.depths else "",
        "gradient": css_gradient(DIVERGING if signed else item.look.colormap),
        "ends": ("speaks against", "speaks for") if signed else ("little", "much"),
        "said": []
        if several
        else [
            {"label": readable(p.label), "text": percent(p.probability), "share": f"{100 * p.probability:.2f}"}
            for p in item.first.said
            if p.probability == p.probability
        ],
        "verdicts": [
            {"name": text if several else "", "told": one.verdict}
            for one, text in zip(item.findings, telling.names(item.findings), strict=True)
            if one.verdict is not None
        ],
        "warnings": telling.warnings(item),
        "limits": telling.limits(item),
        "exact": telling.exact(item),
        "table": telling.table(item) if several else None,
    }


def _is_reduced(item: Item) -> bool:
    return max(item.picture.height, item.picture.width) > SIDE


@cache
def _template() -> Any:
    loader = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("report.html.j2")
