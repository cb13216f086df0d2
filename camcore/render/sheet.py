"""A layer's channels on one picture: thousands of cells, numbered, drawn at once.

The sheet is a picture of 256 colours: 124 of a colour map, 124 diverging ones for channels with both signs, and those
of paper, ink and mark. So all cells are drawn as one array of bytes, and its PNG is small and lossless.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from camcore.checks import one_of
from camcore.errors import CamcoreError
from camcore.render.colour import DIVERGING, table
from camcore.render.encode import caption_font

Scale = Literal["shared", "each"]
Bytes = NDArray[np.uint8]
Rgb = tuple[int, int, int]

SCALES: tuple[Scale, ...] = ("shared", "each")
a_scale = one_of(*SCALES, kind="scale")
LEVELS = 124
"""Colours of each of the two colour maps on a sheet."""

_SIGNED = LEVELS  # the diverging colours begin here, their middle at _SIGNED + LEVELS // 2
PAPER, _MARK = 2 * LEVELS, 2 * LEVELS + 1
_INK = 2 * LEVELS + 2  # six steps of the ink, from faint to full: smooth edges of the digits
_SHADES = 6
_PAPER_RGB, _INK_RGB, _MARK_RGB = (255, 255, 255), (64, 64, 64), (150, 150, 150)
_GAP = 3
_NUMBER_SIZE = 14


@dataclass(frozen=True, eq=False)
class Sheet:
    """Cells in rows of ``columns``, in reading order.

    ``index`` uint8 (H, W) points into ``palette`` uint8 (256, 3). ``cell``: a cell's (height, width) in pixels;
    ``pitch``: from one cell to the next, down and across. The first cell begins at (0, 0). ``count``: cells in all.
    """

    index: Bytes
    palette: Bytes
    columns: int
    cell: tuple[int, int]
    pitch: tuple[int, int]
    count: int

    @property
    def rgb(self) -> Bytes:
        """The sheet on white paper: uint8 (H, W, 3)."""
        return self.palette[self.index]

    def png(self, transparent: bool = False) -> bytes:
        """The sheet as a PNG with a palette, lossless.

        ``transparent``: without paper, and with ink that can be read on light and dark pages.
        """
        picture = Image.fromarray(self.index, "P")
        palette, options = self.palette, {}
        if transparent:
            palette = palette.copy()
            palette[_INK : _INK + _SHADES] = 128
            alpha = np.full(256, 255, np.uint8)
            alpha[PAPER] = 0
            alpha[_INK : _INK + _SHADES] = np.rint(_steps() * 255)
            options = {"transparency": alpha.tobytes()}
        picture.putpalette(palette.tobytes())
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=1, **options)
        return file.getvalue()


def sheet(
    A: NDArray[np.floating],
    *,
    numbers: NDArray[np.integer] | None = None,
    scale: Scale = "shared",
    columns: int | None = None,
    width: int = 840,
    colormap: str = "viridis",
) -> Sheet:
    """All channels of A (h, w, K), in the order given, as one picture about ``width`` pixels wide.

    Where no value is below 0 they go from 0 to the top in ``colormap``, else from minus the top to the top in
    diverging colours. ``scale`` "shared": the top is the largest |A| of all channels; "each": each channel's own.
    A channel that is 0 everywhere is crossed out. ``numbers``: written beneath the cells where these are wide enough.
    ``columns``: cells in a row; None: as many as make a sheet that can be read. Raises CamcoreError where A has no
    channel, for an unknown scale or colour map.
    """
    if A.ndim != 3 or not A.size:
        raise CamcoreError(
            f"Activations of shape {A.shape} cannot be drawn as a sheet. It shows channels (h, w, K), at least one. "
            "Give the activations of one picture at one layer."
        )
    a_scale("scale", scale)
    columns = min(columns or good_columns(A.shape[2]), A.shape[2])
    size = cell_size(A.shape[:2], width // columns - _GAP)
    drawn = cells(A, size, scale)
    return lay_out(drawn, columns, numbers, colormap)


def good_columns(count: int) -> int:
    """Cells in a row: as many as rows for few channels, 16 at most, so that the smallest can still be read."""
    return max(min(count, 8), min(16, round(count**0.5)))


def cell_size(grid: tuple[int, ...], room: int) -> tuple[int, int]:
    """A cell's (height, width) in ``room`` pixels: whole pixels for each place where that fits, else reduced."""
    side = max(grid)
    if side <= room:
        return grid[0] * (room // side), grid[1] * (room // side)
    return max(1, round(grid[0] * room / side)), max(1, round(grid[1] * room / side))


def cells(A: NDArray[np.floating], size: tuple[int, int], scale: Scale = "shared") -> Bytes:
    """The channels of A (h, w, K) as cells of ``size`` (height, width): colour numbers, uint8 (K, height, width).

    Scales as in ``sheet``.
    Enlarged cells repeat each place; reduced ones average over areas.
    """
    values = np.array(np.moveaxis(A, 2, 0), np.float32, order="C")  # a copy in any case: it is scaled in place
    _, h, w = values.shape
    dead = ~values.any(axis=(1, 2))
    low, high = values.min(axis=(1, 2)), values.max(axis=(1, 2))
    signed = bool((low < 0).any())
    top = np.maximum(high, -low)
    if scale == "shared":
        top[:] = top.max()
    top[top == 0] = 1
    if size[0] < h or size[1] < w:
        values = _reduced(values, (min(size[0], h), min(size[1], w)))
    values *= ((LEVELS // 2 - 1 if signed else LEVELS - 1) / top)[:, None, None]
    values += _SIGNED + LEVELS // 2 if signed else 0
    index = np.rint(values).astype(np.uint8)
    for axis in (1, 2):
        side, target = index.shape[axis], size[axis - 1]
        if side < target:
            index = index.take(np.arange(target) * side // target, axis=axis)
    if dead.any():
        index[dead] = _crossed(size)
    return index


def lay_out(drawn: Bytes, columns: int, numbers: NDArray[np.integer] | None = None, colormap: str = "viridis") -> Sheet:
    """Cells (n, height, width) from ``cells`` on one sheet, with their numbers where there is room.

    A cell of PAPER leaves its place empty, a number below 0 is not written.
    """
    count, height, width = drawn.shape
    rows = -(-count // columns)
    digits = len(str(int(numbers.max()))) if numbers is not None and len(numbers) else 0
    glyphs = _digits() if digits else None
    if glyphs is not None and digits * glyphs.shape[2] > width:
        glyphs = None
    strip = 0 if glyphs is None else glyphs.shape[1]
    pitch = (height + strip + _GAP, width + _GAP)
    page = np.full((rows, pitch[0], columns, pitch[1]), PAPER, np.uint8)
    whole = np.full((rows * columns, height, width), PAPER, np.uint8)
    whole[:count] = drawn
    page[:, :height, :, :width] = whole.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    if glyphs is not None and numbers is not None:
        _write(page[:, height : height + strip], numbers, digits, glyphs)
    index = page.reshape(rows * pitch[0], columns * pitch[1])
    return Sheet(index, _palette(colormap), columns, (height, width), pitch, count)


def _reduced(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Maps (n, h, w) averaged over areas to ``size``; one beneath the other, as cell meets cell at whole pixels."""
    n, h, w = values.shape
    at_once = max(1, 16384 // h)
    parts = [
        cv2.resize(
            values[i : i + at_once].reshape(-1, w),
            (size[1], len(values[i : i + at_once]) * size[0]),
            interpolation=cv2.INTER_AREA,
        )
        for i in range(0, n, at_once)
    ]
    return np.concatenate(parts).reshape(n, *size)


def _crossed(size: tuple[int, int]) -> Bytes:
    """A cell with a thin cross: nothing here."""
    cell = np.full(size, PAPER, np.uint8)
    last = (size[1] - 1, size[0] - 1)
    for start, end in (((0, 0), last), ((last[0], 0), (0, last[1]))):
        cv2.line(cell, start, end, _MARK, 1)
    cv2.rectangle(cell, (0, 0), last, _MARK, 1)
    return cell


def _write(strip: Bytes, numbers: NDArray[np.integer], digits: int, glyphs: Bytes) -> None:
    """Numbers into the strips (rows, height, columns, width) beneath the cells, digit by digit for all cells."""
    rows, height, columns, _ = strip.shape
    advance = glyphs.shape[2]
    numbers = np.asarray(numbers, np.int64)
    lengths = np.maximum(np.floor(np.log10(np.maximum(numbers, 1))).astype(int) + 1, 1)
    for place in range(digits):
        power = lengths - 1 - place
        written = (power >= 0) & (numbers >= 0)
        digit = numbers // 10 ** np.maximum(power, 0) % 10
        shapes = np.where(written[:, None, None], glyphs[digit], PAPER)
        whole = np.full((rows * columns, height, advance), PAPER, np.uint8)
        whole[: len(numbers)] = shapes
        place_at = slice(place * advance, (place + 1) * advance)
        strip[..., place_at] = whole.reshape(rows, columns, height, advance).transpose(0, 2, 1, 3)


def _digits() -> Bytes:
    """The ten digits as colour numbers, uint8 (10, height, advance)."""
    font, _ = caption_font(_NUMBER_SIZE)
    advance = round(font.getlength("0"))
    drawn = []
    for digit in range(10):
        glyph = Image.new("L", (advance, _NUMBER_SIZE + 3))
        ImageDraw.Draw(glyph).text((0, 0), str(digit), 255, font)
        strength = np.rint(np.asarray(glyph, np.float32) / 255 * _SHADES).astype(np.uint8)
        drawn.append(np.where(strength > 0, _INK + strength - 1, PAPER).astype(np.uint8))
    return np.stack(drawn)


def _steps() -> NDArray[np.float64]:
    return np.arange(1, _SHADES + 1) / _SHADES


def _palette(colormap: str) -> Bytes:
    palette = np.zeros((256, 3), np.uint8)
    palette[:LEVELS] = table(colormap)[np.rint(np.linspace(0, 255, LEVELS)).astype(int)]
    half = LEVELS // 2
    share = np.clip((np.arange(LEVELS) - half) / (half - 1), -1, 1)
    palette[_SIGNED : _SIGNED + LEVELS] = table(DIVERGING)[np.rint(128 + 127 * share).astype(int)]
    palette[PAPER], palette[_MARK] = _PAPER_RGB, _MARK_RGB
    paper, ink = np.array(_PAPER_RGB), np.array(_INK_RGB)
    palette[_INK : _INK + _SHADES] = np.rint(paper + _steps()[:, None] * (ink - paper))
    return palette
