"""The bounds, against the definition with SciPy's hypergeometric law, and their coverage worked out exactly."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import hypergeom

from camcore.reviews.bounds import least_right, most_right


def evidence(right: int, wrong: int, total: int, count: int) -> Fraction:
    """The evidence against ``count``: the mean of the ratios over all greater counts, in exact fractions."""

    def chance(k: int) -> Fraction:
        """Of these answers in one order."""
        if k < right or total - k < wrong:
            return Fraction(0)
        return Fraction(comb(total - right - wrong, k - right), comb(total, k))

    own = chance(count)
    return sum(map(chance, range(count + 1, total + 1)), Fraction(0)) / own / (total - count)


@pytest.mark.parametrize("confidence", [0.53, 0.95, 0.99])
@pytest.mark.parametrize("total", [1, 3, 12, 25])
def test_the_bound_is_the_least_count_that_the_evidence_leaves(total: int, confidence: float) -> None:
    limit = 1 / (1 - Fraction(str(confidence)))
    for right in range(total + 1):
        for wrong in range(total - right + 1):
            left = [
                count
                for count in range(right, total - wrong + 1)
                if count == total or evidence(right, wrong, total, count) < limit
            ]
            assert least_right(right, wrong, total, confidence) == left[0]


@pytest.mark.parametrize(("right", "wrong", "total", "count"), [(7, 2, 30, 12), (40, 1, 300, 255), (3, 9, 14, 5)])
def test_the_evidence_is_a_martingale(right: int, wrong: int, total: int, count: int) -> None:
    left = total - right - wrong
    next_right = Fraction(count - right, left)
    expected = sum(
        share * evidence(right + one, wrong + 1 - one, total, count)
        for one, share in ((1, next_right), (0, 1 - next_right))
        if share
    )
    assert expected == evidence(right, wrong, total, count)
    assert evidence(0, 0, total, count) == 1


@pytest.mark.parametrize(("total", "confidence"), [(20, 0.95), (60, 0.95), (60, 0.8)])
def test_it_is_ever_wrong_as_rarely_as_it_says(total: int, confidence: float) -> None:
    """Over all orders of the pictures, whenever one stops: the chance that some bound is above the truth."""
    worst = 0.0
    for count in range(total):
        reached, missed = {(0, 0): 1.0}, 0.0
        for _ in range(total):
            after: dict[tuple[int, int], float] = {}
            for (right, wrong), chance in reached.items():
                next_right = (count - right) / (total - right - wrong)
                for one, share in ((1, next_right), (0, 1 - next_right)):
                    if share > 0:
                        state = right + one, wrong + 1 - one
                        after[state] = after.get(state, 0.0) + chance * share
            reached = {}
            for state, chance in after.items():
                if least_right(*state, total, confidence) > count:
                    missed += chance
                else:
                    reached[state] = chance
        worst = max(worst, missed)
    assert (1 - confidence) / 5 < worst <= 1 - confidence


def test_in_a_large_crowd_it_is_near_the_bound_of_a_fixed_sample() -> None:
    """Stopping at will costs something, and not much."""
    total, right, wrong = 3000, 190, 10
    fixed = int(np.argmax(hypergeom.sf(right - 1, total, np.arange(total), right + wrong) > 0.05))
    free = least_right(right, wrong, total)
    assert 0.96 * fixed < free < fixed


def test_all_seen_is_all_known() -> None:
    assert least_right(13, 7, 20) == most_right(13, 7, 20) == 13
    assert (least_right(0, 0, 20), most_right(0, 0, 20)) == (0, 20)


def test_the_upper_bound_is_the_lower_one_of_what_is_wrong() -> None:
    assert most_right(30, 4, 500, 0.9) == 500 - least_right(4, 30, 500, 0.9)
    assert least_right(30, 4, 500, 0.9) < 500 * 30 / 34 < most_right(30, 4, 500, 0.9)
