"""Sufficiency: the score of a map's top alone against that of the picture without it.

Both times what is taken away becomes the picture's mean colour. A network has a class it leans to for an empty picture,
so hiding alone, or showing alone, flatters maps of that class and wrongs the others; in the difference of the two
complementary pictures the leaning cancels. Log-odds, because a probability near 1 no longer tells how much went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from camcore.metrics.faithfulness.case import Case, Pixels, Ranks, Subject, digest
from camcore.metrics.faithfulness.curves import ranks
from camcore.metrics.faithfulness.scoring import AlteredPicture, MetricStep, Scores, original, score_pictures

SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, eq=False)
class Sufficiency:
    """One map or control of one picture.

    ``name`` and ``seed`` as in Faithfulness. ``score``: of the picture; ``hidden`` and ``shown`` (k,): with each of
    ``shares`` of the pixels, the map's top, hidden, or nothing but them shown: probabilities, plain scores where there
    are none. ``lead``: mean over the shares of log-odds(shown) − log-odds(hidden), above 0 where the map's top speaks
    more for the class than all the rest. ``spread``: the largest less the smallest log-odds seen.
    """

    name: str
    seed: int | None
    score: float
    shares: tuple[float, ...]
    hidden: NDArray[np.float64]
    shown: NDArray[np.float64]
    lead: float
    spread: float

    def removed(self, share: float) -> float:
        """The share of the score that hiding one of ``shares`` takes away; below 0 where it adds."""
        after = float(self.hidden[self.shares.index(share)])
        return (self.score - after) / abs(self.score) if self.score else 0.0


def measure_sufficiency(
    case: Case, subjects: Sequence[Subject], shares: tuple[float, ...] = SHARES
) -> Iterator[MetricStep[Sufficiency]]:
    """Maps and controls of one case, hidden and shown by degrees; a step after every chunk."""
    start, total = perf_counter(), passes(len(subjects), shares)
    scores: Scores = {}
    results: list[Sufficiency] = []
    done = 0
    for subject in subjects:
        order = ranks(subject.raster)
        keys = [(digest(order), round(share * order.size), show) for show in (False, True) for share in shares]
        pictures = [original(case), *(AlteredPicture(key, _drawn(case, order, *key[1:])) for key in keys)]
        for count in score_pictures(case, pictures, scores, case.log_odds):
            done += count
            yield MetricStep(tuple(results), done, total, perf_counter() - start)
        odds = np.array([scores[key] for key in keys])
        hidden, shown = odds[: len(shares)], odds[len(shares) :]
        seen = np.append(odds, scores["original"])
        results.append(
            Sufficiency(
                name=subject.name,
                seed=subject.seed,
                score=float(case.from_log_odds(seen[-1])),
                shares=shares,
                hidden=case.from_log_odds(hidden),
                shown=case.from_log_odds(shown),
                lead=float((shown - hidden).mean()),
                spread=float(np.ptp(seen)),
            )
        )
    yield MetricStep(tuple(results), total, total, perf_counter() - start)


def passes(subjects: int, shares: tuple[float, ...] = SHARES) -> float:
    """The cost of ``measure_sufficiency`` at most, in forward passes of one picture."""
    return 1.0 + 2 * len(shares) * subjects


def _drawn(case: Case, order: Ranks, count: int, show: bool) -> Callable[[], Pixels]:
    def make() -> Pixels:
        picture = case.picture.copy()
        gone = order >= count if show else order < count
        np.copyto(picture[case.area], case.mean, where=gone[..., np.newaxis])
        return picture

    return make
