"""The widgets of the Activations page: a sheet of cells to pick from, and a stepper that shows which one is looked at.

Both speak to each other in the browser, over a ``bus``: a step sends the server one number, never the sheet again.
"""

from collections.abc import Callable, Sequence
from typing import TypedDict

from camcore.render.sheet import Sheet
from ui.components import ColourBar, event, register

_sheet, _stepper = register("sheet"), register("stepper")

Id = int | str | None


class RowLabel(TypedDict):
    """Label before a row of a sheet: its name, a line beneath, what a click returns, and what it does."""

    title: str
    note: str
    id: str
    tip: str


def contact_sheet(
    drawn: Sheet,
    src: str | None,
    *,
    key: str,
    label: str,
    hint: str,
    ids: Sequence[Id],
    tips: Sequence[str],
    bus: str = "",
    labels: Sequence[RowLabel] = (),
    bar: ColourBar | None = None,
    tallest: str = "max(18rem, 54vh)",
    widest: str = "none",
    label_width: str = "minmax(9rem, 15rem)",
    chosen: Id = None,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """The sheet as a picture whose cells can be picked.

    ``src``: data URL, None while it is on its way: ``drawn`` then reserves its space. ``ids``: what a cell stands
    for, None where there is none; ``tips``: a line about each. ``tallest``, ``widest``, ``label_width``: CSS lengths.
    With a ``bus`` the choice goes to the stepper of that bus, else to ``on_pick``; ``chosen`` is then the one framed.
    """
    data = {
        "src": src,
        "columns": drawn.columns,
        "count": drawn.count,
        "cell": list(drawn.cell),
        "pitch": list(drawn.pitch),
        "size": list(drawn.index.shape),
        "ids": list(ids),
        "tips": list(tips),
        "label": label,
        "hint": hint,
        "bus": bus,
        "labels": list(labels),
        "bar": bar,
        "tallest": tallest,
        "widest": widest,
        "label_width": label_width,
        "chosen": chosen,
    }
    _sheet(key=key, data=data, on_picked_change=event(key, "picked", on_pick))


def stepper(
    order: Sequence[int],
    now: int | None,
    *,
    key: str,
    bus: str,
    label: str,
    ordered: str,
    on_pick: Callable[[int], None],
) -> None:
    """One number of ``order``, with the way to the next; ``ordered``: words for the order, "by mean"."""
    data = {"order": list(order), "now": now, "bus": bus, "label": label, "ordered": ordered}
    _stepper(key=key, data=data, on_picked_change=event(key, "picked", lambda number: on_pick(int(number))))
