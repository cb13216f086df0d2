"""The scales on which maps are drawn: which maps share one, and where it ends.

Raw values of one method, layer and network have one unit, whatever the class or the framing; those of two methods
have not, and a common scale over them would say something false.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

ONE, EACH, DENSITY = SCALES = ("one scale", "each its own", "density")
OWN = "own scale"
"""The mark on a map that shares its scale with no other."""


@dataclass(frozen=True)
class MapScale:
    """One map as it is drawn: the raw value that gets the last colour, whether both signs are shown, and its mark."""

    top: float
    signed: bool
    mark: str


def shown(
    maps: Sequence[tuple[Hashable, Array, bool]], scale: str = ONE, both_signs: bool = False
) -> tuple[list[MapScale], float]:
    """The scale of each map, and for DENSITY the multiple of a map's mean that gets the last colour, else 1.

    ``maps``: (unit, raw grid (h, w), whether its values have a sign); maps of one unit share one scale, unless
    ``scale`` is EACH. With ``both_signs`` signed maps show what speaks against the class, too.
    """
    signed = [both_signs and has_sign for _, _, has_sign in maps]
    peaks = [_peak(raw, both) for (_, raw, _), both in zip(maps, signed, strict=True)]
    if scale == DENSITY:
        means = [_mean(raw, both) for (_, raw, _), both in zip(maps, signed, strict=True)]
        most = max((peak / mean for peak, mean in zip(peaks, means, strict=True) if mean > 0), default=1.0)
        return [MapScale(mean * most or 1.0, both, "") for mean, both in zip(means, signed, strict=True)], most
    units: dict[Hashable, list[float]] = {}
    for (unit, _, _), peak in zip(maps, peaks, strict=True):
        units.setdefault(unit, []).append(peak)
    drawn = []
    for (unit, _, _), peak, both in zip(maps, peaks, signed, strict=True):
        alone = scale == EACH or len(units[unit]) == 1
        drawn.append(MapScale((peak if alone else max(units[unit])) or 1.0, both, OWN if alone else ""))
    return drawn, 1.0


def _peak(raw: Array, both: bool) -> float:
    return float(np.abs(raw).max(initial=0.0) if both else raw.max(initial=0.0)) if raw.size else 0.0


def _mean(raw: Array, both: bool) -> float:
    return float(np.mean(np.abs(raw) if both else np.maximum(raw, 0), dtype=np.float64))
