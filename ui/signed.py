"""Signed maps over photographs: red speaks for a class, blue against it, and the photograph is gray beneath.

A coloured photograph would mix its own reds and blues with those of the map.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.heatmaps.evidence import Evidence
from camcore.render.colour import DIVERGING, diverging
from camcore.render.encode import to_data_url, to_png, with_caption
from camcore.render.overlay import blend
from ui import rasters

_grays: ByteLRU["Gray"] = ByteLRU(48 << 20, lambda gray: gray.rgb.nbytes)


@dataclass(frozen=True, eq=False)
class Gray:
    """A photograph without its colours, as small as it is shown; takes a Picture's place for drawing."""

    sha256: str
    rgb: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Signed:
    """Evidence on one scale; takes a map's place for drawing."""

    evidence: Evidence
    scale: float

    def on_picture(self, *, smooth: bool, max_side: int | None) -> NDArray[np.float32]:
        return self.evidence.on_picture(self.scale, smooth, max_side)


def gray(rgb: NDArray[np.uint8], identity: str, side: int) -> Gray:
    """The photograph in gray, its long side at most ``side``. ``identity`` tells it from all others."""
    key = (identity, side)
    found = _grays.get(key)
    if found is None:
        luma = cv2.cvtColor(rasters.shrink(rgb, side), cv2.COLOR_RGB2GRAY)
        found = _grays.put(key, Gray(f"gray {identity}", np.repeat(luma[:, :, None], 3, axis=2)))
    return found


def overlay_url(
    rgb: NDArray[np.uint8],
    identity: str,
    one: Evidence,
    key: Hashable,
    scale: float,
    opacity: int,
    smooth: bool = True,
    side: int = rasters.SIDE,
) -> str:
    """Evidence over the gray photograph as a data URL. ``key``, with the rest, tells it from all others."""
    look = rasters.MapLook(opacity, DIVERGING, smooth)
    identity_of_all = (identity, key, one.class_index, round(scale, 6))
    return rasters.overlay_url(gray(rgb, identity, side), _Signed(one, scale), identity_of_all, look, side)


def grid_url(values: NDArray[np.floating], scale: float, smooth: bool = True, side: int = 256) -> str:
    """A signed map alone, enlarged, as a data URL."""
    return to_data_url(to_png(grid_picture(values, scale, smooth, side)))


def grid_picture(values: NDArray[np.floating], scale: float, smooth: bool = True, side: int = 256) -> NDArray[np.uint8]:
    """A signed map alone, enlarged: uint8 (H, W, 3)."""
    numbers = np.asarray(values, np.float32) / (scale or 1.0)
    height, width = numbers.shape
    size = (round(side * width / max(height, width)), round(side * height / max(height, width)))
    return diverging(cv2.resize(numbers, size, interpolation=cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST))


def full_size(
    rgb: NDArray[np.uint8], found: tuple[Evidence, ...], scale: float, opacity: int, lines: list[str]
) -> bytes:
    """The photograph and each map over it, side by side, with a caption, as PNG to take away."""
    luma = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    gap = np.full((rgb.shape[0], max(8, rgb.shape[1] // 60), 3), 255, np.uint8)
    panes = [rgb]
    for one in found:
        panes += [gap, blend(luma, one.on_picture(scale), opacity / 100, DIVERGING, by_value=True)]
    return to_png(with_caption(np.hstack(panes), lines))
