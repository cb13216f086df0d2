"""Figures of merit against values worked out by hand and against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from camcore.errors import CamcoreError
from camcore.evaluation.measures import (
    accuracy,
    auc,
    brier,
    calibration,
    confusion,
    log_loss,
    rate,
    roc,
    roc_curve,
    sweep,
)
from camcore.evaluation.predict import Predictions


def two(labels: list[int], of_the_second: list[float]) -> Predictions:
    q = np.array(of_the_second)
    files = tuple(f"{i}.jpg" for i in range(len(q)))
    return Predictions(files, np.array(labels, np.int64), np.stack([1 - q, q], axis=1), ("cat", "dog"))


def many(labels: list[int], probabilities: list[list[float]]) -> Predictions:
    rows = np.array(probabilities)
    classes = tuple("abcdefgh"[: rows.shape[1]])
    return Predictions(tuple(f"{i}.jpg" for i in range(len(rows))), np.array(labels, np.int64), rows, classes)


def random(n: int, classes: int, seed: int, steps: int | None = None) -> Predictions:
    r = np.random.default_rng(seed)
    rows = r.dirichlet(np.ones(classes), n)
    if steps:
        rows = np.round(rows * steps) / steps
    return many(r.integers(0, classes, n).tolist(), rows.tolist())


FOUR = two([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])


# ---- Wilson's interval


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [  # published values: Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(count, n, low, high):
    found = rate(count, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert (found.value, found.count, found.n) == (count / n, count, n)


@pytest.mark.parametrize(("count", "n"), [(0, 7), (3, 7), (7, 7), (955, 1000), (1, 1)])
def test_the_ends_of_wilsons_interval_are_where_the_score_test_is_at_its_limit(count, n):
    """(share − p)² = z² p (1 − p) / n at both ends, which is how the interval is defined."""
    found = rate(count, n)
    for end in (found.low, found.high):
        assert (count / n - end) ** 2 == pytest.approx(1.959963984540054**2 * end * (1 - end) / n, abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_share_of_nothing_is_unknown():
    found = rate(0, 0)
    assert all(math.isnan(v) for v in (found.value, found.low, found.high))


# ---- accuracy and confusion


def test_accuracy_and_confusion_by_hand():
    assert (accuracy(FOUR).count, accuracy(FOUR).n, accuracy(FOUR).value) == (2, 4, 0.5)
    assert confusion(FOUR).counts.tolist() == [[1, 1], [1, 1]]
    assert confusion(FOUR, 0.35).counts.tolist() == [[1, 1], [0, 2]]
    assert accuracy(FOUR, 0.35).value == 0.75
    assert confusion(FOUR, 0.35).precision(1) == rate(2, 3)
    assert confusion(FOUR, 0.35).recall(1) == rate(2, 2)


def test_a_probability_at_the_threshold_counts_as_the_second_class():
    assert FOUR.predicted(0.4).tolist() == [0, 1, 1, 1]
    assert FOUR.predicted(0.0).tolist() == [1, 1, 1, 1]
    assert two([1], [1.0]).predicted(1.0).tolist() == [1]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(CamcoreError, match="from 0 to 1"):
        accuracy(FOUR, threshold)


def test_of_three_classes_the_most_probable_is_said_whatever_the_threshold():
    p = many([0, 1, 2, 2], [[0.4, 0.3, 0.3], [0.1, 0.2, 0.7], [0.2, 0.3, 0.5], [0.5, 0.3, 0.2]])
    assert confusion(p, 0.9).counts.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 1]]
    assert accuracy(p).value == 0.5


# ---- ROC


def mann_whitney(positive: np.ndarray, scores: np.ndarray) -> float:
    """The share of pairs in the right order, ties counting half, pair by pair."""
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize("steps", [None, 10, 2])
@pytest.mark.parametrize("seed", range(5))
def test_auc_counts_pairs(seed, steps):
    p = random(60, 2, seed, steps)
    assert roc(p).auc == pytest.approx(mann_whitney(p.labels == 1, p.probabilities[:, 1]), abs=1e-12)


def test_roc_by_hand_with_a_tie():
    found = roc_curve([True, False, True, False], [0.9, 0.5, 0.5, 0.1])
    assert found.fpr.tolist() == [0, 0, 0.5, 1]
    assert found.tpr.tolist() == [0, 0.5, 1, 1]
    assert found.thresholds.tolist() == [np.inf, 0.9, 0.5, 0.1]
    assert found.auc == 0.875


def test_a_point_of_the_roc_is_what_its_threshold_does():
    p = random(80, 2, 3, 10)
    found = roc(p)
    for fpr, tpr, threshold in list(zip(found.fpr, found.tpr, found.thresholds, strict=True))[1:]:
        table = confusion(p, threshold).counts
        assert (fpr, tpr) == (table[0, 1] / table[0].sum(), table[1, 1] / table[1].sum())


def test_auc_of_the_best_the_worst_and_no_idea():
    assert roc(two([0, 0, 1], [0.1, 0.2, 0.3])).auc == 1
    assert roc(two([1, 1, 0], [0.1, 0.2, 0.3])).auc == 0
    assert roc(two([1, 0, 1], [0.2, 0.2, 0.2])).auc == 0.5
    assert roc(FOUR, positive=0).auc == roc(FOUR, positive=1).auc


def test_auc_without_a_second_class_is_unknown():
    assert math.isnan(roc(two([1, 1], [0.2, 0.7])).auc)


def test_auc_of_three_classes_is_the_mean_over_those_that_have_pictures():
    p = random(50, 3, 1)
    wanted = [mann_whitney(p.labels == k, p.probabilities[:, k]) for k in range(3)]
    assert auc(p) == pytest.approx(np.mean(wanted))
    fewer = many([0, 1, 0, 1], random(4, 3, 2).probabilities.tolist())
    wanted = [mann_whitney(fewer.labels == k, fewer.probabilities[:, k]) for k in range(2)]
    assert auc(fewer) == pytest.approx(np.mean(wanted))
    assert auc(FOUR) == roc(FOUR).auc == 0.75


# ---- calibration and losses


def test_calibration_by_hand():
    p = two([0, 0, 1, 1, 1], [0.05, 0.35, 0.35, 0.4, 1.0])
    found = calibration(p, 10, of=1)
    assert found.count.tolist() == [1, 0, 0, 3, 0, 0, 0, 0, 0, 1]  # a bin is (lower, upper]
    assert found.confidence[[0, 3, 9]] == pytest.approx([0.05, (0.35 + 0.35 + 0.4) / 3, 1.0])
    assert found.observed[[0, 3, 9]] == pytest.approx([0, 2 / 3, 1])
    assert np.isnan(found.observed[[1, 2, 4, 5, 6, 7, 8]]).all()
    assert found.ece == pytest.approx((1 * 0.05 + 3 * (2 / 3 - 1.1 / 3) + 0) / 5)
    assert found.low[3] == pytest.approx(rate(2, 3).low)
    assert found.high[3] == pytest.approx(rate(2, 3).high)


def test_calibration_of_what_is_said():
    p = many([0, 1, 2], [[0.62, 0.2, 0.18], [0.68, 0.2, 0.12], [0.0, 0.0, 1.0]])
    found = calibration(p, 5)
    assert found.count.tolist() == [0, 0, 0, 2, 1]
    assert found.observed[3] == 0.5
    assert found.ece == pytest.approx((2 * (0.65 - 0.5) + 0) / 3)


def test_probability_zero_is_in_the_first_bin():
    assert calibration(two([0], [0.0]), 4, of=1).count.tolist() == [1, 0, 0, 0]


def test_losses_by_hand():
    assert log_loss(FOUR) == pytest.approx(-np.mean(np.log([0.9, 0.4, 0.4, 0.9])))
    assert brier(FOUR) == pytest.approx(np.mean([0.01, 0.36, 0.36, 0.01]))
    three = many([0, 2], [[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
    assert brier(three) == pytest.approx(((0.09 + 0.04 + 0.01) + (0.25 + 0.25 + 1)) / 2)
    assert np.isfinite(log_loss(three))


# ---- thresholds


def test_the_best_threshold_is_the_best_of_all():
    for seed in range(5):
        p = random(40, 2, seed, 20)
        found = sweep(p)
        everything = [(p.predicted(t) == p.labels).mean() for t in np.linspace(0, 1, 2001)]
        assert found.best_accuracy == max(everything) == accuracy(p, found.best).value
        for i in (0, 13, 50, 100):
            table = confusion(p, found.thresholds[i])
            assert found.accuracy[i] == pytest.approx(accuracy(p, found.thresholds[i]).value)
            assert found.sensitivity[i] == pytest.approx(table.recall(1).value)
            assert found.specificity[i] == pytest.approx(table.recall(0).value)


def test_the_usual_threshold_is_kept_where_none_is_better():
    assert sweep(two([0, 1], [0.1, 0.9])).best == 0.5


def test_a_threshold_needs_two_classes():
    with pytest.raises(CamcoreError, match="two classes"):
        sweep(random(5, 3, 0))
