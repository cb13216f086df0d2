"""Intervals: of a share against SciPy's, of a mean against the normal one."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from camcore.metrics.intervals import bootstrap, rate


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1_000_000])
def test_the_interval_of_a_share_is_that_of_scipy(n):
    for count in {0, 1, n // 3, n // 2, n - 1, n}:
        found, wanted = rate(count, n), binomtest(count, n).proportion_ci(0.95, "wilson")
        assert (found.value, found.count, found.n) == (count / n, count, n)
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-14)


def test_a_share_of_nothing_is_unknown():
    none = rate(0, 0)
    assert all(map(math.isnan, (none.value, none.low, none.high)))


def test_the_interval_of_a_normal_mean():
    figures = np.random.default_rng(1).normal(3, 2, 400)
    found = bootstrap(list(figures))
    half = 1.96 * figures.std() / 20
    assert found.mean == pytest.approx(figures.mean(), abs=1e-12)
    assert found.low == pytest.approx(figures.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(figures.mean() + half, abs=0.15 * half)
    assert found == bootstrap(list(figures))  # seeded


def test_equal_figures_have_no_spread_and_none_no_mean():
    assert bootstrap([0.5] * 7) == bootstrap([0.5] * 7)
    assert (bootstrap([0.5] * 7).low, bootstrap([0.5] * 7).high) == (0.5, 0.5)
    assert math.isnan(bootstrap([]).mean)
    assert bootstrap([]).n == 0
