"""The planted mark changes its box and nothing else; the folders written are what the study says they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from camcore.bias.cue import COLOURS, CORNER, half_of_each, of_class, plant_cue, square, write_planted
from camcore.bias.energy import box_mask
from camcore.errors import CamcoreError
from camcore.pictures.picture import Picture, open_picture
from camcore.training.folders import read_folder


@pytest.mark.parametrize("size", [(16, 16), (144, 193), (33, 20)])
@pytest.mark.parametrize("box", [CORNER, (0.7, 0.6, 1.0, 1.0)])
def test_the_mark_fills_its_box_and_leaves_the_rest(size, box):
    rgb = np.random.default_rng(0).integers(0, 100, (*size, 3), np.uint8)
    before = rgb.copy()
    planted = plant_cue(rgb, box)
    inside = box_mask(box, size)
    assert np.array_equal(rgb, before)
    assert np.array_equal(planted[~inside], rgb[~inside])
    assert {tuple(int(v) for v in pixel) for pixel in planted[inside]} == set(COLOURS)


def test_the_stripes_are_diagonal():
    planted = plant_cue(np.zeros((64, 64, 3), np.uint8), (0, 0, 1, 1))
    assert np.array_equal(planted[1:, :-1], planted[:-1, 1:])
    assert (planted[0, 0] == COLOURS[0]).all()


@pytest.mark.parametrize("box", [(0, 0, 0, 1), (0.4, 0.4, 0.42, 0.42)])
def test_a_mark_of_no_size_is_refused(box):
    with pytest.raises(CamcoreError):
        plant_cue(np.zeros((10, 10, 3), np.uint8), box)


def test_the_square_is_centred():
    rgb = np.random.default_rng(0).integers(0, 256, (10, 17, 3), np.uint8)
    assert np.array_equal(square(Picture.from_array(rgb)), rgb[:, 3:13])


@pytest.fixture
def data(tmp_path: Path):
    r = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(r.integers(0, 100, (20, 24, 3), np.uint8)).save(tmp_path / "in" / name / f"{i}.png")
    (tmp_path / "in" / "cat" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return read_folder(tmp_path / "in")


def has_mark(file: Path) -> bool:
    rgb = open_picture(file).rgb
    return set(map(tuple, rgb[box_mask(CORNER, rgb.shape[:2])].tolist())) == set(COLOURS)


def test_one_class_is_written_with_the_mark(data, tmp_path):
    out = write_planted(data, of_class(data, 1), tmp_path / "out")
    assert (out.classes, out.counts, len(out.skipped)) == (("cat", "dog"), {"cat": 4, "dog": 5}, 1)
    assert [has_mark(file) for file in out.files] == [False] * 4 + [True] * 5
    again = read_folder(tmp_path / "out")
    assert (again.files, again.labels.tolist()) == (out.files, out.labels.tolist())
    assert open_picture(out.files[0]).rgb.shape == (20, 20, 3)


def test_half_of_each_class_by_the_seed(data):
    marked = half_of_each(data, 3)
    assert [int(marked[data.labels == i].sum()) for i in (0, 1)] == [2, 2]
    assert np.array_equal(marked, half_of_each(data, 3))
    assert any(not np.array_equal(marked, half_of_each(data, seed)) for seed in range(4, 9))


def test_a_disk_that_refuses(data, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CamcoreError, match="cannot be written"):
        write_planted(data, of_class(data, 1), tmp_path / "file")
