"""A report as one HTML file that stands on its own: pictures inside, nothing fetched, nothing run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from camcore.render.colour import DIVERGING, css_gradient
from camcore.render.encode import to_data_url
from camcore.report import entry_text
from camcore.report.blocks import Section, cell_text
from camcore.report.document import AuditItem, Item, Report
from camcore.report.drawing import jpeg_url, map_on, overlay_of, shrink
from camcore.text import percent, readable

# Long sides in pixels: of a picture that stands beside its map, of one among many, of a small one.
SIDE, MANY_SIDE, TILE_SIDE = 1000, 520, 300

_REDUCED = f"Pictures are reduced to {SIDE} pixels; the ZIP of the report has them in full."


def to_html(report: Report) -> bytes:
    """The report as HTML, UTF-8. Text from outside (names, labels, comments) is escaped."""
    return (
        _template("report.html.j2")
        .render(
            title=entry_text.called(report),
            short=[text for _, text in entry_text.outcomes(report)] if len(report.items) > 1 else [],
            byline=entry_text.byline(report),
            entries=[
                _audit(item) if isinstance(item, AuditItem) else {"audit": None, **_entry(item)}
                for item in report.items
            ],
            gradient=css_gradient(),
            reduced=reduction(report),
        )
        .encode("utf-8")
    )


def audit_to_html(item: AuditItem) -> bytes:
    """An audit as an HTML page of its own, UTF-8. Text from outside is escaped."""
    return _template("audit.html.j2").render(item=item, gradient=css_gradient()).encode("utf-8")


def section_html(section: Section) -> str:
    """The blocks of a section as HTML, to stand on a page that has ``blocks_style``. Text from outside is escaped."""
    block, gradient = _macros()["block"], css_gradient()
    return "".join(str(block(one, gradient)) for one in section.blocks)


def blocks_style() -> str:
    """The style of blocks, in the colours --paper --ink --quiet --line --wash --teal --hot --cell of the page."""
    return str(_macros()["style"]())


def _macros() -> Mapping[str, Callable[..., object]]:
    """The macros that set blocks, by name."""
    return vars(_template("blocks.html.j2").module)


def _audit(item: AuditItem) -> dict[str, object]:
    return {"title": item.title, "comment": item.comment.strip(), "audit": item}


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
        "unjudged": entry_text.unjudged(item),
        "warnings": entry_text.warnings(item),
        "limits": entry_text.limits(item),
        "exact": entry_text.exact(item),
        "table": entry_text.table(item) if several else None,
    }


def reduction(report: Report) -> str:
    """A remark on pictures that a report shows smaller than they are; empty where there are none."""
    pictures = [item.picture for item in report.items if isinstance(item, Item)]
    return _REDUCED if any(max(one.height, one.width) > SIDE for one in pictures) else ""


@cache
def _template(name: str) -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"cell": cell_text, "jpeg_url": lambda jpeg: to_data_url(jpeg, "image/jpeg")}
    return made.get_template(name)
