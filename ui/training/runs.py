"""Training runs, each in a process of its own: started, stopped and watched through the files of its folder.

Nothing here is kept in memory, so a run outlives the page, the browser and the server. No Streamlit.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, cast

import psutil

from camcore import CamcoreError, places
from camcore.evaluation.held_out import held_out
from camcore.files import opened_plain, read_json, read_json_object, unwritable, write_whole
from camcore.metrics.intervals import Rate
from camcore.models import saved
from camcore.training import runs
from ui.training.form import Form
from ui.training.process import environment, process_of, wait

PROGRAM: tuple[str, ...] = (sys.executable, "-P", "-m", "camcore", "train")
"""The training command, isolated from the folder where it starts (-P); tests put a small stand-in here."""
OUTPUT, COMMAND = "output.log", "command.json"
"""The files of the run's folder with the process's output and its command line."""
STARTING = "Starting"
STARTING_SECONDS = 2.0
"""So long a process may be on its way to being itself: while one program takes another's place it has no name."""
TAIL_BYTES = 6000
TRAINING_SECONDS = 1800
"""So long a visitor of a public server may train at a time."""
AT_ONCE = 2
"""Trainings of all visitors of a public server together."""

Kind = Literal["starting", "running", "stopping", "silent", "interrupted", "stopped", "failed", "done"]

LIVE: tuple[Kind, ...] = ("starting", "running", "stopping", "silent")
"""The kinds that have a process."""

_starting = threading.Lock()
_launched: list[subprocess.Popen[bytes]] = []
_ERROR = re.compile(r"(?:error: |(?=[\w.]+(?:Error|Exception)(?:: |$)))(.+)")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class TrainingRun:
    """A run as its folder shows it at this moment. ``arguments``: its command line, None if it is not known."""

    folder: Path
    kind: Kind
    progress: runs.RunProgress
    arguments: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """The network's name."""
        return self.folder.name

    @property
    def live(self) -> bool:
        """A process is at work."""
        return self.kind in LIVE

    @property
    def resumable(self) -> bool:
        """It can be started again where it was."""
        return self.kind in ("stopped", "interrupted", "failed") and self.arguments is not None

    @property
    def share(self) -> float:
        """The share done, 0..1: of the preparation, then of the training; where nothing runs, of the epochs."""
        p = self.progress
        if self.kind == "done":
            return 1.0
        if not self.live:
            return min(len(self.log) / self.epochs, 1.0) if self.epochs else 0.0
        within = min(p.step / p.steps, 1.0) if p.steps else 0.0
        if p.state == "preparing" or not p.epochs:
            return within
        return min((max(p.epoch - 1, 0) + within) / p.epochs, 1.0)

    @property
    def epochs(self) -> int:
        """After how many epochs training is to end; 0 as long as that is not known."""
        asked = self.progress.epochs or (self.recipe.get("epochs") if self.recipe else 0)
        return asked if isinstance(asked, int) else 0

    @cached_property
    def log(self) -> tuple[runs.Epoch, ...]:
        """The finished epochs."""
        return runs.read_log(self.folder)

    @cached_property
    def recipe(self) -> dict[str, Any] | None:
        """The recipe of the training; None until the process has written it."""
        return runs.read_recipe(self.folder)

    @cached_property
    def outcome(self) -> Rate | None:
        """Of a finished network: the share of the held-out pictures that the weights that were kept get right."""
        if self.kind != "done":
            return None
        content = read_json_object(self.folder / saved.JSON_NAME) or {}
        trained, framing = content.get("trained"), content.get("framing")
        return held_out(trained, framing) if isinstance(trained, dict) and isinstance(framing, str) else None


def home() -> Path:
    """The folder of runs and of the networks that come of them."""
    return saved.networks_folder()


