"""Mean maps of an audit are the means of its rows' maps."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from audited import MadeUp, make_audit

from camcore.audits.averages import MeanMap, as_csv, mean_maps
from camcore.audits.store import open_audit


def chosen(made: MadeUp, label: str | None, right: bool | None) -> list[int]:
    rows = [row for row in made.rows if row["error"] is None and row["correct"] == right]
    return [row["index"] for row in rows if label in (None, row["predicted"])]


@pytest.mark.parametrize("labelled", [True, False])
def test_they_are_the_means_of_the_rows(tmp_path: Path, labelled: bool) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 100, labelled=labelled)
    found = mean_maps(open_audit(made.folder))
    kinds = (True, False) if labelled else (None,)
    assert {(one.label, one.right) for one in found} == {
        (name, kind) for name in (None, "cat", "dog") for kind in kinds
    }
    for one in found:
        rows = chosen(made, one.label, one.right)
        assert one.count == len(rows)
        np.testing.assert_allclose(one.values, made.maps[rows].astype(np.float64).mean(axis=0), rtol=1e-6)


def test_a_class_that_is_hardly_said_has_none_of_its_own(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 30)
    assert [(one.label, one.right) for one in mean_maps(open_audit(made.folder))] == [(None, True), (None, False)]


def test_the_file_holds_the_values() -> None:
    values = np.arange(6, dtype=np.float64).reshape(2, 3) / 7
    means = (MeanMap(None, None, 9, values), MeanMap("cat", False, 4, 2 * values))
    header, *rows = csv.reader(io.StringIO(as_csv(means).decode("utf-8-sig")))
    assert header == ["class", "right", "pictures", "row", "column 0", "column 1", "column 2"]
    assert [row[:4] for row in rows] == [
        ["", "", "9", "0"],
        ["", "", "9", "1"],
        ["cat", "0", "4", "0"],
        ["cat", "0", "4", "1"],
    ]
    np.testing.assert_allclose(
        np.array([row[4:] for row in rows], float), np.concatenate([values, 2 * values]), rtol=1e-5
    )
