"""ZIP files made to harm: budgets on entries, bytes, depth and seconds hold, whatever the entries are."""

from __future__ import annotations

import io
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
from zip_files import packed, picture

from camcore import CamcoreError
from camcore.__main__ import main
from ui import limits, zip_pictures
from ui.training.form import Form

PICTURE = picture()


def read(archive: io.BytesIO) -> list[zip_pictures.PackedPicture]:
    return list(zip_pictures.read(archive, "x.zip"))


def test_of_what_is_no_picture_only_the_beginning_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = []
    read_more = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int = -1) -> bytes:
        data = read_more(self, n)
        unpacked.append(len(data))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    bomb = packed({f"a/{number}.jpg": bytes(10 << 20) for number in range(8)} | {"b/1.png": PICTURE})
    assert [one.name for one in read(bomb)] == ["1.png"]
    assert sum(unpacked) <= 9 * 16 + len(PICTURE)


def test_deep_names_are_refused_at_once() -> None:
    archive = packed({f"{'d/' * 20_000}{number}.png": PICTURE for number in range(20)})
    began = time.monotonic()
    with pytest.raises(CamcoreError, match=r"holds folders that lie more than 32 deep.*Upload a part of it"):
        read(archive)
    assert time.monotonic() - began < 1


def test_entries_have_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_pictures, "MAX_ENTRIES", 3)
    with pytest.raises(CamcoreError, match="holds 4 files"):
        read(packed({f"{number}.txt": b"words" for number in range(4)}))


def test_the_list_of_entries_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read in one go by zipfile, before anybody could count."""
    monkeypatch.setattr(zip_pictures, "_MOST_LISTING", 100_000)
    with pytest.raises(CamcoreError, match="holds a list of its files of more than"):
        read(packed({f"{'n' * 60_000}{number}.png": PICTURE for number in range(3)}))


def test_seconds_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_pictures, "MAX_SECONDS", -1.0)
    with pytest.raises(CamcoreError, match="takes longer than"):
        read(packed({"a/1.png": PICTURE}))


@pytest.mark.parametrize(("name", "label"), [("--out", "out"), ("-x", "x"), ("--", "_"), ("a*b?c", "a_b_c")])
def test_a_class_in_a_zip_file_is_not_called_like_an_option(name: str, label: str) -> None:
    found = read(packed({f"{name}/1.png": PICTURE, "cat/1.png": PICTURE}))
    assert [one.label for one in found] == [label, "cat"]


def test_class_folders_stay_apart_under_names_that_a_file_system_takes() -> None:
    odd = ["a*b", "a?b", "a_b", "A_B", "a_b 2", "\u202egod", "\N{CJK UNIFIED IDEOGRAPH-732B}" * 100, "🐈" * 90]
    labels = [one.label for one in read(packed({f"{name}/1.png": PICTURE for name in odd}))]
    assert len({label.casefold() for label in labels}) == len(odd)
    assert labels[:2] == ["a_b", "a_b 2"]
    assert max(len(label.encode()) for label in labels) <= 255
    assert labels[5] == "_god"


def test_ten_thousand_names_that_are_one() -> None:
    began = time.monotonic()
    names = zip_pictures._harmless([f"{number:014b}".replace("0", "*").replace("1", "?") for number in range(10_000)])
    assert len(set(names.values())) == 10_001
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_methods_than_deflate_are_refused(method: int) -> None:
    """An entry by LZMA may ask for four gigabytes before it unpacks a byte."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a/1.png", PICTURE)
    with pytest.raises(CamcoreError, match=r"by another method than Deflate\. .* Pack it again as a plain ZIP file"):
        read(file)


@pytest.mark.parametrize("name", ["--out", "-x"])
def test_a_folder_called_like_an_option_is_a_class(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (name, "cat"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "1.png").write_bytes(PICTURE)
    arguments = Form(str(tmp_path / "in"), "x", ("cat", name)).arguments()
    assert main(["train", *arguments, "--out", str(tmp_path / "out")]) == 1
    assert f"The class {name!r} has 1 picture" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_limit_of_uploads() -> None:
    configuration = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
    server = tomllib.loads(configuration.read_text("utf-8"))["server"]
    assert server["maxUploadSize"] == limits.UPLOAD_MB
    assert server["address"] == "localhost"
    assert (limits.upload_mb(), limits.picture_mb()) == (limits.UPLOAD_MB, limits.PICTURE_MB)
