"""The sentences and files about one place of a picture. No Streamlit."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from camcore.files import to_csv
from camcore.text import decimal, with_sign
from ui import words

if TYPE_CHECKING:
    from camcore.features.cells import Cell, Cells
    from camcore.features.effective_field import EffectiveField


def place_name(cells: Cells, cell: Cell) -> str:
    """The name of a cell's place, counted from 1 as on the page."""
    h, w = cells.A.shape[:2]
    return f"row {cell.row + 1}, column {cell.column + 1} of {h}×{w}"


def adds(cells: Cells, cell: Cell) -> str:
    """The evidence that the place adds to the class, and its rank among all, as Markdown."""
    sums = cells.products.sum(axis=2, dtype=np.float64)
    rank = int((np.abs(sums) > abs(cell.adds)).sum())
    name = words.plain(words.label(cells.prediction.label))
    if not sums.any():
        return f"No place of this layer adds anything to **{name}**."
    order = "more than any other" if rank == 0 else f"{rank} of {sums.size} places carry more"
    kind = "speaks for" if cell.adds > 0 else "speaks against" if cell.adds < 0 else "adds nothing to"
    figures = words.plain(f"{with_sign(cell.adds, 3)} of a score of {decimal(cells.prediction.logit)}; {order}.")
    return f"Row {cell.row + 1}, column {cell.column + 1} {kind} **{name}**: {figures}"


def sums(cells: Cells) -> str:
    """Which identity holds between the places and the score, in words."""
    h, w = cells.A.shape[:2]
    score = cells.prediction.logit
    if cells.offset is None:
        return (
            f"What follows {cells.info.path} is not linear, so these are first-order answers: gradient times "
            f"activation, summed over the channels (a cell of HiResCAM). All {h * w} places make "
            f"{with_sign(cells.total, 3)}; the score is {decimal(score, 3)}."
        )
    return (
        f"What follows {cells.info.path} is linear, so the sum is exact: all {h * w} places add "
        f"{with_sign(cells.total, 4)}, the class has {with_sign(cells.offset, 4)} without them, together "
        f"{decimal(cells.total + cells.offset, 4)}; the network’s own score is {decimal(score, 4)}."
    )


def theory(cells: Cells, cell: Cell) -> str:
    """The theoretical field, in words."""
    if cell.field is None or cells.info.receptive_field is None:
        return "What this place can see is not known: something before it mixes places."
    top, left, bottom, right = cell.field
    seen = cells.frame.seen
    share = (bottom - top) * (right - left) / ((seen[2] - seen[0]) * (seen[3] - seen[1]))
    field = words.grid(cells.info.receptive_field)
    text = f"It can see {field} px of the input, {words.percent(share)} of what the network was shown."
    return text + (" A gate on the way lets it know of the rest, too." if cells.info.whole_picture else "")


def measured(field: EffectiveField, channel: int | None) -> str:
    """The effective field, in words."""
    whose = f"channel {channel}" if channel is not None else f"{field.total} channels, evenly drawn,"
    if field.box is None or field.deviation is None:
        return (
            f"Nothing it could see moves {whose} here: every one is switched off, or at its upper limit "
            "(as a ReLU6 has)."
        )
    top, left, bottom, right = field.box
    sigma = " × ".join(f"{value:.0f}" for value in field.deviation)
    verb = "depend" if channel is None else "depends"
    return f"What {whose} really {verb} on: 95 % lies in {bottom - top}×{right - left} px (σ {sigma} px)."


def channels_csv(cells: Cells, cell: Cell) -> bytes:
    """Every channel of a cell: its value, and what it adds."""
    head = ["channel", "activation", f"adds to {words.label(cells.prediction.label)}"]
    pairs = zip(cell.values.tolist(), cell.contributions.tolist(), strict=True)
    return to_csv([head, *([k, f"{value:.9g}", f"{added:.9g}"] for k, (value, added) in enumerate(pairs))])


def field_npz(field: EffectiveField) -> bytes:
    """The effective field with what it was measured of, as NumPy arrays."""
    file = io.BytesIO()
    np.savez_compressed(
        file, strength=field.strength, cell=field.cell, channels=field.channels, box=field.box or (0, 0, 0, 0)
    )
    return file.getvalue()
