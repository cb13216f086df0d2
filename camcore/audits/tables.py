"""Tables that name the pictures of an audit: CSV or Parquet with a column ``path``, and perhaps ``label``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits import addresses
from camcore.errors import CamcoreError

if TYPE_CHECKING:
    import pyarrow as pa

_SUFFIXES = (".csv", ".parquet", ".pq")


def is_table(given: str) -> bool:
    """Tell by its name whether a path or address is a table's."""
    return given.lower().endswith(_SUFFIXES) and not Path(given).is_dir()


def read_table(given: str) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """The columns ``path`` and ``label`` of a table; a missing or empty label is None.

    Raises CamcoreError where it cannot be read, has no column ``path``, or a line has none.
    """
    table = _columns(given)
    if "path" not in table.column_names:
        raise CamcoreError(
            f"The table '{given}' has no column 'path': it has {', '.join(map(repr, table.column_names))}. An audit "
            "takes each picture's file from there, and from 'label' its class, where there is one. Rename the columns."
        )
    paths = _texts(table, "path")
    empty = next((number for number, path in enumerate(paths, 1) if not path), None)
    if empty is not None:
        raise CamcoreError(
            f"Row {empty} of the table '{given}' has no path. Every row is a picture. Fill it in or remove the row."
        )
    labels = _texts(table, "label") if "label" in table.column_names else [None] * len(paths)
    return tuple(str(path) for path in paths), tuple(label or None for label in labels)


def _columns(given: str) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        with addresses.opened(given) as file:
            if given.lower().endswith(".csv"):
                texts = {"path": pa.string(), "label": pa.string()}
                return csv.read_csv(file, convert_options=csv.ConvertOptions(column_types=texts))
            # The file's own footer tells its columns, and only these two are read.
            source = parquet.ParquetFile(file)
            names = source.schema_arrow.names
            wanted = [name for name in ("path", "label") if name in names]
            return source.read(wanted) if "path" in wanted else source.schema_arrow.empty_table()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CamcoreError(
            f"The table '{given}' cannot be read ({' '.join(str(error).split())[:200].rstrip('.')}). It names the "
            "pictures of an audit, as CSV in UTF-8 with a line of headings, or as Parquet. Correct path or file."
        ) from error


def _texts(table: pa.Table, name: str) -> list[str | None]:
    import pyarrow as pa

    column = table.column(name)
    try:
        return column.cast(pa.string()).to_pylist()
    except pa.ArrowException as error:
        raise CamcoreError(
            f"The column {name!r} of the table holds {column.type}, not text. It names a file or a class. Write it as "
            "text."
        ) from error
