"""Simulated reviewers: bounds hold, careless ones are refused, honest ones are not; more in `benchmarks/reviews.py`."""

from __future__ import annotations

import numpy as np
import pytest

from camcore.reviews.decision import NO, REFUSED, YES, Goal
from camcore.reviews.simulation import (
    ALWAYS_NO,
    ALWAYS_YES,
    CAREFUL,
    GUESSING,
    NODDING,
    SLIPPING,
    Reviewer,
    Simulated,
    simulate,
)

REVIEWS = 150


def reviews(reviewer: Reviewer, share: float, hits: float = 0.1) -> list[Simulated]:
    rng = np.random.default_rng(1)
    return [simulate(reviewer, round(400 * share), 400, Goal(), 200, rng, hits) for _ in range(REVIEWS)]


def ended(found: list[Simulated], state: str) -> float:
    return sum(one.outcome.state == state for one in found) / len(found)


@pytest.mark.parametrize("share", [0.5, 0.88, 0.9, 0.97])
def test_the_bounds_hold_all_along_and_the_goal_is_seldom_claimed_wrongly(share: float) -> None:
    found = reviews(CAREFUL, share)
    least = 0.95 - 2 * (0.05 * 0.95 / REVIEWS) ** 0.5
    assert sum(one.low_holds for one in found) / REVIEWS >= least
    assert sum(one.high_holds for one in found) / REVIEWS >= least
    if share < 0.9:
        assert ended(found, YES) <= 0.05
    else:
        assert ended(found, NO) <= 0.05


def test_a_clear_share_is_decided_soon() -> None:
    assert ended(good := reviews(CAREFUL, 1.0), YES) > 0.98
    assert ended(bad := reviews(CAREFUL, 0.5), NO) > 0.98
    assert np.mean([one.maps for one in good]) < 60
    assert np.mean([one.maps for one in bad]) < 30


@pytest.mark.parametrize("reviewer", [ALWAYS_YES, GUESSING, NODDING])
def test_who_does_not_look_proves_nothing(reviewer: Reviewer) -> None:
    assert ended(reviews(reviewer, 1.0), YES) < 0.05


def test_always_yes_is_always_refused_and_always_no_always_misses() -> None:
    assert ended(reviews(ALWAYS_YES, 1.0), REFUSED) == 1
    assert ended(reviews(ALWAYS_NO, 1.0), NO) == 1


def test_an_honest_reviewer_who_slips_is_hardly_ever_refused() -> None:
    assert ended(reviews(SLIPPING, 1.0), REFUSED) < 0.03
