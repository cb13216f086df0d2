"""The files of a comparison: the grid as one picture, with captions, scale and colour bar; the raw maps as numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.files import to_comment
from camcore.render.colour import DIVERGING
from camcore.render.contact import Bar, ContactPrint, contact_sheet
from camcore.render.encode import to_png
from camcore.render.overlay import blend
from camcore.report.drawing import scaled_on_picture
from ui import methods, rasters, scales, words
from ui.compare import names
from ui.compare.comparison import NONE, GridCell
from ui.compare.grid import DrawnGrid, GridLook, first_sentence
from ui.compare.sheets import MapSheet

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.pictures.picture import Picture

SIDE = 420
"""Long side of each map on the exported sheet, in pixels."""
IN_A_ROW = 4


@dataclass(frozen=True, eq=False)
class Take:
    """Everything an export needs. ``reference``: whose differences are shown instead of the maps, if any are."""

    sheet: MapSheet
    drawn: DrawnGrid
    look: GridLook
    picture: Picture
    title: str
    reference: GridCell | None


def lines(take: Take) -> list[str]:
    """The facts that hold for the whole grid, in a few lines."""
    sheet = take.sheet
    about = [f"{take.title}, {take.picture.width} × {take.picture.height} px"]
    for summary in sheet.networks.values():
        about.append(f"{summary.title}, {summary.weights_note}")
    scale = {
        scales.ONE: "One scale for maps of one method, layer and network; “own scale” marks a map alone in its unit.",
        scales.EACH: "Each map is on its own scale.",
        scales.DENSITY: "Each map as multiples of its average.",
    }[take.look.scale]
    if take.reference is not None:
        scale += f" All but the reference, {names.full(sheet, take.reference)}, show how they differ from it."
    fixed = [
        names.choice(axis, sheet.plan.choices(axis)[0], sheet.networks.get(sheet.plan.lead), sheet.plan.framing)[0]
        for axis in ("methods", "layers", "classes", "framings")
        if axis not in (sheet.plan.columns, sheet.plan.rows)
    ]
    return [" · ".join([*about, *fixed]), f"Scale: {scale}"]


def png(take: Take) -> bytes:
    """The grid as one picture."""
    sheet = take.sheet
    photo = rasters.shrink(take.picture.rgb, SIDE)
    gray = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    flow = sheet.plan.rows == NONE
    rows: list[tuple[str, list[ContactPrint]]] = []
    for line, cells in zip(take.drawn.lines, sheet.plan.grid, strict=True):
        prints = []
        for made, cell in zip(line["cells"], cells, strict=True):
            marks = ", ".join(made["tags"])
            note = " · ".join(filter(None, (made["note"], marks)))
            if take.reference is not None and cell != take.reference and made["figures"]:
                note = made["figures"]
            rgb = _drawn(take, cell, photo, gray)
            if rgb is None:
                note = first_sentence(sheet.refused.get(cell, "")) or "not computed"
            prints.append(ContactPrint(rgb, made["title"], note))
        rows.append((" · ".join(filter(None, (line["title"], line["note"]))), prints))
    if flow:
        prints = rows[0][1]
        per_row = len(prints) if len(prints) <= IN_A_ROW else -(-len(prints) // -(-len(prints) // IN_A_ROW))
        rows = [("", prints[i : i + per_row]) for i in range(0, len(prints), per_row)]
    heads = [" · ".join(filter(None, head)) for head in take.drawn.heads]
    bars = [
        Bar(take.look.colormap if i == 0 and bar["low"] == "0" else DIVERGING, bar["low"], bar["high"])
        for i, bar in enumerate(take.drawn.bars)
    ]
    return to_png(contact_sheet(rows, heads, bars, lines(take)))


def _drawn(take: Take, cell: GridCell, photo: NDArray[np.uint8], gray: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    found, shown = take.sheet.filled.get(cell), take.drawn.shown.get(cell)
    if found is None or shown is None:
        return None
    values = scaled_on_picture(found.map, shown, take.look.smooth, SIDE)
    signed = shown.signed
    if take.reference is not None and cell != take.reference:
        base = take.sheet.filled[take.reference].map
        values = np.clip(
            values - scaled_on_picture(base, take.drawn.shown[take.reference], take.look.smooth, SIDE), -1, 1
        )
        signed = True
    look = take.look
    colormap = DIVERGING if signed else look.colormap
    return blend(gray if signed else photo, values, look.opacity / 100, colormap, look.by_value)


def npz(take: Take) -> bytes:
    """The raw maps on their own grids, and what each one is; ``numpy.load(file)`` reads it."""
    arrays: dict[str, Any] = {}
    about = []
    for i, (cell, m) in enumerate(take.sheet.maps.items()):
        arrays[f"map_{i:02d}"] = m.raw
        about.append({"array": f"map_{i:02d}", **_record(take.sheet, cell, m)})
    arrays["about"] = np.array(json.dumps({"picture": take.title, "sha256": take.sheet.plan.picture, "maps": about}))
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def csv(take: Take) -> bytes:
    """The raw maps as text: after what each one is, its grid, a row per line."""
    text = io.StringIO()
    for line in lines(take)[:1]:
        text.write(f"{to_comment(line)}\n")
    for cell, m in take.sheet.maps.items():
        record = ", ".join(f"{name}={value}" for name, value in _record(take.sheet, cell, m).items())
        text.write(f"\n{to_comment(record)}\n")
        np.savetxt(text, m.raw, fmt="%.9g", delimiter=",")
    return text.getvalue().encode("utf-8")


def _record(sheet: MapSheet, cell: GridCell, m: CamMap) -> dict[str, object]:
    return {
        "network": m.network,
        "method": methods.short(cell.method),
        "layer": m.layer or "input",
        "class_index": m.class_index,
        "label": words.label(m.label),
        "framing": cell.framing,
        "rows": m.raw.shape[0],
        "columns": m.raw.shape[1],
        "warning": m.warning or "",
    }


def stem(take: Take) -> str:
    """The file's name, without its ending."""
    plan = take.sheet.plan
    axes: Sequence[str] = (plan.columns,) if plan.rows == NONE else (plan.columns, plan.rows)
    return words.file_stem(take.title.rsplit(".", 1)[0], plan.lead.name, *axes)
