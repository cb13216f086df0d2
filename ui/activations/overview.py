"""The whole network on one page: the strongest channels of every layer, each a row."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from camcore.cache import ByteLRU
from camcore.features.strongest_channels import StrongestChannels
from camcore.graph.layers import LayerInfo
from camcore.render.encode import to_data_url
from camcore.render.sheet import PAPER, Sheet, cells, lay_out
from ui import errors, words
from ui.activations.sheet import figure
from ui.activations.work import PER_LAYER
from ui.components.channels import RowLabel, contact_sheet
from ui.jobs import session
from ui.jobs.session import Status

SIDE = 48
"""Height and width of a cell in pixels, whatever the layer's grid."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The rows with all that the browser needs: what each cell stands for, a line about each, the rows' names."""

    sheet: Sheet
    src: str
    ids: list[str | None]
    tips: list[str]
    labels: list[RowLabel]


_drawn: ByteLRU[Drawn] = ByteLRU(64 << 20, lambda one: one.sheet.index.nbytes + len(one.src) + 128 * len(one.tips))


def layers_of(layers: Sequence[LayerInfo], kinds: str) -> list[LayerInfo]:
    """The usable layers of these kinds, in the order of the computation; ``kinds``: with commas between them."""
    wanted = [kind.strip() for kind in kinds.split(",")]
    return [info for info in layers if info.usable and info.kind in wanted]


def overview_sheet(found: Sequence[StrongestChannels], colormap: str) -> Sheet:
    """A row for each layer, its strongest channels on scales of their own, all cells of one size."""
    drawn = np.full((len(found), PER_LAYER, SIDE, SIDE), PAPER, np.uint8)
    numbers = np.full((len(found), PER_LAYER), -1)
    for row, one in enumerate(found):
        count = len(one.numbers)
        drawn[row, :count] = cells(one.activations, (SIDE, SIDE), "each")
        numbers[row, :count] = one.numbers
    return lay_out(drawn.reshape(-1, SIDE, SIDE), PER_LAYER, numbers.ravel(), colormap)


def show(
    standing: Status,
    infos: Sequence[LayerInfo],
    key: Hashable,
    colormap: str,
    on_pick: Callable[[str, int | None], None],
) -> None:
    """The rows that are there; ``on_pick`` gets a layer's path, and a channel where one was pressed."""
    with st.container(key="cam_overview_status"):
        if standing.failure is not None:
            errors.panel(standing.failure, "The network could not be gone through")
        session.progress("overview", standing)
    found: tuple[StrongestChannels, ...] = standing.value or ()
    if not infos:
        st.caption("This network has no such layers.")
        return
    if not found:
        return
    drawn = _drawn.get((key, colormap, len(found))) or _drawn.put((key, colormap, len(found)), _draw(found, colormap))
    contact_sheet(
        drawn.sheet,
        drawn.src,
        key="overview",
        label=f"The strongest channels of {len(found)} layers",
        hint="Press a channel or a layer’s name to look at it above",
        ids=drawn.ids,
        tips=drawn.tips,
        labels=drawn.labels,
        tallest="78vh",
        widest="72rem",
        on_pick=lambda picked: on_pick(*_parsed(picked)),
    )


def _draw(found: Sequence[StrongestChannels], colormap: str) -> Drawn:
    ids: list[str | None] = []
    tips = []
    for one in found:
        path = one.layer.path
        for number, strength in zip(one.numbers.tolist(), one.strength.tolist(), strict=True):
            ids.append(f"{number} {path}")
            tips.append(f"{path}, channel {number} · mean strength {figure(strength)}")
        missing = PER_LAYER - len(one.numbers)
        ids += [None] * missing
        tips += [""] * missing
    made = overview_sheet(found, colormap)
    return Drawn(made, to_data_url(made.png(transparent=True)), ids, tips, [_label(one) for one in found])


def size_of(one: StrongestChannels) -> str:
    """A layer's grid and how many channels it has."""
    assert one.layer.grid is not None
    return f"{words.grid(one.layer.grid)} · {one.layer.channels:,} channels"


def _label(one: StrongestChannels) -> RowLabel:
    dead = f" · {one.dead:,} dead" if one.dead else ""
    return {"title": one.layer.path, "note": size_of(one) + dead, "id": f"- {one.layer.path}"}


def _parsed(picked: str) -> tuple[Any, int | None]:
    number, _, path = picked.partition(" ")
    return path, int(number) if number.isdigit() else None
