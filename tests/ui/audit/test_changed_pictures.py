"""The two maps of a picture beside each other, against the overlays that they are made of."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited import draw_pictures, make_audit
from PIL import Image

from ui.audit.changed_pictures import pair
from ui.audit.opened import OpenAudit, opening
from ui.audit.thumbnails import SIDE, Thumbnail, overlay, thumbnails
from ui.rasters import MapLook

PATH = "cat/001.png"


def opened_audit(folder: Path) -> OpenAudit:
    *_, last = opening(folder).steps(None, None)
    return last.value


def thumbnail(opened: OpenAudit) -> Thumbnail:
    *_, last = thumbnails(opened, [PATH]).steps(None, None)
    return last.value[0]


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))), np.float64)


@pytest.fixture
def two(tmp_path: Path) -> tuple[OpenAudit, OpenAudit]:
    """Two audits of the same pictures, with other maps."""
    audits = [make_audit(tmp_path / name, tmp_path / "pictures", 12, seed=seed) for seed, name in enumerate("ab")]
    draw_pictures(audits[0], (80, 96))
    return opened_audit(audits[0].folder), opened_audit(audits[1].folder)


def test_left_is_this_audit_and_right_the_other(two: tuple[OpenAudit, OpenAudit]) -> None:
    look = MapLook(100, by_value=False)
    one, other = (thumbnail(opened) for opened in two)
    url = pair(one, other, *two, look)
    assert url is not None
    both = pixels(url)
    parts = [
        overlay(found.rgb, found.values, found.size, opened.manifest, look)
        for found, opened in zip((one, other), two, strict=True)
    ]
    height, width = round(SIDE * 80 / 96), SIDE
    parts = [np.asarray(Image.fromarray(part).resize((width, height), Image.Resampling.BILINEAR)) for part in parts]
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    for part, square in zip(parts, (both[:, :SIDE], both[:, -SIDE:]), strict=True):
        drawn = square[top : top + height, left : left + width]
        assert np.abs(drawn - part).mean() < 6  # JPEG
    assert np.abs(parts[0].astype(float) - parts[1]).mean() > 20


def test_a_picture_that_one_audit_has_no_file_for_stands_alone(two: tuple[OpenAudit, OpenAudit]) -> None:
    one, other = (thumbnail(opened) for opened in two)
    gone = replace(other, key="gone", rgb=None, values=None, problem="It is not there.")
    url = pair(one, gone, *two, MapLook(50))
    assert url is not None
    right = pixels(url)[:, -SIDE:]
    assert np.ptp(right[:, 10:]) < 6  # grey, as far as JPEG keeps it
    assert pair(replace(one, key="also gone", rgb=None, values=None), gone, *two, MapLook(50)) is None
