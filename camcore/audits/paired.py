"""Two shares of the same pictures: their difference with an interval, and whether chance alone explains it.

Each picture counts in both shares, in one of them, or in neither; only those in one tell the two apart. The interval is
Tango's score interval ("Equivalence test and confidence interval for the difference in proportions for the paired-
sample design", Statistics in Medicine 1998), the p-value that of McNemar's exact test (Psychometrika 1947).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from camcore.metrics.intervals import Rate, rate

_Z = NormalDist().inv_cdf(0.975)
_UNKNOWN = float("nan")
_APART = 1e-12  # from the observed difference, where the equation of the interval may have a second, empty solution


@dataclass(frozen=True)
class PairedRates:
    """The shares ``old`` and ``new`` of the same pictures.

    ``difference``: new − old, between ``low`` and ``high`` with 95 % confidence. ``only_old``, ``only_new``: pictures
    that count in one share alone. ``p``: the probability of two such numbers at least as unequal, were each picture as
    likely to be among the one as the other. All NaN without pictures.
    """

    old: Rate
    new: Rate
    difference: float
    low: float
    high: float
    only_old: int
    only_new: int
    p: float


def paired_rates(both: int, only_old: int, only_new: int, neither: int) -> PairedRates:
    """Two shares of the same pictures, by how many of these count in both, in one, and in neither."""
    n = both + only_old + only_new + neither
    old, new = rate(both + only_old, n), rate(both + only_new, n)
    if not n:
        return PairedRates(old, new, _UNKNOWN, _UNKNOWN, _UNKNOWN, only_old, only_new, _UNKNOWN)
    low, high = _lowest(only_new, only_old, n), -_lowest(only_old, only_new, n)
    return PairedRates(old, new, (only_new - only_old) / n, low, high, only_old, only_new, _mcnemar(only_old, only_new))


def _mcnemar(one: int, other: int) -> float:
    """The two-sided p-value of the exact test."""
    from scipy.stats import binom

    return min(1.0, 2 * float(binom.cdf(min(one, other), one + other, 0.5)))


def _lowest(gained: int, lost: int, n: int) -> float:
    """The lower end of the interval: the smallest difference δ whose score is not below −z."""
    from scipy.optimize import brentq

    if lost == n:
        return -1.0

    def excess(delta: float) -> float:
        # The share lost that is most likely, were the true difference δ: the larger root of 2n q² + b q + c = 0.
        b = (2 * n - gained + lost) * delta - gained - lost
        c = -lost * delta * (1 - delta)
        q = (sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        return gained - lost - n * delta - _Z * sqrt(max(n * (2 * q + delta * (1 - delta)), 0.0))

    return float(brentq(excess, -1.0, (gained - lost) / n - _APART))
