"""From a sheet to what the maps component draws: scales, marks, captions, messages, text alternatives."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import camcore
from camcore.render.colour import DIVERGING, css_gradient
from ui import grids, scales, words
from ui.compare import names
from ui.compare.comparison import NONE, GridCell
from ui.compare.sheets import GridMap, MapSheet
from ui.components import ColourBar, MapCell, MapLine, MapsLook

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap


@dataclass(frozen=True)
class GridLook:
    """The style of the grid; changing it computes nothing anew. ``opacity`` in percent."""

    opacity: int = 70
    colormap: str = "viridis"
    smooth: bool = True
    scale: str = scales.ONE
    both_signs: bool = False
    close: bool = False
    """Only what the networks saw is shown, not the whole photograph."""
    by_value: bool = True
    """The opacity goes with the map's value; see ``rasters.MapLook``."""

    @property
    def for_maps(self) -> MapsLook:
        """The part that the browser draws by."""
        tables = grids.colours(self.colormap), grids.colours(DIVERGING)
        return MapsLook(self.opacity / 100, self.smooth, *tables, self.by_value)


@dataclass(frozen=True, eq=False)
class DrawnGrid:
    """The grid as it is drawn. ``shown``: by cell, where it has a map; ``caution``: warnings by cell's name."""

    lines: list[MapLine]
    heads: list[tuple[str, str]]
    bars: list[ColourBar]
    shown: Mapping[GridCell, scales.MapScale]
    caution: list[str]


def identity(sheet: MapSheet, cell: GridCell, found: GridMap) -> Hashable:
    """Tells a map from all others, also from its own partial states."""
    m = found.map
    return (cell.network, sheet.plan.picture, cell.framing, cell.method, m.layer, m.class_index, found.done)


def cell_id(cell: GridCell, sheet: MapSheet) -> str:
    """A cell's name in the browser and in the address: its choices along both axes."""
    row, column = next((r, line.index(cell)) for r, line in enumerate(sheet.plan.grid) if cell in line)
    parts = [_word(axis, sheet.plan.choices(axis)[at]) for axis, at in axes(sheet, row, column)]
    return "~".join(parts)


def axes(sheet: MapSheet, row: int, column: int) -> list[tuple[str, int]]:
    """The plan's axes with a cell's place along each."""
    plan = sheet.plan
    return [(plan.columns, column)] + ([] if plan.rows == NONE else [(plan.rows, row)])


def draw(
    sheet: MapSheet,
    look: GridLook,
    busy: bool,
    reference: GridCell | None = None,
    figures: Mapping[GridCell, Any] | None = None,
) -> DrawnGrid:
    """Everything that the component needs but the photograph.

    ``reference``: what all others are shown as differences to; ``figures``: how each map agrees with it.
    """
    plan = sheet.plan
    texts = {cell: one.text for cell, one in (figures or {}).items()}
    have = {cell: found for cell in plan.cells if (found := sheet.filled.get(cell)) is not None}
    entries = [(_unit(cell, f.map), f.map.levels, camcore.METHODS[f.map.method].signed) for cell, f in have.items()]
    tops, multiple = scales.shown(entries, look.scale, look.both_signs)
    shown = dict(zip(have, tops, strict=True))
    headings = names.headings(sheet, plan.columns)
    flow = plan.rows == NONE
    row_titles = [("", "")] if flow else names.headings(sheet, plan.rows)
    lines: list[MapLine] = []
    for row, (title, note) in zip(plan.grid, row_titles, strict=True):
        cells = [
            _cell(sheet, cell, headings[i] if flow else ("", ""), shown.get(cell), busy, texts.get(cell, ""))
            for i, cell in enumerate(row)
        ]
        lines.append({"title": title, "note": note, "cells": cells})
    caution = [
        f"{names.full(sheet, cell)}: {f.map.warning}" for cell, f in have.items() if f.map.warning and f.done >= 1.0
    ]
    return DrawnGrid(lines, [] if flow else headings, _bars(look, shown, multiple, reference), shown, caution)


