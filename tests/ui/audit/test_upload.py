"""Uploaded pictures and ZIP files: only pictures arrive, only in their folder, and no more than is taken."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from zip_files import packed, picture

from camcore import CamcoreError
from camcore.audits.sources import list_pictures
from ui import zip_pictures
from ui.audit import upload

PICTURE = picture()


def received(folder: Path, **files: bytes | io.BytesIO) -> list[tuple[str | None, str]]:
    """(label, name) of what arrives; a name's last ``_`` is its dot."""
    given = [
        (".".join(name.rsplit("_", 1)), io.BytesIO(data) if isinstance(data, bytes) else data)
        for name, data in files.items()
    ]
    arrived = upload.receive(given, folder)
    found = list_pictures(str(folder))
    assert arrived == upload.Received(len(found), len({label for label in found.labels if label}))
    return [(label, Path(path).name.split("_", 1)[1]) for path, label in zip(found.paths, found.labels, strict=True)]


def test_folders_of_a_zip_file_are_classes(tmp_path: Path) -> None:
    archive = packed({f"all/{name}": PICTURE for name in ("cat/1.png", "dog/old/1.png")} | {"all/cat/notes.txt": b"x"})
    assert received(tmp_path / "in", x_zip=archive) == [("cat", "1.png"), ("dog", "1.png")]


def test_a_class_keeps_its_apostrophe(tmp_path: Path) -> None:
    archive = packed({"carpenter's_kit/1.png": PICTURE, "yellow_lady's_slipper/1.png": PICTURE})
    labels = [label for label, _ in received(tmp_path / "in", x_zip=archive)]
    assert labels == ["carpenter's_kit", "yellow_lady's_slipper"]


def test_single_pictures_take_all_labels_away(tmp_path: Path) -> None:
    archive = packed({"cat/1.png": PICTURE, "dog/1.png": PICTURE})
    found = received(tmp_path / "in", x_zip=archive, y_jpg=picture("JPEG"), notes_txt=b"words")
    assert found == [(None, "1.png"), (None, "1.png"), (None, "y.jpg")]


def test_a_flat_zip_file_has_no_labels(tmp_path: Path) -> None:
    archive = packed({f"holiday/{i}.png": PICTURE for i in range(3)})
    assert received(tmp_path / "in", x_zip=archive) == [(None, f"{i}.png") for i in range(3)]


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    names = ["../../evil.png", "/etc/cat/1.png", "C:\\dog\\1.png", "a/../../b/1.png", "<i>/1.png", "con/…/ .png"]
    upload.receive(
        [("../../x.zip", packed(dict.fromkeys(names, PICTURE))), ("../y.png", io.BytesIO(PICTURE))], tmp_path / "in"
    )
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert everything
    assert all(path.is_relative_to(tmp_path / "in") and not set(path.name) & set("/\\<> ") for path in everything)


@pytest.mark.parametrize("limit", ["MAX_PICTURES", "MAX_TOTAL"])
def test_there_is_a_most_over_all_files(limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, limit, 3 if limit == "MAX_PICTURES" else 3 * len(PICTURE))
    with pytest.raises(CamcoreError, match="more than"):
        upload.receive([(f"{i}.png", io.BytesIO(PICTURE)) for i in range(4)], tmp_path / "in")
    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.zip", b"PK nothing", "not a ZIP file"),
        ("x.zip", b"", "not a ZIP file"),
        ("x.zip", packed({"a.txt": b"words"}).getvalue(), "None of these files"),
        ("x.png", b"", "None of these files"),
        ("x.png", PICTURE + bytes(zip_pictures.MAX_BYTES), "None of these files"),
    ],
)
def test_what_holds_no_picture_is_refused(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(CamcoreError, match=said):
        upload.receive([(name, io.BytesIO(data))], tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CamcoreError, match="cannot be kept"):
        upload.receive([("x.png", io.BytesIO(PICTURE))], tmp_path / "file" / "in")
