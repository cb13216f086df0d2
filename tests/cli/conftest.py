"""Commands share what takes longest: the real network that most are tried on is read once. Reruns read it anew, except
where a test says that it is not about that."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from labelled import make_folder
from small import network_folder

import camcore
from camcore.report import rerun

_LOADED: dict[str, camcore.Network] = {}


def sharing(load: Callable[..., camcore.Network]) -> Callable[..., camcore.Network]:
    """``load``, which reads MobileNetV2 with its usual weights only once."""

    def shared_load(model: Any, weights: Any = None, progress: Any = None, **options: Any) -> camcore.Network:
        usual = model == "MobileNetV2" and weights is None and all(value is None for value in options.values())
        if not usual:
            return load(model, weights, progress, **options)
        folder = os.environ.get("CAMCORE_WEIGHTS", "")
        if folder not in _LOADED:
            _LOADED[folder] = load(model)
        return _LOADED[folder]

    return shared_load


@pytest.fixture(autouse=True)
def networks_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camcore, "load", sharing(camcore.load))


@pytest.fixture
def reruns_share_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camcore.report.rerun.load", sharing(rerun.load))


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a network of two classes."""
    return network_folder(tmp_path_factory.mktemp("networks") / "small", ["across", "down"])


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of its pictures, class by class; one is damaged, and beside them lies a file that is none."""
    root = make_folder(tmp_path_factory.mktemp("data"), {"across": 9, "down": 11})
    (root / "down" / "010.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (root / "notes.txt").write_text("notes")
    return str(root)
