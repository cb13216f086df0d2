"""An uploaded ZIP file: whatever it holds, only pictures arrive, and only where they belong."""

import io
from pathlib import Path

import pytest
from zip_files import packed, picture

from camcore import CamcoreError
from ui import zip_pictures
from ui.training import zip_upload

PICTURE = picture()


def contents(folder: Path) -> dict[str, int]:
    return {sub.name: len(list(sub.iterdir())) for sub in sorted(folder.iterdir())}


@pytest.mark.parametrize("prefix", ["", "flowers/", "a/b/"])
def test_classes_are_the_first_folders_that_differ(prefix: str, tmp_path: Path) -> None:
    files = {f"{prefix}{name}": PICTURE for name in ("daisy/1.png", "daisy/sub/2.png", "rose/1.png")}
    folder = zip_upload.unpack(packed(files), "flowers.zip", tmp_path / "pictures")
    assert folder == tmp_path / "pictures" / "flowers"
    assert contents(folder) == {"daisy": 2, "rose": 1}
    assert next((folder / "rose").iterdir()).read_bytes() == PICTURE


def test_names_in_the_archive_lead_nowhere_else(tmp_path: Path) -> None:
    climbing = ["../../evil/1.png", "cat\\..\\..\\x\\1.png", "cat/../../../2.png"]
    names = ["/etc/cat/1.png", "C:\\cat\\1.png", "do<g>/1.png"]
    archive = packed(dict.fromkeys(climbing + names, PICTURE))
    folder = zip_upload.unpack(archive, "../../../tmp/e vil.zip", tmp_path / "in")
    assert folder.parent == tmp_path / "in"
    assert folder.name == "e-vil"
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(everything) == len(names)
    assert all(path.parent.parent == folder for path in everything)
    assert not [path for path in folder.iterdir() if set(path.name) & set("/\\<>")]


def test_what_is_no_picture_is_left_out(tmp_path: Path) -> None:
    files = {
        **{f"{name}/1.jpg": PICTURE for name in ("cat", "dog")},
        "cat/run.sh": b"#!/bin/sh",
        "cat/words.jpg": b"words",
        "__MACOSX/cat/._1.jpg": PICTURE,
        "dog/.hidden.png": PICTURE,
        "loose.png": PICTURE,
        "dog/huge.png": PICTURE + bytes(zip_pictures.MAX_BYTES),
    }
    assert contents(zip_upload.unpack(packed(files), "x.zip", tmp_path)) == {"cat": 1, "dog": 1}


def test_a_second_archive_of_the_same_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    files = {"cat/1.png": PICTURE, "dog/1.png": PICTURE}
    first, second = (zip_upload.unpack(packed(files), "pets.zip", tmp_path) for _ in range(2))
    assert (first.name, second.name) == ("pets", "pets-2")


@pytest.mark.parametrize("limit", ["MAX_PICTURES", "MAX_TOTAL"])
def test_more_than_is_taken_leaves_nothing(limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_pictures, limit, 2)
    files = {f"{name}/{i}.png": PICTURE for name in ("cat", "dog") for i in range(2)}
    with pytest.raises(CamcoreError, match="more than"):
        zip_upload.unpack(packed(files), "x.zip", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"words", packed({"a/1.png": PICTURE}).getvalue()[:60]])
def test_no_zip_file(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(CamcoreError, match="is not a ZIP file"):
        zip_upload.unpack(io.BytesIO(data), "x.zip", tmp_path)


def test_no_pictures_in_class_folders(tmp_path: Path) -> None:
    with pytest.raises(CamcoreError, match="no pictures in class folders"):
        zip_upload.unpack(packed({"1.png": PICTURE, "notes.txt": b"words"}), "x.zip", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CamcoreError, match="cannot be unpacked into"):
        zip_upload.unpack(packed({"a/1.png": PICTURE, "b/1.png": PICTURE}), "x.zip", tmp_path / "file")
