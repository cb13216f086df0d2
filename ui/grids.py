"""Maps as the browser draws them: each on its own grid, in 16 bits, with the place of its cells on the photograph.

A 7×7 map is a hundred bytes, so that a page with many of them stays light, and smooth or native, opacity, colours
and scale are changed without computing a picture anew.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.render.colour import table
from ui import rasters

LEVELS = 65535

Grid: TypeAlias = dict[str, str | int | float | list[float]]
"""A map's values and place, as the browser takes them."""

_grids: ByteLRU[Grid] = ByteLRU(64 << 20, lambda grid: len(str(grid["data"])) + 512)


class PlacedValues(rasters.PlacedGrid, Protocol):
    """A map, or anything else with values on a grid."""

    @property
    def levels(self) -> NDArray[np.floating]: ...


def of_map(cam_map: PlacedValues, key: Hashable) -> Grid:
    """A map's raw values. ``key`` tells it from all others."""
    return _grids.get(("map", key)) or _grids.put(
        ("map", key), {**encoded(cam_map.levels), **rasters.geometry(cam_map)}
    )


def of_raster(values: NDArray[np.floating], size: tuple[int, int], key: Hashable) -> Grid | None:
    """Values on the picture's own pixels, reduced: (h, w) with NaN around a rectangle; None where all are NaN.

    ``size``: the picture's (height, width).
    """
    found = _grids.get(("raster", key))
    if found is not None:
        return found
    seen = np.isfinite(values)
    if not seen.any():
        return None
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    inner = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    unit = [size[axis] / values.shape[axis] for axis in (0, 1)]
    start = (rows[0], columns[0])
    made = {
        **encoded(inner),
        "rows": inner.shape[0],
        "columns": inner.shape[1],
        "scale": [1.0, 1.0],
        "shift": [0.0, 0.0],
        "first": [float((start[axis] + 0.5) * unit[axis] - 0.5) for axis in (0, 1)],
        "stride": unit,
        "seen": [
            float(edge * unit[axis])
            for edge, axis in ((rows[0], 0), (columns[0], 1), (rows[-1] + 1, 0), (columns[-1] + 1, 1))
        ],
    }
    return _grids.put(("raster", key), made)


def encoded(values: NDArray[np.floating]) -> Grid:
    """Values (h, w) in steps of 1/65535 of their range, in base64: ``low`` + word / 65535 × (``high`` − ``low``)."""
    numbers = np.asarray(values, np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    words = np.rint((numbers - low) * (LEVELS / (high - low))) if high > low else np.zeros(numbers.shape)
    data = base64.b64encode(np.ascontiguousarray(words, "<u2").tobytes()).decode("ascii")
    return {"low": low, "high": high, "data": data}


def seen(grid: Mapping[str, object] | None) -> Sequence[float] | None:
    """The edges (top, left, bottom, right) of what a grid covers, in pixels of the picture."""
    edges = None if grid is None else grid["seen"]
    return edges if isinstance(edges, list) else None


@functools.cache
def colours(colormap: str) -> str:
    """A colour map's 256 RGB colours in base64."""
    return base64.b64encode(table(colormap).tobytes()).decode("ascii")
