"""Deletion and insertion, step by step, on a network that counts bright pixels."""

import numpy as np
import pytest
from bright import a_case, counter, picture, probability, shades

from camcore.errors import CamcoreError
from camcore.metrics.faithfulness.curves import Curve, PixelOrder, check_steps, counts, ranks
from camcore.metrics.faithfulness.scoring import score_pictures

SIZE = (8, 10)


def curve(case, order, steps, kind):
    order, answers = PixelOrder(case, order, steps), {}
    list(score_pictures(case, order.pictures(kind), answers))
    return order.curve(kind, answers)


def blurred(x):
    """A Gaussian of kernel 11 and σ 5, mirrored about the border pixels."""
    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 5) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(x, 5, mode="reflect")
    rows = np.stack([np.convolve(row, kernel, "valid") for row in padded])
    return np.stack([np.convolve(column, kernel, "valid") for column in rows.T], axis=1)


def test_deletion_takes_the_brightest_first():
    net, grey = counter(SIZE), shades(SIZE)
    found = curve(a_case(net, picture(grey)), ranks(grey.astype(float)), 80, "deletion")
    left = grey.sum() / 255 - np.concatenate([[0], np.cumsum(np.sort(grey.ravel())[::-1] / 255)])
    wanted = probability(left / grey.size)
    assert found.scores == pytest.approx(wanted, abs=1e-9)
    assert found.auc == pytest.approx(((wanted[1:] + wanted[:-1]) / 2).mean(), abs=1e-9)
    assert found.steps == 80


def test_insertion_starts_from_the_blurred_picture():
    net, grey = counter((16, 12)), shades((16, 12), seed=3)
    order = np.random.default_rng(1).permutation(grey.size).reshape(grey.shape).astype(np.int32)
    found = curve(a_case(net, picture(grey)), order, 6, "insertion")
    start = blurred(grey / 255)
    wanted = [probability(np.where(order < count, grey / 255, start).mean()) for count in range(0, 193, 32)]
    assert found.scores == pytest.approx(wanted, abs=1e-9)
    assert found.shares == pytest.approx(np.arange(7) / 6)


def test_fewer_steps_are_a_sample_of_the_full_curve():
    net, grey = counter(SIZE), shades(SIZE)
    case, order = a_case(net, picture(grey)), ranks(grey.astype(float))
    full, few = (curve(case, order, steps, "deletion") for steps in (80, 10))
    assert few.scores == pytest.approx(full.scores[::8], abs=0)
    assert few.at(1 / 20) == pytest.approx((few.scores[0] + few.scores[1]) / 2)


def test_more_steps_than_pixels_take_one_pixel_at_a_time():
    case = a_case(counter(SIZE), picture(shades(SIZE)))
    assert curve(case, ranks(shades(SIZE).astype(float)), 224, "deletion").steps == 80


def test_the_letterbox_padding_is_never_touched():
    net, grey = counter((12, 10)), shades((8, 10))
    case = a_case(net, picture(grey), "letterbox")
    order = PixelOrder(case, ranks(grey.astype(float)), 4)
    last = list(order.pictures("deletion"))[-1].make()
    assert not last[2:10].any()
    assert np.array_equal(last[[0, 1, 10, 11]], case.picture[[0, 1, 10, 11]])
    first = next(iter(order.pictures("insertion"))).make()
    assert np.array_equal(first[[0, 1, 10, 11]], case.picture[[0, 1, 10, 11]])


def test_ranks_follow_the_values_and_ties_a_fixed_random_order():
    values = np.array([[3.0, 0, 0, 0], [0, 5, 0, 0], [0, 0, 0, 4]])
    found = ranks(values)
    assert (found[1, 1], found[2, 3], found[0, 0]) == (0, 1, 2)
    zeros = found[values == 0]
    assert sorted(zeros) == list(range(3, 12))
    assert list(zeros) != sorted(zeros)  # not in the order of the pixels
    assert np.array_equal(found, ranks(values * 7))
    assert np.array_equal(ranks(np.zeros((9, 9))), ranks(np.ones((9, 9))))


def test_the_same_ties_for_maps_that_differ_elsewhere():
    one, other = np.zeros((5, 5)), np.zeros((5, 5))
    one[0, 0], other[4, 4] = 1, 1
    common = np.ones((5, 5), bool)
    common[0, 0] = common[4, 4] = False
    assert np.array_equal(np.argsort(ranks(one)[common]), np.argsort(ranks(other)[common]))


def test_counts_are_even_to_a_pixel():
    assert list(counts(10, 4)) == [0, 2, 5, 8, 10]


def test_the_area_of_a_straight_line():
    assert Curve(np.linspace(0, 1, 5), np.linspace(1, 0, 5)).auc == pytest.approx(0.5, abs=1e-15)


@pytest.mark.parametrize("steps", [0, -1, 2.5, True])
def test_a_curve_needs_a_step(steps):
    with pytest.raises(CamcoreError, match="no number of steps"):
        check_steps(steps)
