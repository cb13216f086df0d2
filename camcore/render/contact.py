"""Many pictures on one sheet: titles over columns and rows, a line beneath each picture, colour bars, a caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from camcore.errors import CamcoreError
from camcore.render.colour import colour_bar
from camcore.render.encode import INK, PAPER, caption_font, to_ascii, wrap_text

Rgb = NDArray[np.uint8]

_SIZE = 15
_LINE = 20
_GAP = 12
_QUIET = (96, 96, 96)


@dataclass(frozen=True, eq=False)
class ContactPrint:
    """One picture of a sheet. ``rgb`` uint8 (H, W, 3), all of one size; None leaves its place empty, for ``note``."""

    rgb: Rgb | None
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """A colour map and the words at its ends."""

    colormap: str
    low: str
    high: str


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[ContactPrint]]],
    heads: Sequence[str] = (),
    bars: Sequence[Bar] = (),
    lines: Sequence[str] = (),
) -> Rgb:
    """A sheet with a row of pictures for each of ``rows``, (title, pictures): uint8 (H, W, 3).

    Text is cut where it is longer than its picture is wide; the lines beneath the sheet wrap. Raises CamcoreError
    where there is no picture, or their sizes differ.
    """
    sizes = {one.rgb.shape for _, prints in rows for one in prints if one.rgb is not None}
    if len(sizes) != 1:
        raise CamcoreError(
            f"Pictures of {len(sizes)} sizes cannot stand on one sheet. A sheet holds pictures of one size, and at "
            "least one. Bring them to one size first."
        )
    height, width = next(iter(sizes))[:2]
    count = max(len(prints) for _, prints in rows)
    captioned = any(one.title or one.note for _, prints in rows for one in prints)
    text_lines = 2 if any(one.title and one.note for _, prints in rows for one in prints) else int(captioned)
    font, everything = caption_font(_SIZE)

    def plain(text: str) -> str:
        return text if everything else to_ascii(text)

    def cut(text: str, room: float) -> str:
        text = plain(text)
        while font.getlength(text) > room and len(text) > 2:
            text = text[:-2].rstrip() + ("…" if everything else ".")
        return text

    total = count * width + (count + 1) * _GAP
    foot = [part for line in lines for part in wrap_text(plain(line), font, total - 2 * _GAP)]
    title_height = [_LINE if title else 0 for title, _ in rows]
    cell = height + text_lines * _LINE + _GAP
    tall = _GAP + (_LINE if heads else 0) + sum(title_height) + len(rows) * cell
    sheet = Image.new("RGB", (total, tall + len(bars) * (_LINE + 6) + len(foot) * _LINE + _GAP), PAPER)
    draw = ImageDraw.Draw(sheet)

    y = _GAP
    for i, head in enumerate(heads):
        draw.text((_GAP + i * (width + _GAP), y), cut(head, width), INK, font)
    y += _LINE if heads else 0
    for (title, prints), extra in zip(rows, title_height, strict=True):
        if title:
            draw.text((_GAP, y), cut(title, total - 2 * _GAP), INK, font)
        y += extra
        for i, one in enumerate(prints):
            x = _GAP + i * (width + _GAP)
            if one.rgb is not None:
                sheet.paste(Image.fromarray(one.rgb), (x, y))
            else:
                draw.rectangle((x, y, x + width - 1, y + height - 1), outline=(200, 200, 200))
            texts = [text for text in (one.title, one.note) if text]
            for k, text in enumerate(texts):
                draw.text((x, y + height + 3 + k * _LINE), cut(text, width), INK if k == 0 else _QUIET, font)
        y += cell
    for bar in bars:
        low = plain(bar.low)
        draw.text((_GAP, y), low, INK, font)
        start = round(_GAP + font.getlength(low) + 8)
        sheet.paste(Image.fromarray(colour_bar(bar.colormap, 200, 12)), (start, y + 3))
        draw.text((start + 208, y), cut(bar.high, total - start - 208 - _GAP), INK, font)
        y += _LINE + 6
    for line in foot:
        draw.text((_GAP, y), line, _QUIET, font)
        y += _LINE
    return np.asarray(sheet, np.uint8)
