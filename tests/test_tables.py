"""Rows as CSV: what programs read back, and the bytes that it is."""

import csv
import io

from camcore.files import to_csv


def test_rows_come_back_as_they_were() -> None:
    rows = [["name", "note"], ["a, b", 'he said "no"'], ["Größe", "two\nlines"], [], ["=1+1", ""]]
    text = to_csv(rows).decode("utf-8")
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


def test_a_line_feed_ends_each_row() -> None:
    assert to_csv(([1, 2.5], (None, "x"))) == b"1,2.5\n,x\n"
