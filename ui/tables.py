"""Arrow tables as CSV files to take away."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

_FORMULA = r"^('*[=+\-@\t\r])"


def as_csv(table: pa.Table) -> bytes:
    """A table as CSV with a header. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    for place, column in enumerate(table.itercolumns()):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            plain = pc.replace_substring_regex(column, _FORMULA, r"'\1")
            table = table.set_column(place, table.schema.field(place), plain)
    file = io.BytesIO()
    pyarrow.csv.write_csv(table, file)
    return file.getvalue()
