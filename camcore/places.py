"""Where camcore keeps things: its home, and the folder of networks of one's own, which a program may choose."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

PUBLIC, FOLDERS = "CAMCORE_PUBLIC", "CAMCORE_FOLDERS"
"""Environment variables of a server for strangers, and of the folders that they may see: paths, as PATH has them."""

_chosen: ContextVar[Path | None] = ContextVar("folder of networks of one's own", default=None)
_choosers: list[Callable[[], Path | None]] = []


def home() -> Path:
    """The folder for what camcore keeps: ``CAMCORE_HOME``, else ``~/.camcore``, whether or not it exists."""
    return Path(os.environ.get("CAMCORE_HOME") or "~/.camcore").expanduser().absolute()


def networks_folder() -> Path:
    """The folder in which each of one's own networks has a folder; for a server with many users, of this one's own."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    asked = (choose() for choose in _choosers)
    return next((folder for folder in asked if folder is not None), home() / "networks")


def choose_networks_by(choose: Callable[[], Path | None]) -> None:
    """Have ``choose`` tell the folder of networks of one's own from now on; where it says None, it is the usual one."""
    if choose not in _choosers:
        _choosers.append(choose)


@contextmanager
def networks_in(folder: Path) -> Iterator[None]:
    """Within the block, and in its thread alone, networks of one's own lie in this folder."""
    token = _chosen.set(folder)
    try:
        yield
    finally:
        _chosen.reset(token)


def carried(call: Callable[P, R]) -> Callable[P, R]:
    """``call`` for another thread: the networks of one's own are those of whoever asks for it now."""
    folder = networks_folder()

    def later(*args: P.args, **options: P.kwargs) -> R:
        with networks_in(folder):
            return call(*args, **options)

    return later
