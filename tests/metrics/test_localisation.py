"""Pointing game, energy and boxes on maps of a few pixels, worked out by hand."""

import numpy as np
import pytest

import camcore
from camcore.errors import CamcoreError
from camcore.metrics.localisation import (
    best_iou,
    box_around,
    box_of_map,
    energy_share,
    iou,
    locate,
    pointing_hit,
    table,
    union,
)


def spot(size=(60, 80), at=(10, 20), value=1.0):
    drawn = np.zeros(size)
    drawn[at] = value
    return drawn


def mask(size=(60, 80), rows=slice(20, 40), columns=slice(30, 50)):
    inside = np.zeros(size, bool)
    inside[rows, columns] = True
    return inside


@pytest.mark.parametrize(
    ("at", "hit"),
    [
        ((20, 30), True),
        ((39, 49), True),
        ((5, 40), True),  # 15 pixels above
        ((4, 40), False),  # 16
        ((8, 21), True),  # 12 up and 9 left: 15 along the diagonal
        ((8, 20), False),
    ],
)
def test_pointing_has_a_tolerance_of_15_pixels(at, hit):
    assert pointing_hit(spot(at=at), mask()) is hit


def test_an_empty_map_points_nowhere():
    assert not pointing_hit(np.zeros((60, 80)), mask())
    assert not pointing_hit(np.full((60, 80), np.nan), mask())
    assert not pointing_hit(spot(), np.zeros((60, 80), bool))


def test_of_several_maxima_one_is_chosen_once_and_for_all():
    drawn = np.zeros((60, 80))
    drawn[0, :] = 1
    hits = [pointing_hit(drawn, mask(rows=slice(0, 1), columns=slice(c, c + 1)), tolerance=0) for c in range(80)]
    assert sum(hits) == 1
    assert not hits[0]  # not simply the first


def test_what_was_not_seen_counts_for_nothing():
    drawn = spot(at=(30, 40))
    drawn[0, 0] = np.nan
    assert pointing_hit(drawn, mask())
    values = np.array([[np.nan, 1, 3], [2, 2, np.nan]])
    region = np.array([[True, False, True], [True, False, True]])
    assert energy_share(values, region) == (5 / 8, 2 / 4, False)


def test_the_box_of_the_largest_connected_part():
    drawn = np.zeros((10, 12))
    drawn[1:3, 1:3] = 1.0
    drawn[4:7, 5:9] = 0.2  # larger, and above 0.15
    drawn[7, 9] = 0.2  # touches at a corner
    drawn[9, 0] = 0.1
    assert box_of_map(drawn) == (4, 5, 8, 10)
    assert box_of_map(drawn, 0.2) == (4, 5, 8, 10)  # reaches the share exactly
    assert box_of_map(drawn, 0.3) == (1, 1, 3, 3)
    assert box_of_map(np.zeros((3, 3))) is None


def test_iou_of_boxes():
    assert iou((0, 0, 4, 4), (2, 2, 6, 6)) == pytest.approx(4 / 28)
    assert iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0
    assert iou((1, 2, 3, 4), (1, 2, 3, 4)) == 1
    drawn = np.zeros((10, 10))
    drawn[2:6, 2:6] = 1
    assert best_iou(drawn, [(0, 0, 1, 1), (2, 2, 6, 4)]) == pytest.approx(8 / 16)
    assert best_iou(np.zeros((10, 10)), [(0, 0, 1, 1)]) == 0


def test_boxes_and_masks_are_pixels():
    assert box_around(mask()) == (20, 30, 40, 50)
    assert np.array_equal(union([(20, 30, 40, 50)], (60, 80)), mask())
    assert union([(0, 0, 1, 2), (0, 1, 2, 3)], (3, 3)).sum() == 2 + 4 - 1
    with pytest.raises(CamcoreError, match="mask is empty"):
        box_around(np.zeros((3, 3), bool))


def test_all_figures_of_one_map():
    drawn = np.full((60, 80), 0.01)
    drawn[20:40, 30:40] = 1.0
    found = locate("gradcam", drawn, mask())
    inside = 200 * 1.0 + 200 * 0.01
    assert found.hit
    assert found.energy == pytest.approx(inside / (inside + 4400 * 0.01))
    assert found.area == pytest.approx(400 / 4800)
    assert found.iou == pytest.approx(0.5)
    by_boxes = locate("gradcam", drawn, boxes=[(20, 30, 40, 50)])
    assert by_boxes == found


def test_zhous_share_is_for_cam():
    drawn = np.full((10, 10), 0.17)
    drawn[2:4, 2:4] = 1
    inside = mask((10, 10), slice(2, 4), slice(2, 4))
    assert locate("cam", drawn, inside).iou == 1  # 0.2 of the maximum
    assert locate("gradcam", drawn, inside).iou == pytest.approx(4 / 100)  # 0.15


def test_the_border_counts_for_neither():
    drawn = np.ones((4, 4))
    inside, border = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    inside[0], border[1] = True, True
    assert locate("x", drawn, inside, ignored=border).energy == pytest.approx(4 / 12)
    assert locate("x", drawn, inside).energy == pytest.approx(4 / 16)


def test_an_empty_map_counts_in_the_table():
    inside = mask()
    full, empty = locate("a", spot(at=(30, 40)), inside), locate("a", np.zeros((60, 80)), inside)
    other = locate("b", spot(at=(0, 0)), inside)
    rows = table([full, other, empty])
    assert [row.method for row in rows] == ["a", "b"]
    assert (rows[0].pointing.mean, rows[0].energy.mean, rows[0].pointing.n, rows[0].empty) == (0.5, 0.5, 2, 1)
    assert (empty.hit, empty.energy, empty.iou, empty.empty) == (False, 0, 0, True)
    assert rows[1].pointing.mean == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(CamcoreError, match="region of 3×4 does not lie on a map of 4×4"):
        energy_share(np.ones((4, 4)), np.ones((3, 4), bool))
    with pytest.raises(CamcoreError, match="no object to look for"):
        locate("gradcam", np.ones((4, 4)))


def test_the_network_is_looked_at_where_it_looked():
    """A crop's margins are NaN: an object that lies there alone is never hit, whatever the control."""
    from networks import flat

    net = camcore.wrap(flat())
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (120, 40, 3), np.uint8))
    (m,) = camcore.explain(net, pic, "centre", classes=0, framing="crop")
    found = locate(m.method, m.on_picture(), boxes=[(0, 0, 10, 40)])
    assert (found.hit, found.energy, found.area, found.iou) == (False, 0, 0, 0)
