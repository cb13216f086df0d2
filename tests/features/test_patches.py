"""Patches that excite a channel: against a naive search, resumed work, planted patterns, damaged files."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from networks import flat
from PIL import Image

import camcore
from camcore.features.patches import Patch, cut_out, picture_files, strongest_patches


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), preprocess=lambda rgb: rgb / 127.5 - 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for n in range(14):
        (root / f"class{n % 3}").mkdir(exist_ok=True)
        size = (int(rng.integers(12, 40)), int(rng.integers(12, 40)), 3)
        Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(root / f"class{n % 3}" / f"{n:02d}.png")
    (root / "class0" / "notes.txt").write_text("no picture")
    (root / ".hidden").mkdir()
    Image.new("RGB", (9, 9)).save(root / ".hidden" / "a.png")
    (root / "class1" / "03b.jpg").write_bytes(b"\xff\xd8\xff damaged")
    return root


def test_files_are_found_in_order_by_how_they_begin(folder):
    names = [file.name for file in picture_files(folder)]
    assert len(names) == 15
    assert "notes.txt" not in names
    assert names == sorted(names, key=lambda name: (_class(name), name))


def _class(name: str) -> int:
    return 1 if name == "03b.jpg" else int(name[:2]) % 3


@pytest.mark.parametrize("layer", ["conv1", "features"])
@pytest.mark.parametrize("framing", ["crop", "letterbox"])
def test_as_a_naive_search_finds_them(network, folder, layer, framing):
    files = [file for file in picture_files(folder) if file.suffix == ".png"]
    *_, found = strongest_patches(network, files, layer, framing, top=4)
    A = [camcore.activations(network, camcore.open_picture(file), layer, framing)[layer] for file in files]
    for channel in range(A[0].shape[2]):
        ranked = sorted(range(len(files)), key=lambda n: -A[n][..., channel].max())[:4]
        patches = found.of(channel)
        assert [patch.value for patch in patches] == pytest.approx([A[n][..., channel].max() for n in ranked], rel=1e-5)
        for patch in patches:
            own = A[files.index(patch.file)][..., channel]
            assert patch.value == pytest.approx(own[patch.row, patch.column], rel=1e-5)
            assert patch.value == pytest.approx(own.max(), rel=1e-5)
        assert len({patch.file for patch in patches}) == 4, "one for each picture"


def test_damaged_files_are_skipped_and_told(network, folder):
    *_, found = strongest_patches(network, picture_files(folder))
    assert found.done == 15
    assert [one.file.name for one in found.skipped] == ["03b.jpg"]
    assert not any(patch.file.name == "03b.jpg" for k in range(6) for patch in found.of(k))


def test_stopped_work_goes_on_where_it_was(network, folder, monkeypatch):
    files = picture_files(folder)
    *_, whole = strongest_patches(network, files)
    monkeypatch.setattr("camcore.features.patches.BATCH", 4)
    begun = strongest_patches(network, files)
    next(begun)
    half = next(begun)
    begun.close()
    assert half.done == 8
    steps = list(strongest_patches(network, files, so_far=half))
    assert [step.done for step in steps] == [12, 15]
    for name in ("pictures", "cells"):
        np.testing.assert_array_equal(getattr(steps[-1], name), getattr(whole, name))
    np.testing.assert_allclose(steps[-1].values, whole.values, rtol=1e-6)
    assert steps[-1].skipped == whole.skipped
    with pytest.raises(camcore.CamcoreError, match="belongs to another"):
        strongest_patches(network, files, "conv1", so_far=half)


def test_a_folder_above_all_others_is_refused_before_a_file_is_opened(folder, monkeypatch):
    monkeypatch.setattr("camcore.features.patches.MOST_FILES", 10)
    monkeypatch.setattr("camcore.features.patches._is_picture", lambda path: pytest.fail("opened"))
    with pytest.raises(camcore.CamcoreError, match="more than 10 files"):
        picture_files(folder)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_paths_that_no_system_takes_are_no_folders(path):
    with pytest.raises(camcore.CamcoreError, match="There is no folder"):
        picture_files(path)


def test_few_pictures_leave_places_empty(network, folder):
    *_, found = strongest_patches(network, picture_files(folder)[:2])
    assert len(found.of(0)) == 2
    assert np.isneginf(found.values[:, 2:]).all()


def test_a_planted_pattern_is_cut_out(tmp_path):
    """A channel that answers to red alone: the patch is the red square of the original picture."""
    x = keras.Input((24, 24, 3))
    conv = layers.Conv2D(1, 4, strides=4, name="red", use_bias=False)
    network = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(conv(x)))))
    kernel = np.zeros((4, 4, 3, 1), np.float32)
    kernel[..., 0, 0], kernel[..., 1, 0] = 1, -1
    conv.set_weights([kernel])
    for n, (row, column) in enumerate([(0, 0), (2, 5), (5, 3)]):
        rgb = np.full((48, 48, 3), 90, np.uint8)
        rgb[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = (180 + 30 * n, 0, 0)
        Image.fromarray(rgb).save(tmp_path / f"{n}.png")
    *_, found = strongest_patches(network, picture_files(tmp_path), "red", "stretch")
    patches = found.of(0)
    assert [(p.file.name, p.row, p.column) for p in patches] == [("2.png", 5, 3), ("1.png", 2, 5), ("0.png", 0, 0)]
    assert patches[0].value == pytest.approx(16 * 240, rel=0.08)
    for patch in patches:
        pixels = cut_out(network, patch, camcore.open_picture(patch.file), "red", "stretch")
        assert pixels.shape == (8, 8, 3)
        assert (pixels[..., 1] == 0).all()


def test_a_field_larger_than_the_picture_is_all_that_was_seen(network):
    pic = camcore.Picture.from_array(np.zeros((40, 30, 3), np.uint8))
    pixels = cut_out(network, Patch(Path("x"), 0, 0, 1.0), pic, "features", "stretch")
    # 7 pixels around the centre 1 of an input of 12 × 10: −2.0 to 5.0, cut off at 0.
    assert pixels.shape == (round(5 / 12 * 40 + 0.5), 15, 3)


def test_refusals(network, folder, tmp_path):
    with pytest.raises(camcore.CamcoreError, match="There is no folder"):
        picture_files(folder / "nowhere")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(camcore.CamcoreError, match="holds no pictures"):
        picture_files(tmp_path)
    with pytest.raises(camcore.CamcoreError, match="at least 1"):
        strongest_patches(network, [])
    with pytest.raises(camcore.LayerError, match="cannot carry a heatmap"):
        strongest_patches(network, picture_files(folder), "scores")
    with pytest.raises(camcore.CamcoreError, match="framing"):
        strongest_patches(network, picture_files(folder), framing="tilt")
    *_, found = strongest_patches(network, picture_files(folder)[:1])
    with pytest.raises(camcore.LayerError, match="no channel 6"):
        found.of(6)
