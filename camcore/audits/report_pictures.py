"""The pictures of an audit's report: patches, mean maps, and photographs with their map, small, as JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.sources import open_row
from camcore.errors import PictureError
from camcore.framing import CellGrid, frame_for
from camcore.render.colour import colour
from camcore.render.encode import to_jpeg
from camcore.render.overlay import blend
from camcore.report.drawing import shrink

if TYPE_CHECKING:
    from camcore.audits.groups import GroupPatch
    from camcore.audits.manifest import Manifest
    from camcore.shortcuts.trial import Turned

SIDE, PATCH_SIDE, MAP_SIDE = 360, 150, 150
"""Long sides in pixels: of a photograph with its map, of a patch, and about that of a mean map."""

_OPACITY = 0.7
_QUALITY = 88


def overlay_jpeg(manifest: Manifest, path: str, values: NDArray[np.floating]) -> bytes:
    """A picture with its map; empty where it cannot be opened any more."""
    rgb = overlay(manifest, path, values)
    return b"" if rgb is None else to_jpeg(rgb, _QUALITY)


def overlay(manifest: Manifest, path: str, values: NDArray[np.floating]) -> NDArray[np.uint8] | None:
    """A picture with its map, its long side SIDE; None where it cannot be opened any more."""
    try:
        pic = open_row(manifest, path)
    except PictureError:
        return None
    size = manifest.network.input_size
    frame = frame_for((pic.height, pic.width), size, manifest.framing)
    cells = manifest.cells or CellGrid.uniform(manifest.grid, size)
    return blend(shrink(pic.rgb, SIDE), frame.to_picture(values, cells, max_side=SIDE), _OPACITY, by_value=True)


def patch_jpeg(manifest: Manifest, patch: GroupPatch) -> bytes:
    """The patch cut from its picture; empty where that cannot be opened any more."""
    try:
        pic = open_row(manifest, patch.path)
    except PictureError:
        return b""
    top, left, bottom, right = patch.box
    cut = pic.rgb[top:bottom, left:right]
    return to_jpeg(shrink(cut, PATCH_SIDE), _QUALITY) if cut.size else b""


def example_jpegs(example: Turned) -> tuple[bytes, bytes]:
    """A picture of another class before and after a patch turned it."""
    before, after = (to_jpeg(shrink(rgb, PATCH_SIDE), _QUALITY) for rgb in (example.before, example.after))
    return before, after


def map_jpeg(values: NDArray[np.floating]) -> bytes:
    """A mean map (h, w) on its own grid, from 0 to its maximum."""
    side = max(1, MAP_SIDE // max(values.shape))
    cells = colour(values / max(float(values.max()), 1e-9))
    return to_jpeg(np.kron(cells, np.ones((side, side, 1), np.uint8)), _QUALITY)
