"""The rows of an audit that have an answer, part by part: what goes through all of them reads them so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from camcore.audits.parts import part_files
from camcore.errors import CamcoreError


@dataclass(frozen=True, eq=False)
class AnsweredRows:
    """Some columns of the rows of a part. ``first``: the place of its first one among all such rows of the audit."""

    first: int
    table: pa.Table

    def __len__(self) -> int:
        return len(self.table)

    def texts(self, name: str) -> NDArray[np.str_]:
        """A column of text: (n,)."""
        return np.asarray(self.table.column(name).to_pylist(), np.str_)

    def lists(self, name: str, width: int) -> NDArray[np.float32]:
        """A column of lists: (n, width). Raises CamcoreError where they are of another length."""
        values = self.table.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
        if len(values) != len(self) * width:
            raise CamcoreError(
                f"A row of the audit has {len(values) / len(self):,.0f} numbers in its {name}, not {width:,}. They are "
                "of another layer, or the audit was changed. Run the same audit again."
            )
        return np.asarray(values, np.float32).reshape(len(self), width)


def answered_rows(folder: Path, columns: Sequence[str]) -> Iterator[AnsweredRows]:
    """The rows of each part of an audit that have any. Raises CamcoreError where a part is damaged."""
    first = 0
    for file in part_files(folder):
        try:
            with pq.ParquetFile(file) as part:
                table = part.read([*columns, "error"])
        except (OSError, pa.ArrowException) as error:
            raise CamcoreError(
                f"The part '{file}' of the audit cannot be read: {error}. It is damaged, or was changed. Run the same "
                "audit again: it makes what is missing."
            ) from error
        table = table.filter(table.column("error").is_null())
        if len(table):
            yield AnsweredRows(first, table)
            first += len(table)
