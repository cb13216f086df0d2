"""The pictures of a report: the photograph and its maps, in full or reduced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.framing import reduced_size
from camcore.render.colour import DIVERGING
from camcore.render.encode import to_data_url, to_jpeg
from camcore.render.overlay import blend

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.report.document import DrawStyle, Finding

Rgb = NDArray[np.uint8]

_QUALITY = 88


def shrink(rgb: Rgb, side: int) -> Rgb:
    """The uint8 picture with its long side at most ``side``, averaged over areas; never enlarged."""
    size = reduced_size((rgb.shape[0], rgb.shape[1]), side)
    return rgb if size == rgb.shape[:2] else np.asarray(cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA))


class Scaling(Protocol):
    """The raw value of the last colour, and whether both signs are shown."""

    @property
    def top(self) -> float: ...
    @property
    def signed(self) -> bool: ...


def scaled_on_picture(m: CamMap, scale: Scaling, smooth: bool, side: int | None) -> NDArray[np.float32]:
    """A map on a scale, on the picture's pixels: 0..1, or −1..1 where both signs are shown; NaN unseen."""
    values = np.clip(np.asarray(m.levels, np.float64) / scale.top, -1 if scale.signed else 0, 1)
    return np.asarray(m.frame.to_picture(values, m.cells, smooth, side))


def overlay_of(rgb: Rgb, one: Finding, style: DrawStyle, side: int | None = None) -> Rgb:
    """A finding's map on the photograph: uint8 (h, w, 3).

    ``rgb``: the photograph, whole, or as ``shrink`` makes it of ``side``.
    """
    if one.scale is None:
        return map_on(rgb, one.map, style, side)
    values = scaled_on_picture(one.map, one.scale, style.smooth, side)
    if not one.scale.signed:
        return blend(rgb, values, style.alpha, style.colormap, style.by_value)
    gray = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    return blend(gray, values, style.alpha, DIVERGING, style.by_value)


def map_on(rgb: Rgb, m: CamMap, style: DrawStyle, side: int | None = None) -> Rgb:
    """A map on the photograph, from 0 to its own maximum; see ``overlay_of``."""
    return blend(rgb, m.on_picture(style.smooth, side), style.alpha, style.colormap, style.by_value)


def jpeg_url(rgb: Rgb) -> str:
    """A picture as a data URL, as JPEG."""
    return to_data_url(to_jpeg(rgb, _QUALITY), "image/jpeg")
