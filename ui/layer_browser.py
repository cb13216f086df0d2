"""One layer chooser for all pages: the network's stages as a strip, a search box, and a list with its branches.

Where there is little room it is compact: no strip, and the stages are headings in the list.

It needs no more than a network's LayerInfos (``ui.network_summary.NetworkSummary`` has them), and none while it is
being loaded. The choice lives in the session under ``key``, which the page binds to its address
(``ui.urls.Parameter(key, "layer", None)``); None stands for the recommended layer, so that it stays that one when the
network changes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from camcore.errors import nearest
from camcore.graph.layers import NO_GRID, WITHOUT_LAYER, LayerInfo
from ui import urls, words
from ui.components import event, register

if TYPE_CHECKING:
    from camcore.features.stages import BranchPosition, GridStage

_layers = register("layers")

Branches = tuple[tuple[str, ...], ...]


def show(
    layers: Sequence[LayerInfo] = (),
    ladder: Sequence[str] = (),
    *,
    key: str = "layer",
    start: str | None = None,
    compact: bool = False,
    closed: str = "",
) -> LayerInfo | None:
    """Draw the chooser; the chosen layer, None while there is none to choose.

    ``layers``: all of a network's, empty while it is not loaded; ``ladder``: the last layer of each of the last
    grid sizes, which are marked. ``start``: the path of the layer that stands chosen at first, None for the recommended
    one. ``closed``: why no layer can be chosen. A choice that this network does not have is put back, with a notice of
    ``ui.urls``.
    """
    chosen = None if closed else settle(layers, key, start)
    if layers and chosen is None and not closed:
        st.info(f"{NO_GRID} {WITHOUT_LAYER}")
        return None
    data = _plan(() if closed else tuple(layers), tuple(ladder))

    def pick(path: str) -> None:
        st.session_state[key] = None if path == (start or data["recommended"]) else path

    name = f"{key}_{'box' if compact else 'browser'}"
    now = {"label": "Layer", "chosen": None if chosen is None else chosen.path, "compact": compact, "closed": closed}
    _layers(key=name, data={**data, **now}, on_picked_change=event(name, "picked", pick))
    return chosen


def settle(layers: Sequence[LayerInfo], key: str = "layer", start: str | None = None) -> LayerInfo | None:
    """The chosen layer; a choice that this network cannot follow is put back to the first one, and said."""
    first = next((info for info in layers if (info.recommended if start is None else info.path == start)), None)
    wanted = st.session_state.get(key)
    if first is None or wanted is None:
        return first
    # A bare name stands for a layer of a nested model, too; of several, for the last one.
    named = next((info for info in reversed(layers) if wanted in (info.path, info.name)), None)
    layer = next((info for info in layers if info.path == wanted), named)
    if layer is not None and layer.usable:
        return layer
    if layer is not None:
        problem = f"The layer “{layer.path}” cannot be shown: {layer.reason}."
    else:
        near = nearest(wanted, [info.path for info in layers if info.usable])
        problem = f"This network has no layer “{str(wanted)[:60]}”." + (f" Did you mean “{near}”?" if near else "")
    usual = f"the recommended one, “{first.path}”," if first.recommended else f"“{first.path}”"
    urls.object_to(key, f"{problem} Showing {usual} instead.")
    return first


def settle_channel(network: str, layer: str) -> None:
    """Forget the chosen ``channel`` of another layer: numbers of two layers have nothing to do with each other."""
    state = st.session_state
    now = (network, layer), state["channel"]
    before = state.get("channel_before")
    if before is not None and before[0] != now[0] and before[1] == now[1]:
        state["channel"] = None
    state["channel_before"] = now[0], state["channel"]


@functools.lru_cache(maxsize=16)
def _plan(layers: tuple[LayerInfo, ...], ladder: tuple[str, ...]) -> dict[str, object]:
    """All that the component draws but the choice itself."""
    if not layers:
        return {"layers": [], "stages": [], "why": "", "recommended": None}
    from camcore.features import stages as structure  # once a network is loaded

    default = next(info for info in layers if info.recommended)
    seats = structure.branch_positions(layers)
    joins = {block.end: block.branches for block in structure.blocks(layers)}
    made: list[dict[str, object]] = []
    rows: list[tuple[int, LayerInfo]] = []
    for stage in structure.stages(layers):
        rows += [(len(made), info) for info in stage.layers]
        made.append(_stage(stage))
    order = {info.path: i for i, info in enumerate(structure.reading_order(layers))}
    rows.sort(key=lambda row: order[row[1].path])
    return {
        "layers": [_row(info, at, seats, joins, ladder) for at, info in rows],
        "stages": made,
        "why": f"Recommended: {default.path}, the {default.reason}.",
        "recommended": default.path,
    }


def _stage(stage: GridStage) -> dict[str, object]:
    shown = stage.layers
    return {
        "title": words.grid(stage.grid) if stage.grid else "no grid",
        "note": f"{len(shown)} layer{'s' if len(shown) > 1 else ''}",
        "side": max(stage.grid) if stage.grid else 0,
        "channels": max((info.channels or 1 for info in shown if info.grid and info.grid == stage.grid), default=1),
        "usable": any(info.usable for info in shown),
        "recommended": any(info.recommended for info in shown),
    }


def _row(
    info: LayerInfo,
    stage: int,
    seats: dict[str, tuple[BranchPosition, ...]],
    joins: dict[str, Branches],
    ladder: Sequence[str],
) -> dict[str, object]:
    grid = words.grid(info.grid) if info.grid else ""
    field = f"{words.grid(info.receptive_field)} px" if info.receptive_field else ""
    return {
        "path": info.path,
        "kind": info.kind,
        "stage": stage,
        "grid": grid,
        "channels": f"{info.channels:,}" if info.channels else "",
        "field": "the whole picture" if info.whole_picture else field,
        "usable": info.usable,
        "recommended": info.recommended,
        "reason": info.reason,
        "rung": info.path in ladder,
        "joins": _joining(joins[info.path]) if info.path in joins else "",
        "seats": [_seat(seat, joins[seat.end]) for seat in seats.get(info.path, ())],
        "text": f"{info.path} {info.kind} {info.class_name} {grid.replace('×', 'x')}".lower(),
    }


def _seat(seat: BranchPosition, branches: Branches) -> list[object]:
    """A layer's block by its end, its branch from 0, and how many there are; skips are not counted."""
    held = [number for number, branch in enumerate(branches) if branch]
    return [seat.end.rsplit("/", 1)[-1], held.index(seat.branch), len(held)]


def _joining(branches: Branches) -> str:
    held = sum(1 for branch in branches if branch)
    text = "joins a branch" if held == 1 else f"joins {held} branches"
    return text if held == len(branches) else f"{text} and a skip"
