"""The agreement of a sheet's maps: computed once for the maps that are there, and kept for everybody."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.metrics import agreement
from camcore.text import decimal
from ui.compare.comparison import GridCell
from ui.compare.grid import identity
from ui.compare.sheets import MapSheet

TITLES: Mapping[str, str] = {"spearman": "Order", "top_iou": "Top 20 %", "ssim": "Look"}
EXPLAINED: Mapping[str, str] = {
    "spearman": "**Order** (Spearman’s ρ): do two maps rank the places alike? 1: the same order, 0: no "
    "relation, below 0: the opposite.",
    "top_iou": "**Top 20 %** (intersection over union): of the places in either map’s top 20 %, how many are in both?",
    "ssim": "**Look** (SSIM): do they look alike, patch by patch? 1: the same picture.",
}


@dataclass(frozen=True, eq=False)
class SheetRasters:
    """Maps on one raster. ``cells``: whose; ``rasters``: (n, H, W), NaN where one did not look; ``key``: which."""

    cells: tuple[GridCell, ...]
    rasters: NDArray[np.float32]
    seen: NDArray[np.bool_]
    key: Hashable

    @property
    def some_seen(self) -> bool:
        """There is a place that all networks saw."""
        return bool(self.seen.any())

    def of(self, cells: Sequence[GridCell]) -> NDArray[np.float32]:
        """The rasters of these cells."""
        return self.rasters[[self.cells.index(cell) for cell in cells]]


@dataclass(frozen=True)
class Agreement:
    """The agreement of one map with the reference; None where that is not defined."""

    spearman: float | None
    ssim: float | None
    top_iou: float | None

    @property
    def text(self) -> str:
        """In one short line."""
        parts = [("ρ", self.spearman), ("SSIM", self.ssim), ("top 20 %", self.top_iou)]
        return " · ".join(f"{name} {_two(value)}" for name, value in parts)


_aligned: ByteLRU[SheetRasters] = ByteLRU(96 << 20, lambda a: a.rasters.nbytes)
_matrices: ByteLRU[NDArray[np.float64]] = ByteLRU(8 << 20, lambda m: m.nbytes)
_consensus: ByteLRU[agreement.Consensus] = ByteLRU(48 << 20, lambda c: c.mean.nbytes + c.spread.nbytes)
_figures: ByteLRU[Agreement] = ByteLRU(1 << 20, lambda f: 128)


def aligned(sheet: MapSheet, filling: bool = False) -> SheetRasters | None:
    """The finished maps that are not empty, on one raster; None where there are none.

    ``filling``: more maps are on their way; then only what is known already, as the next moment asks for others.
    """
    cells = tuple(cell for cell, m in sheet.maps.items() if m.values.any())
    if not cells:
        return None
    key = tuple(identity(sheet, cell, sheet.filled[cell]) for cell in cells)
    found = _aligned.get(key)
    if filling and (found is None or _matrices.get((key, "spearman")) is None):
        return None
    if found is None:
        both = agreement.aligned([sheet.filled[cell].map for cell in cells])
        found = _aligned.put(key, SheetRasters(cells, both.rasters, both.seen, key))
    # The same maps may stand in other cells of another plan.
    return found if found.cells == cells else SheetRasters(cells, found.rasters, found.seen, key)


def matrix(maps: SheetRasters, measure: str) -> NDArray[np.float64]:
    """A measure for every pair (n, n), NaN where it is not defined."""
    key = (maps.key, measure)
    found = _matrices.get(key)
    if found is None:
        found = _matrices.put(key, agreement.agreement_matrix(list(maps.rasters), measure).values)  # type: ignore[arg-type]
    return found


def consensus(maps: SheetRasters, cells: Sequence[GridCell]) -> agreement.Consensus:
    """Mean and spread of the rank-normalised maps of these cells."""
    key = (maps.key, tuple(maps.cells.index(cell) for cell in cells))
    return _consensus.get(key) or _consensus.put(key, agreement.consensus(list(maps.of(cells))))


def to_reference(maps: SheetRasters, reference: GridCell) -> dict[GridCell, Agreement]:
    """The agreement of each other map with the reference; empty where that has no raster."""
    if reference not in maps.cells:
        return {}
    base = maps.cells.index(reference)
    made = {}
    for i, cell in enumerate(maps.cells):
        if i == base:
            continue
        key = (maps.key, base, i)
        found = _figures.get(key)
        if found is None:
            a, b = maps.rasters[base], maps.rasters[i]
            found = Agreement(agreement.spearman(a, b), agreement.ssim(a, b), agreement.top_iou(a, b))
            _figures.put(key, found)
        made[cell] = found
    return made


def verdict(values: NDArray[np.float64], names: Sequence[str], classes: Sequence[str] = ()) -> str:
    """The reading of a matrix of rank correlations, in a sentence or two.

    ``classes``: of each map; where there are several, only maps of the same one are compared.
    """
    n = len(values)
    several = len(set(classes)) > 1
    apart = np.not_equal.outer(np.asarray(classes), np.asarray(classes)) if several else np.zeros((n, n), bool)
    others = np.where(np.eye(n, dtype=bool) | apart, np.nan, values)
    known = np.isfinite(others)
    if several and not known.any():
        return (
            "Each of these maps explains a different class, so they should differ: the more alike two of them are, the "
            "less they say about their class."
        )
    if n < 2 or not known.any():
        return "There are no two maps to compare yet."
    mean = float(others[known].mean())
    word = (
        "They agree closely"
        if mean >= 0.8
        else "They mostly agree"
        if mean >= 0.5
        else "They partly agree"
        if mean >= 0.2
        else "They do not agree"
    )
    within = " within a class" * several
    text = f"{word}{within}: {_two(mean)} on average, where 1 means the same order of places and 0 no relation."
    if n > 2:
        each = np.array([row[np.isfinite(row)].mean() if np.isfinite(row).any() else np.nan for row in others])
        odd = int(np.nanargmin(each))
        rest = float(np.nanmean(np.delete(each, odd)))
        if rest - each[odd] > 0.12:
            text += f" Furthest from the others: {names[odd]} ({_two(float(each[odd]))})."
    return text


def _two(value: float | None) -> str:
    return "–" if value is None else decimal(value)
