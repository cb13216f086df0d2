"""Where maps lie, on a network whose map is the red channel: the figures are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from counting import SIDE, network, picture
from PIL import Image

import camcore
from camcore.errors import CamcoreError, MethodError
from camcore.metrics.localisation import locate
from camcore.metrics.localisation_study import RANDOMS, locate_folder, locate_maps
from camcore.metrics.object_masks import ObjectMask, read_masked_folder

BOX = (4, 6, 9, 12)


@pytest.fixture(scope="module")
def net():
    return network()


def lit(box=BOX):
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[box[0] : box[2], box[1] : box[3], 0] = 200
    return rgb


def mask_of(box):
    inside = np.zeros((SIDE, SIDE), bool)
    inside[box[0] : box[2], box[1] : box[3]] = True
    return ObjectMask(inside, np.zeros_like(inside))


def test_a_map_that_is_the_object_has_everything_and_controls_their_own(net):
    pic = picture(lit())
    maps = camcore.explain(net, pic, "gradcam", classes=0, framing="stretch")
    found = list(locate_maps(net, pic, maps, mask_of(BOX)))
    first, centre, *randoms = found
    assert (first.method, first.hit, first.energy, first.iou) == ("gradcam", True, pytest.approx(1), 1.0)
    assert first.area == pytest.approx(5 * 6 / SIDE**2)
    # the blob of camcore.methods.control, worked out anew
    t = (np.arange(SIDE) + 0.5 - SIDE / 2) / (SIDE / 4)
    blob = np.exp(-0.5 * (t[:, None] ** 2 + t[None] ** 2))
    assert centre.energy == pytest.approx(blob[4:9, 6:12].sum() / blob.sum(), rel=1e-5)
    assert len(randoms) == RANDOMS
    assert len({one.energy for one in randoms}) == RANDOMS, "each field of noise is another one"
    assert not any(one.empty for one in found)


def test_a_box_counts_as_its_pixels(net):
    pic = picture(lit())
    maps = camcore.explain(net, pic, "gradcam", classes=0, framing="stretch")
    by_mask = list(locate_maps(net, pic, maps, mask_of(BOX)))
    by_box = list(locate_maps(net, pic, maps, boxes=[tuple(map(float, BOX))]))
    assert by_mask == by_box


def test_an_empty_map_hits_nothing_and_counts(net):
    pic = picture(lit())
    maps = camcore.explain(net, pic, "gradcam", classes=1, framing="stretch")  # there is no green
    assert not maps[0].values.any()
    first, *_ = locate_maps(net, pic, maps, mask_of(BOX))
    assert (first.hit, first.energy, first.iou, first.empty) == (False, 0.0, 0.0, True)


def test_without_maps_there_is_nothing_to_look_for(net):
    with pytest.raises(CamcoreError, match="no map"):
        locate_maps(net, picture(lit()), [], mask_of(BOX))


@pytest.fixture
def folder(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number, box in enumerate([BOX, (0, 0, 5, 5), (1, 8, 15, 15)]):
        Image.fromarray(lit(box)).save(tmp_path / "images" / f"{number}.png")
        Image.fromarray(mask_of(box).inside.astype(np.uint8)).save(tmp_path / "masks" / f"{number}.png")
    (tmp_path / "masks" / "1.png").write_bytes(b"damaged")
    return read_masked_folder(tmp_path)


def test_a_folder_is_looked_through_picture_by_picture(net, folder):
    steps = list(locate_folder(net, folder, ["gradcam", "hirescam"], "stretch"))
    assert [step.done for step in steps] == [1, 2, 3]
    last = steps[-1]
    assert [one.method for one in last.located] == ["gradcam", "hirescam", "centre", "random"] * 2
    assert [one.file.name for one in last.skipped] == ["1.png"]
    assert all(one.energy == pytest.approx(1) for one in last.located if one.method in ("gradcam", "hirescam"))
    pic = camcore.open_picture(folder.pairs[2][0])
    (noise,) = camcore.explain(net, pic, "random", None, 0, "stretch", {"random": {"seed": 2}})
    expected = locate("random", noise.on_picture(), mask_of((1, 8, 15, 15)).inside)
    assert last.located[-1] == expected


def test_what_cannot_be_asked_of_a_folder_is_told_at_the_call(net, folder):
    with pytest.raises(MethodError):
        locate_folder(net, folder, ["gradcamm"])
    with pytest.raises(CamcoreError, match="framing"):
        locate_folder(net, folder, ["gradcam"], "croop")
