"""Stability: the change of a map when the picture hardly changes."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import ArrayLike

from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.recompute import recompute_values
from camcore.metrics.faithfulness.case import Case, Pixels, raster_of

# Uniform noise of at most 2 % of the preprocessed range either way: hardly to be seen.
RADIUS = 0.02
DRAWS = 8


def relative_change(values: ArrayLike, moved: ArrayLike) -> float:
    """‖M(x) − M(x+e)‖ / ‖M(x)‖, Frobenius norms; of an empty map 0 where it stays empty, else 1."""
    before, after = np.asarray(values, np.float64), np.asarray(moved, np.float64)
    length = float(np.linalg.norm(before))
    return float(np.linalg.norm(before - after)) / length if length else float(after.any())


def noisy(case: Case, seed: int, radius: float = RADIUS) -> Pixels:
    """The input with seeded noise, uniform within ± ``radius`` of its range."""
    x = case.x.astype(np.float64)
    noise = np.random.default_rng(seed).uniform(-radius, radius, x.shape) * np.ptp(x)
    moved = x + noise
    return (moved if case.x.dtype.kind not in "iu" else np.rint(moved)).astype(case.x.dtype)


def max_sensitivity(case: Case, m: CamMap, draws: int = DRAWS, radius: float = RADIUS) -> Generator[float, None, float]:
    """The largest relative change of the map, drawn on the input, over some draws of small noise.

    Yeh et al., On the (In)fidelity and Sensitivity of Explanations, 2019, definition 2, by sampling. A generator that
    yields the passes of every chunk of the work and returns the figure.
    """
    before, largest = raster_of(case, m), 0.0
    for seed in range(draws):
        moved = yield from recompute_values(case.network, m, noisy(case, seed, radius))
        largest = max(largest, relative_change(before, raster_of(case, m, moved)))
    return largest
