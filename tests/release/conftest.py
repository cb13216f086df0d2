"""A gate of two networks that were worked out by hand: the audits are made once."""

from __future__ import annotations

import sys
from types import ModuleType

import cued
import pytest
from cued import Cued


@pytest.fixture(autouse=True)
def main_may_start_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's test leaves its script behind as ``__main__``."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture(scope="session")
def cue(tmp_path_factory: pytest.TempPathFactory) -> Cued:
    home = cued.pictures(tmp_path_factory.mktemp("cued"))
    return Cued(home, cued.network(name="old"), cued.network(cued.CUE, name="new"))
