"""A photograph on which a cell of a grid is chosen."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from ui.components import event, register

_cell = register("cell")


class SeenBy(TypedDict):
    """The theoretical receptive fields of a grid's cells on the input: the first centre, the stride and the size."""

    first: list[float]
    stride: list[float]
    size: list[float]


def cell(
    *,
    key: str,
    photo: str,
    lit: str | None,
    size: tuple[int, int],
    grid: Mapping[str, object],
    field: SeenBy | None,
    chosen: tuple[int, int] | None,
    effective: Sequence[float] | None,
    identity: str,
    label: str,
    alt: str,
    busy: bool,
    on_pick: Callable[[int, int], None],
    without: str = "",
) -> None:
    """A photograph on which one cell of a grid is chosen, by a press or the arrow keys; ``chosen`` None: none is yet.

    ``photo``, ``lit``: data URLs of the photograph and of the same lit by what the chosen cell depends on; ``size``:
    its (height, width); ``grid``: ``rasters.geometry`` of the grid; ``effective``: (top, left, bottom, right) in the
    photograph's pixels; ``identity``: tells picture and layer from all others. ``without``: the words for no
    cell. ``on_pick`` gets row and column, before the script runs again.
    """

    def picked(text: str) -> None:
        row, column = text.split(",")
        on_pick(int(row), int(column))

    data = {
        "photo": photo,
        "lit": lit,
        "size": list(size),
        "grid": grid,
        "field": field,
        "cell": None if chosen is None else list(chosen),
        "without": without,
        "effective": None if effective is None else list(effective),
        "identity": identity,
        "label": label,
        "alt": alt,
        "busy": busy,
    }
    _cell(key=key, data=data, on_picked_change=event(key, "picked", picked))