def listed() -> tuple[TrainingRun, ...]:
    """All runs, those with a process first, then the latest first."""
    try:
        folders = [folder for folder in home().iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    except OSError:
        return ()
    found = [run for folder in folders if (run := read(folder)) is not None]
    return tuple(sorted(found, key=lambda run: (not run.live, -run.progress.updated, run.name)))


def find(name: str) -> TrainingRun | None:
    """The run of that name."""
    if not name or Path(name).name != name:  # a name from the address leads nowhere else
        return None
    return read(home() / name)


def read(folder: Path) -> TrainingRun | None:
    """The run in a folder; None where there is no run in it."""
    progress = runs.read_progress(folder)
    if progress is None:
        if not (folder / COMMAND).exists() and runs.read_recipe(folder) is None:
            return None
        progress = runs.RunProgress("preparing", updated=_time_of(folder))
    return TrainingRun(folder, _kind(folder, progress), progress, _arguments(folder))


def start(form: Form, shared: bool = False) -> TrainingRun:
    """Begin a run in a folder of its own, whose name must be free. ``shared``: by a visitor of a public server.

    Raises CamcoreError where another run is at work, the name is taken, or the folder cannot be written.
    """
    folder = home() / form.name
    with _starting:
        _refuse_second(shared)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except FileExistsError as error:
            raise CamcoreError(
                f"The folder '{folder}' exists already. A run needs one of its own, to mix nothing up. Choose "
                "another name for the network."
            ) from error
        except OSError as error:
            raise unwritable(folder.parent, error) from error
        try:
            write_whole(folder / COMMAND, json.dumps(form.arguments(), indent=1).encode())
            return _launch(folder, form.arguments(), shared)
        except CamcoreError:
            shutil.rmtree(folder, ignore_errors=True)  # it holds nothing yet, and keeps the name
            raise


def resume(run: TrainingRun, shared: bool = False) -> TrainingRun:
    """Start a run's process again; it goes on where the last one was. ``shared``: as for ``start``.

    Raises CamcoreError where it cannot be, or another run is at work.
    """
    with _starting:
        _refuse_second(shared)
        if run.arguments is None:
            raise CamcoreError(
                f"How “{run.name}” was started is not known here: it was not started on this page. Give its command "
                "line again, with the same --out, and it goes on."
            )
        return _launch(run.folder, run.arguments, shared)


def stop(run: TrainingRun) -> None:
    """Ask a run to stop after its present step. Raises CamcoreError where its folder cannot be written."""
    runs.ask_to_stop(run.folder)


def discard(run: TrainingRun) -> None:
    """Delete the folder of a run that led to no network. Raises CamcoreError where it cannot be deleted."""
    if run.live or run.kind == "done":
        raise CamcoreError(f"“{run.name}” is at work or done, and is kept. Stop it first, or delete '{run.folder}'.")
    try:
        shutil.rmtree(run.folder)
    except OSError as error:
        raise unwritable(run.folder, error) from error


def end(run: TrainingRun) -> None:
    """End the process of a run that does not answer; what it kept last stays."""
    process = process_of(run.folder, run.progress.pid)
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def tail(folder: Path) -> str:
    """The end of the output of the run's process."""
    try:
        with opened_plain(folder / OUTPUT) as file:
            file.seek(0, os.SEEK_END)
            size = file.tell()
            file.seek(max(size - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = _ESCAPES.sub("", text).split("\n")
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in lines]  # of a line that renews itself, the last
    return "\n".join(lines[1:] if size > TAIL_BYTES else lines).strip()


def reason(run: TrainingRun) -> str:
    """The reason why a run failed, as far as it gave one, else ""."""
    return run.progress.message if run.progress.state == "failed" else _last_error(run.folder)


def _refuse_second(shared: bool) -> None:
    _launched[:] = [process for process in _launched if process.poll() is None]
    if shared and len(_launched) >= AT_ONCE:
        raise CamcoreError(
            f"This server trains {AT_ONCE} networks at a time, for all its visitors, and is at it. Wait some minutes "
            "and try again."
        )
    busy = next((run for run in listed() if run.live), None)
    if busy is not None:
        raise CamcoreError(
            f"“{busy.name}” is still training. Two at a time would take the processor from each other, and both "
            "would be slower. Wait until it is done, or stop it: it can be taken up again."
        )


def _launch(folder: Path, arguments: Sequence[str], shared: bool) -> TrainingRun:
    # Nicely: pages and maps come first.
    nice = ("nice", "-n", "10") if shutil.which("nice") else ()
    try:
        (folder / "stop").unlink(missing_ok=True)
        with (folder / OUTPUT).open("wb") as output:
            process = subprocess.Popen(
                [*nice, *PROGRAM, *arguments, "--out", str(folder)],
                env=environment(folder.parent.parent if folder.parent != places.home() / "networks" else None),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise unwritable(folder, error) from error
    _launched.append(process)
    limit = TRAINING_SECONDS if shared else None
    waiting = partial(wait, process, limit, partial(runs.ask_to_stop, folder))
    threading.Thread(target=waiting, name="wait for training", daemon=True).start()
    before = runs.read_progress(folder) or runs.RunProgress("preparing")
    now = replace(before, state="preparing", message=STARTING, pid=process.pid, updated=time.time(), seconds_left=None)
    try:
        write_whole(folder / "progress.json", json.dumps(asdict(now)).encode())
    except CamcoreError:
        process.kill()
        raise
    return TrainingRun(folder, "starting", now, tuple(arguments))


def _kind(folder: Path, progress: runs.RunProgress) -> Kind:
    if progress.state in ("done", "stopped", "failed"):
        return cast(Kind, progress.state)
    if progress.message == STARTING and time.time() - progress.updated < STARTING_SECONDS:
        return "starting"
    if process_of(folder, progress.pid) is None:
        return "failed" if progress.message == STARTING or _last_error(folder) else "interrupted"
    if not progress.alive:
        return "silent"
    if progress.message == STARTING:
        return "starting"
    return "stopping" if (folder / "stop").exists() else "running"


def _last_error(folder: Path) -> str:
    """The error that the process ended with, in its own words; "" where it gave none."""
    errors = [found for line in tail(folder).splitlines() if (found := _ERROR.match(line))]
    return errors[-1][1] if errors else ""


def _arguments(folder: Path) -> tuple[str, ...] | None:
    try:
        found = read_json(folder / COMMAND)
    except (OSError, ValueError):
        return None
    return tuple(found) if isinstance(found, list) and all(isinstance(a, str) for a in found) else None


def _time_of(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
