"""Pixels for the page: photographs and overlays at the size they are shown in, encoded and kept."""

import base64
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from camcore.cache import ByteLRU
from camcore.render.overlay import blend, spotlight
from camcore.report.drawing import shrink
from camcore.report.files import map_png
from ui import data_urls

SIDE = 960
"""Long side of the big picture on the page, in pixels."""
TILE_SIDE = 224

_small: ByteLRU[np.ndarray] = ByteLRU(64 << 20, lambda a: a.nbytes)


@dataclass(frozen=True)
class Look:
    """How a map is drawn; changing it computes nothing anew. ``opacity`` in percent."""

    opacity: int = 50
    colormap: str = "viridis"
    smooth: bool = True


def photo_url(picture: Any, side: int = SIDE) -> str:
    """The photograph as a data URL."""
    return data_urls.jpeg(("photo", picture.sha256, side), lambda: _photo(picture, side))


def overlay_url(picture: Any, cam_map: Any, key: Hashable, look: Look, side: int = SIDE) -> str:
    """The photograph under its map as a data URL. ``key`` tells this map from all others."""
    return data_urls.jpeg(("overlay", key, look, side), lambda: _overlay(picture, cam_map, look, side))


def lit_url(picture: Any, field: Any, key: Hashable, side: int = SIDE) -> str:
    """The photograph lit by what a cell depends on, as a data URL; on a scale of roots, or only a few pixels shone."""
    return data_urls.jpeg(("lit", picture.sha256, key, side), lambda: lit(_photo(picture, side), field, side))


def lit(rgb: np.ndarray, field: Any, side: int | None = None) -> np.ndarray:
    """The photograph of long side ``side`` lit by an effective field, uint8 (H, W, 3)."""
    strength = np.nan_to_num(field.on_picture(max_side=side))
    blur = cv2.GaussianBlur(strength, (0, 0), max(1.0, max(strength.shape) / 200))
    return spotlight(rgb, np.sqrt(blur / (blur.max() or 1.0)))


def hover(cam_map: Any) -> dict[str, Any]:
    """What the compare view needs to name the value under the pointer: the raw grid and where its cells lie."""
    raw = np.ascontiguousarray(cam_map.raw, np.float32)
    return {
        "raw": base64.b64encode(raw.astype("<f4").tobytes()).decode("ascii"),
        "values": base64.b64encode(np.ascontiguousarray(cam_map.values, "<f4").tobytes()).decode("ascii"),
        **geometry(cam_map),
    }


def geometry(cam_map: Any) -> dict[str, Any]:
    """Where a map's cells lie on the picture; see ``grid_geometry``."""
    return grid_geometry(cam_map.frame, cam_map.cells, cam_map.raw.shape)


def grid_geometry(frame: Any, cells: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """Where the cells (rows, columns) of a CellGrid lie on the picture.

    Picture pixels (y, x) lead to input pixels by ``scale * pixel + shift``, and from there to the nearest cell.
    """
    origin, unit = frame.to_input((0.0, 0.0)), frame.to_input((1.0, 1.0))
    return {
        "rows": shape[0],
        "columns": shape[1],
        "scale": [float(unit[0] - origin[0]), float(unit[1] - origin[1])],
        "shift": [float(origin[0]), float(origin[1])],
        "first": [float(v) for v in cells.first_centre],
        "stride": [float(v) for v in cells.stride],
        "seen": [float(v) for v in frame.seen],
    }


def _photo(picture: Any, side: int) -> np.ndarray:
    key = (picture.sha256, side)
    found = _small.get(key)
    return found if found is not None else _small.put(key, shrink(picture.rgb, side))


def _overlay(picture: Any, cam_map: Any, look: Look, side: int) -> np.ndarray:
    values = cam_map.on_picture(smooth=look.smooth, max_side=side)
    return blend(_photo(picture, side), values, alpha=look.opacity / 100, colormap=look.colormap)


def full_size(picture: Any, cam_map: Any, look: Look, lines: list[str]) -> bytes:
    """The overlay at the photograph's full size with the caption beneath, as PNG to take away."""
    return map_png(picture, cam_map, lines, look.opacity / 100, look.colormap, look.smooth)
