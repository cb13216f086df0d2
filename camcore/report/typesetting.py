"""The parts that a PDF is set of: text in its fonts, tables, pictures and boxes.

Text is set in Bitstream Vera, which comes with reportlab. Letters that it lacks are taken from a font of the system
where that has them (Greek, Cyrillic), and are replaced by the nearest plain letter or "?" where nothing has them.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape

from PIL import ImageFont
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Flowable, Image, Paragraph, Table

MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
TALLEST = 105 * mm
INK, QUIET, LINE, WASH = "#1a2322", "#55625f", "#d5dcda", "#f3f6f5"
CAUTION = "#c98a1b"
_GAP = 3 * mm
_SYSTEM_FONTS = ("DejaVuSans.ttf", "Arial.ttf")


def picture(jpeg: bytes, widest: float, tallest: float) -> Image:
    """A picture that fills this room in one direction."""
    width, height = ImageReader(io.BytesIO(jpeg)).getSize()
    scale = min(widest / width, tallest / height)
    return Image(io.BytesIO(jpeg), width * scale, height * scale, hAlign="LEFT")


def pictures(prints: Sequence[tuple[bytes, str]], columns: int, tallest: float = TALLEST) -> list[Flowable]:
    """Rows of pictures as JPEG, each with its caption."""
    room = (WIDTH - (columns - 1) * _GAP) / columns
    parts: list[Flowable] = []
    for start in range(0, len(prints), columns):
        cells: list[str | list[Flowable]] = []
        for jpeg, caption in prints[start : start + columns]:
            cells.append([picture(jpeg, room, tallest), paragraph(caption, 8, QUIET)])
        cells += [""] * (columns - len(cells))
        widths = [room + (_GAP if i < columns - 1 else 0) for i in range(columns)]
        style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                 ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)]  # fmt: skip
        parts.append(Table([cells], widths, style=style, hAlign="LEFT"))
    return parts


def box(content: Flowable | Sequence[Flowable], tone: str) -> Flowable:
    """A box with a coloured edge."""
    style = [("BACKGROUND", (0, 0), (-1, -1), HexColor(WASH)), ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(tone))]
    return Table([[content]], [WIDTH], style=style, spaceBefore=6, hAlign="LEFT")


def heading(text: str) -> Flowable:
    """The title of a part."""
    return paragraph(text, 10.5, bold=True, before=10)


def fact_table(rows: Sequence[tuple[str, str]], width: float) -> Flowable:
    """Names and values. ``width``: of the names."""
    cells = [[paragraph(name, 8, QUIET), paragraph(value, 8)] for name, value in rows]
    return Table(cells, [width, WIDTH - width], style=_ruled(), hAlign="LEFT")


def table(rows: Sequence[Sequence[str]], shares: Sequence[float]) -> Flowable:
    """A table whose first row has the heads. ``shares``: of the width, by column."""
    cells = [[paragraph(cell, 7, bold=number == 0) for cell in row] for number, row in enumerate(rows)]
    return Table(cells, [WIDTH * share for share in shares], repeatRows=1, style=_ruled(), hAlign="LEFT")


def paragraph(text: str, size: float, tone: str = INK, bold: bool = False, before: float = 0) -> Paragraph:
    """Text from anywhere, set as it stands."""
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
    return Paragraph(marked(text, *fonts()), style)


def _ruled() -> list[tuple[object, ...]]:
    return [("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor(LINE)), ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3)]  # fmt: skip


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
def fonts() -> tuple[frozenset[int], frozenset[int]]:
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
