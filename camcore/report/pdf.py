"""A report as PDF, A4, with its fonts inside."""

from __future__ import annotations

import io

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
    PageBreak,
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
    MARGIN,
    QUIET,
    box,
    fact_table,
    fonts,
    heading,
    paragraph,
    pictures,
    table,
)
from camcore.text import strength

_TONES = {"trust": "#1f7a4a", "caution": CAUTION, "distrust": "#c4473a"}
_QUALITY = 88
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
    parts.append(HRFlowable(width="100%", thickness=1.2, color=HexColor(INK), spaceBefore=6, spaceAfter=10))
    for number, item in enumerate(report.items):
        parts += [PageBreak()] if number else []
        parts += pdf_blocks.audit(item) if isinstance(item, AuditItem) else _entry(item)
    foot = f"A heatmap shows where a network looked, not whether it is right. {reduction(report)}"
    parts += [Spacer(0, 8), paragraph(foot, 8, QUIET)]
    document.build(parts, onFirstPage=_number, onLaterPages=_number)
    return file.getvalue()


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
    parts += [*pictures(prints, 3 if several else 2), _bar(item)]
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


def _number(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Vera", 8)
    canvas.setFillColor(HexColor(QUIET))
    canvas.drawRightString(A4[0] - MARGIN, 8 * mm, str(document.page))
