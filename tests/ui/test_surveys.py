"""Looking through a folder of pictures."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ui import surveys


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    surveys._surveys.clear()


def fill(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(number):
        Image.fromarray(np.full((16, 16, 3), i, np.uint8)).save(folder / f"{i}.png")


def looked_at(path: Path | str) -> surveys.Found:
    return surveys.survey(str(path), start=surveys.Survey.run).found


def test_counts_and_damaged_files(tmp_path: Path) -> None:
    fill(tmp_path / "cat", 5)
    fill(tmp_path / "dog" / "deep", 3)
    (tmp_path / "dog" / "deep" / "cut.png").write_bytes((tmp_path / "cat" / "0.png").read_bytes()[:50])
    (tmp_path / "dog" / "notes.txt").write_text("words")
    (tmp_path / "empty").mkdir()
    found = looked_at(tmp_path)
    assert found.finished
    assert found.failure is None
    assert found.counts == {"cat": 5, "dog": 4}
    assert (found.total, found.checked, found.others) == (9, 9, 1)
    assert found.usable == {"cat": 5, "dog": 3}
    assert [skipped.file.name for skipped in found.damaged] == ["cut.png"]


def test_a_survey_is_shared_and_renewed_when_the_folder_changes(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    first = surveys.survey(str(tmp_path), start=surveys.Survey.run)
    assert surveys.survey(str(tmp_path), start=surveys.Survey.run) is first
    time.sleep(0.02)
    fill(tmp_path / "rat", 2)
    assert looked_at(tmp_path).counts == {"cat": 2, "dog": 2, "rat": 2}


@pytest.mark.parametrize("make", ["nothing", "file", "empty", "one class", "no folders"])
def test_a_folder_that_will_not_do_is_told_in_words(make: str, tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    if make == "file":
        root.write_text("words")
    elif make == "empty":
        root.mkdir()
    elif make == "one class":
        fill(root / "cat", 5)
    elif make == "no folders":
        fill(root, 5)
    found = looked_at(root)
    assert found.finished
    assert found.counts is None
    assert found.failure is not None
    assert found.failure.kind == "CamcoreError"
    assert str(root) in found.failure.message


def test_a_folder_that_comes_later_is_found(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "x").failure is not None
    fill(tmp_path / "x" / "a", 1)
    fill(tmp_path / "x" / "b", 1)
    assert looked_at(tmp_path / "x").counts == {"a": 1, "b": 1}


def test_a_vast_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "MAX_FILES", 3)
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    found = looked_at(tmp_path)
    assert found.failure is not None
    assert "too many" in found.failure.message


def test_nobody_looking_ends_it_and_the_next_one_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    with monkeypatch.context() as patch:
        patch.setattr(surveys, "PATIENCE", -1.0)
        assert not looked_at(tmp_path).finished
    assert looked_at(tmp_path).finished


def test_in_the_background(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    end = time.monotonic() + 20
    while not surveys.survey(str(tmp_path)).found.finished:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_home_of_nobody() -> None:
    assert surveys.root_of("~no such user~/x").is_absolute()
