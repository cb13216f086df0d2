"""The process of a training run: its environment, and whether it is still there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import psutil

import camcore
from camcore import CamcoreError


def environment(home: Path | None = None) -> dict[str, str]:
    """The environment variables of the process, which find this camcore also where it is not installed.

    ``home``: camcore's own folder for it, where it has one of its own.
    """
    root = str(Path(camcore.__file__).parents[1])
    installed = root in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    paths = [*([] if installed else [root]), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {} if home is None else {"CAMCORE_HOME": str(home)}
    return {**os.environ, **own, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(paths)}


def process_of(folder: Path, pid: int) -> psutil.Process | None:
    """The process of that number where it trains in this folder: after a restart another may have its number."""
    if pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        names = {Path(argument).name for argument in process.cmdline()}  # empty for a zombie
    except psutil.Error:
        return None
    return process if folder.name in names else None


def wait(process: subprocess.Popen[bytes], most_seconds: float | None, stop: Callable[[], None]) -> None:
    """Wait for a process, or it stays as a zombie; ``stop`` it where it takes longer than ``most_seconds``."""
    try:
        process.wait(most_seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(CamcoreError):
            stop()
        process.wait()
