"""What-if against scores worked out by hand, and fills against their closed forms."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest
from counting import SIDE, network, noise, picture

import camcore
from camcore.errors import CamcoreError, MethodError
from camcore.verdict.what_if import FILLS, hidden, what_if, what_if_passes

GREY = (124, 117, 104)
BOX = (2, 3, 10, 8)


@pytest.fixture(scope="module")
def net():
    return network()


def inside(box=BOX, side=SIDE):
    mask = np.zeros((side, side), bool)
    mask[box[0] : box[2], box[1] : box[3]] = True
    return mask


def whole(steps):
    *_, last = steps
    return last.result


@pytest.mark.parametrize("keep", [False, True])
def test_grey_replaces_the_box_or_all_around_it_and_nothing_else(keep):
    rgb = noise()
    found = hidden(picture(rgb), BOX, "grey", keep).rgb
    gone = inside() != keep
    assert (found[gone] == GREY).all()
    assert (found[~gone] == rgb[~gone]).all()
    assert (rgb == noise()).all(), "the picture itself stays as it is"


@pytest.mark.parametrize("fill", ["blur", "inpaint"])
@pytest.mark.parametrize("side", [64, 700])  # the second is larger than what the filling is computed at
def test_on_an_even_ground_the_filled_part_becomes_the_ground(fill, side):
    rgb = np.full((side, side, 3), (40, 90, 200), np.uint8)
    found = hidden(picture(rgb), (10, 10, 30, 30), "blur", False).rgb
    assert (found == rgb).all()
    rgb[12:28, 12:28] = 255
    found = hidden(picture(rgb), (10, 10, 30, 30), fill, False).rgb
    gone = inside((10, 10, 30, 30), side)
    assert (found[~gone] == rgb[~gone]).all()
    if fill == "inpaint":
        assert np.abs(found[gone].astype(int) - (40, 90, 200)).max() <= 4  # OpenCV rounds on the way


def test_blur_of_an_edge_is_the_normal_distribution():
    side, sigma = 200, 200 / 20
    rgb = np.zeros((side, side, 3), np.uint8)
    rgb[:, 100:] = 255
    found = hidden(picture(rgb), (0, 70, side, 130), "blur").rgb[100, 70:130, 0]
    expected = [255 * 0.5 * (1 + erf((x + 0.5 - 100) / (sigma * sqrt(2)))) for x in range(70, 130)]
    assert np.abs(found - np.array(expected)).max() < 1.5


@pytest.mark.parametrize("keep", [False, True])
def test_scores_are_those_worked_out_by_hand(net, keep):
    rgb = noise(3)
    pic = picture(rgb)
    (m,) = camcore.explain(net, pic, "gradcam", classes=1, framing="stretch")
    found = whole(what_if(net, pic, m, BOX, "grey", keep))
    changed = rgb.astype(np.float64)
    changed[inside() != keep] = GREY
    for one in found.changes:
        channel = one.before.index
        assert one.before.logit == pytest.approx(4 / 255 * rgb[..., channel].mean(), rel=1e-6)
        assert one.after.logit == pytest.approx(4 / 255 * changed[..., channel].mean(), rel=1e-6)
    red, green = (4 / 255 * changed[..., channel].mean() for channel in (0, 1))
    assert found.changes[0].after.label == "green", "the class of the map comes first"
    assert found.changes[0].after.probability == pytest.approx(1 / (1 + np.exp(red - green)), rel=1e-6)


@pytest.mark.parametrize("method", ["gradcam", "scorecam", "gradient"])
def test_the_map_again_is_that_of_the_changed_picture(net, method):
    pic = picture(noise(5))
    (m,) = camcore.explain(net, pic, method, classes=0, framing="stretch")
    found = whole(what_if(net, pic, m, BOX, "blur"))
    (expected,) = camcore.explain(net, hidden(pic, BOX, "blur"), method, classes=0, framing="stretch")
    assert found.again is not None
    assert np.array_equal(found.again.raw, expected.raw)
    assert found.again.class_index == 0


def test_the_scores_come_first_and_the_cost_is_told(net):
    pic = picture(noise())
    (m,) = camcore.explain(net, pic, "scorecam", framing="stretch")
    steps = list(what_if(net, pic, m, BOX))
    assert steps[0].result.again is None
    assert steps[0].result.changes
    assert steps[-1].done == steps[-1].total == what_if_passes(net, m)


def test_a_box_that_reaches_beyond_the_picture_is_cut(net):
    pic = picture(noise())
    (m,) = camcore.explain(net, pic, "gradcam", framing="stretch")
    assert whole(what_if(net, pic, m, (-5, 4, 8, 99))).box == (0, 4, 8, SIDE)


@pytest.mark.parametrize(
    ("box", "fill", "keep", "said"),
    [
        ((3, 3, 3, 8), "grey", False, r"\(3, 3, 3, 8\) has no pixel of the picture, which is 16×16"),
        ((20, 20, 30, 30), "grey", False, "has no pixel"),
        ((0, 0, 16, 16), "grey", True, "covers the whole picture"),
        ((0, 0, 16, 16), "inpaint", False, "nothing is left to paint it from"),
        ((1, 2, 3), "grey", False, "is no box"),
        ((1, 2, float("nan"), 4), "grey", False, "is no box"),
        (BOX, "gray", False, "Choose 'grey', perhaps"),
    ],
)
def test_what_cannot_be_asked_is_refused(box, fill, keep, said):
    with pytest.raises(CamcoreError, match=said):
        hidden(picture(noise()), box, fill, keep)


def test_maps_of_others_are_refused(net):
    pic = picture(noise())
    maps = camcore.explain(net, pic, ["gradcam", "layercam"], framing="stretch")
    other = camcore.Picture.from_array(noise(1, 32))
    with pytest.raises(CamcoreError, match=r"16×16 says nothing of .* 32×32"):
        what_if(net, other, maps[0], BOX)
    with pytest.raises(MethodError, match="fused"):
        what_if(net, pic, camcore.fuse(maps), BOX)


def test_every_fill_is_there():
    assert FILLS == ("grey", "blur", "inpaint")
