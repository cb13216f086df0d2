"""Does a map depend on what the network has learned? Its layers are re-initialised, from the output downwards.

A map that survives explains the picture, not the network (Adebayo et al., Sanity Checks for Saliency Maps, 2018,
section 4, cascading randomisation). The user's network and model keep their weights: see camcore.graph.reweighting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.graph.reweighting import redrawn
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.recompute import recompute_passes, recompute_request, recompute_values
from camcore.metrics.agreement import spearman, ssim
from camcore.metrics.faithfulness.case import Case, case_of, raster_of, subject_of
from camcore.network import Network
from camcore.pictures.picture import Picture

Array = NDArray[Any]

STAGES = 8


@dataclass(frozen=True, eq=False)
class Randomised:
    """The map of a network whose last ``layers`` of ``total`` layers with weights were re-initialised.

    ``layer``: the last one of them, going down. ``values``: the map, (h, w) in 0..1 on its own grid.
    ``spearman`` −1..1 and ``ssim`` −1..1: of the two maps' values on the input's pixels, 1 for a map that survived
    unchanged. A map that is the same everywhere has no order: its ``spearman`` counts as 1 beside another such map,
    else as 0. ``ssim`` is None for inputs smaller than its window. ``probability`` (NaN where there is none) and
    ``sureness``: what this network gives the class, and its top class.
    """

    layers: int
    total: int
    layer: str
    values: NDArray[np.float32]
    spearman: float
    ssim: float | None
    probability: float
    sureness: float


@dataclass(frozen=True, eq=False)
class Step:
    """``results`` so far; ``done`` of ``total`` forward passes."""

    results: tuple[Randomised, ...]
    done: float
    total: float
    seconds: float


def randomised(network: Network, layers: int | None = None, seed: int = 0) -> Network:
    """A network whose last ``layers`` layers with weights (None: all) are re-initialised; this one stays as it is.

    Kernels are drawn uniformly with variance 1/fan-in, biases and means are 0, scales and variances 1. A layer's
    fresh weights depend on the seed and its place only, so that more layers keep those of fewer. Raises CamcoreError
    for a number of layers that there is not, ModelError where the network's weights cannot be fed.
    """
    found = network.weight_layers
    count = len(found) if layers is None else layers
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= len(found):
        raise CamcoreError(
            f"{layers!r} layers of {network.name} cannot be re-initialised: it has {len(found)} with weights. "
            f"Give a number from 0 to {len(found)}."
        )
    fresh: dict[int, Array] = {}
    for place in range(len(found) - count, len(found)):
        rng = np.random.default_rng([seed, place])
        fresh.update((id(weight), redrawn(weight, rng)) for weight in found[place].weights)
    return network.with_weights(fresh, f"weights of the last {count} of {len(found)} layers drawn at random")


def stages(total: int, count: int | None = STAGES) -> tuple[int, ...]:
    """How many layers are re-initialised at each stage: the last one, then evenly on to all. None: one by one."""
    if count is None or count >= total:
        return tuple(range(1, total + 1))
    return tuple(int(number) for number in np.unique(np.rint(np.linspace(1, total, max(2, count)))))


def randomisation(
    network: Network, pic: Picture, m: CamMap, count: int | None = STAGES, seed: int = 0
) -> Iterator[Step]:
    """The map again and again, with more and more layers re-initialised, from the output downwards; Step by Step.

    ``count``: how many stages, evenly over the layers; None for every layer. Closing the generator stops the work.
    Raises, at the call, CamcoreError for a map of another network or picture, MethodError for a fused map, ModelError
    where the network's weights cannot be fed.
    """
    numbers = stages(len(network.weight_layers), count)
    return _compared(_case(network, pic, m), m, [(number, seed) for number in numbers])


def copies(network: Network, pic: Picture, m: CamMap, count: int = 3) -> Iterator[Step]:
    """As ``randomisation``, with all layers re-initialised at once, under the seeds 0 to ``count`` − 1."""
    total = len(network.weight_layers)
    return _compared(_case(network, pic, m), m, [(total, seed) for seed in range(count)])


def estimate(network: Network, m: CamMap, runs: int = STAGES) -> float:
    """What so many stages or copies cost, in forward passes of one picture."""
    return runs * (1 + recompute_passes(network, m))


def _case(network: Network, pic: Picture, m: CamMap) -> Case:
    case = case_of(network, pic, m.class_index, m.framing)
    case.check(m)
    recompute_request(network, m)  # refuses a fused map
    return case


def _compared(case: Case, m: CamMap, changes: list[tuple[int, int]]) -> Iterator[Step]:
    start = perf_counter()
    subject = subject_of(case, m)
    total = estimate(case.network, m, len(changes))
    results: list[Randomised] = []
    found = case.network.weight_layers
    done = 0.0
    for layers, seed in changes:
        other = randomised(case.network, layers, seed)
        work = recompute_values(other, m, case.x)
        while True:
            try:
                done += next(work)
            except StopIteration as finished:
                values = finished.value
                break
            yield Step(tuple(results), min(done, total), total, perf_counter() - start)
        done += 1
        probabilities = other.answer(case.x)[1][0]
        drawn = raster_of(case, m, values)
        results.append(
            Randomised(
                layers=layers,
                total=len(found),
                layer=found[len(found) - layers].name if layers else "",
                values=values,
                spearman=counted_spearman(subject.raster, drawn),
                ssim=ssim(subject.raster, drawn),
                probability=float(probabilities[case.class_index]),
                sureness=float(probabilities.max()),
            )
        )
        yield Step(tuple(results), min(done, total), total, perf_counter() - start)
    yield Step(tuple(results), total, total, perf_counter() - start)


def counted_spearman(a: Array, b: Array) -> float:
    """Spearman's correlation; where it is not defined, 1 for two maps that are both the same everywhere, else 0."""
    found = spearman(a, b)
    if found is not None:
        return found
    return 1.0 if np.ptp(a) == 0 and np.ptp(b) == 0 else 0.0
