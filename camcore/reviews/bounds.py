"""Bounds on a share that hold at every moment at once, so that a review may stop as soon as they decide it.

Of N pictures an unknown number K is right. They are seen in random order, none of them twice; s right and f wrong ones
in any one order have the probability P(K) = C(N−s−f, K−s) / C(N, K). The evidence against K is

    E(K) = mean of P(K') / P(K) over all K' from K+1 to N

Each ratio is a martingale of mean 1 where K is true, and their mean with it. By Ville's inequality E(K) of the true K
ever reaches 1/α with a probability of α at most, whatever rule ends the review. The lower bound is the least K whose
E(K) is below 1/α: exact, without an assumption on N, and K itself once all pictures were seen.

The prior-posterior-ratio martingale of Waudby-Smith and Ramdas, "Confidence sequences for sampling without replacement"
(NeurIPS 2020), with a uniform prior on the greater counts only, which makes it one-sided. Differs from theirs in that:
a prior on all counts costs a claim near 100 % about 60 % more pictures.
"""

from __future__ import annotations

from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=1 << 14)
def least_right(right: int, wrong: int, total: int, confidence: float = 0.95) -> int:
    """The lower bound on how many of ``total`` are right, after ``right`` and ``wrong`` ones were seen."""
    left = total - right - wrong
    logs = _log_factorials(total)
    unseen = logs[left] - logs[: left + 1] - logs[left::-1]
    every = logs[total] - logs[right : right + left + 1] - logs[wrong : wrong + left + 1][::-1]
    likelihood = unseen - every  # of each count from ``right`` on
    greater = np.logaddexp.accumulate(likelihood[::-1])[::-1]
    evidence = greater[1:] - likelihood[:-1] - np.log(np.arange(left + wrong, wrong, -1))
    plausible = np.append(evidence < -log(1 - confidence), True)
    return right + int(np.argmax(plausible))


def most_right(right: int, wrong: int, total: int, confidence: float = 0.95) -> int:
    """The upper bound on how many of ``total`` are right; as ``least_right``, of the wrong ones."""
    return total - least_right(wrong, right, total, confidence)


@lru_cache(maxsize=4)
def _log_factorials(most: int) -> NDArray[np.float64]:
    """The logarithms of 0! to ``most``!."""
    from scipy.special import gammaln

    return np.asarray(gammaln(np.arange(1, most + 2)))
