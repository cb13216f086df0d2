"""When a review ends and how, against the rules in words."""

from __future__ import annotations

import pytest
from scipy.stats import fisher_exact

from camcore.reviews.bounds import least_right, most_right
from camcore.reviews.decision import NO, OPEN, REFUSED, UNDECIDED, YES, Goal, Tally, no_difference, outcome
from camcore.reviews.order import LEAST_SHAMS

GOAL = Goal(0.9, 0.95)
NOTICED = {"shams": LEAST_SHAMS, "shams_right": 1}


@pytest.mark.parametrize("counts", [(40, 3, 11, 2), (8, 8, 11, 9), (43, 0, 11, 11), (0, 30, 9, 0), (5, 1, 0, 0)])
def test_the_test_on_shams_is_fishers(counts: tuple[int, int, int, int]) -> None:
    right, wrong, shams, shams_right = counts
    table = [[right, wrong], [shams_right, shams - shams_right]]
    assert no_difference(Tally(right, wrong, 0, shams, shams_right)) == pytest.approx(
        fisher_exact(table, alternative="greater").pvalue
    )


@pytest.mark.parametrize(
    ("tally", "finished", "state"),
    [
        (Tally(60, 0, **NOTICED), False, YES),
        (Tally(60, 0, shams=LEAST_SHAMS - 1), False, OPEN),  # the goal is reached, and too few shams were seen
        (Tally(60, 0, shams=LEAST_SHAMS, shams_right=LEAST_SHAMS), False, REFUSED),
        (Tally(20, 20, **NOTICED), False, NO),
        (Tally(0, 40), False, NO),  # which needs no shams
        (Tally(30, 2, **NOTICED), False, OPEN),
        (Tally(30, 2, **NOTICED), True, UNDECIDED),
        (Tally(30, 2, shams=11, shams_right=9), True, REFUSED),
        (Tally(), False, OPEN),
    ],
)
def test_a_review_ends_as_the_rules_say(tally: Tally, finished: bool, state: str) -> None:
    assert outcome(tally, 1000, 0, GOAL, finished).state == state


def test_a_picture_that_was_not_seen_counts_against_both_bounds() -> None:
    found = outcome(Tally(50, 3, unseen=4), 400, 0, GOAL, False)
    assert found.low == least_right(50, 7, 400) / 400
    assert found.high == most_right(54, 3, 400) / 400


def test_zero_maps_count_as_wrong_without_a_look() -> None:
    found = outcome(Tally(50, 3), 300, 100, GOAL, False)
    assert (found.low, found.high) == (least_right(50, 3, 300) / 400, most_right(50, 3, 300) / 400)
    assert outcome(Tally(), 300, 100, GOAL, False).state == NO  # a quarter of the maps mark nothing
    assert outcome(Tally(), 300, 30, GOAL, False).state == OPEN
