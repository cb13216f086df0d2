"""Files of an audit to take away, read back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from audited import draw_pictures, make_audit

from camcore.audits.filters import Filters
from camcore.audits.store import COLUMNS, open_audit
from ui.audit import export
from ui.audit.opened import opening


def test_the_table_holds_the_chosen_rows(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 30)
    rows = list(
        csv.DictReader(io.StringIO(export.as_csv(open_audit(made.folder), Filters(right=False), "name").decode()))
    )
    wanted = sorted((row for row in made.rows if row.get("correct") is False), key=lambda row: row["path"])
    assert [row["path"] for row in rows] == [row["path"] for row in wanted]
    assert [np.float32(row["probability"]) for row in rows] == [np.float32(row["probability"]) for row in wanted]


@pytest.mark.parametrize("most", [1000, 3])
def test_parquet_has_maps_and_evidence_unless_there_are_too_many(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 30, failed=())
    monkeypatch.setattr(export, "MOST_ROWS", most)
    table = pyarrow.parquet.read_table(io.BytesIO(export.as_parquet(open_audit(made.folder), Filters(), "listing")))
    assert table["path"].to_pylist() == [row["path"] for row in made.rows]
    if most == 3:
        assert not {"map", "evidence", "logits"} & set(table.column_names)
    else:
        assert table.column_names == list(COLUMNS)
        np.testing.assert_array_equal(table["evidence"].to_pylist(), made.evidence)


def test_the_report_is_that_of_the_folder_or_a_new_one(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 12)
    draw_pictures(made)
    *_, last = opening(made.folder).steps(None, None)
    assert b"<!doctype html>" in export.as_report(last.value)[:200].lower()
    (made.folder / "report.html").write_bytes(b"as it was written")
    assert export.as_report(last.value) == b"as it was written"
    (made.folder / "reviews").mkdir()
    (made.folder / "reviews" / "one.json").write_text("{}")
    assert b"<!doctype html>" in export.as_report(last.value)[:200].lower(), "a review came after it"
