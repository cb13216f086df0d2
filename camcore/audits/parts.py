"""The parts of an audit as files: which of them can be read, and the lists of numbers in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from camcore.audits.schema import PARTS, SCHEMA
from camcore.errors import CamcoreError

NARROW = tuple(field.name for field in SCHEMA if field.name not in ("sha256", "logits", "map", "evidence"))
"""The columns of a value each, by which rows are chosen, counted and sorted."""


def part_files(folder: Path) -> list[Path]:
    """The parts of an audit in their order; none where there is no such folder."""
    return sorted(file for file in (folder / PARTS).glob("part-*.parquet") if file.is_file())


def split_readable(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """(the parts whose narrow columns can be read, the damaged ones)."""
    whole: list[Path] = []
    damaged: list[Path] = []
    for file in files:
        (whole if _readable(file) else damaged).append(file)
    return whole, damaged


@contextmanager
def part_checked(file: Path) -> Iterator[None]:
    """A block that reads a part of an audit; where it is damaged or holds something else, CamcoreError says so."""
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise CamcoreError(
            f"The part '{file}' of the audit cannot be read: {error}. It is damaged, or was changed. Run the same "
            "audit again into the same folder: it makes this part anew."
        ) from error


def list_values(rows: pa.Table, column: str, width: int) -> NDArray[np.float32]:
    """The numbers of a column of lists: (n, width). Raises ValueError for a row that has none, or another number."""
    lengths = pc.list_value_length(rows[column])
    others = lengths.filter(pc.not_equal(lengths, width))
    if lengths.null_count or len(others):
        found = "none" if lengths.null_count else f"{others[0]} values"
        raise ValueError(f"a row's {column} has {found} instead of {width:,}")
    return pc.list_flatten(rows[column]).to_numpy().astype(np.float32).reshape(-1, width)


def read_lists(
    files: Mapping[Path, Iterable[int]], widths: Mapping[str, int]
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float32]]]:
    """The numbers of list columns: the ``index`` (n,) of the rows that have any, and of each column float32 (n, width).

    ``files``: the rows to read from each part. Raises CamcoreError where a part is damaged or holds other lists.
    """
    indices = [np.empty(0, np.int64)]
    values = {column: [np.empty((0, width), np.float32)] for column, width in widths.items()}
    for file, wanted in files.items():
        with part_checked(file):
            with pq.ParquetFile(file) as part:
                rows = part.read(["index", *widths])
            rows = rows.filter(pc.is_in(rows["index"], pa.array(sorted(wanted), pa.int64())))
            for column in widths:
                rows = rows.filter(pc.is_valid(rows[column]))
            for column, width in widths.items():
                values[column].append(list_values(rows, column, width))
        indices.append(rows["index"].to_numpy())
    return np.concatenate(indices), {column: np.concatenate(each) for column, each in values.items()}


def _readable(file: Path) -> bool:
    try:
        rows = pq.read_table(file, columns=list(NARROW))
    except (OSError, pa.ArrowException, ValueError):
        return False
    return all(name in rows.column_names and rows.schema.field(name).type == SCHEMA.field(name).type for name in NARROW)
