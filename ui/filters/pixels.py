"""The pictures of the Filters page as data URLs; and its values in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from camcore.framing import frame_for
from camcore.render.overlay import blend
from camcore.text import minus
from ui import data_urls
from ui.filters.work import LayerResponse
from ui.rasters import shrink

TILE_SIDE = 192
TILE_QUALITY = 90


def number(value: float) -> str:
    """A value for reading, with three figures or so."""
    size = abs(value)
    if 0.01 <= size < 1000 or not size:
        return minus(f"{value:.2f}" if size < 10 else f"{value:.1f}")
    return minus(f"{value:.2g}" if size < 1 else f"{value:.3g}")


def png_url(rgb: NDArray[np.uint8]) -> str:
    """A picture as it is, lossless."""
    return data_urls.png(("png", rgb.shape, rgb.tobytes()), lambda: rgb)


def tile_url(rgb: NDArray[np.uint8]) -> str:
    """A picture as a tile, small."""
    return data_urls.jpeg(("tile", rgb.shape, rgb.tobytes()), lambda: shrink(rgb, TILE_SIDE), TILE_QUALITY)


def seen_url(response: LayerResponse) -> str:
    """The photograph as the network sees it."""
    return data_urls.jpeg(("seen", response.key), lambda: response.seen)


def response_url(response: LayerResponse, index: int, opacity: int, smooth: bool) -> str:
    """The photograph under a channel's activation."""
    key = ("response", response.key, index, opacity, smooth)
    return data_urls.jpeg(key, lambda: response_overlay(response, index, opacity, smooth))


def response_overlay(response: LayerResponse, index: int, opacity: int, smooth: bool) -> NDArray[np.uint8]:
    """The photograph as the network sees it under the channel's activation: rectified, from 0 to its maximum."""
    grid = np.maximum(response.maps[..., index], 0.0)
    height, width = response.seen.shape[:2]
    frame = frame_for((height, width), (height, width), "stretch")
    values = frame.to_picture(grid / (float(grid.max()) or 1.0), response.info.cells((height, width)), smooth)
    return blend(response.seen, np.clip(values, 0.0, 1.0), alpha=opacity / 100, by_value=True)
