"""Small pictures of the gallery, against the same made at full size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from audited import draw_pictures, make_audit

import camcore
from camcore.framing import frame_for
from camcore.render.overlay import blend
from ui.audit.opened import OpenAudit, opening
from ui.audit.thumbnails import Thumbnail, overlay, thumbnails
from ui.rasters import MapLook


def opened_audit(folder: Path) -> OpenAudit:
    *_, last = opening(folder).steps(None, None)
    return last.value


def made_of(opened: OpenAudit, paths: list[str]) -> tuple[Thumbnail, ...]:
    *_, last = thumbnails(opened, paths).steps(None, None)
    return last.value


def test_a_picture_lies_under_its_own_map(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 20)
    draw_pictures(made)
    opened = opened_audit(made.folder)
    places = [17, 2, 5]
    found = made_of(opened, [made.rows[place]["path"] for place in places])
    for place, one in zip(places, found, strict=True):
        picture = camcore.open_picture(tmp_path / "pictures" / made.rows[place]["path"])
        np.testing.assert_array_equal(one.rgb, picture.rgb)
        if place == 5:  # it has no map, as it could not be used
            assert one.values is None
            continue
        placed = frame_for((40, 48), (32, 32), "stretch").to_picture(made.maps[place].astype(np.float32))
        drawn = overlay(one.rgb, one.values, one.size, opened.manifest, MapLook(40))
        np.testing.assert_array_equal(drawn, blend(picture.rgb, placed, 0.4, by_value=True))


def test_a_picture_that_is_gone_is_told(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 4, failed=())
    draw_pictures(made)
    (tmp_path / "pictures" / made.rows[1]["path"]).unlink()
    (tmp_path / "pictures" / made.rows[2]["path"]).write_bytes(b"no picture")
    found = made_of(opened_audit(made.folder), [row["path"] for row in made.rows])
    assert [one.rgb is None for one in found] == [False, True, True, False]
    assert all(one.problem for one in found[1:3])
