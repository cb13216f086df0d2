"""ROAD: what holes are filled with, and which pixels go."""

import numpy as np
import pytest
from bright import a_case, counter, picture, probability, shades

from camcore.errors import CamcoreError
from camcore.metrics.faithfulness import road
from camcore.metrics.faithfulness.curves import ranks
from camcore.metrics.faithfulness.road import RoadRemoval, check_levels, imputed
from camcore.metrics.faithfulness.scoring import score_pictures


def test_a_hole_in_a_plane_is_filled_with_the_plane():
    y, x = np.mgrid[:9, :11].astype(float)
    plane = np.stack([2 * y - x, x + 5], axis=2)
    gone = np.zeros((9, 11), bool)
    gone[2:7, 3:8] = True
    holed = np.where(gone[..., None], -99, plane)
    assert imputed(holed, gone) == pytest.approx(plane, abs=1e-10)


def test_one_pixel_is_the_weighted_mean_of_its_neighbours():
    values = np.arange(9.0).reshape(3, 3, 1)
    inside, corner = np.zeros((3, 3), bool), np.zeros((3, 3), bool)
    inside[1, 1] = corner[0, 0] = True
    assert imputed(values, inside)[1, 1, 0] == pytest.approx((1 + 3 + 5 + 7) / 6 + (0 + 2 + 6 + 8) / 12)
    # In a corner three neighbours are left, in proportion: 1 and 3 beside, 4 across.
    assert imputed(values, corner)[0, 0, 0] == pytest.approx((1 / 6 + 3 / 6 + 4 / 12) / (1 / 6 + 1 / 6 + 1 / 12))


def test_two_pixels_are_solved_for_together():
    values = np.array([[[6.0], [0.0], [0.0], [9.0]]])
    gone = np.array([[False, True, True, False]])
    assert imputed(values, gone).ravel() == pytest.approx([6, 7, 8, 9])


def test_one_known_pixel_fills_everything():
    gone = np.ones((5, 4), bool)
    gone[2, 1] = False
    values = np.zeros((5, 4, 1))
    values[2, 1] = 0.7
    assert imputed(values, gone) == pytest.approx(np.full((5, 4, 1), 0.7))
    with pytest.raises(CamcoreError, match="none to fill from"):
        imputed(values, np.ones((5, 4), bool))


def test_the_scores_of_morf_and_lerf(monkeypatch):
    monkeypatch.setattr(road, "NOISE", 0.0)
    grey = np.full((8, 10), 20)
    grey[2:4, 3:5] = 200  # four bright pixels, a twentieth of all
    case = a_case(counter(), picture(grey))
    removal = RoadRemoval(case, ranks((grey == 200) + shades() * 1e-6), (4 / 80, 40 / 80))
    answers = {}
    assert sum(score_pictures(case, removal.pictures(), answers)) == 4
    found = removal.result(answers)
    whole = grey.mean() / 255
    assert found.morf[0] == pytest.approx(probability(20 / 255), abs=1e-6)  # filled with what is around
    assert found.lerf[0] == pytest.approx(probability(whole), abs=0.02)
    assert found.combined == pytest.approx(np.mean(found.lerf - found.morf) / 2)
    assert found.combined > 0


def test_noise_has_a_deviation_of_a_hundredth_of_the_range():
    grey = np.zeros((60, 80), int)
    grey[0, 0] = 255
    case = a_case(counter((60, 80)), picture(grey))
    order = ranks(-(grey.astype(float)))
    filled = RoadRemoval(case, order).removed(0.8, True)[..., 0]
    assert np.array_equal(filled, RoadRemoval(case, order).removed(0.8, True)[..., 0])  # seeded
    hole = order < round(0.8 * 4800)
    noise = filled - imputed(case.picture, hole)[..., 0]
    assert not noise[~hole].any()
    assert noise[hole].std() == pytest.approx(0.01, rel=0.05)


def test_the_letterbox_padding_is_never_removed():
    case = a_case(counter((12, 10)), picture(shades((8, 10))), "letterbox")
    removed = RoadRemoval(case, ranks(shades((8, 10)).astype(float))).removed(0.8, True)
    assert np.array_equal(removed[[0, 1, 10, 11]], case.picture[[0, 1, 10, 11]])


@pytest.mark.parametrize("levels", [(), (0.0,), (0.2, 1.0), (-0.1,)])
def test_levels_are_shares(levels):
    with pytest.raises(CamcoreError, match="no shares of the pixels"):
        check_levels(levels)
