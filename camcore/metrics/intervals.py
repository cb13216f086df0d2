"""Intervals of 95 % confidence: of a share (Wilson), and of a mean over pictures (bootstrap)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

_DRAWS = 2000
_UNKNOWN = float("nan")
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Rate:
    """``count`` of ``n`` as a share, with its Wilson 95 % interval; all NaN where n is 0."""

    value: float
    low: float
    high: float
    count: int
    n: int

    @property
    def in_words(self) -> str:
        """The share with its interval: ``90.0% (9 of 10; 95 % interval 59.6% to 98.2%)``."""
        if not self.n:
            return "– (no pictures)"
        counts = f"{self.count} of {self.n}"
        return f"{self.value:.1%} ({counts}; 95 % interval {self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True)
class Interval:
    """The mean of ``n`` figures, between ``low`` and ``high`` with 95 % confidence; all NaN where there are none."""

    mean: float
    low: float
    high: float
    n: int


def rate(count: int, n: int) -> Rate:
    """A share with its Wilson score 95 % interval (Wilson 1927, without continuity correction)."""
    count, n = int(count), int(n)
    if not n:
        return Rate(_UNKNOWN, _UNKNOWN, _UNKNOWN, count, n)
    # SciPy's binomtest has it, too, but works out a p-value first: a thousand classes would take seconds.
    share, extra = count / n, _Z**2 / n
    centre = (share + extra / 2) / (1 + extra)
    half = sqrt(share * (1 - share) * extra + extra**2 / 4) / (1 + extra)
    return Rate(share, centre - half if count else 0.0, centre + half if count < n else 1.0, count, n)


def bootstrap(figures: Sequence[float], seed: int = 0) -> Interval:
    """The mean and its percentile interval over 2000 seeded draws with replacement (Efron 1979)."""
    data = np.asarray(figures, np.float64)
    if not len(data):
        return Interval(_UNKNOWN, _UNKNOWN, _UNKNOWN, 0)
    means = np.random.default_rng(seed).choice(data, (_DRAWS, len(data))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(data.mean()), float(low), float(high), len(data))
