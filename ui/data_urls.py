"""Pictures as data URLs for the page, encoded once and kept."""

from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.render.encode import to_data_url, to_jpeg, to_png

Rgb = NDArray[np.uint8]

QUALITY = 93
"""JPEG of this quality and full colour resolution cannot be told from the original by eye, and takes 2 ms where WebP
takes 35: an overlay is encoded anew at every step of the opacity."""

_urls: ByteLRU[str] = ByteLRU(192 << 20, len)


def jpeg(key: Hashable, make: Callable[[], Rgb], quality: int = QUALITY) -> str:
    """A picture as JPEG; ``key`` tells it from all others, ``make`` draws it where it is not kept."""
    return _urls.get(key) or _urls.put(key, to_data_url(to_jpeg(make(), quality), "image/jpeg"))


def png(key: Hashable, make: Callable[[], Rgb]) -> str:
    """A picture as PNG, lossless; see ``jpeg``."""
    return _urls.get(key) or _urls.put(key, to_data_url(to_png(make())))
