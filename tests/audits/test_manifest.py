"""The manifest of an audit from elsewhere: whatever it claims, it is an audit's or is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audited import make_audit

from camcore.audits.manifest import NAME, read_manifest
from camcore.errors import CamcoreError


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    made = make_audit(tmp_path_factory.mktemp("audit"), Path("pictures"), 4, failed=())
    assert read_manifest(made.folder) == made.manifest
    return dict(json.loads((made.folder / NAME).read_text("utf-8")))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("total", "many", "its total is 'many'"),
        ("total", 0, "one of its sizes"),
        ("chunk", -1, "one of its sizes"),
        ("grid", [0, 4], "one of its sizes"),
        ("grid", [10**6, 10**6], "one of its sizes"),
        ("grid", [3], "its grid is"),
        ("channels", 10**12, "one of its sizes"),
        ("done", -1, "one of its counts"),
        ("seconds", float("inf"), "its seconds is 'inf'"),
        ("pictures", None, "its pictures is 'None'"),
        ("base", ["/"], "its base is"),
        ("labelled", "no", "its labelled is 'no'"),
        ("network", "VGG16", "it holds no object"),
        ("cells", [1, 2], "it holds no object"),
        ("versions", {"keras": 3}, "its versions is '3'"),
        ("odd", 1, "there is no field 'odd'"),
    ],
)
def test_what_is_no_audits_is_refused(
    field: str, value: object, said: str, content: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / NAME).write_text(json.dumps(content | {field: value}))
    with pytest.raises(CamcoreError, match=rf"holds no manifest of an audit \(ValueError: {said}.*audit the pictures"):
        read_manifest(tmp_path)
