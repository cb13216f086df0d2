"""The DuckDB database of an audit: its narrow columns in memory, its Parquet files in a view, everything else shut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.parts import NARROW
from camcore.audits.schema import PARTS

if TYPE_CHECKING:
    import duckdb

MEMORY = "640MB"
"""Of DuckDB, for the columns it holds and for what a query needs beside them."""
GROUPS = "groups.parquet"
"""The file of an audit with the group of each picture: path, group."""


def connect(folder: Path, files: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A database with the table ``rows`` of narrow columns and the view ``pictures`` of all, both with ``group``.

    It has no access to the network, nor to files but the audit's parts, and its settings are locked. Raises
    duckdb.Error where a file cannot be read.
    """
    import duckdb

    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": ""})
    parquet = f"read_parquet([{', '.join(_text(file) for file in files)}])"
    narrow = ", ".join(f'"{name}"' for name in NARROW)
    groups = folder / GROUPS
    if groups.is_file():
        connection.execute(
            f'create table rows as select p.*, g."group" from (select {narrow} from {parquet}) p '
            f'left join (select path, "group"::bigint as "group" from read_parquet({_text(groups)})) g using (path)'
        )
    else:
        connection.execute(f'create table rows as select {narrow}, null::bigint as "group" from {parquet}')
    connection.execute(
        f'create view pictures as select p.*, r."group" from {parquet} p join rows r on p."index" = r."index"'
    )
    connection.execute(f"set allowed_directories = [{_text(folder / PARTS)}]")
    for setting in ("enable_external_access = false", "lock_configuration = true"):
        connection.execute(f"set {setting}")
    return connection


def is_one_select(cursor: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Says whether a query is a single SELECT that writes no file. Raises duckdb.Error where it is no SQL."""
    import duckdb

    statements = cursor.extract_statements(query)
    encoded = query.encode()  # its tokens are told by their first byte
    words = {
        match[0].lower()
        for start, kind in duckdb.tokenize(query)
        if kind == duckdb.token_type.keyword and (match := re.match(rb"\w+", encoded[start:]))
    }
    # A SELECT may begin with a COPY in its WITH clause, which would write beside the parts.
    return len(statements) == 1 and statements[0].type == duckdb.StatementType.SELECT and b"copy" not in words


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
