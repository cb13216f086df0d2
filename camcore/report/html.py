"""A report as one HTML file that stands on its own: pictures inside, nothing fetched, nothing run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from camcore.render.colour import DIVERGING, css_gradient
from camcore.report import entry_text
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
            title=entry_text.called(report),
            byline=entry_text.byline(report),
            entries=[_entry(item) for item in report.items],
            reduced=REDUCED if any(_is_reduced(item) for item in report.items) else "",
        )
        .encode("utf-8")
    )


def _entry(item: Item) -> dict[str, object]:
    rgb = item.picture.open().rgb
    several = len(item.findings) > 1
    side = MANY_SIDE if several else SIDE
    photo, small = shrink(rgb, side), shrink(rgb, TILE_SIDE)
    signed = any(one.scale is not None and one.scale.signed for one in item.findings)
    name = entry_text.picture_name(item)
    return {
        "title": entry_text.title(item),
        "comment": item.comment.strip(),
        "several": several,
        "photo": {"src": jpeg_url(photo), "alt": f"Photograph: {name}", "caption": name, "note": ""},
        "maps": [
            {
                "src": jpeg_url(overlay_of(photo, one, item.style, side)),
                "alt": entry_text.alternative(one, item),
                "caption": text if several else entry_text.where(one),
                "note": "" if one.scale is None else one.scale.mark,
            }
            for one, text in zip(item.findings, entry_text.names(item.findings), strict=True)
        ],
        "depths": [
            {
                "src": jpeg_url(map_on(small, m, item.style, TILE_SIDE)),
                "alt": f"Map at {m.layer}",
                "caption": f"{m.raw.shape[0]}×{m.raw.shape[1]}",
            }
            for m in item.depths
        ],
        "depth_method": entry_text.method_title(item.depths[0]) if item.depths else "",
        "gradient": css_gradient(DIVERGING if signed else item.style.colormap),
        "ends": ("speaks against", "speaks for") if signed else ("little", "much"),
        "predictions": []
        if several
        else [
            {"label": readable(p.label), "text": percent(p.probability), "share": f"{100 * p.probability:.2f}"}
            for p in item.first.predictions
            if p.probability == p.probability
        ],
        "verdicts": [
            {"name": text if several else "", "summary": one.verdict}
            for one, text in zip(item.findings, entry_text.names(item.findings), strict=True)
            if one.verdict is not None
        ],
        "warnings": entry_text.warnings(item),
        "limits": entry_text.limits(item),
        "exact": entry_text.exact(item),
        "table": entry_text.table(item) if several else None,
    }


def _is_reduced(item: Item) -> bool:
    return max(item.picture.height, item.picture.width) > SIDE


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("report.html.j2")
