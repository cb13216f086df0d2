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

from camcore.heatmaps.memory import Memory
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
    case: Case, subjects: Sequence[Subject], shares: tuple[float, ...] = SHARES, memory: Memory | None = None
) -> Iterator[MetricStep[Sufficiency]]:
    """Maps and controls of one case, hidden and shown by degrees; a step after every chunk.

    ``memory``: where the network's answers to the controls are found and kept. They are the same for all classes and
    for all maps of one grid, so that a further one costs its own pictures only.
    """
    start, total = perf_counter(), passes(len(subjects), shares)
    scores: Scores = {}
    results: list[Sufficiency] = []
    done = 0
    kept = _Answers(case, shares, memory)
    for subject in subjects:
        known = kept.find(subject)
        pictures = [original(case)]
        keys = []
        if known is None:
            order = ranks(subject.raster)
            keys = [(digest(order), round(share * order.size), show) for show in (False, True) for share in shares]
            pictures += [AlteredPicture(key, _drawn(case, order, *key[1:])) for key in keys]
        for count in score_pictures(case, pictures, scores, kept.read):
            done += count
            yield MetricStep(tuple(results), done, total, perf_counter() - start)
        kept.keep(subject, len(keys))
        odds = np.array([scores[key] for key in keys]) if known is None else known
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


class _Answers:
    """The network's answers to the altered pictures of controls, whole as they were computed.

    So that figures do not depend on what was asked before, to the last digit: a batch of other pictures may round
    otherwise.
    """

    def __init__(self, case: Case, shares: tuple[float, ...], memory: Memory | None) -> None:
        self._case = case
        self._memory = memory
        self._prefix = (case.network.serial, "hidden and shown", digest(case.x), case.frame.placed, shares)
        self._read: list[tuple[NDArray[np.floating], NDArray[np.float64]]] = []

    def read(self, rows: Pixels) -> NDArray[np.float64]:
        """The log-odds of pictures (m, H, W, C); their answers can be kept afterwards."""
        answer = self._case.answer(rows)
        self._read.append(answer)
        return self._case.log_odds(*answer)

    def find(self, subject: Subject) -> NDArray[np.float64] | None:
        """The log-odds of all pictures of a control, where they are kept."""
        if self._memory is None or not subject.control:
            return None
        found = self._memory.get((*self._prefix, subject.digest))
        return None if found is None else self._case.log_odds(found[0], found[1])

    def keep(self, subject: Subject, count: int) -> None:
        """Keep what was read since the last call, where it is the answers to all ``count`` pictures of a control."""
        read, self._read = self._read, []
        if self._memory is not None and subject.control and count and sum(len(one) for one, _ in read) == count:
            scores, probabilities = (np.concatenate(part) for part in zip(*read, strict=True))
            self._memory.put((*self._prefix, subject.digest), (scores, probabilities))


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
