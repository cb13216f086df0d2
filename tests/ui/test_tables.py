"""Tables as CSV: numbers as they are, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pyarrow as pa

from camcore.files import from_cell
from ui.tables import as_csv


def test_texts_come_back_and_none_is_a_formula() -> None:
    names = ["=1+1", "-x", "@y", "+z", "\tq", "'=a", "cat", None, "a,b"]
    table = pa.table({"name": names, "value": list(range(-4, 5))})
    rows = list(csv.DictReader(io.StringIO(as_csv(table).decode("utf-8"), newline="")))
    assert [from_cell(row["name"]) or None for row in rows] == names
    assert [int(row["value"]) for row in rows] == list(range(-4, 5))
    assert not any(row["name"].startswith(("=", "-", "@", "+", "\t")) for row in rows)
