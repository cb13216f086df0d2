"""The division of evidence, on vectors whose groups are known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from camcore.audits.clustering import AGREED, LEAST, directions, divide, nearest_centre, similarity

CHANNELS = 40


def vectors(sizes: list[int], spread: float = 0.15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Directions around as many centres as there are sizes, each of channels of its own; and their true groups."""
    r = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.kron(np.eye(len(sizes)), np.ones(CHANNELS // len(sizes)))
    noise = r.normal(0, spread, (len(truth), CHANNELS))
    return directions(np.pad(centres, ((0, 0), (0, CHANNELS - centres.shape[1])))[truth] + noise), truth


@pytest.mark.parametrize("sizes", [[60, 40], [50, 30, 80], [30, 30, 60, 90, 40]])
def test_known_groups_are_found_and_come_again(sizes):
    given, truth = vectors(sizes)
    division = divide(given)
    assert adjusted_rand_score(truth, nearest_centre(given, division.centres)) == 1
    assert division.halves == pytest.approx(1, abs=0.02)
    assert division.seeds == (1.0,) * 5
    for centre in division.centres:
        group = np.argmin(((division.centres - centre) ** 2).sum(axis=1))
        members = given[nearest_centre(given, division.centres) == group]
        np.testing.assert_allclose(centre, members.mean(axis=0), atol=1e-5)


def test_one_cloud_is_one_group():
    r = np.random.default_rng(1)
    given = directions(1 + r.normal(0, 0.5, (300, CHANNELS)))
    division = divide(given)
    assert division.halves < AGREED
    np.testing.assert_allclose(division.centres, [given.mean(axis=0)], atol=1e-6)


def test_the_order_and_length_of_the_vectors_do_not_matter():
    given, truth = vectors([50, 40, 60], seed=2)
    order = np.random.default_rng(3).permutation(len(given))
    scaled = directions(given[order] * np.random.default_rng(4).uniform(0.1, 9, (len(given), 1)))
    labels = nearest_centre(scaled, divide(scaled).centres)
    assert adjusted_rand_score(truth[order], labels) == 1


def test_few_that_are_apart_join_the_nearest():
    given, truth = vectors([100, 100, LEAST - 4])
    towards = given[truth == 2] + 0.6 * given[truth == 0].mean(axis=0)
    given = np.concatenate([given[truth < 2], directions(towards)])
    labels = nearest_centre(given, divide(given).centres)
    assert np.bincount(labels).min() >= LEAST
    assert set(labels[truth == 2]) == set(labels[truth == 0]) != set(labels[truth == 1])


def test_too_few_are_not_divided():
    given, _ = vectors([LEAST - 1, LEAST])
    np.testing.assert_allclose(divide(given).centres, [given.mean(axis=0)], atol=1e-6)


@pytest.mark.parametrize("sizes", [[60], [40, 25]])
def test_copies_of_a_picture_are_one_group(sizes):
    centres = directions(np.random.default_rng(5).random((len(sizes), CHANNELS)))
    division = divide(np.repeat(centres, sizes, axis=0))
    order = np.argsort(division.centres[:, 0])
    np.testing.assert_allclose(division.centres[order], centres[np.argsort(centres[:, 0])], atol=1e-6)


def test_directions_have_length_one_or_are_zero():
    r = np.random.default_rng(0)
    evidence = r.normal(size=(5, 7)).astype(np.float16)
    evidence[2] = 0
    found = directions(evidence)
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1, 0, 1, 1], abs=1e-3)
    np.testing.assert_allclose(found[0] * np.linalg.norm(evidence[0].astype(float)), evidence[0], rtol=1e-3)
    assert similarity(found, found[0])[[0, 2]] == pytest.approx([1, 0], abs=1e-6)
