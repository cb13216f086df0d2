"""The table of an audit: a row for each picture, in Parquet files of one chunk each.

A picture that could not be used is a row, too: with its path, its label and the ``error``, everything else null.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from camcore.files import replaced_whole, unwritable

VERSION = 1
"""Of the columns below and of the manifest; one that is read by another meaning gets the next number."""

PARTS = "pictures"
"""The folder of an audit that holds the parts."""

_VALUES = pa.list_(pa.float16())

SCHEMA = pa.schema(
    [
        pa.field("index", pa.int64(), nullable=False),  # its place among the pictures of the audit
        pa.field("path", pa.string(), nullable=False),  # below the audited folder, with slashes; else as it was given
        pa.field("sha256", pa.string()),  # of the file
        pa.field("height", pa.int32()),  # of the picture, upright, in pixels
        pa.field("width", pa.int32()),
        pa.field("label", pa.string()),  # the true class; null where nobody says it
        pa.field("predicted", pa.string()),  # the network's first answer, which the map explains
        pa.field("correct", pa.bool_()),  # null without a label
        pa.field("probability", pa.float32()),  # of the class predicted
        pa.field("label_probability", pa.float32()),  # of the true class
        pa.field("logits", _VALUES),  # of all classes
        pa.field("map", _VALUES),  # values in 0..1 on the layer's grid, row by row: h·w
        pa.field("evidence", _VALUES),  # Σ_ij M_ij A_kij / Σ_ij M_ij for each of K channels; zero where the map is
        pa.field("error", pa.string()),
    ]
)


def part_name(chunk: int) -> str:
    """The file name of a chunk's rows."""
    return f"part-{chunk:06d}.parquet"


def write_part(folder: Path, chunk: int, rows: pa.Table) -> Path:
    """Write a chunk's rows below an audit's folder; the file is whole or not there.

    Raises CamcoreError where it cannot be written.
    """
    path = folder / PARTS / part_name(chunk)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_whole(path, sync=True) as part:
            pq.write_table(rows.cast(SCHEMA), part, compression="zstd", write_page_checksum=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def read_part(folder: Path, chunk: int) -> pa.Table | None:
    """The rows of a chunk; None where they are not there yet, or not as they were written."""
    try:
        rows = pq.read_table(folder / PARTS / part_name(chunk), page_checksum_verification=True, partitioning=None)
    except (OSError, ValueError, pa.ArrowException):
        return None
    return rows if rows.schema.equals(SCHEMA) else None
