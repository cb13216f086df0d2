"""A run's folder: what is written can be read, by another process and after a kill."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from camcore import CamcoreError
from camcore.training.runs import (
    SILENCE_SECONDS,
    Epoch,
    Run,
    RunProgress,
    Stopped,
    ask_to_stop,
    checkpoints,
    read_log,
    read_progress,
    read_recipe,
)

LINE = Epoch(1, 32, 1e-3, 0.7, 0.5, 0.69, 0.55, 12.5)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", {"epochs": 3})


def test_the_recipe_is_there_at_once(run: Run) -> None:
    assert read_recipe(run.folder) == {"epochs": 3}


def test_another_recipe_does_not_take_the_folder(run: Run) -> None:
    with pytest.raises(CamcoreError, match="another recipe"):
        Run(run.folder, {"epochs": 4})
    assert read_recipe(run.folder) == {"epochs": 3}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CamcoreError, match="cannot be written"):
        Run(tmp_path / "file" / "run", {})


def test_progress_is_read_back_and_says_who_wrote_it(run: Run) -> None:
    run.report(RunProgress("training", "", 2, 3, 5, 10, 7.5))
    found = read_progress(run.folder)
    assert found is not None
    assert replace(found, pid=0, updated=0.0) == RunProgress("training", "", 2, 3, 5, 10, 7.5)
    assert found.pid == os.getpid()
    assert found.alive


def test_a_dead_process_is_not_alive(run: Run) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    now = time.time()
    assert not RunProgress("training", pid=ended.pid, updated=now).alive
    assert not RunProgress("training", pid=os.getpid(), updated=now - SILENCE_SECONDS - 1).alive
    assert not RunProgress("done", pid=os.getpid(), updated=now).alive
    assert not RunProgress("training", pid=0, updated=now).alive


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "dreaming"}', '{"state": "done", "mood": 1}'])
def test_unreadable_progress_is_none(run: Run, text: str) -> None:
    (run.folder / "progress.json").write_text(text)
    assert read_progress(run.folder) is None


def test_the_log_is_read_back(run: Run) -> None:
    second = replace(LINE, epoch=2, loss=0.25)
    run.log(LINE)
    run.log(second)
    assert read_log(run.folder) == (LINE, second)
    assert (run.folder / "log.csv").read_text().splitlines()[0].startswith("epoch,size,rate,loss")


def test_an_epoch_done_again_replaces_its_line_and_later_ones(run: Run) -> None:
    for epoch in (1, 2, 3):
        run.log(replace(LINE, epoch=epoch))
    again = replace(LINE, epoch=2, loss=0.1)
    run.log(again)
    assert read_log(run.folder) == (LINE, again)


def test_a_line_cut_off_is_left_out(run: Run) -> None:
    run.log(LINE)
    with (run.folder / "log.csv").open("a") as file:
        file.write("2,32,0.00")
    assert read_log(run.folder) == (LINE,)


def test_state_is_read_back_and_dropped_at_the_end(run: Run) -> None:
    assert run.load_state() is None
    run.save_state({"a": np.arange(6.0).reshape(2, 3), "epochs": np.array(4)})
    found = run.load_state()
    assert found is not None
    np.testing.assert_array_equal(found["a"], np.arange(6.0).reshape(2, 3))
    assert int(found["epochs"]) == 4
    run.end(4, 5)
    assert run.load_state() is None
    progress = read_progress(run.folder)
    assert progress is not None
    assert (progress.state, progress.epoch, progress.epochs) == ("done", 4, 5)
    assert run.finished() is None, "it is done, but its network is gone"


def test_state_holds_no_pickles(run: Run) -> None:
    np.savez(run.folder / "state.npz", a=np.array([{"code": "runs"}], dtype=object))
    with pytest.raises(CamcoreError, match="damaged"):
        run.load_state()


def test_damaged_state_says_what_to_do(run: Run) -> None:
    run.save_state({"a": np.zeros(1000)})
    whole = (run.folder / "state.npz").read_bytes()
    (run.folder / "state.npz").write_bytes(whole[:200])
    with pytest.raises(CamcoreError, match="Delete it"):
        run.load_state()


def test_a_full_disk_leaves_the_earlier_state(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.save_state({"a": np.ones(3)})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(CamcoreError, match="No space left"):
        run.save_state({"a": np.zeros(3)})
    monkeypatch.undo()
    found = run.load_state()
    assert found is not None
    np.testing.assert_array_equal(found["a"], np.ones(3))
    assert not list(run.folder.glob("*.part"))


def test_a_folder_that_became_read_only_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a file system refuses to delete even what is not there."""

    def refuses(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    for name in ("write_bytes", "unlink", "open"):
        monkeypatch.setattr(Path, name, refuses)
    for write in (lambda: run.report(RunProgress("training")), lambda: run.save_state({"a": np.zeros(3)})):
        with pytest.raises(CamcoreError, match="cannot be written: Read-only file system"):
            write()


def test_stop_is_heard_once_and_taken_away_when_taken_up(run: Run) -> None:
    run.check_stop()
    ask_to_stop(run.folder)
    with pytest.raises(Stopped):
        run.check_stop()
    Run(run.folder, {"epochs": 3}).check_stop()


def test_checkpoints_are_listed_by_epoch(run: Run) -> None:
    for epoch in (16, 1, 4):
        run.checkpoint_path(epoch).write_bytes(b"")
    (run.folder / "checkpoints" / "epoch-x.weights.h5").write_bytes(b"")
    assert [epoch for epoch, _ in checkpoints(run.folder)] == [1, 4, 16]


def test_files_are_plain_json(run: Run) -> None:
    run.report(RunProgress("preparing"))
    assert json.loads((run.folder / "progress.json").read_text())["state"] == "preparing"
