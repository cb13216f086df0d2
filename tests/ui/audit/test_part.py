"""A box of an audit's picture: who is asked about it, and that all of a picture is like the picture itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled import make_folder
from small import network_folder

import camcore
from camcore.audits.manifest import Manifest
from camcore.audits.nearest import most_alike
from ui.audit import part
from ui.audit.opened import OpenAudit, opening
from ui.jobs.work import Work

PATH = "dog/002.png"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with "pets", which has audited some pictures."""
    home = tmp_path_factory.mktemp("home")
    network = camcore.load(network_folder(home / "networks" / "pets", ["cat", "dog"]))
    pictures = make_folder(home / "pictures", {"cat": 5, "dog": 5})
    for _ in camcore.audit(network, pictures, home / "audit", framing="letterbox", workers=0):
        pass
    return home


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(home))


def result(work: Work[Any], network: camcore.Network | None = None) -> Any:
    """The value that a work ends with."""
    *_, last = work.steps(network, None)  # type: ignore[arg-type]
    return last.value


@pytest.fixture
def opened(home: Path) -> OpenAudit:
    found: OpenAudit = result(opening(home / "audit"))
    return found


def of_manifest(opened: OpenAudit, manifest: Manifest) -> OpenAudit:
    return replace(opened, audit=replace(opened.audit, manifest=manifest))


def test_its_own_network_is_asked(opened: OpenAudit) -> None:
    key, why_not = part.network_for(opened)
    assert key is not None
    assert (key.name, key.weights, why_not) == ("pets", None, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "/elsewhere/wolves", "labels": ("wolf", "owl")}, "camcore app FILE"),
        ({"weights_note": "random weights"}, "have not been kept"),
    ],
)
def test_why_nobody_can_be_asked(opened: OpenAudit, changes: dict[str, Any], said: str) -> None:
    manifest = opened.manifest
    other = of_manifest(opened, replace(manifest, network=replace(manifest.network, **changes)))
    key, why_not = part.network_for(other)
    assert key is None
    assert said in why_not


def test_all_of_a_picture_is_like_the_picture(opened: OpenAudit) -> None:
    network = camcore.load("pets")
    key, _ = part.network_for(opened)
    assert key is not None
    (own,) = opened.audit.evidence([PATH])
    wanted = [one.path for one in most_alike(opened.audit.folder, own, part.COUNT)]
    found = result(part.alike(opened, key, PATH, (0, 0, 40, 48)), network)
    assert wanted[0] == PATH
    assert PATH in found[:2], "another may be as alike as half precision can tell"
    assert set(found) == set(wanted)


def test_a_box_beside_the_picture_or_of_other_weights_is_refused(opened: OpenAudit) -> None:
    network = camcore.load("pets")
    key, _ = part.network_for(opened)
    assert key is not None
    with pytest.raises(camcore.CamcoreError, match="48 × 40"):
        result(part.alike(opened, key, PATH, (0, 0, 41, 48)), network)
    manifest = opened.manifest
    other = of_manifest(opened, replace(manifest, network=replace(manifest.network, weights_sha256="0" * 64)))
    with pytest.raises(camcore.CamcoreError, match="other weights"):
        result(part.alike(other, key, PATH, (0, 0, 20, 20)), network)


def test_the_map_lies_where_explain_puts_it(opened: OpenAudit) -> None:
    shown = result(part.shown(opened, PATH))
    network, manifest = camcore.load("pets"), opened.manifest
    (m,) = camcore.explain(network, shown.picture, manifest.method, manifest.layer, framing=manifest.framing)
    np.testing.assert_allclose(
        shown.on_picture(smooth=True, max_side=None), m.on_picture(smooth=True, max_side=None), atol=2e-3
    )
