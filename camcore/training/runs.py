"""A training run's folder: what the process that trains writes there, and what others read from it.

Everything goes through files, so that a run may live in a process of its own, be watched by several pages, be
killed at any moment and be taken up again. Each file is replaced as a whole, or gains whole lines.

    recipe.json     what is being trained, and from which pictures; written first
    progress.json   where the run is
    log.csv         one line for each finished epoch
    state.npz       what taking it up again needs
    checkpoints/    the weights after some of the epochs
    stop            asks the run to stop; taken away when it is taken up again
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

from camcore.errors import CamcoreError, ModelError
from camcore.files import Json, opened_plain, read_json_object, read_text, unwritable, write_arrays, write_whole
from camcore.models.saved import SavedNetwork, read
from camcore.models.weights_saving import save_weights
from camcore.typed_json import from_json

if TYPE_CHECKING:
    import keras

Step = TypeVar("Step")
Result = TypeVar("Result")

STATES = ("preparing", "training", "done", "stopped", "failed")

# A process that has not reported for so long is taken to be dead, if its number does not say so already.
SILENCE_SECONDS = 300.0

_REPORT_EVERY = 1.0  # seconds between two reports of a run at work

_RECIPE, _PROGRESS, _LOG, _STATE, _STOP = "recipe.json", "progress.json", "log.csv", "state.npz", "stop"


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The run was asked to stop; what it had learned is kept."""


@dataclass(frozen=True)
class RunProgress:
    """The state of a run. seconds_left is an estimate, None while there is none; updated is in Unix seconds."""

    state: str
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    pid: int = 0
    updated: float = 0.0

    @property
    def alive(self) -> bool:
        """True where the process that wrote this still runs, as far as can be told."""
        if self.state not in ("preparing", "training"):
            return False
        return _runs(self.pid) and time.time() - self.updated < SILENCE_SECONDS


@dataclass(frozen=True)
class Epoch:
    """One line of the log: epoch counts from 1; losses in nats, accuracies 0..1, seconds for the epoch."""

    epoch: int
    size: int
    rate: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


