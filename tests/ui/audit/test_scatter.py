"""The scatter: every picture is one of its points, and a box survives the way through the address."""

from __future__ import annotations

from pathlib import Path

import pytest
from audited import make_audit

from camcore.audits.projection import project
from ui.audit import scatter
from ui.audit.opened import opening


@pytest.mark.parametrize("classes", [("cat", "dog"), tuple(f"class {i}" for i in range(9))])
def test_every_picture_is_a_point(tmp_path: Path, classes: tuple[str, ...]) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 60, classes=classes)
    *_, last = opening(made.folder).steps(None, None)
    opened = last.value
    found = project(opened.audit)
    traces = scatter.chart(opened, found).data
    crosses = {
        path for one in traces for path, mark in zip(one.customdata, one.marker.symbol, strict=True) if mark == "x"
    }
    assert sorted(path for one in traces for path in one.customdata) == [r["path"] for r in made.rows if not r["error"]]
    assert crosses == {row["path"] for row in made.rows if row.get("correct") is False}
    assert len(traces) == 2


def test_a_box_in_the_address_is_the_box() -> None:
    box = (-0.25, 0.5, -1e-3, 12.0)
    assert scatter.BOX.read(scatter.BOX.write(box)) == (box, None)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "1,2,3,4,5"])
def test_what_is_no_box_is_told(text: str) -> None:
    value, problem = scatter.BOX.read(text)
    assert value is None
    assert "four numbers" in str(problem)
