"""The pictures of the Filters page as data URLs, encoded once and kept; and how its values are written."""

from typing import Any

import numpy as np

from camcore.cache import ByteLRU
from camcore.framing import frame_for
from camcore.render.encode import to_data_url, to_jpeg, to_png
from camcore.render.overlay import blend
from ui.filters.work import LayerResponse
from ui.rasters import QUALITY, shrink

TILE_SIDE = 192
TILE_QUALITY = 90

_urls: ByteLRU[str] = ByteLRU(48 << 20, len)


def number(value: Any) -> str:
    """A value for reading, with three figures or so."""
    size = abs(float(value))
    if 0.01 <= size < 1000 or not size:
        text = f"{float(value):.2f}" if size < 10 else f"{float(value):.1f}"
    else:
        text = f"{float(value):.2g}" if size < 1 else f"{float(value):.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def png_url(rgb: np.ndarray) -> str:
    """A picture as it is, lossless."""
    key = ("png", rgb.shape, rgb.tobytes())
    return _urls.get(key) or _urls.put(key, to_data_url(to_png(rgb), "image/png"))


def tile_url(rgb: np.ndarray) -> str:
    """A picture as a tile, small."""
    key = ("tile", rgb.shape, rgb.tobytes())
    found = _urls.get(key)
    return found or _urls.put(key, to_data_url(to_jpeg(shrink(rgb, TILE_SIDE), TILE_QUALITY), "image/jpeg"))


def seen_url(looked: LayerResponse) -> str:
    """The photograph as the network sees it."""
    return _urls.get(("seen", looked.key)) or _urls.put(("seen", looked.key), _jpeg(looked.seen))


def response_url(looked: LayerResponse, index: int, opacity: int, smooth: bool) -> str:
    """The photograph under a channel's activation."""
    key = ("response", looked.key, index, opacity, smooth)
    return _urls.get(key) or _urls.put(key, _jpeg(response(looked, index, opacity, smooth)))


def response(looked: LayerResponse, index: int, opacity: int, smooth: bool) -> np.ndarray:
    """The photograph as the network sees it under the channel's activation: rectified, from 0 to its maximum."""
    grid = np.maximum(looked.maps[..., index], 0.0)
    height, width = looked.seen.shape[:2]
    frame = frame_for((height, width), (height, width), "stretch")
    values = frame.to_picture(grid / (float(grid.max()) or 1.0), looked.info.cells((height, width)), smooth)
    return blend(looked.seen, np.clip(values, 0.0, 1.0), alpha=opacity / 100)


def _jpeg(rgb: np.ndarray) -> str:
    return to_data_url(to_jpeg(rgb, QUALITY), "image/jpeg")
