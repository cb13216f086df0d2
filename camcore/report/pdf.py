"""A report as PDF, A4, with its fonts inside."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image as PilImage
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    Image,
    KeepTogether,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from camcore.render.colour import DIVERGING, colour_bar
from camcore.render.encode import to_jpeg
from camcore.report import entry_text, pdf_blocks
from camcore.report.captions import answer_name
from camcore.report.document import AuditItem, Item, Report, VerdictSummary
from camcore.report.drawing import Rgb, map_on, overlay_of, shrink
from camcore.report.html import MANY_SIDE, SIDE, TILE_SIDE, reduction
from camcore.report.typesetting import (
    CAUTION,
    INK,
    LINE,
    MARGIN,
    QUIET,
    TALLEST,
    box,
    fact_table,
    fonts,
    heading,
    paragraph,
    pictures,
    table,
)
from camcore.text import strength

CAVEAT = "A heatmap shows where a network looked, not whether it is right."
"""The foot of every page."""

_TONES = {"trust": "#1f7a4a", "caution": CAUTION, "distrust": "#c4473a"}
_QUALITY = 88
ROOM = 90 * mm
"""The least room of a page at which another entry begins on it."""
ROWS, CAPTION, COLUMNS, MOST_ROWS = 205 * mm, 9 * mm, 3, 4
"""Room of a page for rows of maps, that of a caption, wide pictures in a row, and the most rows on one page."""
TALLEST_OF_TWO = 80 * mm
_SHARES = (0.05, 0.15, 0.15, 0.2, 0.13, 0.1, 0.1, 0.12)  # of the width, for the table of maps


def to_pdf(report: Report) -> bytes:
    """The report as PDF. Text from outside (names, labels, comments) is set as it stands."""
    file = io.BytesIO()
    fonts()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=entry_text.called(report),
        author=report.author,
    )
    parts: list[Flowable] = [paragraph(entry_text.called(report), 20, bold=True)]
    if entry_text.byline(report):
        parts.append(paragraph(entry_text.byline(report), 10, QUIET))
    if reduction(report):
        parts.append(paragraph(reduction(report), 8, QUIET))
    parts.append(HRFlowable(width="100%", thickness=1.2, color=HexColor(INK), spaceBefore=6, spaceAfter=10))
    parts += _short(report)
    for number, item in enumerate(report.items):
        parts += _apart() if number else []
        parts += pdf_blocks.audit(item) if isinstance(item, AuditItem) else _entry(item)
    document.build(parts, onFirstPage=_foot, onLaterPages=_foot)
    return file.getvalue()


def _short(report: Report) -> list[Flowable]:
    """Each entry in a sentence, where there are several."""
    if len(report.items) < 2:
        return []
    lines = [paragraph(f"{number}. {text}", 9) for number, (_, text) in enumerate(entry_text.outcomes(report), 1)]
    return [heading("In short"), *lines, *_apart(first=True)]


def _apart(first: bool = False) -> list[Flowable]:
    """The separation of two entries: a line, or a new page where less than ROOM is left of this one."""
    line = HRFlowable(width="100%", thickness=0.8, color=HexColor(LINE), spaceBefore=10, spaceAfter=10)
    return [line] if first else [CondPageBreak(ROOM), line]


def _entry(item: Item) -> list[Flowable]:
    several = len(item.findings) > 1
    side = MANY_SIDE if several else SIDE
    rgb = item.picture.open().rgb
    photo, small = shrink(rgb, side), shrink(rgb, TILE_SIDE)
    names = entry_text.names(item.findings)
    prints = [(_jpeg(photo), entry_text.picture_name(item))]
    for one, name in zip(item.findings, names, strict=True):
        mark = f" · {one.scale.mark}" if one.scale is not None and one.scale.mark else ""
        drawn = _jpeg(overlay_of(photo, one, item.style, side))
        prints.append((drawn, (name if several else entry_text.where(one)) + mark))
    parts: list[Flowable] = [paragraph(entry_text.title(item), 14, bold=True)]
    if item.comment.strip():
        parts += [paragraph(item.comment.strip(), 10.5), Spacer(0, 4)]
    parts += [*_grid(prints, item), _bar(item)]
    parts += [box(paragraph(text, 9), CAUTION) for text in entry_text.warnings(item)]
    for one, name in zip(item.findings, names, strict=True):
        if one.verdict is not None:
            parts.append(_verdict(one.verdict, name if several else ""))
    if unjudged := entry_text.unjudged(item):
        parts.append(paragraph(unjudged, 9))
    if item.depths:
        head = f"The same class at each depth, shallow to deep, by {entry_text.method_title(item.depths[0])}"
        tiles = [
            (_jpeg(map_on(small, m, item.style, TILE_SIDE)), f"{m.raw.shape[0]}×{m.raw.shape[1]}") for m in item.depths
        ]
        parts.append(KeepTogether([heading(head), *pictures(tiles, len(tiles), 38 * mm)]))
    if not several and item.first.predictions:
        rows = [(answer_name(p), strength(p)) for p in item.first.predictions]
        parts.append(KeepTogether([heading("What the network says"), fact_table(rows, 70 * mm)]))
    parts += [CondPageBreak(30 * mm), heading("Cautions")]
    for one_limits in entry_text.limits(item):
        text = f"{one_limits.method} answers: {one_limits.summary} Its limits: {one_limits.weaknesses}"
        parts.append(paragraph(text, 9))
    made: list[Flowable] = [heading("How this was made")]
    if several:
        heads, body = entry_text.table(item)
        made += [table([heads, *body], _SHARES), Spacer(0, 6)]
    return [*parts, KeepTogether([*made, fact_table(entry_text.exact(item), 38 * mm)])]


def _grid(prints: Sequence[tuple[bytes, str]], item: Item) -> list[Flowable]:
    """The pictures of an entry in rows; those of several maps low enough for all rows to stand on one page."""
    if len(item.findings) == 1:
        return pictures(prints, 2, TALLEST_OF_TWO)
    columns = COLUMNS if item.picture.width >= item.picture.height else COLUMNS + 1
    rows = min(-(-len(prints) // columns), MOST_ROWS)
    return pictures(prints, columns, min(TALLEST, ROWS / rows - CAPTION))


def _jpeg(rgb: Rgb) -> bytes:
    return to_jpeg(rgb, _QUALITY)


def _bar(item: Item) -> Flowable:
    signed = any(one.scale is not None and one.scale.signed for one in item.findings)
    colours = PilImage.fromarray(colour_bar(DIVERGING if signed else item.style.colormap, 256, 8))
    file = io.BytesIO()
    colours.save(file, "PNG")
    low, high = ("speaks against", "speaks for") if signed else ("little", "much")
    cells = [[paragraph(low, 8, QUIET), Image(file, 40 * mm, 2.2 * mm), paragraph(high, 8, QUIET)]]
    style = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    return Table(cells, [24 * mm if signed else 10 * mm, 44 * mm, None], style=style, hAlign="LEFT")


def _verdict(verdict: VerdictSummary, name: str) -> Flowable:
    head = f"{name}: {verdict.headline}" if name else verdict.headline
    parts: list[Flowable] = [
        paragraph(head, 10.5, bold=True),
        *(paragraph(f"• {text}", 9) for _, text in verdict.reasons),
    ]
    if verdict.figures:
        parts.append(fact_table(verdict.figures, 60 * mm))
    return box(parts, _TONES.get(verdict.level, QUIET))


def _foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Vera", 7)
    canvas.setFillColor(HexColor(QUIET))
    canvas.drawString(MARGIN, 8 * mm, CAVEAT)
    canvas.drawRightString(A4[0] - MARGIN, 8 * mm, str(document.page))
