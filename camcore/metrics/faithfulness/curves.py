"""Deletion and insertion: the score as pixels go or come in the order of a map."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.metrics.faithfulness.case import Case, Pixels, Ranks, Raster, digest
from camcore.metrics.faithfulness.scoring import AlteredPicture, Scores, original

CurveKind = Literal["deletion", "insertion"]

# As published.
STEPS = 224

# One order for all maps and all times, so that equal maps take away equal pixels.
_TIE_SEED = 0


@dataclass(frozen=True, eq=False)
class Curve:
    """The score (steps + 1,) after each ``shares`` (steps + 1,) of the pixels, 0..1, was taken away or put in."""

    shares: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def auc(self) -> float:
        """The area under the curve by the trapezoid rule: the mean score."""
        return float(np.trapezoid(self.scores, self.shares))

    @property
    def steps(self) -> int:
        """The number of steps that it was measured in."""
        return len(self.shares) - 1

    def at(self, share: float) -> float:
        """The score at a share, linear between the steps."""
        return float(np.interp(share, self.shares, self.scores))


def ranks(raster: Raster) -> Ranks:
    """Each pixel's rank (h, w) in the order of a map, 0 for the most relevant.

    Equal pixels, such as the zeros of a rectified map, follow in one fixed random order, not in that of the pixels.
    """
    shuffled = np.random.default_rng(_TIE_SEED).permutation(raster.size)
    order = shuffled[np.argsort(-raster.ravel()[shuffled], kind="stable")]
    ranked = np.empty(raster.size, np.int32)
    ranked[order] = np.arange(raster.size, dtype=np.int32)
    return ranked.reshape(raster.shape)


def counts(pixels: int, steps: int) -> NDArray[np.int64]:
    """The number of pixels that are gone after each of 0 to ``steps`` steps of equal size, to the nearest whole one."""
    return np.rint(np.linspace(0, pixels, steps + 1)).astype(np.int64)


def check_steps(steps: int) -> None:
    """Raise CamcoreError where a curve cannot have so many steps."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise CamcoreError(f"steps={steps!r} is no number of steps. A curve needs at least 1; {STEPS} are usual.")


class PixelOrder:
    """The pictures of one case with pixels gone in the order of one map, given as ranks. ``steps``: of its curves."""

    def __init__(self, case: Case, order: Ranks, steps: int) -> None:
        self.case = case
        self.ranks = order
        self.counts = counts(self.ranks.size, min(steps, self.ranks.size))
        self._digest = digest(self.ranks)

    def pictures(self, kind: CurveKind) -> Iterator[AlteredPicture]:
        """The pictures of a curve: deletion goes to black, 0 of the preprocessed input; insertion comes from a blur."""
        yield from (self._altered(kind, int(count)) for count in self.counts)

    def curve(self, kind: CurveKind, scores: Scores) -> Curve:
        """The curve, its pictures scored."""
        values = [scores[self._key(kind, int(count))] for count in self.counts]
        return Curve(self.counts / self.ranks.size, np.array(values))

    def _key(self, kind: CurveKind, count: int) -> Hashable:
        if count == (0 if kind == "deletion" else self.ranks.size):
            return "original"
        if count in (0, self.ranks.size):  # nothing of the picture left: the same for every order
            return kind, count
        return kind, self._digest, count

    def _altered(self, kind: CurveKind, count: int) -> AlteredPicture:
        key = self._key(kind, count)
        if key == "original":
            return original(self.case)

        def make() -> Pixels:
            leading = self.ranks < count
            before, after = self.case.picture, self.case.black
            if kind == "insertion":
                before, after = self.case.blurred, self.case.picture
            picture = before.copy()
            area = self.case.area
            np.copyto(picture[area], after[area], where=leading[..., np.newaxis])
            return picture

        return AlteredPicture(key, make)
