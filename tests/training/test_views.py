"""Crops made once: which part they show, what damage costs, what is made again; and what augmentation may change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled import make_folder
from PIL import Image

from camcore import CamcoreError
from camcore.framing import frame_picture
from camcore.pictures.picture import open_picture
from camcore.training import views
from camcore.training.folders import read_folder
from camcore.training.recipe import Recipe
from camcore.training.views import augmentation, centre_views, make_views

RECIPE = Recipe(size=32, widths=(8,), blocks=(1,), stages=((0.5, 24), (0.5, 32)), views=3)


def drained(work: Any) -> Any:
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as finished:
            return finished.value, steps


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures", {"across": 5, "down": 4}, size=(60, 90))


def test_every_picture_gives_its_views_in_order(root: Path, tmp_path: Path) -> None:
    data = read_folder(root)
    found, steps = drained(make_views(data, RECIPE, tmp_path / "cache"))
    assert found.pixels.shape == (3, 9, 36, 36, 3)
    assert found.data.files == data.files
    assert steps[-1] == (9, 9)
    for index, file in enumerate(data.files):
        centre = Image.open(file).resize((36, 36), Image.Resampling.BICUBIC, box=(15, 0, 75, 60), reducing_gap=3.0)
        np.testing.assert_array_equal(found.pixels[0, index], np.asarray(centre))
    assert (found.pixels[1] != found.pixels[2]).any()


def test_a_crop_shows_at_least_the_least_area() -> None:
    rng = np.random.default_rng(0)
    for size in ((90, 60), (60, 90), (300, 40)):
        for _ in range(300):
            left, top, right, bottom = views.random_part(size, 0.35, rng)
            assert 0 <= left < right <= size[0] + 1e-9
            assert 0 <= top < bottom <= size[1] + 1e-9
            # Where the wanted shape is longer than the picture, its other side is as wanted: less area, but not less
            # than the aspect's limit allows.
            assert (right - left) * (bottom - top) >= 0.35 * size[0] * size[1] * 0.3


def test_the_same_pictures_are_not_cut_twice(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = read_folder(root)
    first, _ = drained(make_views(data, RECIPE, tmp_path / "cache"))
    monkeypatch.setattr(views, "_cut", None)
    again, steps = drained(make_views(data, RECIPE, tmp_path / "cache"))
    assert not steps
    np.testing.assert_array_equal(first.pixels, again.pixels)


def test_another_recipe_cuts_anew(root: Path, tmp_path: Path) -> None:
    data = read_folder(root)
    drained(make_views(data, RECIPE, tmp_path / "cache"))
    other, _ = drained(make_views(data, replace(RECIPE, views=2), tmp_path / "cache"))
    assert other.pixels.shape[0] == 2


def test_damaged_pictures_are_left_out_and_counted(root: Path, tmp_path: Path) -> None:
    for name in ("001.png", "003.png"):
        whole = (root / "across" / name).read_bytes()
        (root / "across" / name).write_bytes(whole[: len(whole) // 2])
    data = read_folder(root)
    for _ in range(2):  # made, then taken again
        found, _ = drained(make_views(data, RECIPE, tmp_path / "cache"))
        assert found.data.counts == {"across": 3, "down": 4}
        assert found.pixels.shape[1] == 7
        assert [skipped.file.name for skipped in found.data.skipped] == ["001.png", "003.png"]
    last = Image.open(root / "down" / "003.png").resize(
        (36, 36), Image.Resampling.BICUBIC, box=(15, 0, 75, 60), reducing_gap=3.0
    )
    np.testing.assert_array_equal(found.pixels[0, -1], np.asarray(last))


def test_a_full_disk_is_noticed_before_the_work(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(CamcoreError, match="No space left"):
        drained(make_views(read_folder(root), RECIPE, tmp_path / "cache"))
    assert not (tmp_path / "cache" / "views.npy").exists()


def test_validation_sees_what_the_network_will_be_shown(root: Path) -> None:
    data = read_folder(root)
    seen, kept = centre_views(data, 32)
    assert kept.files == data.files
    expected = frame_picture(open_picture(data.files[4]), (32, 32))[0]
    assert np.abs(seen[4] - expected).max() <= 0.5


@pytest.mark.parametrize("side", [24, 32])
def test_augmentation_keeps_the_picture_recognisable(side: int) -> None:
    flat = np.full((8, 36, 36, 3), 100, np.float32)
    same = Recipe(**{**vars(RECIPE), "brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "rotation": 0.0})
    found = np.asarray(augmentation(same, side, 0)(flat))
    assert found.shape == (8, side, side, 3)
    np.testing.assert_allclose(found, 100, atol=1e-3)


def test_augmentation_is_drawn_by_the_seed_and_the_epoch() -> None:
    batch = np.random.default_rng(0).uniform(0, 255, (4, 36, 36, 3)).astype(np.float32)
    first, again, later = (np.asarray(augmentation(RECIPE, 32, epoch)(batch)) for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - later).mean() > 1
