"""ROAD, remove and debias: pixels are filled from their neighbours, so that the hole itself tells nothing."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError
from camcore.metrics.faithfulness.case import Case, Ranks, digest
from camcore.metrics.faithfulness.scoring import AlteredPicture, Scores

LEVELS = (0.2, 0.4, 0.6, 0.8)

# Of the preprocessed range: so that what was filled cannot be told by its smoothness.
NOISE = 0.01
_NOISE_SEED = 0

# Neighbour (dy, dx) → weight: 1/6 beside, 1/12 across.
_WEIGHTS = {(dy, dx): 1 / 6 if dy * dx == 0 else 1 / 12 for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)}


@dataclass(frozen=True, eq=False)
class Road:
    """The score (n,) with each of ``levels`` of the pixels removed: most relevant first (MoRF), least (LeRF)."""

    levels: tuple[float, ...]
    morf: NDArray[np.float64]
    lerf: NDArray[np.float64]

    @property
    def combined(self) -> float:
        """mean(LeRF − MoRF) / 2, −0.5..0.5 for probabilities: above 0 where what matters was found."""
        return float(np.mean(self.lerf - self.morf) / 2)


def imputed(picture: ArrayLike, gone: ArrayLike) -> NDArray[np.float64]:
    """``picture`` (H, W, C) with the pixels ``gone``, bool (H, W), each the weighted mean of its neighbours.

    Neighbours weigh 1/6 beside and 1/12 across, in proportion where the border cuts some off; all removed pixels are
    solved for together (Rong et al., A Consistent and Efficient Evaluation Strategy for Attribution Methods, 2022,
    section 5). Raises CamcoreError where no pixel is left to fill from.
    """
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import splu

    filled = np.array(picture, np.float64)
    hole = np.asarray(gone, bool)
    if not hole.any():
        return filled
    if hole.all():
        raise CamcoreError("Every pixel was removed, so there is none to fill from. Leave at least one.")
    count = int(hole.sum())
    ys, xs = np.nonzero(hole)
    number = np.full((hole.shape[0] + 2, hole.shape[1] + 2), -2)  # -2 beyond the border, -1 known
    number[1:-1, 1:-1] = -1
    number[ys + 1, xs + 1] = np.arange(count)
    padded = np.pad(filled, ((1, 1), (1, 1), (0, 0)))
    diagonal, known = np.zeros(count), np.zeros((count, filled.shape[2]))
    rows, columns, values = [], [], []
    # Σ_j w_ij (x_i − x_j) = 0 over the neighbours there are: the weighted mean, and a symmetric system.
    for (dy, dx), weight in _WEIGHTS.items():
        at = ys + 1 + dy, xs + 1 + dx
        neighbour = number[at]
        diagonal += weight * (neighbour > -2)
        known[neighbour == -1] += weight * padded[at][neighbour == -1]
        unknown = np.flatnonzero(neighbour >= 0)
        rows.append(unknown)
        columns.append(neighbour[unknown])
        values.append(np.full(len(unknown), -weight))
    itself = np.arange(count)
    entries = np.concatenate([*values, diagonal])
    places = np.concatenate([*rows, itself]), np.concatenate([*columns, itself])
    system = csc_matrix((entries, places), (count, count))
    solve = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}).solve
    filled[hole] = solve(known)
    return filled


def check_levels(levels: tuple[float, ...]) -> None:
    """Raise CamcoreError for what are not shares of the pixels."""
    if not levels or not all(0 < level < 1 for level in levels):
        raise CamcoreError(f"The levels {levels} are no shares of the pixels. Each lies above 0 and below 1: {LEVELS}.")


class RoadRemoval:
    """The pictures of ROAD for one case and the order of one map, given as ranks."""

    def __init__(self, case: Case, order: Ranks, levels: tuple[float, ...] = LEVELS) -> None:
        self.case = case
        self.levels = levels
        self.ranks = order
        self._digest = digest(order)

    def pictures(self) -> Iterator[AlteredPicture]:
        """The picture without its most, and without its least relevant pixels, at every level."""
        for level in self.levels:
            for most in (True, False):
                yield AlteredPicture(self._key(level, most), partial(self.removed, level, most))

    def removed(self, level: float, most: bool) -> NDArray[np.float64]:
        """The input (H, W, C) with a share of the pixels filled in; noise has a deviation of 1 % of its range."""
        picture = self.case.picture.astype(np.float64)
        count = min(max(1, round(level * self.ranks.size)), self.ranks.size - 1)
        hole = np.zeros(picture.shape[:2], bool)
        hole[self.case.area] = self.ranks < count if most else self.ranks >= self.ranks.size - count
        noise = np.random.default_rng(_NOISE_SEED).standard_normal(picture.shape)
        filled = imputed(picture, hole)
        filled[hole] += NOISE * np.ptp(picture) * noise[hole]
        return filled

    def result(self, scores: Scores) -> Road:
        """The figures, all pictures scored."""
        values = [[scores[self._key(level, most)] for level in self.levels] for most in (True, False)]
        return Road(self.levels, np.array(values[0]), np.array(values[1]))

    def _key(self, level: float, most: bool) -> Hashable:
        return "road", self._digest, level, most
