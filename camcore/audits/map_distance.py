"""Distances between maps of the same picture by two networks, and between the evidence of two versions of one.

Each map becomes a distribution over the picture: every cell's share of Σ M·area, spread evenly over its rectangle
there. The distance is the total variation, half of what the two differ by: 0 for the same map, 1 for maps that share no
place. It is exact for any two grids and framings: between the edges of both grids both distributions are constant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from camcore.audits.clustering import directions
from camcore.audits.manifest import Manifest
from camcore.audits.patches import cell_edges
from camcore.framing import CellGrid, frame_for

Array64 = NDArray[np.float64]
Size = tuple[int, int]


def map_distances(
    manifests: tuple[Manifest, Manifest],
    maps: tuple[NDArray[np.floating], NDArray[np.floating]],
    sizes: NDArray[np.integer],
) -> NDArray[np.float32]:
    """The distances of two audits' ``maps``, (n, h, w) and (n, h', w'): (n,). ``sizes`` (n, 2): (height, width).

    NaN where a map is zero, or has nothing on the picture.
    """
    distances = np.full(len(sizes), np.nan, np.float32)
    kinds, kind_of = np.unique(sizes, axis=0, return_inverse=True)
    for kind, (height, width) in enumerate(kinds.tolist()):
        at = np.flatnonzero(kind_of.reshape(-1) == kind)
        one, other = (
            _shares(_spread_out(values[at].astype(np.float64), rows, columns))
            for values, (rows, columns) in zip(maps, _spreads(manifests, (height, width)), strict=True)
        )
        distances[at] = 0.5 * np.abs(one - other).sum(axis=(1, 2))
    return distances


def evidence_distances(old: NDArray[np.floating], new: NDArray[np.floating]) -> NDArray[np.float32]:
    """1 − cosine of evidence vectors (n, K): (n,); NaN where one is zero or missing.

    As half the squared distance of the two directions: exactly zero for the same vector.
    """
    one, other = directions(old), directions(new)
    known = one.any(axis=1) & other.any(axis=1)
    return np.where(known, 0.5 * ((one - other) ** 2).sum(axis=1), np.float32(np.nan))


def _spreads(manifests: tuple[Manifest, Manifest], size: Size) -> list[tuple[Array64, Array64]]:
    """Of each audit the matrices (pieces, cells), of rows and of columns, that lay its cells over the pieces."""
    edges = [_edges(manifest, size) for manifest in manifests]
    rows, columns = (_lengths([both[axis] for both in edges]) for axis in (0, 1))
    return list(zip(rows, columns, strict=True))


def _edges(manifest: Manifest, size: Size) -> tuple[Array64, Array64]:
    """The (low, high) edges of the rows and of the columns of an audit's cells on a picture."""
    frame = frame_for(size, manifest.network.input_size, manifest.framing)
    cells = manifest.cells or CellGrid.uniform(manifest.grid, manifest.network.input_size)
    rows, columns = (cell_edges(frame, cells, manifest.grid[axis], axis) for axis in (0, 1))
    return rows, columns


def _lengths(grids: Sequence[Array64]) -> list[Array64]:
    """For the edges of several grids along one axis, each (cells, 2): the length of each piece in each cell.

    The pieces lie between the edges of all grids, so that none reaches over an edge.
    """
    cuts = np.unique(np.concatenate(grids))
    middles, lengths = ((cuts[:-1] + cuts[1:]) / 2)[:, None], np.diff(cuts)[:, None]
    return [((edges[:, 0] <= middles) & (middles < edges[:, 1])) * lengths for edges in grids]


def _spread_out(maps: Array64, rows: Array64, columns: Array64) -> Array64:
    """Maps (n, h, w) laid over pieces: (n, columns, rows); by two large products, which are faster than many small."""
    return np.tensordot(np.tensordot(maps, columns, (2, 1)), rows, (1, 1))


def _shares(mass: Array64) -> Array64:
    """Masses (n, rows, columns) ÷ their sum; NaN where that is zero."""
    total = mass.sum(axis=(1, 2), keepdims=True)
    return np.divide(mass, total, out=np.full_like(mass, np.nan), where=total > 0)
