"""Pixels for the page: sizes, the geometry under the pointer, and what the encoded picture holds."""

import base64
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import camcore
from camcore.framing import FRAMINGS, CellGrid, frame_for
from camcore.render.overlay import UNSEEN
from ui import rasters


def map_on(picture: camcore.Picture, framing: str, raw: np.ndarray) -> camcore.CamMap:
    frame = frame_for((picture.height, picture.width), (224, 224), framing)
    return camcore.CamMap(
        "gradcam", "deep", 0, "cat", 0.5, 0.0, raw, raw / raw.max(), None, 0.0, None, "tiny", frame,
        CellGrid.uniform(raw.shape, (224, 224)),
    )  # fmt: skip


def decoded(url: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(url.split(",", 1)[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]


@pytest.fixture
def picture() -> camcore.Picture:
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(0, 255, (6, 9, 3), np.uint8), (1200, 800), interpolation=cv2.INTER_CUBIC)
    return camcore.Picture.from_array(smooth)


def test_shrink_never_enlarges_and_keeps_the_shape(picture: camcore.Picture) -> None:
    assert rasters.shrink(picture.rgb, 300).shape == (200, 300, 3)
    assert rasters.shrink(picture.rgb, 5000) is picture.rgb


def test_the_shown_photograph_is_the_photograph(picture: camcore.Picture) -> None:
    shown = decoded(rasters.photo_url(picture))
    assert shown.shape == (640, 960, 3)
    assert np.abs(shown.astype(int) - rasters.shrink(picture.rgb, 960)).mean() < 3


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("smooth", [True, False])
def test_the_overlay_is_what_an_export_would_be(picture: camcore.Picture, framing: str, smooth: bool) -> None:
    raw = np.arange(1, 50, dtype=np.float32).reshape(7, 7)
    m = map_on(picture, framing, raw)
    look = rasters.MapLook(60, "magma", smooth)
    shown = decoded(rasters.overlay_url(picture, m, (framing, smooth), look))
    full = camcore.overlay(picture, m, 0.6, "magma", smooth, by_value=True)
    assert np.abs(shown.astype(int) - rasters.shrink(full, 960)).mean() < 4


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_value_under_the_pointer_is_that_of_the_drawn_cell(picture: camcore.Picture, framing: str) -> None:
    raw = np.random.default_rng(1).random((7, 5)).astype(np.float32)
    m = map_on(picture, framing, raw)
    grid = rasters.hover(m)
    sent = np.frombuffer(base64.b64decode(grid["raw"]), "<f4").reshape(grid["rows"], grid["columns"])
    assert np.array_equal(sent, raw)
    drawn = m.frame.to_picture(raw, m.cells, smooth=False)
    for y, x in np.random.default_rng(2).integers(0, (picture.height, picture.width), (200, 2)):
        if np.isnan(drawn[y, x]):
            continue
        cell = [
            int(
                np.clip(
                    round((grid["scale"][a] * p + grid["shift"][a] - grid["first"][a]) / grid["stride"][a]), 0, n - 1
                )
            )
            for a, (p, n) in enumerate(((y, 7), (x, 5)))
        ]
        assert sent[cell[0], cell[1]] == pytest.approx(drawn[y, x])


def test_a_field_lights_the_pixels_that_it_names() -> None:
    strength = np.zeros((40, 40), np.float32)
    strength[10:14, 20:24] = 1
    field = SimpleNamespace(on_picture=lambda max_side: strength)
    rgb = np.full((40, 40, 3), 200, np.uint8)
    drawn = rasters.lit(rgb, field)[..., 0]
    assert drawn[11:13, 21:23].min() > 180
    assert drawn[30:, :].max() == drawn[0, 0] == round(200 * UNSEEN)
