"""Whether maps fall on the object, in the background: on one picture, or over a folder with masks."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camcore.metrics.localisation import LocalisationRow, Located, table
from camcore.metrics.localisation_study import locate_folder, locate_maps
from camcore.metrics.object_masks import IMAGES, MASKS, ObjectMask, read_masked_folder
from camcore.training.folders import Skipped
from ui.questions import NetworkKey, map_identity
from ui.works import Part, Work

REDRAW = 1.0
"""Seconds between two tables of a folder that is still being looked through."""


@dataclass(frozen=True, eq=False)
class Folder:
    """What is known of a folder by now: a row for each method, of ``done`` of ``total`` pictures."""

    rows: tuple[LocalisationRow, ...]
    skipped: tuple[Skipped, ...]
    done: int
    total: int


def on_picture(network: NetworkKey, picture: Any, m: Any, mask: tuple[str, ObjectMask] | None, box: Any) -> Work:
    """Where a map and the controls lie, as a Work whose value is a tuple of Located.

    ``mask``: what tells it from others, and the mask; else ``box`` is the object.
    """

    def steps(net: Any) -> Generator[Part, None, None]:
        found: tuple[Located, ...] = ()
        boxes = None if mask is not None else [tuple(map(float, box))]
        for one in locate_maps(net, picture, [m], None if mask is None else mask[1], boxes):  # type: ignore[arg-type]
            found = (*found, one)
            yield Part(None, found)

    key = ("locating", map_identity(network, picture.sha256, m), box if mask is None else mask[0])
    return Work(network, key, "Looking where the map lies", steps, lambda found: 512 * len(found), expected=2.0)


def over_folder(network: NetworkKey, root: Path, methods: Sequence[str], framing: str, layer: str | None) -> Work:
    """Methods and controls on every picture of a folder with masks, as a Work whose value is a Folder."""

    def steps(net: Any) -> Generator[Part, None, None]:
        folder = read_masked_folder(root)
        told = 0.0
        for step in locate_folder(net, folder, methods, framing, layer):
            last = step.done == step.total
            value = None
            if last or time.monotonic() - told >= REDRAW:
                told = time.monotonic()
                value = Folder(table(step.located), step.skipped, step.done, step.total)
            yield Part(step.done / step.total, value)

    key = ("locating over", str(root), _signature(root), tuple(methods), framing, layer)
    return Work(network, key, "Looking through the folder", steps, lambda found: 65536)


def _signature(root: Path) -> tuple[int, ...]:
    """Changes where a picture or a mask comes or goes."""
    try:
        return tuple((root / part).stat().st_mtime_ns for part in (IMAGES, MASKS))
    except OSError:
        return ()
