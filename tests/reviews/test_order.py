"""The order of a review: a random one, with shams spread over it."""

from __future__ import annotations

from collections import Counter

import pytest

from camcore.reviews.order import LEAST_SHAMS, SHAMS_IN, plan, shuffled


@pytest.mark.parametrize(("pictures", "budget"), [(20, 20), (20, 200), (300, 200), (10_000, 400)])
def test_every_picture_comes_once_and_one_map_in_five_is_a_sham(pictures: int, budget: int) -> None:
    items = plan(5, pictures, budget)
    real = [item.rank for item in items if not item.sham]
    assert real == list(range(min(pictures, budget)))
    shams = len(items) - len(real)
    assert shams == max(LEAST_SHAMS, -(-len(real) // (SHAMS_IN - 1)))
    for end in range(len(items)):
        seen = sum(item.sham for item in items[:end])
        assert abs(seen - end * shams / len(items)) <= 1  # evenly spread, so that one may stop anywhere
    if pictures >= len(items):
        assert len({item.rank for item in items}) == len(items)  # no photograph comes twice


def test_places_differ_with_the_seed_and_are_the_same_for_one() -> None:
    assert plan(1, 100, 50) == plan(1, 100, 50)
    first = Counter(next(i for i, item in enumerate(plan(seed, 400, 200)) if item.sham) for seed in range(500))
    assert set(first) == set(range(SHAMS_IN))
    assert max(first.values()) < 150


def test_each_order_is_as_likely_as_any_other() -> None:
    orders = Counter(tuple(shuffled(seed, ["a", "b", "ü"])) for seed in range(1200))
    assert len(orders) == 6
    assert all(140 < count < 260 for count in orders.values())  # 200 each, five standard deviations
    assert shuffled(3, ["a", "b", "c"]) == shuffled(3, ["a", "b", "c"])
