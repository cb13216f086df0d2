"""Paired shares, against other ways of computing the interval and the test."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, norm

from camcore.audits.paired import PairedRates, paired_rates
from camcore.metrics.intervals import rate

Z = norm.ppf(0.975)


def score(delta: float, gained: int, lost: int, n: int) -> float:
    """Tango's score of a difference: the share lost is the one that makes the counts most likely."""

    def unlikely(q: float) -> float:
        shares = np.array([q + delta, q, 1 - 2 * q - delta])
        counts = np.array([gained, lost, n - gained - lost])
        return -float(np.sum(counts[counts > 0] * np.log(np.maximum(shares[counts > 0], 1e-300))))

    span = (max(0.0, -delta), (1 - delta) / 2)
    q = minimize_scalar(unlikely, bounds=span, method="bounded", options={"xatol": 1e-13}).x
    return (gained - lost - n * delta) / sqrt(n * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize("counts", [(36, 2, 12, 0), (800, 31, 52, 117), (3, 5, 1, 2), (0, 4, 9, 0), (90, 0, 10, 0)])
def test_the_interval_holds_the_differences_whose_score_is_small(counts: tuple[int, int, int, int]) -> None:
    _, lost, gained, _ = counts
    found = paired_rates(*counts)
    assert found.difference == pytest.approx((gained - lost) / sum(counts))
    assert score(found.low, gained, lost, sum(counts)) == pytest.approx(Z, abs=1e-4)
    assert score(found.high, gained, lost, sum(counts)) == pytest.approx(-Z, abs=1e-4)


def test_the_interval_leaves_out_zero_where_the_score_test_of_mcnemar_does() -> None:
    for lost in range(12):
        for gained in range(12):
            found = paired_rates(40, lost, gained, 40)
            apart = lost + gained > 0 and (gained - lost) ** 2 / (gained + lost) > Z**2
            assert (found.low > 0 or found.high < 0) == apart, (lost, gained)


@pytest.mark.parametrize("n", [1, 20, 1000])
def test_without_a_change_the_interval_is_known_in_closed_form(n: int) -> None:
    found = paired_rates(n - n // 4, 0, 0, n // 4)
    assert (found.difference, found.p) == (0.0, 1.0)
    assert found.high == pytest.approx(Z**2 / (n + Z**2), abs=1e-9)
    assert found.low == pytest.approx(-found.high, abs=1e-9)


@pytest.mark.parametrize(("lost", "gained"), [(0, 7), (7, 0)])
def test_where_all_change_the_interval_ends_at_one(lost: int, gained: int) -> None:
    found = paired_rates(0, lost, gained, 0)
    ends = (found.high, found.low) if gained else (-found.low, -found.high)
    assert ends[0] == pytest.approx(1.0)
    assert 0 < ends[1] < 1


@pytest.mark.parametrize(("one", "other"), [(0, 0), (0, 1), (5, 5), (2, 12), (12, 2), (31, 52), (300, 380)])
def test_p_is_that_of_the_binomial_test(one: int, other: int) -> None:
    wanted = binomtest(one, one + other).pvalue if one + other else 1.0
    assert paired_rates(10, one, other, 10).p == pytest.approx(wanted)


def test_p_worked_by_hand() -> None:
    # 2 of 14 or fewer heads: (1 + 14 + 91) / 2^14, twice.
    assert paired_rates(36, 2, 12, 0).p == pytest.approx(2 * 106 / 2**14)


def test_both_shares_have_their_own_intervals() -> None:
    found = paired_rates(50, 5, 20, 25)
    assert (found.old, found.new) == (rate(55, 100), rate(70, 100))


def test_without_pictures_nothing_is_known() -> None:
    found: PairedRates = paired_rates(0, 0, 0, 0)
    assert all(map(isnan, (found.difference, found.low, found.high, found.p)))
