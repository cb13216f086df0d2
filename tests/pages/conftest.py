"""Machines that the pages are opened on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import app_pages
import pytest
from shared_data import shared
from small import network_folder


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Nothing that a test's pages have begun goes on beside the next one."""
    yield
    app_pages.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine asks before it runs methods of some hundred passes; here they run unasked."""
    monkeypatch.setattr("ui.map_cache.PATIENCE_SECONDS", 30.0)


@pytest.fixture
def real_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """ImageNet weights are on this machine."""
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No ImageNet weights are on this machine; the folder in which a download would arrive."""
    folder = tmp_path / "no weights"
    for name in ("CAMCORE_WEIGHTS", "KERAS_HOME"):
        monkeypatch.setenv(name, str(folder))
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def pets_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with "pets", a small network of three classes that learned nothing."""
    home = tmp_path_factory.mktemp("home")
    network_folder(home / "networks" / "pets", ["cat", "dog", "<b>owl</b>"])
    return home


@pytest.fixture
def pets(pets_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Networks of one's own are in a home with "pets"."""
    monkeypatch.setenv("CAMCORE_HOME", str(pets_home))
    return pets_home
