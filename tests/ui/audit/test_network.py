"""The network of an audit among those of the app: by its weights, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from audited import make_audit
from small import network_folder

import camcore
from camcore.audits.manifest import Manifest
from camcore.models.pickling import weights_hash
from ui.audit import network
from ui.jobs.job import Job
from ui.networks import networks


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of "pets", the only network of this machine."""
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("streamlit.session_state", {})
    networks().start()
    network_folder(tmp_path / "home" / "networks" / "pets", ["cat", "dog"])
    return tmp_path / "home" / "networks" / "pets"


@pytest.fixture
def manifest(folder: Path, tmp_path: Path) -> Manifest:
    """An audit of "pets" as it is now."""
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 4, failed=()).manifest
    sha256 = weights_hash(camcore.load("pets"))
    return replace(made, network=replace(made.network, weights_note="weights from this machine", weights_sha256=sha256))


def found(manifest: Manifest, **changes: object) -> network.Found:
    work = network.search(replace(manifest, network=replace(manifest.network, **changes)))
    job = Job(work)
    job.watch("somebody")
    *_, last = work.steps(None, job)
    assert last.value is not None
    return last.value


def test_it_is_found_by_name_by_folder_and_under_another_name(manifest: Manifest, folder: Path) -> None:
    assert found(manifest).name == "pets"
    assert found(manifest, source=str(folder)).name == "pets"
    assert found(manifest, source="/elsewhere/animals").name == "pets"


def test_another_of_the_same_name_is_not_it(manifest: Manifest) -> None:
    other = found(manifest, weights_sha256="0" * 64)
    assert other.name == ""
    assert "other weights" in other.why_not
    assert network.name_of(manifest) == "pets", "the likeliest, before it was looked for"


def test_random_weights_go_by_their_name(manifest: Manifest) -> None:
    assert found(manifest, weights_note="random weights", weights_sha256="0" * 64).name == "pets"


def test_where_there_is_none_of_its_kind_it_is_told_how_to_bring_it(manifest: Manifest) -> None:
    assert found(manifest, source="wolves", labels=("wolf", "owl")) == network.Found("", network.UNKNOWN)
