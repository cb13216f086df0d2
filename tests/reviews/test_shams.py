"""Sham maps: the same area and strength, at another place."""

from __future__ import annotations

import numpy as np
import pytest

from camcore.reviews.shams import sham

NONE = np.zeros((0, 7, 7), np.float32)


def blob(top: int, left: int, size: int = 7) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    values = np.exp(-((y - top) ** 2 + (x - left) ** 2) / 3).astype(np.float32)
    return np.where(values > 0.05, values, 0).astype(np.float32)


@pytest.mark.parametrize("others", [NONE, np.stack([blob(0, 0), blob(5, 1)])])
@pytest.mark.parametrize("place", [(3, 3), (0, 6), (5, 2)])
def test_a_sham_has_the_same_values_elsewhere(place: tuple[int, int], others: np.ndarray) -> None:
    own = blob(*place)
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawn = sham(own, others, rng)
        np.testing.assert_array_equal(np.sort(drawn, axis=None), np.sort(own, axis=None))
        assert np.minimum(drawn, own).sum() < 0.35 * own.sum()


def test_a_sham_keeps_away_from_where_objects_are() -> None:
    """The own map marks one part of the object; the others' mean says where else it may lie."""
    own, rng = blob(3, 2), np.random.default_rng(1)
    middle = np.stack([blob(3, 4), blob(4, 4), blob(3, 5)])

    def in_the_middle(others: np.ndarray) -> float:
        return float(np.mean([(sham(own, others, rng) * middle.mean(axis=0)).sum() for _ in range(30)]))

    assert in_the_middle(middle) < 0.5 * in_the_middle(NONE)


def test_the_same_seed_draws_the_same_sham() -> None:
    first, again = (sham(blob(2, 2), NONE, np.random.default_rng([5, 8])) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_map_that_is_everywhere_has_the_least_overlapping_one() -> None:
    own = np.ones((3, 3), np.float32)
    np.testing.assert_array_equal(sham(own, NONE[:, :3, :3], np.random.default_rng(0)), own)


def test_a_sham_is_as_smooth_as_a_map() -> None:
    """It would be known by its speckles otherwise: neighbours differ about as much as in the own map."""

    def roughness(values: np.ndarray) -> float:
        return float(np.abs(np.diff(values, axis=0)).sum() + np.abs(np.diff(values, axis=1)).sum())

    own, rng = blob(3, 3), np.random.default_rng(2)
    drawn = [roughness(sham(own, np.stack([blob(0, 6), blob(6, 0)]), rng)) for _ in range(50)]
    shuffled = [roughness(rng.permutation(own.ravel()).reshape(own.shape)) for _ in range(50)]
    assert np.mean(drawn) < 0.75 * np.mean(shuffled)
