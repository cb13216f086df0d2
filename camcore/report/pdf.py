"""A report as PDF, A4, with its fonts inside.

Text is set in Bitstream Vera, which comes with reportlab. Letters that it lacks are taken from a font of the system
where that has them (Greek, Cyrillic), and are replaced by the nearest plain letter or "?" where nothing has them.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape

from PIL import Image as PilImage
from PIL import ImageFont
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    Image,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from camcore.render.colour import DIVERGING, colour_bar
from camcore.render.encode import to_jpeg
from camcore.report import entry_text
from camcore.report.captions import answer_name
from camcore.report.document import Item, Report, VerdictSummary
from camcore.report.drawing import Rgb, map_on, overlay_of, shrink
from camcore.report.html import MANY_SIDE, REDUCED, SIDE, TILE_SIDE
from camcore.text import strength

_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TALLEST = 105 * mm
_GAP = 3 * mm
_INK, _QUIET, _LINE, _WASH = "#1a2322", "#55625f", "#d5dcda", "#f3f6f5"
_TONES = {"trust": "#1f7a4a", "caution": "#c98a1b", "distrust": "#c4473a"}
_SYSTEM_FONTS = ("DejaVuSans.ttf", "Arial.ttf")
_QUALITY = 88


def to_pdf(report: Report) -> bytes:
    """The report as PDF. Text from outside (names, labels, comments) is set as it stands."""
    file = io.BytesIO()
    _fonts()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=entry_text.called(report),
        author=report.author,
    )
    parts: list[Flowable] = [_text(entry_text.called(report), 20, bold=True)]
    if entry_text.byline(report):
        parts.append(_text(entry_text.byline(report), 10, _QUIET))
    parts.append(HRFlowable(width="100%", thickness=1.2, color=HexColor(_INK), spaceBefore=6, spaceAfter=10))
    for number, item in enumerate(report.items):
        parts += ([PageBreak()] if number else []) + _entry(item)
    foot = f"A heatmap shows where a network looked, not whether it is right. {REDUCED}"
    parts += [Spacer(0, 8), _text(foot, 8, _QUIET)]
    document.build(parts, onFirstPage=_number, onLaterPages=_number)
    return file.getvalue()


def _entry(item: Item) -> list[Flowable]:
    several = len(item.findings) > 1
    side = MANY_SIDE if several else SIDE
    rgb = item.picture.open().rgb
    photo, small = shrink(rgb, side), shrink(rgb, TILE_SIDE)
    names = entry_text.names(item.findings)
    prints = [(photo, entry_text.picture_name(item))]
    for one, name in zip(item.findings, names, strict=True):
        mark = f" · {one.scale.mark}" if one.scale is not None and one.scale.mark else ""
        prints.append((overlay_of(photo, one, item.style, side), (name if several else entry_text.where(one)) + mark))
    parts: list[Flowable] = [_text(entry_text.title(item), 14, bold=True)]
    if item.comment.strip():
        parts += [_text(item.comment.strip(), 10.5), Spacer(0, 4)]
    parts += [*_pictures(prints, 3 if several else 2), _bar(item)]
    parts += [_box(_text(text, 9), _TONES["caution"]) for text in entry_text.warnings(item)]
    for one, name in zip(item.findings, names, strict=True):
        if one.verdict is not None:
            parts.append(_verdict(one.verdict, name if several else ""))
    if item.depths:
        head = f"The same class at each depth, shallow to deep, by {entry_text.method_title(item.depths[0])}"
        tiles = [(map_on(small, m, item.style, TILE_SIDE), f"{m.raw.shape[0]}×{m.raw.shape[1]}") for m in item.depths]
        parts.append(KeepTogether([_head(head), *_pictures(tiles, len(tiles), 38 * mm)]))
    if not several and item.first.predictions:
        rows = [(answer_name(p), strength(p)) for p in item.first.predictions]
        parts.append(KeepTogether([_head("What the network says"), _rows(rows, 70 * mm)]))
    parts += [CondPageBreak(30 * mm), _head("What to beware of")]
    for one_limits in entry_text.limits(item):
        text = f"{one_limits.method} answers: {one_limits.summary} Its limits: {one_limits.weaknesses}"
        parts.append(_text(text, 9))
    made: list[Flowable] = [_head("How this was made")]
    if several:
        heads, body = entry_text.table(item)
        made += [_table([heads, *body]), Spacer(0, 6)]
    return [*parts, KeepTogether([*made, _rows(entry_text.exact(item), 38 * mm)])]


def _pictures(prints: Sequence[tuple[Rgb, str]], columns: int, tallest: float = _TALLEST) -> list[Flowable]:
    """Rows of pictures, each with its caption."""
    room = (_WIDTH - (columns - 1) * _GAP) / columns
    parts: list[Flowable] = []
    for start in range(0, len(prints), columns):
        cells: list[str | list[Flowable]] = []
        for rgb, caption in prints[start : start + columns]:
            scale = min(room / rgb.shape[1], tallest / rgb.shape[0])
            drawn = Image(io.BytesIO(to_jpeg(rgb, _QUALITY)), rgb.shape[1] * scale, rgb.shape[0] * scale, hAlign="LEFT")
            cells.append([drawn, _text(caption, 8, _QUIET)])
        cells += [""] * (columns - len(cells))
        widths = [room + (_GAP if i < columns - 1 else 0) for i in range(columns)]
        style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                 ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)]  # fmt: skip
        parts.append(Table([cells], widths, style=style, hAlign="LEFT"))
    return parts


def _bar(item: Item) -> Flowable:
    signed = any(one.scale is not None and one.scale.signed for one in item.findings)
    colours = PilImage.fromarray(colour_bar(DIVERGING if signed else item.style.colormap, 256, 8))
    file = io.BytesIO()
    colours.save(file, "PNG")
    low, high = ("speaks against", "speaks for") if signed else ("little", "much")
    cells = [[_text(low, 8, _QUIET), Image(file, 40 * mm, 2.2 * mm), _text(high, 8, _QUIET)]]
    style = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    return Table(cells, [24 * mm if signed else 10 * mm, 44 * mm, None], style=style, hAlign="LEFT")


def _verdict(verdict: VerdictSummary, name: str) -> Flowable:
    head = f"{name}: {verdict.headline}" if name else verdict.headline
    parts: list[Flowable] = [_text(head, 10.5, bold=True), *(_text(f"• {text}", 9) for _, text in verdict.reasons)]
    if verdict.figures:
        parts.append(_rows(verdict.figures, 60 * mm))
    return _box(parts, _TONES.get(verdict.level, _QUIET))


def _box(content: Flowable | Sequence[Flowable], tone: str) -> Flowable:
    style = [("BACKGROUND", (0, 0), (-1, -1), HexColor(_WASH)), ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(tone))]
    return Table([[content]], [_WIDTH], style=style, spaceBefore=6, hAlign="LEFT")


def _head(text: str) -> Flowable:
    return _text(text, 10.5, bold=True, before=10)


def _rows(rows: Sequence[tuple[str, str]], width: float) -> Flowable:
    cells = [[_text(name, 8, _QUIET), _text(value, 8)] for name, value in rows]
    return Table(cells, [width, _WIDTH - width], style=_lines(), hAlign="LEFT")


def _table(rows: Sequence[Sequence[str]]) -> Flowable:
    cells = [[_text(cell, 7, bold=number == 0) for cell in row] for number, row in enumerate(rows)]
    shares = (0.05, 0.15, 0.15, 0.2, 0.13, 0.1, 0.1, 0.12)
    return Table(cells, [_WIDTH * share for share in shares], repeatRows=1, style=_lines(), hAlign="LEFT")


def _lines() -> list[tuple[object, ...]]:
    return [("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor(_LINE)), ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3)]  # fmt: skip


def _text(text: str, size: float, tone: str = _INK, bold: bool = False, before: float = 0) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName="Vera-Bold" if bold else "Vera",
        fontSize=size,
        leading=size * 1.35,
        textColor=HexColor(tone),
        spaceBefore=before,
        spaceAfter=size * 0.3,
        splitLongWords=True,
    )
    return Paragraph(marked(text, *_fonts()), style)


def marked(text: str, own: frozenset[int], other: frozenset[int]) -> str:
    """Text as reportlab's markup: escaped, lines kept, what the ``own`` font lacks taken from the ``other``."""
    done = []
    for character in unicodedata.normalize("NFC", text):
        if character == "\n":
            done.append("<br/>")
        elif ord(character) in own and not unicodedata.category(character).startswith("C"):
            done.append(escape(character, quote=False))
        elif character.isspace() or unicodedata.category(character).startswith("C"):
            done.append(" ")
        elif ord(character) in other:
            done.append(f'<font name="Other">{escape(character)}</font>')
        else:
            plain = "".join(c for c in unicodedata.normalize("NFKD", character) if ord(c) in own)
            done.append(escape(plain or "?"))
    return "".join(done)


@cache
def _fonts() -> tuple[frozenset[int], frozenset[int]]:
    """Register the fonts; the characters of our own, and those of the system's."""
    own = TTFont("Vera", "Vera.ttf")
    pdfmetrics.registerFont(own)
    pdfmetrics.registerFont(TTFont("Vera-Bold", "VeraBd.ttf"))
    for name in _SYSTEM_FONTS:
        try:
            other = TTFont("Other", str(ImageFont.truetype(name, 10).path))
        except (OSError, TTFError):
            continue
        pdfmetrics.registerFont(other)
        return frozenset(own.face.charToGlyph), frozenset(other.face.charToGlyph)
    return frozenset(own.face.charToGlyph), frozenset()


def _number(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Vera", 8)
    canvas.setFillColor(HexColor(_QUIET))
    canvas.drawRightString(A4[0] - _MARGIN, 8 * mm, str(document.page))
