"""Pictures of an audit as entries of a report: the same network, picture and map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from labelled import make_folder
from small import network_folder

import camcore
from ui.audit import to_report
from ui.query import NetworkKey


def test_an_entry_has_the_map_of_the_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    network_folder(tmp_path / "home" / "networks" / "pets", ["cat", "dog"])
    pictures = make_folder(tmp_path / "pictures", {"cat": 3, "dog": 3})
    network = camcore.load("pets")
    for _ in camcore.audit(network, pictures, tmp_path / "audit", workers=0):
        pass
    audit = camcore.open_audit(tmp_path / "audit")
    paths = ["dog/001.png", "cat/002.png"]
    *_, last = to_report.items(NetworkKey("pets"), audit.manifest, paths).steps(network, None)
    assert [item.picture.data for _, item in last.value] == [(pictures / path).read_bytes() for path in paths]
    assert len({key for key, _ in last.value}) == 2
    said = dict(zip(*(audit.table()[name].to_pylist() for name in ("path", "predicted")), strict=True))
    for path, kept, (_, item) in zip(paths, audit.maps(paths), last.value, strict=True):
        (finding,) = item.findings
        np.testing.assert_allclose(finding.map.values, kept, atol=1e-3)
        assert (finding.map.label, finding.map.layer) == (said[path], audit.manifest.layer)
        assert finding.network.weights_sha256 == audit.manifest.network.weights_sha256
