"""A visitor's own folder on the server: it goes with the session, and the training that writes into it ends."""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from pathlib import Path

import psutil


class VisitorHome:
    """A new folder, deleted when nothing refers to this object any more, at the latest when the server ends."""

    def __init__(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="camcore-visitor-", ignore_cleanup_errors=True)
        self.path = Path(folder.name).resolve()
        self._end = weakref.finalize(self, _end, folder, self.path)

    def size(self) -> int:
        """The bytes of all files in it."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total


def _end(folder: tempfile.TemporaryDirectory[str], path: Path) -> None:
    """End the processes that work in the folder, and delete it."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(argument.startswith(f"{path}{os.sep}") for argument in process.cmdline()):
                process.kill()
    folder.cleanup()
