"""An audit in a PDF: its large figures, and the blocks of its sections."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.graphics.shapes import Circle, Drawing, Line, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table

from camcore.report.blocks import (
    Block,
    Bullets,
    CalibrationChart,
    Card,
    Cards,
    Command,
    Facts,
    Matrix,
    Paragraph,
    Print,
    Prints,
    Section,
    cell_text,
)
from camcore.report.blocks import Table as TableBlock
from camcore.report.document import AuditItem
from camcore.report.typesetting import (
    CAUTION,
    INK,
    LINE,
    QUIET,
    WASH,
    WIDTH,
    box,
    fact_table,
    heading,
    paragraph,
    picture,
    pictures,
    table,
)

_TEAL, _HOT = "#1f7a76", "#b23a2e"
_COLUMNS, _MAP_COLUMNS = 4, 6
_PATCH, _PATCHES = 22 * mm, 5
_TURNED = 18 * mm
_SIDE = 55 * mm  # of the calibration chart
_NARROW = 2  # classes of a confusion matrix that takes half of the page
_LEAST = 0.11  # of a table's width, for a column


def audit(item: AuditItem) -> list[Flowable]:
    """The entry of an audit."""
    parts: list[Flowable] = [paragraph(item.title, 14, bold=True), paragraph(item.source, 9, QUIET)]
    if item.comment.strip():
        parts += [paragraph(item.comment.strip(), 10.5), Spacer(0, 4)]
    parts.append(paragraph(item.answer, 10.5))
    parts += [box(paragraph(note, 9), CAUTION) for note in item.notes]
    parts.append(_numbers(item.numbers))
    sections = list(item.sections)
    while sections:
        one = sections.pop(0)
        if sections and _beside(one) and _beside(sections[0]):
            parts.append(_halves(one, sections.pop(0)))
        else:
            parts += [CondPageBreak(40 * mm), *_section(one)]
    return parts


def _section(section: Section) -> list[Flowable]:
    return [heading(section.title), *(flowable for block in section.blocks for flowable in _block(block))]


def _beside(section: Section) -> bool:
    """Tell whether a section is narrow enough for half of the page."""
    return section.half and all(
        isinstance(block, CalibrationChart) or (isinstance(block, Matrix) and len(block.classes) <= _NARROW)
        for block in section.blocks
    )


def _halves(left: Section, right: Section) -> Flowable:
    """Two sections beside each other."""
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]
    return Table([[_section(left), _section(right)]], [WIDTH / 2] * 2, style=style, hAlign="LEFT")


def _block(block: Block) -> list[Flowable]:
    match block:
        case Paragraph():
            return [paragraph(block.text, 8 if block.quiet else 9, QUIET if block.quiet else INK)]
        case TableBlock():
            rows = [block.heads, *(tuple(map(cell_text, row)) for row in block.rows)]
            return [table(rows, _shares(rows))]
        case Matrix():
            return [_matrix(block)]
        case CalibrationChart():
            return [_calibration(block), paragraph(block.text, 8, QUIET)]
        case Prints():
            return _prints(block)
        case Cards():
            return [_card(card) for card in block.cards]
        case Bullets():
            return [paragraph(f"• {text}", 9) for text in block.texts]
        case Facts():
            return [fact_table(block.rows, 38 * mm)]
        case Command():
            return [box(paragraph(block.text, 8), QUIET)]


def _numbers(numbers: Sequence[tuple[str, str, str]]) -> Flowable:
    cells = [
        [paragraph(value, 15, bold=True), paragraph(name, 9), paragraph(note, 7, QUIET)]
        for value, name, note in numbers
    ]
    style = [("BACKGROUND", (0, 0), (-1, -1), HexColor(WASH)), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Table([cells], [WIDTH / len(cells)] * len(cells), style=style, spaceBefore=6, spaceAfter=6, hAlign="LEFT")


def _shares(rows: Sequence[Sequence[str]]) -> list[float]:
    """The share of the width for each column, by its longest text."""
    longest = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    shares = [max(length / max(sum(longest), 1), _LEAST) for length in longest]
    return [share / sum(shares) for share in shares]


def _matrix(block: Matrix) -> Flowable:
    small = 8 if len(block.classes) <= 6 else 6
    heads = [paragraph("true ↓  predicted →", 7, QUIET), *(paragraph(name, 7, bold=True) for name in block.classes)]
    style: list[tuple[object, ...]] = [("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (0, -1), 0)]
    cells: list[list[Flowable]] = [heads]
    for row, (name, counts) in enumerate(zip(block.classes, block.counts, strict=True), 1):
        cells.append([paragraph(name, 7, bold=True), *(paragraph(f"{count:,}", small) for count in counts)])
        for column, count in enumerate(counts, 1):
            share = count / max(sum(counts), 1)
            tint = Color(31 / 255, 122 / 255, 118 / 255, alpha=0.62 * share)
            style.append(("BACKGROUND", (column, row), (column, row), tint))
    room = min(28 * mm, (WIDTH - 32 * mm) / len(block.classes))
    return Table(cells, [32 * mm, *[room] * len(block.classes)], style=style, hAlign="LEFT")


def _calibration(block: CalibrationChart) -> Flowable:
    side, gap = _SIDE, 6 * mm
    drawn = Drawing(side + 2 * gap, side + 2 * gap)
    drawn.hAlign = "LEFT"
    drawn.add(Rect(gap, gap, side, side, fillColor=HexColor(WASH), strokeColor=None))
    drawn.add(
        Line(gap, gap, gap + side, gap + side, strokeColor=HexColor(QUIET), strokeWidth=0.5, strokeDashArray=[2, 2])
    )
    for point in block.points:
        x, y, low, high = (gap + side * value for value in (point.probability, point.right, point.low, point.high))
        drawn.add(Line(x, low, x, high, strokeColor=HexColor(_TEAL), strokeWidth=0.8))
        drawn.add(Circle(x, y, 1.6, fillColor=HexColor(_TEAL), strokeColor=None))
    for x, text, anchor in (
        (gap, "0 %", "start"),
        (gap + side, "100 %", "end"),
        (gap + side / 2, "probability", "middle"),
    ):
        drawn.add(String(x, gap - 8, text, fontName="Vera", fontSize=6, fillColor=HexColor(QUIET), textAnchor=anchor))
    drawn.add(
        String(gap, gap + side + 3, "share that is right", fontName="Vera", fontSize=6, fillColor=HexColor(QUIET))
    )
    return drawn


def _prints(block: Prints) -> list[Flowable]:
    captioned = [(one.jpeg, _caption(one)) for one in block.prints if one.jpeg]
    return pictures(captioned, _MAP_COLUMNS if block.maps else _COLUMNS, 45 * mm)


def _caption(one: Print) -> str:
    return "\n".join(filter(None, (one.name, one.note)))


def _card(card: Card) -> Flowable:
    title = paragraph(card.name, 9, bold=True)
    flag = [paragraph(card.flag, 8, _HOT, bold=True)] if card.flag else []
    patches = [one for one in card.patches if one.jpeg][:_PATCHES]
    lines: list[Flowable] = [title, *flag, *(paragraph(line, 8) for line in card.lines)]
    if patches:
        lines.append(Table([[picture(one.jpeg, _PATCH, _PATCH) for one in patches]], hAlign="LEFT"))
    if card.turned:
        pairs = [picture(one.jpeg, _TURNED, _TURNED) for pair in card.turned for one in pair]
        lines += [paragraph(card.turned_by, 7, QUIET), Table([pairs], hAlign="LEFT")]
    lines += [paragraph(line, 7, QUIET) for line in card.remarks]
    left = [picture(card.map.jpeg, 26 * mm, 26 * mm), paragraph(card.map.name, 7, QUIET)]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEABOVE", (0, 0), (-1, 0), 0.5, HexColor(LINE)),
             ("LEFTPADDING", (0, 0), (0, -1), 0)]  # fmt: skip
    return KeepTogether([Table([[left, lines]], [31 * mm, WIDTH - 31 * mm], style=style, hAlign="LEFT")])
