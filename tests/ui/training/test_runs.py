"""Runs in processes of their own, driven with a small stand-in that writes the files of a real one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from camcore import CamcoreError
from camcore.files import write_whole
from camcore.metrics.intervals import rate
from camcore.training import runs
from ui.training import runs as training_runs
from ui.training.form import Form, command_line
from ui.training.process import environment as process_environment

PROGRAM = training_runs.PROGRAM
STAND_IN = """
import sys, time
from camcore.errors import CamcoreError
from camcore.training.runs import Epoch, Run, RunProgress, Stopped, read_log
folder = sys.argv[sys.argv.index("--out") + 1]
if "refuse" in folder:
    sys.exit("error: The folder has only 'cat'.")
if "crash" in folder:
    raise RuntimeError("a bug")
run = Run(folder, {"pictures": sys.argv[1], "epochs": 4})
try:
    for epoch in range(len(read_log(run.folder)) + 1, 5):
        for step in range(1, 5):
            run.check_stop()
            run.report(RunProgress("training", "", epoch, 4, step, 4, 1.0))
            time.sleep(0.02 if "quick" in folder else 0.3)
        run.log(Epoch(epoch, 64, 1e-3, 1 / epoch, 0.5, 1 / epoch, 0.5 + epoch / 10, 0.2))
        print("epoch", epoch, flush=True)
        if "fail" in folder and epoch == 2:
            raise CamcoreError("The disk is full.")
    run.report(RunProgress("done", "", 4, 4))
except Stopped:
    run.report(RunProgress("stopped"))
except CamcoreError as error:
    run.report(RunProgress("failed", str(error)))
    sys.exit(f"error: {error}")
