"""A mean over pictures with its bootstrap 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """The mean of ``n`` figures, between ``low`` and ``high`` with 95 % confidence; all NaN where there are none."""

    mean: float
    low: float
    high: float
    n: int


def bootstrap(figures: Sequence[float], seed: int = 0) -> Interval:
    """The mean and its percentile interval over 2000 seeded draws with replacement (Efron 1979)."""
    data = np.asarray(figures, np.float64)
    if not len(data):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = np.random.default_rng(seed).choice(data, (_DRAWS, len(data))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(data.mean()), float(low), float(high), len(data))
