"""All figures of faithfulness for several maps of one picture, beside those of the controls."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from camcore.checks import one_of
from camcore.errors import CamcoreError
from camcore.generators import Returning
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.recompute import recompute_passes, recompute_values
from camcore.methods.control import COARSE
from camcore.metrics.faithfulness import masking, stability
from camcore.metrics.faithfulness.case import Case, Subject, case_of, controls, raster_of, subject_of
from camcore.metrics.faithfulness.curves import STEPS, Curve, PixelOrder, check_steps, ranks
from camcore.metrics.faithfulness.road import LEVELS, Road, RoadRemoval, check_levels
from camcore.metrics.faithfulness.scoring import AlteredPicture, MetricStep, Scores, original, score_pictures
from camcore.network import Network
from camcore.pictures.picture import Picture

METRICS = ("masked", "deletion", "insertion", "road", "coherency", "sensitivity")

# Fields of noise beside every figure: chance has a spread.
RANDOMS = 3


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """The figures of one map of one picture; None for those that were not asked for.

    ``name``: the method's key, or ``random`` (with its ``seed``) and ``centre`` for a control, whose ``map`` is None.
    ``empty``: the map is zero everywhere; it counts as it is. ``score``: y, of the picture, a probability where the
    network gives any. ``masked``: o, of the picture times the map; ``drop`` = max(0, y − o)/y, ``increase``: o > y,
    ``gain`` = max(0, o − y)/(1 − y) (None where scores are no probabilities). ``complexity``: mean of the map, 0..1.
    ``deletion`` (low is good), ``insertion`` (high is good), ``road``: see there. ``coherency`` 0..1, and ``adcc``,
    which needs ``masked`` too. ``sensitivity``: the largest relative change under small noise, 0 for the controls,
    which do not look at the picture.
    """

    name: str
    map: CamMap | None
    seed: int | None
    empty: bool
    score: float
    complexity: float
    masked: float | None = None
    drop: float | None = None
    increase: bool | None = None
    gain: float | None = None
    deletion: Curve | None = None
    insertion: Curve | None = None
    road: Road | None = None
    coherency: float | None = None
    adcc: float | None = None
    sensitivity: float | None = None

    @property
    def control(self) -> bool:
        """True for one of the controls that are always there."""
        return self.map is None


@dataclass(frozen=True)
class Settings:
    """The settings of a measurement of faithfulness.

    ``metrics``: some of METRICS. ``steps``: of deletion and insertion, 224 as published; fewer make them coarser.
    ``levels``: shares of the pixels that ROAD removes. ``draws``: of the sensitivity's noise. ``randoms``: how many
    fields of noise are the random control. ``grid`` (h, w): how fine that noise is.
    """

    metrics: tuple[str, ...] = ("masked", "deletion", "insertion", "road")
    steps: int = STEPS
    levels: tuple[float, ...] = LEVELS
    draws: int = stability.DRAWS
    randoms: int = RANDOMS
    grid: tuple[int, int] = (COARSE, COARSE)

    def check(self) -> None:
        """Raise CamcoreError for what cannot be measured so."""
        for name in self.metrics:
            one_of(*METRICS, kind="figure")("metrics", name)
        check_steps(self.steps)
        check_levels(self.levels)
        for name, value in (("draws", self.draws), ("randoms", self.randoms)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise CamcoreError(f"{name}={value!r} is no number of them. Give a whole number of at least 1.")


def measure(
    network: Network, pic: Picture, maps: Sequence[CamMap], settings: Settings = Settings()
) -> Iterator[MetricStep[Faithfulness]]:
    """The figures of some maps of one picture, network, framing and class, and of the controls, step by step.

    ``results``: the maps' in their order, then the controls'.

    Closing the generator stops the work; no more than the chunk in hand is computed.

    Raises, at the call, CamcoreError for no maps, maps of different questions, or settings that cannot be, and
    MethodError where ``coherency`` or ``sensitivity`` is asked of a fused map, which cannot be made again.
    """
    total = estimate(network, maps, settings)
    case = case_of(network, pic, maps[0].class_index, maps[0].framing)
    subjects = (*(subject_of(case, m) for m in maps), *controls(case, settings.randoms, settings.grid))
    return _measured(case, subjects, settings, total)


def estimate(network: Network, maps: Sequence[CamMap], settings: Settings = Settings()) -> float:
    """The cost of ``measure`` at most, in forward passes of one picture. Raises as ``measure`` does."""
    if not maps:
        raise CamcoreError("There is no map to judge. Give at least one.")
    settings.check()
    metrics = settings.metrics
    each = ("masked" in metrics) + 2 * len(settings.levels) * ("road" in metrics)
    each += (settings.steps - 1) * (("deletion" in metrics) + ("insertion" in metrics))
    again = ("coherency" in metrics) + settings.draws * ("sensitivity" in metrics)
    shared = 1 + ("deletion" in metrics) + ("insertion" in metrics)
    remaking = sum(recompute_passes(network, m) for m in maps) * again if again else 0.0
    return shared + (len(maps) + 1 + settings.randoms) * each + remaking


def _measured(
    case: Case, subjects: Sequence[Subject], settings: Settings, total: float
) -> Iterator[MetricStep[Faithfulness]]:
    start = perf_counter()
    results: list[Faithfulness] = []
    scores: Scores = {}
    done = 0.0
    for subject in subjects:
        figures = Returning(_one(case, subject, settings, scores))
        for passes in figures:
            done += passes
            yield MetricStep(tuple(results), min(done, total), total, perf_counter() - start)
        results.append(figures.result)
    yield MetricStep(tuple(results), total, total, perf_counter() - start)


def _one(case: Case, subject: Subject, settings: Settings, scores: Scores) -> Generator[float, None, Faithfulness]:
    """The figures of one map; yields passes as they are done."""
    metrics = settings.metrics
    ranked = ranks(subject.raster)
    order, removal = PixelOrder(case, ranked, settings.steps), RoadRemoval(case, ranked, settings.levels)
    through = masking.masked(case, subject)

    def pictures() -> Iterator[AlteredPicture]:
        yield original(case)
        if "masked" in metrics:
            yield through
        if "deletion" in metrics:
            yield from order.pictures("deletion")
        if "insertion" in metrics:
            yield from order.pictures("insertion")
        if "road" in metrics:
            yield from removal.pictures()

    yield from map(float, score_pictures(case, pictures(), scores))
    y = scores["original"]
    o = scores[through.key] if "masked" in metrics else None
    dropped = None if o is None else masking.drop(y, o)
    complexity = masking.complexity(subject.raster)
    coherent = (yield from _coherency(case, subject)) if "coherency" in metrics else None
    sensitive = (yield from _sensitivity(case, subject, settings.draws)) if "sensitivity" in metrics else None
    return Faithfulness(
        name=subject.name,
        map=subject.map,
        seed=subject.seed,
        empty=not subject.raster.any(),
        score=y,
        complexity=complexity,
        masked=o,
        drop=dropped,
        increase=None if o is None else o > y,
        gain=None if o is None or not case.has_probabilities else masking.gain(y, o),
        deletion=order.curve("deletion", scores) if "deletion" in metrics else None,
        insertion=order.curve("insertion", scores) if "insertion" in metrics else None,
        road=removal.result(scores) if "road" in metrics else None,
        coherency=coherent,
        adcc=None if coherent is None or dropped is None else masking.adcc(coherent, complexity, dropped),
        sensitivity=sensitive,
    )


def _coherency(case: Case, subject: Subject) -> Generator[float, None, float]:
    if subject.map is None:
        return masking.coherency(subject.raster, subject.raster)
    x = case.as_batch(masking.masked(case, subject).make()[np.newaxis])
    again = yield from recompute_values(case.network, subject.map, x)
    return masking.coherency(subject.raster, raster_of(case, subject.map, again))


def _sensitivity(case: Case, subject: Subject, draws: int) -> Generator[float, None, float]:
    if subject.map is None:
        return 0.0
    return (yield from stability.max_sensitivity(case, subject.map, draws))
