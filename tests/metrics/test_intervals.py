"""The bootstrap interval."""

import math

import numpy as np
import pytest

from camcore.metrics.intervals import bootstrap


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
