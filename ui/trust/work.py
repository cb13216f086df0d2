"""The work of the Trust page beside the evidence: what if a part were hidden, and where the map lies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.metrics.localisation import LocalisationRow, Located, table
from camcore.metrics.localisation_study import locate_folder, locate_maps
from camcore.metrics.object_masks import IMAGES, MASKS, ObjectMask, read_masked_folder
from camcore.training.folders import Skipped
from camcore.verdict.what_if import WhatIf, what_if
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey, map_identity

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.network import Network
    from camcore.pictures.picture import Picture

REDRAW = 1.0
"""Seconds between two tables of a folder that is still being looked through."""

Box = tuple[int, int, int, int]


# ---- what if


def what_if_work(network: NetworkKey, picture: Picture, m: CamMap, box: Box, fill: str, keep: bool) -> Work[WhatIf]:
    """Asks the network again without the box, or with ``keep`` without all around it."""

    def steps(net: Network, _: object) -> Updates[WhatIf]:
        for step in what_if(net, picture, m, box, fill, keep):
            yield Update(step.done / max(step.total, 1), step.result)

    def size(found: WhatIf) -> int:
        again = 0 if found.again is None else found.again.raw.nbytes + found.again.values.nbytes
        return int(found.picture.rgb.nbytes + again + 16384)

    key = ("what if", map_identity(network, picture.sha256, m), box, fill, keep)
    return Work(network, key, "Asking again", steps, size)


# ---- where the map lies


@dataclass(frozen=True, eq=False)
class FolderTable:
    """The figures of a folder so far: a row for each method, of ``done`` of ``total`` pictures."""

    rows: tuple[LocalisationRow, ...]
    skipped: tuple[Skipped, ...]
    done: int
    total: int


def location_work(
    network: NetworkKey, picture: Picture, m: CamMap, mask: tuple[str, ObjectMask] | None, box: Box | None
) -> Work[tuple[Located, ...]]:
    """Locates a map and the controls. ``mask``: its identity and itself; else ``box`` is the object."""

    def steps(net: Network, _: object) -> Updates[tuple[Located, ...]]:
        located: tuple[Located, ...] = ()
        boxes = None if mask is not None or box is None else [(box[0], box[1], box[2], box[3])]
        for one in locate_maps(net, picture, [m], None if mask is None else mask[1], boxes):
            located = (*located, one)
            yield Update(None, located)

    key = ("location", map_identity(network, picture.sha256, m), box if mask is None else mask[0])
    return Work(network, key, "Looking where the map lies", steps, lambda located: 512 * len(located), expected=2.0)


def folder_location_work(
    network: NetworkKey, root: Path, methods: Sequence[str], framing: str, layer: str | None
) -> Work[FolderTable]:
    """Locates the maps of methods and controls on every picture of a folder with masks."""

    def steps(net: Network, _: object) -> Updates[FolderTable]:
        folder = read_masked_folder(root)
        shown = 0.0
        for step in locate_folder(net, folder, methods, framing, layer):
            value = None
            if step.done == step.total or time.monotonic() - shown >= REDRAW:
                shown = time.monotonic()
                value = FolderTable(table(step.located), step.skipped, step.done, step.total)
            yield Update(step.done / step.total, value)

    key = ("folder location", str(root), _signature(root), tuple(methods), framing, layer)
    return Work(network, key, "Looking through the folder", steps, lambda found: 65536)


def _signature(root: Path) -> tuple[int, ...]:
    """A value that changes where a picture or a mask comes or goes."""
    try:
        return tuple((root / part).stat().st_mtime_ns for part in (IMAGES, MASKS))
    except OSError:
        return ()
