"""Pixels for the page: photographs and overlays at the size they are shown in, encoded and kept."""

from __future__ import annotations

import base64
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.render.overlay import blend, spotlight
from camcore.report.drawing import shrink
from ui import data_urls

if TYPE_CHECKING:
    from camcore.features.effective_field import EffectiveField
    from camcore.framing import CellGrid, Frame
    from camcore.heatmaps.cam_map import CamMap
    from camcore.pictures.picture import Picture

SIDE = 960
"""Long side of the big picture on the page, in pixels."""
TILE_SIDE = 224

Geometry: TypeAlias = dict[str, str | int | list[float]]
"""The place of a grid on the picture, as the browser takes it; see ``grid_geometry``."""

_small: ByteLRU[np.ndarray] = ByteLRU(64 << 20, lambda a: a.nbytes)


class PlacedGrid(Protocol):
    """A grid with the place of its cells on the picture."""

    @property
    def raw(self) -> NDArray[np.floating]: ...
    @property
    def frame(self) -> Frame: ...
    @property
    def cells(self) -> CellGrid: ...


class Photo(Protocol):
    """A photograph and the digest that tells it from all others."""

    @property
    def rgb(self) -> NDArray[np.uint8]: ...
    @property
    def sha256(self) -> str: ...


class OnPicture(Protocol):
    """A map, or anything else with values for the pixels of a picture."""

    def on_picture(self, *, smooth: bool, max_side: int | None) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class MapLook:
    """The style of a drawn map; changing it computes nothing anew. ``opacity`` in percent.

    ``by_value``: it is that of the map's maximum, and less where there is less; else the same everywhere.
    """

    opacity: int = 70
    colormap: str = "viridis"
    smooth: bool = True
    by_value: bool = True


def photo_url(picture: Photo, side: int = SIDE) -> str:
    """The photograph as a data URL."""
    return data_urls.jpeg(("photo", picture.sha256, side), lambda: _photo(picture, side))


def overlay_url(picture: Photo, cam_map: OnPicture, key: Hashable, look: MapLook, side: int = SIDE) -> str:
    """The photograph under its map as a data URL. ``key`` tells this map from all others."""
    return data_urls.jpeg(("overlay", key, look, side), lambda: _overlay(picture, cam_map, look, side))


def lit_url(picture: Photo, field: EffectiveField, key: Hashable, side: int = SIDE) -> str:
    """The photograph lit by what a cell depends on, as a data URL; on a scale of roots, or only a few pixels shone."""
    return data_urls.jpeg(("lit", picture.sha256, key, side), lambda: lit(_photo(picture, side), field, side))


def lit(rgb: np.ndarray, field: EffectiveField, side: int | None = None) -> np.ndarray:
    """The photograph of long side ``side`` lit by an effective field, uint8 (H, W, 3)."""
    strength = np.nan_to_num(field.on_picture(max_side=side))
    blur = cv2.GaussianBlur(strength, (0, 0), max(1.0, max(strength.shape) / 200))
    return spotlight(rgb, np.sqrt(blur / (blur.max() or 1.0)))


def hover(cam_map: CamMap) -> Geometry:
    """The raw grid and the place of its cells, by which the compare view names the value under the pointer."""
    raw = np.ascontiguousarray(cam_map.raw, np.float32)
    return {
        "raw": base64.b64encode(raw.astype("<f4").tobytes()).decode("ascii"),
        "values": base64.b64encode(np.ascontiguousarray(cam_map.values, "<f4").tobytes()).decode("ascii"),
        **geometry(cam_map),
    }


def geometry(cam_map: PlacedGrid) -> Geometry:
    """The place of a map's cells on the picture; see ``grid_geometry``."""
    return grid_geometry(cam_map.frame, cam_map.cells, cam_map.raw.shape)


def grid_geometry(frame: Frame, cells: CellGrid, shape: tuple[int, ...]) -> Geometry:
    """The place of the cells (rows, columns) of a CellGrid on the picture.

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


def _photo(picture: Photo, side: int) -> np.ndarray:
    key = (picture.sha256, side)
    found = _small.get(key)
    return found if found is not None else _small.put(key, shrink(picture.rgb, side))


def _overlay(picture: Photo, cam_map: OnPicture, look: MapLook, side: int) -> np.ndarray:
    values = cam_map.on_picture(smooth=look.smooth, max_side=side)
    return blend(_photo(picture, side), values, look.opacity / 100, look.colormap, look.by_value)


def full_size(picture: Picture, cam_map: CamMap, look: MapLook, lines: list[str]) -> bytes:
    """The overlay at the photograph's full size with the caption beneath, as PNG to take away."""

    from camcore.report.exports import map_png  # a file is made when its button is pressed

    return map_png(picture, cam_map, lines, look.opacity / 100, look.colormap, look.smooth, look.by_value)
