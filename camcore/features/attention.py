"""Attention itself: where a token looks, in each block and head of a transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, refused, whole
from camcore.errors import LayerError
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.session import open_session
from camcore.network import Network
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class AttentionRows:
    """Where one token looks.

    ``rows``: (blocks, heads, h, w), its attention to each patch. ``beside``: (blocks, heads, tokens), to the tokens
    without a place, such as the class token; with these each row sums to 1. ``cell``: the patch (row, column) that
    looks; None for the tokens that the scores are made from, of several their mean.
    """

    rows: Array
    beside: Array
    cell: tuple[int, int] | None
    frame: Frame
    cells: CellGrid


def _a_cell(name: str, value: object) -> tuple[int, int] | None:
    """(row, column), or None."""
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise refused(
            name, value, "a cell (row, column)", "Give two whole numbers, or None for the token that is read."
        )
    row, column = (whole(0)(name, one) for one in value)
    return row, column


@checked(network=a_network, pic=a_picture, cell=_a_cell, framing=a_framing, memory=a_memory)
def attention_rows(
    network: Network,
    pic: Picture,
    cell: tuple[int, int] | None = None,
    framing: str | None = None,
    memory: Memory | None = None,
) -> AttentionRows:
    """Where a patch, or for None what the scores are made from, looks in each block and head.

    Raises MethodError for a network without attention of all tokens to all, LayerError for a cell that it has not.
    """
    places = network.attentions.checked("Attention")
    h, w = places.grid
    if cell is not None and not (0 <= cell[0] < h and 0 <= cell[1] < w):
        raise LayerError(
            f"There is no patch in row {cell[0]}, column {cell[1]}: the tokens' grid is {h}×{w}, rows 0 to {h - 1} and "
            f"columns 0 to {w - 1}. Choose one of these."
        )
    session, frame = open_session(network, pic, framing, memory)
    weights = np.stack(session.attention())
    numbers = np.zeros(places.count)
    numbers[places.patches] = np.arange(h * w)
    if cell is None:
        asked = list(places.read or range(places.count)[places.patches])
    else:
        asked = [places.first + int(places.on_grid(numbers)[cell])]
    looked = weights[:, :, asked].mean(axis=2)
    rows = np.stack([np.stack([places.on_grid(head) for head in block]) for block in looked])
    beside = np.delete(looked, np.arange(places.count)[places.patches], axis=-1)
    return AttentionRows(rows, beside, cell, frame, network.attentions.cells(network.layers, network.input_size))
