"""The sheet of attention maps: a row for each block, first the mean over its heads, then head by head."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.features.attention import spread
from camcore.render.encode import to_data_url
from camcore.render.sheet import PAPER, Sheet, cell_size, cells, lay_out
from ui import words
from ui.activations.attention_choices import Head, head_name
from ui.activations.sheet import DrawnSheet
from ui.components.channels import RowLabel

if TYPE_CHECKING:
    from camcore.features.attention import AttentionRows, Token
    from camcore.framing import CellGrid, Frame

WIDTH = 760
"""Of the sheet in pixels; it is drawn as wide as there is room."""

_drawn: ByteLRU[DrawnSheet] = ByteLRU(32 << 20, lambda one: one.nbytes)


@dataclass(frozen=True, eq=False)
class HeadMap:
    """The attention of one head with the place of its cells on the picture, as ``ui.rasters`` takes a map."""

    raw: NDArray[np.floating]
    frame: Frame
    cells: CellGrid

    def on_picture(self, *, smooth: bool, max_side: int | None) -> NDArray[np.float32]:
        """The share of the largest, for the pixels of the picture."""
        values = self.raw / max(float(self.raw.max()), 1e-30)
        return self.frame.to_picture(values, self.cells, smooth, max_side)


def drawn(rows: AttentionRows, key: Hashable, colormap: str) -> DrawnSheet:
    """The sheet with its tips and row titles. ``key`` tells the rows from all others."""
    known = _drawn.get((key, colormap))
    if known is not None:
        return known
    made = sheet_of(rows, colormap)
    ids: list[int | str | None] = []
    tips = []
    for block, heads in enumerate(rows.rows):
        for number in range(made.columns):
            head: Head = (block, None if number == 0 else number - 1)
            there = number <= len(heads)
            ids.append(head_name(head) if there else None)
            tips.append(tip(rows, head) if there else "")
    url = to_data_url(made.png(transparent=True))
    labels = tuple(_row_label(rows, block) for block in range(len(rows.rows)))
    return _drawn.put((key, colormap), DrawnSheet(made, url, ids, tips, labels=labels))


def sheet_of(rows: AttentionRows, colormap: str) -> Sheet:
    """A row for each block, the mean first; each map on its own scale, a place without a head empty."""
    most = 1 + max(len(heads) for heads in rows.rows)
    size = cell_size(rows.grid, WIDTH // most - 3)
    whole = np.full((len(rows.rows), most, *size), PAPER, np.uint8)
    numbers = np.full((len(rows.rows), most), -1)
    for block, heads in enumerate(rows.rows):
        maps = np.stack([rows.means[block], *heads], axis=-1)
        whole[block, : maps.shape[-1]] = cells(maps, size, "each")
        numbers[block, 1 : maps.shape[-1]] = np.arange(1, maps.shape[-1])
    return lay_out(whole.reshape(-1, *size), most, numbers.ravel(), colormap)


def title(head: Head) -> str:
    """A block and head in words."""
    block, number = head
    return f"Block {block + 1}, " + ("mean of its heads" if number is None else f"head {number + 1}")


def token_name(token: Token, read: str) -> str:
    """A token in words; ``read``: what the scores are made from."""
    if token is None:
        return read
    return token if isinstance(token, str) else f"place in row {token[0] + 1}, column {token[1] + 1}"


def strongest(row: NDArray[np.floating]) -> tuple[float, str]:
    """The largest share of attention, and its place in words."""
    y, x = divmod(int(row.argmax()), row.shape[1])
    return float(row.max()), f"row {y + 1}, column {x + 1}"


def tip(rows: AttentionRows, head: Head) -> str:
    """A map in one line."""
    row, others = rows.map_of(*head), rows.beside_of(*head)
    most, where = strongest(row)
    beside = f" · {words.percent(float(others.sum()))} to {listed(rows.names)}" if len(others) else ""
    return f"{title(head)} · most to {where}, {words.percent(most)} · as wide as {spread(row):.0f} places{beside}"


def listed(names: Sequence[str]) -> str:
    """The tokens without a place in words."""
    if len(names) <= 2:
        return " and ".join(f"the {name}" for name in names)
    return f"{len(names)} other tokens"


def _row_label(rows: AttentionRows, block: int) -> RowLabel:
    row = rows.means[block]
    note = f"{spread(row):.0f} of {row.size} places"
    return {
        "title": f"Block {block + 1}",
        "note": note,
        "id": head_name((block, None)),
        "tip": tip(rows, (block, None)),
    }