def _cell(
    sheet: MapSheet,
    cell: GridCell,
    heading: tuple[str, str],
    shown: scales.MapScale | None,
    busy: bool,
    figures: str,
) -> MapCell:
    found = sheet.filled.get(cell)
    name = names.full(sheet, cell)
    made: MapCell = {
        "id": cell_id(cell, sheet),
        "name": name,
        "title": heading[0],
        "note": heading[1],
        "grid": None,
        "tags": [],
        "message": "",
        "busy": False,
        "share": None,
        "alt": f"{name}: no map yet",
        "figures": figures,
    }
    if found is None or shown is None:
        why = sheet.refused.get(cell, "")
        made["message"], made["why"] = first_sentence(why), why
        waits = sheet.bill is not None and cell in sheet.bill.cells
        if waits:
            made["message"] = "Waits for you to press Run"
        made["busy"] = busy and not made["message"]
        if made["message"]:
            made["alt"] = f"{name}: {why or made['message']}"
        return made
    m = found.map
    made |= {
        "grid": grids.of_map(m, identity(sheet, cell, found)),
        "top": shown.top,
        "signed": shown.signed,
        "tags": [shown.mark] if shown.mark else [],
        "alt": f"Heatmap of {name}. {peak(m)}",
    }
    details = names.detail(sheet, cell, m)
    made["note"] = " · ".join(filter(None, (heading[1], details if details not in heading else "")))
    if found.done < 1.0:
        made["tags"] = [f"{words.percent(found.done)} done", *made["tags"]]
        made["share"], made["busy"] = found.done, busy
        moved = "" if found.change is None else f"moved {words.percent(found.change)} with the last part"
        made["note"] = moved or made["note"]
    elif not m.values.any():
        made["tags"] = ["empty", *made["tags"]]
    return made


def first_sentence(text: str) -> str:
    """The first sentence of an error: what is wrong; why, and what to do, come after it."""
    return re.split(r"(?<=[.:])\s", text, maxsplit=1)[0].rstrip(":.") + "." if text else ""


def area(sheet: MapSheet) -> tuple[float, ...] | None:
    """The area that any of the networks saw, with a margin: (top, left, bottom, right) in the picture's pixels."""
    frames = [found.map.frame for found in sheet.filled.values()]
    if not frames:
        return None
    height, width = frames[0].picture_size
    margin = 0.04 * min(height, width)
    top, left = (max(0.0, min(f.seen[i] for f in frames) - margin) for i in (0, 1))
    bottom, right = (min(side, max(f.seen[i] for f in frames) + margin) for i, side in ((2, height), (3, width)))
    return top, left, bottom, right


def peak(m: CamMap) -> str:
    """The brightest place of a map, in words; for those who cannot see it."""
    if not m.values.any():
        return "It is empty."
    place = words.peak_position(m.values)
    share = float((m.values >= 0.5).mean())
    bright = f"{words.percent(share)} of it reaches at least half of the maximum"
    return f"Brightest at the {place} of what the network saw; {bright}."


def _bars(
    look: GridLook, shown: Mapping[GridCell, scales.MapScale], multiple: float, reference: GridCell | None
) -> list[ColourBar]:
    bars: list[ColourBar] = []
    units = {one.mark for one in shown.values()}
    if look.scale == scales.DENSITY:
        high = f"{multiple:.1f} × the map’s average" if shown else "a multiple of the map’s average"
    elif look.scale == scales.EACH or units == {scales.OWN}:
        high = "the map’s own maximum"
    elif scales.OWN in units:
        high = "maximum of the maps that share a scale, or the map’s own"
    else:
        high = "maximum of the maps of one method and layer"
    if not shown or any(not one.signed for one in shown.values()):
        bars.append({"low": "0", "high": high, "gradient": css_gradient(look.colormap)})
    if reference is not None:
        bars.append({"low": "less than the reference", "high": "more", "gradient": css_gradient(DIVERGING)})
    elif any(one.signed for one in shown.values()):
        bars.append({"low": "speaks against", "high": "speaks for", "gradient": css_gradient(DIVERGING)})
    return bars


def _unit(cell: GridCell, m: CamMap) -> Hashable:
    """The unit of a map's raw values."""
    return (cell.network, cell.method, m.layer)


def _word(axis: str, value: Any) -> str:
    if axis == "backbones":
        return str(value.name)
    return "recommended" if value is None else str(value)


def caution_words(drawn: DrawnGrid, most: int = 3) -> list[str]:
    """The first few warnings, and how many more there are."""
    more = len(drawn.caution) - most
    return drawn.caution[:most] + ([f"And {more} more maps to be careful with."] if more > 0 else [])
