"""Tests of audits are begun by a program that may start processes, whatever page ran in this process before."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def main_may_start_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's test leaves its script behind as ``__main__``."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
