"""The rows of an audit, opened to be read: chosen, sorted and counted by DuckDB, from many threads at once.

The columns of a value each are taken into memory once, so that a million rows are filtered within a blink; the lists
(map, evidence, logits) stay in the Parquet files and are read for the rows that are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits import groups, parts
from camcore.audits.database import connect, is_one_select
from camcore.audits.filters import LISTING, Filters, an_order, condition, order_by
from camcore.audits.groups import Group
from camcore.audits.manifest import Manifest, read_manifest
from camcore.audits.parts import NARROW
from camcore.audits.schema import PARTS, SCHEMA, part_name
from camcore.checks import checked, many, of_type, one_of, optional, text, whole
from camcore.errors import CamcoreError
from camcore.heatmaps.arguments import a_path
from camcore.text import counted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

COLUMNS = (*SCHEMA.names, "group")
_NARROW = (*NARROW, "group")


_a_column = one_of(*COLUMNS, kind="column of an audit")
_filters = optional(of_type(Filters, "Make one with camcore.audits.filters.Filters, or leave it out."))
_rows = whole(0, 1 << 62, example=60)


@dataclass(frozen=True, eq=False)
class Audit:
    """An audit as it was when it was opened; what is written later is seen by opening it again. Thread-safe.

    ``notes``: what readers should know: that it is not finished, that a part is damaged. ``rows``: pictures in it.
    """

    folder: Path
    manifest: Manifest
    notes: tuple[str, ...]
    rows: int
    _connection: duckdb.DuckDBPyConnection = field(repr=False)

    @checked(where=_filters)
    def count(self, where: Filters | None = None) -> int:
        """The number of rows that the filters choose; by default all that have an answer."""
        chosen = condition(where or Filters())
        counts = self._asked(f"select count(*) as n from rows where {chosen.text}", chosen.parameters)
        return int(counts["n"][0].as_py())

    @checked(
        columns=optional(many(_a_column, least=1)), where=_filters, order=an_order, limit=optional(_rows), offset=_rows
    )
    def table(
        self,
        columns: Sequence[str] | None = None,
        where: Filters | None = None,
        order: str = LISTING,
        limit: int | None = None,
        offset: int = 0,
    ) -> pa.Table:
        """The rows that the filters choose (by default all that have an answer) in one of ``filters.ORDERS``.

        ``columns``: of COLUMNS; None: those of a value each. Raises CamcoreError for a column or an order that does not
        exist, and for a negative ``limit`` or ``offset``.
        """
        names = _NARROW if columns is None else columns
        chosen, sort = condition(where or Filters()), order_by(order)
        source = "rows" if set(names) <= set(_NARROW) else "pictures"
        bounds = (" limit ?" if limit is not None else "") + " offset ?"
        values = (*chosen.parameters, *([limit] if limit is not None else []), offset)
        # The places first and then their rows: sorting all columns to skip most of them takes twice as long.
        return self._asked(
            f'select {", ".join(map(_quoted, names))} from {source} where "index" in (select "index" from rows where '
            f"{chosen.text} order by {sort}{bounds}) order by {sort}",
            values,
        )

    @checked(query=text, parameters=many(lambda _, value: value))
    def sql(self, query: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer to one SELECT over the table ``pictures``, with the columns of COLUMNS; ``?`` for parameters.

        The table ``rows`` is the same without the lists and digests, and in memory: much quicker. A query can read
        nothing but the audit's rows and write nothing. Raises CamcoreError where it is not answered.
        """
        import duckdb

        with self._connection.cursor() as cursor:
            try:
                if not is_one_select(cursor, query):
                    raise CamcoreError(f"{query[:200]!r} is not one SELECT. {_HOW_TO_ASK}")
                cursor.execute("begin transaction read only")
                return cursor.sql(query, params=list(parameters) or None).to_arrow_table()
            except duckdb.Error as error:
                raise CamcoreError(f"{query[:200]!r} cannot be answered: {error}. {_HOW_TO_ASK}") from error

    @checked(paths=many(text))
    def maps(self, paths: Iterable[str]) -> NDArray[np.float32]:
        """The maps of these pictures on the layer's grid: float32 (n, h, w); NaN where a picture could not be used.

        Raises CamcoreError for a path that is not in the audit, and where a part is damaged.
        """
        height, width = self.manifest.grid
        return self._lists(paths, "map", height * width).reshape(-1, height, width)

    @checked(paths=many(text))
    def evidence(self, paths: Iterable[str]) -> NDArray[np.float32]:
        """The evidence of these pictures: float32 (n, K); otherwise as ``maps``."""
        return self._lists(paths, "evidence", self.manifest.channels)

    @checked(label=optional(text))
    def groups(self, label: str | None = None) -> tuple[Group, ...]:
        """The groups of evidence, of the pictures that are called ``label`` or of all; none before they were found.

        The column ``group`` of a picture is the place of its group among all. Raises CamcoreError where they are
        damaged.
        """
        if not (self.folder / groups.NAME).is_file():
            return ()
        return tuple(one for one in groups.read_groups(self.folder) if label in (None, one.label))

    def _lists(self, paths: Iterable[str], column: str, width: int) -> NDArray[np.float32]:
        wanted = list(paths)
        found = self._asked(
            'select path, "index" from rows where path in (select unnest(?::varchar[]))', (list(set(wanted)),)
        )
        places = dict(zip(found["path"].to_pylist(), found["index"].to_pylist(), strict=True))
        files: dict[Path, list[int]] = {}
        for path in wanted:
            if path not in places:
                raise CamcoreError(
                    f"There is no picture {path!r} in the audit '{self.folder}'. Pictures are named as in the column "
                    "path of its table. Correct the name, or open the audit again if it was added since."
                )
            part = self.folder / PARTS / part_name(places[path] // self.manifest.chunk)
            files.setdefault(part, []).append(places[path])
        indices, lists = parts.read_lists(files, {column: width})
        row_of = {index: row for row, index in enumerate(indices.tolist())}
        values = np.full((len(wanted), width), np.nan, np.float32)
        for place, path in enumerate(wanted):
            row = row_of.get(places[path])
            if row is not None:
                values[place] = lists[column][row]
        return values

    def _asked(self, query: str, parameters: Sequence[object] = ()) -> pa.Table:
        with self._connection.cursor() as cursor:
            return cursor.sql(query, params=list(parameters) or None).to_arrow_table()


_HOW_TO_ASK = f"An audit is asked by one SELECT over the table pictures, with the columns {', '.join(COLUMNS)}."


@checked(folder=a_path)
def open_audit(folder: str | os.PathLike[str]) -> Audit:
    """Open the folder of an audit to read it, finished or not. A part that is damaged is left out, and noted.

    Raises CamcoreError where the folder is no audit, is of another schema, or has no rows yet.

    With ``out``, the folder of an audit of a picture by the bundled network:

    >>> audit = camcore.open_audit(out)
    >>> audit.rows, audit.maps(["photo.png"]).shape
    (1, (1, 12, 12))
    >>> audit.sql("select count(*) as n from pictures where probability > 0.5")["n"][0].as_py()
    1
    """
    import duckdb

    root = Path(os.path.expanduser(folder)).absolute()  # which leaves the ~ of nobody as it is
    manifest = read_manifest(root)
    files, damaged = parts.part_files(root), list[Path]()
    try:
        connection = connect(root, files) if files else None
    except duckdb.Error:
        files, damaged = parts.split_readable(files)
        connection = _connected_anyway(root, files) if files else None
    if connection is None:
        why = "It was stopped before its first pictures were done, or is still at them."
        if damaged:
            why = "All of its parts are damaged."
        raise CamcoreError(
            f"The audit in '{root}' has no rows that can be read. {why} Run the same audit again: it makes what is "
            "missing."
        )
    rows = connection.sql("select count(*) from rows").fetchall()[0][0]
    return Audit(root, manifest, tuple(_notes(manifest, rows, damaged)), rows, connection)


def _connected_anyway(root: Path, files: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return connect(root, files)
    except duckdb.Error as error:
        raise CamcoreError(
            f"The audit in '{root}' cannot be opened: {error}. Its parts can be read, so its groups may be damaged. "
            "Run the same audit again: it makes what is missing."
        ) from error


def _notes(manifest: Manifest, rows: int, damaged: Sequence[Path]) -> Iterator[str]:
    if damaged:
        names = ", ".join(file.name for file in damaged[:3]) + (" …" if len(damaged) > 3 else "")
        yield (
            f"{counted(len(damaged), 'part')} of the audit cannot be read and {'is' if len(damaged) == 1 else 'are'} "
            f"left out: {names}. Run the same audit again: it makes what is missing."
        )
    if rows < manifest.total - manifest.chunk * len(damaged):
        yield (
            f"The audit is not finished: {rows:,} of {counted(manifest.total, 'picture')} are done, the first ones of "
            "the list. Its figures hold for these only."
        )


def _quoted(name: str) -> str:
    return f'"{name}"'
