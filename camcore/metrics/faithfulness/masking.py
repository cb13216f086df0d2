"""The score of the picture seen through its own map, and the map of that picture.

Figures of one picture; over many, average drop and average gain are their means, and the increase in confidence the
share of pictures. y: the picture's score, o: the score of the picture times the map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.metrics.faithfulness.case import Case, Subject
from camcore.metrics.faithfulness.scoring import AlteredPicture


def drop(y: float, o: float) -> float:
    """max(0, y − o) / y, 0..1 for probabilities: what the mask takes away (Chattopadhay 2018); 0 where y is 0."""
    return max(0.0, y - o) / abs(y) if y else 0.0


def gain(y: float, o: float) -> float:
    """max(0, o − y) / (1 − y), 0..1: what the mask adds of what could be added (Zhang 2023); 0 where y is 1."""
    return max(0.0, o - y) / (1 - y) if y < 1 else 0.0


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """The correlation of two maps, −1..1; 0 where either is the same everywhere and so correlates with nothing."""
    first, second = (np.ravel(np.asarray(one, np.float64)) for one in (a, b))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def coherency(a: ArrayLike, b: ArrayLike) -> float:
    """The maps of the picture and of the picture seen through its map, (1 + Pearson) / 2 in 0..1 (Poppi 2021)."""
    return (1 + pearson(a, b)) / 2


def complexity(values: ArrayLike) -> float:
    """The share of the picture that the map takes: its mean, 0..1 (Poppi 2021: the L1 norm)."""
    return float(np.mean(np.asarray(values, np.float64)))


def adcc(coherent: float, complex_: float, dropped: float) -> float:
    """3 / (1/coherency + 1/(1 − complexity) + 1/(1 − drop)), 0..1 (Poppi 2021, equation 6); 0 where any part is."""
    parts = (coherent, 1 - complex_, 1 - dropped)
    return 3 / sum(1 / part for part in parts) if min(parts) > 0 else 0.0


def masked(case: Case, subject: Subject) -> AlteredPicture:
    """The input times the map; a letterbox's padding stays as it is."""

    def make() -> NDArray[np.floating]:
        picture = case.picture.astype(np.result_type(case.picture.dtype, np.float32))
        picture[case.area] *= subject.raster[..., np.newaxis]
        return picture

    return AlteredPicture(("masked", subject.digest), make)
