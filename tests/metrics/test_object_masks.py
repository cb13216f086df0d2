"""Masks: which pixels are the object, and what is said where a mask cannot be one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import camcore
from camcore.errors import CamcoreError, PictureError
from camcore.metrics.object_masks import open_pair, read_mask, read_masked_folder
from camcore.training.folders import Skipped

PIC = camcore.Picture.from_array(np.zeros((12, 20, 3), np.uint8))


def png(array, mode=None) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8), mode).save(file, "PNG")
    return file.getvalue()


def blank(value=0):
    return np.full((12, 20), value, np.uint8)


def test_numbers_are_background_object_and_border():
    values = blank()
    values[2:5, 3:9], values[2, 3:9] = 1, 2
    mask = read_mask(png(values), PIC)
    assert np.array_equal(mask.inside, values == 1)
    assert np.array_equal(mask.ignored, values == 2)


@pytest.mark.parametrize("level", [128, 255])
def test_brightness_from_the_middle_on_is_the_object(level):
    values = blank()
    values[4:8, 10:15] = level
    values[0, 0] = 127
    for data in (png(values), png(np.stack([values, 0 * values, 0 * values], axis=2))):
        mask = read_mask(data, PIC)
        assert mask.inside.sum() == 20
        assert mask.inside[4:8, 10:15].all()
        assert not mask.ignored.any()


@pytest.mark.parametrize("value", [0, 2, 100])
def test_a_mask_without_an_object_is_refused(value):
    with pytest.raises(CamcoreError, match="has no object in it"):
        read_mask(png(blank(value)), PIC)


def test_a_mask_of_another_size_names_both_sizes():
    with pytest.raises(CamcoreError, match=r"'a\.png' is 20×12 \(height × width\), the picture 12×20"):
        read_mask(png(np.ones((20, 12))), PIC, name="a.png")


def test_what_is_no_picture_is_refused():
    with pytest.raises(PictureError):
        read_mask(b"no picture", PIC)


@pytest.fixture
def folder(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for name in ("a", "b", "c"):
        Image.fromarray(np.zeros((12, 20, 3), np.uint8)).save(tmp_path / "images" / f"{name}.jpg")
    (tmp_path / "masks" / "a.png").write_bytes(png(blank(1)))
    (tmp_path / "masks" / "b.png").write_bytes(png(np.ones((9, 20))))
    (tmp_path / "masks" / "d.png").write_bytes(png(blank(1)))
    return tmp_path


def test_pairs_have_one_name_and_the_rest_is_told(folder):
    found = read_masked_folder(folder)
    assert [[path.name for path in pair] for pair in found.pairs] == [["a.jpg", "a.png"], ["b.jpg", "b.png"]]
    assert [(one.file.name, one.reason) for one in found.skipped] == [
        ("c.jpg", "It has no mask."), ("d.png", "It has no picture."),
    ]  # fmt: skip


def test_a_pair_that_cannot_be_used_says_why(folder):
    good, bad = (open_pair(pair) for pair in read_masked_folder(folder).pairs)
    assert not isinstance(good, Skipped)
    assert good[1].inside.all()
    assert isinstance(bad, Skipped)
    assert "9×20" in bad.reason
    (folder / "images" / "a.jpg").write_bytes(b"\xff\xd8\xff damaged")
    broken = open_pair(read_masked_folder(folder).pairs[0])
    assert isinstance(broken, Skipped)
    assert broken.file.name == "a.jpg"


def test_folders_without_pairs_are_refused(folder, tmp_path):
    with pytest.raises(CamcoreError, match="images' cannot be read"):
        read_masked_folder(tmp_path / "nowhere")
    for mask in (folder / "masks").iterdir():
        mask.unlink()
    with pytest.raises(CamcoreError, match="3 pictures, 0 masks"):
        read_masked_folder(folder)
