"""One scale where values share a unit, its own where a map stands alone, densities over methods."""

import numpy as np
import pytest

from ui.scales import DENSITY, EACH, OWN, SCALES, shown

LOW = np.array([[0.0, 1.0], [2.0, -8.0]])
HIGH = np.array([[0.0, 4.0], [1.0, 3.0]])
FAR = np.array([[0.0, 100.0], [50.0, 50.0]])


def test_maps_of_one_unit_share_their_joint_maximum():
    drawn, _ = shown([("a", LOW, True), ("a", HIGH, True), ("b", FAR, False)])
    assert [one.top for one in drawn] == [4.0, 4.0, 100.0]
    assert [one.mark for one in drawn] == ["", "", OWN]


def test_each_its_own_is_marked_on_every_map():
    drawn, _ = shown([("a", LOW, True), ("a", HIGH, True)], EACH)
    assert [one.top for one in drawn] == [2.0, 4.0]
    assert {one.mark for one in drawn} == {OWN}


def test_density_divides_by_the_mean_of_what_is_positive():
    drawn, most = shown([("a", LOW, True), ("b", FAR, False)], DENSITY)
    assert most == pytest.approx(2 / 0.75)  # of LOW: a maximum of 2 over a mean of 3 / 4; FAR has 100 / 50
    assert [one.top for one in drawn] == pytest.approx([2.0, 50 * most])
    assert {one.mark for one in drawn} == {""}


def test_both_signs_reach_to_the_largest_of_either():
    drawn, _ = shown([("a", LOW, True), ("a", HIGH, True), ("b", FAR, False)], both_signs=True)
    assert [one.top for one in drawn] == [8.0, 8.0, 100.0]
    assert [one.signed for one in drawn] == [True, True, False]


@pytest.mark.parametrize("scale", SCALES)
def test_an_empty_map_stays_empty_and_divides_by_no_zero(scale):
    drawn, most = shown([("a", np.full((2, 2), -1.0), True)], scale)
    assert drawn[0].top == 1.0
    assert most == 1.0
    assert shown([], scale) == ([], 1.0)
