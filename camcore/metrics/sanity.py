"""Sanity of a map: its dependence on what the network has learned, as layers are re-initialised from the output down.

A map that survives explains the picture, not the network (Adebayo et al., Sanity Checks for Saliency Maps, 2018,
section 4, cascading randomisation). The user's network and model keep their weights: see camcore.graph.reweighting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.generators import Returning
from camcore.graph.reweighting import redrawn
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.recompute import recompute_passes, recompute_request, recompute_values
from camcore.metrics.agreement import spearman, ssim
from camcore.metrics.faithfulness.case import Case, Raster, case_of, raster_of, subject_of
from camcore.metrics.faithfulness.scoring import MetricStep
from camcore.network import Network
from camcore.pictures.picture import Picture

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


def randomised(network: Network, layers: int | None = None, seed: int = 0) -> Network:
    """A network whose last ``layers`` layers with weights (None: all) are re-initialised; this one stays as it is.

    Kernels are drawn uniformly with variance 1/fan-in, biases and means are 0, scales and variances 1. A layer's
    fresh weights depend on the seed and its number only, so that more layers keep those of fewer. Raises CamcoreError
    for a number of layers that there is not, ModelError where the network's weights cannot be fed.
    """
    weighted = network.weight_layers
    count = len(weighted) if layers is None else layers
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= len(weighted):
        raise CamcoreError(
            f"{layers!r} layers of {network.name} cannot be re-initialised: it has {len(weighted)} with weights. "
            f"Give a number from 0 to {len(weighted)}."
        )
    fresh: dict[int, NDArray[np.generic]] = {}
    for number in range(len(weighted) - count, len(weighted)):
        rng = np.random.default_rng([seed, number])
        fresh.update((id(weight), redrawn(weight, rng)) for weight in weighted[number].weights)
    return network.with_weights(fresh, f"weights of the last {count} of {len(weighted)} layers drawn at random")


def stages(total: int, count: int | None = STAGES) -> tuple[int, ...]:
    """The number of layers re-initialised at each stage: the last one, then evenly on to all. None: one by one."""
    if count is None or count >= total:
        return tuple(range(1, total + 1))
    return tuple(int(number) for number in np.unique(np.rint(np.linspace(1, total, max(2, count)))))


def randomisation(
    network: Network, pic: Picture, m: CamMap, count: int | None = STAGES, seed: int = 0
) -> Iterator[MetricStep[Randomised]]:
    """The map again and again, with more and more layers re-initialised, from the output downwards; step by step.

    ``count``: how many stages, evenly over the layers; None for every layer. Closing the generator stops the work.
    Raises, at the call, CamcoreError for a map of another network or picture, MethodError for a fused map, ModelError
    where the network's weights cannot be fed.
    """
    numbers = stages(len(network.weight_layers), count)
    return _compared(_case(network, pic, m), m, [(number, seed) for number in numbers])


def copies(network: Network, pic: Picture, m: CamMap, count: int = 3) -> Iterator[MetricStep[Randomised]]:
    """As ``randomisation``, with all layers re-initialised at once, under the seeds 0 to ``count`` − 1."""
    total = len(network.weight_layers)
    return _compared(_case(network, pic, m), m, [(total, seed) for seed in range(count)])


def estimate(network: Network, m: CamMap, runs: int = STAGES) -> float:
    """The cost of so many stages or copies, in forward passes of one picture."""
    return runs * (1 + recompute_passes(network, m))


def _case(network: Network, pic: Picture, m: CamMap) -> Case:
    case = case_of(network, pic, m.class_index, m.framing)
    case.check(m)
    recompute_request(network, m)  # refuses a fused map
    return case


def _compared(case: Case, m: CamMap, changes: list[tuple[int, int]]) -> Iterator[MetricStep[Randomised]]:
    start = perf_counter()
    subject = subject_of(case, m)
    total = estimate(case.network, m, len(changes))
    results: list[Randomised] = []
    weighted = case.network.weight_layers
    done = 0.0
    for layers, seed in changes:
        other = randomised(case.network, layers, seed)
        recomputed = Returning(recompute_values(other, m, case.x))
        for passes in recomputed:
            done += passes
            yield MetricStep(tuple(results), min(done, total), total, perf_counter() - start)
        values = recomputed.result
        done += 1
        probabilities = other.answer(case.x)[1][0]
        raster = raster_of(case, m, values)
        results.append(
            Randomised(
                layers=layers,
                total=len(weighted),
                layer=weighted[len(weighted) - layers].name if layers else "",
                values=values,
                spearman=counted_spearman(subject.raster, raster),
                ssim=ssim(subject.raster, raster),
                probability=float(probabilities[case.class_index]),
                sureness=float(probabilities.max()),
            )
        )
        yield MetricStep(tuple(results), min(done, total), total, perf_counter() - start)
    yield MetricStep(tuple(results), total, total, perf_counter() - start)


def counted_spearman(a: Raster, b: Raster) -> float:
    """Spearman's correlation; where it is not defined, 1 for two maps that are both the same everywhere, else 0."""
    correlation = spearman(a, b)
    if correlation is not None:
        return correlation
    return 1.0 if np.ptp(a) == 0 and np.ptp(b) == 0 else 0.0
