"""The rows of an audit that have an answer, part by part: what goes through all of them reads them so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from camcore.audits.parts import list_values, part_checked, part_files


@dataclass(frozen=True, eq=False)
class AnsweredRows:
    """Some columns of the rows of a part. ``first``: the place of its first one among all such rows of the audit."""

    file: Path
    first: int
    table: pa.Table

    def __len__(self) -> int:
        return len(self.table)

    def texts(self, name: str) -> NDArray[np.str_]:
        """A column of text: (n,)."""
        return np.asarray(self.table.column(name).to_pylist(), np.str_)

    def lists(self, name: str, width: int) -> NDArray[np.float32]:
        """A column of lists: (n, width). Raises CamcoreError where one is missing or of another length."""
        with part_checked(self.file):
            return list_values(self.table, name, width)


def answered_rows(folder: Path, columns: Sequence[str]) -> Iterator[AnsweredRows]:
    """The rows of each part of an audit that have any. Raises CamcoreError where a part is damaged."""
    first = 0
    for file in part_files(folder):
        with part_checked(file), pq.ParquetFile(file) as part:
            table = part.read([*columns, "error"])
        table = table.filter(table.column("error").is_null())
        if len(table):
            yield AnsweredRows(file, first, table)
            first += len(table)
