"""Looking through a folder of pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ui.jobs.job import Job
from ui.jobs.runner import Runner
from ui.networks import Networks
from ui.picture_folders import root_of
from ui.training.work import Survey, survey_work


@pytest.fixture
def runner() -> Runner:
    """TensorFlow is never started: a survey needs none."""
    return Runner(Networks(lambda *_, **__: None))


def fill(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(number):
        Image.fromarray(np.full((16, 16, 3), i, np.uint8)).save(folder / f"{i}.png")


def looked_at(runner: Runner, path: Path | str) -> Job[Survey]:
    job = runner.ask(survey_work(str(path)), "me")
    assert job.wait_for_end(20)
    return job


def test_counts_and_damaged_files(runner: Runner, tmp_path: Path) -> None:
    fill(tmp_path / "cat", 5)
    fill(tmp_path / "dog" / "deep", 3)
    (tmp_path / "dog" / "deep" / "cut.png").write_bytes((tmp_path / "cat" / "0.png").read_bytes()[:50])
    (tmp_path / "dog" / "notes.txt").write_text("words")
    (tmp_path / "empty").mkdir()
    job = looked_at(runner, tmp_path)
    survey: Any = job.value
    assert job.state == "done"
    assert survey.counts == {"cat": 5, "dog": 4}
    assert (survey.total, survey.checked, survey.others) == (9, 9, 1)
    assert survey.usable == {"cat": 5, "dog": 3}
    assert [skipped.file.name for skipped in survey.damaged] == ["cut.png"]


def test_is_counted_before_a_picture_is_opened(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    work = survey_work(str(tmp_path))
    first, *rest = work.steps(None, Job(work))
    assert (first.value.counts, first.value.checked) == ({"cat": 2, "dog": 2}, 0)
    assert [update.share for update in rest] == [0.25, 0.5, 0.75, 1.0]


def test_a_survey_is_shared_and_renewed_when_the_folder_changes(runner: Runner, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    first = looked_at(runner, tmp_path)
    assert runner.known(survey_work(str(tmp_path))) is first.value
    fill(tmp_path / "rat", 2)
    assert runner.known(survey_work(str(tmp_path))) is None
    assert looked_at(runner, tmp_path).value.counts == {"cat": 2, "dog": 2, "rat": 2}


@pytest.mark.parametrize("make", ["nothing", "file", "empty", "one class", "no folders"])
def test_a_folder_that_will_not_do_is_told_in_words(runner: Runner, make: str, tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    if make == "file":
        root.write_text("words")
    elif make == "empty":
        root.mkdir()
    elif make == "one class":
        fill(root / "cat", 5)
    elif make == "no folders":
        fill(root, 5)
    job = looked_at(runner, root)
    assert (job.state, job.value) == ("failed", None)
    assert job.failure is not None
    assert job.failure.kind == "CamcoreError"
    assert str(root) in job.failure.message


def test_a_folder_that_comes_later_is_found(runner: Runner, tmp_path: Path) -> None:
    absent = survey_work(str(tmp_path / "x"))
    assert looked_at(runner, tmp_path / "x").failure is not None
    fill(tmp_path / "x" / "a", 1)
    fill(tmp_path / "x" / "b", 1)
    assert survey_work(str(tmp_path / "x")) != absent, "a page asks anew"
    assert looked_at(runner, tmp_path / "x").value.counts == {"a": 1, "b": 1}


def test_a_vast_folder_is_refused(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.training.work.MAX_FILES", 3)
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    job = looked_at(runner, tmp_path)
    assert job.failure is not None
    assert "too many" in job.failure.message


def test_nobody_looking_ends_it_and_the_next_one_begins_anew(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 2)
    with monkeypatch.context() as patch:
        patch.setattr("ui.jobs.job.PATIENCE", -1.0)
        assert looked_at(runner, tmp_path).state == "stopped"
    assert looked_at(runner, tmp_path).state == "done"


def test_the_home_of_nobody() -> None:
    assert root_of("~no such user~/x").is_absolute()
