"""A visitor's own folder on the server: it goes with the session, and the training that writes into it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import psutil

from ui.pictures import free_ended_sessions

AUDITS = "audits"
"""The folder in a visitor's own one for the audits that he makes."""
_PREFIX = "camcore-visitor-"  # then the number of the server's process


class VisitorHome:
    """A new folder, deleted when nothing refers to this object any more, at the latest when the server ends.

    What servers have left that were killed goes with the first one. ``alone``: there is one person only on this server,
    who gets the audits among it: their folders are moved into this one.
    """

    def __init__(self, alone: bool = False) -> None:
        free_ended_sessions()
        prefix = f"{_PREFIX}{os.getpid()}-"
        folder = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
        self.path = Path(folder.name).resolve()
        self._end = weakref.finalize(self, _end, folder, self.path)
        if alone:
            _take_over(self.path / AUDITS)
        sweep()

    def size(self) -> int:
        """The bytes of all files in it."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total


@lru_cache(maxsize=1)
def sweep() -> None:
    """Delete the folders of servers that are no more."""
    for left in _left():
        shutil.rmtree(left, ignore_errors=True)


def _left() -> Iterator[Path]:
    """The folders of visitors whose servers are no more."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        number = left.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            yield left


def _take_over(folder: Path) -> None:
    """Move the audits that killed servers left into this folder, where none is in the way."""
    for audit in [audit for left in _left() for audit in left.glob(f"{AUDITS}/*")]:
        with contextlib.suppress(OSError):  # another server was quicker
            folder.mkdir(exist_ok=True)
            audit.rename(folder / audit.name)


def _end(folder: tempfile.TemporaryDirectory[str], path: Path) -> None:
    """End the processes that work in the folder, and delete it."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(argument.startswith(f"{path}{os.sep}") for argument in process.cmdline()):
                process.kill()
    folder.cleanup()