"""


@pytest.fixture(autouse=True)
def runs_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path))
    monkeypatch.setattr(training_runs, "PROGRAM", (sys.executable, "-c", STAND_IN))
    yield tmp_path / "networks"
    for run in training_runs.listed():
        training_runs.end(run)


def form(name: str) -> Form:
    return Form("/pictures", name, ("cat", "dog"))


def until(
    name: str, *kinds: str, also: Callable[[training_runs.TrainingRun], bool] = bool
) -> training_runs.TrainingRun:
    end = time.monotonic() + 120
    while True:
        run = training_runs.find(name)
        assert run is not None
        if run.kind in kinds and also(run):
            return run
        assert time.monotonic() < end, f"{run.kind}: {training_runs.tail(run.folder)}"
        time.sleep(0.02)


def test_a_run_begins_runs_and_ends() -> None:
    assert training_runs.listed() == ()
    begun = training_runs.start(form("quick"))
    assert begun.kind == "starting"
    assert begun.live
    running = until("quick", "running")
    assert running.epochs == 4
    assert 0 < running.share <= 1
    done = until("quick", "done")
    assert done.share == 1
    assert not done.live
    assert not done.resumable
    assert [line.epoch for line in done.log] == [1, 2, 3, 4]
    assert training_runs.tail(done.folder).splitlines() == [f"epoch {i}" for i in range(1, 5)]
    assert training_runs.reason(done) == ""
    assert [run.name for run in training_runs.listed()] == ["quick"]


def test_the_program_is_this_camcore_wherever_it_starts(tmp_path: Path) -> None:
    (tmp_path / "camcore.py").write_text("raise SystemExit('the wrong camcore')")
    command = [*PROGRAM, "--help"]
    environment = process_environment()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "camcore train" in done.stdout


def test_it_has_a_session_of_its_own_so_that_it_outlives_the_server() -> None:
    training_runs.start(form("slow"))
    pid = until("slow", "running").progress.pid
    assert os.getsid(pid) != os.getsid(0)


def test_stop_keeps_the_epochs_and_resume_goes_on() -> None:
    training_runs.start(form("slow"))
    training_runs.stop(until("slow", "running", also=lambda run: len(run.log) == 1))
    stopped = until("slow", "stopped")
    assert stopped.resumable
    assert stopped.share == pytest.approx(len(stopped.log) / 4)
    assert training_runs.resume(stopped).kind == "starting"
    first = until("slow", "running").progress.epoch
    assert first == len(stopped.log) + 1
    assert not (stopped.folder / "stop").exists()


def test_a_killed_process_is_an_interruption() -> None:
    training_runs.start(form("slow"))
    run = until("slow", "running")
    os.kill(run.progress.pid, signal.SIGKILL)
    gone = until("slow", "interrupted")
    assert gone.resumable
    assert not gone.live


def test_a_number_that_another_process_has_by_now_is_not_taken_for_the_run(runs_home: Path) -> None:
    folder = runs_home / "old"
    write(folder, runs.RunProgress("training", "", 2, 4, 1, 9, pid=os.getpid(), updated=time.time()))
    run = training_runs.find("old")
    assert run is not None
    assert run.kind == "interrupted"
    assert not run.resumable, "how it was started is not known"
    with pytest.raises(CamcoreError, match="not started on this page"):
        training_runs.resume(run)
    training_runs.end(run)  # ends nothing: this test goes on


def test_a_process_that_says_nothing_any_more_can_be_ended() -> None:
    training_runs.start(form("slow"))
    run = until("slow", "running")
    os.kill(run.progress.pid, signal.SIGSTOP)
    write(run.folder, runs.RunProgress("training", "", 1, 4, pid=run.progress.pid, updated=time.time() - 3600))
    silent = until("slow", "silent")
    assert silent.live
    training_runs.end(silent)
    until("slow", "interrupted")


def test_a_failure_is_told_in_its_own_words() -> None:
    training_runs.start(form("fail quick"))
    run = until("fail quick", "failed")
    assert training_runs.reason(run) == "The disk is full."
    assert len(run.log) == 2
    assert run.resumable


@pytest.mark.parametrize(("name", "said"), [("refuse", "The folder has only 'cat'."), ("crash", "RuntimeError: a bug")])
def test_what_never_began_says_why_and_can_be_deleted(name: str, said: str) -> None:
    training_runs.start(form(name))
    run = until(name, "failed")
    assert training_runs.reason(run) == said
    training_runs.discard(run)
    assert training_runs.listed() == ()


def test_a_run_that_is_done_or_at_work_is_not_deleted() -> None:
    with pytest.raises(CamcoreError, match="is kept"):
        training_runs.discard(training_runs.start(form("quick")))
    with pytest.raises(CamcoreError, match="is kept"):
        training_runs.discard(until("quick", "done"))


def test_another_server_with_the_same_home_sees_the_run_and_begins_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    training_runs.start(form("slow"))
    monkeypatch.setattr(training_runs, "_launched", [])  # nor has one that was killed and started again begun it
    run = until("slow", "running")
    with pytest.raises(CamcoreError, match="“slow” is still training"):
        training_runs.start(form("second"))
    training_runs.stop(run)
    assert until("slow", "stopped").resumable


def test_one_at_a_time() -> None:
    training_runs.start(form("slow"))
    with pytest.raises(CamcoreError, match="“slow” is still training"):
        training_runs.start(form("quick"))
    assert [run.name for run in training_runs.listed()] == ["slow"]


def test_a_name_that_is_taken_is_refused(runs_home: Path) -> None:
    (runs_home / "quick").mkdir(parents=True)
    with pytest.raises(CamcoreError, match="exists already"):
        training_runs.start(form("quick"))


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "file"))
    with pytest.raises(CamcoreError, match="cannot be written"):
        training_runs.start(form("quick"))
    assert training_runs.listed() == ()


def test_a_program_that_cannot_be_started_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_runs, "PROGRAM", ("/nowhere/python",))
    monkeypatch.setattr(training_runs.shutil, "which", lambda _: None)
    with pytest.raises(CamcoreError):
        training_runs.start(form("quick"))
    assert training_runs.listed() == ()


@pytest.mark.parametrize("file", [training_runs.COMMAND, "progress.json"])
def test_a_full_disk_keeps_no_name_and_no_process(file: str, runs_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(training_runs, "_launched", launched)

    def full(path: Path, content: bytes) -> Path:
        if path.name == file:
            raise CamcoreError(f"'{path}' cannot be written: No space left on device.")
        return write_whole(path, content)

    with monkeypatch.context() as disk:
        disk.setattr(training_runs, "write_whole", full)
        with pytest.raises(CamcoreError, match="No space left"):
            training_runs.start(form("slow"))
    assert [process.wait(20) for process in launched] == [-signal.SIGKILL] * (file != training_runs.COMMAND)
    assert not (runs_home / "slow").exists()
    assert training_runs.start(form("slow")).live


def test_folders_that_are_no_runs_and_damaged_files(runs_home: Path) -> None:
    (runs_home / "notes").mkdir(parents=True)
    (runs_home / "damaged").mkdir()
    for name in ("progress.json", "command.json", "recipe.json", "network.json", "log.csv"):
        (runs_home / "damaged" / name).write_bytes(b"\xff{")
    (run,) = training_runs.listed()
    assert (run.name, run.kind, run.resumable, run.log) == ("damaged", "interrupted", False, ())
    assert run.outcome is None
    assert training_runs.find("../networks/damaged") is None
    assert training_runs.find("notes") is None


def test_the_outcome_of_a_finished_network(runs_home: Path) -> None:
    folder = runs_home / "cats"
    write(folder, runs.RunProgress("done", "", 4, 4))
    trained = {"val_accuracy": 0.9, "held_out": {"a": 6, "b": 4}}
    (folder / "network.json").write_text(json.dumps({"trained": trained, "framing": "stretch"}))
    run = training_runs.find("cats")
    assert run is not None
    assert run.outcome == rate(9, 10)


def test_the_tail_shows_the_last_state_of_a_line_that_renews_itself(tmp_path: Path) -> None:
    (tmp_path / "output.log").write_bytes(b"\r\x1b[K1 of 3\r\x1b[K2 of 3\r\x1b[Kepoch 1: right\r\n\r\x1b[K3 of 3")
    assert training_runs.tail(tmp_path) == "epoch 1: right\n3 of 3"
    (tmp_path / "output.log").write_bytes(b"x" * 100 + b"\n" + b"line\n" * 5000)
    assert set(training_runs.tail(tmp_path).splitlines()) == {"line"}


def test_the_command_line_can_be_pasted() -> None:
    line = command_line(("/my pictures", "--classes", "a", "b"), Path("/out"))
    assert line == 'python -m camcore train "/my pictures" --classes a b --out /out'


def test_nothing_in_a_name_is_run_by_a_shell(tmp_path: Path) -> None:
    """Whoever pastes the line runs the command, not what a stranger's folder is called."""
    names = ("$(touch evil)", "`touch evil`", 'a"; touch evil; "', "a'b", "a;touch evil", "~", "a b")
    line = command_line(("/in", "--classes", *names), Path("/out"))
    shown = subprocess.run(
        ["/bin/sh", "-c", line.replace("python -m camcore train", "printf '%s\\n'")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines() == ["/in", "--classes", *names, "--out", "/out"]
    assert list(tmp_path.iterdir()) == []


def write(folder: Path, progress: runs.RunProgress) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "progress.json").write_text(json.dumps(asdict(progress)))
