"""Rows of values as CSV, in one form everywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def to_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows, the header first, as CSV in UTF-8: commas, a line feed after each row; an empty row is an empty line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")
