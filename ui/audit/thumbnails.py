"""Small photographs of an audit's pictures with the place of their maps, made in the background, a page at a time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import camcore
from camcore.audits.manifest import Manifest
from camcore.audits.sources import open_row
from camcore.cache import ByteLRU
from camcore.framing import frame_for
from camcore.render.overlay import blend
from ui import data_urls
from ui.audit.opened import OpenAudit
from ui.jobs.work import Update, Updates, Work
from ui.rasters import MapLook, shrink

SIDE = 208
"""Long side of a small photograph, in pixels."""
QUALITY = 84
AT_ONCE = 12
"""Pictures between two updates of the page."""
_THREADS = 4

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small photograph uint8 (H, W, 3) with its map (h, w); ``size``: of the picture, (height, width).

    ``rgb`` None: it cannot be shown, ``problem`` says why. ``values`` None: there is no map.
    """

    key: Hashable
    rgb: Rgb | None
    values: NDArray[np.float32] | None
    size: tuple[int, int] = (1, 1)
    problem: str = ""


_photos: ByteLRU[tuple[Rgb, tuple[int, int]]] = ByteLRU(128 << 20, lambda one: one[0].nbytes)


def thumbnails(opened: OpenAudit, paths: Sequence[str]) -> Work[tuple[Thumbnail, ...]]:
    """Makes the small pictures of these paths, in their order."""
    wanted = tuple(paths)

    def steps(_: object, __: object) -> Updates[tuple[Thumbnail, ...]]:
        maps = opened.audit.maps(wanted)
        done: tuple[Thumbnail, ...] = ()
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(wanted), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                done += tuple(pool.map(lambda path, values: _thumbnail(opened, path, values), wanted[part], maps[part]))
                yield Update(len(done) / len(wanted), done)

    def size(made: tuple[Thumbnail, ...]) -> int:
        return sum(512 + (0 if one.rgb is None else one.rgb.nbytes) for one in made)

    return Work(None, ("thumbnails", opened.key, wanted), "Opening these pictures", steps, size)


def url(one: Thumbnail, manifest: Manifest, look: MapLook | None) -> str | None:
    """The small photograph as a data URL, under its map where a ``look`` is given; None where it cannot be shown."""
    rgb, values = one.rgb, one.values
    if rgb is None:
        return None
    if look is None or values is None:
        return data_urls.jpeg(("thumbnail", one.key), lambda: rgb, QUALITY)
    return data_urls.jpeg(("mapped", one.key, look), lambda: overlay(rgb, values, one.size, manifest, look), QUALITY)


def overlay(rgb: Rgb, values: NDArray[np.float32], size: tuple[int, int], manifest: Manifest, look: MapLook) -> Rgb:
    """A map (h, w) laid over a small photograph of a picture of that (height, width)."""
    frame = frame_for(size, manifest.network.input_size, manifest.framing)
    placed = frame.to_picture(values, manifest.cells, smooth=look.smooth, max_side=SIDE)
    return blend(rgb, placed, look.opacity / 100, look.colormap, look.by_value)


def _thumbnail(opened: OpenAudit, path: str, values: NDArray[np.float32]) -> Thumbnail:
    key = (opened.key, path)
    try:
        rgb, size = _photos.get(key) or _photos.put(key, _photo(opened.manifest, path))
    except camcore.CamcoreError as error:
        return Thumbnail(key, None, None, problem=str(error))
    return Thumbnail(key, rgb, None if np.isnan(values).any() else values, size)


def _photo(manifest: Manifest, path: str) -> tuple[Rgb, tuple[int, int]]:
    picture = open_row(manifest, path)
    return shrink(picture.rgb, SIDE), (picture.height, picture.width)
