"""The way from a picture of an audit to another page: the same network, layer, framing and file."""

from __future__ import annotations

from pathlib import Path

import pytest
from audited import MadeUp, draw_pictures, make_audit
from small import network_folder

import camcore
from ui.audit import chosen


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    """An audit of "pets", which is here."""
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    network_folder(tmp_path / "home" / "networks" / "pets", ["cat", "dog"])
    return make_audit(tmp_path / "audit", tmp_path / "pictures", 4, failed=())


def test_the_address_names_the_map_of_the_audit(made: MadeUp) -> None:
    assert chosen.query(made.manifest, "pets") == {
        "model": "pets",
        "random": "true",
        "framing": "stretch",
        "method": "gradcam",
        "layer": "stage1",
    }
    assert chosen.query(made.manifest, "pets", chosen.LESSON) == {"model": "pets"}


def test_the_file_is_handed_over_as_it_is(made: MadeUp) -> None:
    draw_pictures(made)
    path = made.rows[2]["path"]
    assert chosen.file_of(made.manifest, path) == (Path(made.manifest.base) / path).read_bytes()


def test_a_file_that_is_too_large_is_made_smaller(made: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_pictures(made)
    monkeypatch.setattr(chosen, "LIMIT", 1000)
    monkeypatch.setattr(chosen, "MOST_SIDE", 24)
    picture = camcore.open_picture(chosen.file_of(made.manifest, made.rows[2]["path"]))
    assert (picture.height, picture.width) == (20, 24)


def test_a_picture_that_is_gone_is_refused(made: MadeUp) -> None:
    with pytest.raises(camcore.CamcoreError):
        chosen.file_of(made.manifest, made.rows[0]["path"])