class Run:
    """The writing side of a run's folder, for the process that trains."""

    def __init__(self, folder: str | os.PathLike[str], recipe: Mapping[str, object]) -> None:
        """Take the folder for this recipe; CamcoreError where it cannot be written or holds another run.

        A run of the same recipe is taken up where it was.
        """
        self.folder = Path(folder).expanduser().absolute()
        text = json.dumps(recipe, indent=1)
        try:
            (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        kept = self.folder / _RECIPE
        if kept.exists() and read_json_object(kept) != json.loads(text):
            raise CamcoreError(
                f"'{self.folder}' holds a run of another recipe or of other pictures. Going on would mix the two. "
                "Give the same choices as then, or another folder."
            )
        write_whole(kept, text.encode())
        try:
            (self.folder / _STOP).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        self._reported = time.monotonic()

    def guarded(self, steps: Generator[Step, None, Result]) -> Generator[Step, None, Result]:
        """The steps of the training; where they are stopped or fail, the folder says so."""
        try:
            return (yield from steps)
        except Stopped:
            self.report(RunProgress("stopped", "Stopped as asked. It can be taken up again."))
            raise
        except Exception as error:
            message = str(error) if isinstance(error, CamcoreError) else f"{type(error).__name__}: {error}"
            self.report(RunProgress("failed", message))
            raise

    def preparing(
        self, steps: Generator[tuple[int, int], None, Result], message: str, epochs: int
    ) -> Generator[RunProgress, None, Result]:
        """Run preparing work that yields (done, in all), and report it about every second; its return value."""
        started = time.monotonic()
        while True:
            try:
                done, total = next(steps)
            except StopIteration as finished:
                result: Result = finished.value
                return result
            except OSError as error:
                raise unwritable(self.folder, error) from error
            self.check_stop()
            if self.due():
                left = (time.monotonic() - started) * (total - done) / done
                yield self.report(
                    RunProgress("preparing", f"{message}: {done:,} of {total:,}", 0, epochs, done, total, left)
                )

    def due(self) -> bool:
        """Tell whether it is time for another report; if so, the next one is due a second from now."""
        now = time.monotonic()
        due = now - self._reported >= _REPORT_EVERY
        self._reported = now if due else self._reported
        return due

    def report(self, progress: RunProgress) -> RunProgress:
        """Write where the run is; returns it."""
        state = asdict(progress) | {"pid": os.getpid(), "updated": time.time()}
        write_whole(self.folder / _PROGRESS, json.dumps(state).encode())
        return progress

    def check_stop(self) -> None:
        """Raise Stopped where somebody asked for it."""
        if (self.folder / _STOP).exists():
            raise Stopped

    def log(self, epoch: Epoch) -> None:
        """Add a line to the log; the lines of this epoch and later ones, of a run that was cut off, go."""
        lines = [asdict(line) for line in read_log(self.folder) if line.epoch < epoch.epoch] + [asdict(epoch)]
        text = ",".join(lines[0]) + "\n" + "".join(",".join(_digits(v) for v in line.values()) + "\n" for line in lines)
        write_whole(self.folder / _LOG, text.encode())

    def save_state(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep arrays for taking the run up again; the earlier ones stay until these are whole."""
        write_arrays(self.folder / _STATE, arrays)

    def load_state(self) -> dict[str, NDArray[np.float32]] | None:
        """The arrays kept last; None where there are none. CamcoreError where they cannot be read."""
        path = self.folder / _STATE
        if not path.exists():
            return None
        try:
            with opened_plain(path) as file, np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except Exception as error:  # numpy and zipfile raise whatever a damaged file makes them stumble over
            raise CamcoreError(
                f"'{path}' is damaged ({error}), so this run cannot be taken up again. Delete it to start anew from "
                "the first epoch."
            ) from error

    def finished(self) -> SavedNetwork | None:
        """The network of a run that is done; None where it is not, or its network is not whole any more."""
        progress = read_progress(self.folder)
        if progress is None or progress.state != "done":
            return None
        try:
            return read(self.folder)
        except ModelError:
            return None

    def end(self, epochs: int, planned: int) -> None:
        """The network is written, after ``epochs`` of those ``planned``: say so, and drop what is needed no more."""
        self.report(RunProgress("done", "", epochs, planned))
        with suppress(OSError):
            (self.folder / _STATE).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def checkpoint(self, model: keras.Model, epoch: int) -> None:
        """Keep the weights after an epoch, in half precision. CamcoreError where they cannot be written."""
        try:
            save_weights(model, self.checkpoint_path(epoch), half=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def checkpoint_path(self, epoch: int) -> Path:
        """The file of the weights after an epoch."""
        return self.folder / "checkpoints" / f"epoch-{epoch:03d}.weights.h5"


def keeps_checkpoint(epoch: int) -> bool:
    """Tell whether a checkpoint is kept after that epoch: 1, 2, 4, 8, …, for most happens early."""
    return epoch & (epoch - 1) == 0


def ask_to_stop(folder: Path) -> None:
    """Ask the run in a folder to stop; it does after the present step, and keeps what it learned."""
    write_whole(folder / _STOP, b"")


def read_recipe(folder: Path) -> dict[str, Json] | None:
    """The recipe of the run in a folder; None where there is no readable recipe."""
    return read_json_object(folder / _RECIPE)


def read_progress(folder: Path) -> RunProgress | None:
    """The state of the run in a folder; None where nothing readable was reported."""
    with suppress(ValueError):
        progress = from_json(RunProgress, read_json_object(folder / _PROGRESS))
        counts = (progress.epoch, progress.epochs, progress.step, progress.steps, progress.pid)
        if progress.state in STATES and all(0 <= count < 1 << 31 for count in counts):
            return progress
    return None


def read_log(folder: Path) -> tuple[Epoch, ...]:
    """The finished epochs of the run in a folder; lines that are no such thing are left out."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(folder / _LOG), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()
    epochs = []
    for row in rows:
        try:
            epochs.append(Epoch(int(row["epoch"]), int(row["size"]), *(float(row[key]) for key in _MEASURES)))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(epochs)


_MEASURES = ("rate", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")


def checkpoints(folder: Path) -> tuple[tuple[int, Path], ...]:
    """(epoch, weights file) of the checkpoints kept in a run's or network's folder, in order."""
    files = sorted((folder / "checkpoints").glob("epoch-*.weights.h5"))
    return tuple((int(path.name[6:].split(".")[0]), path) for path in files if path.name[6:].split(".")[0].isdigit())


def _digits(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _runs(pid: int) -> bool:
    return pid > 0 and psutil.pid_exists(pid)
