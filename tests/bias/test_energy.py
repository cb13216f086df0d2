"""Energy in a region: exact on maps made by hand, and the same as picture by picture on a network."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from networks import one_unit
from PIL import Image

import camcore
from camcore.bias.energy import (
    Share,
    box_mask,
    energy_in_region,
    masks_beside,
    summary,
    write_shares,
)
from camcore.errors import CamcoreError, MethodError, ModelError
from camcore.metrics.localisation import energy_share
from camcore.training.folders import LabelledFolder, read_folder

QUARTER = (0.0, 0.0, 0.5, 0.5)


def last(steps):
    *_, step = steps
    return step


# ---- arrays


def test_energy_by_hand():
    values = np.array([[3.0, 1.0], [-5.0, np.nan]])
    region = np.array([[True, False], [True, True]])
    assert energy_share(values, region) == (0.75, 2 / 3, False)  # what is negative or unseen counts for nothing


def test_an_even_map_has_as_much_energy_as_the_region_has_area():
    values = np.full((8, 10), 0.3)
    values[:, :2] = np.nan
    energy, area, empty = energy_share(values, box_mask(QUARTER, (8, 10)))
    assert energy == pytest.approx(area) == pytest.approx(12 / 64)
    assert not empty


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_planted_energy_is_found_exactly(share):
    region = box_mask((0.25, 0.25, 0.75, 0.5), (16, 16))
    values = np.where(region, share / region.sum(), (1 - share) / (~region).sum())
    assert energy_share(values, region)[:2] == (pytest.approx(share, abs=1e-12), 0.125)


def test_an_empty_map_has_no_energy_and_says_so():
    assert energy_share(np.full((4, 4), -1.0), np.ones((4, 4), bool)) == (0.0, 1.0, True)
    assert energy_share(np.full((4, 4), np.nan), np.ones((4, 4), bool)) == (0.0, 0.0, True)


def test_a_region_of_another_size_is_refused():
    with pytest.raises(CamcoreError, match="3×4 does not lie on a map of 4×4"):
        energy_share(np.ones((4, 4)), np.ones((3, 4), bool))


def test_a_box_holds_the_pixels_whose_centres_lie_in_it():
    assert box_mask((0, 0, 0.5, 0.25), (4, 8)).sum() == 2 * 2
    assert box_mask((0, 0, 1, 1), (5, 7)).all()
    halves = box_mask((0, 0, 0.5, 1), (5, 7)).astype(int) + box_mask((0.5, 0, 1, 1), (5, 7))
    assert (halves == 1).all()


# ---- the mean and its interval


def shares(energies: list[float]) -> list[Share]:
    return [Share(f"{i}.png", energy, 0.25, energy == 0) for i, energy in enumerate(energies)]


def test_the_interval_is_the_bootstraps_and_comes_again():
    r = np.random.default_rng(3)
    drawn = r.normal(0.4, 0.1, 200).tolist()
    found = summary(shares(drawn))
    assert found == summary(shares(drawn))
    assert found.value == pytest.approx(np.mean(drawn))
    standard_error = np.std(drawn) / np.sqrt(200)  # what a bootstrap of a mean comes to
    assert found.high - found.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert (found.area, found.n, found.empty) == (0.25, 200, 0)


def test_equal_pictures_have_no_spread_and_none_have_no_mean():
    assert summary(shares([0.5] * 9)).low == summary(shares([0.5] * 9)).high == 0.5
    assert summary(shares([0.0, 1.0])).empty == 1
    assert math.isnan(summary([]).value)
    assert summary([]).n == 0


# ---- a network


def prepared(x: np.ndarray) -> np.ndarray:
    return x / 255


@pytest.fixture(scope="module")
def red_is_dog() -> camcore.Network:
    """Its map of "dog" is the red channel, cell by cell, less the green: one cell for each 4×4 pixels."""
    x = keras.Input((16, 16, 3))
    pooled = layers.AveragePooling2D(4)(x)
    kernel = np.array([[1.0, 0], [0, 1], [0, 0]])[None, None]
    features = layers.Conv2D(2, 1, activation="relu", name="features")
    score = layers.Dense(1, activation="sigmoid", name="score")
    model = keras.Model(x, score(layers.GlobalAveragePooling2D()(features(pooled))))
    features.set_weights([kernel, np.zeros(2)])
    score.set_weights([np.array([[4.0], [-4.0]]), np.array([-0.5])])
    return camcore.wrap(model, labels=["cat", "dog"], preprocess=prepared)


def save(root: Path, name: str, rgb: np.ndarray) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


def painted(red: tuple[slice, slice], size: tuple[int, int] = (16, 16)) -> np.ndarray:
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[(*red, 0)] = 255
    return rgb


def folder(root: Path, files: list[Path]) -> LabelledFolder:
    return LabelledFolder(root, ("cat", "dog"), tuple(files), np.ones(len(files), np.int64))


EVERYWHERE = slice(None)


def test_a_picture_that_is_dog_all_over_has_energy_like_area(red_is_dog, tmp_path):
    data = folder(tmp_path, [save(tmp_path, "a.png", painted((EVERYWHERE, EVERYWHERE)))])
    found = last(energy_in_region(red_is_dog, data, QUARTER, 1, framing="stretch"))
    assert found.energy.value == pytest.approx(0.25) == found.energy.area
    (cat,) = last(energy_in_region(red_is_dog, data, QUARTER, 0, framing="stretch")).shares
    assert cat == Share("a.png", 0.0, 0.25, True)


def test_a_red_quarter_is_where_the_energy_is(red_is_dog, tmp_path):
    data = folder(tmp_path, [save(tmp_path, "a.png", painted((slice(8), slice(8))))])
    inside = last(energy_in_region(red_is_dog, data, QUARTER, 1, framing="stretch")).energy.value
    outside = last(energy_in_region(red_is_dog, data, (0.75, 0.75, 1, 1), 1, framing="stretch")).energy.value
    # One side of the map, interpolated between the cells' centres, ramps down over one cell at the border of its half.
    ramp = np.interp(np.arange(16), np.arange(4) * 4 + 1.5, [1, 1, 0, 0])
    assert inside == pytest.approx((ramp[:8].sum() / ramp.sum()) ** 2, abs=1e-6)
    assert outside == 0


@pytest.mark.parametrize("framing", ["crop", "stretch", "letterbox"])
def test_many_pictures_are_as_one_by_one(framing, tmp_path):
    network = camcore.wrap(one_unit(), labels=["cat", "dog"], preprocess=lambda x: x / 127.5 - 1)
    r = np.random.default_rng(0)
    sizes = [(20, 30), (31, 22), (16, 16), (40, 20), (12, 50)]
    files = [save(tmp_path, f"dog/{i}.png", r.integers(0, 256, (*s, 3), np.uint8)) for i, s in enumerate(sizes)]
    steps = list(energy_in_region(network, folder(tmp_path, files), QUARTER, 1, framing=framing, batch=2))
    assert [(s.done, len(s.shares)) for s in steps] == [(2, 2), (4, 4), (5, 5)]
    maps = []
    for share, file in zip(steps[-1].shares, files, strict=True):
        (m,) = camcore.explain(network, camcore.open_picture(file), "cam", classes=1, framing=framing)
        drawn = m.on_picture()
        wanted = energy_share(drawn, box_mask(QUARTER, drawn.shape))
        assert (share.energy, share.area, share.empty) == (pytest.approx(wanted[0], abs=1e-6), *wanted[1:])
        assert share.file == f"dog/{file.name}"
        maps.append(m.values)
    np.testing.assert_allclose(steps[-1].mean_map, np.mean(maps, axis=0), atol=1e-6)
    assert (steps[-1].method, steps[-1].layer) == ("cam", "features")


def test_one_mask_for_each_picture(red_is_dog, tmp_path):
    left = painted((EVERYWHERE, slice(4)))
    files = [save(tmp_path, f"in/dog/{name}.png", left) for name in ("a", "b", "c", "d")]
    save(tmp_path, "masks/dog/a.png", np.repeat((left[..., :1] > 0) * np.uint8(255), 3, axis=2))
    Image.fromarray((left[..., 0] == 0).astype(np.uint8)).save(tmp_path / "masks" / "b.png")  # flat, just above black
    save(tmp_path, "masks/dog/c.png", np.zeros((9, 9, 3), np.uint8))  # another size; d has none
    masks = masks_beside(folder(tmp_path / "in", []), tmp_path / "masks")
    found = last(energy_in_region(red_is_dog, folder(tmp_path / "in", files), masks, 1, framing="stretch"))
    assert [share.file for share in found.shares] == ["dog/a.png", "dog/b.png"]
    a, b = found.shares
    assert a.energy + b.energy == pytest.approx(1)
    assert (a.area, b.area) == (0.25, 0.75)
    assert a.energy > 0.6
    assert [one.file.name for one in found.skipped] == ["c.png", "d.png"]
    assert "9×9" in found.skipped[0].reason
    assert "no mask" in found.skipped[1].reason
    assert found.done == found.total == 4


def test_damaged_pictures_are_skipped_and_counted(red_is_dog, tmp_path):
    for i in range(4):
        save(tmp_path, f"cat/{i}.png", painted((EVERYWHERE, EVERYWHERE)))
        save(tmp_path, f"dog/{i}.png", painted((EVERYWHERE, EVERYWHERE)))
    (tmp_path / "dog" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = last(energy_in_region(red_is_dog, read_folder(tmp_path), QUARTER, 1))
    assert (found.energy.n, len(found.skipped), found.done, found.total) == (7, 1, 8, 8)


def test_what_is_asked_is_checked_at_the_call(red_is_dog, tmp_path):
    data = folder(tmp_path, [])
    for box in ((0.5, 0, 0.5, 1), (0, 0, 2, 1), (0.5, 0.5, 0.2, 1), (0, 0, 1)):
        with pytest.raises(CamcoreError, match="top, left, bottom, right"):
            energy_in_region(red_is_dog, data, box, 1)
    with pytest.raises(ModelError, match="no class 2"):
        energy_in_region(red_is_dog, data, QUARTER, 2)
    with pytest.raises(MethodError, match="many passes"):
        energy_in_region(red_is_dog, data, QUARTER, 1, method="scorecam")
    with pytest.raises(CamcoreError, match="not there"):
        masks_beside(data, tmp_path / "none")


def test_the_table(tmp_path):
    path = write_shares(tmp_path / "new" / "e.csv", shares([0.5, 0.0]))
    assert path.read_text() == "file,energy,area,empty\n0.png,0.500000,0.250000,0\n1.png,0.000000,0.250000,1\n"
